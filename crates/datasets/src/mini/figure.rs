//! One painted piece: an outline with a surface.

use super::canvas::Canvas;
use super::class::{Shape, Texture};
use super::draw::{Colour, Draw};

/// Points at which a pixel is sampled, from its centre.
const SAMPLES: [(f32, f32); 4] = [(-0.125, -0.375), (0.375, -0.125), (-0.375, 0.125), (0.125, 0.375)];
/// Samples that make a pixel a part of the figure: at least half.
const MAJORITY: u32 = SAMPLES.len() as u32 / 2;

/// Radii are chosen so that the areas of all shapes are alike.
const SQUARE: f32 = 0.86;
const TRIANGLE: f32 = 1.38;
const STAR: f32 = 1.38;
const STAR_WAIST: f32 = 0.66;
const RING: f32 = 1.1;
const HOLE: f32 = 0.52;

const SIN_60: f32 = 0.866_025_4;
const COS_36: f32 = 0.809_017;
const SIN_36: f32 = 0.587_785_25;
/// Directions of the star's points: multiples of 72°.
const POINTS: [(f32, f32); 5] =
    [(1.0, 0.0), (0.309_017, 0.951_056_5), (-COS_36, SIN_36), (-COS_36, -SIN_36), (0.309_017, -0.951_056_5)];

/// Outline of a figure, in its own coordinates: turned, in units of its radius.
#[derive(Debug, Clone)]
pub(super) enum Outline {
    Shape(Shape),
    /// Soft discs run together: centre and inverse squared radius of each.
    Blob([(f32, f32, f32); 4]),
}

impl Outline {
    /// An irregular outline, like none of the shapes.
    pub(super) fn blob(draw: &mut Draw) -> Self {
        let mut lobe = |_| {
            let ((x, y), far) = (draw.direction(), draw.between(0.3, 0.75));
            let radius = draw.between(0.6, 0.95);
            (x * far, y * far, 1.0 / (radius * radius))
        };
        Self::Blob([0, 1, 2, 3].map(&mut lobe))
    }

    /// Radius of the circle around it.
    pub(super) fn reach(&self) -> f32 {
        match self {
            Self::Shape(Shape::Disc) => 1.0,
            Self::Shape(Shape::Ring) => RING,
            Self::Shape(Shape::Square) => SQUARE * std::f32::consts::SQRT_2,
            Self::Shape(Shape::Star) => STAR,
            Self::Shape(Shape::Triangle) => TRIANGLE,
            Self::Blob(_) => 1.45,
        }
    }

    fn contains(&self, x: f32, y: f32) -> bool {
        let square = x * x + y * y;
        match self {
            Self::Shape(Shape::Disc) => square <= 1.0,
            Self::Shape(Shape::Ring) => (HOLE * HOLE..=RING * RING).contains(&square),
            Self::Shape(Shape::Square) => x.abs().max(y.abs()) <= SQUARE,
            Self::Shape(Shape::Triangle) => y.max(SIN_60 * x.abs() - 0.5 * y) <= TRIANGLE / 2.0,
            Self::Shape(Shape::Star) => {
                // In the sector of the nearest point, folded onto one half, the star ends at one
                // straight edge.
                let along = POINTS.iter().map(|(cos, sin)| x * cos + y * sin).fold(f32::MIN, f32::max);
                let across = (square - along * along).max(0.0).sqrt();
                let (waist_along, waist_across) = (STAR_WAIST * COS_36, STAR_WAIST * SIN_36);
                (along - STAR) * waist_across + across * (STAR - waist_along) <= 0.0
            }
            Self::Blob(lobes) => {
                let soft = |(cx, cy, inverse): &(f32, f32, f32)| {
                    let height = (1.0 - ((x - cx) * (x - cx) + (y - cy) * (y - cy)) * inverse).max(0.0);
                    height * height
                };
                lobes.iter().map(soft).sum::<f32>() >= 0.3
            }
        }
    }
}

/// Surface of a figure.
#[derive(Debug, Clone)]
pub(super) struct Surface {
    /// Plain where `None`: the first tone everywhere.
    texture: Option<Texture>,
    tones: [Colour; 2],
    /// Direction across the stripes over their period, in pixels.
    wave: (f32, f32),
    phase: (f32, f32),
    /// Change of brightness along each axis, from the centre to the edge.
    light: (f32, f32),
}

impl Surface {
    /// A bright tone and a dark one of any hue, in any order, with the given texture; `unit` is
    /// [`Canvas::unit`].
    pub(super) fn new(draw: &mut Draw, texture: Option<Texture>, unit: f32) -> Self {
        let mut tones = [draw.colour(0.75, 0.95), draw.colour(0.05, 0.25)];
        if draw.chance(0.5) {
            tones.reverse();
        }
        let (direction, period) = (draw.direction(), unit * draw.between(7.5, 11.0));
        let (light, strength) = (draw.direction(), draw.between(0.0, 0.18));
        Self {
            texture,
            tones,
            wave: (direction.0 / period, direction.1 / period),
            phase: (draw.unit(), draw.unit()),
            light: (light.0 * strength, light.1 * strength),
        }
    }

    /// Returns the tone `x` right of and `y` below the centre, in pixels.
    fn tone(&self, x: f32, y: f32) -> usize {
        let half_periods = |along: f32, phase: f32| (2.0 * (along + phase)).floor() as i32;
        let across = half_periods(x * self.wave.0 + y * self.wave.1, self.phase.0);
        let parity = match self.texture {
            None => 0,
            Some(Texture::Stripes) => across,
            Some(Texture::Checks) => across + half_periods(y * self.wave.0 - x * self.wave.1, self.phase.1),
        };
        (parity & 1) as usize
    }
}

/// A piece of a scene.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) outline: Outline,
    pub(super) surface: Surface,
    /// In pixels from the image's top left corner: right, down.
    pub(super) centre: (f32, f32),
    /// Radius of the disc of the same size, in pixels.
    pub(super) radius: f32,
    /// Cosine and sine of the rotation.
    pub(super) turn: (f32, f32),
}

impl Figure {
    /// Radius of the circle around it, in pixels.
    pub(super) fn reach(&self) -> f32 {
        self.outline.reach() * self.radius
    }

    /// Returns true if circles around the two, shrunk by `share`, overlap.
    pub(super) fn is_near(&self, other: &Self, share: f32) -> bool {
        let (x, y) = (self.centre.0 - other.centre.0, self.centre.1 - other.centre.1);
        let reach = (self.reach() + other.reach()) * share;
        x * x + y * y < reach * reach
    }

    /// Paints it; `cover` is told the index of every pixel of which it covers at least half the
    /// samples.
    pub(super) fn paint(&self, canvas: &mut Canvas, mut cover: impl FnMut(usize)) {
        let reach = self.reach() + 1.0;
        let shrink = 1.0 / self.radius;
        let (cos, sin) = (self.turn.0 * shrink, self.turn.1 * shrink);
        for (index, column, row) in canvas.square(self.centre, reach) {
            let (x, y) = (column - self.centre.0, row - self.centre.1);
            if x * x + y * y > reach * reach {
                continue;
            }
            let mut hits = [0_u32; 2];
            for (dx, dy) in SAMPLES {
                let (x, y) = (x + dx, y + dy);
                if self.outline.contains(x * cos + y * sin, y * cos - x * sin) {
                    hits[self.surface.tone(x, y)] += 1;
                }
            }
            let covered = hits[0] + hits[1];
            if covered == 0 {
                continue;
            }
            let light = 1.0 + (x * self.surface.light.0 + y * self.surface.light.1) * shrink;
            let share = hits[1] as f32 / covered as f32;
            let [first, second] = self.surface.tones;
            let colour = [0, 1, 2].map(|part| (first[part] + (second[part] - first[part]) * share) * light);
            canvas.blend(index, colour, covered as f32 / SAMPLES.len() as f32);
            if covered >= MAJORITY {
                cover(index);
            }
        }
    }
}
