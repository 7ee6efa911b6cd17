//! Every tensor of the golden index that this crate has an answer to, against ours.

mod cams;
mod fullgrad;
mod perturbation;
mod relevance;
#[path = "../support/mod.rs"]
mod support;

use support::{Entry, Golden, Verdict, number_after, one_by_one};
use tch::{Kind, Tensor};
use ucag_core::explain::cam::Layer;
use ucag_core::explain::cam::{gradcam, gradcampp, layercam, wgradcam, xgradcam};
use ucag_core::explain::gradient::backprop::{Relu, at_input};
use ucag_core::explain::method;
use ucag_core::image_ops::{Border, gaussian_blur};
use ucag_core::network::op;
use ucag_core::pass::{Needs, Pass};
use ucag_core::postprocess::{MapKind, saliency};
use ucag_core::protocol::{MapProtocol, ViewWeight};
use ucag_core::ucag::conquer::{conquer, weights};
use ucag_core::ucag::unfold::{Geometry, unfold};
use ucag_core::ucag::{ExplainRequest, ViewMaps, explain_views};
use ucag_core::{Result, explain};

fn main() {
    // The references ran on one thread, and some tolerances are a few units in the last place.
    tch::set_num_threads(1);
    for golden in Golden::open_all() {
        golden.judge("ucag-core", |entry| verdict(&golden, entry));
    }
}

/// Equal pixels are ranked by libtorch's sort, so a difference in the last place grows.
const MAGNIFIED: &str = "200 iterations magnify rounding; their history is compared, and area and correlation loosely";

/// The one list of what isn't covered here, and why: files first, then keys.
const NOT_COVERED: &[(&str, &str, &str)] = &[
    ("extremal", "iter200/mask", MAGNIFIED),
    ("extremal", "iter200/area", MAGNIFIED),
    ("metrics", "blur/kernel", ""),
    ("metrics", "", "metrics: see the metrics crate's golden test"),
];

/// Maps in which float32's rounding shows, one way or another with each order of summation: how far
/// they may be off by it, of the largest magnitude, and why. Their arithmetic is compared in
/// float64.
const CONDITIONED: &[(&str, f64, &str)] = &[
    ("cmwp", 1e-3, "the contrast leaves little of what is taken from each other (7e-4 was measured)"),
    ("torchcam_exp", 1e-3, "the exponential of a logit"),
    // In float64, six pictures with noise of 1e-7 were off by at most 1.3e-6, and with 1e-6 by
    // 1.6e-5 to 9.4e-2.
    (
        "lrp_resnet50/x224/agf",
        0.2,
        "positions are told apart by the sign of their relevance, and one's is near zero here",
    ),
];

fn verdict(golden: &Golden, entry: &Entry) -> Verdict {
    let listed = NOT_COVERED.iter().find(|(file, key, _)| entry.file.starts_with(file) && entry.key.contains(key));
    match listed {
        Some((_, _, reason)) if !reason.is_empty() => return Verdict::NotCovered(reason),
        _ => {}
    }
    if entry.tolerance.is_none() {
        return Verdict::NotCovered("input of other checks");
    }
    if !golden.reads(entry) {
        return Verdict::NotCovered("of a network that isn't read");
    }
    let key = entry.float64_run_of.as_deref().unwrap_or(&entry.key);
    let double = entry.float64_run_of.is_some();
    // A float64 entry says nothing of its layer and class: they are those of the entry whose run it
    // is.
    let described = golden.entries.iter().find(|other| other.file == entry.file && other.key == key).unwrap_or(entry);
    let (group, net) = entry.file.split_once('_').unwrap_or((&entry.file, ""));
    let computed = |double: bool| match group {
        "in" | "cam" => layer_check(golden, net, described, double),
        "backprop" => backprop_check(golden, net, described, double),
        "ucag" => ucag_check(golden, described, double),
        "fullgrad" => fullgrad::check(golden, described, double),
        "lrp" => relevance::relevance_check(golden, net, described, double),
        "rise" => perturbation::rise_check(golden, entry),
        "extremal" => perturbation::extremal_check(golden, entry),
        "metrics" => blur_check(golden, &entry.key),
        _ => Ok(None),
    };
    let named = format!("{}/{key}", entry.file);
    let conditioned = CONDITIONED.iter().find(|(part, ..)| !double && named.contains(part));
    let ours = match (computed(double), conditioned) {
        (Ok(Some(ours)), Some(&(_, allowed, _))) => computed(true).inspect(|exact| {
            let rounded = support::off(&ours, exact.as_ref().expect("the same in float64"));
            assert!(rounded < allowed, "{named}: float32 is off by {rounded:.1e}");
        }),
        (ours, _) => ours,
    };
    match ours {
        Ok(Some(ours)) => match exact(golden, group, net, entry) {
            Some(exact) => Verdict::Rounded(ours, exact),
            None => Verdict::Ours(ours),
        },
        Ok(None) => Verdict::NotCovered("a key that this test doesn't know"),
        Err(error) if error.to_string().contains("the file fixes its input") => {
            Verdict::NotCovered("an input of another size than an ONNX file's")
        }
        Err(error) => panic!("{}/{}: {error}", entry.file, entry.key),
    }
}

/// Logits and activations in float64.
fn exact(golden: &Golden, group: &str, net: &str, entry: &Entry) -> Option<Tensor> {
    let (input, what) = entry.key.split_once('/').filter(|_| group == "in")?;
    let network = golden.network(net, true);
    let node = match what {
        "logits" => network.graph.output(),
        "activation" => network.graph.resolve(entry.layer.as_deref()?).ok()?,
        _ => return None,
    };
    let image = golden.tensor(&format!("in_{net}"), &format!("{input}/input")).to_kind(Kind::Double).unsqueeze(0);
    Some(one_by_one(&network, &image).swap_remove(node))
}

/// Logits, activations, gradients and CAMs: keys are `INPUT/what` and `INPUT/method/architecture`.
fn layer_check(golden: &Golden, net: &str, entry: &Entry, double: bool) -> Result<Option<Tensor>> {
    let network = golden.network(net, double);
    let key = entry.key.trim_end_matches("@f64");
    let (input, what) = key.split_once('/').expect("a key begins with its input");
    let kind = if double { Kind::Double } else { Kind::Float };
    let image = golden.tensor(&format!("in_{net}"), &format!("{input}/input")).to_kind(kind).unsqueeze(0);
    if what == "logits" {
        return Ok(Some(Pass::new(&network, image, 0, Needs::default())?.logits()?));
    }
    let class = entry.class.expect("a map has a class");
    let name = entry.layer.as_deref().expect("a map has a layer");
    if what == "layercam/torchcam_exp_4layers.fused" {
        let fused = method("layercam-fused")?.explainer();
        let layers = network.layers(None, None)?;
        let needs = fused.needs(&network, &layers)?;
        return Ok(Some(fused.explain(&Pass::new(&network, image, class, needs)?, &layers)?));
    }
    if let Some(map) = cams::cam_check(&network, &image, class, entry, what)? {
        return Ok(Some(map));
    }
    let node = network.graph.resolve(name)?;
    // The activation that an in-place ReLU has overwritten, with the gradient from before it.
    let inplace = what.contains("_inplace");
    let reader = network.graph.nodes().iter().position(|n| n.inputs.contains(&node) && n.op.is::<op::Relu>());
    let seen = if inplace { reader.expect("a ReLU reads the layer") } else { node };
    let needs = Needs { activations: vec![seen], gradients: vec![node], ..Needs::default() };
    let pass = Pass::new(&network, image.shallow_clone(), class, needs)?;
    let layer = Layer {
        activation: pass.activation(seen)?,
        gradient: pass.gradient(node)?,
        logit: pass.score()?.view([-1, 1, 1, 1]),
    };
    let exp = layer.logit.to_kind(Kind::Double).exp();
    let (stem, form) = what.rsplit_once('.').unwrap_or((what, ""));
    let raw = match stem {
        "activation" => return Ok(Some(layer.activation)),
        "gradient_at_layer" => return Ok(Some(layer.gradient)),
        "gradcam/ucag"
        | "gradcam/pgc"
        | "gradcam/torchray"
        | "gradcam/torchcam"
        | "gradcam/ucag_inplace"
        | "gradcam/pgc_inplace" => gradcam::gradcam(&layer)?,
        "xgradcam/ucag" | "xgradcam/ucag_inplace" => xgradcam::xgradcam(&layer, 1e-6)?,
        "xgradcam/pgc" => xgradcam::xgradcam(&layer, 1e-7)?,
        "xgradcam/torchcam" => xgradcam::xgradcam(&layer, 1e-8)?,
        "wgradcam/candidate" => wgradcam::wgradcam(&layer)?,
        "layercam/pgc" => layercam::layercam(&layer)?,
        "layercam/torchcam_exp" => layercam::layercam(&layer)? * exp,
        "gradcampp/ucag_class_scored" => gradcampp::authors_class(&layer)?,
        "gradcampp/torchcam_exp" => gradcampp::torchcam(&layer)?,
        "gradcampp/torchcam" => gradcampp::torchcam(&layer)? / exp.pow_tensor_scalar(3.0),
        "gradcampp/pgc" => gradcampp::canonical(&layer)?,
        _ => return Ok(None),
    };
    let size = image.size();
    Ok(match (stem, form) {
        ("gradcam/torchray", _) | (_, "relu") => Some(raw.relu()),
        (_, "raw") => Some(raw),
        (_, "norm") => Some(saliency(&raw, MapKind::Cam, [size[2], size[3]], false, &MapProtocol::official())?.map),
        _ => None,
    })
}

/// Gradient-type methods: keys are `INPUT/method/REFERENCE.what` and `INPUT/mwp@LAYER/REFERENCE`,
/// `INPUT/cmwp@LAYER@CONTRAST/REFERENCE`.
fn backprop_check(golden: &Golden, net: &str, entry: &Entry, double: bool) -> Result<Option<Tensor>> {
    let network = golden.network(net, double);
    let parts: Vec<&str> = entry.key.trim_end_matches("@f64").split('/').collect();
    let [input, what, form] = parts[..] else { return Ok(None) };
    let kind = if double { Kind::Double } else { Kind::Float };
    let image = golden.tensor(&format!("in_{net}"), &format!("{input}/input")).to_kind(kind).unsqueeze(0);
    let class = entry.class.expect("a map has a class");
    let mut at = what.split('@');
    let (method, excitation, contrast) = (at.next().unwrap_or_default(), at.next(), at.next());
    let mut layers = network.layers(None, excitation)?;
    if let Some(name) = contrast {
        layers.contrast = network.graph.resolve(name)?;
    }
    let id = if method == "guided_backprop" { "guided-backprop" } else { method };
    let explainer = explain::method(id)?.explainer();
    let pass = Pass::new(&network, image, class, explainer.needs(&network, &layers)?)?;
    if !form.ends_with(".signed") {
        return Ok(Some(explainer.explain(&pass, &layers)?));
    }
    let rule = match method {
        "gradient" => Relu::Gradient,
        "deconvnet" => Relu::Deconvnet,
        "guided_backprop" => Relu::Guided,
        _ => return Ok(None),
    };
    Ok(Some(at_input(&pass, rule)?))
}

/// The protocol that a reference's description spells out.
fn described(text: &str) -> Option<MapProtocol> {
    let (crop, _) = text.split_once("crop ")?.1.split_once([' ', ','])?;
    let (crop, side) = crop.split_once('@').unwrap_or((crop, "224"));
    Some(MapProtocol {
        n: number_after(text, "n")? as usize,
        rho: crop.parse::<f64>().ok()? / side.parse::<f64>().ok()?,
        alpha: number_after(text, "alpha")?,
        ..MapProtocol::official()
    })
}

fn ucag_check(golden: &Golden, entry: &Entry, double: bool) -> Result<Option<Tensor>> {
    if entry.key == "geometry" {
        let protocol = described(&entry.reference).expect("the table's parameters");
        let table = golden.tensor(&entry.file, &entry.key);
        let rows = (0..table.size()[0]).map(|row| {
            let side = table.int64_value(&[row, 0]);
            let g = Geometry::new([side, side], &protocol).expect("a side of the table");
            [side, g.crop[0], g.crop[0], g.stride[0], g.canvas()[0], g.view[0]]
        });
        let rows: Vec<i64> = rows.flatten().collect();
        return Ok(Some(Tensor::from_slice(&rows).view([-1, 6])));
    }
    let parts: Vec<&str> = entry.key.split('/').collect();
    match parts[..] {
        [_, what] => fold_check(golden, entry, what),
        [net, input, id, what] => end_to_end_check(golden, entry, net, input, id, what, double),
        _ => Ok(None),
    }
}

/// Unfolding an image and folding given maps: keys are `CASE/what`.
fn fold_check(golden: &Golden, entry: &Entry, what: &str) -> Result<Option<Tensor>> {
    let case = entry.key.split('/').next().expect("a key has parts");
    let key = |what: &str| format!("{case}/{what}");
    let parameters = golden.entries.iter().filter(|other| other.key.starts_with(&key("")));
    let mut protocol =
        parameters.filter_map(|other| described(&other.reference)).next().expect("the case's parameters");
    if what.ends_with("_unscored") {
        protocol.confidence = ViewWeight::None;
    }
    let image = golden.tensor(&entry.file, &key("image")).unsqueeze(0);
    let size = [image.size()[2], image.size()[3]];
    let geometry = Geometry::new(size, &protocol)?;
    if let Some(selection) = what.strip_prefix("patches_") {
        let views = unfold(&image, &geometry, &protocol, 0..geometry.len())?;
        let flat = views.flatten(1, -1);
        return Ok(Some(match selection {
            "mean_std" => Tensor::stack(&[flat.mean_dim(1, false, Kind::Float), flat.std_dim(1, true, false)], 1),
            _ if selection.starts_with("every") => {
                let step = selection["every".len()..].parse().expect("a step");
                views.slice(2, None, None, step).slice(3, None, None, step)
            }
            _ => {
                let indices: Vec<i64> = selection.split('_').map(|i| i.parse().expect("an index")).collect();
                views.index_select(0, &Tensor::from_slice(&indices))
            }
        }));
    }
    let maps = golden.tensor(&entry.file, &key("maps")).unsqueeze(1);
    let scores = golden.tensor(&entry.file, &key("scores"));
    let folded = conquer(&maps, &weights(&scores, protocol.confidence)?, &geometry, &protocol)?;
    Ok(match what {
        "combined_scored" | "combined_unscored" => Some(folded),
        "final_scored" | "final_unscored" => Some(saliency(&folded, MapKind::Cam, size, true, &protocol)?.map),
        _ => None,
    })
}

/// UCAG around a method: keys are `NET/INPUT/METHOD/{scored,unscored}.what`.
fn end_to_end_check(
    golden: &Golden,
    entry: &Entry,
    net: &str,
    input: &str,
    id: &str,
    what: &str,
    double: bool,
) -> Result<Option<Tensor>> {
    let mut protocol = described(&entry.reference).expect("the run's parameters");
    let (scored, what) = what.split_once('.').expect("a run names its result");
    if scored == "unscored" {
        protocol.confidence = ViewWeight::None;
    }
    let network = golden.network(net, double);
    let kind = if double { Kind::Double } else { Kind::Float };
    let image = golden.tensor(&format!("in_{net}"), &format!("{input}/input")).to_kind(kind).unsqueeze(0);
    let class = entry.class.expect("a run has a class");
    let request = ExplainRequest {
        network: &network,
        image: &image,
        classes: &[class],
        layers: network.layers(Some(entry.layer.as_deref().expect("a run has a layer")), None)?,
        views_per_batch: 16,
        seed: 0,
    };
    let method = explain::method(id)?;
    let unfolded: ViewMaps = explain_views(&request, &[&*method.explainer()], &protocol)?;
    let maps = &unfolded.maps[0][0];
    let folded = unfolded.conquer(&request, 0, 0, &protocol)?;
    let size = [image.size()[2], image.size()[3]];
    Ok(match what {
        "maps" => Some(maps.squeeze_dim(1)),
        "scores" => Some(unfolded.probabilities[0].select(1, class as i64)),
        "combined" => Some(folded),
        "final" => Some(saliency(&folded, method.map_kind, size, true, &protocol)?.map),
        _ => None,
    })
}

/// The two blurs: keys are `blur/kernelSIZE_sigmaS`.
fn blur_check(golden: &Golden, key: &str) -> Result<Option<Tensor>> {
    let Some((size, sigma)) = key.strip_prefix("blur/kernel").and_then(|rest| rest.split_once("_sigma")) else {
        return Ok(None);
    };
    let (size, sigma) = (size.parse().expect("a size"), sigma.parse().expect("a sigma"));
    let input = golden.tensor("metrics", "blur/input").unsqueeze(0);
    Ok(Some(gaussian_blur(&input, size, sigma, Border::Reflect)?))
}
