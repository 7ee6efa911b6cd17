//! Questions that a TorchScript module must answer as a network in evaluation does, asked when it
//! is loaded: the file doesn't say in which mode it was traced, nor if a softmax is part of it.

use tch::{Device, Kind, Tensor};

use super::output::MOST;
use super::{Output, Scripted};
use crate::Result;
use crate::network::Preprocessing;

/// The most that an image's logits may differ by, alone and in a batch, as a part of how far apart
/// those of different images are. Convolutions of another batch size add up in another order, which
/// is 1e-6 to 1e-5 of it; statistics of the batch are a tenth and more.
const OF_SPREAD: f64 = 1e-3;

/// The same as a part of the largest logit, for a module that hardly looks at its image: some
/// hundred roundings.
const OF_LARGEST: f64 = 1e-5;

/// The most that the sum of an image's probabilities may differ from 1 by: they may have been
/// rounded to half precision.
const SUM: f64 = 1e-3;

/// Images of a side, values in [0, 1], by color, row and column.
type Image = fn(usize, usize, usize, usize) -> f32;

/// Different images, as unlike each other as photos are: constant ones alone would let much pass.
const IMAGES: &[(&str, Image)] = &[
    ("noise", |_, c, y, x| noise(c, y, x)),
    ("coarse noise", |side, c, y, x| noise(c, y * 8 / side, x * 8 / side)),
    ("a ramp of color", |side, c, y, x| [x, y, side - 1 - x][c] as f32 / side as f32),
    ("checks", |side, c, y, x| if (x * 6 / side + y * 6 / side) % 2 == 0 { [0.9, 0.2, 0.4][c] } else { 0.1 }),
];

/// A number in [0, 1) that a place always gets (the finaliser of MurmurHash3).
fn noise(c: usize, y: usize, x: usize) -> f32 {
    let mut bits = (c as u32).wrapping_mul(0x9e37_79b9) ^ (y as u32).wrapping_mul(0x85eb_ca6b) ^ (x as u32) << 3;
    for factor in [0x85eb_ca6b, 0xc2b2_ae35] {
        bits = (bits ^ (bits >> 15)).wrapping_mul(factor);
    }
    ((bits ^ (bits >> 16)) >> 8) as f32 / (1 << 24) as f32
}

/// The images as inputs `[n, channels, side, side]`; the first has the mean color throughout.
fn inputs(side: usize, preprocessing: Preprocessing, device: Device) -> Result<Tensor> {
    let (mean, std, channels) = (preprocessing.mean(), preprocessing.std(), preprocessing.channels());
    let mut values = vec![0.0_f32; channels * side * side];
    for (_, image) in IMAGES {
        for c in 0..channels {
            for y in 0..side {
                values.extend((0..side).map(|x| (image(side, c, y, x) - mean[c]) / std[c]));
            }
        }
    }
    let side = side as i64;
    Ok(Tensor::f_from_slice(&values)?.f_view([-1, channels as i64, side, side])?.f_to_device(device)?)
}

fn name(image: usize) -> &'static str {
    if image == 0 { "a plain grey image" } else { IMAGES[image - 1].0 }
}

/// A module's answers for several images, `[images, classes]`. Each is asked for alone and again,
/// and in a batch where the module takes one.
///
/// # Errors
/// Where it refuses an image, or its answer isn't the same each time or isn't finite.
pub(super) fn answers(module: &Scripted, side: usize, preprocessing: Preprocessing, device: Device) -> Result<Tensor> {
    let inputs = inputs(side, preprocessing, device)?;
    let each = || -> Result<Tensor> {
        let one = |image: i64| module.given(&inputs.f_narrow(0, image, 1)?);
        Ok(Tensor::f_cat(&(0..inputs.size()[0]).map(one).collect::<Result<Vec<_>>>()?, 0)?)
    };
    let alone = each()?;
    for image in 0..alone.size()[0] {
        if alone.f_get(image)?.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
            return Err(module.wrong(format!("gives logits that aren't finite for {}", name(image as usize))));
        }
    }
    let tolerance = tolerance(&alone)?;
    let again = difference(&alone, &each()?)?;
    // On a GPU, the order of additions may be another each time.
    if again > if device == Device::Cpu { 0.0 } else { tolerance } {
        return Err(module.wrong(format!(
            "gives another answer each time it is asked about the same image (off by {}), so dropout or another random operation is part of it. Call model.eval() before torch.jit.trace or torch.jit.script, and save it again; torch.nn.functional.dropout needs training=self.training",
            number(again)
        )));
    }
    // A module for one image at a time can be run in batches of one; a larger one is refused in a
    // run.
    if let Ok(together) = module.given(&inputs) {
        let apart = difference(&alone, &together)?;
        if apart > tolerance {
            return Err(module.wrong(format!(
                "gives an image another answer in a batch than alone (off by {}, where different images are up to {} apart). Batch normalisation that takes the statistics of the batch does that: call model.eval() before torch.jit.trace or torch.jit.script, and save it again",
                number(apart),
                number(spread(&alone)?)
            )));
        }
    }
    Ok(alone)
}

/// The meaning of a module's outputs: what was stated, unless these answers disprove it; else
/// logits, unless they look like anything else.
///
/// # Errors
/// Where they do.
pub(super) fn output(module: &Scripted, answers: &Tensor, stated: Option<Output>) -> Result<Output> {
    let (least, largest) = (answers.f_min()?.f_double_value(&[])?, answers.f_max()?.f_double_value(&[])?);
    let sums = answers.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?;
    let (low, high) = (sums.f_min()?.f_double_value(&[])?, sums.f_max()?.f_double_value(&[])?);
    let in_unit = least >= 0.0 && largest <= MOST;
    let sum_to = |sum: f64| (low - sum).abs() <= SUM * sum && (high - sum).abs() <= SUM * sum;
    let count = answers.size()[0];
    let range = || format!("from {} to {}", number(least), number(largest));
    let statement = |output: Output| format!("output = \"{0}\" (bench explain: --output {0})", output.name());
    let unless = statement(Output::Logits);
    let problem = match stated {
        Some(Output::Probabilities) if !in_unit => {
            format!("doesn't give probabilities, as output = \"probabilities\" says: its outputs are {}", range())
        }
        Some(Output::Probabilities) if !sum_to(1.0) => format!(
            "doesn't give probabilities, as output = \"probabilities\" says: those of an image sum to {} to {}, not to 1",
            number(low),
            number(high)
        ),
        Some(Output::Sigmoid) if !in_unit => {
            format!("doesn't give sigmoid scores, as output = \"sigmoid\" says: its outputs are {}", range())
        }
        Some(stated) => return Ok(stated),
        None if in_unit && sum_to(1.0) && answers.size()[1] > 1 => format!(
            "gives probabilities, not logits: all outputs for {count} different images are in [0, 1] and sum to 1 for each, so a softmax is part of it. Say so with {}, or save the network without its softmax; if these are logits, say {unless}",
            statement(Output::Probabilities)
        ),
        None if in_unit => format!(
            "seems to end in a sigmoid: all outputs for {count} different images are in [0, 1], and don't sum to 1. Say so with {}, or save the network without its sigmoid; if these are logits, say {unless}",
            statement(Output::Sigmoid)
        ),
        None if least >= 0.0 && sum_to(high) && spread(answers)? > tolerance(answers)? => format!(
            "gives shares, not logits: no output for {count} different images is negative, and those of each sum to {}. Save the network without its softmax, or divide them by that and say {}; if these are logits, say {unless}",
            number(high),
            statement(Output::Probabilities)
        ),
        None => return Ok(Output::Logits),
    };
    Err(module.wrong(problem))
}

/// The difference of two answers below which it is rounding.
fn tolerance(answers: &Tensor) -> Result<f64> {
    let largest = answers.f_abs()?.f_max()?.f_double_value(&[])?;
    Ok((OF_SPREAD * spread(answers)?).max(OF_LARGEST * largest))
}

/// Returns the largest distance of a class's outputs for different images.
fn spread(answers: &Tensor) -> Result<f64> {
    let range = answers.f_amax([0i64].as_slice(), false)?.f_sub(&answers.f_amin([0i64].as_slice(), false)?)?;
    Ok(range.f_max()?.f_double_value(&[])?)
}

/// The largest difference of two answers; infinite where there is no number.
fn difference(a: &Tensor, b: &Tensor) -> Result<f64> {
    if a.size() != b.size() {
        return Ok(f64::INFINITY);
    }
    let off = a.f_sub(b)?.f_abs()?.f_max()?.f_double_value(&[])?;
    Ok(if off.is_finite() { off } else { f64::INFINITY })
}

/// A number of three digits or so.
fn number(value: f64) -> String {
    let text = if value != 0.0 && !(0.01..1e5).contains(&value.abs()) {
        format!("{value:.1e}")
    } else {
        format!("{value:.3}")
    };
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
