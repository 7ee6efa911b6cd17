//! Score-CAM (Wang et al., CVPR Workshops 2020), in the three forms that have been published: see
//! docs/protocol.md#scorecam.
//!
//! Every channel of the layer, enlarged and scaled to [0, 1], masks the input; how the class scores
//! on it is the channel's weight. The masked inputs are the same for all classes, and so is their
//! forward pass.

use std::sync::Arc;

use tch::{Kind, Tensor};

use super::{map_of, weighted_sum};
use crate::Result;
use crate::explain::{Entry, Explainer, ExtraPasses, Method};
use crate::image_ops::{Interpolation, resize};
use crate::network::{Layers, Network};
use crate::pass::{ForwardPass, Needs, Pass};
use crate::postprocess::MapKind;
use crate::tensor_ext::TensorExt;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "scorecam",
    name: "ScoreCAM",
    summary: "as its authors have it: a channel's weight is the class's probability on the input masked by it, channels are enlarged before they are summed",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(ScoreCam(Form::Authors)),
});

/// Registry entry.
pub(crate) static TORCHCAM: Method = Method::new(Entry {
    id: "scorecam-torchcam",
    name: "ScoreCAM (torch-cam)",
    summary: "as torch-cam has it: weights are the softmax over channels of the class's logits, channels are scaled before they are enlarged",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(ScoreCam(Form::Torchcam)),
});

/// Registry entry.
pub(crate) static PGC: Method = Method::new(Entry {
    id: "scorecam-pgc",
    name: "ScoreCAM (pytorch-grad-cam)",
    summary: "as pytorch-grad-cam has it: as torch-cam's, but channels are enlarged from corner to corner and then scaled",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(ScoreCam(Form::Pgc)),
});

const SOURCE: &str = "Wang et al., CVPR Workshops 2020";

/// Masked inputs in one pass.
const BATCH: i64 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Authors,
    Torchcam,
    Pgc,
}

#[derive(Debug)]
struct ScoreCam(Form);

impl Form {
    /// Masks of `size` from channels `[K, 1, u, v]`, in [0, 1]; a channel that is the same
    /// everywhere gives a mask of zeros.
    fn masks(self, channels: &Tensor, size: [i64; 2]) -> Result<Tensor> {
        match self {
            Form::Authors => unit(&resize(channels, size, Interpolation::Bilinear)?),
            Form::Torchcam => resize(&unit(channels)?, size, Interpolation::Bilinear),
            Form::Pgc => unit(&channels.f_upsample_bilinear2d(size, true, None, None)?),
        }
    }
}

/// Each channel of `[K, 1, u, v]` brought to [0, 1].
fn unit(channels: &Tensor) -> Result<Tensor> {
    let (low, high) = (channels.min_over([2, 3])?, channels.max_over([2, 3])?);
    let range = high.f_sub(&low)?;
    let flat = range.f_eq(0.0)?;
    Ok(channels.f_sub(&low)?.f_div(&range.f_masked_fill(&flat, 1.0)?)?)
}

/// Logits of all classes on each view's input under each channel's mask: `[B, K, N]`.
fn masked_logits(forward_pass: &ForwardPass<'_>, activation: &Tensor, form: Form) -> Result<Tensor> {
    let size = forward_pass.views().size();
    let channels = activation.size()[1];
    let view = |index: i64| -> Result<Tensor> {
        let image = forward_pass.views().f_narrow(0, index, 1)?;
        let mut logits = Vec::new();
        for start in (0..channels).step_by(BATCH as usize) {
            let count = BATCH.min(channels - start);
            let part = activation.f_narrow(0, index, 1)?.f_narrow(1, start, count)?.f_transpose(0, 1)?;
            let masked = form.masks(&part.f_contiguous()?, [size[2], size[3]])?.f_mul(&image)?;
            logits.push(ForwardPass::new(forward_pass.network(), masked, Needs::default()).logits()?);
        }
        Ok(Tensor::f_cat(&logits, 0)?)
    };
    let views = (0..size[0]).map(view).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::f_stack(&views, 0)?)
}

impl Explainer for ScoreCam {
    fn needs(&self, _: &Network, layers: &Layers) -> Result<Needs> {
        Ok(Needs { activations: vec![layers.target], ..Needs::default() })
    }

    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
        let activation = map_of(pass, layers.target)?;
        let key = format!("{self:?} {}", layers.target);
        let logits = pass.forward_pass().cached(&key, || masked_logits(pass.forward_pass(), &activation, self.0))?;
        let class = pass.class() as i64;
        let weights = match self.0 {
            Form::Authors => {
                let flat = activation.f_amax([2i64, 3].as_slice(), false)?;
                let flat = flat.f_eq_tensor(&activation.f_amin([2i64, 3].as_slice(), false)?)?;
                logits.f_softmax(2, Kind::Float)?.f_select(2, class)?.f_masked_fill(&flat, 0.0)?
            }
            Form::Torchcam | Form::Pgc => logits.f_select(2, class)?.f_softmax(1, logits.kind())?,
        };
        let weights = weights.f_to_kind(activation.kind())?.f_unsqueeze(-1)?.f_unsqueeze(-1)?;
        let map = weighted_sum(&weights, &activation)?;
        match self.0 {
            Form::Pgc => Ok(map),
            Form::Torchcam => Ok(map.f_relu()?),
            // Enlarging is linear: the sum may be enlarged in place of its channels.
            Form::Authors => {
                let size = pass.views().size();
                Ok(resize(&map, [size[2], size[3]], Interpolation::Bilinear)?.f_relu()?)
            }
        }
    }

    fn extra_passes(&self, network: &Network, layers: &Layers) -> ExtraPasses {
        // A target that the network doesn't reach at its own size is refused before anything runs.
        let channels = network.shapes().ok().and_then(|shapes| shapes[layers.target].get(1).copied());
        ExtraPasses { per_view: channels.unwrap_or(0) as usize, per_class: 0 }
    }
}
