//! The index: photos in the order of their ids, each with its objects, made of what the annotation
//! file says.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path};

use crate::index::difficult::{DifficultSubset, LabeledPair, by_definition};
use crate::{Error, Result};

use super::json::{Annotation, Category, Image, Json};
use super::loose::Numbers;
use super::shape::Shape;

/// A photo: its path below the root and how much of it is the id, its size, its pairs, and its
/// objects or why they can't be used.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) number: i64,
    pub(super) file: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pairs: Vec<LabeledPair>,
    pub(super) objects: std::result::Result<Vec<Object>, String>,
}

/// An object or a crowd.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) id: i64,
    pub(super) class: usize,
    /// Of its bounding box, in pixels, where it has one.
    pub(super) area: Option<f64>,
    pub(super) shape: Shape,
}

impl Entry {
    pub(super) fn id(&self) -> &str {
        &self.file[..self.file.rfind('.').filter(|dot| *dot > self.stem_start()).unwrap_or(self.file.len())]
    }

    /// The names that the list of the difficult subset may use for it: its file's name, its number,
    /// its number in twelve digits.
    pub(super) fn names(&self) -> Vec<String> {
        vec![self.id()[self.stem_start()..].into(), self.number.to_string(), format!("{:012}", self.number)]
    }

    fn stem_start(&self) -> usize {
        self.file.rfind('/').map_or(0, |slash| slash + 1)
    }
}

/// Photos with their objects, and the names of the classes.
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    pub(super) classes: Vec<String>,
    /// Remarks on annotations that were skipped, or read in one of several ways.
    pub(super) remarks: Vec<String>,
}

/// Makes the index; `folder` is where the photos lie below the root.
pub(super) fn build(json: Json, path: &Path, folder: &str) -> Result<Index> {
    let absent =
        |key: &str| Error::layout(path, format!("has no `{key}`; expected COCO's annotation file of instances"));
    let categories = json.categories.ok_or_else(|| absent("categories"))?.0;
    let images = json.images.ok_or_else(|| absent("images"))?.0;
    let annotations = json.annotations.ok_or_else(|| absent("annotations"))?.0;

    let (classes, names) = classes(categories).map_err(|problem| Error::layout(path, problem))?;
    let mut entries = entries(images, folder).map_err(|problem| Error::layout(path, problem))?;
    let places: HashMap<i64, usize> = entries.iter().enumerate().map(|(place, entry)| (entry.number, place)).collect();
    let (mut foreign, mut twice) = (EmptyPairs::default(), EmptyPairs::default());
    let (total, mut ids) = (annotations.len(), HashSet::with_capacity(annotations.len()));
    for annotation in annotations {
        let (id, image) = (annotation.id, annotation.image_id);
        if !ids.insert(id) {
            twice.add(id);
        }
        match places.get(&image) {
            Some(&place) => entries[place].add(annotation, &classes),
            None => foreign.add((id, image)),
        }
    }
    let foreign = foreign.first.map(|(id, image)| {
        let count = foreign.count;
        format!(
            "{count} of {total} annotations are of photos that are not among the `images`, and are left out; the first: annotation {id}, of image {image}"
        )
    });
    let twice = twice.first.map(|id| {
        let count = twice.count;
        format!(
            "{count} of {total} annotations have the id of an earlier one, the first {id}; each is read as an object of its own, where pycocotools would \
             give the last of an id in place of the others"
        )
    });
    Ok(Index { entries, classes: names, remarks: [foreign, twice].into_iter().flatten().collect() })
}

/// A count, and the first one counted.
struct EmptyPairs<T> {
    count: usize,
    first: Option<T>,
}

impl<T> Default for EmptyPairs<T> {
    fn default() -> Self {
        Self { count: 0, first: None }
    }
}

impl<T> EmptyPairs<T> {
    fn add(&mut self, one: T) {
        self.count += 1;
        self.first.get_or_insert(one);
    }
}

impl Entry {
    /// The first thing that is wrong stays.
    fn add(&mut self, annotation: Annotation, classes: &HashMap<i64, usize>) {
        let Ok(objects) = &mut self.objects else {
            return;
        };
        let id = annotation.id;
        match Object::new(annotation, classes, self.width, self.height) {
            Ok(object) => objects.push(object),
            Err(problem) => self.objects = Err(format!("annotation {id} {problem}")),
        }
    }

    /// Fills in the pairs, once all objects are there.
    pub(super) fn pair_up(&mut self, subset: &DifficultSubset) {
        let Ok(objects) = &self.objects else {
            return;
        };
        let mut classes: Vec<usize> = objects.iter().map(|object| object.class).collect();
        classes.sort_unstable();
        classes.dedup();
        let boxless = objects.iter().find(|object| object.area.is_none()).map(|object| object.id);
        if let (Some(id), DifficultSubset::Computed) = (boxless, subset) {
            self.objects = Err(format!(
                "annotation {id} has no bbox of four numbers, by which the difficult subset is computed; give its list instead"
            ));
            return;
        }
        let pixels = f64::from(self.width) * f64::from(self.height);
        let names = self.names();
        let pair = |&class: &usize| {
            let area = || objects.iter().filter(|object| object.class == class).filter_map(|object| object.area).sum();
            let in_difficult_subset = subset.holds(&names, class, || by_definition(area(), pixels, classes.len()));
            LabeledPair { class, all_difficult: false, in_difficult_subset }
        };
        self.pairs = classes.iter().map(pair).collect();
    }
}

impl Object {
    fn new(
        annotation: Annotation,
        classes: &HashMap<i64, usize>,
        width: u32,
        height: u32,
    ) -> std::result::Result<Self, String> {
        let category = annotation.category_id;
        let class = *classes
            .get(&category)
            .ok_or_else(|| format!("is of category {category}, which is not among the `categories`"))?;
        let area = match annotation.bbox {
            Numbers::List(corners) => match *corners {
                [_, _, width, height] if width >= 0.0 && height >= 0.0 => Some(width * height),
                _ => None,
            },
            Numbers::Other(_) => None,
        };
        Ok(Self { id: annotation.id, class, area, shape: Shape::new(annotation.segmentation, width, height)? })
    }
}

/// Class index by category id, the rank of the id; and the classes' names.
fn classes(mut categories: Vec<Category>) -> std::result::Result<(HashMap<i64, usize>, Vec<String>), String> {
    categories.sort_by_key(|category| category.id);
    if let Some(twice) = categories.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(format!("category {} is there twice, as `{}` and `{}`", twice[0].id, twice[0].name, twice[1].name));
    }
    if categories.is_empty() {
        return Err("lists no categories".into());
    }
    let ranks = categories.iter().enumerate().map(|(rank, category)| (category.id, rank)).collect();
    Ok((ranks, categories.into_iter().map(|category| category.name).collect()))
}

fn entries(mut images: Vec<Image>, folder: &str) -> std::result::Result<Vec<Entry>, String> {
    images.sort_by_key(|image| image.id);
    if let Some(twice) = images.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(format!(
            "image {} is there twice, as `{}` and `{}`",
            twice[0].id, twice[0].file_name, twice[1].file_name
        ));
    }
    if images.is_empty() {
        return Err("lists no images".into());
    }
    let mut entries = Vec::with_capacity(images.len());
    for image in images {
        let Image { id: number, file_name, width, height } = image;
        let parts = Path::new(&file_name).components();
        let inside = parts.clone().count() > 0 && parts.clone().all(|part| matches!(part, Component::Normal(_)));
        if !inside || file_name.contains('\\') {
            return Err(format!(
                "image {number} has the file name `{file_name}`; expected the name of a file in {folder}/"
            ));
        }
        if width == 0 || height == 0 {
            return Err(format!("image {number} `{file_name}` is {width} × {height} pixels"));
        }
        let file = format!("{folder}/{file_name}");
        entries.push(Entry { number, file, width, height, pairs: Vec::new(), objects: Ok(Vec::new()) });
    }
    let mut ids = HashSet::with_capacity(entries.len());
    match entries.iter().find(|entry| !ids.insert(entry.id())) {
        Some(twice) => Err(format!("image {} is of the file `{}`, as another image is", twice.number, twice.file)),
        None => Ok(entries),
    }
}
