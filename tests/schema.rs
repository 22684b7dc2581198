//! Guards over the schema: what the migrations must hold to, asked from the catalogue.
//!
//! Each guard is a query for what breaks a rule. A second test plants one thing of each sort
//! and sees it found, so that no guard passes because it looks at nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use expect_test::{expect, expect_file};
use support::TestDatabase;

/// The rules, each with a query for the names of what breaks it.
///
/// `ours` is every relation that the migrations make: no extension's, not diesel's own, and no
/// partition, which has everything from its parent.
const GUARDS: &[(&str, &str)] = &[
    (
        "a table or view has a comment",
        "select relname from ours where obj_description(oid, 'pg_class') is null",
    ),
    (
        "a column has a comment",
        "select relname || '.' || attname
         from ours join pg_attribute on attrelid = oid and attnum > 0 and not attisdropped
         where col_description(oid, attnum) is null",
    ),
    (
        "an enum, domain or other type has a comment",
        "select typname from pg_type
         where typnamespace = 'public'::regnamespace and typtype in ('e', 'd', 'r')
           and obj_description(oid, 'pg_type') is null
           and not exists (select from pg_depend where objid = pg_type.oid and deptype = 'e')",
    ),
    (
        "a constraint is named for what must hold, not by PostgreSQL",
        "select relname || ': ' || conname from ours join pg_constraint on conrelid = ours.oid
         where contype in ('c', 'f', 'u', 'x')
           and starts_with(conname, left(relname, 20)) and conname ~ '_(check|excl|fkey|key)[0-9]*$'",
    ),
    (
        "a table has a primary key",
        "select relname from ours where relkind <> 'v'
           and not exists (select from pg_index where indrelid = oid and indisprimary)",
    ),
    (
        "source_id comes first in every key of a per-source table",
        "select relname || ': ' || indexrelid::regclass::text
         from ours
         join pg_attribute on attrelid = oid and attname = 'source_id'
         join pg_index on indrelid = oid and (indisunique or indisexclusion)
         where relname not in ('notifications', 'runs', 'silences') and indkey[0] <> attnum",
    ),
    (
        "a foreign key has an index that begins with its columns",
        "select relname || ': ' || conname from ours join pg_constraint on conrelid = ours.oid
         where contype = 'f' and not exists (
             select from pg_index
             where indrelid = ours.oid
               and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey
               -- Rows without a value refer to nothing, so the index may leave them out.
               and (indpred is null or pg_get_expr(indpred, indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
         )",
    ),
    (
        "only an exclusion constraint has a GiST index (see the migration live_alerts)",
        "select indexrelid::regclass::text
         from ours
         join pg_index on indrelid = ours.oid and not indisexclusion
         join pg_class gist on gist.oid = indexrelid
         join pg_am on pg_am.oid = gist.relam and amname = 'gist'",
    ),
    (
        "an id is a bigint",
        "select relname || '.' || attname
         from ours join pg_attribute on attrelid = oid and attnum > 0 and not attisdropped
         where attname ~ '(^|_)id$' and atttypid <> 'bigint'::regtype",
    ),
    (
        "no view asks for the time",
        "select relname from ours where relkind in ('v', 'm')
           and pg_get_viewdef(oid) ~* '\\m(now|clock_timestamp|current_|localtime|statement_timestamp)'",
    ),
    (
        "no default asks for the time",
        "select relname || '.' || attname
         from ours join pg_attribute on attrelid = oid
         join pg_attrdef on adrelid = attrelid and adnum = attnum
         where pg_get_expr(adbin, adrelid) ~* '\\m(now|clock_timestamp|current_|localtime|statement_timestamp)'",
    ),
    ("there is no trigger", "select tgname::text from pg_trigger where not tgisinternal"),
    (
        "there is no function",
        "select proname::text from pg_proc
         where pronamespace = 'public'::regnamespace
           and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')",
    ),
    (
        "there is no view that is filled, and no foreign or unlogged table",
        "select relname from ours where relkind in ('m', 'f') or relpersistence <> 'p'",
    ),
];

/// Something of each sort that the guards must find.
const OFFENCES: &str = "
    create type mood as enum ('good', 'bad');
    create table offence (source_id bigint, other_id integer unique, alert_id bigint);
    alter table offence add foreign key (source_id) references sources (id);
    alter table offence add check (other_id > 0);
    create index loose on offence using gist (alert_id);
    create unlogged table hasty (id bigint primary key);
    comment on table hasty is 'Is gone after a crash.';
    comment on column hasty.id is 'Number.';
    create materialized view stale as select 1 as one;
    comment on materialized view stale is 'Is old.';
    comment on column stale.one is 'One.';
    create view lately as select now() as at;
    comment on view lately is 'Changes by itself.';
    comment on column lately.at is 'Now.';
    alter table hasty add born_at timestamptz default current_timestamp;
    comment on column hasty.born_at is 'When.';
    create function meddle() returns trigger language plpgsql as 'begin return new; end';
    create trigger meddling before insert on offence for each row execute function meddle();";

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

fn values(connection: &mut PgConnection, query: &str) -> Vec<String> {
    let rows: Vec<Value> = diesel::sql_query(query).load(connection).unwrap();
    rows.into_iter().map(|row| row.value).collect()
}

/// What breaks the rules, one line each.
fn offences(connection: &mut PgConnection) -> String {
    let mut found = String::new();
    for (rule, query) in GUARDS {
        let query = format!(
            "with ours as (
                 select oid, relname::text, relkind, relpersistence from pg_class
                 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
                   and not relispartition and relname <> '__diesel_schema_migrations'
                   and not exists (
                       select from pg_depend where objid = pg_class.oid and deptype = 'e'
                   )
             )
             select name::text as value from ({query}) as offence (name) order by 1"
        );
        for name in values(connection, &query) {
            writeln!(found, "{rule}: {name}").unwrap();
        }
    }
    found
}

#[test]
fn the_schema_keeps_the_rules() {
    assert_eq!(offences(&mut TestDatabase::new().connect()), "");
}

#[test]
fn every_guard_finds_what_breaks_its_rule() {
    let database = TestDatabase::new();
    let mut connection = database.connect();
    connection.batch_execute(OFFENCES).unwrap();
    let found = offences(&mut connection);
    for (rule, _) in GUARDS {
        assert!(found.contains(rule), "nothing was planted that breaks: {rule}");
    }
    expect![[r#"
        a table or view has a comment: offence
        a column has a comment: offence.alert_id
        a column has a comment: offence.other_id
        a column has a comment: offence.source_id
        an enum, domain or other type has a comment: mood
        a constraint is named for what must hold, not by PostgreSQL: offence: offence_other_id_check
        a constraint is named for what must hold, not by PostgreSQL: offence: offence_other_id_key
        a constraint is named for what must hold, not by PostgreSQL: offence: offence_source_id_fkey
        a table has a primary key: offence
        a table has a primary key: stale
        source_id comes first in every key of a per-source table: offence: offence_other_id_key
        a foreign key has an index that begins with its columns: offence: offence_source_id_fkey
        only an exclusion constraint has a GiST index (see the migration live_alerts): loose
        an id is a bigint: offence.other_id
        no view asks for the time: lately
        no default asks for the time: hasty.born_at
        there is no trigger: meddling
        there is no function: meddle
        there is no view that is filled, and no foreign or unlogged table: hasty
        there is no view that is filled, and no foreign or unlogged table: stale
    "#]]
    .assert_eq(&found);
}

/// What `pg_dump` says about the schema of a database.
fn dump(database: &TestDatabase) -> String {
    let output = Command::new(pg_dump(&mut database.connect()))
        .args(["--schema-only", "--no-owner", "--no-privileges"])
        .arg("--exclude-table=__diesel_schema_migrations")
        .arg(format!("--dbname={}", database.url()))
        .output()
        .expect("run pg_dump");
    assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
    normalised(&String::from_utf8(output.stdout).unwrap())
}

/// The `pg_dump` of the server itself; of a server elsewhere, the one in `PATH`.
fn pg_dump(connection: &mut PgConnection) -> PathBuf {
    let folder = "select setting as value from pg_config where name = 'BINDIR'";
    let folder: Result<Value, _> = diesel::sql_query(folder).get_result(connection);
    match folder.map(|folder| Path::new(&folder.value).join("pg_dump")) {
        Ok(program) if program.exists() => program,
        _ => PathBuf::from("pg_dump"),
    }
}

/// Without what differs between the versions of PostgreSQL or says nothing: comment lines,
/// settings, commands of psql, generated names of `not null` (since 18), empty lines in a row.
fn normalised(dump: &str) -> String {
    let noise = ["--", "SET ", "SELECT pg_catalog.set_config", "\\restrict", "\\unrestrict"];
    let mut statements = String::new();
    for line in dump.lines() {
        let is_second_empty = line.is_empty() && statements.ends_with("\n\n");
        if !is_second_empty && !noise.iter().any(|noise| line.starts_with(noise)) {
            statements.push_str(&without_name_of_not_null(line));
            statements.push('\n');
        }
    }
    statements.trim().to_owned() + "\n"
}

fn without_name_of_not_null(column: &str) -> String {
    let (definition, comma) = column.strip_suffix(',').map_or((column, ""), |rest| (rest, ","));
    match definition.split_once(" CONSTRAINT ") {
        Some((head, name)) if name.ends_with("_not_null NOT NULL") => {
            format!("{head} NOT NULL{comma}")
        }
        _ => column.to_owned(),
    }
}

/// What stands at the beginning of the reviewed schema.
const HEAD: &str = "\
-- The schema after all migrations, as pg_dump words it, for review.
-- tests/schema.rs compares it, and writes it anew: UPDATE_EXPECT=1 cargo test --test schema
-- What the versions of PostgreSQL word differently is left out; 15 and 18 give this same text.

";

#[test]
fn the_schema_is_the_reviewed_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schema/schema.sql");
    let dump = dump(&TestDatabase::new());
    assert!(dump.lines().count() > 100, "an empty dump: {dump}");
    expect_file![file].assert_eq(&(HEAD.to_owned() + &dump));
}

#[test]
fn migrations_go_down_and_up_again() {
    let database = TestDatabase::new();
    let before = dump(&database);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let migrations = FileBasedMigrations::from_path(folder).unwrap();
    let mut connection = database.connect();

    let reverted = connection.revert_all_migrations(migrations.clone()).unwrap().len();
    assert!(reverted > 0);
    assert_eq!(dump(&database), "\n", "the migrations leave something behind");

    let applied = connection.run_pending_migrations(migrations).unwrap().len();
    assert_eq!(applied, reverted);
    assert_eq!(dump(&database), before);
}

#[test]
fn every_migration_can_be_reverted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut migrations = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for name in ["up.sql", "down.sql"] {
                let sql = fs::read_to_string(path.join(name)).unwrap_or_default();
                assert!(sql.contains(';'), "{}/{name} holds no statement", path.display());
            }
            migrations += 1;
        }
    }
    assert!(migrations > 0);
}
