//! Whole scenes: what is drawn where, and what of it is seen.

use std::ops::RangeInclusive;

use image::RgbImage;

use super::background;
use super::canvas::Canvas;
use super::class::{Class, Shape, Texture};
use super::draw::Draw;
use super::figure::{Figure, Outline, Surface};

/// Places tried for a figure before it is left out.
const TRIES: usize = 64;
/// Circles around a distractor and an object may overlap so far.
const DISTRACTOR_GAP: f32 = 0.95;
/// An object of which less than this share is visible is difficult.
const EASY: f32 = 0.7;

/// A stream of scenes: each has its own, and none is in two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Scenes that networks are trained on.
    Train = 0,
    /// Scenes of the held-out split.
    HeldOut = 1,
}

/// Specification of a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneSpec {
    /// Width of the image in pixels.
    pub width: RangeInclusive<u32>,
    /// Height of the image in pixels; the two are drawn apart, so images are seldom square.
    pub height: RangeInclusive<u32>,
    /// Number of objects; fewer where no room is found.
    pub objects: RangeInclusive<u32>,
    /// Classes that each object's is drawn from, all equally likely.
    pub classes: Vec<Class>,
    /// Side of an object (a disc's diameter; other shapes have about its area) over the image's
    /// shorter side, at most 0.7.
    pub object_side: RangeInclusive<f32>,
    /// Least distance of two objects' centres over the sum of the radii of the circles around them:
    /// below about 0.8, one hides parts of another.
    pub object_gap: f32,
    /// Number of untextured shapes that are not objects.
    pub plain_shapes: RangeInclusive<u32>,
    /// Number of textured patches, of no particular shape, that are not objects.
    pub patches: RangeInclusive<u32>,
}

impl SceneSpec {
    /// One object of class `class` among distractors: a scene with a single label.
    #[must_use]
    pub fn one_object(class: Class) -> Self {
        Self {
            width: 144..=208,
            height: 144..=208,
            objects: 1..=1,
            classes: vec![class],
            object_side: 0.28..=0.58,
            object_gap: 0.85,
            plain_shapes: 1..=2,
            patches: 1..=2,
        }
    }

    /// Up to four objects, small and large, that may hide parts of one another: a scene with any
    /// number of labels.
    ///
    /// Of scenes whose turns follow one another, each fourth has two classes only, so that objects
    /// of a class come in groups, and each thirtieth has no object at all.
    #[must_use]
    pub fn several_objects(turn: u64) -> Self {
        let mut spec = Self {
            width: 144..=240,
            height: 144..=240,
            objects: 1..=4,
            classes: Class::all().collect(),
            object_side: 0.12..=0.55,
            object_gap: 0.65,
            plain_shapes: 1..=2,
            patches: 1..=2,
        };
        if turn % 4 == 3 {
            spec.objects = 3..=4;
            spec.classes = vec![Class::in_turn(turn / 4), Class::in_turn(turn / 4 + 1 + turn / 40)];
        }
        if turn % 30 == 29 {
            spec.objects = 0..=0;
        }
        spec
    }
}

/// An image with everything that is known of it.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The image.
    pub image: RgbImage,
    /// Its objects, from the one farthest back; distractors are not among them.
    pub objects: Vec<Object>,
}

/// One object of a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its class.
    pub class: Class,
    /// Its centre in pixels from the image's top left corner: right, down.
    pub centre: (f32, f32),
    /// Diameter of the disc of the same size, in pixels.
    pub side: f32,
    /// Cosine and sine of its rotation.
    pub turn: (f32, f32),
    /// Its visible pixels, row by row, `height × width` of the image: those it covers at least half
    /// of, and no later object.
    pub mask: Vec<bool>,
    /// The smallest box around the mask.
    pub bounds: PixelBox,
    /// Number of visible pixels, at least 1.
    pub area: usize,
    /// True if less than 70 % of it is visible.
    pub difficult: bool,
}

/// A box in pixels: columns `left..right` of rows `top..bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the four sides
pub struct PixelBox {
    pub left: u32,
    pub top: u32,
    pub right: u32,
    pub bottom: u32,
}

impl Scene {
    /// Draws scene `index` of `stream`.
    ///
    /// # Panics
    /// Where `spec` has an empty range, a size of 0, no class, or objects that don't fit the image.
    #[must_use]
    pub fn generate(spec: &SceneSpec, stream: Stream, index: u64) -> Self {
        let mut draw = Draw::new(stream as u64, index);
        let (width, height) = (draw.whole(spec.width.clone()), draw.whole(spec.height.clone()));
        let mut canvas = background::paint(&mut draw, width, height);
        let objects = place_objects(&mut draw, spec, &canvas);
        for distractor in place_distractors(&mut draw, spec, &canvas, &objects) {
            distractor.paint(&mut canvas, |_| ());
        }
        let mut owners = vec![0; canvas.pixels.len()];
        let mut covered = vec![0; objects.len()];
        for (owner, (_, figure)) in (1_u32..).zip(&objects) {
            figure.paint(&mut canvas, |pixel| {
                owners[pixel] = owner;
                covered[owner as usize - 1] += 1;
            });
        }
        let seen = (1..).zip(objects).zip(covered);
        let seen = seen.filter_map(|((owner, (class, figure)), covered)| {
            Object::seen(class, &figure, &owners, owner, covered, width)
        });
        let objects = seen.collect();
        Self { image: canvas.finish(&mut draw), objects }
    }
}

impl Object {
    /// Returns the visible rest of a figure that covered `covered` pixels, or `None` where nothing
    /// is.
    fn seen(class: Class, figure: &Figure, owners: &[u32], owner: u32, covered: usize, width: u32) -> Option<Self> {
        let mask: Vec<bool> = owners.iter().map(|found| *found == owner).collect();
        let bounds = PixelBox::around(&mask, width)?;
        let area = mask.iter().filter(|visible| **visible).count();
        let difficult = (area as f32) < EASY * covered as f32;
        Some(Self {
            class,
            centre: figure.centre,
            side: 2.0 * figure.radius,
            turn: figure.turn,
            mask,
            bounds,
            area,
            difficult,
        })
    }
}

impl PixelBox {
    /// The smallest box around the true pixels of `mask`, row by row of `width` pixels; `None`
    /// where none is true.
    ///
    /// # Panics
    /// Where `width` is 0.
    #[must_use]
    pub fn around(mask: &[bool], width: u32) -> Option<Self> {
        let mut found: Option<Self> = None;
        for (row, y) in mask.chunks(width as usize).zip(0..) {
            let Some(first) = row.iter().position(|visible| *visible) else { continue };
            let last = row.iter().rposition(|visible| *visible).unwrap_or(first);
            let (left, right) = (first as u32, last as u32 + 1);
            let so_far = found.unwrap_or(Self { left, top: y, right, bottom: y });
            found = Some(Self {
                left: so_far.left.min(left),
                top: so_far.top,
                right: so_far.right.max(right),
                bottom: y + 1,
            });
        }
        found
    }
}

fn place_objects(draw: &mut Draw, spec: &SceneSpec, canvas: &Canvas) -> Vec<(Class, Figure)> {
    let mut placed: Vec<(Class, Figure)> = Vec::new();
    for _ in 0..draw.whole(spec.objects.clone()) {
        let class = draw.one_of(&spec.classes);
        let surface = Surface::new(draw, Some(class.texture), canvas.unit());
        let mut figure = figure(draw, Outline::Shape(class.shape), surface);
        for _ in 0..TRIES {
            figure.radius = radius(draw, canvas, *spec.object_side.start(), *spec.object_side.end());
            let reach = figure.reach() + 1.0;
            let (right, bottom) = (canvas.width as f32 - reach, canvas.height as f32 - reach);
            assert!(
                reach <= right && reach <= bottom,
                "objects with a side of {:?} don't fit the image",
                spec.object_side
            );
            figure.centre = (draw.between(reach, right), draw.between(reach, bottom));
            if !placed.iter().any(|(_, other)| figure.is_near(other, spec.object_gap)) {
                placed.push((class, figure));
                break;
            }
        }
    }
    placed
}

/// Distractors are smaller than objects, and may be cut off by the image's border.
fn place_distractors(draw: &mut Draw, spec: &SceneSpec, canvas: &Canvas, objects: &[(Class, Figure)]) -> Vec<Figure> {
    let plain = draw.whole(spec.plain_shapes.clone());
    let patches = draw.whole(spec.patches.clone());
    let mut placed: Vec<Figure> = Vec::new();
    for number in 0..plain + patches {
        let (outline, texture, low, high) = if number < plain {
            (Outline::Shape(draw.one_of(&Shape::ALL)), None, 0.14, 0.25)
        } else {
            (Outline::blob(draw), Some(draw.one_of(&Texture::ALL)), 0.18, 0.28)
        };
        let surface = Surface::new(draw, texture, canvas.unit());
        let mut figure = figure(draw, outline, surface);
        for _ in 0..TRIES {
            figure.radius = radius(draw, canvas, low, high);
            figure.centre = (draw.unit() * canvas.width as f32, draw.unit() * canvas.height as f32);
            let free = |other: &Figure| !figure.is_near(other, DISTRACTOR_GAP);
            if objects.iter().all(|(_, object)| free(object)) && placed.iter().all(free) {
                placed.push(figure);
                break;
            }
        }
    }
    placed
}

fn radius(draw: &mut Draw, canvas: &Canvas, low: f32, high: f32) -> f32 {
    draw.between(low, high) / 2.0 * canvas.width.min(canvas.height) as f32
}

/// A figure that is turned at random, still without a place.
fn figure(draw: &mut Draw, outline: Outline, surface: Surface) -> Figure {
    Figure { outline, surface, centre: (0.0, 0.0), radius: 1.0, turn: draw.direction() }
}
