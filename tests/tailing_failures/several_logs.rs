//! Logs that might be taken for each other: globs, links, equal names.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::program::Setup;
use crate::{expect_all, gzip, gzipped, lines};

/// File name of each source with the number of its lines, in the order of the paths.
fn sources(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select concat_ws(' ', regexp_replace(path, '.*/', ''), line_no) as value
         from sources join ingest_state on source_id = id order by path",
    )
}

const GLOB: &str = "[[source]]\npaths = [\"LOGS/app*\"]\nexclude = [\"*.toml\"]";

#[test]
fn fluent_bit_8025_a_source_has_one_file_at_its_path() {
    let setup = crate::read_log(10);
    for rotation in 1..=5 {
        setup.rename("app.log", &format!("app.log-{rotation}"));
        setup.write("app.log", lines(10 * rotation, 10));
        setup.ingest();
    }
    expect_all(&setup, 60);
    assert_eq!(setup.value("select count(*)::text as value from ingest_state"), "1");
    // The schema takes no second one, and no second row for a file that was read.
    let keys = "select pg_get_constraintdef(oid) as value from pg_constraint
                where conname in ('ingest_state_pkey', 'generations_pkey') order by conname";
    let expected = ["PRIMARY KEY (source_id, generation)", "PRIMARY KEY (source_id)"];
    assert_eq!(setup.rows(keys), expected);
}

#[test]
fn logstash_input_file_225_a_file_that_was_left_takes_no_new_one() {
    // A row of a deleted file with the inode that a new log gets.
    let setup = crate::read_log(10);
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(10, 10));
    setup.ingest();
    setup.write("app.log.1", "");
    setup.rename("app.log.1", "new.log");
    setup.append("new.log", lines(0, 3));
    let new = setup.path("new.log");
    setup.twice(["ingest".as_ref(), new.as_os_str(), setup.log().as_os_str()]);
    assert_eq!(sources(&setup), ["app.log 20", "new.log 3"]);
}

#[test]
fn vector_17240_two_logs_change_their_names() {
    let setup = Setup::new();
    setup.config("[[source]]\npaths = [\"LOGS/*.log\"]");
    let texts = |name: &str, first: usize, count: usize| lines(first, count).replace("no", name);
    for name in ["one", "two"] {
        setup.write(&format!("{name}.log"), texts(name, 0, 50));
    }
    setup.twice(["ingest"]);
    setup.append("one.log", texts("one", 50, 5));
    setup.append("two.log", texts("two", 50, 7));
    setup.rename("one.log", "x");
    setup.rename("two.log", "one.log");
    setup.rename("x", "two.log");
    setup.run(["ingest"]);
    setup.twice(["ingest"]);
    let mut entries = setup.entries();
    entries.sort_unstable();
    entries.dedup();
    assert_eq!(entries.len(), 112);
    assert_eq!(setup.counts(), "error 112", "every line is read once");
}

#[test]
fn a_glob_that_reaches_rotated_files_reads_them_once() {
    let setup = Setup::new();
    setup.config(GLOB);
    // At first sight they are the beginning of the log.
    setup.write("app.log.2.gz", gzipped(lines(0, 5)));
    setup.write("app.log.1", lines(5, 5));
    setup.write("app.log", lines(10, 5));
    setup.twice(["ingest"]);
    expect_all(&setup, 15);
    let mut count = 15;
    for _ in 0..3 {
        for number in (2..=8).rev() {
            let name = format!("app.log.{number}.gz");
            if setup.path(&name).exists() {
                setup.rename(&name, &format!("app.log.{}.gz", number + 1));
            }
        }
        setup.rename("app.log.1", "app.log.2");
        gzip(&setup, "app.log.2");
        setup.append("app.log", lines(count, 2));
        setup.rename("app.log", "app.log.1");
        setup.write("app.log", lines(count + 2, 2));
        count += 4;
        setup.twice(["ingest"]);
        expect_all(&setup, count);
    }
    assert_eq!(sources(&setup), [format!("app.log {count}")]);
}

#[test]
fn a_log_that_only_looks_like_a_rotated_one_is_a_log_of_its_own() {
    let setup = Setup::new();
    setup.config(GLOB);
    setup.write("app.log", lines(0, 5));
    setup.twice(["ingest"]);
    // A daily log of something else, and a numbered one.
    setup.write("app-20260115.log", lines(100, 3));
    setup.write("app-1.log", lines(200, 2));
    setup.twice(["ingest"]);
    assert_eq!(sources(&setup), ["app-1.log 2", "app-20260115.log 3", "app.log 5"]);
    setup.append("app-20260115.log", lines(103, 3));
    setup.append("app-1.log", lines(202, 2));
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(5, 1));
    setup.twice(["ingest"]);
    assert_eq!(sources(&setup), ["app-1.log 4", "app-20260115.log 6", "app.log 6"]);
}

#[test]
fn files_that_come_and_go_under_a_glob() {
    let setup = Setup::new();
    setup.config(GLOB);
    setup.twice(["ingest"]);
    setup.write("app-one", lines(0, 3));
    setup.twice(["ingest"]);
    fs::remove_file(setup.path("app-one")).unwrap();
    setup.write("app-two", lines(100, 3));
    setup.twice(["ingest"]);
    setup.write("app-one", lines(3, 3));
    setup.run(["ingest"]);
    setup.twice(["ingest"]);
    assert_eq!(sources(&setup), ["app-one 6", "app-two 3"]);
}

#[test]
fn a_hard_link_that_comes_first_in_a_glob_is_not_read_again() {
    let setup = Setup::new();
    setup.config(GLOB);
    setup.write("app-b", lines(0, 5));
    setup.twice(["ingest"]);
    fs::hard_link(setup.path("app-b"), setup.path("app-a")).unwrap();
    setup.append("app-b", lines(5, 5));
    let run = setup.run(["ingest"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    assert!(run.stderr.contains("app-a is the same file as"), "{run:?}");
    setup.twice(["ingest"]);
    expect_all(&setup, 10);
}

#[test]
fn a_symlink_and_its_dated_target_are_one_log() {
    let setup = Setup::new();
    setup.config(GLOB);
    setup.write("app-20260114.log", lines(0, 3));
    symlink("app-20260114.log", setup.log()).unwrap();
    setup.twice(["ingest"]);
    setup.append("app-20260114.log", lines(3, 3));
    setup.write("app-20260115.log", lines(6, 3));
    fs::remove_file(setup.log()).unwrap();
    symlink("app-20260115.log", setup.log()).unwrap();
    setup.twice(["ingest"]);
    expect_all(&setup, 9);
    assert_eq!(sources(&setup), ["app.log 9"]);
}

#[test]
fn rsyslog_3758_a_thousand_logs_are_rotated_at_once() {
    const LOGS: usize = 1000;
    let setup = Setup::new();
    setup.config("[[source]]\npaths = [\"LOGS/log/*.log\"]");
    fs::create_dir(setup.path("log")).unwrap();
    let name = |log: usize| format!("log/{log:04}.log");
    for log in 0..LOGS {
        setup.write(&name(log), lines(0, 2));
    }
    setup.run(["ingest"]).expect_silence();
    for log in 0..LOGS {
        setup.append(&name(log), lines(2, 1));
        setup.rename(&name(log), &format!("{}.1", name(log)));
        setup.write(&name(log), lines(3, 2));
    }
    setup.run(["ingest"]).expect_silence();
    let read = "select count(*) || ' logs with ' || lines || ' lines, from 0 to ' || last as value
         from (
             select count(*) as lines, max(message) as last
             from (select source_id, message, lag(message) over log as before
                   from log_entries window log as (partition by source_id order by line_no)) entry
             where message > coalesce(before, '')
             group by source_id
         ) log
         group by lines, last";
    assert_eq!(setup.rows(read), [format!("{LOGS} logs with 5 lines, from 0 to no 4")]);
    assert_eq!(setup.gaps(), [""; 0]);
}

#[test]
fn vector_20045_a_rotated_file_that_cannot_be_read_is_told() {
    let setup = crate::read_log(10);
    setup.append("app.log", lines(10, 5));
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(15, 1));
    // Even root cannot open this one.
    let readable = setup.path("app.log.1").metadata().unwrap().permissions();
    fs::set_permissions(setup.path("app.log.1"), Permissions::from_mode(0o000)).unwrap();
    let mut program = setup.command(["ingest".as_ref(), setup.log().as_os_str()]);
    let run = crate::support::rights::ran_without_rights(&setup, &mut program);
    assert!(run.stderr.contains("app.log.1: Permission denied"), "{run:?}");
    assert_eq!(setup.entries().last().unwrap(), "ERROR no 15");
    // When it can be read, it is, at the next look.
    fs::set_permissions(setup.path("app.log.1"), readable).unwrap();
    setup.rename("app.log", "app.log.2");
    setup.write("app.log", lines(16, 1));
    setup.ingest();
    let mut entries = setup.entries();
    entries.sort_by_key(|entry| entry[9..].parse::<usize>().unwrap());
    let expected: Vec<String> = (0..17).map(|i| format!("ERROR no {i}")).collect();
    assert_eq!(entries, expected);
}
