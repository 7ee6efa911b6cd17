//! From a raw map to the saliency that metrics see (protocol section 1.6).

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::Result;
use crate::filter::{Border, Interpolation, gaussian_blur, resize};
use crate::protocol::{Protocol, Smoothing};

/// What a kind of method has done to its maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Post {
    /// CAM-type: clipped at zero, resized to the image bilinearly, brought to [0, 1], smoothed as the protocol says.
    Cam,
    /// Propagation methods: resized to the image, otherwise left as they are, signed.
    Signed,
    /// A map that is what it is, such as a control: resized, brought to [0, 1], smoothed as the protocol says.
    Plain,
}

/// What a map turned out to be. Degenerate maps are scored as the all-zero map (every pixel tied), counted and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapState {
    /// Finite, with at least two different values.
    Fine,
    /// Some value is NaN or infinite.
    NonFinite,
    /// Every value is zero; a CAM whose values are all negative ends here once it is clipped.
    AllZero,
    /// Every value is the same, and not zero.
    Constant,
}

impl MapState {
    /// The word for it in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            MapState::Fine => "ok",
            MapState::NonFinite => "non-finite",
            MapState::AllZero => "all-zero",
            MapState::Constant => "constant",
        }
    }
}

/// A map at input resolution, as metrics see it.
#[derive(Debug)]
pub struct Saliency {
    /// `[H, W]`, float32, in [0, 1] unless the method is [`Post::Signed`]; all zero where the state isn't fine.
    pub map: Tensor,
    /// What the raw map turned out to be.
    pub state: MapState,
}

/// Makes the saliency for an image of `image` pixels (height, width) from a raw map `[1, 1, h, w]`, which UCAG may have folded.
///
/// # Errors
/// Where libtorch refuses.
pub fn saliency(raw: &Tensor, post: Post, image: [i64; 2], ucag: bool, protocol: &Protocol) -> Result<Saliency> {
    let clipped = if post == Post::Cam && protocol.rectify { raw.f_relu()? } else { raw.shallow_clone() };
    let full = resize(&clipped, image, Interpolation::Bilinear)?;
    let (low, high) = (full.f_min()?.f_double_value(&[])?, full.f_max()?.f_double_value(&[])?);
    let state = match () {
        () if !(low.is_finite() && high.is_finite()) => MapState::NonFinite,
        () if low == 0.0 && high == 0.0 => MapState::AllZero,
        () if low == high => MapState::Constant,
        () => MapState::Fine,
    };
    if state != MapState::Fine {
        return Ok(Saliency { map: Tensor::f_zeros(image, (Kind::Float, raw.device()))?, state });
    }
    if post == Post::Signed {
        return Ok(Saliency { map: full.f_to_kind(Kind::Float)?.f_view(image)?, state });
    }
    // In the map's own precision: forms of GradCAM++ span more magnitudes than float32 has.
    let unit = full.f_sub_scalar(low)?.f_div_scalar(high - low)?.f_to_kind(Kind::Float)?;
    let smooth = match protocol.smoothing {
        Smoothing::None => false,
        Smoothing::Ucag => ucag,
        Smoothing::Both => true,
    };
    let map = if smooth { gaussian_blur(&unit, 5, 3.0, Border::Reflect)? } else { unit };
    Ok(Saliency { map: map.f_view(image)?, state })
}
