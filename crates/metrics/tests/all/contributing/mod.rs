//! The metric that CONTRIBUTING.md adds as an example, compiled from the text there and run.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[allow(unreachable_pub, reason = "in the crate, its module is public")]
mod rank_accuracy;

use self::rank_accuracy::{RANK_ACCURACY, rank_accuracy};
use metrics::protocol::{EmptyPairs, TieOrder};
use metrics::{Endpoints, Mask, Region, ScoreInput, Validity, metric};
use tch::{Device, Kind, Tensor};

#[test]
fn the_file_is_what_the_document_shows() {
    let document = include_str!("../../../../../CONTRIBUTING.md");
    let file = include_str!("rank_accuracy.rs");
    assert!(document.contains(&format!("\n```rust\n{file}```\n")), "CONTRIBUTING.md's example differs from the test's");
    assert!(document.contains("`pub mod rank_accuracy;`") && document.contains("`&rank_accuracy::RANK_ACCURACY,`"));
    assert!(metric(RANK_ACCURACY.id).is_none(), "an example's id is free");
}

#[test]
fn it_scores_as_worked_out_by_hand() {
    // The mask has three pixels. Of the three most salient, 9, 8 and 7, two are on it.
    let map = Tensor::from_slice(&[9f32, 1.0, 8.0, 2.0, 7.0, 3.0]).view([2, 3]);
    let mask = Mask { pixels: &[true, false, true, false, false, true], width: 3 };
    assert_eq!(rank_accuracy(&map, &mask, TieOrder::LargerIndexFirst).unwrap(), 2.0 / 3.0);
    // Of equal pixels, the tie order says which come first.
    let tied = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
    assert_eq!(rank_accuracy(&tied, &mask, TieOrder::LargerIndexFirst).unwrap(), 1.0 / 3.0);
    assert_eq!(rank_accuracy(&tied, &mask, TieOrder::SmallerIndexFirst).unwrap(), 2.0 / 3.0);
    let empty = Mask { pixels: &[false; 6], width: 3 };
    assert_eq!(rank_accuracy(&map, &empty, TieOrder::LargerIndexFirst).unwrap(), 0.0);
}

#[test]
fn the_entry_scores_what_a_run_gives_it() {
    let map = Tensor::from_slice(&[9f32, 1.0, 8.0, 2.0, 7.0, 3.0]).view([2, 3]);
    let nothing = Tensor::zeros([1, 3, 1, 1], (Kind::Float, Device::Cpu));
    let mask = Mask { pixels: &[true, false, true, false, false, true], width: 3 };
    let mut input = ScoreInput {
        map: &map,
        signed: false,
        validity: Validity::Valid,
        point: None,
        image: &nothing,
        class: 0,
        classifier: &|_| panic!("it asks no network"),
        endpoints: &Endpoints::default(),
        deleted: &nothing,
        tie_order: TieOrder::LargerIndexFirst,
        step: None,
        batch: 1,
        region: Some(Region { mask, all_difficult: false }),
        object: None,
        empty_pairs: EmptyPairs::Released,
    };
    assert_eq!((RANK_ACCURACY.score)(&input).unwrap().unwrap().value, 2.0 / 3.0);
    assert_eq!((RANK_ACCURACY.scale, RANK_ACCURACY.unit, (RANK_ACCURACY.forward_passes)(2, 3, None)), (100.0, "%", 0));
    input.region = None;
    let refused = (RANK_ACCURACY.score)(&input).unwrap_err().to_string();
    assert_eq!(refused, "the metric needs to know where the class is, and the data set doesn't say");
}
