//! Networks whose first layers aren't torchvision's, against PyTorch (`fixtures/make_stems.py`
//! makes the files): what is stated runs, and what nothing states is refused or said.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use crate::support::close;
use tch::{Device, Kind, Tensor};
use ucag_core::network::synthetic;
use ucag_core::network::synthetic::ResNet;
use ucag_core::network::{Affine, AvgPool, Checkpoint, FAMILIES, Network, Preprocessing, Stated, Stem};
use ucag_core::pass::{Needs, Pass};

const SIZES: [&str; 3] = ["96x96", "80x107", "113x78"];
const GREY: Preprocessing = Preprocessing::Grey { mean: 0.4375, std: 0.25 };

fn fixtures(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file)
}

fn tensors(path: &Path) -> Vec<(String, Tensor)> {
    let tensors = Tensor::read_safetensors(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    tensors.into_iter().map(|(name, tensor)| (name, tensor.to_kind(Kind::Float))).collect()
}

fn tensor(path: &Path, name: &str) -> Tensor {
    tensors(path).into_iter().find(|(key, _)| key == name).expect("the tensor is there").1
}

fn family(name: &str) -> &'static str {
    FAMILIES.iter().find(|family| name.starts_with(family.id)).unwrap().id
}

/// A fixture as a checkpoint to which metadata can be added.
fn checkpoint(name: &str) -> Checkpoint {
    Checkpoint::from_tensors("made.safetensors", tensors(&fixtures(&format!("stems/{name}.safetensors"))))
}

fn logits(network: &Network, views: Tensor) -> Tensor {
    Pass::new(network, views, 0, Needs::default()).unwrap().logits().unwrap()
}

/// Checks a network of a fixture against PyTorch's logits at three sizes.
fn agrees(name: &str, network: &Network) {
    for size in SIZES {
        let channels = network.preprocessing.channels() as i64;
        let input = tensor(&fixtures(&format!("families/input_{size}.safetensors")), "input").unsqueeze(0) / 64.0;
        let golden = tensor(&fixtures(&format!("stems/{name}.logits")), size);
        close(&logits(network, input.narrow(1, 0, channels)), &golden, 1e-4)
            .unwrap_or_else(|problem| panic!("{name} at {size}: {problem}"));
    }
}

fn stated(stem: Stem) -> Stated {
    Stated { stem: Some(stem), input_size: Some(32), ..Stated::default() }
}

#[test]
fn a_stem_that_is_stated_is_the_one_that_runs() {
    for name in ["resnet_cifar", "resnet_cifar-pool", "densenet_cifar", "densenet_cifar-pool"] {
        let (family, word) = name.split_once('_').unwrap();
        let stem: Stem = word.parse().unwrap();
        let path = fixtures(&format!("stems/{name}.safetensors"));
        let network = Network::load_as(family, &path, &stated(stem)).unwrap();
        agrees(name, &network);
        assert!(network.architecture.ends_with(&format!(", {word} stem")), "{}", network.architecture);
        assert_eq!(network.input_size, 32);
        let assumed = &network.assumptions[..];
        assert!(assumed.len() == 1 && assumed[0].contains("ImageNet's statistics"), "{assumed:?}");
        // The same by the file's own metadata, which leaves nothing to assume.
        let said = [("stem", word), ("input_size", "32"), ("mean", "0.5, 0.5,0.25"), ("std", "0.25,0.25,0.25")];
        let file = said.iter().fold(checkpoint(name), |file, (key, value)| file.with_metadata(key, value));
        let network = Network::from_checkpoint(family, &file).unwrap();
        agrees(name, &network);
        assert_eq!(network.preprocessing, Preprocessing::Custom { mean: [0.5, 0.5, 0.25], std: [0.25; 3] });
        assert_eq!((network.input_size, network.assumptions.len()), (32, 0));
    }
}

/// Returns why a fixture is refused.
fn refusal(name: &str, stated: &Stated, metadata: &[(&str, &str)]) -> String {
    let file = metadata.iter().fold(checkpoint(name), |file, (key, value)| file.with_metadata(key, value));
    Network::from_checkpoint_as(family(name), &file, stated).unwrap_err().to_string()
}

#[test]
fn a_stem_that_nothing_states_is_refused() {
    for name in ["resnet_cifar", "densenet_cifar-pool"] {
        let message = refusal(name, &Stated::default(), &[]);
        assert!(message.contains("has a kernel of 3 × 3, where torchvision's has 7 × 7"), "{message}");
        assert!(message.contains("State stem = \"cifar\" (stride 1, no max pool) or \"cifar-pool\""), "{message}");
        let message = refusal(name, &stated(Stem::Imagenet), &[]);
        assert!(message.contains("has a kernel of 3 × 3, but stem = \"imagenet\" is stated"), "{message}");
        let message = refusal(name, &Stated { input_size: None, ..stated(Stem::Cifar) }, &[]);
        assert!(message.contains("nothing says how large they are: state input_size (32 for CIFAR)"), "{message}");
        let message = refusal(name, &stated(Stem::Cifar), &[("stem", "cifar-pool")]);
        assert!(message.contains("__metadata__: stem is 'cifar-pool', but this run states 'cifar'"), "{message}");
        let message = refusal(name, &Stated::default(), &[("stem", "cifar10")]);
        assert!(message.contains("stem is 'cifar10', expected 'imagenet', 'cifar' or 'cifar-pool'"), "{message}");
    }
    let message = refusal("resnet_bias", &stated(Stem::CifarPool), &[]);
    assert!(message.contains("has a kernel of 7 × 7, but stem = \"cifar-pool\" is stated"), "{message}");
}

#[test]
fn a_bias_does_not_make_a_network_caffes() {
    let network = Network::load("resnet", &fixtures("stems/resnet_bias.safetensors")).unwrap();
    agrees("resnet_bias", &network);
    assert_eq!(network.preprocessing, Preprocessing::Imagenet);
    assert!(network.assumptions[0].starts_with("conv1 has a bias, as in networks from Caffe"));
    assert_eq!(network.assumptions.len(), 1);
    // The file's word does, even of a network whose stem has none.
    let caffe = [("preprocessing", "caffe"), ("max_pool", "ceil")];
    let file = caffe.iter().fold(checkpoint("resnet_bias"), |file, (key, value)| file.with_metadata(key, value));
    let network = Network::from_checkpoint("resnet", &file).unwrap();
    assert_eq!((network.preprocessing, network.assumptions.len()), (Preprocessing::Caffe, 0));
    let stride = |name: &str| network.graph.nodes()[network.graph.resolve(name).unwrap()].op.stride();
    assert_eq!((stride("layer2.0.conv1"), stride("layer2.0.conv2")), ([2, 2], [1, 1]));
    let half = refusal("resnet_bias", &Stated::default(), &caffe[..1]);
    assert!(half.contains("preprocessing = 'caffe' without max_pool = 'ceil'"), "{half}");
    let half = refusal("resnet_bias", &Stated::default(), &caffe[1..]);
    assert!(half.contains("max_pool = 'ceil' without preprocessing = 'caffe'"), "{half}");
    let stem = refusal("resnet_bias", &stated(Stem::Imagenet), &caffe);
    assert!(stem.contains("states Caffe's form"), "{stem}");
}

#[test]
fn a_stem_of_one_channel_is_for_grey_images() {
    for name in ["resnet_grey", "resnet_cifar_grey", "vgg_grey", "densenet_grey", "squeezenet_grey"] {
        let stem = name.contains("cifar").then_some(Stem::Cifar);
        let stated = Stated { stem, input_size: Some(64), preprocessing: Some(GREY), ..Stated::default() };
        let network = Network::load_as(family(name), &fixtures(&format!("stems/{name}.safetensors")), &stated).unwrap();
        agrees(name, &network);
        assert!(network.architecture.ends_with(", grey"), "{}", network.architecture);
        assert_eq!(network.assumptions, [""; 0]);
        assert_eq!((network.preprocessing.mean(), network.preprocessing.std()), (vec![0.4375], vec![0.25]));
        let unsaid = Stated { preprocessing: None, ..stated };
        let message = refusal(name, &unsaid, &[]);
        assert!(message.contains("takes grey images, and nothing says how they are normalised"), "{message}");
        let three = refusal(name, &unsaid, &[("mean", "0.5,0.5,0.5"), ("std", "0.5,0.5,0.5")]);
        assert!(three.contains("takes images of 1 channel, but mean and std are of 3"), "{three}");
    }
    let one = refusal("resnet_bias", &Stated { preprocessing: Some(GREY), ..Stated::default() }, &[]);
    assert!(one.contains("takes images of 3 channels, but mean and std are of 1"), "{one}");
    for channels in [2, 4] {
        let mut tensors = tensors(&fixtures("stems/resnet_bias.safetensors"));
        for (_, tensor) in tensors.iter_mut().filter(|(name, _)| name == "conv1.weight") {
            *tensor = Tensor::zeros([8, channels, 7, 7], (Kind::Float, Device::Cpu));
        }
        let file = Checkpoint::from_tensors("made", tensors);
        let message = Network::from_checkpoint("resnet", &file).unwrap_err().to_string();
        assert!(message.contains(&format!("takes images of {channels} channels")), "{message}");
    }
}

#[test]
fn how_the_input_is_normalised_can_be_stated() {
    let own = |value: f32| Preprocessing::Custom { mean: [value; 3], std: [0.5; 3] };
    let file = || checkpoint("resnet_bias").with_metadata("mean", "0.5, 0.5, 0.5").with_metadata("std", "0.5,0.5,0.5");
    let of = |preprocessing| {
        let stated = Stated { preprocessing, ..Stated::default() };
        Network::from_checkpoint_as("resnet", &file(), &stated).unwrap()
    };
    let (silent, same, other) = (of(None), of(Some(own(0.5))), of(Some(own(0.25))));
    assert_eq!([silent.preprocessing, same.preprocessing, other.preprocessing], [own(0.5), own(0.5), own(0.25)]);
    assert_eq!([&silent, &same, &other].map(|network| network.assumptions.len()), [1, 1, 2]);
    assert_eq!(
        other.assumptions[0],
        "Its input is normalised as this run states, with mean 0.25, 0.25, 0.25 and std 0.5, 0.5, 0.5, not as its file does, with mean 0.5, 0.5, 0.5 and std 0.5, 0.5, 0.5."
    );
    for (metadata, expected) in [
        (&[("mean", "0.5,0.5,0.5")][..], "has one of mean and std, but not the other"),
        (&[("std", "0.5")], "has one of mean and std, but not the other"),
        (&[("mean", "0.5,0.5"), ("std", "0.5,0.5")], "expected three numbers, for red, green and blue in [0, 1]"),
        (&[("mean", "0.5,x,0.5"), ("std", "1,1,1")], "'x' in '0.5,x,0.5' is no number"),
        (&[("mean", "123.7,116,103"), ("std", "1,1,1")], "divide numbers for pixels up to 255 by 255"),
        (&[("mean", "nan,0,0"), ("std", "1,1,1")], "a mean of NaN is outside of [0, 1]"),
        (&[("mean", "0,0,0"), ("std", "1,0,1")], "a deviation must be above 0"),
        (&[("mean", "0,0,0"), ("std", "1,1,1"), ("preprocessing", "caffe")], "one of the two is enough"),
    ] {
        let message = refusal("resnet_bias", &Stated::default(), metadata);
        assert!(message.starts_with("checkpoint made.safetensors") && message.contains(expected), "{message}");
    }
}

#[test]
fn transform_input_has_one_rule() {
    let of = |classes: i64, metadata: Option<&str>, stated: Stated| {
        let tensors = synthetic::inception(16, classes).random(1);
        let file = Checkpoint::from_tensors("made", tensors);
        let file = metadata.into_iter().fold(file, |file, value| file.with_metadata("transform_input", value));
        let network = Network::from_checkpoint_as("inception_v3", &file, &stated).map_err(|error| error.to_string())?;
        let transforms = network.graph.nodes().iter().any(|node| node.op.is::<Affine>());
        Ok::<_, String>((transforms, network.assumptions))
    };
    let none = Stated::default();
    let says = |transform_input| Stated { transform_input: Some(transform_input), ..none };
    // The file's word, whatever the classes; without it, a sentence says what is assumed.
    for classes in [1000, 7] {
        assert_eq!(of(classes, Some("false"), none).unwrap(), (false, vec![]));
        assert_eq!(of(classes, Some("true"), none).unwrap(), (true, vec![]));
        assert_eq!(of(classes, None, says(true)).unwrap(), (true, vec![]));
        assert_eq!(of(classes, None, says(false)).unwrap(), (false, vec![]));
        let (transforms, assumed) = of(classes, None, none).unwrap();
        assert_eq!((transforms, assumed.len()), (classes == 1000, 1));
        assert!(assumed[0].starts_with(&format!("transform_input is taken to be {transforms}, ")), "{assumed:?}");
        let (transforms, assumed) = of(classes, Some("true"), says(false)).unwrap();
        assert_eq!(
            (transforms, &assumed[..]),
            (false, &["transform_input is false, as this run states; its file says true.".to_owned()][..])
        );
    }
    assert!(of(7, Some("yes"), none).unwrap_err().contains("transform_input is 'yes', expected 'true' or 'false'"));
    // The transformation is from ImageNet's statistics; with others, nobody can say whether it is
    // meant.
    let half = Preprocessing::Custom { mean: [0.5; 3], std: [0.5; 3] };
    let message = of(1000, None, Stated { preprocessing: Some(half), ..none }).unwrap_err();
    assert!(
        message.contains("doesn't say transform_input") && message.contains("state transform_input, too"),
        "{message}"
    );
    assert!(!of(7, None, Stated { preprocessing: Some(half), ..none }).unwrap().0);
}

#[test]
fn what_a_family_has_no_choice_of_is_refused() {
    let vgg = || Checkpoint::from_tensors("made", tensors(&fixtures("families/vgg.safetensors")));
    let message = Network::from_checkpoint_as("vgg", &vgg(), &stated(Stem::Cifar)).unwrap_err().to_string();
    assert_eq!(message, "checkpoint made: this run states stem, but a network of the family vgg has no such choice");
    let file = vgg().with_metadata("stem", "cifar");
    let message = Network::from_checkpoint("vgg", &file).unwrap_err().to_string();
    assert!(
        message.ends_with("__metadata__: has stem = 'cifar', but a network of the family vgg has no such choice"),
        "{message}"
    );
    let transforms = Stated { transform_input: Some(true), ..Stated::default() };
    let message = Network::from_checkpoint_as("vgg", &vgg(), &transforms).unwrap_err().to_string();
    assert!(message.contains("states transform_input"), "{message}");
    let message = refusal("densenet_cifar", &stated(Stem::Cifar), &[("max_pool", "ceil")]);
    assert!(message.contains("has max_pool = 'ceil', but a network of the family densenet"), "{message}");
    assert!(Network::from_checkpoint("vgg", &vgg().with_metadata("transform_input", "false")).is_ok());
}

type Change = Box<dyn FnOnce(&mut Vec<(String, Tensor)>)>;

/// Returns why a network is refused whose tensors were changed.
fn changed(
    family: &str,
    mut tensors: Vec<(String, Tensor)>,
    change: impl FnOnce(&mut Vec<(String, Tensor)>),
) -> String {
    change(&mut tensors);
    Network::from_checkpoint(family, &Checkpoint::from_tensors("made", tensors)).unwrap_err().to_string()
}

fn zeros(shape: &[i64]) -> Tensor {
    Tensor::zeros(shape, (Kind::Float, Device::Cpu))
}

/// The tensor of that name, in another shape.
fn reshape(name: &'static str, shape: &'static [i64]) -> impl FnOnce(&mut Vec<(String, Tensor)>) {
    move |tensors| tensors.iter_mut().find(|(key, _)| key == name).unwrap().1 = zeros(shape)
}

#[test]
fn what_is_built_otherwise_than_torchvisions_is_refused() {
    let basic = || {
        let shape = ResNet { bottleneck: false, depths: [1; 4], stem: 8, planes: [8; 4], groups: 1, widening: 1 };
        synthetic::resnet(&shape, 5).random(1)
    };
    let resnet = |change: Change| changed("resnet", basic(), change);
    let inner = resnet(Box::new(reshape("layer2.0.conv2.weight", &[8, 8, 5, 5])));
    assert!(inner.contains("layer2.0.conv2.weight: has a kernel of 5 × 5, where torchvision's has 3 × 3"), "{inner}");
    let even = resnet(Box::new(reshape("conv1.weight", &[8, 3, 4, 4])));
    assert!(even.contains("conv1.weight: has a kernel of 4 × 4") && even.contains("TorchScript"), "{even}");
    let projection = resnet(Box::new(reshape("layer3.0.downsample.0.weight", &[8, 8, 3, 3])));
    assert!(projection.contains("has a kernel of 3 × 3, where torchvision's has 1 × 1"), "{projection}");
    let short = resnet(Box::new(|t| t.retain(|(name, _)| !name.starts_with("layer4"))));
    assert!(short.contains("layer4: has the blocks [], expected them to be numbered from 0"), "{short}");
    let identity = resnet(Box::new(|t| t.retain(|(name, _)| !name.starts_with("layer4.0.downsample"))));
    assert!(
        identity.contains("layer4.0.downsample.0.weight: is missing, where torchvision's network changes"),
        "{identity}"
    );
    let more = resnet(Box::new(|t| t.push(("layer1.0.downsample.0.weight".into(), zeros(&[8, 8, 1, 1])))));
    assert!(more.contains("layer1.0.downsample.0.weight: is there, though neither size nor channels"), "{more}");
    let deep = resnet(Box::new(|t| {
        t.iter_mut().filter(|(name, _)| name == "conv1.weight").for_each(|(name, _)| *name = "conv1.0.weight".into())
    }));
    assert!(deep.contains("conv1.0.weight: belongs to a stem of several convolutions"), "{deep}");
    let grouped = resnet(Box::new(reshape("layer1.0.conv1.weight", &[8, 2, 3, 3])));
    assert!(grouped.contains("expected 8 input channels"), "{grouped}");

    let squeezenet = |change: Change| changed("squeezenet", synthetic::squeezenet(false, 8, 5).random(1), change);
    let stem = squeezenet(Box::new(reshape("features.0.weight", &[12, 3, 3, 3])));
    assert!(stem.contains("neither SqueezeNet 1.0 (7 × 7") && stem.contains("has a kernel of 3 × 3"), "{stem}");
    let fewer = squeezenet(Box::new(|t| t.retain(|(name, _)| !name.starts_with("features.12"))));
    assert!(fewer.contains("fire modules are at [3, 4, 5, 7, 8, 9, 10]"), "{fewer}");

    let densenet = |change: Change| changed("densenet", synthetic::densenet(4, &[1, 2, 1, 1], 8, 5).random(1), change);
    let gap = densenet(Box::new(|t| t.retain(|(name, _)| !name.contains("denseblock2.denselayer1"))));
    assert!(gap.contains("features.denseblock2.denselayer: has the numbers [2], expected those from 1 on"), "{gap}");
    let kernel = densenet(Box::new(reshape("features.transition1.conv.weight", &[6, 12, 3, 3])));
    assert!(kernel.contains("features.transition1.conv.weight: has a kernel of 3 × 3"), "{kernel}");

    let inception = changed(
        "inception_v3",
        synthetic::inception(16, 5).random(1),
        reshape("Mixed_6b.branch7x7_2.conv.weight", &[8, 8, 7, 1]),
    );
    assert!(inception.contains("has a kernel of 7 × 1, where torchvision's has 1 × 7"), "{inception}");
}

#[test]
fn a_vgg_with_other_layers_is_refused_or_said() {
    let vgg = |stages: &[&[i64]]| synthetic::vgg(stages, false, 16, 5).random(1);
    let usual: &[&[i64]] = &[&[4], &[4], &[6, 6], &[8, 8], &[8, 8]];
    let network = Network::from_checkpoint("vgg11", &Checkpoint::from_tensors("made", vgg(usual))).unwrap();
    assert_eq!(network.assumptions, [""; 0]);
    let other = Checkpoint::from_tensors("made", vgg(&[&[4], &[4], &[6], &[8]]));
    let network = Network::from_checkpoint("vgg", &other).unwrap();
    assert_eq!(network.architecture, "vgg (convolutions [1, 1, 1, 1])");
    assert!(network.assumptions[0].starts_with("features.2, features.5, features.8, features.11 have no weights"));
    // A dropout in front of a pool, or no ReLU behind a convolution.
    let moved = |shift: fn(usize) -> usize| {
        changed("vgg", vgg(usual), |tensors| {
            for (name, _) in tensors.iter_mut().filter(|(name, _)| name.starts_with("features.")) {
                let [_, position, part] = name.split('.').collect::<Vec<_>>()[..] else { panic!("{name}") };
                *name = format!("features.{}.{part}", shift(position.parse().unwrap()));
            }
        })
    };
    let more = moved(|position| if position > 0 { position + 1 } else { 0 });
    assert!(more.contains("features.0: has 3 layers without weights behind it"), "{more}");
    let fewer = moved(|position| if position > 0 { position - 2 } else { 0 });
    assert!(fewer.contains("features.0: has no layers without weights behind it"), "{fewer}");
    let kernel = changed("vgg", vgg(usual), reshape("features.3.weight", &[4, 4, 1, 1]));
    assert!(kernel.contains("features.3.weight: has a kernel of 1 × 1, where torchvision's has 3 × 3"), "{kernel}");
    let small = changed("vgg", vgg(usual), reshape("classifier.0.weight", &[16, 8]));
    assert!(small.contains("classifier.0.weight: doesn't read 392 features"), "{small}");
    let one = changed("vgg", vgg(usual), |t| {
        t.retain(|(name, _)| !name.starts_with("classifier"));
        t.extend([("classifier.weight".into(), zeros(&[5, 8])), ("classifier.bias".into(), zeros(&[5]))]);
    });
    assert!(one.contains("run such a network as TorchScript if it has another classifier"), "{one}");
}

#[test]
fn the_convolutional_form_is_as_wide_as_a_small_stem_makes_the_last_map() {
    for (name, side) in [("resnet_cifar", 4), ("resnet_cifar-pool", 2)] {
        let stem = name.split_once('_').unwrap().1.parse().unwrap();
        let network =
            Network::load_as("resnet", &fixtures(&format!("stems/{name}.safetensors")), &stated(stem)).unwrap();
        let form = network.convolutional().unwrap();
        let x = (Tensor::arange(3 * 32 * 32, (Kind::Float, Device::Cpu)).view([1, 3, 32, 32]) * 0.013).sin();
        close(&logits(&form, x.shallow_clone()), &logits(&network, x), 1e-5).unwrap();
        let pools: Vec<i64> = form
            .graph
            .nodes()
            .iter()
            .filter_map(|node| node.op.downcast_ref::<AvgPool>())
            .map(|pool| pool.window.kernel[0])
            .collect();
        assert_eq!(pools, [side], "{name}");
    }
}
