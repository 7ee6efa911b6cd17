//! Unfold: an image into n² overlapping views, each enlarged. See docs/protocol.md#unfold.

use tch::Tensor;

use crate::image_ops::resize;
use crate::protocol::MapProtocol;
use crate::{Error, Result};

/// The positions of an image's views, per axis (height, width), in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Sides of the image.
    pub image: [i64; 2],
    /// Views per axis, n.
    pub n: i64,
    /// Sides of a view before it is enlarged, c = ⌊ρH⌋.
    pub crop: [i64; 2],
    /// Distance of neighbouring views, u = ⌊(H - c + 2) / (n - 1)⌋.
    pub stride: [i64; 2],
    /// Sides of a view after it is enlarged, ⌊αc⌋.
    pub view: [i64; 2],
}

impl Geometry {
    /// Geometry for an image of `image` pixels (height, width).
    ///
    /// # Errors
    /// [`Error::Invalid`] where n, ρ or α is out of range or a view would be empty.
    pub fn new(image: [i64; 2], protocol: &MapProtocol) -> Result<Self> {
        protocol.validate()?;
        let n = protocol.n as i64;
        let crop = image.map(|side| whole(protocol.rho * side as f64));
        let stride = [0, 1].map(|axis| (image[axis] - crop[axis] + 2) / (n - 1));
        let view = crop.map(|side| whole(protocol.alpha * side as f64));
        let geometry = Self { image, n, crop, stride, view };
        let starts_outside = |axis: usize| (n - 1) * stride[axis] >= image[axis];
        if crop.contains(&0) || view.contains(&0) || starts_outside(0) || starts_outside(1) {
            return Err(Error::Invalid(format!(
                "an image of {} × {} pixels can't be unfolded with n = {n}, rho = {}, alpha = {}: some views would be empty",
                image[0], image[1], protocol.rho, protocol.alpha
            )));
        }
        Ok(geometry)
    }

    /// Number of views, n².
    pub fn len(&self) -> usize {
        (self.n * self.n) as usize
    }

    /// Never: there are at least four views.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Sides of the canvas that the views' maps are folded onto, c + (n - 1)u: within two pixels of
    /// the image's.
    pub fn canvas(&self) -> [i64; 2] {
        [0, 1].map(|axis| self.crop[axis] + (self.n - 1) * self.stride[axis])
    }

    /// Top left corner of view `index` (row-major), in pixels.
    pub fn corner(&self, index: usize) -> [i64; 2] {
        let index = index as i64;
        [index / self.n * self.stride[0], index % self.n * self.stride[1]]
    }
}

/// The whole pixels of a product. ρ = 124/224 of 224 must be 124, though the product may fall a
/// rounding error short of it.
fn whole(x: f64) -> i64 {
    (x + 1e-9).floor() as i64
}

/// The image `[1, C, H, W]` as a method without UCAG sees it: enlarged to ⌊sH⌋ × ⌊sW⌋, with the
/// protocol's scale s.
///
/// # Errors
/// Where nothing would be left of it.
pub fn enlarge(image: &Tensor, protocol: &MapProtocol) -> Result<Tensor> {
    let shape = image.size();
    let size = [shape[2], shape[3]].map(|side| whole(protocol.scale * side as f64));
    resize(image, size, protocol.interpolation)
}

/// Views `range` of an image `[1, C, H, W]`, enlarged: `[B, C, h, w]`. A view that the border cuts
/// short is stretched to full size.
///
/// # Errors
/// Where libtorch refuses; the geometry has made sure that views aren't empty.
pub fn unfold(
    image: &Tensor,
    geometry: &Geometry,
    protocol: &MapProtocol,
    range: std::ops::Range<usize>,
) -> Result<Tensor> {
    let cut = |index: usize| -> Result<Tensor> {
        let corner = geometry.corner(index);
        let side = |axis: usize| geometry.crop[axis].min(geometry.image[axis] - corner[axis]);
        let crop = image.f_narrow(2, corner[0], side(0))?.f_narrow(3, corner[1], side(1))?;
        resize(&crop, geometry.view, protocol.interpolation)
    };
    let views = range.map(cut).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::f_cat(&views, 0)?)
}
