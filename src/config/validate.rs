//! From the text of `tripline.toml` to a [`Config`], with all problems at once.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use toml::de::DeTable;

use super::database::{DatabaseConfig, DatabaseUrl};
use super::file;
use super::problem::{Problem, Problems};
use super::rule::RuleConfig;
use super::rules::{Sources, lacks_levels, rule};
use super::section::Section;
use super::source::{LogFormat, SourceConfig, Start};
use super::{Config, EvaluateConfig, MetricsConfig, channels, heartbeat, lines, value};
use crate::model::{Format, Level, LevelSet, OwnFormat, OwnFormatError, PartitionInterval};

const LINE_BYTES: RangeInclusive<usize> = 1 << 10..=64 << 20;
const ENTRY_LINES: RangeInclusive<u32> = 1..=100_000;

/// Reads a whole config. A value is right or reported; the config is given only if no problem
/// was found at all.
pub(super) fn config(text: &str) -> Result<Config, Vec<Problem>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut problems = Problems::new(text, &errors);
    let config = top(Section::new(&file::TOP, document.get_ref(), 0, &mut problems));
    let problems = problems.into_sorted();
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

fn top(mut section: Section<'_, '_>) -> Config {
    let host = section.string("host", value::host);
    let lock_file = section.string("lock_file", value::absolute_path);
    let database = section.table("database", &file::DATABASE, database).unwrap_or_default();
    let evaluate = section.table("evaluate", &file::EVALUATE, evaluate).unwrap_or_default();

    let mut names = HashSet::new();
    let sources = section.tables("source", &file::SOURCE, |table| source(table, &mut names));
    // Nobody can say what is stored as long as one source is wrong; the config is lost anyway.
    let sources: Vec<_> = sources.into_iter().collect::<Option<_>>().unwrap_or_default();
    let known = Sources { sources: &sources };

    let mut names = HashSet::new();
    let channels =
        section.tables("channel", &file::CHANNEL, |table| channels::channel(table, &mut names));
    // Those that are wrong in something else are there all the same.
    let mut channel_names: Vec<&str> = names.iter().map(String::as_str).collect();
    channel_names.sort_unstable();
    let mut channels: Vec<_> = channels.into_iter().flatten().collect();
    for problem in channels.iter().filter_map(|one| channels::lost_fallback(one, &channel_names)) {
        section.refuse("channel", &problem);
    }
    let routes =
        section.tables("route", &file::ROUTE, |table| channels::route(table, &channel_names));
    let delivery =
        section.table("delivery", &file::DELIVERY, channels::delivery).unwrap_or_default();
    let metrics = section.table("metrics", &file::METRICS, metrics).unwrap_or_default();
    let heartbeat = section.table("heartbeat", &file::HEARTBEAT, heartbeat::heartbeat).flatten();

    let withheld = channels::variables_with_secrets(&channels, heartbeat.as_ref());
    for channel in &mut channels {
        channel.withheld.clone_from(&withheld);
    }

    let mut names = HashSet::new();
    let rules = section
        .tables("rule", &file::RULE, |table| rule(table, &mut names, &known, &channel_names));
    let mut rules: Vec<_> = rules.into_iter().flatten().collect();
    let mut warnings = Vec::new();
    if rules.is_empty() {
        rules = RuleConfig::built_in();
        let stored = known.stored();
        warnings.extend(rules.iter().filter_map(|rule| lacks_levels(rule, stored?)));
    }
    Config {
        path: None,
        host,
        lock_file,
        database,
        evaluate,
        sources,
        rules,
        channels,
        routes: routes.into_iter().flatten().collect(),
        delivery,
        metrics,
        heartbeat,
        warnings,
    }
}

fn database(mut section: Section<'_, '_>) -> DatabaseConfig {
    let url = |text: &str| DatabaseUrl::from_config(text).map_err(str::to_owned);
    if section.has("url") && section.has("url_file") {
        section.refuse("url_file", "cannot stand beside url; keep one of them");
    }
    DatabaseConfig {
        url: section.string("url", url),
        url_file: section.string("url_file", value::absolute_path),
        partition: section
            .string("partition", |text| {
                value::choice(text, &PartitionInterval::ALL, PartitionInterval::as_str, &[])
            })
            .unwrap_or_default(),
    }
}

fn evaluate(mut section: Section<'_, '_>) -> EvaluateConfig {
    EvaluateConfig { all_hosts: section.boolean("all_hosts").unwrap_or_default() }
}

fn metrics(mut section: Section<'_, '_>) -> MetricsConfig {
    let textfile = |text: &str| {
        let path = value::absolute_path(text)?;
        if path.extension().is_some_and(|extension| extension == "prom") {
            Ok(path)
        } else {
            Err("must end in .prom, or the node exporter does not read it".to_owned())
        }
    };
    MetricsConfig { textfile: section.string("textfile", textfile) }
}

/// `None` if anything about the source is wrong, which has been reported then.
fn source(mut section: Section<'_, '_>, names: &mut HashSet<String>) -> Option<SourceConfig> {
    let journal = section.table("journal", &file::JOURNAL, lines::journal);
    if section.has("journal") {
        for key in file::OF_FILES.into_iter().filter(|key| section.has(key)).collect::<Vec<_>>() {
            section.refuse(key, "is for files and cannot stand beside journal");
        }
    } else {
        section.require(&["paths"]);
    }
    let name = section.string("name", value::name);
    refuse_second(&mut section, name.as_ref(), names);
    let paths = section.strings("paths", value::source_path);
    if paths.as_ref().is_some_and(Vec::is_empty) {
        section.refuse("paths", "must name at least one log");
    }
    let default = SourceConfig::for_path("".as_ref());
    let source = SourceConfig {
        name,
        paths: paths.unwrap_or_default(),
        exclude: section.strings("exclude", value::exclude).unwrap_or_default(),
        format: section.string("format", format).unwrap_or(default.format),
        timezone: section.string("timezone", value::zone),
        store: levels(&mut section, "store").unwrap_or(default.store),
        keep: section.strings("keep", lines::line_pattern).unwrap_or_default(),
        start: section
            .string("start", |text| value::choice(text, &Start::ALL, Start::as_str, &[]))
            .unwrap_or_default(),
        max_line_bytes: section
            .value("max_line_bytes", |value| value::size(value, LINE_BYTES))
            .unwrap_or(default.max_line_bytes),
        max_entry_lines: section
            .integer("max_entry_lines", ENTRY_LINES)
            .unwrap_or(default.max_entry_lines),
        encoding: section.string("encoding", lines::encoding).unwrap_or(default.encoding),
        level_rules: lines::level_rules(&mut section),
        multiline: lines::multiline(&mut section).unwrap_or_default(),
        idle_flush: section.string("idle_flush", lines::idle_flush).unwrap_or(default.idle_flush),
        olddir: section.strings("olddir", value::folder).unwrap_or_default(),
        journal,
    };
    section.is_right().then_some(source)
}

pub(super) fn refuse_second(
    section: &mut Section<'_, '_>,
    name: Option<&String>,
    names: &mut HashSet<String>,
) {
    if let Some(name) = name
        && !names.insert(name.clone())
    {
        section.refuse("name", &format!("{name:?} is used twice"));
    }
}

/// The name of a format, the word that leaves it to tripline, or a format of one's own.
fn format(text: &str) -> Result<LogFormat, String> {
    if OwnFormat::is_meant(text) {
        return text.parse().map(LogFormat::Own).map_err(|error: OwnFormatError| error.to_string());
    }
    let choices: Vec<_> = std::iter::once(None).chain(Format::ALL.map(Some)).collect();
    let name = |format: Option<Format>| format.map_or("auto", Format::as_str);
    let choice = value::choice(text, &choices, name, &[])?;
    Ok(choice.map_or(LogFormat::Auto, LogFormat::Named))
}

pub(super) fn levels(section: &mut Section<'_, '_>, key: &str) -> Option<LevelSet> {
    let level = |text: &str| value::choice(text, &Level::ALL, Level::as_str, &[]);
    section.strings(key, level).map(LevelSet::from_iter)
}
