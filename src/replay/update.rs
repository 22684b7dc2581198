//! Writes what happened into a case as what is expected of it, and leaves the rest as it is:
//! steps, comments, and what was as expected.

use anyhow::{Context, bail};
use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item as TomlItem, TableLike, Value,
};

use super::case::{Case, Step};
use super::expected::{ExpectedAlert, ExpectedNotification, State, rfc3339};
use super::found::Found;
use super::matching::{Item, Matching};

/// Entries are only listed in a case that expected nothing if there are no more than these.
const LISTED_ENTRIES: usize = 30;
/// Beyond that a list has a line for each of its elements.
const LINE_CHARS: usize = 100;

/// The text of a case with what its runs have found, which are given with the index of their
/// step. In a case that expects nothing everything is written that matters in most.
pub(super) fn updated(case: &Case, runs: &[(usize, Found)]) -> anyhow::Result<String> {
    let fill = case.expects_nothing();
    let mut document: DocumentMut = case.text.parse().context("cannot be edited")?;
    for (index, found) in runs {
        let Step::Run { expected, .. } = &case.steps[*index] else { continue };
        let mut run = Run { step: step_at(&mut document, *index)?, fill };
        run.list("fired", expected.fired.as_deref(), &found.fired, Fill::Always);
        run.list("resolved", expected.resolved.as_deref(), &found.resolved, Fill::Always);
        let is_last = *index + 1 == case.steps.len();
        let at_the_end = if is_last { Fill::Always } else { Fill::Never };
        run.list("alerts", expected.alerts.as_deref(), &found.alerts, at_the_end);
        run.list(
            "notifications",
            expected.notifications.as_deref(),
            &found.notifications,
            Fill::Never,
        );
        let is_short = is_last && found.entries.len() <= LISTED_ENTRIES;
        run.list(
            "entries",
            expected.entries.as_deref(),
            &found.entries,
            if is_short { Fill::Always } else { Fill::Never },
        );
        let count = if is_last && !is_short { Fill::Always } else { Fill::Never };
        run.number("entry_count", expected.entry_count, found.entry_count, count);
        run.number("unparsed_lines", expected.unparsed_lines, found.unparsed_lines, at_the_end);
        run.number("gaps", expected.gaps, found.gaps, Fill::Never);
        let (errors, wanted) = (number(found.errors), number(expected.errors));
        if errors != wanted {
            run.set("errors", errors.into());
        }
    }
    Ok(document.to_string())
}

/// Whether a key is written that a case which expects nothing does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    Always,
    Never,
}

/// The table of a step that runs the job.
struct Run<'a> {
    step: &'a mut dyn TableLike,
    /// Whether it gets what it does not have.
    fill: bool,
}

fn step_at(document: &mut DocumentMut, index: usize) -> anyhow::Result<&mut dyn TableLike> {
    let step = match document.get_mut("step") {
        Some(TomlItem::ArrayOfTables(steps)) => {
            steps.get_mut(index).map(|table| table as &mut dyn TableLike)
        }
        Some(TomlItem::Value(Value::Array(steps))) => steps
            .get_mut(index)
            .and_then(Value::as_inline_table_mut)
            .map(|table| table as &mut dyn TableLike),
        _ => None,
    };
    match step {
        Some(step) => Ok(step),
        None => bail!("step {} is not where it was", index + 1),
    }
}

impl Run<'_> {
    fn list<T: Written>(&mut self, key: &str, wanted: Option<&[T]>, found: &[T], fill: Fill) {
        let Some(wanted) = wanted.or((self.fill && fill == Fill::Always).then_some(&[])) else {
            return;
        };
        let matching = Matching::of(wanted, found);
        let old = self.step.get(key);
        if matching.is_perfect() && old.is_some() {
            return;
        }
        let list = rewritten(old, wanted, found, &matching);
        self.set(key, list.into());
    }

    fn number(&mut self, key: &str, wanted: Option<i64>, found: i64, fill: Fill) {
        let is_wanted = wanted.is_some() || (self.fill && fill == Fill::Always);
        if is_wanted && wanted != Some(found) {
            self.set(key, found.into());
        }
    }

    /// Sets a key, and keeps the comment behind it.
    fn set(&mut self, key: &str, mut value: Value) {
        if let Some(TomlItem::Value(old)) = self.step.get_mut(key) {
            *value.decor_mut() = old.decor().clone();
            *old = value;
            return;
        }
        // A list may be written as tables of its own.
        self.step.remove(key);
        self.step.insert(key, value.into());
    }
}

/// The list as it becomes: what fits stays, what came instead changes in its place, what is
/// not there goes, and what is new comes last.
fn rewritten<T: Written>(
    old: Option<&TomlItem>,
    wanted: &[T],
    found: &[T],
    matching: &Matching,
) -> Array {
    let (old_values, trailing) = match old {
        Some(TomlItem::Value(Value::Array(array))) => {
            let trailing = array.trailing().as_str().unwrap_or_default().to_owned();
            (array.iter().cloned().collect(), trailing)
        }
        Some(TomlItem::ArrayOfTables(tables)) => (inline(tables), String::new()),
        _ => (Vec::new(), String::new()),
    };
    let mut list = Array::new();
    // A comment above something that goes stays.
    let mut comments = String::new();
    for (index, mut value) in old_values.into_iter().enumerate().take(wanted.len()) {
        if matching.fitting[index].is_none() {
            let Some(other) = matching.instead[index] else {
                comments += comment_above(&value).trim_end();
                continue;
            };
            wanted[index].change(&mut value, &found[other]);
        }
        if !comments.is_empty() {
            let prefix = std::mem::take(&mut comments) + comment_above(&value);
            value.decor_mut().set_prefix(prefix);
        }
        list.push_formatted(value);
    }
    for &other in &matching.new {
        list.push_formatted(found[other].value());
    }
    lay_out(&mut list, &(comments + &trailing));
    list
}

fn comment_above(value: &Value) -> &str {
    let prefix = value.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    if prefix.contains('#') { prefix } else { "" }
}

fn inline(tables: &ArrayOfTables) -> Vec<Value> {
    tables.iter().map(|table| table.clone().into_inline_table().into()).collect()
}

/// One line, or one for each element.
fn lay_out(list: &mut Array, trailing: &str) {
    let chars: usize = list.iter().map(|value| value.to_string().trim().len() + 2).sum();
    let has_comment = trailing.contains('#')
        || list.iter().any(|value| value.decor().prefix().is_some_and(holds_comment));
    if list.is_empty() && !has_comment {
        list.set_trailing("");
        list.set_trailing_comma(false);
        return;
    }
    let were_lines = trailing.contains('\n');
    let in_lines = has_comment || (list.len() > 1 && (were_lines || chars > LINE_CHARS));
    for (index, value) in list.iter_mut().enumerate() {
        let decor = value.decor_mut();
        decor.set_suffix("");
        if !in_lines {
            decor.set_prefix(if index == 0 { "" } else { " " });
        } else if !decor.prefix().is_some_and(holds_comment) {
            decor.set_prefix("\n    ");
        }
    }
    list.set_trailing_comma(in_lines);
    let comment = if has_comment { trailing.trim_end() } else { "" };
    list.set_trailing(if in_lines { format!("{comment}\n") } else { String::new() });
}

fn holds_comment(text: &toml_edit::RawString) -> bool {
    text.as_str().is_some_and(|text| text.contains('#'))
}

/// Something that a list of a case can hold.
trait Written: Item {
    /// All that is worth being said about it.
    fn value(&self) -> Value;

    /// Makes what the case says about this true of `found`, and says nothing more.
    fn change(&self, value: &mut Value, found: &Self);
}

impl Written for ExpectedAlert {
    fn value(&self) -> Value {
        let mut table = InlineTable::new();
        table.insert("rule", self.rule.as_str().into());
        // A list of one log, or of rules without groups, need not say so.
        let group = self.group.as_deref().filter(|group| !group.is_empty());
        put(&mut table, "source", self.source.as_deref());
        put(&mut table, "group", group);
        put(&mut table, "started_at", self.started_at.map(rfc3339));
        put(&mut table, "ended_at", self.ended_at.map(rfc3339));
        put(&mut table, "measured", self.measured.map(measured));
        put(&mut table, "number", self.number.filter(|number| *number != 1));
        put(&mut table, "state", self.state.map(State::as_str));
        put(&mut table, "withdrawn", self.withdrawn.filter(|withdrawn| *withdrawn));
        table.into()
    }

    fn change(&self, value: &mut Value, found: &Self) {
        let Some(table) = value.as_inline_table_mut() else { return };
        replace(table, "source", found.source.as_deref());
        replace(table, "group", found.group.as_deref());
        replace(table, "started_at", found.started_at.map(rfc3339));
        replace(table, "ended_at", found.ended_at.map(rfc3339));
        replace(table, "measured", found.measured.map(measured));
        replace(table, "number", found.number);
        replace(table, "state", found.state.map(State::as_str));
        replace(table, "withdrawn", found.withdrawn);
    }
}

impl Written for ExpectedNotification {
    fn value(&self) -> Value {
        let mut table = InlineTable::new();
        table.insert("rule", self.rule.as_str().into());
        let group = self.group.as_deref().filter(|group| !group.is_empty());
        put(&mut table, "source", self.source.as_deref());
        put(&mut table, "group", group);
        table.insert("kind", self.kind.as_str().into());
        put(&mut table, "number", self.number.filter(|number| *number != 1));
        put(&mut table, "at", self.at.map(rfc3339));
        table.into()
    }

    fn change(&self, value: &mut Value, found: &Self) {
        let Some(table) = value.as_inline_table_mut() else { return };
        replace(table, "source", found.source.as_deref());
        replace(table, "group", found.group.as_deref());
        replace(table, "number", found.number);
        replace(table, "at", found.at.map(rfc3339));
    }
}

impl Written for String {
    fn value(&self) -> Value {
        self.as_str().into()
    }

    fn change(&self, value: &mut Value, found: &Self) {
        *value = found.as_str().into();
    }
}

fn put<T: Into<Value>>(table: &mut InlineTable, key: &str, value: Option<T>) {
    if let Some(value) = value {
        table.insert(key, value.into());
    }
}

/// Changes a key that is there, or removes it where nothing is known.
fn replace<T: Into<Value>>(table: &mut InlineTable, key: &str, value: Option<T>) {
    let Some(old) = table.get_mut(key) else { return };
    match value.map(Into::into) {
        Some(mut value) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.remove(key);
        }
    }
}

/// To the thousandth, as it is compared; without a fraction where there is none.
fn measured(measured: f64) -> Value {
    let rounded = (measured * 1000.0).round() / 1000.0;
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        return (rounded as i64).into();
    }
    rounded.into()
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
