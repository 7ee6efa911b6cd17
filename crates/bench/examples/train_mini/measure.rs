//! Quality of a checkpoint on the held-out scenes, through the loaders of the real layouts.

use std::path::Path;

use anyhow::Result;
use bench::config::Resize;
use bench::run::input::input;
use datasets::{Dataset, Source};
use ucag_core::network::Network;
use ucag_core::pass::{Needs, Pass};

use crate::CLASSES;

/// Percentage of the scenes with one object whose class is the highest of the network's logits.
pub(crate) fn top_1(network: &Network) -> Result<f64> {
    let data = open("mini-imagefolder", "data/mini/imagefolder")?;
    let mut right = 0;
    for index in 0..data.len() {
        let sample = data.load(index)?;
        let seen = input(&sample.image, network, network.input_size, Resize::Squash)?;
        let logits = Pass::new(network, seen.image, 0, Needs::default())?.logits()?;
        right += i64::from(logits.argmax(1, false).int64_value(&[0]) == sample.labels[0] as i64);
    }
    Ok(100.0 * right as f64 / data.len() as f64)
}

/// Mean accuracy with which a network tells which classes are in the images of a data set. Pairs of
/// an image and a class all of whose objects are difficult don't count.
pub(crate) struct ManyLabels {
    /// The data set's kind.
    pub(crate) kind: &'static str,
    /// Mean over classes of the average precision, in percent.
    pub(crate) mean_average_precision: f64,
    /// For each class, the percentage of images where "a probability above 0.5" is right.
    pub(crate) accuracy: Vec<f64>,
}

/// Measures both data sets with several objects an image.
pub(crate) fn many_labels(network: &Network) -> Result<Vec<ManyLabels>> {
    let sets = [("mini-voc07", "data/mini/voc07"), ("mini-coco14", "data/mini/coco14")];
    sets.into_iter().map(|(kind, root)| measure(network, kind, &*open(kind, root)?)).collect()
}

fn open(kind: &str, root: &str) -> Result<Box<dyn Dataset>> {
    Ok(datasets::open(kind, &Source::at(Path::new(root)))?)
}

fn measure(network: &Network, kind: &'static str, data: &dyn Dataset) -> Result<ManyLabels> {
    // For each class, its logit and whether it is there, image by image.
    let mut pairs: Vec<Vec<(f64, bool)>> = vec![Vec::new(); CLASSES as usize];
    for index in 0..data.len() {
        let sample = data.load(index)?;
        let seen = input(&sample.image, network, network.input_size, Resize::ShorterSide)?;
        let logits = Pass::new(network, seen.image, 0, Needs::default())?.logits()?;
        for (class, pairs) in pairs.iter_mut().enumerate() {
            let region = sample.regions.iter().find(|region| region.class == class);
            if region.is_none_or(|region| !region.all_difficult) {
                pairs.push((logits.double_value(&[0, class as i64]), sample.labels.contains(&class)));
            }
        }
    }
    let right = |pairs: &Vec<(f64, bool)>| pairs.iter().filter(|(logit, there)| (*logit > 0.0) == *there).count();
    let accuracy = pairs.iter().map(|pairs| 100.0 * right(pairs) as f64 / pairs.len() as f64).collect();
    let mean = pairs.into_iter().map(average_precision).sum::<f64>() / CLASSES as f64;
    Ok(ManyLabels { kind, mean_average_precision: 100.0 * mean, accuracy })
}

/// Mean, over the images where the class is, of the precision among all images that score at least
/// as high.
fn average_precision(mut pairs: Vec<(f64, bool)>) -> f64 {
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut found, mut sum) = (0, 0.0);
    for (rank, (_, there)) in (1..).zip(&pairs) {
        if *there {
            found += 1;
            sum += f64::from(found) / f64::from(rank);
        }
    }
    sum / f64::from(found)
}
