//! Scores a map of your own: deletion, insertion and the energy in the object.
//!
//! ```text
//! cargo run -p bench --example score_a_map                     GradCAM's map of a drawn scene
//! cargo run -p bench --example score_a_map -- MAP.npy          your map of that scene, 128 × 128
//! ```

use anyhow::Result;
use bench::config::Resize;
use bench::io::npy::Array;
use bench::run::input::input;
use datasets::mini::{Class, Scene, SceneSpec, Stream};
use metrics::{DeletionOptions, InsertionOptions, Mask, deletion, energy, insertion};
use tch::Tensor;
use ucag_core::Explanation;
use ucag_core::explain::method;
use ucag_core::network::Network;
use ucag_core::pass::{Needs, Pass};

#[allow(clippy::print_stdout, reason = "an example says what it did")]
fn main() -> Result<()> {
    let network = Network::load("resnet", "data/mini-weights/resnet.safetensors".as_ref())?;
    let class = Class::in_turn(0);
    let scene = Scene::generate(&SceneSpec::one_object(class), Stream::HeldOut, 0);
    let seen = input(&scene.image, &network, network.input_size, Resize::Squash)?;
    let class = class.index();

    let map = match std::env::args().nth(1) {
        Some(path) => {
            let Array { shape, values } = Array::read(path.as_ref())?;
            let sides: Vec<i64> = shape.iter().rev().take(2).rev().map(|&side| side as i64).collect();
            Tensor::f_from_slice(&values.into_single())?.f_view(sides.as_slice())?
        }
        None => Explanation::builder(&network, method("gradcam")?).explain(&seen.image, class)?.saliency.map,
    };

    // Any function from images to class probabilities is a classifier.
    let classifier = |images: &Tensor| {
        let pass = Pass::new(&network, images.shallow_clone(), class, Needs::default())?;
        Ok(network.probabilities(&pass.logits()?)?)
    };
    let deleted = deletion(&map, &seen.image, class, &classifier, &DeletionOptions::default())?;
    let inserted = insertion(&map, &seen.image, class, &classifier, &InsertionOptions::default())?;
    println!("deletion  {:5.2} %  (lower is better)", 100.0 * deleted.area);
    println!("insertion {:5.2} %  (higher is better)", 100.0 * inserted.area);
    if let Some(object) = scene.objects.first() {
        let mask = Mask { pixels: &object.mask, width: scene.image.width() as usize };
        println!("energy    {:5.2} %  (higher is better)", 100.0 * energy(&map, &mask)?);
    }
    Ok(())
}
