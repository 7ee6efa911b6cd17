//! Tables of a page.

use maud::{Markup, html};

use crate::records::Failure;
use crate::report::text_table::Grid;

/// A table that can be sorted by each of its columns. It scrolls in its own box where it is too
/// wide.
pub(super) fn grid(grid: &Grid, caption: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption.hidden { (caption) }
                thead {
                    tr {
                        @for (place, head) in grid.head.iter().enumerate() {
                            th scope="col" class=[(place >= grid.words).then_some("number")] {
                                button type="button" { (head) }
                            }
                        }
                    }
                }
                tbody {
                    @for row in &grid.rows {
                        tr {
                            @for (place, cell) in row.iter().enumerate() {
                                @if place == 0 {
                                    th scope="row" { (cell) }
                                } @else {
                                    td class=[class(cell, place >= grid.words)] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A sentence whose words in backticks are names from files.
pub(super) fn prose(sentence: &str) -> Markup {
    html! {
        @for (place, part) in sentence.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Verdicts have colours, and words, so that nobody needs the colours.
fn class(cell: &str, number: bool) -> Option<&str> {
    match cell {
        "better" | "worse" => Some(cell),
        _ => number.then_some("number"),
    }
}

/// The samples that could not be scored.
pub(super) fn failures(failures: &[Failure]) -> Markup {
    html! {
        ul {
            @for Failure { dataset, sample, model, error } in failures {
                li { code { (sample) } " (" (dataset) ", " (model) "): " (error) }
            }
        }
    }
}
