//! PASCAL VOC 2007's test photos, with a box round every object.
//!
//! A folder of another data set in this layout works too, with its own `classes.txt` (see
//! [`ClassList`]).

mod annotation;
mod image_sets;
mod layout;

use std::path::PathBuf;

use crate::checksum::Reading;
use crate::image::{decode, exif};
use crate::index::classes::ClassList;
use crate::index::difficult::{DifficultSubset, LabeledPair, by_definition};
use crate::index::fingerprint::Fingerprint;
use crate::index::scan;
use crate::kind::{DatasetKind, Source};
use crate::{Checksum, Dataset, Error, Mask, Region, Result, Sample};

use annotation::Annotation;

/// VOC's classes: in alphabetical order, as the flags of the difficult subset's list are.
const CLASSES: &str = "\
aeroplane\nbicycle\nbird\nboat\nbottle\nbus\ncar\ncat\nchair\ncow\ndiningtable\ndog\nhorse\nmotorbike\nperson\npottedplant\n\
sheep\nsofa\ntrain\ntvmonitor\n";

/// The difficult subset's list, as it is published with TorchRay.
const DIFFICULT: &str = "pointing_game_ebp_voc07_difficult.txt";

/// VOC's entry in the registry.
pub const KIND: DatasetKind = DatasetKind {
    id: "voc07-test",
    summary: "PASCAL VOC 2007 test: 4,952 photos, 20 classes, boxes",
    layout: "\
  ROOT/VOCdevkit/VOC2007, ROOT/VOC2007 or ROOT itself holds
    JPEGImages/000001.jpg ...
    Annotations/000001.xml ...
    ImageSets/Main/test.txt                      one name a line, such as 000001
    pointing_game_ebp_voc07_difficult.txt        if there (or in ROOT): the difficult subset
    classes.txt                                  if there (or in ROOT), replaces VOC's 20 classes: one a line, in index order",
    how_to_get: "\
  http://host.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtest_06-Nov-2007.tar
  the list of the difficult subset: torchray/benchmark in https://github.com/facebookresearch/TorchRay",
    open: |source| {
        source.refuse_mask_values("PASCAL VOC 2007")?;
        Ok(Box::new(Voc07::open(source)?))
    },
};

/// An opened VOC folder.
#[derive(Debug)]
pub struct Voc07 {
    folder: PathBuf,
    entries: Vec<Entry>,
    classes: ClassList,
    remarks: Vec<String>,
    fingerprint: String,
}

/// A photo: its path in the VOC folder and how much of it is the id, and what its annotation says
/// or why it can't be used.
#[derive(Debug)]
struct Entry {
    stem: String,
    file: String,
    id_length: usize,
    annotated: std::result::Result<Annotated, String>,
}

#[derive(Debug)]
struct Annotated {
    annotation: Annotation,
    pairs: Vec<LabeledPair>,
}

impl Voc07 {
    /// Builds the index of `ImageSets/Main/test.txt`, in its order: reads every annotation, opens
    /// no photo.
    ///
    /// An annotation that can't be used is no error here: its sample fails when it is loaded, and
    /// [`Dataset::remarks`] says so.
    ///
    /// # Errors
    /// Where the layout is not found, files that `test.txt` names are missing, or the list of
    /// classes or of the difficult subset is not as it must be.
    pub fn open(source: &Source<'_>) -> Result<Self> {
        let folder = layout::find(source.root)?;
        let classes = layout::classes(&[&folder, source.root])?;
        let files = layout::test_files(&folder)?;
        let subset = DifficultSubset::find(source, DIFFICULT, &[&folder, source.root], classes.len())?;
        let fit = subset.check(files.iter().map(|file| vec![file.stem.clone()]))?;

        let mut fingerprint = Fingerprint::new(classes.folders());
        let mut entries = Vec::with_capacity(files.len());
        for file in files {
            let annotation = annotation::read(&folder.join(layout::annotation(&file.stem)), &classes);
            let annotated = annotation.map(|annotation| {
                let pairs = pairs(&annotation, &subset, &file.stem);
                Annotated { annotation, pairs }
            });
            let entry = Entry {
                id_length: file.image.len() - file.extension.len() - 1,
                stem: file.stem,
                file: file.image,
                annotated,
            };
            entry.fingerprint(&mut fingerprint, file.size);
            entries.push(entry);
        }
        let mut remarks = vec![subset.remark()];
        remarks.extend(fit);
        remarks.extend(unusable(&entries));
        let pairs =
            entries.iter().filter_map(|entry| Some((entry.stem.as_str(), &*entry.annotated.as_ref().ok()?.pairs)));
        remarks.extend(image_sets::compare(&folder, &classes, &pairs.collect()));
        Ok(Self { folder, entries, classes, remarks, fingerprint: fingerprint.finish() })
    }
}

impl Entry {
    fn id(&self) -> &str {
        &self.file[..self.id_length]
    }

    fn fingerprint(&self, fingerprint: &mut Fingerprint, size: u64) {
        let pairs = self.annotated.as_ref().map_or(&[][..], |annotated| &annotated.pairs);
        fingerprint.sample(self.id(), &pairs.iter().map(|pair| pair.class).collect::<Vec<_>>(), size);
        fingerprint.pairs(pairs);
        for object in self.annotated.iter().flat_map(|annotated| &annotated.annotation.objects) {
            let corners = [object.left, object.top, object.right, object.bottom].map(u64::from);
            fingerprint.shape(object.class, corners.into_iter());
        }
    }
}

impl Annotated {
    fn regions(&self) -> Vec<Region> {
        let Annotation { width, height, objects } = &self.annotation;
        let region = |pair: &LabeledPair| {
            let mut mask = Mask::empty(*width, *height);
            for object in objects.iter().filter(|object| object.class == pair.class) {
                mask.fill_box(object.left - 1..object.right, object.top - 1..object.bottom);
            }
            pair.region(mask)
        };
        self.pairs.iter().map(region).collect()
    }
}

impl Dataset for Voc07 {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn id(&self, index: usize) -> &str {
        self.entries[index].id()
    }

    fn load(&self, index: usize) -> Result<Sample> {
        let entry = &self.entries[index];
        let annotation_path = self.folder.join(layout::annotation(&entry.stem));
        let annotated = entry.annotated.as_ref().map_err(|problem| Error::layout(&annotation_path, problem))?;
        let path = self.folder.join(&entry.file);
        let mut reading = Reading::default();
        let image = decode::decode_into(&path, &mut reading)?;
        let (width, height) = (annotated.annotation.width, annotated.annotation.height);
        if image.dimensions() != (width, height) {
            let (actual_width, actual_height) = image.dimensions();
            let problem = format!(
                "says that the photo is {width} × {height} pixels, but {} is {actual_width} × {actual_height}{}",
                path.display(),
                exif::swapped(&path, (width, height), image.dimensions())
            );
            return Err(Error::layout(&annotation_path, problem));
        }
        let labels = annotated.pairs.iter().map(|pair| pair.class).collect();
        let (id, regions, checksum) = (entry.id().into(), annotated.regions(), reading.finish());
        Ok(Sample { id, image, labels, regions, object: None, checksum })
    }

    fn checksum(&self, index: usize) -> Result<Checksum> {
        Checksum::of_files(&[&self.folder.join(&self.entries[index].file)])
    }

    fn pairs(&self, index: usize) -> Option<Vec<LabeledPair>> {
        Some(self.entries[index].annotated.as_ref().map_or_else(|_| Vec::new(), |annotated| annotated.pairs.clone()))
    }

    fn file(&self, index: usize) -> Option<PathBuf> {
        Some(self.folder.join(&self.entries[index].file))
    }

    fn classes(&self) -> &[String] {
        self.classes.names()
    }

    fn look_through(&self, places: &[usize]) -> Vec<String> {
        let at_zero = |place: usize| {
            let problem = self.entries[place].annotated.as_ref().err()?;
            problem.contains(annotation::FROM_ZERO).then_some(())
        };
        let at_zero = scan::count(places, at_zero).map(|(count, (first, ()))| {
            let (all, first) = (places.len(), self.id(first));
            format!(
                "{count} of {all} photos have a box at 0 (the first: {first}), and VOC counts pixels from 1: if this data set counts from 0, all its boxes lie \
                 a pixel too far left and up, and 1 is to be added to their corners"
            )
        });
        [at_zero, scan::turned(self, places, "boxes")].into_iter().flatten().collect()
    }

    fn is_localised(&self) -> bool {
        true
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}

/// The classes of the photo, ascending.
fn pairs(annotation: &Annotation, subset: &DifficultSubset, stem: &str) -> Vec<LabeledPair> {
    let mut classes: Vec<usize> = annotation.objects.iter().map(|object| object.class).collect();
    classes.sort_unstable();
    classes.dedup();
    let pixels = f64::from(annotation.width) * f64::from(annotation.height);
    let names = [stem.to_owned()];
    let pair = |&class: &usize| {
        let objects = || annotation.objects.iter().filter(move |object| object.class == class);
        let definition = || by_definition(objects().map(annotation::Object::area).sum(), pixels, classes.len());
        LabeledPair {
            class,
            all_difficult: objects().all(|object| object.difficult),
            in_difficult_subset: subset.holds(&names, class, definition),
        }
    };
    classes.iter().map(pair).collect()
}

fn unusable(entries: &[Entry]) -> Option<String> {
    let problems = entries.iter().filter_map(|entry| entry.annotated.as_ref().err().map(|problem| (entry, problem)));
    let (first, problem) = problems.clone().next()?;
    let annotation = layout::annotation(&first.stem);
    Some(format!(
        "{} of {} annotations can't be used, and their photos fail; the first: {annotation} {problem}",
        problems.count(),
        entries.len()
    ))
}
