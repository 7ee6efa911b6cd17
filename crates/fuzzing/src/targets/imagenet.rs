//! ImageNet's three kinds of labels, and the table that one of them needs.

use std::cell::RefCell;

use super::stage::{Stage, blank};
use crate::{GROWTH, Target, nothing};

const SYNSETS_FILE: &str = "imagenet_2012_validation_synset_labels.txt";
const KAGGLE_FILE: &str = "LOC_val_solution.csv";
const GROUND_TRUTH_FILE: &str = "ILSVRC2012_validation_ground_truth.txt";
const IDS_FILE: &str = "map_clsloc.txt";

/// A class a line.
pub(super) static SYNSETS: Target = Target {
    name: "imagenet-synsets",
    seeds: || vec![b"n01440764\nn02123045\n".to_vec(), b"\xef\xbb\xbfn01440764\r\nn02123045".to_vec()],
    words: &["n15075141\n", "n", "\n"],
    mend: nothing,
    growth: GROWTH,
    parse: |bytes| parse(SYNSETS_FILE, bytes),
};

/// Kaggle's table.
pub(super) static KAGGLE: Target = Target {
    name: "imagenet-kaggle",
    seeds: || {
        let rows = "ILSVRC2012_val_00000002,n02123045 1 2 3 4 n02123045 5 6 7 8 \nILSVRC2012_val_00000001,n01440764 1 2 3 4 \n";
        vec![format!("ImageId,PredictionString\n{rows}").into()]
    },
    words: &["n15075141 1 2 3 4 ", "ILSVRC2012_val_00000003", ",", "\"", "\n"],
    mend: nothing,
    growth: 100, // every word of a line has a place of its own while the line is read
    parse: |bytes| parse(KAGGLE_FILE, bytes),
};

/// An id of the devkit a line.
pub(super) static GROUND_TRUTH: Target = Target {
    name: "imagenet-ids",
    seeds: || vec![b"1\n1000\n".to_vec(), b"490\r\n361\r\n".to_vec()],
    words: &["1001\n", "+1", "\n"],
    mend: nothing,
    growth: GROWTH,
    parse: |bytes| parse(GROUND_TRUTH_FILE, bytes),
};

/// The class of each id.
pub(super) static IDS: Target = Target {
    name: "imagenet-id-table",
    seeds: || vec![ids().into()],
    words: &["n15075141 1000 ear\n", "n01440764 ", "\n"],
    mend: nothing,
    growth: GROWTH,
    parse: |bytes| parse(IDS_FILE, bytes),
};

fn ids() -> String {
    let classes = datasets::index::classes::ClassList::imagenet();
    classes.folders().iter().rev().zip(1..).map(|(wnid, id)| format!("{wnid} {id} name\n")).collect()
}

fn parse(name: &'static str, bytes: &[u8]) -> Result<(), String> {
    thread_local!(static STAGE: RefCell<Option<(&'static str, Stage)>> = const { RefCell::new(None) });
    STAGE.with_borrow_mut(|kept| {
        // Of another target's there is one file too many.
        let (_, stage) = match kept.take_if(|(of, _)| *of == name) {
            Some(stage) => kept.insert(stage),
            None => kept.insert((name, whole(name))),
        };
        stage.write(name, bytes);
        stage.load("imagenet", name)
    })
}

fn whole(but: &str) -> Stage {
    let stage = Stage::new()
        .with("val/ILSVRC2012_val_00000001.JPEG", blank(3, 2))
        .with("val/ILSVRC2012_val_00000002.JPEG", blank(3, 2));
    match but {
        IDS_FILE => stage.with(GROUND_TRUTH_FILE, "1\n1000\n"),
        GROUND_TRUTH_FILE => stage.with(IDS_FILE, ids()),
        _ => stage,
    }
}
