//! COCO 2014's validation photos, with a mask of every object.
//!
//! The file names of 2017 are read too: newer copies have them, and subsets of COCO mostly do.
//! Classes are the file's `categories` in ascending order of their ids.

mod index;
mod json;
mod loose;
mod python;
mod shape;

use std::path::{Path, PathBuf};

use crate::checksum::Reading;
use crate::image::{decode, exif};
use crate::index::difficult::{DifficultSubset, LabeledPair};
use crate::index::fingerprint::Fingerprint;
use crate::index::scan;
use crate::kind::{DatasetKind, Source};
use crate::{Checksum, Dataset, Error, Mask, Region, Result, Sample};

use index::{Entry, Index, Object};

/// Annotation files and their photos' folders, tried in this order.
const PLACES: [(&str, &str); 2] =
    [("annotations/instances_val2014.json", "val2014"), ("annotations/instances_val2017.json", "val2017")];
/// The difficult subset's list, as it is published with TorchRay.
const DIFFICULT: &str = "pointing_game_ebp_coco_difficult.txt";
/// So many missing files are named; of the others only the number is said.
const NAMED: usize = 5;

/// COCO's entry in the registry.
pub const KIND: DatasetKind = DatasetKind {
    id: "coco14-val",
    summary: "COCO 2014 validation: 40,504 photos, 80 classes, masks",
    layout: "\
  ROOT/annotations/instances_val2014.json
  ROOT/val2014/COCO_val2014_000000000042.jpg ...
  or, as newer copies and subsets have it:
    ROOT/annotations/instances_val2017.json
    ROOT/val2017/000000000139.jpg ...
  ROOT/pointing_game_ebp_coco_difficult.txt    if there: the difficult subset",
    how_to_get: "\
  http://images.cocodataset.org/zips/val2014.zip
  http://images.cocodataset.org/annotations/annotations_trainval2014.zip
  the list of the difficult subset: torchray/benchmark in https://github.com/facebookresearch/TorchRay",
    open: |source| {
        source.refuse_mask_values("COCO")?;
        Ok(Box::new(Coco14::open(source)?))
    },
};

/// An opened COCO folder.
#[derive(Debug)]
pub struct Coco14 {
    root: PathBuf,
    /// The annotation file.
    annotations: PathBuf,
    entries: Vec<Entry>,
    classes: Vec<String>,
    remarks: Vec<String>,
    fingerprint: String,
}

impl Coco14 {
    /// Builds the index of the photos that the annotation file lists, in ascending order of their
    /// ids; opens no photo.
    ///
    /// The file is read as a stream; polygons and run lengths stay in memory, no masks.
    ///
    /// An annotation that can't be used is no error here: its photo's sample fails when it is
    /// loaded, and [`Dataset::remarks`] says so.
    ///
    /// # Errors
    /// Where the layout is not found, the file as a whole can't be used, photos that it lists are
    /// missing, or the list of the difficult subset is not as it must be.
    pub fn open(source: &Source<'_>) -> Result<Self> {
        let root = source.root;
        let (annotations, folder) = find(root)?;
        let index = index::build(json::read(&annotations)?, &annotations, folder)?;
        let Index { mut entries, classes, remarks: odd } = index;
        let sizes = sizes(root, &annotations, &entries)?;
        let subset = DifficultSubset::find(source, DIFFICULT, &[root], classes.len())?;
        let fit = subset.check(entries.iter().map(Entry::names))?;

        let mut fingerprint = Fingerprint::new(&classes);
        for (entry, size) in entries.iter_mut().zip(sizes) {
            entry.pair_up(&subset);
            fingerprint.sample(entry.id(), &entry.labels(), size);
            fingerprint.pairs(&entry.pairs);
            for object in entry.objects.iter().flatten() {
                fingerprint.shape(object.class, object.shape.bits().into_iter());
            }
        }
        let mut remarks = vec![subset.remark()];
        remarks.extend(fit);
        remarks.extend(odd);
        remarks.extend(unusable(&entries));
        Ok(Self { root: root.into(), annotations, entries, classes, remarks, fingerprint: fingerprint.finish() })
    }
}

impl Entry {
    fn labels(&self) -> Vec<usize> {
        self.pairs.iter().map(|pair| pair.class).collect()
    }

    fn regions(&self) -> std::result::Result<Vec<Region>, String> {
        let objects = self.objects.as_ref()?;
        let mut regions = Vec::with_capacity(self.pairs.len());
        for pair in &self.pairs {
            let mut mask = Mask::empty(self.width, self.height);
            for object in objects.iter().filter(|object| object.class == pair.class) {
                object.shape.draw(&mut mask).map_err(|problem| format!("annotation {} {problem}", object.id))?;
            }
            regions.push(pair.region(mask));
        }
        Ok(regions)
    }
}

impl Dataset for Coco14 {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn id(&self, index: usize) -> &str {
        self.entries[index].id()
    }

    fn load(&self, index: usize) -> Result<Sample> {
        let entry = &self.entries[index];
        let wrong = |problem: String| Error::layout(&self.annotations, problem);
        if let Err(problem) = &entry.objects {
            return Err(wrong(problem.clone()));
        }
        let path = self.root.join(&entry.file);
        let mut reading = Reading::default();
        let image = decode::decode_into(&path, &mut reading)?;
        // Before masks are made, so that a size in the file can't ask for more memory than a photo
        // takes.
        if image.dimensions() != (entry.width, entry.height) {
            let (width, height) = image.dimensions();
            return Err(wrong(format!(
                "says that image {} is {} × {} pixels, but {} is {width} × {height}{}",
                entry.number,
                entry.width,
                entry.height,
                path.display(),
                exif::swapped(&path, (entry.width, entry.height), (width, height))
            )));
        }
        let regions = entry.regions().map_err(wrong)?;
        let (id, labels, checksum) = (entry.id().into(), entry.labels(), reading.finish());
        Ok(Sample { id, image, labels, regions, object: None, checksum })
    }

    fn checksum(&self, index: usize) -> Result<Checksum> {
        Checksum::of_files(&[&self.root.join(&self.entries[index].file)])
    }

    fn pairs(&self, index: usize) -> Option<Vec<LabeledPair>> {
        Some(self.entries[index].pairs.clone())
    }

    fn file(&self, index: usize) -> Option<PathBuf> {
        Some(self.root.join(&self.entries[index].file))
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn look_through(&self, places: &[usize]) -> Vec<String> {
        let objects = |place: usize| self.entries[place].objects.iter().flatten();
        let first = |place: usize, found: fn(&Entry, &Object) -> bool| {
            let entry = &self.entries[place];
            let mut found = objects(place).filter(|object| found(entry, object));
            Some((found.next()?.id, found.count() + 1))
        };
        let count = |found: fn(&Entry, &Object) -> bool, what: &str| {
            let (_, (place, (id, _))) = scan::count(places, |place| first(place, found))?;
            let count: usize = places.iter().filter_map(|&place| Some(first(place, found)?.1)).sum();
            Some(format!("{count} objects have {what}; the first: annotation {id} of {}", self.id(place)))
        };
        let bare = count(
            |entry, object| object.shape.is_empty(entry.width, entry.height),
            "a mask without a pixel: they count, and where a class has no other object, no map can point at it",
        );
        let flat = count(|_, object| object.area == Some(0.0), "a box without area, which counts as 0");
        [bare, flat, scan::turned(self, places, "boxes and masks")].into_iter().flatten().collect()
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

/// The annotation file, and the name of the folder of its photos.
fn find(root: &Path) -> Result<(PathBuf, &'static str)> {
    let found = PLACES.iter().find(|(annotations, _)| root.join(annotations).is_file());
    let (annotations, folder) = *found.unwrap_or(&PLACES[0]);
    let absent = [annotations, folder].map(|name| root.join(name)).into_iter().filter(|path| !path.exists());
    let paths = absent.collect::<Vec<_>>();
    if paths.is_empty() {
        return Ok((root.join(annotations), folder));
    }
    Err(Error::Missing { paths, layout: KIND.layout.into(), how_to_get: KIND.how_to_get.into() })
}

/// Sizes of the photos' files in bytes.
fn sizes(root: &Path, annotations: &Path, entries: &[Entry]) -> Result<Vec<u64>> {
    let size = |entry: &Entry| {
        std::fs::metadata(root.join(&entry.file)).ok().filter(|file| file.is_file()).map(|file| file.len())
    };
    let sizes = entries.iter().map(size).collect::<Vec<_>>();
    let absent = entries.iter().zip(&sizes).filter(|(_, size)| size.is_none()).map(|(entry, _)| entry.file.as_str());
    let absent = absent.collect::<Vec<_>>();
    if absent.is_empty() {
        return Ok(sizes.into_iter().flatten().collect());
    }
    let more = if absent.len() > NAMED { ", ..." } else { "" };
    let problem = format!(
        "lists {} photos, but {} are not in {}: {}{more}",
        entries.len(),
        absent.len(),
        root.display(),
        absent[..absent.len().min(NAMED)].join(", ")
    );
    Err(Error::layout(annotations, problem))
}

fn unusable(entries: &[Entry]) -> Option<String> {
    let mut problems = entries.iter().filter_map(|entry| entry.objects.as_ref().err());
    let first = problems.next()?;
    Some(format!(
        "{} of {} photos have annotations that can't be used, and fail; the first: {first}",
        problems.count() + 1,
        entries.len()
    ))
}
