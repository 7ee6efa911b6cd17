//! How a layer with weights shares its relevance among its inputs: the rules that layer-wise relevance propagation is composed of.

use tch::Tensor;

use super::{Weighted, divide_away_from_zero, over, z_bounded};
use crate::Result;
use crate::walk::Visit;

/// A rule for convolutions and fully connected layers. W⁺, W⁻, x⁺, x⁻ are the parts that are positive and negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// α times the shares in what excites, less α − 1 times the shares in what inhibits, without bias. As in the released code, what positive and
    /// what negative inputs add is shared out apart: each gets the whole relevance (protocol section 2.3). Inputs behind a ReLU have one part only.
    AlphaBeta(f64),
    /// As [`Share::AlphaBeta`], but positive and negative inputs together, `x⁺W⁺ + x⁻W⁻`, and with biases, whose share is lost, if `bias` says so. With
    /// α = 1 and without biases this is deep Taylor's z⁺-rule (Montavon et al., Pattern Recognition 2017); with biases it is zennit's.
    Together {
        /// Weight α of what excites; what inhibits has the weight α − 1.
        alpha: f64,
        /// Whether what a bias adds counts.
        bias: bool,
        /// Added to sums, away from zero.
        stabilizer: f64,
    },
    /// Shares in the output, bias included, which ε · sign keeps from zero (Bach et al., PLOS ONE 2015). The bias's share and ε's are lost.
    Epsilon(f64),
    /// Shares within the pixels' range.
    ZBounded,
}

impl Share {
    /// What goes back to the input of a layer.
    ///
    /// # Errors
    /// Where libtorch refuses the shapes.
    pub fn back(self, layer: &Weighted<'_>, visit: &Visit<'_>) -> Result<Tensor> {
        let (x, relevance) = (visit.inputs[0], visit.arriving);
        match self {
            Share::AlphaBeta(alpha) => alpha_beta(layer, visit, alpha),
            Share::Together { alpha, bias, stabilizer } => {
                let bias = layer.bias().filter(|_| bias);
                together(layer, visit, (alpha, stabilizer), bias)
            }
            Share::Epsilon(epsilon) => {
                let shares = divide_away_from_zero(relevance, visit.output, epsilon)?;
                Ok(layer.back(layer.weight(), x, &shares)?.f_mul_(x)?)
            }
            Share::ZBounded => z_bounded(layer, x, relevance),
        }
    }
}

fn alpha_beta(layer: &Weighted<'_>, visit: &Visit<'_>, alpha: f64) -> Result<Tensor> {
    let exciting = || visit.positive(layer.weight());
    let inhibiting = || -> Result<Tensor> { Ok(layer.weight().f_clamp_max(0.0)?) };
    let mut back = parts(layer, visit, (&exciting, &inhibiting))?;
    if alpha != 1.0 {
        let inhibited = parts(layer, visit, (&inhibiting, &exciting))?;
        back = back.f_mul_scalar_(alpha)?.f_sub_(&inhibited.f_mul_scalar(alpha - 1.0)?)?;
    }
    Ok(back)
}

/// `x⁺ · VJP(w₁; R / w₁x⁺) + x⁻ · VJP(w₂; R / w₂x⁻)`. Where no input is negative, the second summand is zero and `w₂` isn't asked for.
fn parts(
    layer: &Weighted<'_>,
    visit: &Visit<'_>,
    (first, second): (&dyn Fn() -> Result<Tensor>, &dyn Fn() -> Result<Tensor>),
) -> Result<Tensor> {
    let (x, relevance) = (visit.inputs[0], visit.arriving);
    let part = |weight: &Tensor, x: &Tensor| -> Result<Tensor> {
        let shares = layer.divide(relevance, weight, x)?;
        Ok(layer.back(weight, x, &shares)?.f_mul_(x)?)
    };
    if visit.reads_positive()? {
        return part(&first()?, x);
    }
    Ok(part(&first()?, &x.f_clamp_min(0.0)?)?.f_add_(&part(&second()?, &x.f_clamp_max(0.0)?)?)?)
}

fn together(
    layer: &Weighted<'_>,
    visit: &Visit<'_>,
    (alpha, stabilizer): (f64, f64),
    bias: Option<&Tensor>,
) -> Result<Tensor> {
    let positive = |x: &Tensor| x.f_clamp_min(0.0);
    let negative = |x: &Tensor| x.f_clamp_max(0.0);
    let (exciting, inhibiting) = (visit.positive(layer.weight())?, negative(layer.weight())?);
    let added = bias.map(positive).transpose()?;
    let mut back = sum(layer, visit, (&exciting, &inhibiting), (added, stabilizer))?;
    if alpha != 1.0 {
        let taken = bias.map(negative).transpose()?;
        let inhibited = sum(layer, visit, (&inhibiting, &exciting), (taken, -stabilizer))?;
        back = back.f_mul_scalar_(alpha)?.f_sub_(&inhibited.f_mul_scalar(alpha - 1.0)?)?;
    }
    Ok(back)
}

/// `x⁺ · VJP(w₁; S) + x⁻ · VJP(w₂; S)`, `S = R / (w₁x⁺ + w₂x⁻ + b)`, whose summands don't differ in sign. Where they are all zero, so is each share.
fn sum(
    layer: &Weighted<'_>,
    visit: &Visit<'_>,
    (first, second): (&Tensor, &Tensor),
    (bias, stabilizer): (Option<Tensor>, f64),
) -> Result<Tensor> {
    let (x, relevance) = (visit.inputs[0], visit.arriving);
    let mut parts = vec![(first, x.f_clamp_min(0.0)?)];
    if !visit.reads_positive()? {
        parts.push((second, x.f_clamp_max(0.0)?));
    }
    let mut z = layer.forth(parts[0].0, &parts[0].1)?;
    for (weight, x) in &parts[1..] {
        z = z.f_add_(&layer.forth(weight, x)?)?;
    }
    if let Some(bias) = bias {
        let mut shape = vec![1; z.dim()];
        shape[1] = -1;
        z = z.f_add_(&bias.f_view(shape.as_slice())?)?;
    }
    let shares = over(relevance, z.f_add_scalar_(stabilizer)?)?;
    let back = |(weight, x): &(&Tensor, Tensor)| -> Result<Tensor> { Ok(layer.back(weight, x, &shares)?.f_mul_(x)?) };
    let mut whole = back(&parts[0])?;
    for part in &parts[1..] {
        whole = whole.f_add_(&back(part)?)?;
    }
    Ok(whole)
}
