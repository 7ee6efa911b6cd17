//! The larger and the smaller of an input and a number.

use super::import::{Built, Call, Import, Term};
use super::shapes::refuse;
use super::{Activation, Relu, activation};
use crate::Result;

/// A bound on one of two operands.
fn bounded(call: &Call<'_>, bounds: fn(f64) -> [f64; 2]) -> Result<Built> {
    let (constant, other) = match (call.operands.len(), call.is_constant(0), call.is_constant(1)) {
        (2, true, false) => (0, 1),
        (2, false, true) => (1, 0),
        _ => return refuse("only an activation and one number can be compared".into()),
    };
    let op = match bounds(call.number(constant)?) {
        [0.0, f64::INFINITY] => Relu.into(),
        bounds => Activation { function: &activation::CLIP, parameters: bounds.to_vec() }.into(),
    };
    Ok(Term::Apply(op, vec![Term::Operand(other)]).into())
}

/// ONNX entry.
pub(super) static MAX: Import = Import::new("Max", |call| bounded(call, |bound| [bound, f64::INFINITY]));

/// ONNX entry.
pub(super) static MIN: Import = Import::new("Min", |call| bounded(call, |bound| [f64::NEG_INFINITY, bound]));
