//! Many alerts, two hosts that deliver at once, servers that fail now and then, and runs that are
//! killed at any instant: each message arrives, and again only where a kill may have fallen
//! between sending it and noting that.

use std::collections::BTreeMap;
use std::env;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::server::{Answer, Server, status};
use crate::support::program::Setup;
use crate::support::random::Random;

/// Alerts, unless `TRIPLINE_TEST_CASES` says how many.
const ALERTS: usize = 1_000;
const HOSTS: [&str; 2] = ["web1", "web2"];
const CHANNELS: [&str; 2] = ["one", "two"];
/// Rounds in which both runs are killed, if they take that long.
const DISTURBED: usize = 20;
/// Rounds for each 1,000 alerts: what is not delivered by then never is. A server that fails ends a
/// channel's part of a round, so more alerts take more of them.
const ROUNDS: usize = 200;

/// What the server answers to the request of a number: most often that it has taken it.
fn answer(number: usize) -> Answer {
    match number % 211 {
        7 => status(500, "out of order"),
        50 | 100 | 150 => status(422, "not this one"),
        200 => Answer::Close,
        _ => status(200, "ok"),
    }
}

fn is_taken(number: usize) -> bool {
    matches!(answer(number), Answer::Whole { status: 200, .. })
}

fn config(host: &str, server: &Server) -> String {
    let channel = |name: &&str| {
        let url = server.url(&format!("/{host}/{name}"));
        format!(
            "[[channel]]\nname = '{name}'\ntype = 'webhook'\nurl = '{url}'\nresolved = false\n\
             give_up_after = '300d'\n"
        )
    };
    let channels: String = CHANNELS.iter().map(channel).collect();
    format!(
        "host = '{host}'\n[[source]]\npaths = ['LOGS/{host}.log']\n\
         [[rule]]\nname = 'any'\nkind = 'threshold'\ncount = 1\nwithin = '1m'\n\
         group_by = ['source', 'message']\n[delivery]\nstorm_cap = 10000\n{channels}"
    )
}

/// Two hosts with a log each, which are read, and one database.
fn setup(server: &Server, alerts: usize) -> Setup {
    let mut setup = Setup::new();
    let folder = setup.folder.path().display().to_string();
    for host in HOSTS {
        setup.write(&format!("{host}.toml"), config(host, server).replace("LOGS", &folder));
        // Not all at once: each message shows the entries of the alert's window.
        let begin: DateTime<Utc> = "2026-01-15T06:00:00Z".parse().unwrap();
        let line = |number| {
            let time = begin + TimeDelta::seconds(i64::try_from(number).unwrap());
            format!("{} [ERROR] thing {number} of {host}\n", time.format("%Y-%m-%d %H:%M:%S"))
        };
        setup.write(&format!("{host}.log"), (0..alerts / 2).map(line).collect::<String>());
        let ran = setup.run(["ingest", "--config", &config_path(&setup, host)]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    "2026-01-15T12:00:00Z".clone_into(&mut setup.now);
    setup
}

fn config_path(setup: &Setup, host: &str) -> String {
    setup.path(&format!("{host}.toml")).display().to_string()
}

fn begin(setup: &Setup, host: &str) -> Child {
    let mut command = setup.command(["alert", "--config", &config_path(setup, host)]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn undelivered(setup: &Setup) -> i64 {
    let rows = setup.rows(
        "select count(*)::text as value from alerts alert
         cross join (values ('one'), ('two')) as channel (name)
         where not exists (
             select from notifications told
             where told.alert_id = alert.id and told.channel = channel.name and told.delivered_at is not null
         )",
    );
    rows[0].parse().unwrap()
}

#[test]
fn every_message_arrives_and_again_only_after_a_kill() {
    let alerts = env::var("TRIPLINE_TEST_CASES").map_or(ALERTS, |cases| cases.parse().unwrap());
    let server = Server::new();
    server.answers(Answer::By(answer));
    let mut setup = setup(&server, alerts);
    let mut random = Random::new(0);
    let mut now: DateTime<Utc> = setup.now.parse().unwrap();
    let mut kills = 0;
    let first_began = Instant::now();
    let rounds = ROUNDS * alerts.div_ceil(1_000);
    let mut round = 0;
    loop {
        assert!(round < rounds, "{} are never delivered", undelivered(&setup));
        // Whatever failed is due again.
        now += TimeDelta::minutes(61);
        setup.now = now.to_rfc3339();
        let mut runs = HOSTS.map(|host| begin(&setup, host));
        if round < DISTURBED {
            thread::sleep(Duration::from_millis(random.below(800) as u64));
            for run in &mut runs {
                kills += usize::from(run.try_wait().unwrap().is_none());
                run.kill().unwrap();
            }
        }
        let began = Instant::now();
        for run in &mut runs {
            run.wait().unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "a run hangs");
        round += 1;
        if round > DISTURBED && undelivered(&setup) == 0 {
            break;
        }
    }
    // By channel and key: how often the server has taken it.
    let mut taken: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (number, request) in server.take().into_iter().enumerate() {
        let key = request.header("idempotency-key").unwrap().to_owned();
        assert_eq!(request.json()["key"], key.as_str(), "one key a message");
        *taken.entry((request.path, key)).or_default() += usize::from(is_taken(number));
    }
    assert_eq!(taken.len(), alerts * CHANNELS.len());
    let missing: Vec<_> = taken.iter().filter(|(_, times)| **times == 0).collect();
    assert!(missing.is_empty(), "noted as delivered, but never taken: {missing:?}");
    // A kill interrupts one message of each channel at the most.
    let repeats: usize = taken.values().map(|times| times - 1).sum();
    println!(
        "{alerts} alerts, {round} rounds, {kills} kills, {repeats} messages taken twice, {} s",
        first_began.elapsed().as_secs()
    );
    assert!(kills > 0 && repeats <= kills * CHANNELS.len(), "{repeats} repeats of {kills} kills");
}
