//! Labels of the flat validation folder, from whichever of three files is there.
//!
//! The devkit's ground truth numbers classes by ILSVRC id (1 to 1000), which is not the order of
//! the wnids, so it needs the devkit's table of ids; guessing an order would give wrong labels
//! without a word.

use std::collections::HashMap;
use std::path::Path;

use crate::index::classes::ClassList;
use crate::{Error, Result};

const SYNSETS: &str = "imagenet_2012_validation_synset_labels.txt";
const KAGGLE: &str = "LOC_val_solution.csv";
const GROUND_TRUTH: &str = "ILSVRC2012_validation_ground_truth.txt";
const ID_TABLE: &str = "map_clsloc.txt";

/// Labels files in the order they are looked for.
pub(super) const FILE_NAMES: [&str; 3] = [SYNSETS, KAGGLE, GROUND_TRUTH];

/// Command that writes the table of ids out of the devkit's MATLAB file.
const EXPORT_IDS: &str = "python3 -c \"import scipy.io; [print(s[1], int(s[0])) for s in \
    scipy.io.loadmat('meta.mat', squeeze_me=True)['synsets'] if s[4] == 0]\" > map_clsloc.txt";

/// Name of validation image `number`, from 1.
pub(super) fn image_name(number: usize) -> String {
    format!("ILSVRC2012_val_{number:08}.JPEG")
}

/// The class of every image of `images` (sorted file names), or `None` where `root` has no labels
/// file.
pub(super) fn read(root: &Path, images: &[String], classes: &ClassList) -> Result<Option<Vec<usize>>> {
    let present = |name: &&&str| root.join(name).is_file();
    let Some(&name) = FILE_NAMES.iter().find(present) else {
        return Ok(None);
    };
    let path = root.join(name);
    let labels = match name {
        KAGGLE => kaggle(&path, images, classes)?,
        SYNSETS => {
            let wnid =
                |line: &str| classes.index_of(line).ok_or_else(|| format!("`{line}` is not the wnid of a class"));
            by_line(&path, images, wnid)?
        }
        _ => {
            let table = id_table(root, classes)?;
            let label = |line: &str| {
                let id = line.parse::<usize>().ok().filter(|id| (1..=table.len()).contains(id));
                id.map(|id| table[id - 1])
                    .ok_or_else(|| format!("expected an ILSVRC id from 1 to {}, found {line:?}", table.len()))
            };
            by_line(&path, images, label)?
        }
    };
    Ok(Some(labels))
}

/// Line `k` is the label of image `k`: the images' numbers must have no gap.
fn by_line(
    path: &Path,
    images: &[String],
    label: impl Fn(&str) -> std::result::Result<usize, String>,
) -> Result<Vec<usize>> {
    let text = crate::index::text::read(path).map_err(Error::io(path))?;
    let labels = (1..)
        .zip(text.lines())
        .map(|(number, line)| label(line.trim()).map_err(|problem| Error::line(path, number, problem)));
    let labels = labels.collect::<Result<Vec<_>>>()?;
    if let Some((position, image)) = images.iter().enumerate().find(|(k, image)| !is_number(image, k + 1)) {
        let problem = format!(
            "line {0} is for {1}, but image {0} of the folder is {image}; is an image missing or misplaced?",
            position + 1,
            image_name(position + 1)
        );
        return Err(Error::layout(path, problem));
    }
    if labels.len() != images.len() {
        let problem = format!(
            "has {} labels, but the folder has {} images; one of the two is incomplete",
            labels.len(),
            images.len()
        );
        return Err(Error::layout(path, problem));
    }
    Ok(labels)
}

fn is_number(image: &str, number: usize) -> bool {
    stem(image) == stem(&image_name(number))
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Kaggle's `ImageId,PredictionString`, the latter groups of a wnid and a box's four coordinates.
fn kaggle(path: &Path, images: &[String], classes: &ClassList) -> Result<Vec<usize>> {
    let text = crate::index::text::read(path).map_err(Error::io(path))?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let row = |error: csv::Error| {
        Error::line(path, error.position().map_or(1, csv::Position::line), format!("not a row of the CSV: {error}"))
    };
    let header = reader.headers().map_err(row)?;
    if header != vec!["ImageId", "PredictionString"] {
        return Err(Error::line(
            path,
            1,
            format!("expected the header `ImageId,PredictionString`, found {:?}", header.iter().collect::<Vec<_>>()),
        ));
    }
    let mut labels = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(row)?;
        let line = record.position().map_or(0, csv::Position::line);
        let label = predicted(&record[1], classes).map_err(|problem| Error::line(path, line, problem))?;
        if labels.insert(record[0].to_owned(), label).is_some() {
            return Err(Error::line(path, line, format!("image `{}` has a row already", &record[0])));
        }
    }
    let label = |image: &String| {
        let problem = || Error::layout(path, format!("has no row for image {image}"));
        labels.get(stem(image)).copied().ok_or_else(problem)
    };
    let found = images.iter().map(label).collect::<Result<Vec<_>>>()?;
    if labels.len() != found.len() {
        let problem =
            format!("has {} rows, but the folder has {} images; images are missing", labels.len(), found.len());
        return Err(Error::layout(path, problem));
    }
    Ok(found)
}

/// The one class of a prediction string.
fn predicted(text: &str, classes: &ClassList) -> std::result::Result<usize, String> {
    let words: Vec<_> = text.split_whitespace().collect();
    let is_box = |group: &[&str]| group[1..].iter().all(|word| word.parse::<f64>().is_ok());
    if words.is_empty() || words.len() % 5 != 0 || !words.chunks(5).all(is_box) {
        return Err(format!("expected groups of a wnid and four coordinates, found {text:?}"));
    }
    if let Some(other) = words.chunks(5).map(|group| group[0]).find(|wnid| *wnid != words[0]) {
        return Err(format!("names two classes, `{}` and `{other}`; an image has one", words[0]));
    }
    classes.index_of(words[0]).ok_or_else(|| format!("`{}` is not the wnid of a class", words[0]))
}

/// Class index by ILSVRC id (from 1), from lines of a wnid, its id and anything.
fn id_table(root: &Path, classes: &ClassList) -> Result<Vec<usize>> {
    let path = root.join(ID_TABLE);
    if !path.is_file() {
        let problem = format!(
            "holds ILSVRC ids, whose order is not that of the wnids, and the table of ids {} is not there. \
            It is in the devkits from 2013 on; of the 2012 devkit, run in its folder `data`:\n  {EXPORT_IDS}\n\
            and put the file beside {GROUND_TRUTH}; or use {SYNSETS} or {KAGGLE}",
            path.display()
        );
        return Err(Error::layout(&root.join(GROUND_TRUTH), problem));
    }
    let text = crate::index::text::read(&path).map_err(Error::io(&path))?;
    let mut table = vec![None; classes.len()];
    let mut used = vec![false; classes.len()];
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |problem| Error::line(&path, number, problem);
        let mut words = line.split_whitespace();
        let (wnid, id) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let label = classes.index_of(wnid).ok_or_else(|| wrong(format!("`{wnid}` is not the wnid of a class")))?;
        let slot = id.parse::<usize>().ok().and_then(|id| table.get_mut(id.wrapping_sub(1)));
        let slot = slot
            .ok_or_else(|| wrong(format!("expected a wnid and an id from 1 to {}, found {line:?}", classes.len())))?;
        if slot.replace(label).is_some() || std::mem::replace(&mut used[label], true) {
            return Err(wrong(format!("wnid `{wnid}` or id {id} is given twice")));
        }
    }
    let complete: Option<Vec<usize>> = table.into_iter().collect();
    complete
        .ok_or_else(|| Error::layout(&path, format!("has {} of the {} classes", text.lines().count(), classes.len())))
}
