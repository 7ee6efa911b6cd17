//! Background of the objects: a field of noise in a few colours, strewn with strokes and spots.

use super::canvas::Canvas;
use super::draw::{Colour, Draw};

/// A background of the given size, in pixels.
pub(super) fn paint(draw: &mut Draw, width: u32, height: u32) -> Canvas {
    let mut canvas = Canvas { width, height, pixels: Vec::new() };
    let field = field(draw, &canvas);
    canvas.pixels = in_colour(draw, field);
    for _ in 0..draw.whole(7..=14) {
        stroke(draw, &mut canvas);
    }
    for _ in 0..draw.whole(4..=9) {
        spot(draw, &mut canvas);
    }
    canvas
}

/// Noise of three scales on a slope, in about 0 to 1; grained along one axis at times, as wood is.
fn field(draw: &mut Draw, canvas: &Canvas) -> Vec<f32> {
    let (width, height) = (canvas.width as f32, canvas.height as f32);
    let ((across, down), steep) = (draw.direction(), draw.between(0.0, 0.5));
    let slope = (across * steep / width, down * steep / height);
    let start = 0.5 - slope.0 * width / 2.0 - slope.1 * height / 2.0;
    let row = |y| (0..canvas.width).map(move |x| start + x as f32 * slope.0 + y as f32 * slope.1);
    let mut field: Vec<f32> = (0..canvas.height).flat_map(row).collect();
    let stretch = draw.one_of(&[(1.0, 1.0), (1.0, 1.0), (4.0, 0.8), (0.8, 4.0)]);
    let rough = draw.between(0.4, 1.0);
    for (cell, strength) in [(40.0, 0.55), (15.0, 0.4 * rough), (5.0, 0.3 * rough)] {
        let cell = cell * canvas.unit() * draw.between(0.75, 1.25);
        add_noise(draw, &mut field, canvas, (cell * stretch.0, cell * stretch.1), strength);
    }
    field
}

/// Adds smoothly joined random values of ± half the strength, one every `cell` pixels.
fn add_noise(draw: &mut Draw, field: &mut [f32], canvas: &Canvas, cell: (f32, f32), strength: f32) {
    let columns = smooth(canvas.width, cell.0);
    let length = columns.last().map_or(0, |last| last.0) + 2;
    let mut values = || (0..length).map(|_| draw.between(-strength / 2.0, strength / 2.0)).collect::<Vec<_>>();
    let (mut upper, mut lower, mut at) = (values(), values(), 0);
    for (pixels, (node, share)) in field.chunks_exact_mut(canvas.width as usize).zip(smooth(canvas.height, cell.1)) {
        while at < node {
            upper = std::mem::replace(&mut lower, values());
            at += 1;
        }
        let nodes: Vec<f32> = upper.iter().zip(&lower).map(|(upper, lower)| upper + (lower - upper) * share).collect();
        for (pixel, (node, share)) in pixels.iter_mut().zip(&columns) {
            *pixel += nodes[*node] + (nodes[node + 1] - nodes[*node]) * share;
        }
    }
}

/// For each pixel of an axis, the node before it and how far it is towards the next, eased at both
/// ends.
fn smooth(length: u32, cell: f32) -> Vec<(usize, f32)> {
    let place = |pixel| {
        let position = pixel as f32 / cell;
        let share = position - position.floor();
        (position as usize, share * share * (3.0 - 2.0 * share))
    };
    (0..length).map(place).collect()
}

/// The field in three colours of middling brightness, in flat steps at times.
fn in_colour(draw: &mut Draw, field: Vec<f32>) -> Vec<Colour> {
    let colours = [(); 3].map(|()| draw.colour(0.28, 0.72));
    let steps = if draw.chance(0.35) { draw.whole(3..=6) as f32 } else { 0.0 };
    let colour = |value: f32| {
        let value = value.clamp(0.0, 0.999);
        let value = if steps > 0.0 { (value * steps).floor() / (steps - 1.0) } else { value };
        let (from, to, share) = if value < 0.5 { (0, 1, value * 2.0) } else { (1, 2, value * 2.0 - 1.0) };
        [0, 1, 2].map(|part| colours[from][part] + (colours[to][part] - colours[from][part]) * share)
    };
    field.into_iter().map(colour).collect()
}

/// A line with one bend.
fn stroke(draw: &mut Draw, canvas: &mut Canvas) {
    let unit = canvas.unit();
    let colour = draw.colour(0.05, 0.95);
    let (thick, opacity) = (unit * draw.between(0.5, 1.8), draw.between(0.5, 1.0));
    let mut from = (draw.unit() * canvas.width as f32, draw.unit() * canvas.height as f32);
    for _ in 0..2 {
        let ((x, y), length) = (draw.direction(), unit * draw.between(6.0, 22.0));
        let to = (from.0 + x * length, from.1 + y * length);
        let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        for (index, column, row) in canvas.square(middle, length / 2.0 + thick + 1.0) {
            let (dx, dy) = (column - from.0, row - from.1);
            let along = (dx * x + dy * y).clamp(0.0, length);
            let (dx, dy) = (dx - along * x, dy - along * y);
            let covered = (thick + 0.5 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
            if covered > 0.0 {
                canvas.blend(index, colour, covered * opacity);
            }
        }
        from = to;
    }
}

/// A small ellipse.
fn spot(draw: &mut Draw, canvas: &mut Canvas) {
    let unit = canvas.unit();
    let colour = draw.colour(0.05, 0.95);
    let opacity = draw.between(0.5, 1.0);
    let centre = (draw.unit() * canvas.width as f32, draw.unit() * canvas.height as f32);
    let ((cos, sin), long, flat) = (draw.direction(), unit * draw.between(1.5, 6.0), draw.between(1.0, 2.5));
    for (index, column, row) in canvas.square(centre, long + 1.0) {
        let (dx, dy) = (column - centre.0, row - centre.1);
        let (along, across) = (dx * cos + dy * sin, (dy * cos - dx * sin) * flat);
        let covered = (long + 0.5 - (along * along + across * across).sqrt()).clamp(0.0, 1.0);
        if covered > 0.0 {
            canvas.blend(index, colour, covered * opacity);
        }
    }
}
