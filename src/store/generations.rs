//! The files of a source besides the one at its path.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};

use super::sources::Source;
use super::transaction::{Patience, execute_alone, load_alone, transaction};
use super::{StoreError, from_bigint, to_bigint};
use crate::model::{FileIdentity, Gap, Generation, GenerationState, Place, SourceId, Tick};

/// What a source's state becomes when its files are found to have changed.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Files that are new or have changed.
    pub files: &'a [Generation],
    /// Numbers of those that are known no more.
    pub forgotten: &'a [i64],
    /// What was lost.
    pub gaps: &'a [Gap],
    /// Number and place of the file at the path.
    pub present: (i64, Place),
    /// Where it lies really, if the path is a symlink.
    pub file_path: Option<&'a str>,
    /// Since when it is empty, if it is.
    pub empty_since: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    source_id: i64,
    #[diesel(sql_type = BigInt)]
    generation: i64,
    #[diesel(sql_type = Text)]
    path: String,
    #[diesel(sql_type = BigInt)]
    device: i64,
    #[diesel(sql_type = BigInt)]
    inode: i64,
    #[diesel(sql_type = BigInt)]
    byte_offset: i64,
    #[diesel(sql_type = BigInt)]
    head_hash: i64,
    #[diesel(sql_type = BigInt)]
    marker_hash: i64,
    #[diesel(sql_type = BigInt)]
    begin_hash: i64,
    #[diesel(sql_type = BigInt)]
    size_bytes: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    file_hash: Option<i64>,
    #[diesel(sql_type = Text)]
    state: String,
}

impl Row {
    fn read(self) -> Result<(SourceId, Generation), StoreError> {
        let state = GenerationState::ALL.into_iter().find(|state| state.as_str() == self.state);
        let generation = Generation {
            number: self.generation,
            path: self.path,
            place: Place {
                identity: FileIdentity {
                    device: from_bigint(self.device),
                    inode: from_bigint(self.inode),
                },
                byte_offset: from_bigint(self.byte_offset),
                head_hash: from_bigint(self.head_hash),
                marker_hash: from_bigint(self.marker_hash),
                begin_hash: from_bigint(self.begin_hash),
            },
            size_bytes: from_bigint(self.size_bytes),
            file_hash: self.file_hash.map(from_bigint),
            state: state.ok_or(StoreError::UnknownValue(self.state, "state of a file"))?,
        };
        Ok((SourceId(self.source_id), generation))
    }
}

fn by_source(rows: Vec<Row>) -> Result<HashMap<SourceId, Vec<Generation>>, StoreError> {
    let mut generations: HashMap<SourceId, Vec<Generation>> = HashMap::new();
    for row in rows {
        let (source, generation) = row.read()?;
        generations.entry(source).or_default().push(generation);
    }
    Ok(generations)
}

/// The unfinished files of sources, in the order of reading; nothing is asked if none has any.
pub fn unfinished<'s>(
    connection: &mut PgConnection,
    sources: impl IntoIterator<Item = &'s Source>,
) -> Result<HashMap<SourceId, Vec<Generation>>, StoreError> {
    let having = sources.into_iter().filter(|source| source.has_unfinished_files);
    let ids: Vec<i64> = having.map(|source| source.id.0).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = diesel::sql_query(
        "select * from generations where source_id = any ($1) and state = 'unfinished'
         order by source_id, generation",
    )
    .bind::<Array<BigInt>, _>(ids);
    by_source(load_alone(connection, query)?)
}

/// All files of a source but the one at its path.
pub fn of_source(
    connection: &mut PgConnection,
    source: SourceId,
) -> Result<Vec<Generation>, StoreError> {
    let query = "select * from generations where source_id = $1 order by generation";
    let query = diesel::sql_query(query).bind::<BigInt, _>(source.0);
    let rows: Vec<Row> = load_alone(connection, query)?;
    rows.into_iter().map(|row| Ok(row.read()?.1)).collect()
}

/// The files of some sources that have one of these inodes.
pub fn with_inodes(
    connection: &mut PgConnection,
    sources: &[SourceId],
    inodes: &[u64],
) -> Result<HashMap<SourceId, Vec<Generation>>, StoreError> {
    let query = diesel::sql_query(
        "select * from generations where source_id = any ($1) and inode = any ($2)
         order by source_id, generation",
    )
    .bind::<Array<BigInt>, _>(sources.iter().map(|source| source.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(inodes.iter().map(|inode| to_bigint(*inode)).collect::<Vec<_>>());
    by_source(load_alone(connection, query)?)
}

/// Stores what became of the files of a source, all at once.
///
/// # Errors
/// [`StoreError::Overtaken`] when another run has read the source meanwhile.
pub fn change(
    connection: &mut PgConnection,
    source: &Source,
    change: &Change<'_>,
    tick: Tick,
) -> Result<(), StoreError> {
    transaction(connection, Patience::Short, |connection| {
        lock(connection, source)?;
        forget(connection, source.id, change.forgotten)?;
        write_files(connection, source.id, change.files, tick)?;
        for gap in change.gaps {
            write_gap(connection, source.id, gap, tick)?;
        }
        let (number, place) = change.present;
        diesel::sql_query(include_str!("change_present.sql"))
            .bind::<BigInt, _>(source.id.0)
            .bind::<BigInt, _>(number)
            .bind::<BigInt, _>(to_bigint(place.identity.device))
            .bind::<BigInt, _>(to_bigint(place.identity.inode))
            .bind::<BigInt, _>(to_bigint(place.byte_offset))
            .bind::<BigInt, _>(to_bigint(place.head_hash))
            .bind::<BigInt, _>(to_bigint(place.marker_hash))
            .bind::<BigInt, _>(to_bigint(place.begin_hash))
            .bind::<Nullable<Text>, _>(change.file_path)
            .execute(connection)?;
        if change.empty_since != source.empty_since {
            diesel::sql_query("update sources set empty_since = $2 where id = $1")
                .bind::<BigInt, _>(source.id.0)
                .bind::<Nullable<Timestamptz>, _>(change.empty_since)
                .execute(connection)?;
        }
        Ok(())
    })
}

/// Stores that an unfinished file is finished or lost, and what was lost with it.
///
/// # Errors
/// [`StoreError::Overtaken`] when another run has read the source meanwhile.
pub fn close(
    connection: &mut PgConnection,
    source: &Source,
    file: &Generation,
    gap: Option<&Gap>,
    tick: Tick,
) -> Result<(), StoreError> {
    transaction(connection, Patience::Short, |connection| {
        lock(connection, source)?;
        write_files(connection, source.id, std::slice::from_ref(file), tick)?;
        gap.map_or(Ok(()), |gap| write_gap(connection, source.id, gap, tick))
    })
}

/// Notes that an earlier file, read as if it were the one at the path, is read up to a place,
/// without anything to store.
///
/// # Errors
/// [`StoreError::Overtaken`] when another run has read it meanwhile.
pub fn move_to(
    connection: &mut PgConnection,
    reading: &Source,
    place: &Place,
) -> Result<(), StoreError> {
    let byte_offset = reading.place.map_or(0, |place| place.byte_offset);
    let statement = diesel::sql_query(
        "update generations
         set byte_offset = $4, head_hash = $5, marker_hash = $6, begin_hash = $7
         where source_id = $1 and generation = $2 and byte_offset = $3",
    )
    .bind::<BigInt, _>(reading.id.0)
    .bind::<BigInt, _>(reading.generation)
    .bind::<BigInt, _>(to_bigint(byte_offset))
    .bind::<BigInt, _>(to_bigint(place.byte_offset))
    .bind::<BigInt, _>(to_bigint(place.head_hash))
    .bind::<BigInt, _>(to_bigint(place.marker_hash))
    .bind::<BigInt, _>(to_bigint(place.begin_hash));
    let moved = execute_alone(connection, statement)?;
    if moved == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}

/// Locks the row of a source if it is as this run knows it.
fn lock(connection: &mut PgConnection, source: &Source) -> Result<(), StoreError> {
    let byte_offset = source.place.map_or(0, |place| place.byte_offset);
    let found = diesel::sql_query(
        "select from ingest_state
         where source_id = $1 and generation = $2 and byte_offset = $3 and line_no = $4
         for update",
    )
    .bind::<BigInt, _>(source.id.0)
    .bind::<BigInt, _>(source.generation)
    .bind::<BigInt, _>(to_bigint(byte_offset))
    .bind::<BigInt, _>(source.line_no)
    .execute(connection)?;
    if found == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}

fn forget(
    connection: &mut PgConnection,
    source: SourceId,
    numbers: &[i64],
) -> Result<(), StoreError> {
    if numbers.is_empty() {
        return Ok(());
    }
    diesel::sql_query("delete from generations where source_id = $1 and generation = any ($2)")
        .bind::<BigInt, _>(source.0)
        .bind::<Array<BigInt>, _>(numbers)
        .execute(connection)?;
    Ok(())
}

fn write_files(
    connection: &mut PgConnection,
    source: SourceId,
    files: &[Generation],
    tick: Tick,
) -> Result<(), StoreError> {
    if files.is_empty() {
        return Ok(());
    }
    let number = |value: fn(&Generation) -> u64| -> Vec<i64> {
        files.iter().map(|file| to_bigint(value(file))).collect()
    };
    diesel::sql_query(include_str!("write_files.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Timestamptz, _>(tick.0)
        .bind::<Array<BigInt>, _>(files.iter().map(|file| file.number).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(number(|file| file.place.identity.device))
        .bind::<Array<BigInt>, _>(number(|file| file.place.identity.inode))
        .bind::<Array<BigInt>, _>(number(|file| file.place.byte_offset))
        .bind::<Array<BigInt>, _>(number(|file| file.place.head_hash))
        .bind::<Array<BigInt>, _>(number(|file| file.place.marker_hash))
        .bind::<Array<BigInt>, _>(number(|file| file.place.begin_hash))
        .bind::<Array<BigInt>, _>(number(|file| file.size_bytes))
        .bind::<Array<BigInt>, _>(number(|file| file.file_hash.unwrap_or(0)))
        .bind::<Array<Bool>, _>(
            files.iter().map(|file| file.file_hash.is_some()).collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(files.iter().map(|file| file.state.as_str()).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(())
}

pub(super) fn write_gap(
    connection: &mut PgConnection,
    source: SourceId,
    gap: &Gap,
    tick: Tick,
) -> Result<(), StoreError> {
    diesel::sql_query(
        "insert into ingest_gaps (source_id, generation, byte_offset, lost_bytes, reason,
                                  detected_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<BigInt, _>(gap.generation)
    .bind::<BigInt, _>(to_bigint(gap.byte_offset))
    .bind::<Nullable<BigInt>, _>(gap.lost_bytes.map(to_bigint))
    .bind::<Text, _>(&gap.reason)
    .bind::<Timestamptz, _>(tick.0)
    .execute(connection)?;
    // Rules about blindness are to look at it.
    diesel::sql_query(
        "update ingest_state set counted = counted + tstzmultirange(tstzrange($2, $2, '[]'))
         where source_id = $1
           and exists (select from alert_rules where kind = 'blind' and retired_at is null)",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Timestamptz, _>(tick.0)
    .execute(connection)?;
    Ok(())
}
