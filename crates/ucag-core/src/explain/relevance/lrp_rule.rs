//! Relevance rules of layers with weights, which layer-wise relevance propagation is composed of.

use tch::Tensor;

use super::{LinearLayer, Relevance, divide_away_from_zero, z_bounded};
use crate::Result;
use crate::propagate::LayerVisit;

/// A rule for convolutions and fully connected layers. W⁺, W⁻, x⁺, x⁻ are the parts that are
/// positive and negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// α times the shares in what excites, less α − 1 times the shares in what inhibits, without
    /// bias. As in the released code, what positive and what negative inputs add is shared out
    /// apart: each gets the whole relevance, as in docs/protocol.md#relevance-rules. Inputs behind
    /// a ReLU have one part only.
    AlphaBeta(f64),
    /// As [`Share::AlphaBeta`], but positive and negative inputs together, `x⁺W⁺ + x⁻W⁻`, and with
    /// biases, whose share is lost, if `bias` says so. With α = 1 and without biases this is deep
    /// Taylor's z⁺-rule (Montavon et al., Pattern Recognition 2017); with biases it is zennit's.
    Together {
        /// Weight α of what excites; what inhibits has the weight α − 1.
        alpha: f64,
        /// True if what a bias adds counts.
        bias: bool,
        /// Added to sums, away from zero.
        stabilizer: f64,
    },
    /// Shares in the output, bias included, which ε · sign keeps from zero (Bach et al., PLOS ONE
    /// 2015). The bias's share and ε's are lost.
    Epsilon(f64),
    /// Shares within the pixels' range.
    ZBounded,
}

impl Share {
    /// Propagates the relevance of a layer's output to its input.
    pub fn back(self, layer: &LinearLayer<'_>, visit: &LayerVisit<'_, Relevance>) -> Result<Relevance> {
        let (x, relevance) = (visit.inputs[0], visit.upstream);
        match self {
            Share::AlphaBeta(alpha) => weighed(visit, layer, alpha, |parts, sign| apart(visit, layer, parts, sign)),
            Share::Together { alpha, bias, stabilizer } => weighed(visit, layer, alpha, |parts, sign| {
                let bias = layer.bias().filter(|_| bias).map(|bias| sign.part(bias)).transpose()?;
                together(layer, relevance, parts, bias, sign.factor() * stabilizer)
            }),
            Share::Epsilon(epsilon) => {
                let shares = divide_away_from_zero(&relevance.whole()?, visit.output, epsilon)?;
                Ok(Relevance::of_input(visit, 0, layer.back(layer.weight(), x, &shares)?))
            }
            Share::ZBounded => Ok(z_bounded(layer, x, &relevance.whole()?)?.into()),
        }
    }
}

/// The sign of contributions: positive ones aren't below zero, negative ones aren't above.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Positive,
    Negative,
}

impl Sign {
    fn part(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Sign::Positive => x.f_clamp_min(0.0)?,
            Sign::Negative => x.f_clamp_max(0.0)?,
        })
    }

    fn factor(self) -> f64 {
        match self {
            Sign::Positive => 1.0,
            Sign::Negative => -1.0,
        }
    }
}

/// A part of the input whose entries don't differ in sign, and the part of the weight with which
/// its products have the sign that is wanted.
type Part = (Tensor, Tensor);

/// α times the shares in what excites, less α − 1 times the shares in what inhibits. `shares` gives
/// what each part of the input is to be multiplied with.
fn weighed(
    visit: &LayerVisit<'_, Relevance>,
    layer: &LinearLayer<'_>,
    alpha: f64,
    shares: impl Fn(&[Part], Sign) -> Result<Vec<Tensor>>,
) -> Result<Relevance> {
    let x = visit.inputs[0];
    let inputs = match visit.reads_positive()? {
        true => vec![x.shallow_clone()],
        false => vec![Sign::Positive.part(x)?, Sign::Negative.part(x)?],
    };
    let weight = |sign: Sign| match sign {
        Sign::Positive => visit.positive(layer.weight()),
        Sign::Negative => Sign::Negative.part(layer.weight()),
    };
    let of = |signs: [Sign; 2], sign: Sign| -> Result<Vec<Tensor>> {
        let parts = inputs.iter().zip(signs).map(|(x, sign)| Ok((x.shallow_clone(), weight(sign)?)));
        shares(&parts.collect::<Result<Vec<_>>>()?, sign)
    };
    let mut back = of([Sign::Positive, Sign::Negative], Sign::Positive)?;
    if alpha != 1.0 {
        let inhibited = of([Sign::Negative, Sign::Positive], Sign::Negative)?;
        for (back, inhibited) in back.iter_mut().zip(inhibited) {
            *back = back.f_mul_scalar_(alpha)?.f_sub_(&inhibited.f_mul_scalar(alpha - 1.0)?)?;
        }
    }
    if inputs.len() == 1 {
        return Ok(Relevance::of_input(visit, 0, back.swap_remove(0)));
    }
    let [above, below] = [0, 1].map(|part| back[part].f_mul(&inputs[part]));
    Ok(above?.f_add_(&below?)?.into())
}

/// `VJP(w; R / wx)` for each part. The sums don't depend on the relevance, so the walks of
/// contrasts share them.
fn apart(
    visit: &LayerVisit<'_, Relevance>,
    layer: &LinearLayer<'_>,
    parts: &[Part],
    sign: Sign,
) -> Result<Vec<Tensor>> {
    let back = |(index, (x, weight)): (usize, &Part)| {
        let key = format!("sums of part {index} at {}, folded {}: {sign:?}", visit.id, visit.folded);
        layer.back(weight, x, &visit.upstream.over_kept(visit.cache, &key, || layer.sums(weight, x))?)
    };
    parts.iter().enumerate().map(back).collect()
}

/// `VJP(w; S)` for each part, `S = R / (Σ wx + b)`, whose summands don't differ in sign. Where they
/// are all zero, so is each share.
fn together(
    layer: &LinearLayer<'_>,
    relevance: &Relevance,
    parts: &[Part],
    bias: Option<Tensor>,
    stabilizer: f64,
) -> Result<Vec<Tensor>> {
    let mut z = layer.forth(&parts[0].1, &parts[0].0)?;
    for (x, weight) in &parts[1..] {
        z = z.f_add_(&layer.forth(weight, x)?)?;
    }
    if let Some(bias) = bias {
        let mut shape = vec![1; z.dim()];
        shape[1] = -1;
        z = z.f_add_(&bias.f_view(shape.as_slice())?)?;
    }
    let shares = relevance.over(z.f_add_scalar_(stabilizer)?)?;
    parts.iter().map(|(x, weight)| layer.back(weight, x, &shares)).collect()
}
