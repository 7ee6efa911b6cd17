//! Gradient descent: the graph in training, and how its weights change.

use anyhow::{Context, Result};
use tch::Tensor;
use ucag_core::network::{Network, OpKind};

/// Up for a fifth of the time, then down along a cosine.
pub(crate) fn one_cycle(progress: f64) -> f64 {
    match progress < 0.2 {
        true => 0.1 + 0.9 * progress / 0.2,
        false => 0.5 * (1.0 + (std::f64::consts::PI * (progress - 0.2) / 0.8).cos()),
    }
}

/// The graph in training: batch norm uses the batch's statistics and updates the running ones.
pub(crate) fn forward(network: &Network, images: Tensor) -> Result<Tensor> {
    let mut values: Vec<Tensor> = vec![images];
    for node in &network.graph.nodes()[1..] {
        let inputs: Vec<&Tensor> = node.inputs.iter().map(|&input| &values[input]).collect();
        let value = match node.op.kind() {
            OpKind::BatchNorm(b) => inputs[0].f_batch_norm(
                Some(&b.weight),
                Some(&b.bias),
                Some(&b.mean),
                Some(&b.var),
                true,
                0.1,
                b.eps,
                false,
            )?,
            _ => node.op.apply(&inputs)?,
        };
        values.push(value);
    }
    values.pop().context("an empty network")
}

/// A tensor that is trained.
pub(crate) struct Weight<'a> {
    pub(crate) tensor: &'a Tensor,
    /// So many numbers in a row are kept equal: a layer behind a pooling to that many places that
    /// doesn't tell them apart.
    pub(crate) places: i64,
}

/// Every `places` numbers in a row replaced by their mean.
pub(crate) fn tied(tensor: &Tensor, places: i64) -> Tensor {
    let rows = tensor.view([-1, places]);
    rows.mean_dim(Some([1_i64].as_slice()), true, None).expand_as(&rows).reshape(tensor.size())
}

/// Adam (Kingma & Ba, ICLR 2015) with decoupled weight decay on everything that isn't a vector.
pub(crate) struct Adam {
    moments: Vec<(Tensor, Tensor)>,
    steps: i32,
}

impl Adam {
    pub(crate) fn new(weights: &[Weight<'_>]) -> Self {
        let zeros = |weight: &Weight<'_>| weight.tensor.zeros_like().detach();
        Self { moments: weights.iter().map(|weight| (zeros(weight), zeros(weight))).collect(), steps: 0 }
    }

    pub(crate) fn step(&mut self, weights: &[Weight<'_>], gradients: &[Tensor], rate: f64) {
        const BETAS: (f64, f64) = (0.9, 0.99);
        self.steps += 1;
        let corrected = |beta: f64| 1.0 - beta.powi(self.steps);
        tch::no_grad(|| {
            for ((weight, gradient), (first, second)) in weights.iter().zip(gradients).zip(&mut self.moments) {
                let gradient = if weight.places > 1 { &tied(gradient, weight.places) } else { gradient };
                let _ = first.g_mul_scalar_(BETAS.0).g_add_(&(gradient * (1.0 - BETAS.0)));
                let _ = second.g_mul_scalar_(BETAS.1).g_add_(&(gradient * gradient * (1.0 - BETAS.1)));
                let update = &*first / corrected(BETAS.0) / ((&*second / corrected(BETAS.1)).sqrt() + 1e-8);
                let mut tensor = weight.tensor.shallow_clone();
                let decay = if tensor.dim() > 1 { 0.02 * rate } else { 0.0 };
                // The output sees the sum over the places.
                let _ = tensor.g_mul_scalar_(1.0 - decay).g_add_(&(update * (-rate / weight.places as f64)));
            }
        });
    }
}
