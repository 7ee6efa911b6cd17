//! `bench list config`: every key of a config, on the terminal or as docs/config.md.

use std::io::{self, Write};

use super::list;
use crate::config::keys::{Entry, KeyTable, TABLES};

/// Names of the tables, each once.
pub fn sections() -> Vec<&'static str> {
    let mut names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    names.dedup();
    names
}

/// Writes the keys of all tables, or of one, aligned for a terminal.
///
/// # Errors
/// Where `out` can't be written to.
pub(super) fn write(section: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let chosen = TABLES.iter().filter(|table| section.is_none_or(|name| name == table.name));
    for (i, table) in chosen.enumerate() {
        writeln!(out, "{}{}: {}\n", if i > 0 { "\n" } else { "" }, table.header, table.summary)?;
        list::columns(out, &["key", "value", "default", "meaning"], table.keys().map(cells))?;
    }
    Ok(())
}

/// Writes the page docs/config.md.
///
/// # Errors
/// Where `out` can't be written to.
pub(super) fn write_markdown(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    TABLES.iter().try_for_each(|table| write_table(table, out))
}

const HEAD: &str = "\
# Config keys

Every key of every table of a config, written by `bench list config --markdown`. On the terminal,
`bench list config compute` shows one table. An unknown key is an error that names the nearest one.
`configs/table1.toml` is a config with comments.

Any key can be set on the command line: `--set compute.workers=4`, `--set model.0.layer=layer3`
(entries of lists are numbered from 0).
";

fn write_table(table: &KeyTable, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## {}\n\n{}\n", table.header, linked(table.summary))?;
    writeln!(out, "| key | value | default | meaning |\n|---|---|---|---|")?;
    for entry in table.keys() {
        let [key, cells @ ..] = &cells(entry)[..] else { continue };
        let cells: Vec<String> = cells.iter().map(|cell| linked(&cell.replace('|', "\\|"))).collect();
        writeln!(out, "| `{key}` | {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn cells(entry: &'static dyn Entry) -> Vec<String> {
    vec![entry.name().into(), entry.values(), entry.default(), entry.summary().into()]
}

/// Makes links of the documents that a text refers to, for a page that lies beside them.
fn linked(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([')', ',', ';', '.', ' ', '\n']);
        match bare.strip_prefix("docs/") {
            Some(page) => {
                let name = page.split_once('#').map_or(page, |(_, anchor)| anchor);
                format!("[{name}]({page}){}", &word[bare.len()..])
            }
            None => word.to_owned(),
        }
    };
    text.split_inclusive([' ', '\n']).map(word).collect()
}
