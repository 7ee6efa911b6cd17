//! A choice between an input and constants, by a constant mask.

use tch::Kind;

use super::Affine;
use super::import::{Built, Import, Term};
use super::shapes::refuse;

/// ONNX entry: a factor of 0 or 1, and a summand.
pub(super) static WHERE: Import = Import::new("Where", |call| {
    if !call.is_constant(0) {
        return refuse("its condition depends on the image".into());
    }
    let mask = call.constant(0)?.f_to_kind(Kind::Bool)?;
    let (input, mask) = match (call.is_constant(1), call.is_constant(2)) {
        (false, true) => (1, mask),
        (true, false) => (2, mask.f_logical_not()?),
        _ => return refuse("it chooses between two activations".into()),
    };
    let scale = mask.f_to_kind(Kind::Float)?;
    let shift = call.constant(3 - input)?.f_to_kind(Kind::Float)?.f_masked_fill(&mask, 0.0)?;
    if shift.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
        return refuse("it puts infinities in an activation's place".into());
    }
    Ok(Built::from(Term::Apply(Affine { scale: Some(scale), shift: Some(shift) }.into(), vec![Term::Operand(input)])))
});
