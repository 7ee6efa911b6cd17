//! Methods of the CAM family that ask more than one layer's activation and gradient.

use tch::Tensor;
use ucag_core::Result;
use ucag_core::explain::{Settings, method};
use ucag_core::network::Network;
use ucag_core::pass::Pass;
use ucag_core::postprocess::{MapKind, saliency};
use ucag_core::protocol::MapProtocol;

use crate::support::Entry;

/// The id of the method that a key is of, and how the reference's result was made of its map;
/// `None` for another method's key.
fn known(what: &str) -> Option<(&'static str, Made)> {
    Some(match what {
        "scorecam/pgc.raw" => ("scorecam-pgc", Made::Raw),
        "scorecam/pgc.norm" => ("scorecam-pgc", Made::Scaled),
        "scorecam/torchcam.relu" => ("scorecam-torchcam", Made::Raw),
        "scorecam/official" => ("scorecam", Made::Scaled),
        "linear_approx/torchray" => ("linear-approximation", Made::Raw),
        "normgrad/torchray_fork" => ("normgrad", Made::Raw),
        "normgrad/torchray_fork_selective" => ("normgrad-selective", Made::Raw),
        "normgrad/torchray_fork_proper" => ("normgrad-conv", Made::Raw),
        "normgrad/official_conv1x1_norm" => ("normgrad", Made::Thinned),
        "normgrad/official_conv3x3_norm" => ("normgrad-neighbourhood", Made::Thinned),
        "normgrad/official_scaling_norm" => ("normgrad-scaling", Made::Thinned),
        "normgrad/official_scaling_filter_norm" => ("normgrad-selective", Made::Thinned),
        "cameras/official" | "cameras/ucag" => ("cameras", Made::Scaled),
        _ => return None,
    })
}

enum Made {
    /// As the method gives it.
    Raw,
    /// Clipped, resized to the input and brought to [0, 1].
    Scaled,
    /// Enlarged to 224 × 224, brought to [0, 1], and of that every seventh row and column.
    Thinned,
}

/// Keys are `INPUT/method/variant`; `what` is what follows the input.
pub(crate) fn cam_check(
    network: &Network,
    image: &Tensor,
    class: usize,
    entry: &Entry,
    what: &str,
) -> Result<Option<Tensor>> {
    let Some((id, made)) = known(what) else { return Ok(None) };
    let layers = network.layers(entry.layer.as_deref(), None)?;
    let method = method(id)?;
    let mut settings = Settings::defaults(method.settings);
    if let Some((_, list)) = entry.note.split_once("resolutions [") {
        let list = list.split(']').next().unwrap_or_default();
        let sides: Vec<f64> = list.split(", ").map(|side| side.parse().expect("a side")).collect();
        settings.set("resolutions", sides)?;
    }
    let explainer = (method.make)(&settings);
    let pass = Pass::new(network, image.shallow_clone(), class, explainer.needs(network, &layers)?)?;
    let raw = explainer.explain(&pass, &layers)?;
    let size = image.size();
    let scaled = |size| saliency(&raw, MapKind::Cam, size, false, &MapProtocol::official());
    Ok(Some(match made {
        Made::Raw => raw,
        Made::Scaled => scaled([size[2], size[3]])?.map,
        Made::Thinned => {
            let full = saliency(&raw, MapKind::MinMax, [224, 224], false, &MapProtocol::official())?.map;
            full.slice(0, None, None, 7).slice(1, None, None, 7)
        }
    }))
}
