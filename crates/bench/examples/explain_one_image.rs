//! Explains one image, with UCAG and without.
//!
//! ```text
//! cargo run -p bench --example explain_one_image                              a drawn scene, a small ResNet
//! cargo run -p bench --example explain_one_image -- resnet50 FILE IMAGE       your network and image
//! ```

use std::path::{Path, PathBuf};

use anyhow::Result;
use bench::config::Resize;
use bench::report::gallery::overlay;
use bench::run::input::input;
use datasets::image::decode::decode;
use datasets::mini::{Class, Scene, SceneSpec, Stream};
use ucag_core::Explanation;
use ucag_core::explain::method;
use ucag_core::network::Network;

#[allow(clippy::print_stdout, reason = "an example says what it did")]
fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let arch = args.next().unwrap_or_else(|| "resnet".into());
    let weights = args.next().map_or_else(|| PathBuf::from("data/mini-weights/resnet.safetensors"), PathBuf::from);
    let photo = match args.next() {
        Some(path) => decode(path.as_ref())?,
        None => Scene::generate(&SceneSpec::one_object(Class::in_turn(0)), Stream::HeldOut, 0).image,
    };

    let network = Network::load(&arch, &weights)?;
    // Resized to a square and normalized as the network expects: `[1, 3, side, side]`.
    let seen = input(&photo, &network, network.input_size, Resize::Squash)?;
    let method = method("gradcam")?;
    let out = Path::new("results/mini/explain_one_image");
    std::fs::create_dir_all(out)?;
    for ucag in [false, true] {
        // `None` explains the class that the network predicts.
        let explanation = Explanation::builder(&network, method).ucag(ucag).explain(&seen.image, None)?;
        let name = if ucag { "gradcam_ucag.png" } else { "gradcam.png" };
        let map = Vec::<f32>::try_from(&explanation.saliency.map.f_flatten(0, -1)?)?;
        overlay(&seen.picture, &map, method.map_kind)?.save(out.join(name))?;
        println!(
            "{}: class {}, probability {:.4}",
            out.join(name).display(),
            explanation.class,
            explanation.probability
        );
    }
    Ok(())
}
