//! Adds an explainer without touching the registry, and wraps it in UCAG.
//!
//! ```text
//! cargo run -p bench --example new_explainer
//! ```

use std::sync::Arc;

use anyhow::Result;
use bench::config::Resize;
use bench::run::input::input;
use datasets::mini::{Class, Scene, SceneSpec, Stream};
use tch::Tensor;
use ucag_core::Explanation;
use ucag_core::explain::{Entry, Explainer, Method};
use ucag_core::network::{Layers, Network};
use ucag_core::pass::{Needs, Pass};
use ucag_core::postprocess::MapKind;

/// Gradient magnitude times activation, summed over channels: `Σ_k |G_k| A_k`.
#[derive(Debug)]
struct AbsoluteGradCam;

static METHOD: Method = Method::new(Entry {
    id: "absolute-gradcam",
    name: "Absolute GradCAM",
    summary: "gradient magnitude times activation, summed over channels",
    source: "this example",
    map_kind: MapKind::Cam,
    make: |_| Arc::new(AbsoluteGradCam),
});

impl Explainer for AbsoluteGradCam {
    fn needs(&self, _: &Network, layers: &Layers) -> ucag_core::Result<Needs> {
        Ok(Needs { activations: vec![layers.target], gradients: vec![layers.target], ..Needs::default() })
    }

    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> ucag_core::Result<Tensor> {
        let (activation, gradient) = (pass.activation(layers.target)?, pass.gradient(layers.target)?);
        let weighted = gradient.f_abs()?.f_mul(&activation)?;
        Ok(weighted.f_sum_dim_intlist([1i64].as_slice(), true, weighted.kind())?)
    }
}

#[allow(clippy::print_stdout, reason = "an example says what it did")]
fn main() -> Result<()> {
    let network = Network::load("resnet", "data/mini-weights/resnet.safetensors".as_ref())?;
    let scene = Scene::generate(&SceneSpec::one_object(Class::in_turn(0)), Stream::HeldOut, 0);
    let seen = input(&scene.image, &network, network.input_size, Resize::Squash)?;
    for ucag in [false, true] {
        let explanation = Explanation::builder(&network, &METHOD).ucag(ucag).explain(&seen.image, None)?;
        let raw = explanation.raw.size();
        println!("{} (UCAG: {ucag}): class {}, raw map {raw:?}", METHOD.name, explanation.class);
    }
    Ok(())
}
