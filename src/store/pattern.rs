//! Regular expressions of PostgreSQL, which only PostgreSQL can judge.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Bool, Text};

use super::StoreError;

/// Asks PostgreSQL whether it can read a pattern; what it says of one that it cannot.
pub fn objection(
    connection: &mut PgConnection,
    pattern: &str,
) -> Result<Option<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Readable {
        #[diesel(sql_type = Bool)]
        #[expect(dead_code, reason = "what matters is that the statement does not fail")]
        readable: bool,
    }
    let readable = diesel::sql_query("select ('' ~ $1) is not null as readable")
        .bind::<Text, _>(pattern)
        .get_result::<Readable>(connection);
    // What the server says of a statement that holds nothing but a pattern, it says of the pattern.
    readable.map_or_else(|error| said(error).map(Some), |_| Ok(None))
}

/// What the server says of a statement that it did not like, and nothing else was wrong with.
///
/// # Errors
/// When something else was wrong: the connection is lost, say.
pub fn said(error: DieselError) -> Result<String, StoreError> {
    let message = match &error {
        DieselError::DatabaseError(_, information) => information.message().to_owned(),
        _ => return Err(error.into()),
    };
    match StoreError::from(error) {
        lost if lost.is_lost_connection() => Err(lost),
        _ => Ok(message),
    }
}
