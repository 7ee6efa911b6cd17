//! `[[method]]` with `kind = "precomputed"`.

use std::path::PathBuf;

use serde::Deserialize;
use ucag_core::explain::METHODS;
use ucag_core::postprocess::MapKind;
use ucag_core::suggest::{hint, nearest};

use super::section::{Choice, Section, Unique};
use super::{Method, Precomputed, Source, Variant, method_list};

/// What kind of `[[method]]` a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// One of the registry's, with an `id`: what it is where nothing is said.
    Computed,
    /// Maps from files.
    Precomputed,
}

/// [`MapKind`] as configs have it. The others belong to single methods.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Finish {
    Cam,
    Signed,
    Plain,
    Heat,
}

/// Reads a table that is known to be of this kind.
pub(super) fn method(
    mut section: Section<'_>,
    ids: &mut Unique,
    datasets: &[&str],
    variants: &[Variant],
) -> Option<Method> {
    let name: Option<String> = section.require("name", "what records and tables call it");
    let maps: Option<PathBuf> = if section.has("maps_with_ucag") {
        section.get("maps")
    } else {
        section.require("maps", "the folder of its maps ('maps_with_ucag' for those that UCAG has folded already)")
    };
    let maps_with_ucag: Option<PathBuf> = section.get("maps_with_ucag");
    let map_kind: Option<Choice<Finish>> =
        section.require("post", "how its maps are finished: cam, signed, plain or heat (see docs/maps.md)");
    let only = section.has("dataset");
    let dataset = if only { Some(method_list::dataset(&mut section, datasets)) } else { None };
    let rows = rows(&mut section, variants, [maps.is_some(), maps_with_ucag.is_some()]);
    refuse(
        &mut section,
        "ucag",
        "UCAG can't be around maps that are made already; 'maps_with_ucag' is the folder of those that it has folded",
    );
    refuse(&mut section, "id", "is for methods that are computed here; maps from files have a 'name'");
    if let (Some(name), None | Some(Some(_))) = (&name, dataset) {
        if METHODS.iter().any(|known| known.id == name || known.name == name) {
            section.problem("name", format!("'{name}' is a method of this program; give the maps another name"));
        } else {
            let named = ("name", name.as_str(), "give each a 'name' of its own");
            method_list::unique(&section, ids, named, dataset.flatten(), datasets);
        }
    }
    section.finish();
    let map_kind = match map_kind?.0 {
        Finish::Cam => MapKind::Cam,
        Finish::Signed => MapKind::Signed,
        Finish::Plain => MapKind::MinMax,
        Finish::Heat => MapKind::NonNegative(None),
    };
    let dataset = match dataset {
        Some(named) => Some(named?),
        None => None,
    };
    let source = Source::Precomputed(Precomputed { maps, maps_with_ucag });
    Some(Method { id: name.clone()?, name: name?, source, map_kind, dataset, variants: rows? })
}

/// Says why a key of other methods isn't one of these.
fn refuse(section: &mut Section<'_>, key: &'static str, why: &str) {
    if section.node(key).is_some() {
        section.problem(key, why);
    }
}

/// The variants that the folders without and with UCAG are of: finished maps can't be of several.
fn rows(section: &mut Section<'_>, variants: &[Variant], folders: [bool; 2]) -> Option<Vec<usize>> {
    let named: Option<String> = section.get("variant");
    let names = || variants.iter().map(|variant| variant.name.as_str()).filter(|name| !name.is_empty());
    if let Some(named) = &named
        && !names().any(|known| known == named)
    {
        let meant = hint(nearest(named, names()).as_deref());
        section.problem("variant", format!("no variant is called '{named}'{meant}"));
        return None;
    }
    let mut rows = Vec::new();
    for (ucag, key) in [(false, "maps"), (true, "maps_with_ucag")] {
        if !folders[usize::from(ucag)] {
            continue;
        }
        let is = |variant: &Variant| variant.ucag == ucag && named.as_ref().is_none_or(|name| *name == variant.name);
        let these: Vec<usize> = (0..variants.len()).filter(|&place| is(&variants[place])).collect();
        let with = if ucag { "with" } else { "without" };
        match these[..] {
            [row] => rows.push(row),
            [] => {
                let named = named.unwrap_or_default();
                section.problem(key, format!("'{named}' is no variant {with} UCAG"));
                return None;
            }
            _ => {
                let names: Vec<&str> = these.iter().map(|&place| variants[place].name.as_str()).collect();
                let all = names.join("; ");
                section.problem(key, format!("say with 'variant' of which variant {with} UCAG these maps are ({all})"));
                return None;
            }
        }
    }
    Some(rows)
}
