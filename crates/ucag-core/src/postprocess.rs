//! From a raw map to the saliency that metrics see. See docs/protocol.md#post-processing.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::Result;
use crate::image_ops::{Border, Interpolation, gaussian_blur, resize, smooth};
use crate::protocol::{MapProtocol, Smoothing};

/// The kind of a method's raw maps, which decides on post-processing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MapKind {
    /// CAM-type: clipped at zero, resized to the image bilinearly, brought to [0, 1], smoothed as
    /// the protocol says.
    Cam,
    /// Propagation methods: resized to the image, otherwise left as they are, signed.
    Signed,
    /// A map that is what it is, such as a control: resized, brought to [0, 1], smoothed as the
    /// protocol says.
    MinMax,
    /// Methods whose maps aren't negative: what rounding leaves below zero is clipped; resized,
    /// smoothed as the method itself has it, divided by the maximum; UCAG's are smoothed as the
    /// protocol says, too.
    NonNegative(Option<MethodBlur>),
    /// Not a map but a point, the image's centre. Pointing games take it as it is; other metrics
    /// see a map that falls off around it.
    Point,
}

impl MapKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            MapKind::Cam => "cam",
            MapKind::Signed => "signed",
            MapKind::MinMax => "plain",
            MapKind::NonNegative(_) => "heat",
            MapKind::Point => "centre",
        }
    }
}

/// A Gaussian that belongs to a method's own definition, applied at the size of the result: see
/// docs/protocol.md#own-blur.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MethodBlur {
    /// σ is this fraction of the longer side; border pixels are repeated.
    OfLonger(f64),
    /// σ is this fraction of the shorter side; there are zeros beyond the border.
    OfShorter(f64),
}

impl MethodBlur {
    /// Blurs `[1, 1, H, W]`.
    fn smooth(self, map: &Tensor) -> Result<Tensor> {
        let size = map.size();
        let (height, width) = (size[2] as f64, size[3] as f64);
        let (sigma, border) = match self {
            MethodBlur::OfLonger(share) => (share * height.max(width), Border::Replicate),
            MethodBlur::OfShorter(share) => (share * height.min(width), Border::Zero),
        };
        smooth(map, sigma, border)
    }
}

/// The state of a map. Degenerate maps are scored as the all-zero map (every pixel tied), counted
/// and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapState {
    /// Finite, with at least two different values.
    #[serde(rename = "fine")]
    Ok,
    /// Some value is NaN or infinite.
    NonFinite,
    /// Every value is zero, or nothing is left above zero of a map that is clipped there.
    AllZero,
    /// Every value is the same, and not zero. A map of one cell is constant.
    Constant,
}

impl MapState {
    /// The word for it in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            MapState::Ok => "ok",
            MapState::NonFinite => "non-finite",
            MapState::AllZero => "all-zero",
            MapState::Constant => "constant",
        }
    }
}

/// A map at input resolution, as metrics see it.
#[derive(Debug)]
pub struct Saliency {
    /// `[H, W]`, float32, in [0, 1] unless the method is [`MapKind::Signed`]; all zero where the
    /// state isn't fine.
    pub map: Tensor,
    /// The state of the raw map.
    pub state: MapState,
    /// The point itself (x, y), in pixels, where the explanation is one.
    pub point: Option<[f64; 2]>,
}

/// Makes the saliency for an image of `image` pixels (height, width) from a raw map `[1, 1, h, w]`,
/// which UCAG may have folded.
///
/// The raw map is checked for being degenerate, and so is what clipping and resizing leave:
/// differences that are no larger than rounding aren't stretched to [0, 1]. A map beyond float32's
/// magnitudes is brought into them by a power of two.
pub fn saliency(
    raw: &Tensor,
    map_kind: MapKind,
    image: [i64; 2],
    ucag: bool,
    protocol: &MapProtocol,
) -> Result<Saliency> {
    if map_kind == MapKind::Point {
        return centre(image, raw.device());
    }
    let degenerate =
        |state| Ok(Saliency { map: Tensor::f_zeros(image, (Kind::Float, raw.device()))?, state, point: None });
    let range = Range::of(raw)?;
    let (mut map, mut range) = match range.state(if ucag { folding(protocol, raw.kind()) } else { 0.0 }) {
        MapState::Ok => (raw.shallow_clone(), range),
        state => return degenerate(state),
    };
    if matches!(map_kind, MapKind::NonNegative(_)) || (map_kind == MapKind::Cam && protocol.rectify) {
        (map, range) = (map.f_relu()?, range.clipped());
        if range.high == 0.0 {
            return degenerate(MapState::AllZero);
        }
    }
    if let Some(scale) = range.scale() {
        (map, range) = (map.f_to_kind(Kind::Double)?.f_mul_scalar(scale)?, range.times(scale));
    }
    let resized = map.size()[2..] != image;
    // Next to a large value that all share, the resize would round away how they differ.
    let shared = if resized && !ucag && range.is_narrow() { range.low } else { 0.0 };
    let apart = if shared == 0.0 { map } else { map.f_sub_scalar(shared)? };
    let mut full = resize(&apart, image, Interpolation::Bilinear)?;
    let mut left = Range::of(&full)?;
    match left.state(if resized { RESIZING * epsilon(full.kind()) } else { 0.0 }) {
        MapState::Ok => {}
        MapState::AllZero if shared != 0.0 => return degenerate(MapState::Constant),
        state => return degenerate(state),
    }
    // Where zero means something.
    if shared != 0.0 && matches!(map_kind, MapKind::Signed | MapKind::NonNegative(_)) {
        full = full.f_add_scalar(shared)?;
        left = Range::of(&full)?;
    }
    if let MapKind::NonNegative(Some(own)) = map_kind {
        full = own.smooth(&full)?;
        left = Range::of(&full)?;
    }
    let state = MapState::Ok;
    // Around a large value, float64 tells apart what float32 can't.
    let is_one_value = |map: &Tensor| -> Result<bool> {
        Ok(full.kind() == Kind::Double && Range::of(map)?.state(0.0) != MapState::Ok)
    };
    if map_kind == MapKind::Signed {
        let map = full.f_to_kind(Kind::Float)?.f_view(image)?;
        return if is_one_value(&map)? {
            degenerate(MapState::Constant)
        } else {
            Ok(Saliency { map, state, point: None })
        };
    }
    // In the map's own precision: forms of GradCAM++ span more magnitudes than float32 has.
    // The zero of a map that isn't negative means something, and fractions of its sum are measured:
    // it isn't moved.
    let low = if matches!(map_kind, MapKind::NonNegative(_)) { 0.0 } else { left.low };
    let unit = full.f_sub_scalar(low)?.f_div_scalar(left.high - low)?.f_to_kind(Kind::Float)?;
    if is_one_value(&unit)? {
        return degenerate(MapState::Constant);
    }
    let blurred = match protocol.smoothing {
        Smoothing::None => false,
        Smoothing::Ucag => ucag,
        Smoothing::Both => true,
    };
    let map = if blurred { gaussian_blur(&unit, 5, 3.0, Border::Reflect)? } else { unit };
    Ok(Saliency { map: map.f_view(image)?, state, point: None })
}

/// Spacings of floating-point numbers by which bilinear means of equal values may differ: four
/// products and three sums round each.
const RESIZING: f64 = 8.0;

/// By how much a fold of views that say the same everywhere may vary, of its largest magnitude: a
/// sum of up to n² terms, each of them resized and weighted, over their number.
fn folding(protocol: &MapProtocol, kind: Kind) -> f64 {
    ((protocol.n * protocol.n) as f64 + RESIZING) * epsilon(kind)
}

fn epsilon(kind: Kind) -> f64 {
    if kind == Kind::Double { f64::EPSILON } else { f64::from(f32::EPSILON) }
}

/// The least and the largest value of a map; NaN where one is NaN.
#[derive(Debug, Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    fn of(map: &Tensor) -> Result<Self> {
        Ok(Self { low: map.f_min()?.f_double_value(&[])?, high: map.f_max()?.f_double_value(&[])? })
    }

    /// The state of a map whose values differ by rounding alone where they differ by no more than
    /// this fraction of the largest magnitude.
    fn state(self, rounding: f64) -> MapState {
        let Self { low, high } = self;
        match () {
            () if !(low.is_finite() && high.is_finite()) => MapState::NonFinite,
            () if low == 0.0 && high == 0.0 => MapState::AllZero,
            () if high - low <= rounding * self.magnitude() => MapState::Constant,
            () => MapState::Ok,
        }
    }

    fn magnitude(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    fn clipped(self) -> Self {
        Self { low: self.low.max(0.0), high: self.high.max(0.0) }
    }

    fn times(self, scale: f64) -> Self {
        Self { low: self.low * scale, high: self.high * scale }
    }

    /// Returns whether the values lie so close together that float32's rounding of a resize would
    /// show.
    fn is_narrow(self) -> bool {
        self.high - self.low < self.magnitude() / 4096.0
    }

    /// The power of two that brings the largest magnitude to about one, where it is so far from it
    /// that float32 can't hold sums or details.
    fn scale(self) -> Option<f64> {
        let exponent = self.magnitude().log2().floor().clamp(-1000.0, 1000.0);
        (exponent.abs() > 100.0).then(|| (-exponent).exp2())
    }
}

/// The centre (w/2, h/2), which lies between pixels where a side is odd, and a Gaussian around it,
/// σ a quarter of each side.
fn centre(image: [i64; 2], device: tch::Device) -> Result<Saliency> {
    let [height, width] = image;
    let axis = |side: i64| -> Vec<f32> {
        let middle = side as f64 / 2.0;
        (0..side).map(|i| (-8.0 * ((i as f64 - middle) / side as f64).powi(2)).exp() as f32).collect()
    };
    let vertical = Tensor::f_from_slice(&axis(height))?.f_view([height, 1])?;
    let map = vertical.f_mul(&Tensor::f_from_slice(&axis(width))?.f_view([1, width])?)?.f_to_device(device)?;
    let state = if height * width > 1 { MapState::Ok } else { MapState::Constant };
    Ok(Saliency { map, state, point: Some([width as f64 / 2.0, height as f64 / 2.0]) })
}
