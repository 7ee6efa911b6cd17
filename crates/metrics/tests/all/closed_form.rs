//! Deletion and insertion of toy networks whose curves are known in closed form.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::cell::RefCell;

use metrics::blur::Blur;
use metrics::deletion_insertion::{AreaUnderCurve, Perturbation, ScoredClass, auc, order, score};
use metrics::protocol::{EmptyPairs, TieOrder};
use metrics::{
    BoxError, DeletionOptions, Endpoints, Error, InsertionOptions, ScoreInput, Validity, deletion, insertion,
};
use tch::{Device, Kind, Tensor};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// Probability of class 0: the fraction of pixels that are lit.
fn lit(images: &Tensor) -> Result<Tensor, BoxError> {
    let fraction = images.select(1, 0).flatten(1, -1).mean_dim(1, true, Kind::Float);
    Ok(Tensor::cat(&[&fraction, &(1.0 - &fraction)], 1))
}

/// Deletion of lit pixels.
fn deleted(map: &Tensor, image: &Tensor, step: usize, batch: usize) -> AreaUnderCurve {
    let options = DeletionOptions { step: Some(step), batch, ..DeletionOptions::default() };
    deletion(map, image, 0, &lit, &options).unwrap()
}

/// A 10 × 10 image whose first `count` pixels are lit.
fn image(count: i64) -> Tensor {
    let plane = Tensor::arange(100, FLOAT).lt(count as f64).to_kind(Kind::Float).view([1, 1, 10, 10]);
    plane.expand([1, 3, 10, 10], false).contiguous()
}

/// Saliency that falls with the index, so that pixels are taken in order.
fn falling() -> Tensor {
    Tensor::arange(100, FLOAT).neg().view([10, 10])
}

#[test]
fn deletion_of_a_lit_image_falls_linearly() {
    let AreaUnderCurve { area, curve } = deleted(&falling(), &image(100), 10, 4);
    assert!((area - 0.5).abs() < 1e-6, "{area}");
    assert_eq!(curve.len(), 11);
    assert!((curve[3] - 0.7).abs() < 1e-6);
}

#[test]
fn a_perfect_map_of_a_fifth_scores_its_triangle() {
    // 20 lit pixels, deleted first: 0.2, 0.1, 0, 0, …, so the area is (0.1 + 0.1 + …) = (0.2/2 +
    // 0.1) / 10.
    let (map, image) = (falling(), image(20));
    let perfect = deleted(&map, &image, 10, 16).area;
    assert!((perfect - 0.02).abs() < 1e-6, "{perfect}");
    // The reverse: 0.2 until the last two steps.
    let worst = deleted(&map.neg(), &image, 10, 16).area;
    assert!((worst - (0.1 + 8.0 * 0.2 + 0.1) / 10.0).abs() < 1e-6, "{worst}");
}

#[test]
fn a_shorter_last_step_counts_in_full() {
    // Steps of 30: 0.0, 0.3, 0.6, 0.9, 1.0 deleted, four steps of equal weight.
    let area = deleted(&falling(), &image(100), 30, 16).area;
    let expected = (1.0 / 2.0 + 0.7 + 0.4 + 0.1 + 0.0) / 4.0;
    assert!((area - expected).abs() < 1e-6, "{area}");
}

#[test]
fn the_batch_size_changes_nothing() {
    let (map, image) = (falling(), image(37));
    let curve = |batch| deleted(&map, &image, 7, batch).curve;
    assert_eq!(curve(1), curve(5));
    assert_eq!(curve(1), curve(1000));
}

#[test]
fn ties_are_ordered_as_named() {
    let map = Tensor::from_slice(&[1f32, 3., 1., 3., 0., 1.]).view([2, 3]);
    let indices = |ties| Vec::<i64>::try_from(order(&map, ties).unwrap()).unwrap();
    assert_eq!(indices(TieOrder::LargerIndexFirst), [3, 1, 5, 2, 0, 4]);
    assert_eq!(indices(TieOrder::SmallerIndexFirst), [1, 3, 0, 2, 5, 4]);
}

#[test]
fn insertion_of_a_constant_image_is_flat() {
    // Blurring a constant changes nothing, so every point of the curve is the same.
    let image = Tensor::full([1, 3, 60, 60], 0.25, FLOAT);
    let map = Tensor::arange(3600, FLOAT).view([60, 60]);
    let area = insertion(&map, &image, 0, &lit, &InsertionOptions::default()).unwrap().area;
    assert!((area - 0.25).abs() < 1e-5, "{area}");
}

#[test]
fn the_ends_are_asked_for_once_for_all_maps() {
    let deleted = Tensor::zeros([1, 3, 1, 1], FLOAT);
    let image = image(30).repeat([1, 1, 3, 3]);
    let asked = RefCell::new(Vec::new());
    let counting = |images: &Tensor| {
        asked.borrow_mut().push(images.size()[0]);
        lit(images)
    };
    let endpoints = Endpoints::default();
    let maps = [1.0, -1.0].map(|sign| Tensor::arange(900, FLOAT).view([30, 30]) * sign);
    let mut curves = Vec::new();
    for map in &maps {
        for perturbation in [Perturbation::Deletion, Perturbation::Insertion(Blur::Authors)] {
            let input = ScoreInput {
                map,
                signed: false,
                validity: Validity::Valid,
                point: None,
                image: &image,
                class: 0,
                classifier: &counting,
                endpoints: &endpoints,
                deleted: &deleted,
                tie_order: TieOrder::LargerIndexFirst,
                step: Some(200),
                batch: 16,
                region: None,
                object: None,
                empty_pairs: EmptyPairs::Released,
            };
            curves.push(score(&input, perturbation, ScoredClass::Given).unwrap().curve.unwrap());
        }
    }
    // 900 pixels in steps of 200: four points between the ends, of which there are three in all.
    assert_eq!(asked.into_inner(), [1, 1, 4, 1, 4, 4, 4]);
    assert!(curves.iter().all(|curve| curve.len() == 6));
    assert_eq!((curves[0][0], curves[2][5], curves[1][5], curves[3][5]), (0.3, 0.0, 0.3, 0.3));
    assert_eq!(curves[1][0], curves[3][0]);
}

#[test]
fn batches_are_of_nearly_one_size() {
    let asked = RefCell::new(Vec::new());
    let counting = |images: &Tensor| {
        asked.borrow_mut().push(images.size()[0]);
        lit(images)
    };
    let options = DeletionOptions { step: Some(5), batch: 16, ..DeletionOptions::default() };
    let curve = deletion(&falling(), &image(100), 0, &counting, &options).unwrap().curve;
    // Twenty steps: nineteen points between the ends, and a batch of 16 at most.
    assert_eq!(asked.into_inner(), [1, 1, 10, 9]);
    for (step, value) in curve.iter().enumerate() {
        assert!((value - (1.0 - 0.05 * step as f32)).abs() < 1e-6, "{step}: {value}");
    }
}

#[test]
fn a_deleted_pixel_has_the_value_asked_for() {
    // Of a dark image, pixels are deleted to 0.5 in the channel that counts.
    let dark = image(0);
    let last = |deleted: Vec<f32>| {
        let options = DeletionOptions { deleted, step: Some(50), ..DeletionOptions::default() };
        deletion(&falling(), &dark, 0, &lit, &options).map(|score| score.curve)
    };
    assert_eq!(last(vec![0.5]).unwrap(), [0.0, 0.25, 0.5]);
    assert_eq!(last(vec![0.5, 0.0, 9.0]).unwrap(), [0.0, 0.25, 0.5]);
    let refused = last(vec![0.5, 0.5]).unwrap_err().to_string();
    assert_eq!(refused, "a deleted pixel has 2 values; expected 1, or 3 as the image");
}

#[test]
fn area_of_a_short_curve() {
    assert_eq!(auc(&[]), 0.0);
    assert_eq!(auc(&[0.5]), 0.5);
    assert_eq!(auc(&[1.0, 0.0]), 0.5);
    assert_eq!(auc(&[1.0, 0.5, 0.0]), 0.5);
}

#[test]
fn bad_input_is_refused_in_words() {
    let image = image(10);
    let options = |step| DeletionOptions { step: Some(step), ..DeletionOptions::default() };
    let message = |map: &Tensor, step: usize, class: usize| {
        deletion(map, &image, class, &lit, &options(step)).unwrap_err().to_string()
    };
    let nan = Tensor::full([10, 10], f64::NAN, FLOAT);
    assert!(message(&nan, 10, 0).contains("not finite"));
    assert_eq!(message(&Tensor::zeros([9, 10], FLOAT), 10, 0), "a map of [9, 10] for an image of 10 × 10 pixels");
    assert_eq!(message(&falling(), 0, 0), "a step of 0 pixels");
    assert_eq!(message(&falling(), 10, 2), "probabilities [1, 2] for 1 images, class 2");
    let failing = |_: &Tensor| -> Result<Tensor, BoxError> { Err("out of memory".into()) };
    let error = deletion(&falling(), &image, 0, &failing, &options(10)).unwrap_err();
    assert!(matches!(error, Error::Network(_)));
    assert_eq!(error.to_string(), "asking the network: out of memory");
    let small = Tensor::zeros([1, 3, 20, 20], FLOAT);
    let map = Tensor::zeros([20, 20], FLOAT);
    let error = insertion(&map, &small, 0, &lit, &InsertionOptions::default()).unwrap_err().to_string();
    assert!(error.contains("needs more than 25 pixels"), "{error}");
}
