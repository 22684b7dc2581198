//! The figures, as a table and as JSON.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::measure::{Cost, median};

/// The figures of all measurements.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(skip)]
    pub(crate) rounds: usize,
    figures: Vec<Figure>,
}

/// What was measured, and against what.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    value: String,
    reference: String,
    /// How many times the reference; below 1 is better.
    ratio: Option<f64>,
    target: Option<f64>,
    peak_mib: Option<f64>,
}

/// More memory than this is too much, for any log.
const MOST_MIB: f64 = 48.0;

impl Report {
    pub(crate) fn new(rounds: usize) -> Self {
        Self { rounds, figures: Vec::new() }
    }

    /// Adds the wall times of a program and of a reference, measured in turns.
    pub(crate) fn compare(
        &mut self,
        name: &str,
        costs: &[Cost],
        reference: (&str, &[Cost]),
        target: Option<f64>,
    ) {
        let ratios = costs.iter().zip(reference.1).map(|(own, other)| own.wall / other.wall);
        let seconds = |costs: &[Cost]| median(costs.iter().map(|cost| cost.wall));
        self.add(Figure {
            name: name.to_owned(),
            value: time(seconds(costs)),
            reference: format!("{} {}", reference.0, time(seconds(reference.1))),
            ratio: Some(median(ratios)),
            target,
            peak_mib: Some(peak_mib(costs)),
        });
    }

    /// Adds a time that has no program of its own, against another one.
    pub(crate) fn compare_seconds(
        &mut self,
        name: &str,
        seconds: f64,
        reference: (&str, f64),
        target: f64,
    ) {
        self.add(Figure {
            name: name.to_owned(),
            value: time(seconds),
            reference: format!("{} {}", reference.0, time(reference.1)),
            ratio: Some(seconds / reference.1),
            target: Some(target),
            peak_mib: None,
        });
    }

    /// Adds millions of lines a second of processor time, against a rate that is wanted.
    pub(crate) fn rate(&mut self, name: &str, lines: u64, costs: &[Cost], wanted: f64) {
        #[expect(clippy::cast_precision_loss, reason = "a number of lines fits")]
        let rate = lines as f64 / median(costs.iter().map(|cost| cost.processor)) / 1e6;
        self.add(Figure {
            name: name.to_owned(),
            value: format!("{rate:.1} M lines/s of processor time"),
            reference: format!("wanted {wanted:.0} M lines/s"),
            ratio: Some(wanted / rate),
            target: Some(1.0),
            peak_mib: Some(peak_mib(costs)),
        });
    }

    fn add(&mut self, figure: Figure) {
        println!("{}: {} ({})", figure.name, figure.value, figure.reference);
        self.figures.push(figure);
    }

    /// Whether every ratio is as good as its target, and all stays within its memory.
    pub(crate) fn targets_are_met(&self) -> bool {
        self.figures.iter().all(Figure::is_good)
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["FIGURE", "TRIPLINE", "REFERENCE", "RATIO", "TARGET", "PEAK MIB", ""]);
        for figure in &self.figures {
            let number = |number: Option<f64>, digits| {
                number.map(|number| format!("{number:.digits$}")).unwrap_or_default()
            };
            table.add_row([
                figure.name.clone(),
                figure.value.clone(),
                figure.reference.clone(),
                number(figure.ratio, 2),
                number(figure.target, 2),
                number(figure.peak_mib, 1),
                if figure.is_good() { String::new() } else { "missed".to_owned() },
            ]);
        }
        for column in [3, 4, 5] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

impl Figure {
    fn is_good(&self) -> bool {
        let ratio = self.ratio.zip(self.target).is_none_or(|(ratio, target)| ratio <= target);
        ratio && self.peak_mib.is_none_or(|peak| peak < MOST_MIB)
    }
}

fn time(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

fn peak_mib(costs: &[Cost]) -> f64 {
    let kib = costs.iter().map(|cost| cost.peak_kib).max().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "memory in KiB fits")]
    let mib = kib as f64 / 1024.0;
    mib
}
