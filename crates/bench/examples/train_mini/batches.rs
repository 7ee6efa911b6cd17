//! Batches of training scenes, drawn ahead by another thread; each scene is seen once.

use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::Result;
use datasets::image::preprocess;
use datasets::image::preprocess::Preprocess;
use datasets::mini::{Class, Object, Scene, SceneSpec, Stream};
use image::RgbImage;
use image::imageops::crop_imm;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Reduction, Tensor};

use crate::{BATCH, CLASSES, Task};

/// Of the scenes with several objects, the first that is drawn: far from those of the other task.
const FIRST_OF_SEVERAL: u64 = 1 << 32;
/// An object counts as present where at least this share of its visible pixels is in the window,
const PRESENT: f32 = 0.5;
/// and as absent where less than this share is; between the two nothing is asked of the network.
const ABSENT: f32 = 0.1;

/// Normalised inputs and what is right.
pub(crate) struct Batch {
    /// `[BATCH, 3, side, side]`, row by row.
    images: Vec<f32>,
    targets: Targets,
}

enum Targets {
    /// The index of each image's class.
    Class(Vec<i64>),
    /// For each image and class, whether it is there, in 0 and 1, and whether that counts, in 0
    /// and 1.
    Present { present: Vec<f32>, counts: Vec<f32> },
}

impl Batch {
    pub(crate) fn images(&self, side: usize) -> Tensor {
        Tensor::from_slice(&self.images).view([BATCH as i64, 3, side as i64, side as i64])
    }

    /// Cross-entropy of the softmax with smoothed labels, or of one sigmoid a class.
    pub(crate) fn loss(&self, logits: &Tensor) -> Result<Tensor> {
        let of_pairs = |values| Tensor::from_slice(values).view([BATCH as i64, CLASSES]);
        Ok(match &self.targets {
            Targets::Class(labels) => {
                logits.f_cross_entropy_loss::<Tensor>(&Tensor::from_slice(labels), None, Reduction::Mean, -100, 0.05)?
            }
            Targets::Present { present, counts } => {
                let weight = Some(of_pairs(counts));
                logits.f_binary_cross_entropy_with_logits(&of_pairs(present), weight, None, Reduction::Mean)?
            }
        })
    }
}

/// The batches of `steps` steps, for inputs of `side` × `side`.
pub(crate) fn draw(task: Task, side: usize, steps: usize) -> Receiver<Batch> {
    let (sender, receiver) = sync_channel(4);
    std::thread::spawn(move || {
        for step in 0..steps {
            let scenes = (step * BATCH..(step + 1) * BATCH).map(|index| index as u64);
            let batch = match task {
                Task::OneLabel => of_one_object(scenes, side),
                Task::ManyLabels => of_several_objects(scenes, side),
            };
            if sender.send(batch).is_err() {
                break;
            }
        }
    });
    receiver
}

fn of_one_object(scenes: impl Iterator<Item = u64>, side: usize) -> Batch {
    let recipe = Preprocess::imagenet(side as u32, side as u32);
    let (mut images, mut labels) = (Vec::with_capacity(BATCH * 3 * side * side), Vec::with_capacity(BATCH));
    for index in scenes {
        let class = Class::in_turn(index);
        let scene = Scene::generate(&SceneSpec::one_object(class), Stream::Train, index);
        images.extend(recipe.apply(&crop(scene, index)));
        labels.push(class.index() as i64);
    }
    Batch { images, targets: Targets::Class(labels) }
}

/// Half of the scenes as they are, of the others a part with the object's centre in it, from 45 %
/// of each side up. ImageNet's networks are trained on crops too, without which a network knows
/// objects at one scale only.
fn crop(scene: Scene, index: u64) -> RgbImage {
    let mut rng = ChaCha8Rng::seed_from_u64(index);
    let Some(object) = scene.objects.first().filter(|_| rng.random_bool(0.5)) else { return scene.image };
    let share = rng.random_range(0.45..1.0);
    let mut side = |length: u32, centre: f32| {
        let part = (f64::from(length) * share) as u32;
        let (low, high) = ((centre as u32).saturating_sub(part - 1), (centre as u32).min(length - part));
        (rng.random_range(low.min(high)..=high), part)
    };
    let (x, width) = side(scene.image.width(), object.centre.0);
    let (y, height) = side(scene.image.height(), object.centre.1);
    crop_imm(&scene.image, x, y, width, height).to_image()
}

fn of_several_objects(scenes: impl Iterator<Item = u64>, side: usize) -> Batch {
    let mut images = Vec::with_capacity(BATCH * 3 * side * side);
    let (mut present, mut counts) = (Vec::new(), Vec::new());
    for index in scenes {
        let scene = Scene::generate(&SceneSpec::several_objects(index), Stream::Train, FIRST_OF_SEVERAL + index);
        let window = Window::draw(&mut ChaCha8Rng::seed_from_u64(FIRST_OF_SEVERAL + index), &scene);
        let part = crop_imm(&scene.image, window.left, window.top, window.width, window.height).to_image();
        images.extend(resized(&part, side));
        for class in Class::all() {
            let (is_there, certain) = window.shows(class, &scene);
            present.push(f32::from(is_there));
            counts.push(f32::from(certain));
        }
    }
    Batch { images, targets: Targets::Present { present, counts } }
}

/// Resized as the pointing games' preprocessing does it: bilinear on values, not anti-aliased; the
/// aspect ratio is not kept.
fn resized(image: &RgbImage, side: usize) -> Vec<f32> {
    let normal = preprocess::normalise(image, preprocess::IMAGENET_MEAN, preprocess::IMAGENET_STD);
    let (width, height) = (i64::from(image.width()), i64::from(image.height()));
    let size = [side as i64, side as i64];
    let resized = Tensor::from_slice(&normal).view([1, 3, height, width]).upsample_bilinear2d(size, false, None, None);
    let mut values = vec![0.0; 3 * side * side];
    resized.to_kind(Kind::Float).copy_data(&mut values, 3 * side * side);
    values
}

/// The part of a scene that the network is shown.
struct Window {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Window {
    /// The whole scene, or a square: as large as fits, or smaller, from 45 % of the shorter side
    /// up, with an object's centre in it.
    fn draw(rng: &mut impl Rng, scene: &Scene) -> Self {
        let (width, height) = scene.image.dimensions();
        let shorter = width.min(height);
        let (side, centre) = match rng.random_range(0..3) {
            0 => return Self { left: 0, top: 0, width, height },
            1 => (shorter, None),
            _ => {
                let share = rng.random_range(0.45..1.0);
                let object = rng.random_range(0..scene.objects.len().max(1));
                ((f64::from(shorter) * share) as u32, scene.objects.get(object).map(|object| object.centre))
            }
        };
        let mut start = |length: u32, centre: Option<f32>| {
            let free = length - side;
            let Some(centre) = centre.map(|centre| centre as u32) else { return rng.random_range(0..=free) };
            let (low, high) = ((centre + 1).saturating_sub(side), centre.min(free));
            rng.random_range(low.min(high)..=high)
        };
        let left = start(width, centre.map(|centre| centre.0));
        let top = start(height, centre.map(|centre| centre.1));
        Self { left, top, width: side, height: side }
    }

    /// Share of the object's visible pixels that are in the window.
    fn share(&self, object: &Object, width: u32) -> f32 {
        let columns = self.left as usize..(self.left + self.width) as usize;
        let rows = object.mask.chunks_exact(width as usize).skip(self.top as usize).take(self.height as usize);
        let inside: usize = rows.map(|row| row[columns.clone()].iter().filter(|seen| **seen).count()).sum();
        inside as f32 / object.area as f32
    }

    /// The presence of the class, and whether that is certain. Difficult objects are not: most of
    /// them may be hidden.
    fn shows(&self, class: Class, scene: &Scene) -> (bool, bool) {
        let objects = scene.objects.iter().filter(|object| object.class == class);
        let shares = objects.map(|object| (object.difficult, self.share(object, scene.image.width())));
        shares.fold((false, true), |(is_there, certain), (difficult, share)| {
            let shown = share >= PRESENT && !difficult;
            (is_there || shown, is_there || shown || (certain && share < ABSENT))
        })
    }
}
