//! `bench explain`: one image, one class, one method; the map as numbers and as a picture.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use image::RgbImage;
use serde_json::json;
use tch::{Device, Kind, Tensor};
use ucag_core::Explanation;
use ucag_core::explain::method;
use ucag_core::network::{Network, Preprocessing, Stated};

use crate::cli::ExplainArgs;
use crate::config::{self, Resize};
use crate::io::checksum::checksum;
use crate::io::npy;
use crate::io::npy::Array;
use crate::report::gallery::overlay;
use crate::run::input::input;
use crate::run::tensor::floats;
use crate::run::timings::synchronize;

/// Explains, and writes `raw.npy`, `saliency.npy`, `overlay.png` and `explain.json` into the folder
/// asked for.
///
/// # Errors
/// Where an argument names nothing, a file can't be read or written, or the network can't take the
/// image.
pub fn explain(args: &ExplainArgs) -> Result<()> {
    let protocol = args.protocol()?;
    let device = config::device(&args.device)?;
    let method = method(&args.method)?;
    let given = args.input.as_deref().map(|path| anyhow::Ok((path, Array::read(path)?))).transpose()?;
    let (network, weights) = network(args, given.as_ref().map(|(_, array)| array), device)?;
    let mut builder = Explanation::builder(&network, method)
        .ucag(args.ucag)
        .protocol(protocol.maps)
        .views_per_batch(args.views_per_batch.get())
        .seed(args.seed);
    if let Some(layer) = &args.layer {
        builder = builder.layer(layer);
    }
    if let Some(layer) = &args.middle {
        builder = builder.excitation_layer(layer);
    }
    builder.check()?;
    let (picture, image) = match (&args.image, given) {
        (Some(path), _) => {
            let side = args.input_size.unwrap_or(network.input_size);
            let seen = input(&datasets::image::decode::decode(path)?, &network, side, Resize::Squash)?;
            (seen.picture, seen.image)
        }
        (None, Some((path, given))) => {
            let (picture, image) = array(path, given, network.preprocessing)?;
            (picture, image.f_to_device(device)?)
        }
        (None, None) => bail!("give an --image or an --input"),
    };
    let size = [image.size()[2], image.size()[3]];
    let start = Instant::now();
    let logits = builder.logits(&image)?;
    synchronize(device);
    let forward = start.elapsed();
    let start = Instant::now();
    let raw = builder.raw(&image, args.class)?;
    synchronize(device);
    let explained = start.elapsed();
    let seen = builder.saliency(&raw, &image)?;

    std::fs::create_dir_all(&args.out).with_context(|| format!("{}: can't be made", args.out.display()))?;
    let (raw, scale) = single_precision(&raw)?;
    let shape = raw.size();
    write_npy(&args.out.join("raw.npy"), &raw, &shape[shape.len() - 2..])?;
    write_npy(&args.out.join("saliency.npy"), &seen.map, &size)?;
    let values = floats(&seen.map)?;
    let path = args.out.join("overlay.png");
    overlay(&picture, &values, method.map_kind)?
        .save(&path)
        .with_context(|| format!("{}: can't be written", path.display()))?;
    let probabilities = network.probabilities(&logits)?;
    let class = args.class as i64;
    let summary = json!({
        "arch": network.architecture,
        "weights": {"file": weights, "sha256": checksum(weights)?},
        "normalised": config::normalisation(network.preprocessing),
        "assumptions": network.assumptions,
        "layer": network.graph.nodes()[builder.layers()?.target].name,
        "class": args.class,
        "predicted_class": logits.f_argmax(1, false)?.f_int64_value(&[0])?,
        "logit": logits.f_double_value(&[0, class])?,
        "probability": probabilities.f_double_value(&[0, class])?,
        "method": {"id": method.id, "name": method.name, "source": method.source},
        "ucag": args.ucag,
        "protocol": protocol,
        "input_size": size,
        "map": seen.state,
        "raw_scale": scale,
        "seed": args.seed,
        "device": config::device_name(device),
        "seconds": {"forward": forward.as_secs_f64(), "explain": explained.as_secs_f64()},
    });
    let path = args.out.join("explain.json");
    std::fs::write(&path, serde_json::to_string_pretty(&summary)? + "\n")
        .with_context(|| format!("{}: can't be written", path.display()))?;
    for sentence in &network.assumptions {
        crate::print_result(sentence)?;
    }
    let word = seen.state.as_str();
    crate::print_result(&format!(
        "{}{}: class {class}, probability {:.4}, map {word}; wrote raw.npy, saliency.npy, overlay.png, explain.json into {}",
        method.name,
        if args.ucag { " with UCAG" } else { "" },
        probabilities.f_double_value(&[0, class])?,
        args.out.display()
    ))
}

/// The network, and the file that it comes from. An `input` of one size only says how large the
/// network's images are.
fn network<'a>(args: &'a ExplainArgs, input: Option<&Array>, device: Device) -> Result<(Network, &'a Path)> {
    let preprocessing = match (&args.mean, &args.std) {
        (Some(mean), Some(std)) => {
            Some(Preprocessing::parse(mean, std).map_err(|problem| anyhow::anyhow!("--mean, --std: {problem}"))?)
        }
        _ => None,
    };
    if let Some(path) = &args.onnx {
        let side = input.and_then(|array| array.shape.last().copied());
        let stated = Stated { preprocessing, input_size: args.input_size.or(side), ..Stated::default() };
        return Ok((Network::onnx(path, &stated)?.on_device(device)?, path));
    }
    match (&args.torchscript, args.input_size, &args.arch, &args.weights) {
        (Some(path), Some(side), ..) => {
            let preprocessing = preprocessing.unwrap_or(Preprocessing::Imagenet);
            Ok((Network::scripted(path, side, preprocessing, args.output, device)?, path))
        }
        (None, _, Some(arch), Some(path)) => {
            let side = input.and_then(|array| array.shape.last().copied());
            let stated = Stated {
                stem: args.stem,
                transform_input: args.transform_input,
                preprocessing,
                input_size: args.input_size.or(side),
            };
            Ok((Network::load_as(arch, path, &stated)?.on_device(device)?, path))
        }
        _ => bail!(
            "give an --arch with its --weights, an --onnx network, or a --torchscript network with its --input-size"
        ),
    }
}

/// A preprocessed input, `[channels, H, W]` or `[1, channels, H, W]`; the picture under the overlay
/// is what it would have been made from.
fn array(path: &Path, Array { shape, values }: Array, preprocessing: Preprocessing) -> Result<(RgbImage, Tensor)> {
    let channels = preprocessing.channels();
    let [height, width] = match shape[..] {
        [found, height, width] | [1, found, height, width] if found == channels && height > 0 && width > 0 => {
            [height, width]
        }
        _ => bail!("{}: has shape {shape:?}, expected [{channels}, H, W]", path.display()),
    };
    let values = values.into_single();
    if let Some(bad) = values.iter().position(|value| !value.is_finite()) {
        bail!("{}: value {bad} is not finite", path.display());
    }
    let pixels = height * width;
    let (mean, deviation) = (preprocessing.mean(), preprocessing.std());
    let picture = RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let at = y as usize * width + x as usize;
        let level = |c: usize| ((values[c * pixels + at] * deviation[c] + mean[c]) * 255.0).round() as u8;
        image::Rgb(std::array::from_fn(|c| level(c % channels)))
    });
    Ok((picture, Tensor::f_from_slice(&values)?.f_view([1, channels as i64, height as i64, width as i64])?))
}

/// A raw map as float32, and what it was divided by: 1, unless its values leave float32 (forms of
/// GradCAM++ do), then its largest magnitude.
fn single_precision(raw: &Tensor) -> Result<(Tensor, f64)> {
    let largest = raw.f_abs()?.f_max()?.f_double_value(&[])?;
    let scale = if largest.is_finite() && largest > f64::from(f32::MAX) { largest } else { 1.0 };
    Ok((raw.f_div_scalar(scale)?.f_to_kind(Kind::Float)?, scale))
}

fn write_npy(path: &Path, map: &Tensor, shape: &[i64]) -> Result<()> {
    npy::write(path, &floats(map)?, &shape.iter().map(|&side| side as u64).collect::<Vec<_>>())
}
