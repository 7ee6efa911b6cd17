//! Map densities of toy networks whose probabilities are known in closed form.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use metrics::protocol::{EmptyPairs, TieOrder};
use metrics::{BoxError, Direction, Endpoints, Error, Result, Score, ScoreInput, Validity, metric};
use tch::{Device, Kind, Tensor};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

type Answer = Result<Tensor, BoxError>;

/// Probability of class 1: a tenth, and a tenth of the mean over the pixels of the red channel,
/// squared.
fn squared(images: &Tensor) -> Answer {
    let red = images.select(1, 0).flatten(1, -1).square().mean_dim(1, true, Kind::Float) * 0.1 + 0.1;
    Ok(Tensor::cat(&[&(1.0 - &red), &red], 1))
}

/// Of 2 × 2 pixels, red 2, −2, 1 and 0; the other channels say nothing.
fn image() -> Tensor {
    let image = Tensor::full([1, 3, 2, 2], 7.0, FLOAT);
    image.select(1, 0).copy_(&Tensor::from_slice(&[2f32, -2.0, 1.0, 0.0]).view([1, 2, 2]));
    image
}

fn map(values: [f32; 4]) -> Tensor {
    Tensor::from_slice(&values).view([2, 2])
}

struct Asked<'a> {
    signed: bool,
    validity: Validity,
    class: usize,
    network: &'a dyn Fn(&Tensor) -> Answer,
}

const PLAIN: Asked<'_> = Asked { signed: false, validity: Validity::Valid, class: 1, network: &squared };

impl Asked<'_> {
    fn score(&self, id: &str, map: &Tensor, image: &Tensor) -> Result<Option<Score>> {
        let deleted = Tensor::zeros([1, 3, 1, 1], FLOAT);
        let case = ScoreInput {
            map,
            signed: self.signed,
            validity: self.validity,
            point: None,
            image,
            class: self.class,
            classifier: self.network,
            endpoints: &Endpoints::default(),
            deleted: &deleted,
            tie_order: TieOrder::LargerIndexFirst,
            step: None,
            batch: 1,
            region: None,
            object: None,
            empty_pairs: EmptyPairs::Released,
        };
        (metric(id).unwrap().score)(&case)
    }

    /// Positive and negative density.
    fn both(&self, map: &Tensor) -> [Option<f64>; 2] {
        ["positive-map-density", "negative-map-density"]
            .map(|id| self.score(id, map, &image()).unwrap().map(|score| score.value))
    }
}

fn near(ours: [Option<f64>; 2], expected: [f64; 2]) {
    for (ours, expected) in ours.into_iter().zip(expected) {
        let ours = ours.unwrap();
        assert!((ours - expected).abs() < 1e-6 * expected, "{ours}, not {expected}");
    }
}

#[test]
fn the_image_is_dimmed_and_the_probability_divided_by_the_mean() {
    // Dimmed to 2, −1, 0.25, 0: squares 4, 1, 0.0625, so 0.1 + 0.1 · 5.0625 / 4 over a mean of
    // 0.4375. The rest is 0, −1, 0.75, 0: 0.1 + 0.1 · 1.5625 / 4 over 0.5625.
    let expected = [0.2265625 / 0.4375, 0.1390625 / 0.5625];
    near(PLAIN.both(&map([1.0, 0.5, 0.25, 0.0])), expected);
    // The other class has what is left of the probability.
    let expected = [(1.0 - 0.2265625) / 0.4375, (1.0 - 0.1390625) / 0.5625];
    near(Asked { class: 0, ..PLAIN }.both(&map([1.0, 0.5, 0.25, 0.0])), expected);
}

#[test]
fn a_map_of_half_the_image_has_twice_the_probability_of_each_half() {
    // 2, 0, 1, 0: squares sum to 5; 0, −2, 0, 0: to 4.
    near(PLAIN.both(&map([1.0, 0.0, 1.0, 0.0])), [2.0 * (0.1 + 0.5 / 4.0), 2.0 * (0.1 + 0.4 / 4.0)]);
}

#[test]
fn a_saliency_is_taken_as_it_is() {
    // A blurred one needn't reach zero and one: 0.5 everywhere halves the image, whose squares sum
    // to 9.
    let half = 0.1 + 0.1 * 9.0 / 4.0 / 4.0;
    near(PLAIN.both(&map([0.5; 4])), [half / 0.5, half / 0.5]);
}

#[test]
fn a_signed_map_goes_to_the_unit_interval_by_its_own_ends() {
    let signed = Asked { signed: true, ..PLAIN };
    let expected = [0.2265625 / 0.4375, 0.1390625 / 0.5625];
    for (scale, shift) in [(1.0, 0.0), (4.0, -3.0), (0.0009765625, 0.0), (1024.0, 2048.0)] {
        let values = [1.0, 0.5, 0.25, 0.0].map(|value| value * scale + shift);
        near(signed.both(&map(values)), expected);
    }
    assert_eq!(signed.both(&map([-3.0; 4])), [None, None]);
}

#[test]
fn what_divides_by_nothing_has_no_number() {
    let image = image();
    for validity in [Validity::Constant, Validity::NonFinite] {
        assert_eq!(Asked { validity, ..PLAIN }.both(&map([0.0; 4])), [None, None]);
    }
    // All marked: nothing is left for the negative density, and the positive one is the image's own
    // probability.
    let [positive, negative] = PLAIN.both(&map([1.0; 4]));
    near([positive; 2], [0.1 + 0.1 * 9.0 / 4.0; 2]);
    assert_eq!(negative, None);
    assert_eq!(PLAIN.score("positive-map-density", &map([0.0; 4]), &image).unwrap(), None);
}

#[test]
fn bad_input_is_refused_in_words() {
    let refused = |asked: &Asked<'_>, map: &Tensor, image: &Tensor| {
        asked.score("positive-map-density", map, image).unwrap_err().to_string()
    };
    let fine = map([1.0, 0.5, 0.25, 0.0]);
    let wide = Tensor::zeros([2, 3], FLOAT);
    assert_eq!(refused(&PLAIN, &wide, &image()), "a map of [2, 3] for an image of 2 × 2 pixels");
    let two = Tensor::zeros([2, 3, 2, 2], FLOAT);
    assert!(refused(&PLAIN, &fine, &two).starts_with("one image of three channels"));
    for signed in [false, true] {
        let asked = Asked { signed, ..PLAIN };
        assert!(refused(&asked, &map([0.0, f32::NAN, 1.0, 0.5]), &image()).contains("not finite"));
        assert!(refused(&asked, &map([0.0, f32::INFINITY, 1.0, 0.5]), &image()).contains("not finite"));
    }
    let message = "map density needs a map in [0, 1]; this one has values from -0.5 to 2";
    assert_eq!(refused(&PLAIN, &map([-0.5, 0.0, 1.0, 2.0]), &image()), message);
    assert_eq!(refused(&Asked { class: 2, ..PLAIN }, &fine, &image()), "probabilities [1, 2] for 1 images, class 2");
    let failing = |_: &Tensor| -> Answer { Err("out of memory".into()) };
    let error = Asked { network: &failing, ..PLAIN }.score("positive-map-density", &fine, &image()).unwrap_err();
    assert!(matches!(error, Error::Network(_)));
}

#[test]
fn each_asks_once_and_knows_its_direction() {
    let [positive, negative] = ["positive-map-density", "negative-map-density"].map(|id| metric(id).unwrap());
    assert_eq!((positive.direction, negative.direction), (Direction::Higher, Direction::Lower));
    for metric in [positive, negative] {
        let asked = std::cell::Cell::new(0);
        let counting = |images: &Tensor| -> Answer {
            asked.set(asked.get() + images.size()[0] as usize);
            squared(images)
        };
        let asks = Asked { network: &counting, ..PLAIN };
        asks.score(metric.id, &map([1.0, 0.5, 0.25, 0.0]), &image()).unwrap();
        assert_eq!(asked.get(), (metric.forward_passes)(2, 2, None));
    }
}
