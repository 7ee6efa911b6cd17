//! Every tensor of the golden index that this crate has an answer to, against ours.

#[path = "../../ucag-core/tests/support/mod.rs"]
mod support;

use metrics::averaging::{Class, by_class, class_mean};
use metrics::blur::{Blur, rise_kernel};
use metrics::deletion_insertion::{Perturbation, ScoredClass, auc, curve, order};
use metrics::density::{Part, map_density};
use metrics::pointing_game::{TOLERANCE, hit};
use metrics::protocol::{EmptyPairs, TieOrder};
use metrics::segmentation::{Confusion, Label, Threshold, channels_precision, hard};
use metrics::{BoxError, Endpoints, Mask, Result, ScoreInput, Validity, energy};
use support::{Entry, Golden, Verdict};
use tch::{Kind, Tensor};
use ucag_core::network::Network;
use ucag_core::pass::{Needs, Pass};

fn main() {
    tch::set_num_threads(1);
    let golden = Golden::open();
    golden.judge("metrics", |entry| verdict(&golden, entry));
}

fn verdict(golden: &Golden, entry: &Entry) -> Verdict {
    let key = entry.key.as_str();
    let what = match (entry.file.as_str(), entry.tolerance, key.split_once('/')) {
        ("metrics", None, _) => return Verdict::NotCovered("input of other checks"),
        ("metrics", _, Some(("insdel", what))) => what,
        ("metrics", _, Some(("blur", "kernel51_sigma50"))) => {
            let input = golden.tensor("metrics", "blur/input").unsqueeze(0);
            return Verdict::Ours(Blur::Authors.apply(&input).expect("64 pixels a side").squeeze_dim(0));
        }
        ("metrics", _, Some(("blur", _))) => return Verdict::NotCovered("blurs: see ucag-core's golden test"),
        ("metrics", _, Some(("pointing" | "energy", _))) => return games(golden, key),
        ("metrics", _, Some(("segmentation", what))) => return segmentation(golden, what),
        ("metrics", _, Some(("density", what))) => return densities(golden, what),
        _ => return Verdict::NotCovered("networks and maps: see ucag-core's golden test"),
    };
    if what == "rise_blur_kernel" {
        let taps = rise_kernel();
        return Verdict::Ours(taps.outer(&taps));
    }
    let Some((run, result)) = what.split_once('/') else {
        return Verdict::NotCovered("a key that this test doesn't know");
    };
    match curves(golden, run) {
        Ok(Some(curves)) if result == "auc" => {
            Verdict::Ours(Tensor::from_slice(&curves.iter().map(|curve| auc(curve)).collect::<Vec<_>>()))
        }
        Ok(Some(curves)) => {
            Verdict::Ours(Tensor::stack(&curves.iter().map(|c| Tensor::from_slice(c)).collect::<Vec<_>>(), 0))
        }
        Ok(None) => Verdict::NotCovered("a key that this test doesn't know"),
        Err(error) => panic!("{key}: {error}"),
    }
}

/// Both pointing games, from the masks that they share.
fn games(golden: &Golden, key: &str) -> Verdict {
    let tensor = |what: &str| golden.tensor("metrics", what);
    let masks = tensor("pointing/masks");
    let width = masks.size()[2] as usize;
    let mask = |i: i64| -> Vec<bool> {
        Vec::<u8>::try_from(&masks.get(i).flatten(0, -1)).expect("bytes").into_iter().map(|byte| byte > 0).collect()
    };
    let hits = || -> Vec<f64> {
        let points = tensor("pointing/points_xy").to_kind(Kind::Double);
        let hit =
            |i| hit([0, 1].map(|axis| points.double_value(&[i, axis])), &Mask { pixels: &mask(i), width }, TOLERANCE);
        (0..masks.size()[0]).map(|i| f64::from(u8::from(hit(i)))).collect()
    };
    // The index says which class a case is of.
    let classes = || by_class(hits().into_iter().enumerate().map(|(i, value)| (i % 20, value)), 20, None);
    match key {
        "pointing/hits" => Verdict::Ours(Tensor::from_slice(&hits().iter().map(|v| 2.0 * v - 1.0).collect::<Vec<_>>())),
        "pointing/class_accuracies" => {
            Verdict::Ours(Tensor::from_slice(&classes().iter().map(Class::mean).collect::<Vec<_>>()))
        }
        "pointing/accuracy" => Verdict::Ours(Tensor::from(class_mean(&classes()))),
        "energy/proportion" => {
            let (maps, theirs) = (tensor("energy/maps"), tensor(key).to_kind(Kind::Double));
            let share = |i| {
                let map = maps.get(i);
                match energy(&map, &Mask { pixels: &mask(i), width }).expect("a map that fits") {
                    // The reference divides 0 by 0 then.
                    0.0 if map.count_nonzero(None).int64_value(&[]) == 0 && theirs.double_value(&[i]).is_nan() => {
                        f64::NAN
                    }
                    share => share,
                }
            };
            Verdict::Ours(Tensor::from_slice(&(0..maps.size()[0]).map(share).collect::<Vec<_>>()))
        }
        _ => Verdict::NotCovered("a key that this test doesn't know"),
    }
}

/// Segmentation at both thresholds: each image, and all of them.
fn segmentation(golden: &Golden, what: &str) -> Verdict {
    let tensor = |what: &str| golden.tensor("metrics", &format!("segmentation/{what}"));
    let (maps, labels) = (tensor("maps"), tensor("labels").to_kind(Kind::Int64));
    let count = maps.size()[0];
    // Correct and labelled pixels and average precision of an image.
    let image = |i: i64, threshold: Threshold| -> [f64; 3] {
        let map = Vec::<f32>::try_from(&maps.get(i).flatten(0, -1)).expect("numbers");
        let labels = Vec::<i64>::try_from(&labels.get(i).flatten(0, -1)).expect("labels");
        let labels: Vec<Label> = labels.into_iter().map(|label| (label >= 0).then_some(label == 1)).collect();
        let channels = hard(&map, threshold);
        let [correct, labelled] = Confusion::of(&channels, &labels).accuracy();
        [correct as f64, labelled as f64, channels_precision(&channels, &labels).expect("finite scores")]
    };
    let total = |threshold| {
        let images: Vec<[f64; 3]> = (0..count).map(|i| image(i, threshold)).collect();
        let sum = |column: usize| images.iter().map(|image| image[column]).sum::<f64>();
        Verdict::Ours(Tensor::from_slice(&[sum(0) / sum(1), sum(2) / count as f64]))
    };
    match what {
        "zero/total" => total(Threshold::Zero),
        "mean/total" => total(Threshold::Mean),
        "per_image" => {
            let theirs = tensor("per_image").to_kind(Kind::Double);
            let row = |row: i64| {
                let of = theirs.get(row);
                let number = |column| of.double_value(&[column]);
                let threshold = if number(1) == 0.0 { Threshold::Zero } else { Threshold::Mean };
                let ours = image(number(0) as i64, threshold);
                // Beside counts of thousands, the table's tolerance says nothing of a precision.
                let same = (ours[2] - number(4)).abs() < 1e-6 || (ours[2].is_nan() && number(4).is_nan());
                assert!(same, "image {} at {threshold:?}: {ours:?} for {of}", number(0));
                Tensor::from_slice(&[&[number(0), number(1)], &ours[..]].concat())
            };
            Verdict::Ours(Tensor::stack(&(0..theirs.size()[0]).map(row).collect::<Vec<_>>(), 0))
        }
        _ => Verdict::NotCovered("a key that this test doesn't know"),
    }
}

/// Both densities of each image.
fn densities(golden: &Golden, what: &str) -> Verdict {
    if what != "positive_negative" {
        return Verdict::NotCovered("a key that this test doesn't know");
    }
    let tensor = |what: &str| golden.tensor("metrics", &format!("density/{what}"));
    let theirs = tensor(what).to_kind(Kind::Double);
    // The network that the reference names last.
    let reference = golden.entries.iter().find(|entry| entry.key == "density/positive_negative");
    let net = reference.and_then(|entry| entry.reference.rsplit(' ').next()).expect("the reference names a network");
    let network = golden.network(net, false);
    let probabilities = probabilities(&network);
    let (images, maps, classes) = (tensor("images"), tensor("maps"), tensor("classes"));
    let of = |row: i64, part: Part, i: i64| {
        let (image, map) = (images.narrow(0, i, 1), maps.get(i));
        let class = classes.int64_value(&[i]) as usize;
        let density = map_density(&map, &image, class, &probabilities, part);
        let theirs = theirs.double_value(&[row, i]);
        // A map that marks nothing has no density: the reference divides by 0 then.
        let Some(ours) = density.expect("a map that fits") else {
            assert!(!theirs.is_finite(), "{part:?} of image {i}: no number, not {theirs}");
            return theirs as f32;
        };
        // Beside the largest, the table's tolerance says little of the smallest, which is 200,000
        // times smaller.
        assert!((ours - theirs).abs() < 1e-4 * theirs, "{part:?} of image {i}: {ours}, not {theirs}");
        ours as f32
    };
    let row = |row, part| Tensor::from_slice(&(0..images.size()[0]).map(|i| of(row, part, i)).collect::<Vec<_>>());
    Verdict::Ours(Tensor::stack(&[row(0, Part::Marked), row(1, Part::Rest)], 0))
}

/// The curves of a run: `[rise_]{del,ins}_stepN`, or `tied`, whose order is given.
fn curves(golden: &Golden, run: &str) -> Result<Option<Vec<Vec<f32>>>> {
    let tensor = |what: &str| golden.tensor("metrics", &format!("insdel/{what}"));
    let images = tensor("images");
    // The index says in words which network is explained.
    let note = golden.note("metrics", "insdel/images");
    let net = note.rsplit(' ').next().expect("the note names a network");
    let network = golden.network(net, false);
    let probabilities = probabilities(&network);
    let rise = run.starts_with("rise_");
    let count = if rise { 1 } else { images.size()[0] };
    let step = |text: &str| text.rsplit_once("_step").and_then(|(_, step)| step.parse().ok());
    let (step, maps) = match run {
        // As many steps as the reference's curve has.
        "tied" => {
            let points = tensor("tied/curve").size()[1] as usize;
            (Some(images.size()[2] as usize * images.size()[3] as usize / (points - 1)), tensor("tied/maps"))
        }
        _ => match step(run) {
            Some(step) => (Some(step), tensor("maps")),
            None => return Ok(None),
        },
    };
    let start = match run.trim_start_matches("rise_") {
        r if r.starts_with("del") || r == "tied" => Perturbation::Deletion,
        r if r.starts_with("ins") && rise => Perturbation::Insertion(Blur::Rise),
        r if r.starts_with("ins") => Perturbation::Insertion(Blur::Authors),
        _ => return Ok(None),
    };
    let scored = if rise { ScoredClass::Predicted } else { ScoredClass::Given };
    let deleted = Tensor::zeros([1, 3, 1, 1], (Kind::Float, tch::Device::Cpu));
    let mut curves = Vec::new();
    for i in 0..count {
        let (image, map) = (images.narrow(0, i, 1), maps.get(i));
        let class = tensor("targets").int64_value(&[i]) as usize;
        let input = ScoreInput {
            map: &map,
            signed: false,
            validity: Validity::Valid,
            point: None,
            image: &image,
            class,
            classifier: &probabilities,
            endpoints: &Endpoints::default(),
            deleted: &deleted,
            tie_order: TieOrder::LargerIndexFirst,
            step,
            batch: 16,
            region: None,
            object: None,
            empty_pairs: EmptyPairs::Released,
        };
        let order = match run {
            "tied" => tensor("tied/order").get(i).to_kind(Kind::Int64),
            _ => order(&map, TieOrder::LargerIndexFirst)?,
        };
        curves.push(curve(&input, &order, start, scored)?);
    }
    Ok(Some(curves))
}

fn probabilities(network: &Network) -> impl Fn(&Tensor) -> Result<Tensor, BoxError> {
    |images| Ok(Pass::new(network, images.shallow_clone(), 0, Needs::default())?.logits()?.softmax(1, Kind::Float))
}
