//! The golden tests' idea of equality, tried on values made by hand.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::support::{close, off};
use tch::{Device, Kind, Tensor};
use ucag_core::postprocess::{MapKind, saliency};
use ucag_core::protocol::MapProtocol;

const NAN: f64 = f64::NAN;

fn list(values: &[f64]) -> Tensor {
    Tensor::from_slice(values)
}

/// Returns what a reference makes of a map: its minimum taken off, divided by what is left.
fn min_max(map: &Tensor) -> Tensor {
    let moved = map - map.min();
    &moved / moved.max()
}

fn ours(map: &Tensor) -> Tensor {
    saliency(map, MapKind::MinMax, [4, 4], false, &MapProtocol::official()).unwrap().map
}

#[test]
fn a_reference_that_is_nan_throughout_wants_a_degenerate_map() {
    let constant = Tensor::full([1, 1, 4, 4], 0.7, (Kind::Float, Device::Cpu));
    let ramp = Tensor::arange(16, (Kind::Float, Device::Cpu)).view([1, 1, 4, 4]);
    assert_eq!(min_max(&constant).isnan().sum(Kind::Int64).int64_value(&[]), 16);
    assert_eq!(close(&ours(&constant), &min_max(&constant), 1e-6), Ok(()));
    assert_eq!(close(&ours(&ramp), &min_max(&ramp), 1e-6), Ok(()));
    assert_eq!(close(&ours(&ramp), &min_max(&constant), 1e-6), Err("NaN throughout, but ours goes from 0 to 1".into()));
    assert!(close(&ours(&constant), &min_max(&ramp), 1e-6).unwrap_err().starts_with("off by 1.000e0"));
    // A reference that divides by a little more than the range leaves zeros.
    assert_eq!(close(&ours(&constant), &constant.zeros_like(), 1e-6), Ok(()));
}

#[test]
fn one_number_is_no_constant_map() {
    assert_eq!(close(&list(&[NAN]), &list(&[NAN]), 1e-6), Ok(()));
    assert!(close(&list(&[0.0]), &list(&[NAN]), 1e-6).is_err());
}

#[test]
fn nan_is_where_the_reference_has_it() {
    let reference = list(&[1.0, NAN, 3.0]);
    assert_eq!(close(&list(&[1.0, NAN, 3.0]), &reference, 1e-6), Ok(()));
    for other in [[1.0, 2.0, 3.0], [NAN, 2.0, 3.0], [NAN; 3], [0.0; 3], [1.0, NAN, NAN]] {
        let problem = close(&list(&other), &reference, 1e-6).unwrap_err();
        assert!(problem.contains("reference in 1"), "{problem}");
    }
    assert!(close(&list(&[1.0, NAN, 3.1]), &reference, 1e-6).unwrap_err().starts_with("off by 3.3"));
    let problem = close(&list(&[NAN, 2.0]), &list(&[1.0, 2.0]), 1e-6).unwrap_err();
    assert_eq!(problem, "NaN in 1 of 2 places, reference in 0, 0 of them the same");
    let infinite = list(&[1.0, f64::INFINITY]);
    assert_eq!(close(&infinite, &infinite, 1e-6), Ok(()));
    assert!(close(&-&infinite, &infinite, 1e-6).is_err());
    assert!(close(&list(&[1.0, 2.0]), &infinite, 1e-6).is_err());
}

#[test]
fn what_is_nan_or_zero_in_both_is_not_off() {
    assert_eq!(off(&list(&[NAN, NAN]), &list(&[NAN, NAN])), 0.0);
    assert_eq!(off(&list(&[0.0, 0.0]), &list(&[0.0, 0.0])), 0.0);
    assert_eq!(off(&list(&[1.0, 2.0]), &list(&[1.0, 4.0])), 0.5);
    assert!(off(&list(&[1.0, NAN]), &list(&[1.0, 4.0])).is_nan());
}
