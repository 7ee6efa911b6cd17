//! Which units have the gallery's sheets that the config asks for. A gallery may be made larger when a run is done.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::Config;
use crate::plan::Plan;
use crate::plan::target_classes::known;
use crate::records::saved_maps;

/// Whether the config asks for sheets of the sample at `place`.
pub(crate) fn wanted(config: &Config, place: usize) -> bool {
    config.figure.is_some() || place < config.output.gallery
}

/// The units whose sheets are asked for and aren't in the gallery, or can't be read: whether or not they are done, they must be made.
pub(crate) fn missing(plan: &Plan, gallery: &Path) -> BTreeSet<usize> {
    let of = |unit: &usize| plan.unit(*unit);
    let units: Vec<usize> = plan.units().into_iter().filter(|unit| wanted(&plan.config, of(unit).0)).collect();
    if units.is_empty() {
        return BTreeSet::new();
    }
    let plates = saved_maps::folders(gallery).into_iter().filter_map(|folder| saved_maps::read(&folder).ok());
    let there: BTreeSet<(String, String, String, usize)> =
        plates.map(|plate| (plate.dataset, plate.sample, plate.model, plate.class)).collect();
    let lacks = |unit: &usize| {
        let (place, model) = of(unit);
        let model = &plan.models[model];
        let data = &plan.data[model.dataset];
        let key = |class| (data.name.clone(), data.dataset.id(place).to_owned(), model.name.clone(), class);
        match known(data, place, &plan.config) {
            Some(classes) => classes.into_iter().any(|class| !there.contains(&key(class))),
            // The network's own choice is one class.
            None => there.range(key(0)..=key(usize::MAX)).next().is_none(),
        }
    };
    units.into_iter().filter(lacks).collect()
}
