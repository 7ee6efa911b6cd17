//! CAMERAS (Jalwana et al., CVPR 2021; see docs/protocol.md#cameras): activations and gradients
//! averaged over several input resolutions.
//!
//! Resolutions are absolute, as in the authors' code, and the published ones belong to networks
//! made for 224 pixels: a config for networks that were made for another size names its own.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use tch::Tensor;

use super::{map_of, weighted_sum};
use crate::explain::{Entry, Explainer, ExtraPasses, Method, Setting};
use crate::image_ops::{Interpolation, resize};
use crate::network::{Layers, Network};
use crate::pass::{ForwardPass, Needs, Pass};
use crate::postprocess::MapKind;
use crate::{Error, Result};

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "cameras",
    name: "CAMERAS",
    summary: "activation and gradient, each averaged over input resolutions, multiplied and summed over channels",
    source: "Jalwana et al., CVPR 2021",
    map_kind: MapKind::Cam,
    make: |settings| {
        Arc::new(Cameras { resolutions: settings.list("resolutions").iter().map(|&side| side as i64).collect() })
    },
})
.settings(&[Setting::integers(
    "resolutions",
    "sides in pixels of the squares that the image is resized to; the first stands for the image as it is, and is the side of the map",
    &[224.0, 324.0, 424.0, 524.0, 624.0, 724.0, 824.0, 924.0],
    (1.0, 4096.0),
)]);

/// Channels that are enlarged at a time: all 2048 of a ResNet at 224 × 224 would be 400 MB.
const CHANNELS: i64 = 128;

#[derive(Debug)]
struct Cameras {
    resolutions: Vec<i64>,
}

impl Cameras {
    /// `Σ_k mean_r A_rk · mean_r G_rk` for each class, with A and G enlarged to the first
    /// resolution's square.
    fn maps(&self, first: &Rc<ForwardPass<'_>>, classes: &[usize], layers: &Layers) -> Result<BTreeMap<usize, Tensor>> {
        let layer = layers.target;
        let mut traces = vec![Rc::clone(first)];
        for &side in &self.resolutions[1..] {
            traces.push(first.sub_pass(&format!("cameras {side} {layer}"), || {
                Ok((resize(first.views(), [side, side], Interpolation::Bicubic)?, Needs::layer(layer)))
            })?);
        }
        let activations: Vec<Tensor> = traces
            .iter()
            .map(|forward_pass| map_of(&forward_pass.target(classes[0])?, layer))
            .collect::<Result<_>>()?;
        let gradients = |&class: &usize| -> Result<Vec<Tensor>> {
            traces.iter().map(|forward_pass| forward_pass.target(class)?.gradient(layer)).collect()
        };
        let gradients: Vec<Vec<Tensor>> = classes.iter().map(gradients).collect::<Result<_>>()?;
        let enlarge = Enlarge::new(&activations, self.resolutions[0])?;
        let mut maps: BTreeMap<usize, Tensor> = BTreeMap::new();
        let channels = activations[0].size()[1];
        for start in (0..channels).step_by(CHANNELS as usize) {
            let count = CHANNELS.min(channels - start);
            let mean = |parts: &[Tensor]| enlarge.mean(parts, start, count);
            let activation = mean(&activations)?;
            for (&class, gradients) in classes.iter().zip(&gradients) {
                let part = weighted_sum(&mean(gradients)?, &activation)?;
                let sum = match maps.remove(&class) {
                    Some(before) => before.f_add(&part)?,
                    None => part,
                };
                maps.insert(class, sum);
            }
        }
        Ok(maps)
    }
}

/// Bilinear enlargement and mean over resolutions in two matrix products, of which the second adds
/// up the resolutions. To enlarge every channel and add took four times as long for each further
/// class of a ResNet-50.
struct Enlarge {
    /// For each resolution, `[side, u]`.
    rows: Vec<Tensor>,
    /// Of all resolutions, one below the other: `[Σ v, side]`.
    columns: Tensor,
}

impl Enlarge {
    /// From maps like `parts`, `[B, K, u, v]` each, to `side` × `side`.
    fn new(parts: &[Tensor], side: i64) -> Result<Self> {
        // What bilinear resizing does along one axis is what it makes of the identity.
        let along = |length: i64| -> Result<Tensor> {
            let identity =
                Tensor::f_eye(length, (parts[0].kind(), parts[0].device()))?.f_view([1, 1, length, length])?;
            Ok(resize(&identity, [side, length], Interpolation::Bilinear)?.f_view([side, length])?)
        };
        let rows = parts.iter().map(|part| along(part.size()[2])).collect::<Result<_>>()?;
        let columns = parts.iter().map(|part| Ok(along(part.size()[3])?.f_tr()?)).collect::<Result<Vec<_>>>()?;
        Ok(Self { rows, columns: Tensor::f_cat(&columns, 0)?.f_div_scalar(parts.len() as f64)? })
    }

    /// The mean of channels `start` to `start + count`, `[B, count, side, side]`.
    fn mean(&self, parts: &[Tensor], start: i64, count: i64) -> Result<Tensor> {
        let tall = |(rows, part): (&Tensor, &Tensor)| -> Result<Tensor> {
            Ok(rows.f_matmul(&part.f_narrow(1, start, count)?)?)
        };
        let tall = self.rows.iter().zip(parts).map(tall).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::f_cat(&tall, 3)?.f_matmul(&self.columns)?)
    }
}

impl Explainer for Cameras {
    fn needs(&self, _: &Network, layers: &Layers) -> Result<Needs> {
        Ok(Needs::layer(layers.target))
    }

    /// Signed; a forward pass a resolution serves all classes, and each class takes a short
    /// backward pass.
    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
        let (forward_pass, class) = (pass.forward_pass(), pass.class());
        if !forward_pass.classes().contains(&class) {
            return self.maps(forward_pass, &[class], layers)?.remove(&class).ok_or(LOST);
        }
        let key = format!("cameras {:?} {}", self.resolutions, layers.target);
        let all = forward_pass.cached(&key, || self.maps(forward_pass, forward_pass.classes(), layers))?;
        all.get(&class).map(Tensor::shallow_clone).ok_or(LOST)
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        // In passes of the first resolution's size.
        let first = self.resolutions[0] as f64;
        let others = self.resolutions[1..].iter().map(|&side| (side as f64 / first).powi(2));
        ExtraPasses { per_view: others.sum::<f64>().round() as usize, per_class: 0 }
    }
}

const LOST: Error = Error::Internal("CAMERAS lost a class");
