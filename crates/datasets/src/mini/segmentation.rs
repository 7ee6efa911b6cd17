//! A mask in the three ways that COCO's annotations know: polygons, runs, and runs in a string.

use std::collections::BTreeMap;

/// Row and column of a pixel's corner.
type Corner = (u32, u32);

/// Polygons around the mask's pixels, row by row of `width`, each as `x, y, x, y, …`: one around
/// every group of pixels that touch along edges, with a cut from the outline to each hole, so that
/// what is an odd number of edges away from the outside is the mask.
pub(super) fn polygons(mask: &[bool], width: u32) -> Vec<Vec<u32>> {
    let mut group_of = vec![0; mask.len()];
    let mut polygons = Vec::new();
    for start in 0..mask.len() {
        if mask[start] && group_of[start] == 0 {
            let group = polygons.len() + 1;
            let pixels = fill(mask, width as usize, &mut group_of, start, group);
            polygons.push(polygon(&pixels, &group_of, width as usize, group));
        }
    }
    polygons
}

/// Marks the group of pixels that `start` is in, and returns them.
fn fill(mask: &[bool], width: usize, group_of: &mut [usize], start: usize, group: usize) -> Vec<usize> {
    let mut pixels = vec![start];
    group_of[start] = group;
    let mut next = 0;
    while let Some(&pixel) = pixels.get(next) {
        next += 1;
        for neighbour in neighbours(pixel, width, mask.len()).into_iter().flatten() {
            if mask[neighbour] && group_of[neighbour] == 0 {
                group_of[neighbour] = group;
                pixels.push(neighbour);
            }
        }
    }
    pixels
}

/// The pixels above, right of, below and left of one.
fn neighbours(pixel: usize, width: usize, length: usize) -> [Option<usize>; 4] {
    let column = pixel % width;
    [
        pixel.checked_sub(width),
        (column + 1 < width).then_some(pixel + 1),
        (pixel + width < length).then_some(pixel + width),
        (column > 0).then(|| pixel - 1),
    ]
}

fn polygon(pixels: &[usize], group_of: &[usize], width: usize, group: usize) -> Vec<u32> {
    // Every edge between the group and what isn't, from corner to corner, clockwise around the
    // pixel.
    let mut edges: BTreeMap<Corner, Vec<Corner>> = BTreeMap::new();
    for &pixel in pixels {
        let (row, column) = ((pixel / width) as u32, (pixel % width) as u32);
        let corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)];
        for (side, neighbour) in neighbours(pixel, width, group_of.len()).into_iter().enumerate() {
            if neighbour.is_none_or(|neighbour| group_of[neighbour] != group) {
                edges.entry(corners[side]).or_default().push(corners[(side + 1) % 4]);
            }
        }
    }
    // The first loop is the outline: it holds the topmost corner.
    let mut path: Vec<Corner> = Vec::new();
    while let Some(&start) = edges.keys().next() {
        let from = path.first().copied();
        path.extend(from.filter(|from| path.len() > 1 && path.last() != Some(from)));
        path.extend(loop_from(start, &mut edges));
        path.extend(from.map(|_| start));
    }
    path.into_iter().flat_map(|(row, column)| [column, row]).collect()
}

/// The corners where the loop through `start` turns, without its edges from then on.
fn loop_from(start: Corner, edges: &mut BTreeMap<Corner, Vec<Corner>>) -> Vec<Corner> {
    let mut turns: Vec<Corner> = Vec::new();
    let mut at = start;
    while let Some(ends) = edges.get_mut(&at) {
        let Some(next) = ends.pop() else { break };
        if ends.is_empty() {
            edges.remove(&at);
        }
        let goes_on = |before: &Corner| before.0 == at.0 && at.0 == next.0 || before.1 == at.1 && at.1 == next.1;
        if !turns.last().is_some_and(goes_on) {
            turns.push(at);
        }
        at = next;
        if at == start {
            break;
        }
    }
    turns
}

/// Lengths of the runs of absent and present pixels in turn, absent ones first, column by column.
pub(super) fn runs(mask: &[bool], width: u32) -> Vec<u32> {
    let (width, mut runs, mut present) = (width as usize, vec![0], false);
    for pixel in (0..width).flat_map(|column| mask[column..].iter().step_by(width)) {
        if *pixel != present {
            present = *pixel;
            runs.push(0);
        }
        if let Some(run) = runs.last_mut() {
            *run += 1;
        }
    }
    runs
}

/// Runs in COCO's string: from the fourth on, each as its difference to the last of its kind; a
/// number is split into groups of five bits, lowest first, with a sixth that says that more follow;
/// 48 is added to make a printable character.
pub(super) fn text(runs: &[u32]) -> String {
    let mut text = String::new();
    for (index, run) in runs.iter().enumerate() {
        let before = if index > 2 { i64::from(runs[index - 2]) } else { 0 };
        let mut rest = i64::from(*run) - before;
        loop {
            let bits = (rest & 31) as u8;
            rest >>= 5;
            // The highest bit of the last group is the sign.
            let is_last = rest == if bits & 16 == 0 { 0 } else { -1 };
            text.push(char::from(48 + bits + if is_last { 0 } else { 32 }));
            if is_last {
                break;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mini::{Scene, SceneSpec, Stream};

    fn mask(rows: &[&str]) -> (Vec<bool>, u32) {
        (rows.concat().bytes().map(|byte| byte == b'#').collect(), rows[0].len() as u32)
    }

    #[test]
    fn polygons_of_small_masks_by_hand() {
        let (square, width) = mask(&["....", ".##.", ".##."]);
        assert_eq!(polygons(&square, width), [[1, 1, 3, 1, 3, 3, 1, 3]]);
        // Two pixels that touch at a corner are two groups.
        let (two, width) = mask(&["#.", ".#"]);
        assert_eq!(polygons(&two, width), [[0, 0, 1, 0, 1, 1, 0, 1], [1, 1, 2, 1, 2, 2, 1, 2]]);
        let (hole, width) = mask(&["###", "#.#", "###"]);
        let [path] = &polygons(&hole, width)[..] else { panic!("one polygon") };
        assert_eq!(path[..12], [0, 0, 3, 0, 3, 3, 0, 3, 0, 0, 1, 1]);
        assert_eq!((path.len(), &path[path.len() - 2..]), (20, &[1, 1][..]));
    }

    /// Returns true if the centre of a pixel is an odd number of edges away from the outside, to
    /// its left.
    fn is_inside(polygon: &[u32], column: u32, row: u32) -> bool {
        let corners: Vec<(f64, f64)> = polygon.chunks(2).map(|xy| (f64::from(xy[0]), f64::from(xy[1]))).collect();
        let (x, y) = (f64::from(column) + 0.5, f64::from(row) + 0.5);
        let edges = corners.iter().zip(corners.iter().cycle().skip(1));
        let crossed =
            edges.filter(|((ax, ay), (bx, by))| (*ay > y) != (*by > y) && ax + (y - ay) * (bx - ax) / (by - ay) < x);
        crossed.count() % 2 == 1
    }

    #[test]
    fn polygons_hold_the_masks_pixels_and_no_others() {
        let mut holes = 0;
        for turn in 0..40 {
            let scene = Scene::generate(&SceneSpec::several_objects(turn), Stream::HeldOut, 5000 + turn);
            let width = scene.image.width();
            for object in &scene.objects {
                let polygons = polygons(&object.mask, width);
                holes += usize::from(object.class.folder().starts_with("ring"));
                for (index, seen) in (0..).zip(&object.mask) {
                    let inside = polygons.iter().any(|path| is_inside(path, index % width, index / width));
                    assert_eq!(inside, *seen, "scene {turn}, {:?}, pixel {index}", object.class);
                }
            }
        }
        assert!(holes > 5);
    }

    #[test]
    fn runs_go_down_the_columns() {
        let (mask, width) = mask(&["#.#", "##.", ".#."]);
        assert_eq!(runs(&mask, width), [0, 2, 2, 3, 2]);
        assert_eq!(runs(&[false; 6], 3), [6]);
    }

    /// Strings that pycocotools 2.0.11 gave for these runs.
    #[test]
    fn strings_are_cocos() {
        for (counts, expected) in [
            (vec![0, 2, 2, 3, 2], "02210"),
            (vec![5, 3, 40, 2, 1000, 70, 7, 1], "53X1OPn0T2oPOkM"),
            (vec![6], "6"),
            (vec![100_000, 17, 1, 31, 16, 15, 16, 33], "PeQ3a01>?@0b0"),
        ] {
            assert_eq!(text(&counts), expected);
        }
    }
}
