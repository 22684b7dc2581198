//! Batches of OpenTelemetry logs, as the file exporter of its collector writes them: OTLP in JSON.
//!
//! ```text
//! record = an object whose first member is "resourceLogs"; the line may end within it
//! resourceLogs = array of { "resource": { "attributes" }, "scopeLogs" }
//! scopeLogs    = array of { "scope": { "name" }, "logRecords" }
//! logRecords   = array of { "timeUnixNano", "observedTimeUnixNano", "severityNumber",
//!                           "severityText", "body", "eventName", "attributes", ... }
//! ```
//!
//! A line is one entry, and a batch may hold many records: the worst of them speaks for it, of
//! those that are equally bad the first. So no error is missed, but a rule that counts entries
//! counts batches; `records` says how many there are where it is not one. Let the collector write
//! them one by one (without its batch processor) where each of them counts.
//!
//! The level is that of the number, 1 to 24, or of the text where there is no number. A time of 0
//! is none, and that of observation is taken. A body that is no text stands there as JSON; where
//! there is none, the name of the event does, or the whole record.
//!
//! Fields: the attributes of the resource, `logger` (the name of the scope), the attributes of the
//! record, `trace_id`, `span_id`, `event`, `records`.
//!
//! Source: <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>, and
//! <https://opentelemetry.io/docs/specs/otel/logs/data-model/> for what the members mean.

use serde_json::{Map, Value};

use super::json::{clean, unescaped};
use super::keys::{self, Scale};
use super::members::{Elements, End, Json, Members, skip_space};
use super::{Record, Scratch};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;

/// The record that speaks for its batch.
struct Parts<'a> {
    time: Option<(WrittenTime, &'a [u8])>,
    level: Option<Level>,
    object: &'a [u8],
    resource: Option<Json<'a>>,
    scope: Option<Json<'a>>,
    /// How many the batch holds.
    records: usize,
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(
    line: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<Record<'a>> {
    let Parts { time, level, object, .. } = parts(line, words)?;
    let [body, event] = find(object, [b"body", b"eventName"]);
    let body = match body {
        // Of one that is no text, the value without its kind.
        Some(Json::Object(body)) => Members::of(body).and_then(|mut body| body.next()),
        _ => None,
    };
    let message = body.map(|(_, value)| value).or(event).unwrap_or(Json::Object(object));
    let (time, written_at) = time.map_or((None, &b""[..]), |(time, text)| (Some(time), text));
    Some(Record { time, written_at, level, message: unescaped(message, &mut scratch.text) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    if let Some(Json::Object(resource)) = parts.resource {
        push_attributes(resource, fields);
    }
    if let Some(Json::Object(scope)) = parts.scope
        && let [Some(Json::Text(name))] = find(scope, [b"name"])
    {
        fields.push("logger", name);
    }
    push_attributes(parts.object, fields);
    let others = find(parts.object, [b"traceId", b"spanId", b"eventName"]);
    for (name, value) in ["trace_id", "span_id", "event"].into_iter().zip(others) {
        if let Some(Json::Text(text)) = value {
            fields.push(name, text);
        }
    }
    if parts.records > 1 {
        fields.push_value("records", parts.records.into());
    }
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let mut members = Members::of(skip_space(line))?;
    let (b"resourceLogs", Json::Array(batch)) = members.next()? else { return None };
    let (mut worst, mut records) = (None::<Parts>, 0);
    for of_resource in objects(batch) {
        let [resource, scopes] = find(of_resource, [b"resource", b"scopeLogs"]);
        for of_scope in objects_of(scopes) {
            let [scope, logs] = find(of_scope, [b"scope", b"logRecords"]);
            for object in objects_of(logs) {
                records += 1;
                let record = one(object, words);
                // As a record without a level is judged unless the source says otherwise.
                let badness = |parts: &Parts<'_>| parts.level.unwrap_or(Level::Info);
                if worst.as_ref().is_none_or(|worst| badness(&record) > badness(worst)) {
                    worst = Some(Parts { resource, scope, ..record });
                }
            }
        }
    }
    members.by_ref().for_each(drop);
    let is_whole = match members.end() {
        End::Closed(rest) => rest.trim_ascii().is_empty(),
        End::Cut => true,
        End::Malformed => false,
    };
    worst.filter(|_| is_whole).map(|worst| Parts { records, ..worst })
}

fn one<'a>(object: &'a [u8], words: &LevelWords) -> Parts<'a> {
    let [time, observed, number, text] = find(
        object,
        [b"timeUnixNano", b"observedTimeUnixNano", b"severityNumber", b"severityText"],
    );
    let mut time = [time, observed].into_iter().flatten().map(Json::raw);
    let time = time.find_map(|text| Some((keys::time(text)?, text)));
    let number = number.map(Json::raw).unwrap_or_default();
    let number = number.strip_prefix(b"SEVERITY_NUMBER_").unwrap_or(number);
    let text = text.map(Json::raw).unwrap_or_default();
    let level = words
        .get(text)
        .or_else(|| keys::level(Scale::OpenTelemetry, number, words))
        .or_else(|| keys::level(Scale::Words, text, words));
    Parts { time, level, object, resource: None, scope: None, records: 0 }
}

/// The members with these names.
fn find<'a, const N: usize>(object: &'a [u8], names: [&[u8]; N]) -> [Option<Json<'a>>; N] {
    let mut found = [None; N];
    for (key, value) in Members::of(object).into_iter().flatten() {
        if let Some(at) = names.iter().position(|name| *name == key) {
            found[at] = found[at].or(Some(value));
        }
    }
    found
}

fn objects_of(array: Option<Json<'_>>) -> impl Iterator<Item = &[u8]> {
    let array = match array {
        Some(Json::Array(array)) => array,
        _ => b"",
    };
    objects(array)
}

/// The objects in an array.
fn objects(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    Elements::of(array).filter_map(|value| match value {
        Json::Object(object) => Some(object),
        _ => None,
    })
}

fn push_attributes(object: &[u8], fields: &mut Fields) {
    let [attributes] = find(object, [b"attributes"]);
    for attribute in objects_of(attributes) {
        if let [Some(Json::Text(key)), Some(value)] = find(attribute, [b"key", b"value"])
            && let Ok(value) = serde_json::from_str(&String::from_utf8_lossy(value.raw()))
        {
            match plain(value) {
                Value::Null => {}
                value => fields.push_value(&clean(key), value),
            }
        }
    }
}

/// A value without the names of its kinds.
fn plain(value: Value) -> Value {
    let Value::Object(kinds) = value else { return Value::Null };
    let Some((kind, value)) = kinds.into_iter().next() else { return Value::Null };
    match (kind.as_str(), value) {
        // JSON has no numbers of 64 bits.
        ("intValue", Value::String(digits)) => {
            digits.parse::<i64>().map_or(Value::String(digits), Value::from)
        }
        ("arrayValue", Value::Object(array)) => {
            values(array).into_iter().map(plain).collect::<Vec<_>>().into()
        }
        ("kvlistValue", Value::Object(list)) => {
            let member = |mut pair: Value| {
                let key = pair.get("key")?.as_str()?.to_owned();
                Some((key, plain(pair.get_mut("value")?.take())))
            };
            Value::Object(values(list).into_iter().filter_map(member).collect())
        }
        (_, value) => value,
    }
}

fn values(mut list: Map<String, Value>) -> Vec<Value> {
    match list.remove("values") {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    }
}
