//! `[[method]]` with `kind = "precomputed"`.

use std::path::PathBuf;

use serde::Deserialize;
use ucag_core::explain::METHODS;
use ucag_core::postprocess::MapKind;
use ucag_core::suggest::{hint, nearest};

use super::section::{Section, Unique, unique};
use super::values::Choice;
use super::{Method, Precomputed, Source, Variant, dataset, keys};

/// The source of a `[[method]]`'s maps.
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
pub(super) enum Finish {
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
    let name: Option<String> = section.require(&keys::precomputed::NAME);
    let maps: Option<PathBuf> = if section.has(&keys::precomputed::MAPS_WITH_UCAG) {
        section.get(&keys::precomputed::MAPS)
    } else {
        section.require(&keys::precomputed::MAPS)
    };
    let maps_with_ucag: Option<PathBuf> = section.get(&keys::precomputed::MAPS_WITH_UCAG);
    let map_kind: Option<Choice<Finish>> = section.require(&keys::precomputed::POST);
    let only = section.has(&keys::any_method::DATASET);
    let dataset = if only { Some(dataset::named(&mut section, &keys::any_method::DATASET, datasets)) } else { None };
    let rows = rows(&mut section, variants, [maps.is_some(), maps_with_ucag.is_some()]);
    section.refuse(
        &keys::method::UCAG,
        "UCAG can't be around maps that are made already; 'maps_with_ucag' is the folder of those that it has folded",
    );
    section.refuse(&keys::method::ID, "is for methods that are computed here; maps from files have a 'name'");
    if let (Some(name), None | Some(Some(_))) = (&name, dataset) {
        if METHODS.iter().any(|known| known.id == name || known.name == name) {
            section.problem(
                &keys::precomputed::NAME,
                format!("'{name}' is a method of this program; give the maps another name"),
            );
        } else {
            let named = (&keys::precomputed::NAME, name.as_str(), "give each a 'name' of its own");
            unique(&section, ids, named, dataset.flatten(), datasets);
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

/// The variants that the folders without and with UCAG are of: finished maps can't be of several.
fn rows(section: &mut Section<'_>, variants: &[Variant], folders: [bool; 2]) -> Option<Vec<usize>> {
    let named: Option<String> = section.get(&keys::precomputed::VARIANT);
    let names = || variants.iter().map(|variant| variant.name.as_str()).filter(|name| !name.is_empty());
    if let Some(named) = &named
        && !names().any(|known| known == named)
    {
        let meant = hint(nearest(named, names()).as_deref());
        section.problem(&keys::precomputed::VARIANT, format!("no variant is called '{named}'{meant}"));
        return None;
    }
    let mut rows = Vec::new();
    for (ucag, key) in [(false, &keys::precomputed::MAPS), (true, &keys::precomputed::MAPS_WITH_UCAG)] {
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
