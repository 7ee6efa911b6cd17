//! Padding as an operation of its own.

use tch::Tensor;

use super::import::{Built, Import, Term, WIDEST};
use super::shapes::{axis_of, refuse};
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// The input with more entries around it: zeros, or copies of its own.
#[derive(Debug, Clone)]
pub struct Pad {
    /// Entries before and behind, for each axis.
    pub sides: Vec<[i64; 2]>,
    /// The added entries.
    pub fill: Fill,
}

/// Entries that padding adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Zeros.
    Zeros,
    /// The image mirrored at its border.
    Reflect,
    /// Copies of the border.
    Edge,
}

impl Pad {
    /// Zeros at the top, left, bottom and right of feature maps, where it adds nothing else.
    pub(super) fn zeros_around(&self) -> Option<[i64; 4]> {
        match self.sides.as_slice() {
            &[[0, 0], [0, 0], [top, bottom], [left, right]] if self.fill == Fill::Zeros => {
                Some([top, left, bottom, right]).filter(|sides| sides.iter().all(|&side| side >= 0))
            }
            _ => None,
        }
    }
}

impl Operation for Pad {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Reshape
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let mode = match self.fill {
            Fill::Zeros => "constant",
            Fill::Reflect => "reflect",
            Fill::Edge => "replicate",
        };
        // From the last axis on. Axes without padding are left out: copies need that.
        let first = self.sides.iter().position(|side| *side != [0, 0]).unwrap_or(0);
        let sides: Vec<i64> = self.sides[first..].iter().rev().flatten().copied().collect();
        Ok(inputs[0].f_pad(sides.as_slice(), mode, None)?)
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        if inputs[0].len() != self.sides.len() {
            return refuse(format!("{:?} hasn't {} axes", inputs[0], self.sides.len()));
        }
        Ok(inputs[0].iter().zip(&self.sides).map(|(size, [before, behind])| size + before + behind).collect())
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok(self.clone().into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Pad", |call| {
    let rank = call.shape(0)?.len();
    let fill = match call.text("mode", "constant")?.as_str() {
        "constant" => Fill::Zeros,
        "reflect" => Fill::Reflect,
        "edge" => Fill::Edge,
        other => return refuse(format!("mode is '{other}', expected 'constant', 'reflect' or 'edge'")),
    };
    if let Some(value) = call.optional_number(2)?.filter(|&value| value != 0.0 && fill == Fill::Zeros) {
        return refuse(format!("it pads with {value}, expected zeros"));
    }
    let pads = match call.ints("pads")? {
        Some(pads) => pads,
        None => call.integers(1)?,
    };
    let axes = if call.has(3) { call.integers(3)? } else { (0..rank as i64).collect() };
    if pads.len() != 2 * axes.len() {
        return refuse(format!("{} pads for {} axes", pads.len(), axes.len()));
    }
    if let Some(wide) = pads.iter().find(|pad| !(-WIDEST..=WIDEST).contains(*pad)) {
        return refuse(format!("it pads with {wide} entries"));
    }
    let mut sides = vec![[0, 0]; rank];
    for (index, &axis) in axes.iter().enumerate() {
        sides[axis_of(axis, rank)?] = [pads[index], pads[index + axes.len()]];
    }
    match sides.iter().all(|side| *side == [0, 0]) {
        true => Ok(Term::Operand(0).into()),
        false => Ok(Built::one(Pad { sides, fill })),
    }
});
