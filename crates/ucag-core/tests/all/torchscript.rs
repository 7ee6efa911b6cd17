//! TorchScript networks: against the same weights as a graph, and against PyTorch
//! (`fixtures/make_torchscript.py` makes the files).
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use crate::support::close;
use safetensors::SafeTensors;
use tch::{Device, Kind, Tensor};
use ucag_core::explain::{METHODS, Settings, method};
use ucag_core::network::{Network, Output, Preprocessing};
use ucag_core::protocol::MapProtocol;
use ucag_core::ucag::{ExplainRequest, plain, ucag};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn scripted(name: &str, side: usize) -> ucag_core::Result<Network> {
    stated(name, side, None)
}

fn stated(name: &str, side: usize, output: Option<Output>) -> ucag_core::Result<Network> {
    Network::scripted(&fixture("torchscript").join(name), side, Preprocessing::Imagenet, output, Device::Cpu)
}

/// Tensors that PyTorch computed.
fn tensors(name: &str) -> impl Fn(&str) -> Tensor {
    let bytes = std::fs::read(fixture("torchscript").join(name)).unwrap();
    move |name| {
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let view = file.tensor(name).unwrap();
        let shape: Vec<i64> = view.shape().iter().map(|&side| side as i64).collect();
        Tensor::from_data_size(view.data(), &shape, Kind::Float)
    }
}

fn logits(network: &Network, images: &Tensor) -> Tensor {
    network.graph.nodes()[1].op.apply(&[images]).unwrap()
}

fn error(name: &str, side: usize) -> String {
    scripted(name, side).expect_err("the file was taken").to_string()
}

/// Few samples of each method are as good as many for a comparison.
fn small(id: &str) -> Settings {
    let mut settings = Settings::defaults(method(id).unwrap().settings);
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
            let request =
                ExplainRequest { network, image: &image, classes: &[2, 5], layers, views_per_batch: 3, seed: 4 };
            let protocol = MapProtocol { n: 2, alpha: 1.5, ..MapProtocol::official() };
            match with {
                true => ucag(&request, &[&*explainer], &protocol).unwrap(),
                false => plain(&request, &[&*explainer]).unwrap(),
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
    let tensor = tensors("patches.safetensors");
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
    is("two.pt", 32, &["gives a tuple (a tensor [1, 3], a tensor [1, 3, 32, 32])", "return self.model(x)[0]"]);
    is("tuple.pt", 32, &["gives a tuple (a tensor [1, 3], None)", "return self.model(x)[0]"]);
    is("list.pt", 32, &["gives a list [a tensor [1, 3], a tensor [1, 3, 32, 32]]", "return self.model(x)[0]"]);
    is("dict.pt", 32, &["gives a dict {", "\"logits\": a tensor [1, 3]", "return self.model(x)[\"logits\"]"]);
    is("half.pt", 32, &["has float16 weights", "model.float()"]);
    is("double.pt", 32, &["has float64 weights", "model.float()"]);
    is("narrow.pt", 32, &["gives float16 logits", "model.float()"]);
    is("whole.pt", 32, &["gives whole numbers (int64)", "argmax"]);
    is("complex.pt", 32, &["gives complex numbers", "real logits"]);
    is("elsewhere.pt", 32, &["computes on a device that it was traced on", "model.cpu()"]);
    is("grey.pt", 32, &["refuses a batch", "1 channels", "one number each"]);
    is("maps.pt", 32, &["gives [1, 5, 25, 25] for 1 images", "[1, classes]"]);
    is("nowhere.pt", 32, &["aren't finite"]);
    // A plain image goes through, a batch doesn't.
    let one = scripted("one.pt", 32).unwrap();
    let batch = Tensor::zeros([2, 3, 32, 32], (Kind::Float, Device::Cpu));
    let message = one.graph.nodes()[1].op.apply(&[&batch]).unwrap_err().to_string();
    assert!(message.contains("refuses a batch of [2, 3, 32, 32]") && message.contains("number of images"), "{message}");
}

#[test]
fn a_module_in_training_mode_is_refused() {
    let always = ["traced_dropout.pt", "dropout_of_a_function.pt"];
    for name in always {
        let message = error(name, 32);
        assert!(message.contains("another answer each time") && message.contains("model.eval()"), "{name}: {message}");
    }
    for name in ["traced_statistics.pt", "place.pt"] {
        let message = error(name, 32);
        assert!(message.contains("another answer in a batch than alone"), "{name}: {message}");
        assert!(message.contains("model.eval()"), "{name}: {message}");
    }
    // A script knows its mode, and is loaded for evaluation.
    let reference = tensors("outputs.safetensors");
    let network = scripted("dropout_of_a_module.pt", 32).unwrap();
    close(&logits(&network, &reference("x")), &reference("logits"), 1e-6).unwrap();
}

#[test]
fn outputs_that_look_like_no_logits_are_refused_where_nothing_is_stated() {
    for (name, says) in [
        ("softmax.pt", "output = \"probabilities\" (bench explain: --output probabilities)"),
        ("saturated.pt", "output = \"probabilities\""),
        ("sigmoid.pt", "output = \"sigmoid\" (bench explain: --output sigmoid)"),
        ("percent.pt", "sum to 100"),
    ] {
        let message = error(name, 32);
        assert!(message.contains(says) && message.contains("output = \"logits\""), "{name}: {message}");
        let stated = stated(name, 32, Some(Output::Logits)).unwrap();
        assert_eq!(stated.output(), Output::Logits, "{name}: a statement is taken at its word");
    }
    let refused = |name, output| stated(name, 32, Some(output)).expect_err("it can't be").to_string();
    for name in ["dropout_of_a_module.pt", "log_softmax.pt", "percent.pt"] {
        for output in [Output::Probabilities, Output::Sigmoid] {
            let message = refused(name, output);
            assert!(message.contains(&format!("as output = \"{}\" says", output.name())), "{name}: {message}");
        }
    }
    let message = refused("sigmoid.pt", Output::Probabilities);
    assert!(message.contains("not to 1"), "{message}");
}

#[test]
fn probabilities_are_the_modules_own() {
    let reference = tensors("outputs.safetensors");
    let x = reference("x");
    let [z, softmax, sigmoid] = ["logits", "softmax", "sigmoid"].map(reference);
    let probabilities = stated("softmax.pt", 32, Some(Output::Probabilities)).unwrap();
    let given = logits(&probabilities, &x);
    close(&given, &softmax.log(), 1e-6).unwrap();
    close(&probabilities.probabilities(&given).unwrap(), &softmax, 1e-6).unwrap();
    // log p serves as logits without a statement.
    let network = scripted("log_softmax.pt", 32).unwrap();
    close(&network.probabilities(&logits(&network, &x)).unwrap(), &softmax, 1e-6).unwrap();
    let scores = stated("sigmoid.pt", 32, Some(Output::Sigmoid)).unwrap();
    let given = logits(&scores, &x);
    close(&given, &z, 1e-5).unwrap();
    close(&scores.probabilities(&given).unwrap(), &sigmoid, 1e-6).unwrap();
    assert!(
        f64::try_from((sigmoid.sum_dim_intlist([1i64].as_slice(), false, Kind::Float) - 1.0).abs().min()).unwrap()
            > 0.5
    );
}

#[test]
fn a_probability_of_0_has_a_finite_logit_and_gradient() {
    let x = tensors("outputs.safetensors")("x");
    let network = stated("saturated.pt", 32, Some(Output::Probabilities)).unwrap();
    let given = logits(&network, &x);
    assert!(bool::try_from(given.isfinite().all()).unwrap());
    // float32's smallest normal number: ln 1.17549435e-38.
    assert!((f64::try_from(given.min()).unwrap() + 87.336_54).abs() < 1e-4, "{}", f64::try_from(given.min()).unwrap());
    for class in 0..5 {
        let cotangent = given.zeros_like();
        let _ = cotangent.select(1, class).fill_(1.0);
        let back = network.graph.nodes()[1].op.vjp(&[&x], &given, &cotangent).unwrap();
        assert!(bool::try_from(back[0].isfinite().all()).unwrap(), "class {class}");
    }
}
