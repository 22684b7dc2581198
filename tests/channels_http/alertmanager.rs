//! Alertmanager: what is told again in each run, and a real one that knows what fires.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;
use std::{fs, thread};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use expect_test::expect;
use serde_json::Value;
use tempfile::TempDir;

use super::server::{Request, Server, status, with_header};
use super::{RULE, channel, configure, quiet_run_at, run_at, setup, shown};
use crate::support::program::Setup;
use crate::support::programs;

/// Labels and end of the alerts of a request.
fn ends(request: &Request) -> Vec<String> {
    let json = request.json();
    let alerts = json.as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    alerts.map(|one| text(&one["labels"]["alertname"]) + " " + &text(&one["endsAt"])).collect()
}

#[test]
fn what_fires_is_told_in_each_run_and_what_is_over_for_five_minutes() {
    let server = Server::new();
    let mut setup = setup(&channel("alertmanager", &server.url("/"), ""));
    let told_at = |setup: &mut Setup, time: &str| {
        quiet_run_at(setup, time);
        server.take().iter().flat_map(ends).collect::<Vec<_>>()
    };
    assert_eq!(told_at(&mut setup, "12:00:00"), ["any 2026-01-15T13:00:00Z"]);
    assert_eq!(told_at(&mut setup, "12:01:00"), ["any 2026-01-15T13:01:00Z"]);
    assert_eq!(told_at(&mut setup, "12:58:00"), ["any 2026-01-15T13:58:00Z"]);
    for time in ["13:00:00", "13:01:00", "13:04:59"] {
        assert_eq!(told_at(&mut setup, time), ["any 2026-01-15T12:59:00Z"], "{time}");
    }
    assert_eq!(told_at(&mut setup, "13:05:00"), [""; 0]);
    // The next one has the same labels: who tells of both at once ends the new one.
    setup.append("app.log", "2026-01-15 13:06:00 [ERROR] again\n");
    assert_eq!(told_at(&mut setup, "13:06:30"), ["any 2026-01-15T14:06:30Z"]);
    assert_eq!(told_at(&mut setup, "14:06:00"), ["any 2026-01-15T14:06:00Z"]);
    setup.append("app.log", "2026-01-15 14:07:00 [ERROR] again\n");
    assert_eq!(told_at(&mut setup, "14:07:30"), ["any 2026-01-15T15:07:30Z"]);
    assert_eq!(told_at(&mut setup, "14:08:00"), ["any 2026-01-15T15:08:00Z"]);
}

#[test]
fn who_does_not_want_to_hear_it_again_is_told_of_and_asked_by_the_next_run() {
    let server = Server::new();
    let mut setup = setup(&channel("alertmanager", &server.url("/"), ""));
    quiet_run_at(&mut setup, "12:00:00");
    server.answers(status(503, ""));
    let ran = run_at(&mut setup, "12:01:00");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("channel alertmanager does not deliver: http://localhost:"),
        "{ran:?}"
    );
    let ran = run_at(&mut setup, "12:02:00");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "that is known");
    server.answers(status(200, ""));
    server.take();
    quiet_run_at(&mut setup, "12:03:00");
    assert_eq!(server.take().len(), 1);
    assert_eq!(
        setup.rows("select kind || ' ' || attempts as value from notifications"),
        ["fired 1"],
        "no message is written for it"
    );
}

#[test]
fn who_asks_to_be_left_alone_is_not_told_again_until_then() {
    let server = Server::new();
    let other = "[[source]]\nname = 'other'\npaths = ['LOGS/other.log']\n".to_owned();
    let mut setup = setup(&(other + &channel("alertmanager", &server.url("/"), "")));
    setup.write("other.log", "");
    quiet_run_at(&mut setup, "12:00:00");
    server.answers(with_header(429, "retry-after", "600"));
    assert_eq!(run_at(&mut setup, "12:01:00").code, Some(1));
    server.answers(status(200, ""));
    server.take();
    for time in ["12:02:00", "12:10:59"] {
        quiet_run_at(&mut setup, time);
        assert_eq!(server.take().len(), 0, "{time}");
    }
    for time in ["12:11:00", "12:12:00"] {
        quiet_run_at(&mut setup, time);
        assert_eq!(server.take().len(), 1, "{time}");
    }
    // The same where it asked for that when it was told of another alert.
    server.answers(with_header(503, "retry-after", "600"));
    setup.append("other.log", "2026-01-15 12:13:00 [ERROR] the disk is full here too\n");
    assert_eq!(run_at(&mut setup, "12:13:00").code, Some(1));
    server.answers(status(200, ""));
    server.take();
    quiet_run_at(&mut setup, "12:22:59");
    assert_eq!(server.take().len(), 0);
    quiet_run_at(&mut setup, "12:23:00");
    assert_eq!(server.take().len(), 2, "the other alert, and again the first one");
}

#[test]
fn the_host_is_the_one_of_the_log_and_there_is_none_of_all() {
    let server = Server::new();
    let mut setup = setup("");
    let config = [
        &RULE.replace("within = '1h'", "within = '1h'\ngroup_by = ['source']"),
        "[evaluate]\nall_hosts = true\n\
         [[rule]]\nname = 'all'\nkind = 'threshold'\ncount = 2\nwithin = '1h'\ngroup_by = []\n",
        &channel("alertmanager", &server.url("/"), ""),
    ];
    let config = config.concat();
    setup.config(&config.replace("web1", "web2").replace("app", "other"));
    setup.write("other.log", "2026-01-15 11:59:00 [ERROR] the disk is full\n");
    setup.run(["ingest"]).expect_silence();
    setup.config(&config);
    quiet_run_at(&mut setup, "12:00:00");
    let labels = |request: &Request| {
        let alerts = request.json();
        let labels = alerts.as_array().unwrap().iter().map(|alert| alert["labels"].to_string());
        labels.collect::<Vec<_>>()
    };
    let mut told: Vec<String> = server.take().iter().flat_map(labels).collect();
    told.sort();
    expect![[r#"
        {"alertname":"all","severity":"warning"}
        {"alertname":"any","host":"web1","path":"LOGS/app.log","severity":"critical","source":"app"}
        {"alertname":"any","host":"web2","path":"LOGS/other.log","severity":"critical","source":"other"}"#]].assert_eq(&shown(&setup, &told.join("\n")));
    // The same when they are told again.
    quiet_run_at(&mut setup, "12:01:00");
    let mut again: Vec<String> = server.take().iter().flat_map(labels).collect();
    again.sort();
    assert_eq!(again, told);
}

/// A real Alertmanager.
struct Alertmanager {
    program: Child,
    url: String,
    _folder: TempDir,
}

impl Alertmanager {
    /// One that passes on to a webhook what it hears.
    fn start(webhook: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        fs::write(
            &config,
            format!(
                "route: {{ receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s }}\n\
                 receivers: [{{ name: hook, webhook_configs: [{{ url: '{webhook}' }}] }}]\n"
            ),
        )
        .unwrap();
        let name = "prometheus-alertmanager";
        let program = programs::find(name, "TRIPLINE_ALERTMANAGER");
        let mut program = Command::new(&program)
            // Where its templates are, if it was fetched rather than installed.
            .current_dir(program.parent().unwrap())
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines =
            BufReader::new(program.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let address = lines.find_map(|line| {
            said.push(line.clone());
            let (_, address) = line.split_once("\"Listening on\" address=")?;
            Some(address.trim().to_owned())
        });
        let address = address.unwrap_or_else(|| panic!("Alertmanager did not start: {said:#?}"));
        // It stops where nobody reads what it says.
        thread::spawn(move || lines.for_each(drop));
        Self { program, url: format!("http://{address}"), _folder: folder }
    }

    /// What fires, by its own word.
    fn alerts(&self) -> Vec<Value> {
        let url = format!("{}/api/v2/alerts", self.url);
        let mut answer = ureq::get(url).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The whole second that it is.
#[expect(clippy::disallowed_methods, reason = "Alertmanager takes no time from us")]
fn now() -> DateTime<Utc> {
    let now = DateTime::<Utc>::from(SystemTime::now());
    now - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()))
}

/// The names of all fields, with those of what is in them.
fn fields(json: &Value, within: &str) -> Vec<String> {
    match json {
        Value::Object(fields_of)
            if !["labels", "annotations"]
                .iter()
                .any(|end| within.to_lowercase().ends_with(end)) =>
        {
            fields_of
                .iter()
                .flat_map(|(name, value)| fields(value, &format!("{within}.{name}")))
                .collect()
        }
        Value::Array(values) => values.iter().take(1).flat_map(|one| fields(one, within)).collect(),
        _ => vec![within.to_owned()],
    }
}

#[test]
fn a_real_one_knows_what_fires_and_what_is_over() {
    let (theirs, ours) = (Server::new(), Server::new());
    let alertmanager = Alertmanager::start(&theirs.url("/"));
    let bridge = channel("webhook", &ours.url("/"), "format = 'alertmanager'");
    let mut setup = setup("");
    let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
    // It goes by the clock, and what has ended has to be over for it.
    let began = now() - TimeDelta::hours(3);
    let run_after = |setup: &mut Setup, minutes| {
        setup.now = text(began + TimeDelta::minutes(minutes));
        setup.run(["run"]).expect_silence();
    };
    configure(
        &setup,
        &[&channel("alertmanager", &alertmanager.url, "expires_after = '12h'"), &bridge]
            .map(String::as_str)
            .concat(),
    );
    setup.write("app.log", format!("{} [ERROR] \"é\" <b>\\n\n", began.format("%Y-%m-%d %H:%M:%S")));
    run_after(&mut setup, 1);

    let alerts = alertmanager.alerts();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let alert = &alerts[0];
    assert_eq!(alert["labels"]["alertname"], "any");
    assert_eq!(alert["labels"]["path"], setup.path("app.log").to_str().unwrap());
    assert_eq!(alert["startsAt"], text(began));
    assert_eq!(alert["endsAt"], text(began + TimeDelta::minutes(12 * 60 + 1)));
    assert!(alert["annotations"]["description"].as_str().unwrap().ends_with("ERROR \"é\" <b>\\n"));
    // What we send to webhooks is what it sends to webhooks.
    let (from_us, from_it) = (ours.take_one().json(), theirs.take_one().json());
    assert_eq!(fields(&from_us, ""), fields(&from_it, ""));
    for field in [
        "version",
        "status",
        "groupKey",
        "groupLabels",
        "commonLabels",
        "commonAnnotations",
        "truncatedAlerts",
    ] {
        assert_eq!(from_us[field], from_it[field], "{field}");
    }
    assert_eq!(from_us["alerts"][0]["fingerprint"], alert["fingerprint"]);
    assert_eq!(from_it["alerts"][0]["fingerprint"], alert["fingerprint"]);

    // One that was started anew hears of it by the next run.
    let another = Alertmanager::start(&theirs.url("/"));
    configure(
        &setup,
        &[&channel("alertmanager", &another.url, "expires_after = '12h'"), &bridge]
            .map(String::as_str)
            .concat(),
    );
    run_after(&mut setup, 2);
    assert_eq!(another.alerts()[0]["fingerprint"], alert["fingerprint"]);
    assert_eq!(theirs.take_one().json()["status"], "firing");

    run_after(&mut setup, 61);
    assert_eq!(another.alerts(), [Value::Null; 0]);
    let (from_us, from_it) = (ours.take_one().json(), theirs.take_one().json());
    assert_eq!((&from_us["status"], &from_it["status"]), (&"resolved".into(), &"resolved".into()));
    let ends_at = |json: &Value| {
        json["alerts"][0]["endsAt"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap()
    };
    assert_eq!(ends_at(&from_us), began + TimeDelta::hours(1));
    assert_eq!(ends_at(&from_it), began + TimeDelta::hours(1));
}
