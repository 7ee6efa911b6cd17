//! From a raw map to the saliency that metrics see. See docs/protocol.md#post-processing.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::Result;
use crate::filter::{Border, Interpolation, gaussian_blur, resize, smooth};
use crate::protocol::{Protocol, Smoothing};

/// What a kind of method has done to its maps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Post {
    /// CAM-type: clipped at zero, resized to the image bilinearly, brought to [0, 1], smoothed as the protocol says.
    Cam,
    /// Propagation methods: resized to the image, otherwise left as they are, signed.
    Signed,
    /// A map that is what it is, such as a control: resized, brought to [0, 1], smoothed as the protocol says.
    Plain,
    /// Methods whose maps aren't negative: resized, smoothed as the method itself has it, divided by the maximum; UCAG's are smoothed as the protocol says, too.
    Heat(Option<Own>),
    /// Not a map but a point, the image's centre. Pointing games take it as it is; other metrics see a map that falls off around it.
    Centre,
}

impl Post {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Post::Cam => "cam",
            Post::Signed => "signed",
            Post::Plain => "plain",
            Post::Heat(_) => "heat",
            Post::Centre => "centre",
        }
    }
}

/// A Gaussian that belongs to a method's own definition, applied at the size of the result: see
/// docs/protocol.md#own-blur.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Own {
    /// σ is this share of the longer side; border pixels are repeated.
    OfLonger(f64),
    /// σ is this share of the shorter side; there are zeros beyond the border.
    OfShorter(f64),
}

impl Own {
    /// Blurs `[1, 1, H, W]`.
    fn smooth(self, map: &Tensor) -> Result<Tensor> {
        let size = map.size();
        let (height, width) = (size[2] as f64, size[3] as f64);
        let (sigma, border) = match self {
            Own::OfLonger(share) => (share * height.max(width), Border::Replicate),
            Own::OfShorter(share) => (share * height.min(width), Border::Zero),
        };
        smooth(map, sigma, border)
    }
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
    /// The point itself (x, y), in pixels, where the explanation is one.
    pub point: Option<[f64; 2]>,
}

/// Makes the saliency for an image of `image` pixels (height, width) from a raw map `[1, 1, h, w]`, which UCAG may have folded.
///
/// # Errors
/// Where libtorch refuses.
pub fn saliency(raw: &Tensor, post: Post, image: [i64; 2], ucag: bool, protocol: &Protocol) -> Result<Saliency> {
    if post == Post::Centre {
        return centre(image, raw.device());
    }
    let clipped = if post == Post::Cam && protocol.rectify { raw.f_relu()? } else { raw.shallow_clone() };
    let mut full = resize(&clipped, image, Interpolation::Bilinear)?;
    if let Post::Heat(Some(own)) = post {
        full = own.smooth(&full)?;
    }
    let (low, high) = (full.f_min()?.f_double_value(&[])?, full.f_max()?.f_double_value(&[])?);
    let state = match () {
        () if !(low.is_finite() && high.is_finite()) => MapState::NonFinite,
        () if low == 0.0 && high == 0.0 => MapState::AllZero,
        () if low == high => MapState::Constant,
        () => MapState::Fine,
    };
    if state != MapState::Fine {
        return Ok(Saliency { map: Tensor::f_zeros(image, (Kind::Float, raw.device()))?, state, point: None });
    }
    if post == Post::Signed {
        return Ok(Saliency { map: full.f_to_kind(Kind::Float)?.f_view(image)?, state, point: None });
    }
    // In the map's own precision: forms of GradCAM++ span more magnitudes than float32 has.
    // A heat map's zero means something, and shares of its sum are measured: it isn't moved.
    let low = if matches!(post, Post::Heat(_)) { 0.0 } else { low };
    let unit = full.f_sub_scalar(low)?.f_div_scalar(high - low)?.f_to_kind(Kind::Float)?;
    let blurred = match protocol.smoothing {
        Smoothing::None => false,
        Smoothing::Ucag => ucag,
        Smoothing::Both => true,
    };
    let map = if blurred { gaussian_blur(&unit, 5, 3.0, Border::Reflect)? } else { unit };
    Ok(Saliency { map: map.f_view(image)?, state, point: None })
}

/// The centre (w/2, h/2), which lies between pixels where a side is odd, and a Gaussian around it, σ a quarter of each side.
fn centre(image: [i64; 2], device: tch::Device) -> Result<Saliency> {
    let [height, width] = image;
    let axis = |side: i64| -> Vec<f32> {
        let middle = side as f64 / 2.0;
        (0..side).map(|i| (-8.0 * ((i as f64 - middle) / side as f64).powi(2)).exp() as f32).collect()
    };
    let vertical = Tensor::f_from_slice(&axis(height))?.f_view([height, 1])?;
    let map = vertical.f_mul(&Tensor::f_from_slice(&axis(width))?.f_view([1, width])?)?.f_to_device(device)?;
    let state = if height * width > 1 { MapState::Fine } else { MapState::Constant };
    Ok(Saliency { map, state, point: Some([width as f64 / 2.0, height as f64 / 2.0]) })
}
