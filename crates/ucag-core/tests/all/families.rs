//! Logits of small members of every family, against torchvision's, also as networks from Caffe have
//! them (`fixtures/make_families.py` makes the files).
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::Path;

use crate::support::close;
use safetensors::SafeTensors;
use tch::{Kind, Tensor};
use ucag_core::explain::method;
use ucag_core::network::{FAMILIES, Network, Preprocessing};
use ucag_core::pass::{Needs, Pass};

fn tensor(path: &Path, name: &str) -> Tensor {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file = SafeTensors::deserialize(&bytes).expect("fixtures are safetensors");
    let view = file.tensor(name).expect("the tensor is there");
    let shape: Vec<i64> = view.shape().iter().map(|&side| side as i64).collect();
    let kind = if view.dtype() == safetensors::Dtype::I8 { Kind::Int8 } else { Kind::Float };
    Tensor::from_data_size(view.data(), &shape, kind).to_kind(Kind::Float)
}

#[test]
fn logits_equal_torchvisions_at_several_sizes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families");
    let mut checked = 0;
    for (name, architecture) in [
        ("vgg", "vgg11"),
        ("vgg_bn", "vgg11_bn"),
        ("resnet_basic", "resnet (basic blocks [1, 2, 1, 1])"),
        ("resnet_grouped", "resnet (bottleneck blocks [1, 2, 1, 1])"),
        ("resnet_wide", "resnet (bottleneck blocks [1, 1, 1, 1])"),
        ("densenet", "densenet (blocks [1, 2, 2, 1])"),
        ("inception_v3", "inception_v3"),
        ("inception_v3_transform", "inception_v3"),
        ("squeezenet1_0", "squeezenet1_0"),
        ("resnet_caffe", "resnet (bottleneck blocks [1, 2, 1, 1])"),
        ("vgg_caffe", "vgg11"),
    ] {
        let family = FAMILIES.iter().find(|family| name.starts_with(family.id)).expect("the name begins with a family");
        let network = Network::load(family.id, &folder.join(format!("{name}.safetensors"))).unwrap();
        assert_eq!(network.architecture, architecture);
        let caffe = name.ends_with("caffe");
        assert_eq!(network.preprocessing, if caffe { Preprocessing::Caffe } else { Preprocessing::Imagenet }, "{name}");
        for size in ["96x96", "80x107", "113x78"] {
            let input = tensor(&folder.join(format!("input_{size}.safetensors")), "input").unsqueeze(0) / 64.0;
            let logits = Pass::new(&network, input, 0, Needs::default()).unwrap().logits().unwrap();
            let golden = tensor(&folder.join(format!("{name}.logits")), size);
            close(&logits, &golden, 1e-4).unwrap_or_else(|problem| panic!("{name} at {size}: {problem}"));
            checked += 1;
        }
    }
    assert_eq!(checked, 33);
}

#[test]
fn torchrays_form_slides_the_classifier_over_the_map() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families");
    let numbers = Tensor::arange(3 * 224 * 298, (Kind::Int64, tch::Device::Cpu));
    let input = ((numbers * 7919).remainder(256) - 128).view([1, 3, 224, 298]).to_kind(Kind::Float) / 64.0;
    for name in ["vgg_caffe", "resnet_caffe"] {
        let family = FAMILIES.iter().find(|family| name.starts_with(family.id)).unwrap();
        let pooled = Network::load(family.id, &folder.join(format!("{name}.safetensors"))).unwrap();
        let network = pooled.convolutional().unwrap();
        let layers = network.layers(None, None).unwrap();
        let gradcam = method("gradcam").unwrap().explainer();
        let output = network.graph.output();
        let mut needs = gradcam.needs(&network, &layers).unwrap();
        needs.activations.push(output);
        let pass = Pass::new(&network, input.shallow_clone(), 3, needs).unwrap();
        let golden = |what: &str| tensor(&folder.join(format!("{name}.logits")), what);
        let (scores, map) = (golden("convolutional_224x298"), golden("gradcam_224x298_3"));
        assert_eq!(scores.size(), [7, 1, 4]);
        assert!(map.max().double_value(&[]) > 0.0);
        close(&pass.activation(output).unwrap(), &scores, 1e-4).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mean = scores.mean_dim([1i64, 2].as_slice(), false, Kind::Float);
        close(&pass.logits().unwrap(), &mean, 1e-4).unwrap_or_else(|e| panic!("{name}: {e}"));
        let ours = gradcam.explain(&pass, &layers).unwrap().relu();
        close(&ours, &map, 1e-4).unwrap_or_else(|e| panic!("GradCAM on {name}: {e}"));
    }
}

#[test]
fn what_a_file_says_of_itself_is_checked() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families/vgg_caffe.safetensors");
    let bytes = std::fs::read(fixture).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let refusal = |from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|window| window == from).expect("the file says so");
        let mut changed = bytes.clone();
        changed[at..at + from.len()].copy_from_slice(to);
        let path = folder.path().join("changed.safetensors");
        std::fs::write(&path, changed).unwrap();
        Network::load("vgg", &path).unwrap_err().to_string()
    };
    let preprocessing = refusal(b"\"caffe\"", b"\"torch\"");
    assert!(
        preprocessing.ends_with("its metadata has preprocessing 'torch', expected 'imagenet' or 'caffe'"),
        "{preprocessing}"
    );
    let pool = refusal(b"\"ceil\"", b"\"none\"");
    assert!(pool.ends_with("__metadata__: max_pool is 'none', expected 'floor' or 'ceil'"), "{pool}");
}
