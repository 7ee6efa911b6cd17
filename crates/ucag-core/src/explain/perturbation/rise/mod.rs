//! RISE: the mean of random masks, each weighted by how sure of the class the network is of what it
//! leaves. See docs/protocol.md#rise.

pub mod masks;

use std::sync::Arc;

use tch::{Kind, Tensor};

use self::masks::{Grids, Stretch};
use crate::Result;
use crate::explain::{Entry, Explainer, ExtraPasses, Method, Setting, Settings};
use crate::network::{Layers, Network};
use crate::pass::{ForwardPass, Needs, Pass, Seed};
use crate::postprocess::MapKind;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "rise",
    name: "RISE",
    summary: "mean of random masks, weighted by the sigmoid of the class's logit for the masked image",
    source: "Petsiuk et al., BMVC 2018, in TorchRay's form for several classes in an image",
    map_kind: MapKind::NonNegative(None),
    make: |settings| Arc::new(Rise::new(Form::TorchRay, settings)),
})
.square()
.black_box()
.settings(&[masks(8000), grid(7), probability(0.5)]);

/// Registry entry.
pub(crate) static AUTHORS: Method = Method::new(Entry {
    id: "rise-original",
    name: "RISE (authors' code)",
    summary: "mean of random masks, weighted by the class's probability for the masked image, over the share of cells that are on",
    source: "Petsiuk et al., BMVC 2018, as in the authors' evaluation notebook",
    map_kind: MapKind::NonNegative(None),
    make: |settings| Arc::new(Rise::new(Form::Authors, settings)),
})
.square()
.black_box()
.settings(&[masks(5000), grid(10), probability(0.1)]);

const fn masks(default: i64) -> Setting {
    Setting::int("masks", "random masks of an image", default, (1, 1_000_000))
}

const fn grid(default: i64) -> Setting {
    Setting::int("grid", "cells of a mask along each axis", default, (2, 64))
}

const fn probability(default: f64) -> Setting {
    Setting::float("probability", "how likely a cell is to show the image", default, (0.001, 0.999))
}

/// Masked images in one pass, as published. It bounds memory: no more masks than this exist at a
/// time.
const CHUNK: usize = 32;

/// The implementation that a RISE follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// TorchRay's.
    TorchRay,
    /// That of the method's authors.
    Authors,
}

impl Form {
    /// The sum over masks of the mask times its weight for each class, `[classes, H, W]`: the map,
    /// but for [`Form::share`]. `view` is `[1, 3, H, W]`, `masks` `[N, 1, H, W]`.
    ///
    /// # Errors
    /// Where the network can't take the view, or has no such class.
    pub fn weighted(self, network: &Network, view: &Tensor, masks: &Tensor, classes: &[usize]) -> Result<Tensor> {
        let logits = ForwardPass::new(network, view.f_mul(masks)?, Needs::default()).logits()?;
        let all = match self {
            Form::TorchRay => logits.f_sigmoid()?,
            Form::Authors => network.probabilities(&logits)?,
        };
        let classes: Vec<i64> = classes.iter().map(|&class| class as i64).collect();
        let weights = all.f_index_select(1, &Tensor::f_from_slice(&classes)?.f_to_device(all.device())?)?;
        let size = masks.size();
        Ok(weights.f_tr()?.f_matmul(&masks.f_flatten(1, -1)?)?.f_view([-1, size[2], size[3]])?)
    }

    /// Returns the weight of one mask of `count`, where cells are on with `probability`.
    pub fn share(self, count: usize, probability: f64) -> f64 {
        match self {
            Form::TorchRay => 1.0 / count as f64,
            Form::Authors => 1.0 / (count as f64 * probability),
        }
    }
}

#[derive(Debug)]
struct Rise {
    form: Form,
    masks: usize,
    grid: usize,
    probability: f64,
}

impl Rise {
    fn new(form: Form, settings: &Settings) -> Self {
        Self {
            form,
            masks: settings.count("masks"),
            grid: settings.count("grid"),
            probability: settings.float("probability"),
        }
    }

    /// Maps of every class for every view, `[B, classes, H, W]`.
    fn maps(&self, forward_pass: &ForwardPass<'_>, classes: &[usize]) -> Result<Tensor> {
        let views = forward_pass.views();
        let size = views.size();
        let stretch = Stretch::new(self.form, self.grid, [size[2], size[3]], views.kind(), views.device())?;
        let maps = (0..size[0]).map(|index| {
            let Seed { image, view } = forward_pass.seed();
            let seed = Seed { image, view: view + index as u64 };
            let mut grids = Grids::new(seed, self.grid, self.probability, &stretch);
            let view = views.f_narrow(0, index, 1)?;
            // Thousands of masks add up: float32 would lose digits.
            let mut sum = Tensor::f_zeros([classes.len() as i64, size[2], size[3]], (Kind::Double, views.device()))?;
            for start in (0..self.masks).step_by(CHUNK) {
                let (grids, shifts) = grids.draw(CHUNK.min(self.masks - start))?;
                let masks = stretch.masks(&grids, &shifts)?;
                let _ = sum.f_add_(&self.form.weighted(forward_pass.network(), &view, &masks, classes)?)?;
            }
            Ok(sum.f_mul_scalar(self.form.share(self.masks, self.probability))?)
        });
        let maps = maps.collect::<Result<Vec<_>>>()?;
        Ok(Tensor::f_stack(&maps, 0)?.f_to_kind(views.kind())?)
    }
}

impl Explainer for Rise {
    fn needs(&self, _: &Network, _: &Layers) -> Result<Needs> {
        Ok(Needs::default())
    }

    /// Not negative, at the resolution of the input.
    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let forward_pass = pass.forward_pass();
        // The same masks serve every requested class.
        match forward_pass.classes().iter().position(|&class| class == pass.class()) {
            Some(index) => {
                let maps =
                    forward_pass.cached(&format!("{self:?}"), || self.maps(forward_pass, forward_pass.classes()))?;
                Ok(maps.f_narrow(1, index as i64, 1)?)
            }
            None => self.maps(forward_pass, &[pass.class()]),
        }
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: self.masks, per_class: 0 }
    }
}
