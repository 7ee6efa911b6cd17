//! A grid of text, for Markdown and for a terminal.

/// A head line and rows of as many columns. The first column is text, the others numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grid {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// Number of columns, from the left, that hold words.
    pub(crate) words: usize,
}

impl Grid {
    /// A Markdown table whose columns line up in the source, too.
    pub(crate) fn markdown(&self) -> String {
        let widths = self.widths();
        let rule = |(column, width): (usize, &usize)| match column < self.words {
            true => "-".repeat(*width),
            false => format!("{}:", "-".repeat(width - 1)),
        };
        let rule: Vec<String> = widths.iter().enumerate().map(rule).collect();
        let line = |cells: &[String]| format!("| {} |\n", self.padded(cells, &widths).join(" | "));
        let mut text = line(&self.head) + &format!("| {} |\n", rule.join(" | "));
        self.rows.iter().for_each(|row| text += &line(row));
        text
    }

    /// Lines for a terminal.
    pub(crate) fn terminal(&self) -> String {
        let widths = self.widths();
        let line = |cells: &[String]| format!("{}\n", self.padded(cells, &widths).join("  ").trim_end());
        let mut text = line(&self.head);
        self.rows.iter().for_each(|row| text += &line(row));
        text
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| &row[column]).chain([&self.head[column]]);
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(2)
        };
        (0..self.head.len()).map(width).collect()
    }

    fn padded(&self, cells: &[String], widths: &[usize]) -> Vec<String> {
        let pad = |(column, (cell, &width)): (usize, (&String, &usize))| match column < self.words {
            true => format!("{cell:<width$}"),
            false => format!("{cell:>width$}"),
        };
        cells.iter().zip(widths).enumerate().map(pad).collect()
    }
}
