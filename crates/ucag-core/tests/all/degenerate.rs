//! Maps that say nothing, and those that look as if they didn't.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use tch::{Device, Kind, Tensor};
use ucag_core::postprocess::{MapKind, MapState, Saliency, saliency};
use ucag_core::protocol::{Coverage, MapProtocol};
use ucag_core::ucag::conquer::conquer;
use ucag_core::ucag::unfold::Geometry;

const ALL: [MapKind; 4] = [MapKind::Cam, MapKind::Signed, MapKind::MinMax, MapKind::NonNegative(None)];

fn see(raw: &Tensor, map_kind: MapKind, image: [i64; 2]) -> Saliency {
    let seen = saliency(raw, map_kind, image, false, &MapProtocol::official()).unwrap();
    assert_eq!((seen.map.size(), seen.map.kind()), (image.to_vec(), Kind::Float));
    let zero = seen.map.abs().max().double_value(&[]) == 0.0;
    assert_eq!(zero, seen.state != MapState::Ok, "a degenerate map is scored as zeros, and no other is");
    seen
}

fn map(values: &[f64], [height, width]: [i64; 2]) -> Tensor {
    Tensor::from_slice(values).view([1, 1, height, width])
}

fn values(seen: &Saliency) -> Vec<f64> {
    Vec::try_from(&seen.map.to_kind(Kind::Double).contiguous().view([-1])).unwrap()
}

#[test]
fn a_constant_map_is_constant_whatever_its_value_and_size() {
    for value in [0.1, 0.3, 0.7, -0.7, 1.0 / 3.0, 1e30, 1e-30, 123_456.789] {
        for kind in [Kind::Float, Kind::Double] {
            for size in [[1, 1], [1, 7], [3, 5], [8, 8], [7, 7], [40, 50]] {
                let raw = Tensor::full([1, 1, size[0], size[1]], value, (kind, Device::Cpu));
                for (map_kind, image) in
                    ALL.iter().flat_map(|map_kind| [[32, 32], [13, 37], [224, 224]].map(|i| (*map_kind, i)))
                {
                    assert_eq!(
                        see(&raw, map_kind, image).state,
                        MapState::Constant,
                        "{value} {kind:?} {size:?} {map_kind:?}"
                    );
                }
            }
        }
    }
    assert!(ALL.iter().all(|&map_kind| see(&map(&[0.0; 6], [2, 3]), map_kind, [9, 9]).state == MapState::AllZero));
}

#[test]
fn of_a_map_that_is_clipped_what_is_left_counts() {
    let negative = map(&[-1.0, -2.0, -3.0, -4.0], [2, 2]);
    let touching = map(&[0.0, -1.0, -2.0, -3.0], [2, 2]);
    for image in [[2, 2], [32, 32]] {
        for map_kind in [MapKind::Cam, MapKind::NonNegative(None)] {
            assert_eq!(see(&negative, map_kind, image).state, MapState::AllZero);
            assert_eq!(see(&touching, map_kind, image).state, MapState::AllZero);
        }
        for map_kind in [MapKind::MinMax, MapKind::Signed] {
            assert_eq!(see(&negative, map_kind, image).state, MapState::Ok);
            assert_eq!(see(&touching, map_kind, image).state, MapState::Ok);
        }
    }
    // What isn't clipped keeps its ranking.
    assert_eq!(
        values(&see(&negative, MapKind::MinMax, [2, 2])),
        [1.0, 2.0 / 3.0, 1.0 / 3.0, 0.0].map(|v| f64::from(v as f32))
    );
    // A heat map is divided by its maximum, never by what is below zero.
    assert_eq!(
        values(&see(&map(&[-8.0, 0.0, 1.0, 2.0], [2, 2]), MapKind::NonNegative(None), [2, 2])),
        [0.0, 0.0, 0.5, 1.0]
    );
    let unclipped = MapProtocol { rectify: false, ..MapProtocol::official() };
    assert_eq!(saliency(&negative, MapKind::Cam, [2, 2], false, &unclipped).unwrap().state, MapState::Ok);
}

#[test]
fn values_that_are_not_finite_come_first() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for values in [[value; 4], [value, -1.0, -1.0, -1.0], [value, 0.0, 1.0, 2.0]] {
            for map_kind in ALL {
                assert_eq!(
                    see(&map(&values, [2, 2]), map_kind, [8, 8]).state,
                    MapState::NonFinite,
                    "{values:?} {map_kind:?}"
                );
            }
        }
    }
}

#[test]
fn a_map_that_varies_little_around_a_large_value_is_no_constant_and_no_noise() {
    let ramp = [0.0, 3.0, 1.0, 2.0, 4.0, 6.0, 5.0, 8.0, 7.0];
    let narrow = |value: f64, step: f64| map(&ramp.map(|i| value + step * i), [3, 3]);
    // One to eight spacings of numbers near one half, in either precision: what is left without the
    // half is exact.
    for raw in [narrow(0.5, (-24f64).exp2()).to_kind(Kind::Float), narrow(0.5, (-53f64).exp2()), narrow(-7.0, 1e-12)] {
        let (seen, plain) = (see(&raw, MapKind::MinMax, [30, 30]), see(&map(&ramp, [3, 3]), MapKind::MinMax, [30, 30]));
        assert_eq!(seen.state, MapState::Ok);
        let corners = |seen: &Saliency| [[0, 0], [0, 29], [29, 0], [29, 29]].map(|at| seen.map.double_value(&at));
        for (ours, expected) in corners(&seen).into_iter().zip(corners(&plain)) {
            assert!((ours - expected).abs() < 2e-3, "{ours}, not {expected}");
        }
        // Along the first row of cells the ramp rises from 0 to 3 and falls to 1: nothing goes up
        // and down in between.
        let row: Vec<f64> = (0..30).map(|x| seen.map.double_value(&[0, x])).collect();
        assert!(row[..15].is_sorted() && row[15..].is_sorted_by(|a, b| a >= b), "{row:?}");
    }
}

#[test]
fn what_float32_cannot_tell_apart_is_constant_where_zero_means_something() {
    let raw = map(&[5.0, 5.0 + 1e-12, 5.0 + 2e-12, 5.0 + 3e-12], [2, 2]);
    for image in [[2, 2], [9, 9]] {
        // Zero means something to these, so that nothing may be taken off.
        assert_eq!(see(&raw, MapKind::Signed, image).state, MapState::Constant);
        assert_eq!(see(&raw, MapKind::NonNegative(None), image).state, MapState::Constant);
        assert_eq!(see(&raw, MapKind::MinMax, image).state, MapState::Ok);
        assert_eq!(see(&raw, MapKind::Cam, image).state, MapState::Ok);
    }
}

#[test]
fn what_a_resize_leaves_out_is_not_replaced_by_noise() {
    // Of a hundred columns a tenth of a size sees two: the one pixel that differs isn't among them.
    for (kind, other) in [(Kind::Float, 0.1), (Kind::Double, 0.1), (Kind::Float, 5.0), (Kind::Float, -5.0)] {
        let raw = Tensor::full([1, 1, 1000, 1000], 0.3, (kind, Device::Cpu));
        let _ = raw.narrow(2, 0, 1).narrow(3, 0, 1).fill_(other);
        for map_kind in ALL {
            assert_eq!(see(&raw, map_kind, [10, 10]).state, MapState::Constant, "{kind:?} {other} {map_kind:?}");
            assert_eq!(see(&raw, map_kind, [1000, 1000]).state, MapState::Ok);
        }
    }
}

#[test]
fn magnitudes_beyond_float32_keep_their_ranking() {
    let ramp = [-1.0, -0.5, 0.5, 1.0];
    for scale in [1.7e308, 1e100, 1e-60, 1e-300] {
        let raw = map(&ramp.map(|v| v * scale), [2, 2]);
        assert_eq!(values(&see(&raw, MapKind::MinMax, [2, 2])), [0.0, 0.25, 0.75, 1.0], "{scale}");
        assert_eq!(values(&see(&raw, MapKind::Cam, [2, 2])), [0.0, 0.0, 0.5, 1.0]);
        let signed = values(&see(&raw, MapKind::Signed, [2, 2]));
        assert!(signed.is_sorted() && signed[1] == signed[0] / 2.0 && signed[3] == -signed[0], "{signed:?}");
    }
    let large = map(&[-1.0, -0.5, 0.5, 1.0].map(|v| v * 3e38), [2, 2]).to_kind(Kind::Float);
    assert_eq!(values(&see(&large, MapKind::MinMax, [2, 2])), [0.0, 0.25, 0.75, 1.0]);
}

/// Constant views, one value each, folded; and what is made of that.
fn folded(of_view: impl Fn(usize) -> f64, coverage: Coverage, kind: Kind) -> MapState {
    let protocol = MapProtocol { coverage, ..MapProtocol::official() };
    let geometry = Geometry::new([224, 224], &protocol).unwrap();
    let views: Vec<f64> = (0..geometry.len()).map(of_view).collect();
    let maps = Tensor::from_slice(&views).to_kind(kind).view([-1, 1, 1, 1]).expand([-1, 1, 7, 7], false).contiguous();
    let folded =
        conquer(&maps, &Tensor::ones([views.len() as i64], (kind, Device::Cpu)), &geometry, &protocol).unwrap();
    let states = ALL.map(|map_kind| saliency(&folded, map_kind, [224, 224], true, &protocol).unwrap().state);
    assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
    states[0]
}

#[test]
fn views_that_say_the_same_everywhere_fold_to_a_constant() {
    for kind in [Kind::Float, Kind::Double] {
        for value in [1.0, 0.1, 0.7, 1e-20] {
            assert_eq!(folded(|_| value, Coverage::True, kind), MapState::Constant, "{value} {kind:?}");
            // Counted from one, the number of views shows: the released code's centre prior.
            assert_eq!(folded(|_| value, Coverage::PlusOne, kind), MapState::Ok);
        }
        // What views weigh is an explanation of its own.
        assert_eq!(folded(|view| 1.0 + 1e-4 * view as f64, Coverage::True, kind), MapState::Ok);
        assert_eq!(folded(|_| 0.0, Coverage::PlusOne, kind), MapState::AllZero);
    }
}
