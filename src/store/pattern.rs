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
    let Err(error) = readable else { return Ok(None) };
    // What the server says of a statement that holds nothing but a pattern, it says of the pattern.
    let message = match &error {
        DieselError::DatabaseError(_, information) => information.message().to_owned(),
        _ => return Err(error.into()),
    };
    match StoreError::from(error) {
        lost if lost.is_lost_connection() => Err(lost),
        _ => Ok(Some(message)),
    }
}
