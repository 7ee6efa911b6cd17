//! Segmentation: against scikit-learn, against the closed form, and on cases that can be worked out
//! by hand.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use metrics::protocol::{EmptyPairs, TieOrder};
use metrics::segmentation::{Confusion, Label, Threshold, average_precision, channels_precision, hard, soft};
use metrics::{Averaging, Endpoints, Mask, Object, Result, Score, ScoreInput, Validity, metric};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

fn fixture() -> Value {
    // What scripts/tests/make_segmentation.py wrote.
    serde_json::from_str(include_str!("../fixtures/segmentation.json")).unwrap()
}

fn list<T>(value: &Value, one: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(one).collect()
}

fn close(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() < 1e-12, "{what}: {ours}, scikit-learn {theirs}");
}

/// A metric's score of a map of `height` rows.
struct Game<'a> {
    map: Vec<f32>,
    height: i64,
    validity: Validity,
    object: Option<Object<'a>>,
}

impl<'a> Game<'a> {
    /// Of two rows.
    fn new(map: &[f32], object: &'a [bool]) -> Self {
        let mask = Mask { pixels: object, width: object.len() / 2 };
        let object = Object { mask, void: None };
        Self { map: map.to_vec(), height: 2, validity: Validity::Valid, object: Some(object) }
    }

    fn play(&self, id: &str) -> Result<Score> {
        let nothing = Tensor::zeros([1, 3, 1, 1], (Kind::Float, Device::Cpu));
        let map = Tensor::from_slice(&self.map).view([self.height, -1]);
        let case = ScoreInput {
            map: &map,
            signed: false,
            validity: self.validity,
            point: None,
            image: &nothing,
            class: 0,
            classifier: &|_| panic!("segmentation asks no network"),
            endpoints: &Endpoints::default(),
            deleted: &nothing,
            tie_order: TieOrder::LargerIndexFirst,
            step: None,
            batch: 1,
            region: None,
            object: self.object,
            empty_pairs: EmptyPairs::Released,
        };
        Ok((metric(id).unwrap().score)(&case)?.expect("every image is part of the game"))
    }

    fn value(&self, id: &str) -> f64 {
        self.play(id).unwrap().value
    }
}

#[test]
fn rankings_have_the_precision_that_scikit_learn_says() {
    for case in list(&fixture()["rankings"], Value::clone) {
        let scores = list(&case["scores"], |score| score.as_f64().unwrap() as f32);
        let positive = list(&case["positive"], |positive| positive.as_bool().unwrap());
        let ours = average_precision(&scores, &positive).unwrap();
        close(ours, &case["precision"], case["name"].as_str().unwrap());
        // The order in which equals come is nothing that a ranking says.
        let turned = |values: &[f32]| values.iter().rev().copied().collect::<Vec<_>>();
        let reversed: Vec<bool> = positive.iter().rev().copied().collect();
        close(average_precision(&turned(&scores), &reversed).unwrap(), &case["precision"], "read backwards");
    }
}

#[test]
fn images_have_the_numbers_that_scikit_learn_says() {
    for case in list(&fixture()["images"], Value::clone) {
        let name = case["name"].as_str().unwrap();
        let map = list(&case["map"], |value| value.as_f64().map_or(f32::NAN, |value| value as f32));
        let labels: Vec<Label> = list(&case["labels"], |label| match label.as_i64().unwrap() {
            -1 => None,
            label => Some(label == 1),
        });
        for (threshold, key) in [(Threshold::Zero, "zero"), (Threshold::Mean, "mean")] {
            let (channels, theirs) = (hard(&map, threshold), &case[key]);
            let confusion = Confusion::of(&channels, &labels);
            let ratio = |[part, whole]: [u64; 2]| part as f64 / whole.max(1) as f64;
            close(ratio(confusion.accuracy()), &theirs["accuracy"], name);
            for (class, overlap) in confusion.overlaps().into_iter().enumerate() {
                close(ratio(overlap), &theirs["jaccard"][class], name);
            }
            close(channels_precision(&channels, &labels).unwrap(), &theirs["precision"], name);
        }
        close(channels_precision(&soft(&map), &labels).unwrap(), &case["soft"], name);
    }
}

#[test]
fn the_precision_of_a_thresholded_map_says_no_more_than_its_accuracy() {
    // AP = a² + (1 − a)/2, whatever the share of object and wherever the mistakes are.
    for (objects, wrong) in [(0, 0), (3, 0), (3, 1), (50, 17), (50, 50), (99, 63), (100, 99), (100, 100)] {
        let object: Vec<bool> = (0..100).map(|i| i < objects).collect();
        let map: Vec<f32> = (0..100).map(|i| if object[i] == (i * 37 % 100 >= wrong) { 0.5 } else { -2.0 }).collect();
        let game = Game::new(&map, &object);
        let a = game.value("pixel-accuracy");
        assert_eq!(a, (100 - wrong) as f64 / 100.0);
        let precision = game.value("map");
        assert!((precision - (a * a + (1.0 - a) / 2.0)).abs() < 1e-12, "{objects}, {wrong}: {precision}");
    }
}

#[test]
fn numbers_by_hand() {
    // Object: the right half. The map finds one of its two pixels, and one of the background's.
    let object = [false, true, false, true];
    let game = Game::new(&[-1.0, 3.0, 0.5, 0.0], &object);
    let accuracy = game.play("pixel-accuracy").unwrap();
    assert_eq!((accuracy.value, accuracy.counts), (0.5, vec![[2, 4]]));
    let iou = game.play("mean-iou").unwrap();
    assert_eq!((iou.value, iou.counts), (1.0 / 3.0, vec![[1, 3], [1, 3]]));
    assert_eq!(game.value("map"), 0.5);
    // Brought to [0, 1] it is 0, 1, 0.375, 0.25, of mean 0.40625: only the second pixel is above.
    let accuracy = game.play("pixel-accuracy-mean").unwrap();
    assert_eq!((accuracy.value, accuracy.counts), (0.75, vec![[3, 4]]));
    assert_eq!(game.play("mean-iou-mean").unwrap().counts, [[2, 3], [1, 2]]);
    assert_eq!(game.value("map-mean"), 0.75 * 0.75 + 0.125);
    // Scores of what is right: 1, 1, 0.625, 0.25; of what is wrong: 0, 0, 0.375, 0.75. Ranked:
    // right, right, wrong, right, wrong, right, wrong, wrong.
    assert_eq!(game.value("soft-ap"), (1.0 + 1.0 + 3.0 / 4.0 + 4.0 / 6.0) / 4.0);
}

#[test]
fn void_pixels_are_in_no_count() {
    // As above, with a third column that is void: whatever the map and the mask have there, the
    // numbers are those without it.
    let object = [false, true, true, false, true, false];
    let void = [false, false, true, false, false, true];
    let game = |map: [f32; 6]| {
        let mut game = Game::new(&map, &object);
        game.object = Some(Object { mask: Mask { pixels: &object, width: 3 }, void: Some(&void) });
        game
    };
    for there in [[9.0, 9.0], [-9.0, 9.0], [-9.0, -9.0], [0.0, 1e-3]] {
        let game = game([-1.0, 3.0, there[0], 0.5, 0.0, there[1]]);
        let accuracy = game.play("pixel-accuracy").unwrap();
        assert_eq!((accuracy.value, accuracy.counts), (0.5, vec![[2, 4]]));
        let iou = game.play("mean-iou").unwrap();
        assert_eq!((iou.value, iou.counts), (1.0 / 3.0, vec![[1, 3], [1, 3]]));
        assert_eq!(game.value("map"), 0.5);
    }
    // Within the map's own range, a void pixel doesn't move the others: 0, 1, 0.375, 0.25 of those
    // that count, and 0.25 and 0.5 of those that don't; the mean of all six is 0.395833.
    let game = game([-1.0, 3.0, 0.0, 0.5, 0.0, 1.0]);
    assert_eq!(game.play("pixel-accuracy-mean").unwrap().counts, [[3, 4]]);
    assert_eq!(game.play("mean-iou-mean").unwrap().counts, [[2, 3], [1, 2]]);
    assert_eq!(game.value("soft-ap"), (1.0 + 1.0 + 3.0 / 4.0 + 4.0 / 6.0) / 4.0);
}

#[test]
fn zero_and_the_mean_themselves_are_background() {
    let object = [false; 4];
    assert_eq!(Game::new(&[0.0, -0.0, -1.0, 0.0], &object).value("pixel-accuracy"), 1.0);
    assert_eq!(Game::new(&[0.0, 0.5, 0.5, 1.0], &object).value("pixel-accuracy-mean"), 0.75);
    assert_eq!(Game::new(&[f32::MIN_POSITIVE; 4], &object).value("pixel-accuracy"), 0.0);
}

#[test]
fn degenerate_maps_are_background() {
    let object = [true, false, false, false];
    let mut game = Game::new(&[0.0; 4], &object);
    for (validity, precision) in [
        // A map of zeros is in the background's channel everywhere: a = ¾.
        (Validity::Constant, 0.75 * 0.75 + 0.125),
        // One that isn't a number is in neither, and everything is tied.
        (Validity::NonFinite, 0.5),
    ] {
        game.validity = validity;
        assert_eq!(game.value("map"), precision, "{validity:?}");
        for threshold in ["", "-mean"] {
            assert_eq!(game.play(&format!("pixel-accuracy{threshold}")).unwrap().counts, [[3, 4]]);
            assert_eq!(game.play(&format!("mean-iou{threshold}")).unwrap().counts, [[3, 4], [0, 1]]);
        }
        assert_eq!((game.value("map-mean"), game.value("soft-ap")), (0.5, 0.5));
    }
}

#[test]
fn a_class_that_is_nowhere_and_was_taken_for_nothing_has_no_overlap() {
    let score = Game::new(&[-1.0; 4], &[false; 4]).play("mean-iou").unwrap();
    assert_eq!((score.value, score.counts), (0.5, vec![[4, 4], [0, 0]]));
}

#[test]
fn infinite_values_are_not_brought_to_unit_range() {
    let map = [f32::INFINITY, 0.0, 1.0, -1.0];
    assert_eq!(soft(&map), [[0.0; 2]; 4]);
    assert_eq!(hard(&map, Threshold::Mean), [[0.0; 2]; 4]);
    // Against zero, it is what it is.
    assert_eq!(hard(&map, Threshold::Zero), [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]);
    assert_eq!(hard(&[f32::NAN], Threshold::Zero), [[0.0; 2]]);
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let six = [true, false, true, false, true, false];
    let refused = |game: &Game<'_>| {
        ["map", "pixel-accuracy", "mean-iou", "map-mean", "pixel-accuracy-mean", "mean-iou-mean", "soft-ap"]
            .map(|id| game.play(id).unwrap_err().to_string())
    };
    let fits = || Game::new(&[1.0; 6], &six);
    let all = |game: Game<'_>, expected: &str| refused(&game).iter().for_each(|said| assert_eq!(said, expected));
    all(
        Game { object: None, ..fits() },
        "the metric needs to know what of an image is the object, and the data set doesn't say",
    );
    // As many pixels, but lying: rows and columns were confused.
    let of = |pixels, width, void| Some(Object { mask: Mask { pixels, width }, void });
    all(Game { object: of(&six, 2, None), ..fits() }, "a map of 2 × 3 pixels for a mask of 3 × 2");
    all(Game { object: of(&six[..3], 3, None), ..fits() }, "a map of 2 × 3 pixels for a mask of 1 × 3");
    all(Game { object: of(&six, 3, Some(&six[..4])), ..fits() }, "a mask of 6 pixels with 4 that are void or not");
    all(
        Game { map: vec![1.0, f32::NAN, 0.0, 0.0, 0.0, 0.0], ..fits() },
        "the map holds values that are not finite; degenerate maps are to be scored as zeros",
    );
    let said = average_precision(&[1.0, 2.0], &[true]).unwrap_err().to_string();
    assert_eq!(said, "2 scores for 1 pixels");
    let said = average_precision(&[1.0, f32::NAN], &[true, false]).unwrap_err().to_string();
    assert_eq!(said, "a score isn't a number");
}

#[test]
fn what_is_pooled_has_counts() {
    let object = [true, false];
    for metric in metrics::METRICS.iter().filter(|metric| metric.annotation == metrics::Annotation::Object) {
        let score = Game::new(&[1.0, -1.0], &object).play(metric.id).unwrap();
        assert_eq!(metric.averaging == Averaging::Ratios, !score.counts.is_empty(), "{}", metric.id);
    }
}
