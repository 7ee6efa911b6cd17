//! `gtsegs_ijcv.mat`: HDF5.

use super::stage::{Stage, fixture};
use crate::{GROWTH, Target, nothing};

/// Images and masks of ImageNet-segmentation.
pub(super) static MATLAB: Target = Target {
    name: "matlab",
    seeds: || {
        let seed = |name| fixture(&format!("crates/datasets/tests/fixtures/gtsegs/{name}"));
        ["gtsegs_ijcv.mat", "column.mat", "newer.mat"].map(seed).into()
    },
    words: &["TREE", "SNOD", "HEAP", "OHDR", "FRHP", "BTHD", "GCOL", "value", "\u{0}\u{0}\u{0}\u{0}", "\u{1}\u{0}"],
    mend: nothing,
    growth: GROWTH,
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new());
        STAGE.with(|stage| {
            stage.write("some.mat", bytes);
            stage.load("imagenet-seg", "some.mat")
        })
    },
};
