//! The databases that other tests get: each its own, gone afterwards.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::env;
use std::process::{Command, Stdio};

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use support::TestDatabase;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn databases_named(connection: &mut PgConnection, name: &str) -> i64 {
    let count: Count = diesel::sql_query("select count(*) from pg_database where datname = $1")
        .bind::<Text, _>(name)
        .get_result(connection)
        .unwrap();
    count.count
}

fn name_in(url: &str) -> String {
    let path = url.split('?').next().unwrap();
    path.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn each_test_has_a_database_of_its_own() {
    let (one, other) = (TestDatabase::new(), TestDatabase::new());
    assert_ne!(one.url(), other.url());
    for database in [&one, &other] {
        diesel::sql_query("create table once (id int)").execute(&mut database.connect()).unwrap();
    }
}

#[test]
fn database_is_dropped_even_if_a_connection_stays() {
    let watcher = TestDatabase::new();
    let database = TestDatabase::new();
    let name = name_in(database.url());
    let _stays = database.connect();
    assert_eq!(databases_named(&mut watcher.connect(), &name), 1);
    drop(database);
    assert_eq!(databases_named(&mut watcher.connect(), &name), 0);
}

#[test]
fn database_of_a_killed_test_is_swept_and_that_of_a_living_one_is_not() {
    let living = TestDatabase::new();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed_with_a_database", "--nocapture"])
        .env("TRIPLINE_TEST_KILLED", "1")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(!output.status.success(), "the child was to be killed");
    let printed = String::from_utf8(output.stdout).unwrap();
    let name = printed.split_whitespace().find(|word| word.starts_with("tripline_test_")).unwrap();

    let mut connection = living.connect();
    support::sweep_until_gone(name);
    assert_eq!(databases_named(&mut connection, name), 0);
    assert_eq!(databases_named(&mut connection, &name_in(living.url())), 1);
}

/// Not a test of its own: the part of the one above that runs in another process.
#[test]
fn killed_with_a_database() {
    if env::var_os("TRIPLINE_TEST_KILLED").is_none() {
        return;
    }
    let database = TestDatabase::new();
    println!(" {} ", name_in(database.url()));
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
    unreachable!("this process was killed");
}
