//! ImageNet's validation images (ILSVRC2012), in class folders or flat with a labels file.
//!
//! A root may instead hold any single-label data set in class folders, with its own `classes.txt`
//! (see [`ClassList`]).

mod files;
mod labels;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::checksum::Reading;
use crate::image::decode;
use crate::index::classes::ClassList;
use crate::index::fingerprint::Fingerprint;
use crate::kind::DatasetKind;
use crate::{Checksum, Dataset, Error, LabeledPair, Result, Sample};

/// Folders of the images below the root, tried in this order: torchvision's, Kaggle's, the root
/// itself.
const IMAGE_FOLDERS: [&str; 3] = ["val", "ILSVRC/Data/CLS-LOC/val", ""];

/// ImageNet's entry in the registry.
pub const KIND: DatasetKind = DatasetKind {
    id: "imagenet",
    summary: "ImageNet (ILSVRC2012) validation: 50,000 photos, 1000 classes, one label each",
    layout: "\
  either class folders (torchvision's ImageFolder), some or all of them:
    ROOT/val/n01440764/*.JPEG ...          (or ROOT/n01440764/*.JPEG ...)
  or the flat folder and one labels file:
    ROOT/val/ILSVRC2012_val_00000001.JPEG ... (or directly in ROOT, or in ROOT/ILSVRC/Data/CLS-LOC/val)
    ROOT/imagenet_2012_validation_synset_labels.txt   one wnid a line, or
    ROOT/LOC_val_solution.csv                         Kaggle's, or
    ROOT/ILSVRC2012_validation_ground_truth.txt       the devkit's, together with ROOT/map_clsloc.txt
  ROOT/classes.txt, if there, replaces ImageNet's 1000 classes: one class folder a line, in index order",
    how_to_get: "\
  register at https://image-net.org and download ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz,
  or join https://www.kaggle.com/c/imagenet-object-localization-challenge",
    open: |source| {
        source.refuse_difficult("ImageNet")?;
        source.refuse_mask_values("ImageNet")?;
        Ok(Box::new(ImageNet::open(source.root)?))
    },
};

/// An opened ImageNet folder.
#[derive(Debug)]
pub struct ImageNet {
    root: PathBuf,
    entries: Vec<Entry>,
    classes: ClassList,
    fingerprint: String,
}

/// One image: its path below the root with `/` separators, how much of it is the id, and its class.
#[derive(Debug)]
struct Entry {
    file: String,
    id_length: usize,
    label: usize,
}

impl Entry {
    fn new(file: String, label: usize) -> Self {
        let id_length = file.rfind('.').unwrap_or(file.len());
        Self { file, id_length, label }
    }

    fn id(&self) -> &str {
        &self.file[..self.id_length]
    }
}

impl ImageNet {
    /// Builds the index of the images below `root`, in torchvision's order: class folders by name,
    /// then files by name.
    ///
    /// Labels are indices in the list of classes, whichever class folders are there. No image is
    /// opened; the size of every file is asked for.
    ///
    /// # Errors
    /// Where neither layout is found, a class folder is not in the list or has no image
    /// (torchvision refuses it too), or images and labels don't match one to one.
    pub fn open(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            return Err(missing(root, &[""]));
        }
        let classes = ClassList::of_root(root)?;
        let folder = IMAGE_FOLDERS.iter().find(|folder| root.join(folder).is_dir()).unwrap_or(&"");
        let found = files::list(&root.join(folder))?;
        let is_class = |name: &String| classes.index_of(name).is_some();
        let entries = if found.images.is_empty() {
            in_class_folders(root, folder, &found.folders, &classes)?
        } else if let Some(class) = found.folders.iter().find(|name| is_class(name)) {
            let problem =
                format!("holds both class folders ({class}) and images ({}); use one layout", found.images[0]);
            return Err(Error::layout(&root.join(folder), problem));
        } else {
            flat(root, folder, found.images, &classes)?
        };
        check_unique(root, &entries)?;
        let fingerprint = fingerprint(root, &entries, &classes)?;
        Ok(Self { root: root.into(), entries, classes, fingerprint })
    }
}

impl Dataset for ImageNet {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn id(&self, index: usize) -> &str {
        self.entries[index].id()
    }

    fn load(&self, index: usize) -> Result<Sample> {
        let entry = &self.entries[index];
        let mut reading = Reading::default();
        let image = decode::decode_into(&self.root.join(&entry.file), &mut reading)?;
        let (id, labels, checksum) = (entry.id().into(), vec![entry.label], reading.finish());
        Ok(Sample { id, image, labels, regions: Vec::new(), object: None, checksum })
    }

    fn checksum(&self, index: usize) -> Result<Checksum> {
        Checksum::of_files(&[&self.root.join(&self.entries[index].file)])
    }

    fn pairs(&self, index: usize) -> Option<Vec<LabeledPair>> {
        let class = self.entries[index].label;
        Some(vec![LabeledPair { class, all_difficult: false, in_difficult_subset: false }])
    }

    fn file(&self, index: usize) -> Option<PathBuf> {
        Some(self.root.join(&self.entries[index].file))
    }

    fn classes(&self) -> &[String] {
        self.classes.names()
    }

    fn remedy_for_classes(&self, count: usize) -> Option<String> {
        let file = self.root.join(crate::index::classes::FILE_NAME);
        let used: HashSet<usize> = self.entries.iter().map(|entry| entry.label).collect();
        (used.len() == count && !file.exists()).then(|| {
            format!(
                "its images are of {count} of ImageNet's 1000 classes: list these {count} in {}, one folder's name a line, in the order of the network's outputs \
                 (torchvision's is by name)",
                file.display()
            )
        })
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}

fn missing(root: &Path, paths: &[&str]) -> Error {
    Error::Missing {
        paths: paths.iter().map(|path| root.join(path)).collect(),
        layout: KIND.layout.into(),
        how_to_get: KIND.how_to_get.into(),
    }
}

fn in_class_folders(root: &Path, folder: &str, names: &[String], classes: &ClassList) -> Result<Vec<Entry>> {
    if names.is_empty() {
        let first = classes.folders()[0].as_str();
        return Err(missing(root, &[&files::join("val", first), &files::join("val", &labels::image_name(1))]));
    }
    let mut entries = Vec::new();
    let mut empty = Vec::new();
    for name in names {
        let class_folder = root.join(folder).join(name);
        let Some(label) = classes.index_of(name) else {
            let problem = format!(
                "this folder is not one of the {} classes; rename or remove it, or list the classes in {}",
                classes.len(),
                root.join(crate::index::classes::FILE_NAME).display()
            );
            return Err(Error::layout(&class_folder, problem));
        };
        let images = files::images_below(&class_folder)?;
        if images.is_empty() {
            empty.push(name.as_str());
        }
        entries
            .extend(images.into_iter().map(|image| Entry::new(files::join(folder, &format!("{name}/{image}")), label)));
    }
    if !empty.is_empty() {
        let problem = format!("class folders without an image: {}; fill or remove them", empty.join(", "));
        return Err(Error::layout(&root.join(folder), problem));
    }
    Ok(entries)
}

fn flat(root: &Path, folder: &str, images: Vec<String>, classes: &ClassList) -> Result<Vec<Entry>> {
    let labels = labels::read(root, &images, classes)?;
    let Some(labels) = labels else {
        return Err(missing(root, &labels::FILE_NAMES));
    };
    Ok(images.into_iter().zip(labels).map(|(image, label)| Entry::new(files::join(folder, &image), label)).collect())
}

fn check_unique(root: &Path, entries: &[Entry]) -> Result<()> {
    let mut seen = HashSet::with_capacity(entries.len());
    for entry in entries {
        if !seen.insert(entry.id()) {
            let problem = "another image has this name with another extension; ids must be unique, rename one";
            return Err(Error::layout(&root.join(&entry.file), problem));
        }
    }
    Ok(())
}

fn fingerprint(root: &Path, entries: &[Entry], classes: &ClassList) -> Result<String> {
    let mut fingerprint = Fingerprint::new(classes.folders());
    for entry in entries {
        let path = root.join(&entry.file);
        let size = std::fs::metadata(&path).map_err(Error::io(&path))?.len();
        fingerprint.sample(entry.id(), &[entry.label], size);
    }
    Ok(fingerprint.finish())
}
