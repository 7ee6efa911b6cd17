//! Logits of small members of every family, against torchvision's, also as networks from Caffe have them (`fixtures/make_families.py` makes the files).
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::path::Path;

use safetensors::SafeTensors;
use support::close;
use tch::{Kind, Tensor};
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
    for (name, variant) in [
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
        assert_eq!(network.variant, variant);
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
