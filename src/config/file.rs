//! `tripline.toml` word for word: its tables and keys.
//!
//! The lists called `later` hold the words of the documented format that this version has not
//! built yet. They are refused as `not supported yet` instead of `unknown`. Who builds one moves
//! it to the known words, and its reading to `validate`.

/// The keys that one table of the file may have.
pub(super) struct Table {
    /// Where the table is, to be read after a key: `in [[rule]]`.
    pub(super) place: &'static str,
    /// The keys that this version reads.
    pub(super) keys: &'static [&'static str],
    /// The keys that a later version will read.
    pub(super) later: &'static [&'static str],
}

/// The file as a whole.
pub(super) const TOP: Table = Table {
    place: "at the top level",
    keys: &[
        "host",
        "lock_file",
        "database",
        "evaluate",
        "source",
        "rule",
        "channel",
        "route",
        "delivery",
        "metrics",
        "heartbeat",
    ],
    later: &[],
};

/// `[database]`
pub(super) const DATABASE: Table = Table {
    place: "in [database]",
    keys: &["url", "url_file", "partition"],
    later: &["url_env", "retention"],
};

/// `[evaluate]`
pub(super) const EVALUATE: Table =
    Table { place: "in [evaluate]", keys: &["all_hosts"], later: &[] };

/// `[[source]]`
pub(super) const SOURCE: Table = Table {
    place: "in [[source]]",
    keys: &[
        "name",
        "paths",
        "exclude",
        "format",
        "timezone",
        "store",
        "keep",
        "start",
        "max_line_bytes",
        "max_entry_lines",
        "encoding",
        "levels",
        "default_level",
        "level_patterns",
        "multiline",
        "idle_flush",
        "olddir",
        "journal",
    ],
    later: &["stale_after"],
};

/// `multiline = { start = "..." }` of a source.
pub(super) const MULTILINE: Table =
    Table { place: "in multiline", keys: &["start", "continue"], later: &[] };

/// `level_patterns = { ERROR = "..." }` of a source.
pub(super) const LEVEL_PATTERNS: Table = Table {
    place: "in level_patterns",
    keys: &["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL"],
    later: &[],
};

/// `journal = { units = [...] }` of a source.
pub(super) const JOURNAL: Table = Table { place: "in journal", keys: &["units"], later: &[] };

/// The keys of a source that say something of files.
pub(super) const OF_FILES: [&str; 11] = [
    "paths",
    "exclude",
    "format",
    "timezone",
    "encoding",
    "levels",
    "default_level",
    "level_patterns",
    "multiline",
    "idle_flush",
    "olddir",
];

/// `[[rule]]`
pub(super) const RULE: Table = Table {
    place: "in [[rule]]",
    keys: &[
        "name",
        "kind",
        "levels",
        "pattern",
        "exclude",
        "exclude_file",
        "match",
        "sources",
        "count",
        "within",
        "percent",
        "at_least",
        "factor",
        "floor",
        "lookback",
        "clear_below",
        "steps",
        "follow_up",
        "value",
        "stale_after",
        "view",
        "group_by",
        "severity",
        "for",
        "keep_firing",
        "active",
        "remind_every",
        "summary",
        "runbook",
        "channels",
    ],
    later: &[],
};

/// `[[channel]]`
pub(super) const CHANNEL: Table = Table {
    place: "in [[channel]]",
    keys: &[
        "name",
        "type",
        "severities",
        "active",
        "resolved",
        "reminders",
        "every",
        "at",
        "fallback",
        "fallback_after",
        "give_up_after",
        "timeout",
        "title",
        "text",
        "command",
        // on the web
        "url",
        "url_file",
        "url_env",
        "token",
        "token_file",
        "token_env",
        "headers",
        "ca_file",
        "client_cert_file",
        "client_key_file",
        "format",
        "body",
        "content_type",
        "expires_after",
        "routing_key",
        "routing_key_file",
        "routing_key_env",
        // email
        "from",
        "to",
        "sendmail",
        "smtp_host",
        "smtp_port",
        "encryption",
        "username",
        "password",
        "password_file",
        "password_env",
        // syslog
        "socket",
        "facility",
    ],
    later: &[],
};

/// `[[route]]`
pub(super) const ROUTE: Table = Table {
    place: "in [[route]]",
    keys: &["rules", "severities", "sources", "groups", "channels", "continue"],
    later: &[],
};

/// `[delivery]`
pub(super) const DELIVERY: Table =
    Table { place: "in [delivery]", keys: &["budget", "storm_cap"], later: &[] };

/// `[heartbeat]`
pub(super) const HEARTBEAT: Table = Table {
    place: "in [heartbeat]",
    keys: &[
        "url",
        "url_file",
        "url_env",
        "token",
        "token_file",
        "token_env",
        "headers",
        "ca_file",
        "client_cert_file",
        "client_key_file",
        "method",
        "timeout",
    ],
    later: &[],
};

/// `[metrics]`
pub(super) const METRICS: Table = Table { place: "in [metrics]", keys: &["textfile"], later: &[] };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_show_every_key() {
        let readme = include_str!("../../README.md");
        let rules = include_str!("../../docs/rules.md");
        let delivery = include_str!("../../docs/delivery.md");
        let monitoring = include_str!("../../docs/monitoring.md");
        for table in [
            &TOP, &DATABASE, &EVALUATE, &SOURCE, &RULE, &CHANNEL, &ROUTE, &DELIVERY, &METRICS,
            &HEARTBEAT,
        ] {
            for key in table.keys {
                let is_shown = |text: &str| {
                    [format!("{key} = "), format!("[{key}]"), format!("`{key}`")]
                        .iter()
                        .any(|shown| text.contains(shown))
                };
                let document = match table.place {
                    place if place == RULE.place => rules,
                    place if [METRICS.place, HEARTBEAT.place].contains(&place) => monitoring,
                    place
                        if [&CHANNEL, &ROUTE, &DELIVERY, &METRICS]
                            .iter()
                            .any(|one| one.place == place) =>
                    {
                        delivery
                    }
                    _ => readme,
                };
                assert!(is_shown(document), "{key} {}", table.place);
            }
        }
    }
}
