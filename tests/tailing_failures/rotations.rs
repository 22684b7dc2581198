//! Rotated while nothing ran.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::program::{Setup, ran};
use crate::{expect_all, gzip, lines, read_log};

#[test]
fn fluent_bit_1330_rotated_during_a_restart() {
    let setup = read_log(10);
    setup.append("app.log", lines(10, 5));
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(15, 5));
    setup.ingest();
    expect_all(&setup, 20);
}

#[test]
fn fluent_bit_5024_rotated_several_times_while_it_was_down() {
    let setup = read_log(10);
    for rotation in 1..=4 {
        setup.append("app.log", lines(10 * rotation, 5));
        for number in (1..rotation).rev() {
            setup.rename(&format!("app.log.{number}"), &format!("app.log.{}", number + 1));
        }
        setup.rename("app.log", "app.log.1");
        setup.write("app.log", lines(10 * rotation + 5, 5));
    }
    setup.ingest();
    expect_all(&setup, 50);
}

#[test]
fn vector_22954_rotated_twice_and_compressed_while_it_was_down() {
    let setup = read_log(10);
    setup.append("app.log", lines(10, 5));
    setup.rename("app.log", "app.log.2");
    setup.write("app.log.1", lines(15, 5));
    gzip(&setup, "app.log.2");
    gzip(&setup, "app.log.1");
    setup.write("app.log", lines(20, 5));
    setup.ingest();
    expect_all(&setup, 25);
}

/// Several rotations between two runs, under names with dates, into another folder.
#[test]
fn fluent_bit_5024_rotated_several_times_to_another_folder() {
    let setup = Setup::new();
    setup.config("[[source]]\npaths = [\"LOGS/app.log\"]\nolddir = [\"old\"]");
    fs::create_dir(setup.path("old")).unwrap();
    setup.write("app.log", lines(0, 5));
    setup.twice(["ingest"]);
    for day in 1..=3 {
        setup.append("app.log", lines(day * 10 - 5, 5));
        setup.rename("app.log", &format!("old/app.log-2026011{day}"));
        setup.write("app.log", lines(day * 10, 5));
    }
    gzip(&setup, "old/app.log-20260111");
    gzip(&setup, "old/app.log-20260112");
    setup.twice(["ingest"]);
    expect_all(&setup, 35);
}

#[test]
fn fluent_bit_5382_reading_starts_at_a_line_after_a_rotation() {
    let setup = read_log(3);
    // Copied and truncated, and grown to where the offset lies within a line.
    fs::copy(setup.log(), setup.path("app.log.1")).unwrap();
    setup.write("app.log", format!("2026-01-15 11:00:03 [ERROR] no 3 {}\n", "x".repeat(500)));
    setup.ingest();
    let last = setup.entries().pop().unwrap();
    assert!(last.starts_with("ERROR no 3 xx"), "{last}");
    assert_eq!(setup.counts(), "error 4");
}

#[test]
fn rsyslog_2229_the_target_of_a_symlink_is_switched() {
    let setup = Setup::new();
    fs::create_dir_all(setup.path("14")).unwrap();
    fs::create_dir_all(setup.path("15")).unwrap();
    let switch = |target: &str| {
        symlink(target, setup.path("new")).unwrap();
        setup.rename("new", "app.log");
    };
    setup.write("14/web.log", lines(0, 3));
    switch("14/web.log");
    setup.ingest();
    setup.append("14/web.log", lines(3, 3));
    setup.write("15/web.log", lines(6, 3));
    switch("15/web.log");
    setup.ingest();
    expect_all(&setup, 9);
}

#[test]
fn rsyslog_2229_the_target_is_switched_twice() {
    let setup = Setup::new();
    let switch = |target: &str| {
        symlink(target, setup.path("new")).unwrap();
        setup.rename("new", "app.log");
    };
    for (day, last) in [(11, 3), (12, 6), (13, 9)] {
        setup.write(&format!("web-202601{day}.log"), lines(last - 3, 3));
        switch(&format!("web-202601{day}.log"));
        if day != 12 {
            setup.ingest();
        }
    }
    expect_all(&setup, 9);
}

#[test]
fn check_logfiles_6_archive_and_new_log_share_a_time_of_change() {
    let setup = read_log(10);
    setup.append("app.log", lines(10, 2));
    setup.rename("app.log", "app.log.2");
    setup.write("app.log.1", lines(12, 2));
    setup.write("app.log", lines(14, 2));
    let time = setup.log().metadata().unwrap().modified().unwrap();
    for name in ["app.log", "app.log.1", "app.log.2"] {
        let file = fs::File::options().append(true).open(setup.path(name)).unwrap();
        file.set_modified(time).unwrap();
    }
    setup.ingest();
    expect_all(&setup, 16);
}

#[test]
fn vector_18342_a_chain_of_names() {
    let setup = Setup::new();
    let read = |name: &str| {
        let log = setup.path(name);
        setup.twice(["ingest".as_ref(), log.as_os_str()]);
    };
    setup.write("a", lines(0, 3));
    read("a");
    // a -> b -> a: the file is back with more lines, the other one has come and gone.
    setup.append("a", lines(3, 1));
    setup.rename("a", "a.1");
    setup.write("a", lines(4, 2));
    read("a");
    setup.rename("a", "a.2");
    setup.append("a.2", lines(6, 1));
    setup.rename("a.1", "a");
    setup.append("a", lines(7, 2));
    read("a");
    expect_all(&setup, 9);
}

#[test]
fn more_rotated_files_than_cron_lets_a_job_open_are_known_all_the_same() {
    let setup = Setup::new();
    for number in 1..=150 {
        setup.write(&format!("app.log.{number}"), lines(1000 + number, 1));
    }
    setup.write("app.log", lines(0, 5));
    let program = setup.command(["ingest".as_ref(), setup.log().as_os_str()]);
    let mut run = std::process::Command::new("/bin/sh");
    run.args(["-c", "ulimit -S -n 100 && exec \"$@\"", "sh"])
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    ran(&mut run).expect_silence();
    expect_all(&setup, 5);
    // None of them is taken for a new one.
    setup.append("app.log", lines(5, 5));
    setup.rename("app.log", "app.log.0");
    setup.write("app.log", lines(10, 5));
    setup.ingest();
    expect_all(&setup, 15);
}
