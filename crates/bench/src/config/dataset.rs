//! `[dataset]`, or several `[[dataset]]`.

use ucag_core::suggest::{hint, nearest};

use super::Dataset;
use super::section::{Choice, Section, Strings, Unique, count};

/// The data sets; none where something is wrong with the only one.
pub(super) fn datasets(root: &mut Section<'_>) -> Vec<Dataset> {
    const WHAT: &str = "say with 'kind' and 'root' what to run on";
    let mut names = Unique::default();
    if root.is_array("dataset") {
        let sections = root.list("dataset", "[[dataset]]", WHAT);
        return sections.into_iter().filter_map(|section| dataset(section, &mut names)).collect();
    }
    dataset(root.require_table("dataset", "[dataset]", WHAT), &mut names).into_iter().collect()
}

fn dataset(mut section: Section<'_>, names: &mut Unique) -> Option<Dataset> {
    let kind = section.require("kind", "which data set this is (see: bench list datasets)");
    let root = section.require("root", "the data set's folder");
    let limit = count(&mut section, "limit");
    let samples = samples(&mut section);
    let difficult = section.get("difficult");
    let resize = section.get("resize").map(|Choice(resize)| resize);
    let void = mask_value(&mut section, "void");
    let threshold = mask_value(&mut section, "threshold");
    let name = section.get::<String>("name").or_else(|| kind.clone());
    let kind = kind.and_then(|kind: String| {
        let ids = || datasets::DATASETS.iter().map(|known| known.id);
        let known = ids().any(|id| id == kind);
        let unknown = || format!("unknown data set '{kind}'{}", hint(nearest(&kind, ids()).as_deref()));
        section.check("kind", if known { Ok(()) } else { Err(format!("{} (see: bench list datasets)", unknown())) })?;
        Some(kind)
    });
    if let Some(name) = &name
        && let Some(first) = names.clash(name, section.place("name"))
    {
        section
            .problem("name", format!("the data set at {first} is called '{name}' too; give each a 'name' of its own"));
    }
    section.finish();
    Some(Dataset { name: name?, kind: kind?, root: root?, limit, samples, difficult, resize, void, threshold })
}

/// A value in masks other than background's 0, of up to 16 bits.
fn mask_value(section: &mut Section<'_>, key: &'static str) -> Option<u16> {
    let value = count(section, key)?;
    section.check(key, u16::try_from(value).map_err(|_| format!("masks have values of up to 65535, not {value}")))
}

/// The ids of the only samples to run, each once.
fn samples(section: &mut Section<'_>) -> Option<Vec<String>> {
    let is_there = section.has("samples");
    let Some(Strings(ids)) = section.get("samples") else { return is_there.then(Vec::new) };
    let twice = ids.iter().enumerate().find(|(place, id)| ids[..*place].contains(id));
    match twice {
        _ if ids.is_empty() => section.problem("samples", "is empty; leave it out for all samples"),
        Some((_, id)) => section.problem("samples", format!("lists '{id}' twice")),
        None => {}
    }
    Some(ids)
}
