//! The rules of layer-wise relevance propagation (LRP) for layers with weights.
//!
//! Every rule takes the same four steps, with weights W' and inputs x' of its own:
//!
//! 1. forward: z = W'x' + stabilizer,
//! 2. divide: s = R / z,
//! 3. transpose: c = W'ᵀs,
//! 4. multiply: R' = x' ⊙ c.
//!
//! [`Relevance`] puts step 4 off, since step 2 of the layer in front often divides by the same x'.

use tch::Tensor;

use super::{LinearLayer, Relevance, divide_away_from_zero, over};
use crate::Result;
use crate::propagate::LayerVisit;
use crate::tensor_ext::TensorExt;

/// An LRP rule for convolutions and fully connected layers, named as in zennit.
///
/// With inputs x_i, weights w_ij, biases b_j, contributions z_ij = x_i w_ij and their positive and
/// negative parts z⁺ and z⁻, the relevance R_j of the outputs becomes that of the inputs, R_i:
///
/// ```text
/// Epsilon    R_i = Σ_j  z_ij / (y_j + ε sign y_j)  R_j          y_j = Σ_i' z_i'j + b_j, sign 0 = 1
///
/// AlphaBeta  R_i = Σ_j (α z_ij⁺ / Σ_i' z_i'j⁺ − β z_ij⁻ / Σ_i' z_i'j⁻) R_j               β = α − 1
///
/// ZPlus      R_i = Σ_j  z_ij⁺ / Σ_i' z_i'j⁺  R_j                                  AlphaBeta, α = 1
///
/// ZBox       R_i = Σ_j (z_ij − l w_ij⁺ − h w_ij⁻) / Σ_i' (z_i'j − l w_i'j⁺ − h w_i'j⁻) R_j
/// ```
///
/// See docs/protocol.md#relevance-rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LrpRule {
    /// LRP-ε (Bach et al., PLOS ONE 2015), with this ε. The relevance of biases and of ε is lost.
    Epsilon(f64),
    /// LRP-αβ (Bach et al., PLOS ONE 2015).
    AlphaBeta {
        /// Weight α of positive contributions; negative ones have the weight β = α − 1.
        alpha: f64,
        /// The inputs that a sum of contributions runs over.
        inputs: Inputs,
    },
    /// LRP-zᴮ, for the convolution that reads pixels. Their bounds, l and h, are those of a view
    /// over all its channels, as in the released code.
    ZBox,
}

/// The inputs over which [`LrpRule::AlphaBeta`] adds up contributions. Behind a ReLU no input is
/// negative, and both are the same but for biases and stabilizers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Inputs {
    /// Positive inputs apart from negative ones, each with the whole relevance, without biases, as
    /// in the released code. 1e-9 is added to each sum.
    Separate,
    /// All inputs together, as in zennit: z⁺ = x⁺W⁺ + x⁻W⁻ and z⁻ = x⁺W⁻ + x⁻W⁺.
    Joint {
        /// True if biases are part of the sums. Their relevance is lost.
        bias: bool,
        /// Added to each sum, away from zero.
        stabilizer: f64,
    },
}

impl LrpRule {
    /// LRP-z⁺ (zennit's `ZPlus`) without biases: deep Taylor decomposition (Montavon et al.,
    /// Pattern Recognition 2017).
    pub const Z_PLUS: Self = LrpRule::AlphaBeta { alpha: 1.0, inputs: Inputs::Joint { bias: false, stabilizer: 1e-9 } };

    /// Propagates the relevance of a layer's output to its input.
    pub fn propagate(self, layer: &LinearLayer<'_>, visit: &LayerVisit<'_, Relevance>) -> Result<Relevance> {
        match self {
            LrpRule::Epsilon(epsilon) => epsilon_rule(layer, visit, epsilon),
            LrpRule::AlphaBeta { alpha, inputs } => alpha_beta_rule(layer, visit, alpha, inputs),
            LrpRule::ZBox => Ok(z_box_rule(layer, visit.inputs[0], &visit.upstream.to_tensor()?)?.into()),
        }
    }
}

/// `R' = x ⊙ Wᵀ(R / (y + ε sign y))`. Step 1 is the layer itself, whose output y the pass has kept.
fn epsilon_rule(layer: &LinearLayer<'_>, visit: &LayerVisit<'_, Relevance>, epsilon: f64) -> Result<Relevance> {
    let s = divide_away_from_zero(&visit.upstream.to_tensor()?, visit.output, epsilon)?;
    let c = layer.transpose(layer.weight(), visit.inputs[0], &s)?;
    Ok(Relevance::of_input(visit, 0, c))
}

/// `R' = x ⊙ (α c⁺ − (α − 1) c⁻)`, where c⁺ and c⁻ come of positive and negative contributions.
fn alpha_beta_rule(
    layer: &LinearLayer<'_>,
    visit: &LayerVisit<'_, Relevance>,
    alpha: f64,
    inputs: Inputs,
) -> Result<Relevance> {
    let x = visit.inputs[0];
    let x_parts = match visit.reads_positive()? {
        true => vec![x.shallow_clone()],
        false => vec![Sign::Positive.part(x)?, Sign::Negative.part(x)?],
    };
    let mut c = contributions(layer, visit, &x_parts, inputs, Sign::Positive)?;
    if alpha != 1.0 {
        let negative = contributions(layer, visit, &x_parts, inputs, Sign::Negative)?;
        for (c, negative) in c.iter_mut().zip(negative) {
            *c = c.f_mul_scalar_(alpha)?.f_sub_(&negative.f_mul_scalar(alpha - 1.0)?)?;
        }
    }
    if x_parts.len() == 1 {
        return Ok(Relevance::of_input(visit, 0, c.swap_remove(0)));
    }
    let [of_positive, of_negative] = [0, 1].map(|part| c[part].f_mul(&x_parts[part]));
    Ok(of_positive?.f_add_(&of_negative?)?.into())
}

/// The sign of contributions.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Positive,
    Negative,
}

impl Sign {
    /// The part of `x` that has this sign, with zeros elsewhere.
    fn part(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Sign::Positive => x.f_clamp_min(0.0)?,
            Sign::Negative => x.f_clamp_max(0.0)?,
        })
    }

    fn opposite(self) -> Self {
        match self {
            Sign::Positive => Sign::Negative,
            Sign::Negative => Sign::Positive,
        }
    }

    fn factor(self) -> f64 {
        match self {
            Sign::Positive => 1.0,
            Sign::Negative => -1.0,
        }
    }
}

/// A part of the input of one sign, and the weights whose products with it have the wanted sign.
type Part = (Tensor, Tensor);

/// Steps 1 to 3 of the αβ-rule for contributions of one sign: c for each part of the input.
fn contributions(
    layer: &LinearLayer<'_>,
    visit: &LayerVisit<'_, Relevance>,
    x_parts: &[Tensor],
    inputs: Inputs,
    sign: Sign,
) -> Result<Vec<Tensor>> {
    let weight_part = |sign: Sign| match sign {
        Sign::Positive => visit.positive_weight(layer.weight()),
        Sign::Negative => Sign::Negative.part(layer.weight()),
    };
    // Products with negative inputs have the sign when the weights have the opposite one.
    let weight_signs = [sign, sign.opposite()];
    let parts = x_parts.iter().zip(weight_signs).map(|(x, sign)| Ok((x.shallow_clone(), weight_part(sign)?)));
    let parts = parts.collect::<Result<Vec<Part>>>()?;
    match inputs {
        Inputs::Separate => separate(layer, visit, &parts, sign),
        Inputs::Joint { bias, stabilizer } => {
            let bias = layer.bias().filter(|_| bias).map(|bias| sign.part(bias)).transpose()?;
            joint(layer, visit.upstream, &parts, bias, sign.factor() * stabilizer)
        }
    }
}

/// `Wᵀ(R / (Wx + 1e-9))` for each part. The sums don't depend on the relevance, so the walks of
/// contrasts share them.
fn separate(
    layer: &LinearLayer<'_>,
    visit: &LayerVisit<'_, Relevance>,
    parts: &[Part],
    sign: Sign,
) -> Result<Vec<Tensor>> {
    let steps = |(index, (x, weight)): (usize, &Part)| {
        let key = format!("sums of part {index} at {}, folded {}: {sign:?}", visit.id, visit.folded);
        let forward = || layer.forward_stabilized(weight, x);
        let s = visit.upstream.divided_by_cached(visit.cache, &key, forward)?;
        layer.transpose(weight, x, &s)
    };
    parts.iter().enumerate().map(steps).collect()
}

/// `Wᵀ(R / z)` for each part, where z adds up all parts, the bias and the stabilizer. None of them
/// differ in sign: where z is no more than the stabilizer, each contribution is zero.
fn joint(
    layer: &LinearLayer<'_>,
    relevance: &Relevance,
    parts: &[Part],
    bias: Option<Tensor>,
    stabilizer: f64,
) -> Result<Vec<Tensor>> {
    let mut z = layer.forward(&parts[0].1, &parts[0].0)?;
    for (x, weight) in &parts[1..] {
        z = z.f_add_(&layer.forward(weight, x)?)?;
    }
    if let Some(bias) = bias {
        z = z.f_add_(&layer.per_output(&bias)?)?;
    }
    let s = relevance.divided_by(z.f_add_scalar_(stabilizer)?)?;
    parts.iter().map(|(x, weight)| layer.transpose(weight, x, &s)).collect()
}

/// The zᴮ-rule (Montavon et al., Pattern Recognition 2017), for the convolution that reads pixels:
/// [`LrpRule::ZBox`].
///
/// `R' = (x − l) ⊙ W⁺ᵀs + (x − h) ⊙ W⁻ᵀs`, `s = R / (W⁺(x − l) + W⁻(x − h) + 1e-9)`, where l and h
/// are the least and the largest value of a view over all its channels.
pub fn z_box_rule(layer: &LinearLayer<'_>, x: &Tensor, relevance: &Tensor) -> Result<Tensor> {
    let axes = [1i64, 2, 3];
    let above_least = x.f_sub(&x.min_over(axes)?)?;
    let below_largest = x.f_sub(&x.max_over(axes)?)?;
    let (positive, negative) = (layer.weight().f_clamp_min(0.0)?, layer.weight().f_clamp_max(0.0)?);
    // Both at once: as twice as many channels they cost what one does.
    let channels = x.size()[1];
    let (weight, x) = (Tensor::f_cat(&[positive, negative], 1)?, Tensor::f_cat(&[above_least, below_largest], 1)?);
    let s = over(relevance, layer.forward_stabilized(&weight, &x)?)?;
    let mut c = layer.transpose(&weight, &x, &s)?;
    let products = c.f_mul_(&x)?.f_view([x.size()[0], 2, channels, x.size()[2], x.size()[3]])?;
    Ok(products.f_sum_dim_intlist([1i64].as_slice(), false, x.kind())?)
}
