//! What a run with nothing to do asks of the database: most runs are such, on every host.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::os::unix::fs::MetadataExt;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use expect_test::expect;
use support::program::{Setup, ran};
use support::proxy::Proxy;

const LINE: &str = "2026-01-15 11:00:00 [ERROR] one\n";

/// What a run with nothing to do sends to the database.
#[track_caller]
fn idle_run(setup: &Setup) -> Vec<String> {
    let proxy = Proxy::new(setup.database.url());
    let mut run = setup.command(["run"]);
    run.env("TRIPLINE_DATABASE_URL", proxy.url(setup.database.url()));
    ran(&mut run).expect_silence();
    let read = "select sources || ' sources, ' || bytes || ' bytes' as value from runs
                order by id desc limit 1";
    assert!(setup.value(read).ends_with(" sources, 0 bytes"), "something was read");
    proxy.points()
}

/// A config that reads these paths, and whose rules never fire.
fn configure(setup: &Setup, paths: &str) {
    setup.config(&format!(
        "[[source]]\npaths = [\"LOGS/{paths}\"]\n\
         [[rule]]\nname = \"many\"\nkind = \"threshold\"\ncount = 100000\nwithin = \"1m\"\n"
    ));
}

#[test]
fn a_tick_with_nothing_new_asks_little() {
    let setup = Setup::new();
    for name in ["one.log", "two.log", "three.log"] {
        setup.write(name, "2026-01-15 11:00:00 [FATAL] one\n");
    }
    setup.config("[[source]]\npaths = [\"LOGS/*.log\"]");
    assert_eq!(setup.run(["run"]).code, Some(0));
    let points = idle_run(&setup);
    // The first two are of diesel itself. No statement is for one log, and each is in a
    // transaction, so that none waits for ever for somebody's lock.
    expect![[r#"
        SET TIME ZONE 'UTC'
        SET CLIENT_ENCODING TO 'UTF8'
        -- What every transaction begins with; how long a statement may take f
        select version from __diesel_schema_migrations order by version
        -- The rules in use of host $1, as the config writes them. select json
        -- All sources of the host $1 with the state of their reading. select 
        COMMIT
        -- What every transaction begins with; how long a statement may take f
        -- Sources of host $1, or of every host, that have something to evalua
        select exists ( select from notifications where host = $1 and (next_at
        COMMIT
        -- What every transaction begins with; how long a statement may take f
        INSERT INTO "runs" ("host", "command", "version", "started_at", "durat
        COMMIT
    "#]]
    .assert_eq(&(points.join("\n") + "\n"));
}

/// Reads so many logs, and returns what a run over them asks afterwards.
fn asked_over_logs(count: usize) -> Vec<String> {
    let setup = Setup::new();
    for number in 0..count {
        setup.write(&format!("{number}.log"), LINE);
    }
    configure(&setup, "*.log");
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.counts(), format!("error {count}"));
    idle_run(&setup)
}

#[test]
fn many_logs_are_asked_for_as_few_are() {
    assert_eq!(asked_over_logs(300), asked_over_logs(10));
}

/// Reads a log with so many rotated files, which the paths name too.
fn asked_over_rotated_files(count: usize) -> Vec<String> {
    let setup = Setup::new();
    for number in 1..=count {
        setup.write(&format!("app.log.{number}"), LINE.replace("one", &format!("no {number}")));
    }
    setup.write("app.log", LINE);
    configure(&setup, "app.log*");
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.counts(), format!("error {}", count + 1));
    idle_run(&setup)
}

#[test]
fn many_rotated_files_are_asked_for_as_few_are() {
    let few = asked_over_rotated_files(10);
    assert_eq!(asked_over_rotated_files(300), few);
    // Which of them are unfinished, and which of the paths are known.
    let of_files = few.iter().filter(|point| point.contains("from generations"));
    assert_eq!(of_files.count(), 2, "{few:?}");
}

/// Reads so many logs, each with a rotated file in which nothing is.
fn asked_over_empty_files(count: usize) -> Vec<String> {
    let setup = Setup::new();
    for number in 0..count {
        setup.write(&format!("log{number}.log.1"), "");
        setup.write(&format!("log{number}.log"), LINE);
    }
    configure(&setup, "*.log*");
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.counts(), format!("error {count}"));
    idle_run(&setup)
}

#[test]
fn empty_files_are_not_asked_for() {
    assert_eq!(asked_over_empty_files(30), asked_over_empty_files(3));
}

/// Makes copies of the only log under other names, and of what is known of it: reading so many
/// takes minutes.
fn copy_the_log(setup: &Setup, count: usize) {
    let log = setup.log().metadata().unwrap();
    let mut paths = Vec::new();
    let mut inodes = Vec::new();
    for number in 0..count {
        let path = setup.path(&format!("{number}.log"));
        std::fs::copy(setup.log(), &path).unwrap();
        let metadata = path.metadata().unwrap();
        assert_eq!((metadata.dev(), metadata.len()), (log.dev(), log.len()));
        inodes.push(metadata.ino().cast_signed());
        paths.push(path.to_str().unwrap().to_owned());
    }
    let statement = "
        with copy as (
            select * from unnest($1, $2) as copy (path, inode)
        ),
        source as (
            insert into sources (host, path, name, format, timezone, first_seen_at)
            select host, copy.path, copy.path, format, timezone, first_seen_at
            from sources, copy
            returning id, path
        )
        insert into ingest_state (source_id, generation, device, inode, byte_offset, head_hash,
            marker_hash, begin_hash, size_bytes, line_no, parsed_lines, archives_noted)
        select source.id, generation, device, copy.inode, byte_offset, head_hash,
            marker_hash, begin_hash, size_bytes, line_no, parsed_lines, archives_noted
        from ingest_state, source
        join copy on copy.path = source.path";
    diesel::sql_query(statement)
        .bind::<Array<Text>, _>(paths)
        .bind::<Array<BigInt>, _>(inodes)
        .execute(&mut setup.database.connect())
        .unwrap();
}

#[test]
fn a_glob_over_ten_thousand_files_asks_no_more() {
    let setup = Setup::new();
    setup.write("app.log", LINE);
    configure(&setup, "*.log");
    setup.run(["run"]).expect_silence();
    let one = idle_run(&setup);
    copy_the_log(&setup, 10_000);
    assert_eq!(idle_run(&setup), one);
    let sources = "select sources::text as value from runs order by id desc limit 1";
    assert_eq!(setup.value(sources), "10001");
    // All of them are watched.
    setup.append("7777.log", LINE.replace("one", "two"));
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.entries(), ["ERROR two", "ERROR one"]);
}

/// How often the views are asked in a run over so many logs, each with a new line.
fn asked_of_views(logs: usize) -> usize {
    let setup = Setup::new();
    let names: Vec<String> = (0..logs).map(|number| format!("{number}.log")).collect();
    for name in &names {
        setup.write(name, LINE);
    }
    configure(&setup, "*.log");
    setup.run(["run"]).expect_silence();
    for name in &names {
        setup.append(name, LINE);
    }
    let proxy = Proxy::new(setup.database.url());
    let mut run = setup.command(["run"]);
    run.env("TRIPLINE_DATABASE_URL", proxy.url(setup.database.url()));
    ran(&mut run).expect_silence();
    assert_eq!(setup.counts(), format!("error {}", 2 * logs));
    let points = proxy.points();
    let of_episodes = points.iter().filter(|point| point.contains("What holds of the sources"));
    assert_eq!(
        setup.value("select sum((dirty <> '{}')::int)::text as value from ingest_state"),
        "0"
    );
    of_episodes.count()
}

#[test]
fn logs_with_few_new_lines_are_judged_together() {
    assert_eq!(asked_of_views(1), 1);
    assert_eq!(asked_of_views(8), 1);
}
