//! The database is down, refuses, or is not what it should be.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use expect_test::expect;

use crate::said;
use crate::support::program::{Ran, Setup, ran};

/// A log with one error, which is not stored.
fn setup() -> Setup {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n");
    setup
}

fn run_on(setup: &Setup, url: &str) -> Ran {
    let mut command = setup.command(["run".as_ref(), setup.log().as_os_str()]);
    ran(command.env("TRIPLINE_DATABASE_URL", url))
}

/// A role that is dropped with this value, and all its rights.
struct Role<'a> {
    setup: &'a Setup,
    name: String,
}

impl<'a> Role<'a> {
    fn new(setup: &'a Setup) -> Self {
        let name = setup.database.name.replace("tripline_test_", "tripline_role_");
        execute(setup, &format!("create role {name}"));
        Self { setup, name }
    }

    /// The URL of the database, as this role once it is connected.
    fn url(&self) -> String {
        let url = self.setup.database.url();
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}options=-c%20role%3D{}", self.name)
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let name = &self.name;
        execute(self.setup, &format!("drop owned by {name}; drop role {name}"));
    }
}

fn execute(setup: &Setup, statements: &str) {
    setup.database.connect().batch_execute(statements).unwrap();
}

/// After the cure, the next run does what this one could not.
#[track_caller]
fn expect_cured(setup: &Setup) {
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one"]);
}

#[test]
fn a_server_that_is_down() {
    let setup = setup();
    let run = run_on(&setup, "postgresql:///logs?host=/nowhere");
    expect![[r#"
            tripline: error: cannot connect to the database (given by TRIPLINE_DATABASE_URL): connection to server on socket "/nowhere/.s.PGSQL.5432" failed: No such file or directory
            tripline: hint: is the server up, and may this user connect? The place in each log is kept; the next run goes on there
        "#]].assert_eq(&said(&setup, &run, 1));
    // A port on which nobody listens: it was ours a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = run_on(&setup, &format!("postgresql://127.0.0.1:{port}/logs"));
    let said = run.expect_failure(1).replace(&port.to_string(), "PORT");
    expect![[r#"
        tripline: error: cannot connect to the database (given by TRIPLINE_DATABASE_URL): connection to server at "127.0.0.1", port PORT failed: Connection refused
        tripline: hint: is the server up, and may this user connect? The place in each log is kept; the next run goes on there
    "#]].assert_eq(&said);
    expect_cured(&setup);
}

/// A server that asks for the password and refuses it, whatever it is. Returns its port.
fn refusing_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let message = |stream: &mut std::net::TcpStream, has_type: bool| {
                let mut head = [0; 5];
                let head = &mut head[usize::from(!has_type)..];
                stream.read_exact(head).ok()?;
                let length = u32::from_be_bytes(head[head.len() - 4..].try_into().unwrap());
                let mut body = vec![0; length as usize - 4];
                stream.read_exact(&mut body).ok()?;
                Some(body)
            };
            // A request for encryption is the short one.
            while message(&mut stream, false).is_some_and(|body| body.len() == 4) {
                stream.write_all(b"N").unwrap();
            }
            // It asks for the password in clear text, and says what it thinks of it.
            stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]).unwrap();
            message(&mut stream, true);
            let refusal =
                b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"ann\"\0\0";
            let length = u32::try_from(refusal.len() + 4).unwrap();
            stream.write_all(b"E").unwrap();
            stream.write_all(&length.to_be_bytes()).unwrap();
            stream.write_all(refusal).unwrap();
        }
    });
    port
}

#[test]
fn a_wrong_password() {
    let setup = setup();
    let port = refusing_server();
    let run = run_on(&setup, &format!("postgresql://ann:Xy7-Kq9@127.0.0.1:{port}/logs"));
    let said = run.expect_failure(1).replace(&port.to_string(), "PORT");
    expect![[r#"
        tripline: error: cannot connect to the database (given by TRIPLINE_DATABASE_URL): connection to server at "127.0.0.1", port PORT failed: FATAL:  password authentication failed for user "ann"
        tripline: hint: is the server up, and may this user connect? The place in each log is kept; the next run goes on there
    "#]].assert_eq(&said);
}

#[test]
fn no_part_of_a_password_is_ever_said() {
    let setup = setup();
    let port = refusing_server();
    // An @ or / that is not escaped makes the client library take the rest for the host.
    for url in [
        format!("postgresql://ann:Xy7@Kq9@127.0.0.1:{port}/logs"),
        format!("postgresql://ann:Xy7/Kq9@127.0.0.1:{port}/logs"),
        format!("postgresql://ann:Xy7%Kq9@127.0.0.1:{port}/logs"),
        format!("postgresql://ann:Xy7Kq9@127.0.0.1:{port}/logs?sslmode=Kq9"),
        format!("host=127.0.0.1 port={port} user=ann password='Xy7 Kq9 dbname=logs"),
        format!("host=127.0.0.1 port={port} user=ann password=Xy7Kq9 nonsense"),
    ] {
        let arguments = ["-vv", "run", "--database-url", &url, "app.log"];
        let mut command = setup.command(arguments);
        let run = ran(command.env("RUST_LOG", "trace"));
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains("cannot connect"), "{run:?}");
        assert!(run.stderr.contains("given by --database-url"), "{run:?}");
        for part in ["Xy7", "Kq9"] {
            assert!(!run.stdout.contains(part) && !run.stderr.contains(part), "{url}: {run:?}");
        }
    }
}

#[test]
fn a_database_that_does_not_exist_or_is_not_open() {
    let setup = setup();
    let name = &setup.database.name;
    let url = setup.database.url().replace(name, &format!("{name}_x"));
    let run = run_on(&setup, &url);
    let said = run.expect_failure(1);
    let from = said.find("FATAL:").unwrap();
    expect![[r#"
        FATAL:  database "DATABASE_x" does not exist
        tripline: hint: is the server up, and may this user connect? The place in each log is kept; the next run goes on there
    "#]].assert_eq(&said[from..].replace(name, "DATABASE"));
}

#[test]
fn a_role_without_rights() {
    let setup = setup();
    let role = Role::new(&setup);
    expect![[r#"
            tripline: error: database: permission denied for table __diesel_schema_migrations
            tripline: hint: connect as the role that owns tripline's tables, or grant that role to this one
        "#]].assert_eq(&said(&setup, &run_on(&setup, &role.url()), 1));
    // One that may read and write, but not make partitions.
    execute(
        &setup,
        &format!(
            "grant select, insert, update, delete on all tables in schema public to {}",
            role.name
        ),
    );
    expect![[r#"
            tripline: error: database: permission denied for schema public
            tripline: hint: connect as the role that owns tripline's tables, or grant that role to this one
        "#]].assert_eq(&said(&setup, &run_on(&setup, &role.url()), 1));
    drop(role);
    expect_cured(&setup);
}

/// Takes the schema away, so that the database is empty.
fn make_empty(setup: &Setup) {
    execute(
        setup,
        "drop schema public cascade; create schema public; grant usage on schema public to public",
    );
}

#[test]
fn a_role_that_may_not_make_the_extension() {
    let setup = setup();
    make_empty(&setup);
    let role = Role::new(&setup);
    expect![[r#"
            tripline: error: cannot migrate the database: permission denied for schema public
            tripline: hint: run tripline migrate once as a role that may create tables in the schema and the extension btree_gist in the database
        "#]].assert_eq(&said(&setup, &run_on(&setup, &role.url()), 1));
    execute(&setup, &format!("grant create on schema public to {}", role.name));
    expect![[r#"
            tripline: error: cannot migrate the database: Failed to run 2026-11-22-000001_tables with: permission denied to create extension "btree_gist"
            tripline: hint: run tripline migrate once as a role that may create tables in the schema and the extension btree_gist in the database
        "#]].assert_eq(&said(&setup, &run_on(&setup, &role.url()), 1));
    // With the extension there, that role can do the rest.
    execute(&setup, "create extension btree_gist");
    run_on(&setup, &role.url()).expect_silence();
    assert_eq!(setup.entries(), ["ERROR one"]);
}

#[test]
fn an_empty_database_is_migrated_by_the_first_runs_at_once() {
    let setup = setup();
    make_empty(&setup);
    let children: Vec<_> = (0..4)
        .map(|number| {
            let mut command = setup.command(["run".as_ref(), setup.log().as_os_str()]);
            command.env("TRIPLINE_STATE_DIR", setup.path(&format!("state-{number}")));
            command.stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(matches!(output.status.code(), Some(0 | 75)), "{output:?}");
    }
    expect_cured(&setup);
}

#[test]
fn a_database_that_takes_no_changes() {
    let setup = setup();
    let name = &setup.database.name;
    execute(&setup, &format!("alter database {name} set default_transaction_read_only = on"));
    expect![[r#"
            tripline: error: database: cannot execute INSERT in a read-only transaction
            tripline: hint: the database takes no changes: is it a standby, or is default_transaction_read_only set? Name one that tripline can write to
        "#]].assert_eq(&said(&setup, &run_on(&setup, setup.database.url()), 1));
    execute(
        &setup,
        &format!(
            "begin read write;
             alter database {name} reset default_transaction_read_only;
             commit"
        ),
    );
    expect_cured(&setup);
}

#[test]
fn a_database_of_something_else() {
    let setup = setup();
    make_empty(&setup);
    execute(&setup, "create table orders (id bigint)");
    expect![[r#"
        tripline: error: the database (given by TRIPLINE_DATABASE_URL) holds tables of something else and none of tripline's; if it is the right one, run: tripline migrate
    "#]].assert_eq(&said(&setup, &run_on(&setup, setup.database.url()), 1));
    let tables = "select string_agg(relname, ' ') as value from pg_class
                  where relkind = 'r' and relnamespace = 'public'::regnamespace";
    assert_eq!(setup.value(tables), "orders", "nothing was made");
    // Whoever says that it is the right one gets what he asks for.
    let migrate = setup.run(["migrate"]);
    assert_eq!((migrate.code, migrate.stderr.as_str()), (Some(0), ""));
    expect_cured(&setup);
}

#[test]
fn an_older_schema_names_the_command_that_helps() {
    let setup = setup();
    let views = "drop view alert_episodes; drop view threshold_hot;
         delete from __diesel_schema_migrations where version = '20261122000002'";
    execute(&setup, views);
    for command in ["run", "ingest"] {
        let run = setup.run([command.as_ref(), setup.log().as_os_str()]);
        expect![[r#"
            tripline: error: the database (given by TRIPLINE_DATABASE_URL) has an older schema; run: tripline migrate
        "#]].assert_eq(&said(&setup, &run, 1));
    }
    let migrate = setup.run(["migrate"]);
    expect![[r#"
        applied 20261122000002
    "#]]
    .assert_eq(&migrate.stdout);
    assert_eq!((migrate.code, migrate.stderr.as_str()), (Some(0), ""));
    expect_cured(&setup);
}

#[test]
fn a_newer_schema_is_refused() {
    let setup = setup();
    let newer = "insert into __diesel_schema_migrations (version) values ('20991231000001')";
    execute(&setup, newer);
    let run = run_on(&setup, setup.database.url());
    expect![[r#"
        tripline: error: the database was migrated to version 20991231000001 by a newer tripline; this is 0.1.0: install the newer one here as well
    "#]].assert_eq(&said(&setup, &run, 1));
    expect![[r#"
        tripline: error: the database is at version 20991231000001, which is newer than this tripline (0.1.0): install the newer one
    "#]].assert_eq(&said(&setup, &setup.run(["migrate"]), 1));
    execute(&setup, "delete from __diesel_schema_migrations where version = '20991231000001'");
    expect_cured(&setup);
}

#[test]
fn a_damaged_database_is_told_and_not_made_worse() {
    let setup = setup();
    diesel::sql_query("drop table ingest_gaps cascade")
        .execute(&mut setup.database.connect())
        .unwrap();
    expect![[r#"
        tripline: error: database: relation "ingest_gaps" does not exist
    "#]]
    .assert_eq(&said(&setup, &setup.run(["status"]), 1));
}
