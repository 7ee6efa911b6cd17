//! Networks for grey images: what they see is Pillow's grey, and every method and metric works on
//! one channel.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::lab::{TestRun, text};
use bench::config::Resize;
use bench::run::input::input;
use tch::{Kind, Tensor};
use ucag_core::explain::METHODS;
use ucag_core::network::{Network, Preprocessing, Stated};

fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ucag-core/tests/fixtures/stems").join(file)
}

fn tensor(file: &str, name: &str) -> Tensor {
    let tensors = Tensor::read_safetensors(fixture(file)).unwrap();
    tensors.into_iter().find(|(key, _)| key == name).unwrap().1
}

fn network(name: &str) -> Network {
    let preprocessing = Some(Preprocessing::Grey { mean: 0.4375, std: 0.25 });
    let stated = Stated { preprocessing, ..Stated::default() };
    Network::load_as(name.split('_').next().unwrap(), &fixture(&format!("{name}.safetensors")), &stated).unwrap()
}

/// Pillow's grey of the fixture's photo.
fn grey() -> image::RgbImage {
    let pixels = tensor("photo.grey", "grey");
    let size = pixels.size();
    let levels = Vec::<u8>::try_from(&pixels.view([-1])).unwrap();
    image::RgbImage::from_fn(size[1] as u32, size[0] as u32, |x, y| {
        image::Rgb([levels[y as usize * size[1] as usize + x as usize]; 3])
    })
}

#[test]
fn a_photo_is_seen_in_pillows_grey() {
    let photo = datasets::image::decode::decode(&fixture("photo.png")).unwrap();
    let (network, grey) = (network("resnet_grey"), grey());
    assert_ne!(photo, grey);
    for how in [Resize::Squash, Resize::ShorterSide] {
        // At the photo's own size nothing is resized.
        let (seen, own) = (input(&photo, &network, 70, how).unwrap(), input(&grey, &network, 70, how).unwrap());
        assert_eq!(seen.picture, own.picture);
        assert_eq!(seen.image, own.image);
        assert_eq!(seen.image.size()[..2], [1, 1]);
    }
    let seen = input(&photo, &network, 70, Resize::ShorterSide).unwrap();
    assert_eq!(seen.picture, grey, "to the last bit");
    let value = f64::from(grey.get_pixel(8, 5).0[0]) / 255.0;
    assert!((seen.image.double_value(&[0, 0, 5, 8]) - (value - 0.4375) / 0.25).abs() < 1e-5);
    assert_eq!(seen.square.unwrap().size(), [1, 1, 70, 70]);
}

fn explain(lab: &TestRun, name: &str, more: &[&str]) -> std::process::Output {
    let (weights, photo) = (fixture(&format!("{name}.safetensors")), fixture("photo.png"));
    let arch = name.split('_').next().unwrap();
    let of = ["--arch", arch, "--weights", weights.to_str().unwrap(), "--input-size", "64", "--class", "3"];
    let on = ["--image", photo.to_str().unwrap(), "--method", "gradcam", "--out", "map"];
    lab.bench(&[&["explain"][..], &of, &on, more].concat())
}

#[test]
fn logits_of_a_photo_are_pytorchs() {
    let lab = TestRun::with("", &[]);
    let stated = ["--mean", "0.4375", "--std", "0.25"];
    for name in ["resnet_grey", "resnet_cifar_grey", "vgg_grey", "densenet_grey", "squeezenet_grey"] {
        let stem: &[&str] = if name.contains("cifar") { &["--stem", "cifar"] } else { &[] };
        let output = explain(&lab, name, &[&stated[..], stem].concat());
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        let said: serde_json::Value = serde_json::from_str(&lab.read("map", "explain.json")).unwrap();
        let golden = tensor(&format!("{name}.logits"), "photo").double_value(&[3]);
        let logit = said["logit"].as_f64().unwrap();
        assert!((logit - golden).abs() < 1e-4 * golden.abs().max(1.0), "{name}: {logit}, not {golden}");
        assert_eq!(said["normalised"], serde_json::json!({"mean": [0.4375], "std": [0.25]}));
    }
    let refused = explain(&lab, "resnet_grey", &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("takes grey images, and nothing says how they are normalised"));
    let three = explain(&lab, "resnet_grey", &["--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"]);
    assert!(text(&three.stderr).contains("takes images of 1 channel, but mean and std are of 3"));
}

#[test]
fn the_scripted_network_gives_the_same() {
    let (module, network) = (fixture("resnet_grey.pt"), network("resnet_grey"));
    let scripted = Network::scripted(&module, 64, network.preprocessing, None, tch::Device::Cpu).unwrap();
    let photo = datasets::image::decode::decode(&fixture("photo.png")).unwrap();
    let golden = tensor("resnet_grey.logits", "photo");
    for network in [network, scripted] {
        let seen = input(&photo, &network, 64, Resize::Squash).unwrap();
        let pass = ucag_core::pass::Pass::new(&network, seen.image, 0, ucag_core::pass::Needs::default()).unwrap();
        let off = (pass.logits().unwrap().view([-1]) - &golden).abs().max().double_value(&[]);
        assert!(off < 1e-4, "{off}");
    }
}

/// A run's config: a data set, its metrics, and a model that is stated with `stated`.
fn config(kind: &str, metrics: &[&str], weights: &Path, stated: &str, methods: &str) -> String {
    let metrics: String = metrics.iter().map(|id| format!("[[metric]]\nid = '{id}'\n")).collect();
    format!(
        "[dataset]\nkind = '{kind}'\nroot = '{kind}'\nlimit = 1\n[[model]]\narch = 'resnet'\nweights = '{}'\ninput_size = 64\n{stated}\n\
         {methods}{metrics}[output]\nresamples = 20\ngallery = 1\n",
        weights.display()
    )
}

const GREY: &str = "mean = 0.4375\nstd = 0.25";
const CURVES: [&str; 4] = ["deletion", "insertion", "deletion-rise", "insertion-rise"];

#[test]
fn every_method_and_every_metric_takes_one_channel() {
    let method = |method: &&ucag_core::explain::Method| {
        let ucag = if method.not_with_ucag.is_some() { "false" } else { "[false, true]" };
        let quick = match method.id {
            "rise" | "rise-original" => "masks = 3\n",
            "extremal" => "iterations = 2\n",
            id if id.starts_with("smoothgrad") => "samples = 2\n",
            _ => "",
        };
        format!("[[method]]\nid = '{}'\nucag = {ucag}\n{quick}", method.id)
    };
    let all: String = METHODS.iter().map(method).collect();
    let few: String =
        METHODS.iter().filter(|m| ["gradcam", "gradient", "lrp", "edge"].contains(&m.id)).map(method).collect();
    let maps = few.replace("'lrp'", "'layercam'").replace("'gradient'", "'scorecam'");
    let weights = fixture("resnet_grey.safetensors");
    let density = ["positive-map-density", "negative-map-density"];
    let segmentation =
        ["pixel-accuracy", "mean-iou", "map", "pixel-accuracy-mean", "mean-iou-mean", "map-mean", "soft-ap"];
    let mut metrics: Vec<&str> = Vec::new();
    for (kind, ids, methods) in [
        ("mini-imagefolder", CURVES[..2].to_vec(), &all),
        ("mini-imagefolder", [&CURVES[2..], &density].concat(), &maps),
        ("mini-voc07", vec!["pointing", "energy"], &few),
        ("mini-imagenet-seg", segmentation.to_vec(), &few),
    ] {
        let lab = TestRun::with(&config(kind, &ids, &weights, GREY, methods), &[]);
        lab.run(0, &["small.toml", "--out", "run", "--set", "ucag.n=2"]);
        let samples = lab.read("run", "samples.csv");
        let rows = methods.matches("[[method]]").count() + methods.matches("true]").count();
        let least = if kind == "mini-voc07" { 1 } else { ids.len() };
        assert!(samples.lines().count() > least * rows, "{kind}: {} lines of {rows} rows", samples.lines().count());
        metrics.extend(ids);
    }
    let known = metrics::METRICS.iter().map(|metric| metric.id).filter(|id| !metrics.contains(id)).collect::<Vec<_>>();
    assert!(known.is_empty(), "not tried: {known:?}");
}

/// Values of a run by method, row and metric.
fn values(samples: &str) -> BTreeMap<String, f64> {
    let mut reader = csv::Reader::from_reader(samples.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let at = |name: &str| head.iter().position(|column| column == name).unwrap();
    let of = |record: csv::StringRecord| {
        let field = |name: &str| record[at(name)].to_owned();
        (format!("{} {} {}", field("method"), field("ucag"), field("metric")), field("value").parse().unwrap())
    };
    reader.records().map(|record| of(record.unwrap())).collect()
}

#[test]
fn a_grey_network_scores_as_the_color_network_that_reads_red_of_a_grey_photo() {
    // The same network with a stem that has the grey weights for red, and zeros for green and blue.
    let lab = TestRun::with("", &[]);
    let tensors = Tensor::read_safetensors(fixture("resnet_grey.safetensors")).unwrap();
    let tensors: Vec<(String, Tensor)> = tensors
        .into_iter()
        .map(|(name, tensor)| {
            let tensor = tensor.to_kind(Kind::Float);
            let zeros = tensor.zeros_like();
            let red = if name == "conv1.weight" { Tensor::cat(&[&tensor, &zeros, &zeros], 1) } else { tensor };
            (name, red)
        })
        .collect();
    let color = lab.path("color.safetensors");
    Tensor::write_safetensors(&tensors, &color).unwrap();
    let photo = datasets::image::decode::decode(&fixture("photo.png")).unwrap();
    let methods: String = ["gradcam", "gradcam++", "layercam", "gradient", "rise", "scorecam", "lrp", "edge"]
        .iter()
        .map(|id| {
            format!(
                "[[method]]\nid = '{id}'\nucag = {}\n{}",
                if *id == "edge" { "false" } else { "[false, true]" },
                if *id == "rise" { "masks = 8\n" } else { "" }
            )
        })
        .collect();
    let classes: String = (0..10).map(|class| format!("class{class}\n")).collect();
    for (run, image, weights, stated) in [
        ("grey", &photo, fixture("resnet_grey.safetensors"), GREY),
        ("color", &grey(), color, "mean = [0.4375, 0.4375, 0.4375]\nstd = [0.25, 0.25, 0.25]"),
    ] {
        let folder = lab.path(run).join("val/class3");
        std::fs::create_dir_all(&folder).unwrap();
        image.save(folder.join("photo.png")).unwrap();
        std::fs::write(lab.path(run).join("classes.txt"), &classes).unwrap();
        let text = config("imagenet", &CURVES, &weights, stated, &methods)
            .replace("root = 'imagenet'", &format!("root = '{run}'"));
        lab.write(&format!("{run}.toml"), &text);
        lab.run(0, &[&format!("{run}.toml"), "--out", &format!("run-{run}")]);
    }
    let (one, other) = (values(&lab.read("run-grey", "samples.csv")), values(&lab.read("run-color", "samples.csv")));
    assert_eq!(one.len(), (7 * 2 + 1) * 4);
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (key, value) in &one {
        assert!((value - other[key]).abs() < 2e-3, "{key}: {value} in grey, {} in color", other[key]);
    }
}
