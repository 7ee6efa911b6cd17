//! Checks of the documents: references resolve, and tables agree with the code.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bench::config::{PROTOCOLS, Protocol};

/// The page that is referred to by anchor.
const PAGE: &str = "docs/protocol.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    fs::read_to_string(root().join(PAGE)).unwrap()
}

/// Adds the project's own sources and documents below a folder, by path from the root.
fn collect(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        // Of data and results, the files directly there: below are what runs read and write.
        let outside =
            name.starts_with('.') || name == "target" || name.starts_with("data/") || name.starts_with("results/");
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() && !outside => collect(&path, files),
            Some("rs" | "md") if path.is_file() => files.push((name, fs::read_to_string(&path).unwrap())),
            _ => {}
        }
    }
}

fn files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    assert!(files.iter().any(|(name, _)| name == PAGE) && files.len() > 100, "{} files", files.len());
    files
}

/// The anchors that follow each `mark` in a text.
fn anchors<'a>(text: &'a str, mark: &str) -> impl Iterator<Item = &'a str> {
    text.split(mark).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn every_anchor_that_is_referred_to_exists() {
    let page = page();
    let defined: Vec<&str> = anchors(&page, "<a id=\"").collect();
    let known: BTreeSet<&str> = defined.iter().copied().collect();
    assert_eq!(known.len(), defined.len(), "an anchor is defined twice");
    let (mut references, mut missing) = (0, Vec::new());
    for (name, text) in files() {
        // From within the page, an anchor is referred to without the page's name.
        let marks: &[&str] = if name == PAGE { &["](#", "]: #"] } else { &["protocol.md#"] };
        for anchor in marks.iter().flat_map(|mark| anchors(&text, mark)).filter(|anchor| !anchor.is_empty()) {
            references += 1;
            if !known.contains(anchor) {
                missing.push(format!("{name}: {PAGE} has no anchor '{anchor}'"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(references > 100, "{references} references were found");
}

/// A difference between paper and code by its number alone, such as the letter D and 12.
fn is_bare_number(word: &str) -> bool {
    let digits = word.trim_matches(|c: char| !c.is_alphanumeric()).strip_prefix('D');
    digits.is_some_and(|digits| (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[test]
fn comments_refer_by_anchor_and_not_by_number() {
    let mut numbered = Vec::new();
    for (name, text) in files() {
        let comments = text.lines().filter(|line| name.ends_with(".md") || line.trim_start().starts_with("//"));
        let words: Vec<&str> =
            comments.flat_map(str::split_whitespace).filter(|word| !word.starts_with("//")).collect();
        for pair in words.windows(2) {
            let first = pair[0].trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            if first == "protocol" && pair[1].to_lowercase().starts_with("section") {
                numbered.push(format!("{name}: {}", pair.join(" ")));
            }
        }
        let bare = words.iter().filter(|word| name.ends_with(".rs") && is_bare_number(word));
        numbered.extend(bare.map(|word| format!("{name}: {word}")));
    }
    assert!(numbered.is_empty(), "refer to an anchor of {PAGE} instead:\n{}", numbered.join("\n"));
    assert!(is_bare_number("(D12)") && !is_bare_number("D") && !is_bare_number("#d12-x") && !is_bare_number("DB1"));
}

/// A number as the table has it: 6, 2.6 or 124/224.
fn number(text: &str) -> f64 {
    match text.split_once('/') {
        Some((part, whole)) => number(part) / number(whole),
        None => text.parse().unwrap(),
    }
}

#[test]
fn the_table_of_fields_says_what_each_protocol_has() {
    let page = page();
    let protocols: Vec<serde_json::Value> =
        PROTOCOLS.iter().map(|name| serde_json::to_value(Protocol::named(name).unwrap()).unwrap()).collect();
    let heading = format!("| field | {} | what it changes |", PROTOCOLS.join(" | "));
    assert!(page.contains(&heading), "{heading}");
    let fields =
        protocols[0].as_object().unwrap().keys().filter(|field| !["name", "version"].contains(&field.as_str()));
    for field in fields {
        let start = format!("| [{field}] | ");
        let row = page.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("no row {start}"));
        let cells: Vec<&str> = row.split(" | ").collect();
        for ((cell, protocol), name) in cells.iter().zip(&protocols).zip(PROTOCOLS) {
            let same = match &protocol[field] {
                serde_json::Value::String(text) => text == cell,
                serde_json::Value::Bool(value) => value.to_string() == *cell,
                value => value.as_f64() == Some(number(cell)),
            };
            assert!(same, "{PAGE}: {field} of {name} is {}, not {cell}", protocol[field]);
        }
    }
}

#[test]
fn the_generated_pages_are_those_of_the_program() {
    for name in ["methods", "metrics", "config"] {
        let mut bench = std::process::Command::new(env!("CARGO_BIN_EXE_bench"));
        let written = bench.args(["list", name, "--markdown"]).output().unwrap();
        let page = fs::read_to_string(root().join(format!("docs/{name}.md"))).unwrap_or_default();
        assert!(written.status.success());
        assert!(
            String::from_utf8(written.stdout).unwrap() == page,
            "docs/{name}.md is out of date: cargo run -p bench -- list {name} --markdown > docs/{name}.md"
        );
    }
}
