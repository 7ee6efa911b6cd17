//! VOC's lists of single classes, compared with the annotations where they are there. Nothing is
//! read from them: two sources that disagree mean that a file of the folder is not what it should
//! be.

use std::collections::HashMap;
use std::path::Path;

use crate::index::classes::ClassList;
use crate::index::difficult::LabeledPair;

/// Names the first of the pairs of photo and class on which the lists and the annotations (`pairs`
/// by photo) disagree.
pub(super) fn compare(folder: &Path, classes: &ClassList, pairs: &HashMap<&str, &[LabeledPair]>) -> Option<String> {
    let mut disagreements = 0;
    let mut first = None;
    for (class, name) in classes.folders().iter().enumerate() {
        let file = format!("ImageSets/Main/{name}_test.txt");
        let Ok(text) = crate::index::text::read(&folder.join(&file)) else {
            continue;
        };
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split_whitespace();
            let Some(pairs) = words.next().and_then(|stem| pairs.get(stem)) else {
                continue;
            };
            let expected = flag(pairs, class);
            if words.next() != Some(expected) {
                disagreements += 1;
                first.get_or_insert_with(|| format!("line {number} of {file}, which should be {expected}"));
            }
        }
    }
    let first = first?;
    Some(format!(
        "the lists of single classes disagree with the annotations on {disagreements} pairs, the first on {first}; what counts is \
         the annotations"
    ))
}

/// The list's flag: `1` where the photo has an object of the class, `0` where all of them are
/// difficult, `-1` where it has none.
fn flag(pairs: &[LabeledPair], class: usize) -> &'static str {
    match pairs.iter().find(|pair| pair.class == class) {
        None => "-1",
        Some(pair) if pair.all_difficult => "0",
        Some(_) => "1",
    }
}
