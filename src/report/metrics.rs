//! The state as metrics, in Prometheus' text format.
//!
//! For the textfile collector of the node exporter: no timestamps, one HELP and TYPE a metric.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::{self, Write};

use super::status::{SourceStatus, Status};
use crate::model::Tick;

/// A metric: its name, what it is, and whether it only grows.
struct Metric {
    name: &'static str,
    help: &'static str,
    is_counter: bool,
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, help, is_counter: false }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, help, is_counter: true }
}

/// One value with its labels.
type Sample = (Vec<(&'static str, String)>, f64);

/// The state of `host` after the run of a tick.
pub fn text(status: &Status, host: &str, tick: Tick) -> String {
    let mut text = String::new();
    // A `String` takes everything.
    let _ = write_all(status, host, tick, &mut text);
    text
}

fn write_all(status: &Status, host: &str, tick: Tick, text: &mut String) -> fmt::Result {
    let one = |value: f64| vec![(Vec::new(), value)];
    let version = ("version", env!("CARGO_PKG_VERSION").to_owned());
    write(text, &gauge("tripline_build_info", "The version that ran."), &[(vec![version], 1.0)])?;
    let when = gauge("tripline_last_run_timestamp_seconds", "When the last run began.");
    write(text, &when, &one(seconds(tick.0)))?;
    if let Some(success) = status.last_success_at {
        let metric = gauge(
            "tripline_last_success_timestamp_seconds",
            "When the last run without a failure began.",
        );
        write(text, &metric, &one(seconds(success)))?;
    }
    if let Some(run) = &status.last_run {
        for (metric, value) in [
            (
                gauge("tripline_last_run_duration_seconds", "How long the last run took."),
                count(run.duration_ms) / 1000.0,
            ),
            (
                gauge("tripline_last_run_failures", "How many things failed in the last run."),
                f64::from(run.errors),
            ),
            (gauge("tripline_last_run_lines", "Lines that the last run read."), count(run.lines)),
            (
                gauge("tripline_last_run_entries", "Entries that the last run stored."),
                count(run.entries),
            ),
        ] {
            write(text, &metric, &one(value))?;
        }
    }
    write_alerts(status, host, text)?;
    write_sources(status, host, text)
}

fn write_alerts(status: &Status, host: &str, text: &mut String) -> fmt::Result {
    let of_severity =
        |severity: &str, number| (vec![("severity", severity.to_owned())], count(number));
    write(
        text,
        &gauge("tripline_alerts_firing", "Alerts that fire, in the whole database."),
        &[
            of_severity("critical", status.firing.critical),
            of_severity("warning", status.firing.warning),
            of_severity("info", status.firing.info),
        ],
    )?;
    write(
        text,
        &gauge("tripline_notifications_undelivered", "Messages that wait, in the whole database."),
        &[(Vec::new(), count(status.undelivered))],
    )?;
    write(
        text,
        &gauge("tripline_notifications_given_up", "Messages that were given up within a week."),
        &[(Vec::new(), count(status.given_up))],
    )?;
    let channels: Vec<Sample> = status
        .channels
        .iter()
        .filter(|channel| channel.host == host)
        .map(|channel| {
            let fails = f64::from(u8::from(channel.failing_since.is_some()));
            (vec![("channel", channel.channel.clone())], fails)
        })
        .collect();
    write(
        text,
        &gauge("tripline_channel_failing", "Whether the last delivery of a channel failed."),
        &channels,
    )
}

fn write_sources(status: &Status, host: &str, text: &mut String) -> fmt::Result {
    type Value = fn(&SourceStatus) -> Option<f64>;
    let metrics: [(Metric, Value); 8] = [
        (gauge("tripline_source_failing", "Whether a log could not be read."), |source| {
            Some(f64::from(u8::from(source.last_error.is_some())))
        }),
        (
            gauge("tripline_source_offset_bytes", "Bytes of the present file that were read."),
            |source| Some(count(source.byte_offset)),
        ),
        (
            gauge("tripline_source_unread_bytes", "Bytes of the present file that were not."),
            |source| source.unread_bytes.map(count),
        ),
        (
            gauge("tripline_source_last_entry_timestamp_seconds", "Time of the last entry."),
            |source| source.last_entry_at.map(seconds),
        ),
        (counter("tripline_source_lines_total", "Lines read so far."), |source| {
            Some(count(source.lines))
        }),
        (
            counter("tripline_source_unparsed_lines_total", "Lines that could not be parsed."),
            |source| Some(count(source.unparsed_lines)),
        ),
        (counter("tripline_source_cut_lines_total", "Lines that were not kept whole."), |source| {
            Some(count(source.cut_lines))
        }),
        (
            counter("tripline_source_gaps_total", "How many times bytes were lost unread."),
            |source| Some(count(source.gaps)),
        ),
    ];
    for (metric, value) in metrics {
        let of_host = status.sources.iter().filter(|source| source.host == host);
        let samples: Vec<Sample> =
            of_host.filter_map(|source| Some((labels(source), value(source)?))).collect();
        write(text, &metric, &samples)?;
    }
    Ok(())
}

/// A glob gives several sources of one name.
fn labels(source: &SourceStatus) -> Vec<(&'static str, String)> {
    vec![("source", source.name.clone()), ("path", source.path.clone())]
}

fn write(text: &mut String, metric: &Metric, samples: &[Sample]) -> fmt::Result {
    let Metric { name, help, is_counter } = metric;
    if samples.is_empty() {
        return Ok(());
    }
    writeln!(text, "# HELP {name} {help}")?;
    writeln!(text, "# TYPE {name} {}", if *is_counter { "counter" } else { "gauge" })?;
    for (labels, value) in samples {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(text, "{name}{labels} {value}")?;
    }
    Ok(())
}

/// A label's value: backslash, quote and line feed are escaped; other control characters, which
/// the format would take and no reader wants, are made visible first.
fn escaped(value: &str) -> String {
    let visible: String = value
        .chars()
        .flat_map(|c| {
            let is_shown = c == '\n' || !c.is_control();
            if is_shown { vec![c] } else { c.escape_default().collect() }
        })
        .collect();
    visible.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn seconds(time: chrono::DateTime<chrono::Utc>) -> f64 {
    count(time.timestamp())
}

/// A number as Prometheus has it.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 nobody counts")]
fn count(number: i64) -> f64 {
    number as f64
}
