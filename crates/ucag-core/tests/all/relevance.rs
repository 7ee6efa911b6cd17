//! Relevance propagation: rules that the released code doesn't have against zennit's
//! (`fixtures/make_relevance.py`), and what holds on paper.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use crate::support::close;
use tch::{Kind, Tensor};
use ucag_core::Error;
use ucag_core::explain::{Settings, method};
use ucag_core::network::{Checkpoint, FAMILIES, Network};
use ucag_core::pass::{Needs, Pass};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A file's tensors, in double precision.
fn doubles(path: &Path) -> Vec<(String, Tensor)> {
    let tensors = Tensor::read_safetensors(path).unwrap();
    tensors.into_iter().map(|(name, tensor)| (name, tensor.to_kind(Kind::Double))).collect()
}

/// A small network, in double precision.
fn small(name: &str) -> Network {
    let family = FAMILIES.iter().find(|family| name.starts_with(family.id)).unwrap();
    let tensors = doubles(&fixtures().join(format!("families/{name}.safetensors")));
    Network::from_checkpoint(family.id, &Checkpoint::from_tensors(name, tensors)).unwrap()
}

/// The image that the references have seen.
fn image() -> Tensor {
    doubles(&fixtures().join("families/input_80x107.safetensors")).remove(0).1.unsqueeze(0) / 64.0
}

fn map(network: &Network, id: &str, settings: &[(&str, f64)], image: &Tensor, class: usize) -> Tensor {
    let method = method(id).unwrap();
    let mut own = Settings::defaults(method.settings);
    settings.iter().for_each(|&(key, value)| own.set(key, vec![value]).unwrap());
    let explainer = (method.make)(&own);
    let layers = network.layers(None, None).unwrap();
    let needs = explainer.needs(network, &layers).unwrap();
    explainer.explain(&Pass::new(network, image.shallow_clone(), class, needs).unwrap(), &layers).unwrap()
}

fn top(network: &Network, image: &Tensor) -> usize {
    let logits = Pass::new(network, image.shallow_clone(), 0, Needs::default()).unwrap().logits().unwrap();
    logits.argmax(1, false).int64_value(&[0]) as usize
}

#[test]
fn epsilon_z_plus_and_the_composite_equal_zennits() {
    let (image, golden) = (image(), doubles(&fixtures().join("relevance.safetensors")));
    let mut checked = 0;
    for name in ["vgg", "vgg_bn", "resnet_basic", "resnet_grouped", "squeezenet1_0", "densenet"] {
        let network = small(name);
        let class = top(&network, &image);
        // Normalisation in front of convolutions can't be folded into them.
        let canonize = if name == "densenet" { 0.0 } else { 1.0 };
        for (rule, id) in [("epsilon", "lrp-epsilon"), ("zplus", "lrp-zplus"), ("composite", "lrp-composite")] {
            let epsilon: &[(&str, f64)] = if rule == "zplus" { &[] } else { &[("epsilon", 0.1)] };
            let ours = map(&network, id, &[epsilon, &[("canonize", canonize)]].concat(), &image, class);
            let ours = ours.slice(2, None, None, 2).slice(3, None, None, 2);
            let (_, golden) = golden.iter().find(|(key, _)| *key == format!("{name}.{rule}")).unwrap();
            close(&ours, golden, 1e-6).unwrap_or_else(|problem| panic!("{name}, {rule}: {problem}"));
            checked += 1;
        }
    }
    assert_eq!(checked, 18);
}

/// Every operation of every family has a rule, or the method says beforehand which layer it can't
/// cross.
#[test]
fn every_method_crosses_every_family_or_names_the_layer_that_it_cannot() {
    const METHODS: &[&str] = &[
        "lrp",
        "lrp-alpha-beta",
        "lrp-epsilon",
        "lrp-zplus",
        "lrp-composite",
        "lrp-epsilon-plus",
        "lrp-epsilon-alpha2-beta1",
        "clrp",
        "sglrp",
        "rap",
        "rap-unit",
        "rsp",
        "agf",
        "fullgrad",
    ];
    let image = image();
    let mut refused = Vec::new();
    for name in ["vgg", "vgg_bn", "resnet_basic", "resnet_grouped", "densenet", "inception_v3", "squeezenet1_0"] {
        let network = small(name);
        let layers = network.layers(None, None).unwrap();
        for id in METHODS {
            let explainer = method(id).unwrap().explainer();
            let needs = match explainer.needs(&network, &layers) {
                Ok(needs) => needs,
                Err(error) => {
                    refused.push(format!("{name}: {error}"));
                    continue;
                }
            };
            let pass = Pass::new(&network, image.shallow_clone(), top(&network, &image), needs).unwrap();
            let map = explainer.explain(&pass, &layers).unwrap_or_else(|error| panic!("{id} on {name}: {error}"));
            assert_eq!(map.size(), [1, 1, 80, 107], "{id} on {name}");
            assert!(bool::try_from(map.isfinite().all()).unwrap(), "{id} on {name} isn't finite");
            assert!(map.abs().max().double_value(&[]) > 0.0, "{id} on {name} is empty");
        }
    }
    let expected = [
        "squeezenet1_0: rap-unit starts in a fully connected last layer, which flatten isn't",
        "squeezenet1_0: agf starts in a fully connected last layer, which flatten isn't",
    ];
    assert_eq!(refused, expected);
}

#[test]
fn rsp_names_a_layer_in_front_of_its_target_that_it_has_no_rule_for() {
    let network = small("vgg");
    let layers = network.layers(Some("classifier.1"), None).unwrap();
    let error = method("rsp").unwrap().explainer().needs(&network, &layers).unwrap_err();
    assert!(matches!(error, Error::Unsupported { method: "rsp", .. }));
    let error = error.to_string();
    assert_eq!(error, "rsp can't cross flatten, in front of its target classifier.1: it has no rule for that");
}

#[test]
fn a_contrast_needs_another_class() {
    let mut tensors = doubles(&fixtures().join("families/vgg.safetensors"));
    for (name, tensor) in &mut tensors {
        if name.starts_with("classifier.6") {
            *tensor = tensor.narrow(0, 0, 1);
        }
    }
    let network = Network::from_checkpoint("vgg", &Checkpoint::from_tensors("one class", tensors)).unwrap();
    let layers = network.layers(None, None).unwrap();
    for id in ["clrp", "sglrp"] {
        let error = method(id).unwrap().explainer().needs(&network, &layers).unwrap_err().to_string();
        assert_eq!(error, "a contrast needs another class, and the network has one");
    }
}
