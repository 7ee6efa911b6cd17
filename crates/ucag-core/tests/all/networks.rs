//! Families: variants recognised, sizes accepted, broken checkpoints refused in words.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use tch::{Device, Kind, Tensor};
use ucag_core::network::synthetic;
use ucag_core::network::synthetic::{ResNet, Template};
use ucag_core::network::{Checkpoint, Network, family};
use ucag_core::pass::{Needs, Pass};

fn tiny_resnet(bottleneck: bool, groups: i64) -> Template {
    let shape = ResNet {
        bottleneck,
        depths: [1, 2, 1, 1],
        stem: 8,
        planes: [8, 8, 16, 16],
        groups,
        widening: if groups > 1 { 2 } else { 1 },
    };
    synthetic::resnet(&shape, 5)
}

fn build(arch: &str, template: &Template) -> Network {
    Network::from_checkpoint(arch, &Checkpoint::from_tensors("made.safetensors", template.random(1))).unwrap()
}

fn logits(network: &Network, height: i64, width: i64) -> Tensor {
    let x = Tensor::ones([2, 3, height, width], (Kind::Float, Device::Cpu));
    Pass::new(network, x, 0, Needs::default()).unwrap().logits().unwrap()
}

#[test]
fn every_family_runs_at_any_size_it_accepts() {
    let vgg: &[&[i64]] = &[&[4], &[4, 4], &[6], &[6], &[8]];
    let networks = [
        ("vgg", synthetic::vgg(vgg, false, 16, 5)),
        ("vgg", synthetic::vgg(vgg, true, 16, 5)),
        ("resnet", tiny_resnet(true, 1)),
        ("resnet", tiny_resnet(false, 1)),
        ("resnet", tiny_resnet(true, 4)),
        ("densenet", synthetic::densenet(4, &[1, 2, 1, 1], 8, 5)),
        ("inception_v3", synthetic::inception(16, 5)),
        ("squeezenet", synthetic::squeezenet(true, 8, 5)),
        ("squeezenet", synthetic::squeezenet(false, 8, 5)),
    ];
    for (arch, template) in networks {
        let network = build(arch, &template);
        assert_eq!(network.classes, 5, "{arch}");
        for (height, width) in [(96, 96), (80, 112), (131, 77)] {
            assert_eq!(logits(&network, height, width).size(), [2, 5], "{arch} at {height} × {width}");
        }
        network.graph.resolve(&network.layer).unwrap();
        let shared = network.shallow_clone().unwrap();
        assert_eq!(logits(&shared, 80, 96), logits(&network, 80, 96), "{arch} shared");
    }
}

#[test]
fn members_are_recognised_by_their_shapes() {
    for name in ["resnet50", "densenet121", "inception_v3"] {
        let tensors = synthetic::named(name).unwrap();
        // Values don't matter here, so none are drawn.
        let zeros = |shape: &[i64]| Tensor::zeros(shape, (Kind::Float, Device::Cpu));
        let tensors = tensors.shapes().map(|(name, shape)| (name.to_owned(), zeros(shape)));
        let network = Network::from_checkpoint(name, &Checkpoint::from_tensors(name, tensors)).unwrap();
        assert_eq!(network.architecture, name);
    }
    // Published parameter counts, running statistics aside.
    let trained = |t: &Template| {
        t.shapes().filter(|(n, _)| !n.contains("running_")).map(|(_, s)| s.iter().product::<i64>()).sum::<i64>()
    };
    assert_eq!(trained(&synthetic::named("resnet50").unwrap()), 25_557_032);
    assert_eq!(trained(&synthetic::named("densenet121").unwrap()), 7_978_856);
    assert_eq!(trained(&synthetic::named("inception_v3").unwrap()), 23_834_568);
    assert_eq!(trained(&synthetic::squeezenet(false, 1, 1000)), 1_248_424);
    assert_eq!(trained(&synthetic::squeezenet(true, 1, 1000)), 1_235_496);
    assert_eq!(build("squeezenet1_0", &synthetic::squeezenet(false, 8, 5)).architecture, "squeezenet1_0");
    assert_eq!(build("squeezenet1_1", &synthetic::squeezenet(true, 8, 5)).architecture, "squeezenet1_1");
    assert_eq!(build("resnet", &tiny_resnet(true, 1)).architecture, "resnet (bottleneck blocks [1, 2, 1, 1])");
    for (arch, id) in
        [("resnet50", "resnet"), ("wide_resnet50_2", "resnet"), ("vgg16_bn", "vgg"), ("squeezenet1_1", "squeezenet")]
    {
        assert_eq!(family(arch).unwrap().id, id);
    }
}

/// The message for a checkpoint that was changed.
fn refusal(arch: &str, change: impl FnOnce(&mut Vec<(String, Tensor)>)) -> String {
    let mut tensors = tiny_resnet(false, 1).random(1);
    change(&mut tensors);
    Network::from_checkpoint(arch, &Checkpoint::from_tensors("made.safetensors", tensors)).unwrap_err().to_string()
}

#[test]
fn broken_checkpoints_are_refused_by_tensor() {
    let zeros = |shape: &[i64]| Tensor::zeros(shape, (Kind::Float, Device::Cpu));
    let missing = refusal("resnet", |t| t.retain(|(name, _)| name != "layer2.0.bn1.running_mean"));
    assert_eq!(missing, "checkpoint made.safetensors, layer2.0.bn1.running_mean: is missing");
    let wrapped = refusal("resnet", |t| t.iter_mut().for_each(|(name, _)| name.insert_str(0, "module.")));
    assert!(wrapped.contains("conv1.weight: is missing; there is a module.conv1.weight: convert"), "{wrapped}");
    let extra = refusal("resnet", |t| t.push(("layer5.0.conv1.weight".into(), zeros(&[1]))));
    assert_eq!(extra, "checkpoint made.safetensors, layer5.0.conv1.weight: is not part of this network");
    let extras = refusal("resnet", |t| t.extend((0..7).map(|i| (format!("x{i}"), zeros(&[1])))));
    assert_eq!(
        extras,
        "checkpoint made.safetensors, x0: is not part of this network, nor are 6 more (x1, x2, x3, x4, …)"
    );
    let misshapen = refusal("resnet", |t| {
        t.iter_mut().filter(|(name, _)| name == "bn1.weight").for_each(|(_, tensor)| *tensor = zeros(&[9]));
    });
    assert_eq!(misshapen, "checkpoint made.safetensors, bn1.weight: has shape [9], expected [8]");
    let misfit = refusal("resnet", |t| {
        t.iter_mut()
            .filter(|(name, _)| name == "layer1.0.conv2.weight")
            .for_each(|(_, tensor)| *tensor = zeros(&[8, 5, 3, 3]));
    });
    assert!(misfit.contains("layer1.0.conv2.weight: has shape [8, 5, 3, 3], expected 8 input channels"), "{misfit}");
    let flat = refusal("resnet", |t| {
        t.iter_mut().filter(|(name, _)| name == "fc.weight").for_each(|(_, tensor)| *tensor = zeros(&[5]));
    });
    assert_eq!(flat, "checkpoint made.safetensors, fc.weight: has shape [5], expected [any, 16]");
    let imaginary = refusal("resnet", |t| {
        let variance = t.iter_mut().find(|(name, _)| name == "layer1.0.bn2.running_var").unwrap();
        let _ = variance.1.get(3).fill_(-0.5);
    });
    assert!(imaginary.contains("layer1.0.bn2.running_var: holds a negative variance"), "{imaginary}");
    let member = refusal("resnet50", |_| {});
    assert_eq!(member, "checkpoint made.safetensors: is resnet (basic blocks [1, 2, 1, 1]), not resnet50");
    let family = refusal("vgg", |_| {});
    assert!(family.contains("features.0.weight: is missing"), "{family}");
    let typo = refusal("resnt", |_| {});
    assert_eq!(typo, "unknown arch 'resnt'; did you mean 'resnet'?");
}

#[test]
fn broken_files_are_refused_by_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let message = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Network::load("resnet", &path).unwrap_err().to_string()
    };
    assert!(message("empty", b"").contains("the file is empty"));
    assert!(message("zip.pth", b"PK\x03\x04rest").contains("convert it with scripts/convert_weights.py"));
    assert!(message("old.pth", &[0x80, 2, 0x8a, 10]).contains("convert it with scripts/convert_weights.py"));
    assert!(message("lfs", b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
    assert!(message("short", &[200, 0, 0, 0, 0, 0, 0, 0, b'{']).contains("not a complete safetensors file"));
    let missing = Network::load("resnet", &folder.path().join("none")).unwrap_err().to_string();
    assert!(missing.contains("can't be read"), "{missing}");
    let save = |name: &str, tensor: Tensor| {
        let path = folder.path().join(name);
        Tensor::write_safetensors(&[("conv1.weight", tensor)], &path).unwrap();
        Network::load("resnet", &path).unwrap_err().to_string()
    };
    let nan = save("nan", Tensor::full([8, 3, 7, 7], f64::NAN, (Kind::Float, Device::Cpu)));
    assert!(nan.contains("tensor conv1.weight holds values that are not finite"), "{nan}");
    let integers = save("int", Tensor::zeros([8, 3, 7, 7], (Kind::Int64, Device::Cpu)));
    assert!(integers.contains("weights must be floating point"), "{integers}");
    let axes = save("axes", Tensor::zeros([1; 6], (Kind::Float, Device::Cpu)));
    assert!(axes.contains("tensor conv1.weight has 6 axes; weights have at most 5"), "{axes}");
    let empty = save("nothing", Tensor::zeros([0, 3, 7, 7], (Kind::Float, Device::Cpu)));
    assert!(empty.contains("tensor conv1.weight of shape [0, 3, 7, 7] is empty"), "{empty}");
}

#[test]
fn layers_and_classes_that_do_not_exist_are_refused() {
    let network = build("resnet", &tiny_resnet(false, 1));
    let typo = network.graph.resolve("layer44").unwrap_err().to_string();
    assert!(typo.starts_with("unknown layer 'layer44'; did you mean 'layer4"), "{typo}");
    assert!(network.graph.resolve("input").is_err());
    let views = || Tensor::zeros([1, 3, 64, 64], (Kind::Float, Device::Cpu));
    let class = Pass::new(&network, views(), 5, Needs::default()).err().unwrap().to_string();
    assert_eq!(class, "class 5: the network has 5 classes, 0 to 4");
    let inception = build("inception_v3", &synthetic::inception(16, 5));
    let small = Pass::new(&inception, views().narrow(2, 0, 40), 0, Needs::default()).unwrap().logits().unwrap_err();
    assert!(small.to_string().contains("for an input of [1, 3, 40, 64]"), "{small}");
}

#[test]
fn both_forms_agree_at_the_training_size() {
    let vgg: &[&[i64]] = &[&[4], &[4], &[6], &[6], &[8]];
    let square = Tensor::arange(3 * 224 * 224, (Kind::Float, Device::Cpu)).view([1, 3, 224, 224]);
    let square = (square * 0.013).sin();
    for (arch, template) in [("vgg", synthetic::vgg(vgg, false, 16, 5)), ("resnet", tiny_resnet(true, 1))] {
        let pooled = build(arch, &template);
        let convolutional = pooled.convolutional().unwrap();
        let pass = |network: &Network, class| {
            let layers = network.layers(None, None).unwrap();
            let pass = Pass::new(network, square.shallow_clone(), class, Needs::layer(layers.target)).unwrap();
            (pass.logits().unwrap(), pass.gradient(layers.target).unwrap())
        };
        let (one, other) = (pass(&pooled, 2), pass(&convolutional, 2));
        let off = |a: &Tensor, b: &Tensor| (a - b).abs().max().double_value(&[]) / b.abs().max().double_value(&[]);
        assert!(off(&one.0, &other.0) < 1e-5 && off(&one.1, &other.1) < 1e-4, "{arch}");
        // Wider inputs have a map of logits, over which the class's one is spread.
        let wide = square.repeat([1, 1, 1, 2]).narrow(3, 0, 298);
        let pass = Pass::new(&convolutional, wide, 3, Needs::default()).unwrap();
        let cotangent = pass.cotangent().unwrap();
        let size = cotangent.size();
        assert!(size[..2] == [1, 5] && size[2] == 1 && size[3] > 1, "{arch}: {size:?}");
        assert!((cotangent.sum(Kind::Double).double_value(&[]) - 1.0).abs() < 1e-5);
        assert!((cotangent.select(1, 3).sum(Kind::Double).double_value(&[]) - 1.0).abs() < 1e-5);
        assert_eq!(pass.logits().unwrap().size(), [1, 5]);
        // And smaller ones don't fit.
        let small = square.narrow(2, 0, 64).narrow(3, 0, 64);
        let error = Pass::new(&convolutional, small, 0, Needs::default()).unwrap().logits().unwrap_err().to_string();
        assert!(error.contains(if arch == "vgg" { "layer classifier.0" } else { "layer avgpool" }), "{error}");
    }
    let squeezenet = build("squeezenet", &synthetic::squeezenet(true, 8, 5));
    let error = squeezenet.convolutional().unwrap_err().to_string();
    assert_eq!(error, "squeezenet1_1 has no convolutional form; there is one for vgg and resnet");
}
