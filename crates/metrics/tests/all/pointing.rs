//! Both pointing games on cases that can be worked out by hand.

use metrics::averaging::{Class, by_class, class_mean};
use metrics::pointing_game::{TOLERANCE, argmax, hit};
use metrics::protocol::{EmptyPairs, TieOrder};
use metrics::{Endpoints, Mask, Metric, Region, Result, ScoreInput, Validity, energy, metric};
use tch::{Device, Kind, Tensor};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// A game's score of a map on a mask of the given width.
struct Game<'a> {
    map: Tensor,
    mask: &'a [bool],
    width: usize,
    all_difficult: bool,
    point: Option<[f64; 2]>,
    empty_pairs: EmptyPairs,
}

impl<'a> Game<'a> {
    fn new(map: Tensor, mask: &'a [bool], width: usize) -> Self {
        Self { map, mask, width, all_difficult: false, point: None, empty_pairs: EmptyPairs::Released }
    }

    fn play(&self, id: &str) -> Result<Option<f64>> {
        let metric: &Metric = metric(id).expect("a game of the registry");
        let nothing = Tensor::zeros([1, 3, 1, 1], FLOAT);
        let case = ScoreInput {
            map: &self.map,
            signed: false,
            point: self.point,
            image: &nothing,
            class: 0,
            classifier: &|_| panic!("a pointing game asks no network"),
            endpoints: &Endpoints::default(),
            deleted: &nothing,
            tie_order: TieOrder::LargerIndexFirst,
            step: None,
            batch: 1,
            region: Some(Region {
                mask: Mask { pixels: self.mask, width: self.width },
                all_difficult: self.all_difficult,
            }),
            object: None,
            validity: Validity::Valid,
            empty_pairs: self.empty_pairs,
        };
        Ok((metric.score)(&case)?.map(|score| score.value))
    }
}

/// The energy of a map of one row on a mask.
fn energy_of(map: &[f64], pixels: &[bool]) -> f64 {
    let map = Tensor::from_slice(map).view([1, -1]);
    energy(&map, &Mask { pixels, width: pixels.len() }).expect("a map that fits its mask")
}

/// A mask that is true at these places (x, y).
fn mask(width: usize, height: usize, at: &[(usize, usize)]) -> Vec<bool> {
    (0..width * height).map(|i| at.contains(&(i % width, i / width))).collect()
}

/// A map that is one at (x, y) and zero elsewhere.
fn peak(width: i64, height: i64, (x, y): (i64, i64)) -> Tensor {
    let map = Tensor::zeros([height, width], FLOAT);
    let _ = map.get(y).get(x).fill_(1.0);
    map
}

#[test]
fn a_distance_of_just_the_tolerance_is_a_miss() {
    // (9, 12) and (15, 0) are 15 away from the origin; (9, 11) and (14, 5) are √202 and √221 away,
    // (10, 12) is √244.
    for (at, expected) in [((9, 12), 0.), ((15, 0), 0.), ((9, 11), 1.), ((14, 5), 1.), ((0, 14), 1.), ((10, 12), 0.)] {
        let mask = mask(40, 30, &[at]);
        let found = Game::new(peak(40, 30, (0, 0)), &mask, 40).play("pointing").unwrap();
        assert_eq!(found, Some(expected), "{at:?}");
    }
}

#[test]
fn x_is_the_column_and_y_the_row() {
    // Wide: the peak is at the right, the mask at the right or at the bottom of the left.
    let (right, left) = (mask(100, 20, &[(95, 10)]), mask(100, 20, &[(10, 19)]));
    for (mask, expected) in [(right, 1.0), (left, 0.0)] {
        assert_eq!(Game::new(peak(100, 20, (95, 10)), &mask, 100).play("pointing").unwrap(), Some(expected));
    }
}

#[test]
fn of_equal_maxima_the_first_one_points() {
    assert_eq!(argmax(&[0.0, 2.0, 1.0, 2.0]), 1);
    assert_eq!(argmax(&[-3.0, -1.0, -1.0]), 1);
    assert_eq!(argmax::<f64>(&[]), 0);
    let map = peak(60, 60, (50, 2)) + peak(60, 60, (2, 50));
    let (first, second) = (mask(60, 60, &[(50, 2)]), mask(60, 60, &[(2, 50)]));
    assert_eq!(Game::new(map.copy(), &first, 60).play("pointing").unwrap(), Some(1.0));
    assert_eq!(Game::new(map, &second, 60).play("pointing").unwrap(), Some(0.0));
}

#[test]
fn a_degenerate_map_points_at_the_top_left_corner_and_has_no_energy() {
    let zeros = || Tensor::zeros([60, 60], FLOAT);
    let (near, far) = (mask(60, 60, &[(3, 3)]), mask(60, 60, &[(30, 30)]));
    assert_eq!(Game::new(zeros(), &near, 60).play("pointing").unwrap(), Some(1.0));
    assert_eq!(Game::new(zeros(), &far, 60).play("pointing").unwrap(), Some(0.0));
    assert_eq!(Game::new(zeros(), &near, 60).play("energy").unwrap(), Some(0.0));
}

#[test]
fn an_empty_mask_is_missed_and_holds_no_energy() {
    let empty = mask(30, 30, &[]);
    assert_eq!(Game::new(peak(30, 30, (5, 5)), &empty, 30).play("pointing").unwrap(), Some(0.0));
    assert_eq!(Game::new(peak(30, 30, (5, 5)), &empty, 30).play("energy").unwrap(), Some(0.0));
}

#[test]
fn points_lie_between_pixels_and_outside_of_the_image() {
    let corner = mask(20, 20, &[(19, 19)]);
    // From (8.5, 8.5) the corner is √(2 · 10.5²) = 14.849 away, from (8.3, 8.3) √(2 · 10.7²) =
    // 15.132.
    let hits = |point, pixels: &[bool]| hit(point, &Mask { pixels, width: 20 }, TOLERANCE);
    assert!(hits([8.5, 8.5], &corner) && !hits([8.3, 8.3], &corner));
    assert!(hits([33.9, 19.0], &corner) && !hits([34.0, 19.0], &corner));
    let origin = mask(20, 20, &[(0, 0)]);
    assert!(hits([-9.0, -11.0], &origin) && !hits([-9.0, -12.0], &origin));
    assert!(!hits([-1000.0, 5.0], &origin) && !hits([5.0, 1e9], &origin));
    // An explanation that is a point is not looked for in the map.
    let mut game = Game::new(peak(20, 20, (0, 0)), &corner, 20);
    game.point = Some([10.0, 10.0]);
    assert_eq!(game.play("pointing").unwrap(), Some(1.0));
}

#[test]
fn a_window_finds_what_the_whole_mask_holds() {
    // A sparse pseudo-random mask: the window must agree with every pixel, for points in and around
    // the image.
    let (width, height) = (70, 50);
    let mask: Vec<bool> = (0..width * height).map(|i: usize| i.wrapping_mul(2_654_435_761) % 1009 < 3).collect();
    let everywhere = |[x, y]: [f64; 2]| {
        let far = |i: usize| (((i % width) as f64 - x).powi(2) + ((i / width) as f64 - y).powi(2)).sqrt();
        (0..mask.len()).any(|i| mask[i] && far(i) < 15.0)
    };
    let (mut hits, mut misses) = (0, 0);
    for x in -20..90 {
        for y in -20..70 {
            let point = [f64::from(x) + 0.25, f64::from(y) - 0.25];
            let found = hit(point, &Mask { pixels: &mask, width }, TOLERANCE);
            assert_eq!(found, everywhere(point), "{point:?}");
            *(if found { &mut hits } else { &mut misses }) += 1;
        }
    }
    assert!(hits > 500 && misses > 500, "{hits} hits and {misses} misses make no test");
}

#[test]
fn energy_is_the_share_of_the_sum() {
    let map = Tensor::from_slice(&[1f32, 2., 3., 4.]).view([2, 2]);
    let right = [false, true, false, true];
    assert_eq!(Game::new(map.copy(), &right, 2).play("energy").unwrap(), Some(0.6));
    assert_eq!(Game::new(&map * 7.0, &right, 2).play("energy").unwrap(), Some(0.6));
    assert_eq!(Game::new(map, &[true; 4], 2).play("energy").unwrap(), Some(1.0));
    // What is negative counts as zero on both sides: 4 / (4 + 1).
    assert_eq!(energy_of(&[-5.0, 4.0, 1.0, -9.0], &right), 0.8);
    assert_eq!(energy_of(&[-5.0, -4.0], &[true, false]), 0.0);
}

#[test]
fn energy_is_summed_in_double_precision() {
    // 2²⁴ ones after a 2²⁴ are lost in single precision.
    let mut map = vec![1.0; (1 << 24) + 1];
    map[0] = f64::from(1 << 24);
    let mut mask = vec![false; map.len()];
    mask[0] = true;
    assert_eq!(energy_of(&map, &mask), 0.5);
}

#[test]
fn pairs_of_difficult_objects_only_are_not_part_of_the_game() {
    let all = [true; 4];
    let mut game = Game::new(Tensor::ones([2, 2], FLOAT), &all, 2);
    game.all_difficult = true;
    for (empty, energy) in [(EmptyPairs::Released, Some(0.0)), (EmptyPairs::Pairs, None)] {
        game.empty_pairs = empty;
        assert_eq!(game.play("energy").unwrap(), energy);
        assert_eq!(game.play("pointing").unwrap(), None);
    }
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let six = [true; 6];
    for id in ["pointing", "energy"] {
        // As many pixels, but lying: rows and columns were confused.
        let error = Game::new(Tensor::ones([2, 3], FLOAT), &six, 2).play(id).unwrap_err().to_string();
        assert_eq!(error, "a map of 2 × 3 pixels for a mask of 3 × 2");
        let error = Game::new(Tensor::ones([2, 2], FLOAT), &six, 2).play(id).unwrap_err().to_string();
        assert_eq!(error, "a map of 2 × 2 pixels for a mask of 3 × 2");
        let error = Game::new(Tensor::full([2, 3], f64::NAN, FLOAT), &six, 3).play(id).unwrap_err().to_string();
        assert!(error.contains("not finite"), "{error}");
        let error = Game::new(Tensor::ones([1, 2, 3], FLOAT), &six, 3).play(id).unwrap_err().to_string();
        assert_eq!(error, "one map is scored at a time, not [1, 2, 3]");
        let error = Game::new(Tensor::ones([0, 0], FLOAT), &[], 0).play(id).unwrap_err().to_string();
        assert!(error.contains("a map of 0 × 0 pixels"), "{error}");
    }
}

#[test]
fn classes_count_alike_and_those_without_a_pair_count_zero() {
    // Class 0: 1, 1, 0; class 1: 0.5; class 2 none; class 3: 1. Over pairs it would be 0.7.
    let pairs = [(0, 1.0), (1, 0.5), (0, 1.0), (3, 1.0), (0, 0.0)];
    let classes = by_class(pairs, 4, None);
    assert_eq!(classes.iter().map(|class| class.pairs).collect::<Vec<_>>(), [3, 1, 0, 1]);
    assert!((class_mean(&classes) - (2.0 / 3.0 + 0.5 + 0.0 + 1.0) / 4.0).abs() < 1e-15);
    // The first sample shows classes 0 and 2: the others start with a pair of zero.
    let classes = by_class(pairs, 4, Some(&[0, 2]));
    assert_eq!(classes[1], Class { pairs: 1, sum: 0.5, padding_pairs: 1 });
    assert_eq!(classes[2], Class { pairs: 0, sum: 0.0, padding_pairs: 0 });
    assert!((class_mean(&classes) - (2.0 / 3.0 + 0.25 + 0.0 + 0.5) / 4.0).abs() < 1e-15);
    assert_eq!(class_mean(&by_class([], 0, None)), 0.0);
}
