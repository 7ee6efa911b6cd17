//! The gradient at many inputs made from one view: what integrated gradients and SmoothGrad share.

use std::fmt::Debug;
use std::ops::Range;
use std::rc::Rc;

use tch::{Kind, Tensor};

use crate::Result;
use crate::explain::ExtraPasses;
use crate::pass::{ForwardPass, Needs, Pass, Seed};
use crate::tensor_ext::TensorExt;

/// Inputs made from a view. [`Debug`] names them: those that look the same are taken to be the
/// same.
pub(super) trait Inputs: Debug {
    /// Returns their number.
    fn count(&self) -> usize;

    /// Some of them by number, `[range.len(), 3, H, W]`, from a view `[1, 3, H, W]`: whatever the
    /// range, each depends on its own number only.
    fn of(&self, view: &Tensor, seed: Seed, range: Range<usize>) -> Result<Tensor>;
}

/// Inputs in one pass. It bounds memory: no more than this many have their activations kept for the
/// backward pass.
const CHUNK: usize = 8;

/// The sum over `inputs` of the gradient of the class's logit, `[B, 3, H, W]`. Classes share the
/// forward passes.
pub(super) fn gradient_sum(pass: &Pass<'_>, inputs: &dyn Inputs) -> Result<Tensor> {
    let forward_pass = pass.forward_pass();
    match forward_pass.classes().iter().position(|&class| class == pass.class()) {
        Some(index) => {
            let sums =
                forward_pass.cached(&format!("{inputs:?}"), || sums(forward_pass, forward_pass.classes(), inputs))?;
            Ok(sums.f_select(0, index as i64)?)
        }
        None => Ok(sums(forward_pass, &[pass.class()], inputs)?.f_select(0, 0)?),
    }
}

/// Returns the passes that this takes.
pub(super) fn extra_passes(inputs: &dyn Inputs) -> ExtraPasses {
    ExtraPasses { per_view: inputs.count(), per_class: 2 * inputs.count() }
}

/// For each class and view, `[classes, B, 3, H, W]`.
fn sums(forward_pass: &ForwardPass<'_>, classes: &[usize], inputs: &dyn Inputs) -> Result<Tensor> {
    let views = forward_pass.views();
    let mut shape = views.size();
    shape.insert(0, classes.len() as i64);
    // Hundreds of gradients add up: float32 would lose digits.
    let sums = Tensor::f_zeros(&shape, (Kind::Double, views.device()))?;
    for index in 0..shape[1] {
        let seed = Seed { view: forward_pass.seed().view + index as u64, ..forward_pass.seed() };
        let view = views.f_narrow(0, index, 1)?;
        for start in (0..inputs.count()).step_by(CHUNK) {
            let range = start..inputs.count().min(start + CHUNK);
            let needs = Needs { gradients: vec![0], ..Needs::default() };
            let chunk = Rc::new(ForwardPass::new(forward_pass.network(), inputs.of(&view, seed, range)?, needs));
            for (place, &class) in classes.iter().enumerate() {
                let gradients = chunk.target(class)?.gradient(0)?;
                let part = gradients.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
                let _ = sums.f_select(0, place as i64)?.f_select(0, index)?.f_add_(&part)?;
            }
        }
    }
    Ok(sums.f_to_kind(views.kind())?)
}

/// `Σ_c |g_c|` of `[B, 3, H, W]`.
pub(super) fn magnitude(gradient: &Tensor) -> Result<Tensor> {
    gradient.f_abs()?.sum_over([1])
}

/// Each map less its mean: zero is then the threshold that UCAG's segmentation takes.
pub(super) fn less_mean(map: &Tensor) -> Result<Tensor> {
    Ok(map.f_sub(&map.mean_over([1, 2, 3])?)?)
}
