//! TorchScript networks: against the same weights as a graph, and against PyTorch (`fixtures/make_torchscript.py` makes the files).
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use support::close;
use tch::{Device, Kind, Tensor};
use ucag_core::explain::{METHODS, Settings, method};
use ucag_core::network::{Network, Preprocessing};
use ucag_core::protocol::Protocol;
use ucag_core::ucag::{Subject, plain, ucag};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn scripted(name: &str, side: usize) -> ucag_core::Result<Network> {
    Network::scripted(&fixture("torchscript").join(name), side, Preprocessing::Imagenet, Device::Cpu)
}

fn error(name: &str, side: usize) -> String {
    scripted(name, side).expect_err("the file was taken").to_string()
}

/// Few samples of each method are as good as many for a comparison.
fn small(id: &str) -> Settings {
    let mut settings = Settings::published(method(id).unwrap().settings);
    for (key, value) in [("masks", 6.0), ("steps", 3.0), ("samples", 3.0), ("iterations", 3.0)] {
        if method(id).unwrap().settings.iter().any(|setting| setting.key == key) {
            settings.set(key, vec![value]).unwrap();
        }
    }
    settings
}

#[test]
fn every_method_that_needs_no_layers_gives_what_it_gives_with_the_graph() {
    tch::set_num_threads(1);
    let graph = Network::load("resnet", &fixture("families/resnet_basic.safetensors")).unwrap();
    let scripted = scripted("resnet.pt", 96).unwrap();
    assert_eq!((scripted.classes, graph.classes), (7, 7));
    let image = Tensor::arange(3 * 96 * 96, (Kind::Float, Device::Cpu)).sin().view([1, 3, 96, 96]) * 2.0;
    let mut checked = 0;
    for method in METHODS.iter().filter(|method| method.black_box) {
        let explainer = (method.make)(&small(method.id));
        let maps = |network: &Network, with: bool| {
            let layers = network.layers(None, None).unwrap();
            let subject = Subject { network, image: &image, classes: &[2, 5], layers, views_per_batch: 3, seed: 4 };
            let protocol = Protocol { n: 2, alpha: 1.5, ..Protocol::official() };
            match with {
                true => ucag(&subject, &[&*explainer], &protocol).unwrap(),
                false => plain(&subject, &[&*explainer]).unwrap(),
            }
        };
        for with in [false, true].into_iter().filter(|with| !with || method.not_with_ucag.is_none()) {
            let (ours, theirs) = (maps(&scripted, with), maps(&graph, with));
            for (ours, theirs) in ours.iter().flatten().zip(theirs.iter().flatten()) {
                close(ours, theirs, 1e-5).unwrap_or_else(|problem| panic!("{} {with}: {problem}", method.id));
                checked += 1;
            }
        }
    }
    assert!(checked >= 2 * 2 * 10, "{checked} maps");
}

#[test]
fn the_gradient_of_a_network_that_is_none_of_ours_is_pytorchs() {
    let bytes = std::fs::read(fixture("torchscript/patches.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = |name: &str| {
        let view = file.tensor(name).unwrap();
        let shape: Vec<i64> = view.shape().iter().map(|&side| side as i64).collect();
        Tensor::from_data_size(view.data(), &shape, Kind::Float)
    };
    let network = scripted("patches.pt", 32).unwrap();
    assert_eq!((network.classes, network.is_black_box()), (5, true));
    let (x, logits, gradient) = (tensor("x"), tensor("logits"), tensor("gradient"));
    let output = network.graph.nodes()[1].op.apply(&[&x]).unwrap();
    close(&output, &logits, 1e-6).unwrap();
    assert!(!output.requires_grad(), "nothing is recorded for the weights");
    let cotangent = Tensor::zeros([2, 5], (Kind::Float, Device::Cpu));
    let _ = cotangent.select(1, 2).fill_(1.0);
    let back = network.graph.nodes()[1].op.vjp(&[&x], &output, &cotangent).unwrap();
    close(&back[0], &gradient, 1e-5).unwrap();
}

#[test]
fn methods_that_look_inside_are_refused_by_name() {
    let network = scripted("patches.pt", 32).unwrap();
    let mut refused = 0;
    for method in METHODS.iter().filter(|method| !method.black_box) {
        let message = method.allows(&network).unwrap_err().to_string();
        assert!(message.starts_with(&format!("method '{}' looks at a network's layers", method.id)), "{message}");
        assert!(message.contains("gradient, "), "{message}");
        refused += 1;
    }
    assert!(refused > 30, "{refused}");
    let graph = Network::load("resnet", &fixture("families/resnet_basic.safetensors")).unwrap();
    assert!(METHODS.iter().all(|method| method.allows(&graph).is_ok()));
}

#[test]
fn what_is_no_classifier_is_said_to_be_none() {
    let is = |name: &str, side: usize, parts: &[&str]| {
        let message = error(name, side);
        assert!(message.contains(name), "{message}");
        assert!(message.len() < 700, "libtorch's pages: {message}");
        for part in parts {
            assert!(message.contains(part), "'{part}' in: {message}");
        }
    };
    is("none.pt", 32, &["can't be read"]);
    is("patches.safetensors", 32, &["isn't TorchScript", "torch.jit.script"]);
    is("two.pt", 32, &["refuses a batch of [1, 3, 32, 32]"]);
    is("grey.pt", 32, &["refuses a batch", "1 channels"]);
    is("maps.pt", 32, &["gives [1, 5, 25, 25] for 1 images", "[1, classes]"]);
    is("nowhere.pt", 32, &["aren't finite"]);
    // A plain image goes through, a batch doesn't.
    let one = scripted("one.pt", 32).unwrap();
    let batch = Tensor::zeros([2, 3, 32, 32], (Kind::Float, Device::Cpu));
    let message = one.graph.nodes()[1].op.apply(&[&batch]).unwrap_err().to_string();
    assert!(message.contains("refuses a batch of [2, 3, 32, 32]") && message.contains("number of images"), "{message}");
}
