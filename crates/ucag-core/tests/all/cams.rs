//! Methods that look at a layer: against autograd, against themselves one class and one view at a
//! time, and what they say they cost.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::rc::Rc;
use std::sync::Arc;

use tch::{Device, Kind, Tensor};
use ucag_core::explain::{Explainer, Settings, method};
use ucag_core::network::synthetic;
use ucag_core::network::synthetic::{ResNet, Template};
use ucag_core::network::{Checkpoint, Conv, ConvPadding, Layers, Network};
use ucag_core::pass::{ForwardPass, Needs, Pass};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn build(arch: &str, template: &Template) -> Network {
    // Tests run side by side already.
    tch::set_num_threads(1);
    Network::from_checkpoint(arch, &Checkpoint::from_tensors("made", template.random(3))).unwrap()
}

fn resnet(groups: i64) -> Network {
    let shape = ResNet {
        bottleneck: groups > 1,
        depths: [1; 4],
        stem: 8,
        planes: [8, 8, 12, 12],
        groups,
        widening: if groups > 1 { 2 } else { 1 },
    };
    build("resnet", &synthetic::resnet(&shape, 5))
}

fn views(count: i64) -> Tensor {
    (Tensor::arange(count * 3 * 64 * 80, FLOAT) * 0.37).sin().view([count, 3, 64, 80])
}

fn with(id: &str, resolutions: &[f64]) -> Arc<dyn Explainer> {
    let method = method(id).unwrap();
    let mut settings = Settings::defaults(method.settings);
    if id == "cameras" {
        settings.set("resolutions", resolutions.to_vec()).unwrap();
    }
    (method.make)(&settings)
}

fn off(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[]) / b.abs().max().double_value(&[])
}

/// The largest difference between `normgrad-conv` at a convolution and the norm, position by
/// position, of what autograd gives for its weights there.
fn off_from_autograd(network: &Network, layer: &str) -> f64 {
    let explainer = method("normgrad-conv").unwrap().explainer();
    let layers = network.layers(Some(layer), None).unwrap();
    let node = &network.graph.nodes()[layers.target];
    let conv: &Conv = node.op.downcast_ref().unwrap_or_else(|| panic!("{layer} is no convolution"));
    let ConvPadding::Even(padding) = conv.padding else { panic!("{:?}", conv.padding) };
    let needs = explainer.needs(network, &layers).unwrap();
    let pass = Pass::new(network, views(1), 2, needs).unwrap();
    let map = explainer.explain(&pass, &layers).unwrap();
    let input = pass.activation(node.inputs[0]).unwrap();
    let gradient = pass.gradient(layers.target).unwrap();
    let weight = conv.weight.copy().set_requires_grad(true);
    let output = input.conv2d(&weight, None::<Tensor>, conv.stride, padding, [1, 1], conv.groups);
    let [_, _, height, width] = output.size()[..] else { panic!("a map has four sides") };
    assert_eq!(map.size(), [1, 1, height, width], "{layer}");
    let mut expected = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let here = |t: &Tensor| t.narrow(2, y, 1).narrow(3, x, 1);
            let score = (here(&output) * here(&gradient)).sum(Kind::Float);
            let part = Tensor::run_backward(&[score], &[&weight], true, false).remove(0);
            expected.push(part.square().sum(Kind::Double).sqrt().double_value(&[]));
        }
    }
    off(&map.to_kind(Kind::Double).view([-1]), &Tensor::from_slice(&expected))
}

#[test]
fn normgrad_is_each_positions_share_of_the_weights_gradient() {
    let (plain, grouped) = (resnet(1), resnet(4));
    // A stride of 2 at 7 × 7 and 3 × 3, and at 1 × 1 without padding; groups with and without a
    // stride.
    for layer in ["conv1", "layer3.0.conv1", "layer3.0.conv2", "layer3.0.downsample.0"] {
        assert!(off_from_autograd(&plain, layer) < 1e-5, "{layer}");
    }
    for layer in ["layer1.0.conv2", "layer3.0.conv2", "layer3.0.conv3"] {
        assert!(off_from_autograd(&grouped, layer) < 1e-5, "{layer} with groups");
    }
}

#[test]
fn normgrad_looks_for_a_convolution_in_front() {
    let shape = ResNet { bottleneck: true, depths: [2; 4], stem: 8, planes: [4; 4], groups: 1, widening: 1 };
    let network = build("resnet", &synthetic::resnet(&shape, 5));
    let explainer = method("normgrad-conv").unwrap().explainer();
    let map = |layer: &str| {
        let layers = network.layers(Some(layer), None).unwrap();
        let needs = explainer.needs(&network, &layers).unwrap();
        explainer.explain(&Pass::new(&network, views(1), 2, needs).unwrap(), &layers).unwrap()
    };
    assert_eq!(map("layer4"), map("layer4.1.conv3"));
    assert_ne!(map("layer4"), map("layer4.1.conv2"));
}

/// A map for each class, all from one trace.
fn together(
    network: &Network,
    layers: &Layers,
    explainers: &[&dyn Explainer],
    count: i64,
    said: &[usize],
) -> Vec<Tensor> {
    let needs = explainers.iter().map(|e| e.needs(network, layers).unwrap());
    let needs = needs.fold(Needs::default(), |all, own| all.union(&own));
    let forward_pass = Rc::new(ForwardPass::new(network, views(count), needs).with_classes(said));
    let maps = explainers.iter().flat_map(|explainer| {
        let forward_pass = Rc::clone(&forward_pass);
        [0, 4].map(move |class| explainer.explain(&forward_pass.target(class).unwrap(), layers).unwrap())
    });
    maps.collect()
}

#[test]
fn what_classes_share_is_not_mixed_up() {
    let network = resnet(1);
    let layers = network.layers(None, None).unwrap();
    let made = [
        with("cameras", &[64.0, 96.0]),
        with("cameras", &[64.0, 128.0]),
        with("scorecam", &[]),
        with("scorecam-torchcam", &[]),
        with("scorecam-pgc", &[]),
    ];
    let explainers: Vec<&dyn Explainer> = made.iter().map(|explainer| &**explainer).collect();
    let all = together(&network, &layers, &explainers, 3, &[4, 0]);
    for (index, explainer) in explainers.iter().enumerate() {
        // Not told the classes beforehand, and alone.
        let alone = together(&network, &layers, &[*explainer], 3, &[]);
        for (one, other) in all[2 * index..].iter().zip(&alone) {
            assert!(off(one, other) < 1e-5, "{explainer:?}");
        }
        assert!(off(&alone[0], &alone[1]) > 1e-3, "{explainer:?} gives both classes one map");
        // The first of three views as if it were the only one.
        let single = together(&network, &layers, &[*explainer], 1, &[]);
        assert!(off(&all[2 * index].narrow(0, 0, 1), &single[0]) < 1e-4, "{explainer:?}");
    }
    assert!(off(&all[0], &all[2]) > 1e-3, "two lists of resolutions give one map");
    // And another layer of the same views.
    let other = network.layers(Some("layer3"), None).unwrap();
    let needs = Needs::layer(layers.target).union(&Needs::layer(other.target));
    let forward_pass = Rc::new(ForwardPass::new(&network, views(1), needs).with_classes(&[1]));
    for explainer in &explainers {
        let map = |layers: &Layers| explainer.explain(&forward_pass.target(1).unwrap(), layers).unwrap();
        let alone = explainer.needs(&network, &other).unwrap();
        let alone = explainer.explain(&Pass::new(&network, views(1), 1, alone).unwrap(), &other).unwrap();
        let _ = map(&layers);
        assert!(off(&map(&other), &alone) < 1e-5, "{explainer:?} at two layers");
    }
}

#[test]
fn score_cam_runs_the_network_as_often_as_it_says() {
    let vgg: &[&[i64]] = &[&[4], &[4, 4], &[6], &[6], &[8]];
    let networks = [
        build("vgg", &synthetic::vgg(vgg, true, 16, 5)),
        resnet(1),
        resnet(4),
        build("densenet", &synthetic::densenet(4, &[1, 2, 1, 1], 8, 5)),
        build("inception_v3", &synthetic::inception(16, 5)),
        build("squeezenet", &synthetic::squeezenet(true, 8, 5)),
    ];
    for network in &networks {
        let layers = network.layers(None, None).unwrap();
        let explainer = with("scorecam", &[]);
        let needs = explainer.needs(network, &layers).unwrap();
        let pass = Pass::new(network, Tensor::ones([1, 3, 96, 96], FLOAT), 0, needs).unwrap();
        let channels = pass.activation(layers.target).unwrap().size()[1];
        let extra = explainer.extra_passes(network, &layers);
        assert_eq!((extra.per_view, extra.per_class), (channels as usize, 0), "{}", network.architecture);
    }
}

#[test]
fn layers_without_positions_are_refused_in_words() {
    let vgg: &[&[i64]] = &[&[4], &[4, 4], &[6], &[6], &[8]];
    let network = build("vgg", &synthetic::vgg(vgg, false, 16, 5));
    let layers = network.layers(Some("classifier.0"), None).unwrap();
    for id in
        ["gradcam", "normgrad", "cameras", "scorecam", "scorecam-torchcam", "scorecam-pgc", "linear-approximation"]
    {
        let explainer = with(id, &[64.0, 96.0]);
        let needs = explainer.needs(&network, &layers).unwrap();
        let error = explainer.explain(&Pass::new(&network, views(1), 0, needs).unwrap(), &layers).unwrap_err();
        let expected = "layer classifier.0 gives [1, 16], without height and width";
        assert!(error.to_string().starts_with(expected), "{id}: {error}");
    }
}
