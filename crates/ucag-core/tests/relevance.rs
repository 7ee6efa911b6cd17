//! Relevance propagation: rules that the released code doesn't have against zennit's (`fixtures/make_relevance.py`), and what holds on paper.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::path::{Path, PathBuf};

use support::close;
use tch::{Kind, Tensor};
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
    let mut own = Settings::published(method.settings);
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
fn epsilon_z_plus_and_the_composite_equal_zennits_with_batch_norm_folded() {
    let (image, golden) = (image(), doubles(&fixtures().join("relevance.safetensors")));
    let mut checked = 0;
    for name in ["vgg", "vgg_bn", "resnet_basic", "resnet_grouped", "squeezenet1_0"] {
        let network = small(name);
        let class = top(&network, &image);
        for (rule, id) in [("epsilon", "lrp-epsilon"), ("zplus", "lrp-zplus"), ("composite", "lrp-composite")] {
            let epsilon: &[(&str, f64)] = if rule == "zplus" { &[] } else { &[("epsilon", 0.1)] };
            let ours = map(&network, id, &[epsilon, &[("canonise", 1.0)]].concat(), &image, class);
            let ours = ours.slice(2, None, None, 2).slice(3, None, None, 2);
            let (_, golden) = golden.iter().find(|(key, _)| *key == format!("{name}.{rule}")).unwrap();
            close(&ours, golden, 1e-6).unwrap_or_else(|problem| panic!("{name}, {rule}: {problem}"));
            checked += 1;
        }
    }
    assert_eq!(checked, 15);
}
