//! Tables without lines around them, which fit the terminal where there is one.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Words of bounded length, kept on one line.
    Word,
    /// A number, set flush right.
    Number,
    /// A name of any length, which is broken where the terminal is too narrow.
    Name,
}

/// A table with these columns, each with its head.
pub(super) fn table(columns: &[(&str, Column)]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|(head, _)| *head));
    for (set, (_, column)) in table.column_iter_mut().zip(columns) {
        set.set_padding((0, 2));
        if *column != Column::Name {
            set.set_constraint(ColumnConstraint::ContentWidth);
        }
        if *column == Column::Number {
            set.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The table's text, without blanks at the ends of lines.
pub(super) fn text(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
