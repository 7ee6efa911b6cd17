//! SmoothGrad (Smilkov et al., ICML workshop 2017; see docs/protocol.md#smoothgrad): the mean
//! gradient at noisy copies of the input.

use std::ops::Range;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::Tensor;

use super::path_gradient::{Inputs, extra_passes, gradient_sum, less_mean, magnitude};
use crate::Result;
use crate::explain::{Entry, Explainer, ExtraPasses, Method, Setting};
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass, Seed};
use crate::postprocess::MapKind;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "smoothgrad",
    name: "SmoothGrad",
    summary: "magnitude, summed over colours, of the mean gradient at copies of the input with normal noise",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |settings| {
        let noise = Noise::OfRange(settings.float(NOISE.key));
        Arc::new(SmoothGrad { samples: settings.count(SAMPLES.key), noise })
    },
})
.black_box()
.settings(&[SAMPLES, NOISE]);

/// Registry entry. The released code always explains the class that the network predicts; here it
/// is the requested class. As to its hook, see [`super::integrated_gradients`].
pub(crate) static RELEASED: Method = Method::new(Entry {
    id: "smoothgrad-released",
    name: "SmoothGrad (UCAG's code)",
    summary: "as UCAG's code has it: the noise's deviation is (4 / range)², the more the smaller the input's range, and the mean is subtracted",
    source: SOURCE,
    map_kind: MapKind::Signed,
    make: |settings| Arc::new(SmoothGrad { samples: settings.count(SAMPLES.key), noise: Noise::Released }),
})
.black_box()
.settings(&[SAMPLES]);

const SOURCE: &str = "Smilkov et al., ICML workshop 2017";

const SAMPLES: Setting = Setting::int("samples", "noisy copies of the input", 50, (1, 100_000));

const NOISE: Setting = Setting::float(
    "noise",
    "the noise's standard deviation, as a share of the input's range (largest value less smallest)",
    0.15,
    (0.0, 10.0),
);

/// The range of the noise.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Noise {
    /// This fraction of the input's range.
    OfRange(f64),
    /// `(4 / range)²`; not finite for an input that is the same everywhere, nor is its map.
    Released,
}

#[derive(Debug)]
struct SmoothGrad {
    samples: usize,
    noise: Noise,
}

impl SmoothGrad {
    /// Standard deviation for a view.
    fn deviation(&self, view: &Tensor) -> Result<f64> {
        let range = view.f_max()?.f_double_value(&[])? - view.f_min()?.f_double_value(&[])?;
        Ok(match self.noise {
            Noise::OfRange(share) => share * range,
            Noise::Released => (4.0 / range).powi(2),
        })
    }
}

impl Inputs for SmoothGrad {
    fn count(&self) -> usize {
        self.samples
    }

    /// Each copy of each view has its own stream of the image's generator.
    fn of(&self, view: &Tensor, seed: Seed, range: Range<usize>) -> Result<Tensor> {
        let deviation = self.deviation(view)?;
        let mut shape = view.size();
        let values = shape.iter().product::<i64>() as usize;
        let mut noise: Vec<f32> = Vec::with_capacity(values * range.len());
        shape[0] = range.len() as i64;
        for number in range {
            let mut rng = ChaCha8Rng::seed_from_u64(seed.image);
            rng.set_stream((seed.view << 32) | number as u64);
            noise.extend((&mut rng).sample_iter::<f32, _>(StandardNormal).take(values));
        }
        let noise = Tensor::f_from_slice(&noise)?.f_view(shape.as_slice())?.f_to_device(view.device())?;
        Ok(noise.f_to_kind(view.kind())?.f_mul_scalar(deviation)?.f_add(view)?)
    }
}

impl Explainer for SmoothGrad {
    fn needs(&self, _: &Network, _: &Layers) -> Result<Needs> {
        Ok(Needs::default())
    }

    /// At the resolution of the input.
    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let map = magnitude(&gradient_sum(pass, self)?.f_div_scalar(self.samples as f64)?)?;
        match self.noise {
            Noise::OfRange(_) => Ok(map),
            Noise::Released => less_mean(&map),
        }
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        extra_passes(self)
    }
}
