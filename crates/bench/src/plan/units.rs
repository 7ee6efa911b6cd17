//! Units of work: one for each sample and model.

/// The units of models that are on these data sets each, whose samples have these places.
pub(crate) fn units(models: &[usize], places: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    let count = models.len();
    let of = |(model, &dataset): (usize, &usize)| places(dataset).into_iter().map(move |sample| sample * count + model);
    let mut units: Vec<usize> = models.iter().enumerate().flat_map(of).collect();
    units.sort_unstable();
    units
}
