//! Conquer: n² partial maps and their confidences into one map. See docs/protocol.md#confidence and
//! docs/protocol.md#conquer.

use tch::Tensor;

use crate::image_ops::{Interpolation, resize};
use crate::protocol::{Coverage, LargeMaps, MapProtocol, ViewWeight};
use crate::ucag::unfold::Geometry;
use crate::{Error, Result};

/// Weights of the views `[n²]`, from their softmax probabilities of the explained class `[n²]`.
pub fn weights(probabilities: &Tensor, confidence: ViewWeight) -> Result<Tensor> {
    Ok(match confidence {
        ViewWeight::ExpSoftmax => probabilities.f_exp()?,
        ViewWeight::ExpSoftmaxOverMax => {
            let exp = probabilities.f_exp()?;
            exp.f_div(&exp.f_max()?)?
        }
        ViewWeight::Softmax => probabilities.shallow_clone(),
        ViewWeight::None => probabilities.f_ones_like()?,
    })
}

/// Folds signed maps `[n², 1, h, w]`, weighted by `weights` `[n²]`, into one `[1, 1, H, W]` on the
/// geometry's canvas.
///
/// # Errors
/// Where the number of maps or weights isn't n².
pub fn conquer(maps: &Tensor, weights: &Tensor, geometry: &Geometry, protocol: &MapProtocol) -> Result<Tensor> {
    let count = geometry.len() as i64;
    if maps.size().first() != Some(&count) || weights.size() != [count] {
        let problem = format!("maps {:?} and weights {:?} for {count} views", maps.size(), weights.size());
        return Err(Error::Invalid(problem));
    }
    let options = (maps.kind(), maps.device());
    let weights = weights.f_to_kind(maps.kind())?.f_view([-1, 1, 1, 1])?;
    let maps = match protocol.large_maps {
        LargeMaps::ByImage if maps.size()[2..] == geometry.view => {
            &resize(maps, geometry.image, Interpolation::Bilinear)?
        }
        _ => maps,
    };
    let partial = resize(maps, geometry.crop, Interpolation::Bilinear)?.f_mul(&weights)?;
    let canvas = geometry.canvas();
    let sum = Tensor::f_zeros([1, 1, canvas[0], canvas[1]], options)?;
    let first = match protocol.coverage {
        Coverage::True => 0.0,
        Coverage::PlusOne => 1.0,
    };
    let covered = Tensor::f_full([1, 1, canvas[0], canvas[1]], first, options)?;
    for index in 0..geometry.len() {
        let corner = geometry.corner(index);
        let window = |x: &Tensor| -> Result<Tensor> {
            Ok(x.f_narrow(2, corner[0], geometry.crop[0])?.f_narrow(3, corner[1], geometry.crop[1])?)
        };
        let _ = window(&sum)?.f_add_(&partial.f_narrow(0, index as i64, 1)?)?;
        let _ = window(&covered)?.f_add_scalar_(1.0)?;
    }
    // Strides longer than a view leave gaps, which no view speaks for.
    let gaps = covered.f_eq(0.0)?;
    Ok(sum.f_div(&covered.f_masked_fill(&gaps, 1.0)?)?)
}
