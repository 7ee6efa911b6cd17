//! UCAG, protocols and post-processing against values worked out by hand.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::rc::Rc;
use std::sync::Arc;

use tch::{Device, Kind, Tensor};
use ucag_core::explain::cam::Layer;
use ucag_core::explain::cam::gradcampp;
use ucag_core::explain::{Explainer, METHODS, Method, Settings, method};
use ucag_core::image_ops::{Interpolation, resize};
use ucag_core::network::synthetic;
use ucag_core::network::synthetic::ResNet;
use ucag_core::network::{Checkpoint, Network};
use ucag_core::pass::{ForwardPass, Needs, Pass};
use ucag_core::postprocess::{MapKind, MapState, saliency};
use ucag_core::protocol::{Coverage, LargeMaps, MapProtocol, Smoothing, ViewWeight};
use ucag_core::ucag::conquer::{conquer, weights};
use ucag_core::ucag::unfold::{Geometry, unfold};
use ucag_core::ucag::{ExplainRequest, plain, ucag};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn values(x: &Tensor) -> Vec<f64> {
    Vec::try_from(&x.to_kind(Kind::Double).contiguous().view([-1])).unwrap()
}

fn network() -> Network {
    network_of(Kind::Float)
}

fn network_of(kind: Kind) -> Network {
    let shape = ResNet { bottleneck: false, depths: [1; 4], stem: 8, planes: [8, 8, 12, 12], groups: 1, widening: 1 };
    let tensors = synthetic::resnet(&shape, 5).random(2).into_iter().map(|(name, tensor)| (name, tensor.to_kind(kind)));
    Network::from_checkpoint("resnet", &Checkpoint::from_tensors("made", tensors)).unwrap()
}

/// Methods that UCAG can be around.
fn with_ucag() -> Vec<&'static Method> {
    METHODS.iter().copied().filter(|method| method.not_with_ucag.is_none()).collect()
}

/// A method with small numbers for what is repeated many times.
fn quick(method: &Method) -> Arc<dyn Explainer> {
    let mut settings = Settings::defaults(method.settings);
    let small = [
        ("masks", vec![20.0]),
        ("iterations", vec![2.0]),
        ("areas", vec![0.1]),
        ("resolutions", vec![64.0, 80.0]),
        ("steps", vec![3.0]),
        ("samples", vec![3.0]),
    ];
    for (key, values) in small {
        let _ = settings.set(key, values); // where it has them
    }
    (method.make)(&settings)
}

fn image() -> Tensor {
    (Tensor::arange(3 * 64 * 80, FLOAT) * 0.37).sin().view([1, 3, 64, 80])
}

#[test]
fn geometry_is_that_of_the_released_code() {
    // Side, patch, stride, canvas, enlarged patch: worked out for the protocol's defaults.
    for (side, crop, stride, canvas, view) in [
        (224, 124, 20, 224, 322),
        (298, 164, 27, 299, 426),
        (299, 165, 27, 300, 429),
        (300, 166, 27, 301, 431),
        (336, 186, 30, 336, 483),
        (400, 221, 36, 401, 574),
        (640, 354, 57, 639, 920),
    ] {
        let g = Geometry::new([side, side], &MapProtocol::official()).unwrap();
        assert_eq!((g.crop[0], g.stride[0], g.canvas()[0], g.view[0]), (crop, stride, canvas, view), "side {side}");
        if side == 224 || side == 299 {
            assert_eq!(g, Geometry::new([side, side], &MapProtocol::paper()).unwrap(), "0.555 and 124/224 agree there");
        }
    }
}

#[test]
fn geometry_out_of_range_is_refused_in_words() {
    let refuse = |change: fn(&mut MapProtocol), image: [i64; 2]| {
        let mut protocol = MapProtocol::official();
        change(&mut protocol);
        Geometry::new(image, &protocol).unwrap_err().to_string()
    };
    assert_eq!(refuse(|p| p.n = 1, [224, 224]), "n = 1: views per axis must be 2 to 64");
    assert!(refuse(|p| p.rho = 0.0, [224, 224]).starts_with("rho = 0:"));
    assert!(refuse(|p| p.rho = f64::NAN, [224, 224]).starts_with("rho = NaN:"));
    assert!(refuse(|p| p.alpha = -1.0, [224, 224]).starts_with("alpha = -1:"));
    assert!(refuse(|p| p.rho = 0.1, [8, 224]).contains("some views would be empty"));
    assert!(refuse(|_| (), [1, 1]).contains("some views would be empty"));
}

#[test]
fn folding_ones_shows_the_coverage() {
    let fold = |coverage: Coverage| {
        let protocol = MapProtocol { coverage, ..MapProtocol::official() };
        let geometry = Geometry::new([224, 224], &protocol).unwrap();
        conquer(&Tensor::ones([36, 1, 3, 3], FLOAT), &Tensor::ones([36], FLOAT), &geometry, &protocol).unwrap()
    };
    assert!(values(&fold(Coverage::True)).iter().all(|v| (v - 1.0).abs() < 1e-6));
    // A pixel that Γ views cover keeps Γ / (Γ + 1): one view in a corner, 36 in the middle, 6 in
    // the middle of an edge.
    let attenuated = fold(Coverage::PlusOne);
    let at = |y, x| attenuated.double_value(&[0, 0, y, x]);
    for (y, x, covering) in
        [(0, 0, 1.0), (223, 223, 1.0), (112, 112, 36.0), (0, 112, 6.0), (112, 223, 6.0), (25, 25, 4.0)]
    {
        let expected: f64 = covering / (covering + 1.0);
        assert!((at(y, x) - expected).abs() < 1e-6, "{} at {y}, {x}", at(y, x));
    }
}

#[test]
fn confidences_weigh_as_named() {
    let q = Tensor::from_slice(&[0.0f32, 0.5, 1.0]);
    let weigh = |confidence| values(&weights(&q, confidence).unwrap());
    let close = |ours: Vec<f64>, expected: [f64; 3]| ours.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    let e = std::f64::consts::E;
    assert!(close(weigh(ViewWeight::ExpSoftmax), [1.0, e.sqrt(), e]));
    assert!(close(weigh(ViewWeight::ExpSoftmaxOverMax), [1.0 / e, 1.0 / e.sqrt(), 1.0]));
    assert!(close(weigh(ViewWeight::Softmax), [0.0, 0.5, 1.0]));
    assert!(close(weigh(ViewWeight::None), [1.0, 1.0, 1.0]));
}

#[test]
fn a_view_that_the_border_cuts_is_stretched() {
    // At 299 the last view would end at 300. A ramp of columns tells how it was stretched: 164
    // columns to 429.
    let protocol =
        MapProtocol { interpolation: ucag_core::image_ops::Interpolation::Bilinear, ..MapProtocol::official() };
    let ramp = Tensor::arange(299, FLOAT).view([1, 1, 1, 299]).expand([1, 1, 299, 299], false).contiguous();
    let geometry = Geometry::new([299, 299], &protocol).unwrap();
    let last = unfold(&ramp, &geometry, &protocol, 35..36).unwrap();
    assert_eq!(last.size(), [1, 1, 429, 429]);
    let excitation = last.double_value(&[0, 0, 200, 214]);
    assert!((excitation - (135.0 + 214.5 * 164.0 / 429.0 - 0.5)).abs() < 1e-3, "{excitation}");
}

#[test]
fn degenerate_maps_are_typed_and_scored_as_zeros() {
    let protocol = MapProtocol::official();
    let see = |raw: Tensor, post| {
        let seen = saliency(&raw.view([1, 1, 2, 2]), post, [8, 8], false, &protocol).unwrap();
        assert_eq!(seen.map.size(), [8, 8]);
        let zero = values(&seen.map).iter().all(|v| *v == 0.0);
        assert_eq!(zero, seen.state != MapState::Ok);
        seen.state
    };
    let map = |values: [f32; 4]| Tensor::from_slice(&values);
    assert_eq!(see(map([0.0; 4]), MapKind::Cam), MapState::AllZero);
    assert_eq!(see(map([-1.0, -2.0, -3.0, -4.0]), MapKind::Cam), MapState::AllZero, "nothing speaks for the class");
    assert_eq!(see(map([-1.0, -2.0, -3.0, -4.0]), MapKind::Signed), MapState::Ok);
    assert_eq!(see(map([2.0; 4]), MapKind::Cam), MapState::Constant);
    assert_eq!(see(map([1.0, f32::NAN, 0.0, 0.0]), MapKind::Cam), MapState::NonFinite);
    assert_eq!(see(map([1.0, f32::INFINITY, 0.0, 0.0]), MapKind::MinMax), MapState::NonFinite);
    assert_eq!(see(map([0.0, 1.0, 0.0, 0.0]), MapKind::Cam), MapState::Ok);
}

#[test]
fn protocols_differ_where_they_say() {
    let raw = Tensor::from_slice(&[0.0f32, 1.0, 2.0, 3.0]).view([1, 1, 2, 2]);
    let map =
        |protocol: &MapProtocol, ucag| values(&saliency(&raw, MapKind::Cam, [32, 32], ucag, protocol).unwrap().map);
    let [official, paper, controlled] = [MapProtocol::official(), MapProtocol::paper(), MapProtocol::controlled()];
    assert_ne!(map(&official, false), map(&official, true), "official smooths UCAG's maps only");
    assert_eq!(map(&paper, false), map(&paper, true));
    assert_eq!(map(&controlled, false), map(&controlled, true), "controlled smooths both alike");
    assert_eq!(map(&controlled, true), map(&official, true));
    assert_eq!(map(&paper, true), map(&official, false));
    assert_eq!((controlled.coverage, controlled.smoothing), (Coverage::True, Smoothing::Both));
}

#[test]
fn gradcampp_survives_logits_that_leave_float32() {
    let layer = |logit: f64| Layer {
        activation: Tensor::from_slice(&[1.0f32, 2.0, 0.5, 0.0]).view([1, 1, 2, 2]),
        gradient: Tensor::from_slice(&[0.1f32, 0.2, -0.3, 0.1]).view([1, 1, 2, 2]),
        logit: Tensor::full([1, 1, 1, 1], logit, FLOAT),
    };
    // Σ max(G, 0)³ = 0.001 + 0.008 + 0.001.
    let small = values(&gradcampp::torchcam(&layer(0.0)).unwrap());
    assert!((small[1] - 2.0 * 0.01).abs() < 1e-8);
    for form in [gradcampp::torchcam, gradcampp::divided, gradcampp::authors_class, gradcampp::canonical] {
        let large = form(&layer(100.0)).unwrap();
        assert!(values(&large).iter().all(|v| v.is_finite()));
        assert_eq!(
            saliency(&large, MapKind::Cam, [4, 4], false, &MapProtocol::official()).unwrap().state,
            MapState::Ok
        );
    }
}

#[test]
fn maps_as_large_as_their_views_go_by_way_of_the_images_size_in_the_released_code() {
    let official = MapProtocol { n: 2, ..MapProtocol::official() };
    let direct = MapProtocol { large_maps: LargeMaps::Directly, ..official };
    let geometry = Geometry::new([40, 56], &official).unwrap();
    let [height, width] = geometry.view;
    let maps = (Tensor::arange(4 * height * width, FLOAT) * 0.7).sin().view([4, 1, height, width]);
    let even = Tensor::ones([4], FLOAT);
    let folded = |maps: &Tensor, protocol: &MapProtocol| conquer(maps, &even, &geometry, protocol).unwrap();
    let by_image = resize(&maps, geometry.image, Interpolation::Bilinear).unwrap();
    assert_eq!(values(&folded(&maps, &official)), values(&folded(&by_image, &direct)));
    assert_ne!(values(&folded(&maps, &official)), values(&folded(&maps, &direct)));
    // Smaller maps, such as CAMs, go straight.
    let small = maps.narrow(2, 0, height - 1);
    assert_eq!(values(&folded(&small, &official)), values(&folded(&small, &direct)));
}

#[test]
fn batches_of_views_change_no_map() {
    // In double precision: libtorch rounds otherwise in other batches, and RAP divides by
    // differences of what it rounded.
    let network = network_of(Kind::Double);
    let image = image().to_kind(Kind::Double);
    let methods = with_ucag();
    let protocol = MapProtocol { n: 3, alpha: 1.5, ..MapProtocol::official() };
    let explainers: Vec<_> = methods.iter().map(|method| quick(method)).collect();
    let explainers: Vec<&dyn Explainer> = explainers.iter().map(|explainer| &**explainer).collect();
    let maps = |views_per_batch| {
        let layers = network.layers(None, None).unwrap();
        let request =
            ExplainRequest { network: &network, image: &image, classes: &[3], layers, views_per_batch, seed: 11 };
        ucag(&request, &explainers, &protocol).unwrap().remove(0)
    };
    let (one, four, all) = (maps(1), maps(4), maps(9));
    for (index, method) in methods.iter().enumerate() {
        let scale = one[index].abs().max().double_value(&[]);
        for other in [&four[index], &all[index]] {
            let off = (&one[index] - other).abs().max().double_value(&[]);
            assert!(off <= 1e-6 * scale, "{} is off by {off} of {scale}", method.id);
        }
    }
}

#[test]
fn methods_together_equal_methods_apart() {
    let network = network();
    let image = image();
    let layers = network.layers(None, None).unwrap();
    let request =
        |classes| ExplainRequest { network: &network, image: &image, classes, layers, views_per_batch: 12, seed: 0 };
    let all: Vec<_> = METHODS.iter().map(|method| quick(method)).collect();
    let all: Vec<&dyn Explainer> = all.iter().map(|explainer| &**explainer).collect();
    // Classes together, too.
    let together = plain(&request(&[4, 1]), &all).unwrap().remove(1);
    for ((method, explainer), map) in METHODS.iter().zip(all).zip(&together) {
        let alone = plain(&request(&[1]), &[explainer]).unwrap();
        assert!(
            (map - &alone[0][0]).abs().max().double_value(&[]) <= 1e-6 * map.abs().max().double_value(&[]),
            "{}",
            method.id
        );
    }
}

#[test]
fn what_belongs_to_the_image_is_computed_once_for_all_classes() {
    let network = network();
    let image = image();
    let layers = network.layers(None, None).unwrap();
    let run = |ids: &[&str], classes: &[usize]| {
        let before = network.views();
        let methods: Vec<_> = ids.iter().map(|id| quick(method(id).unwrap())).collect();
        let methods: Vec<&dyn Explainer> = methods.iter().map(|method| &**method).collect();
        let request =
            ExplainRequest { network: &network, image: &image, classes, layers, views_per_batch: 12, seed: 0 };
        plain(&request, &methods).unwrap();
        network.views() - before
    };
    let cheap = ["gradcam", "layercam", "gradient", "deconvnet", "guided-backprop", "mwp", "cmwp", "normgrad"];
    // One pass for those that look at the last layer, one for excitation backprop, which stops in
    // the middle, one for those that go all the way.
    assert_eq!(run(&cheap, &[1]), 3, "eight methods share three passes");
    assert_eq!(run(&cheap, &[0, 1, 4]), 3, "and so do classes");
    // 20 masks; two resolutions, of which the first is the image; 12 channels.
    assert_eq!(run(&["gradcam", "rise", "cameras", "scorecam"], &[0, 1, 4]), 1 + 20 + 1 + 12);
    // Only this one works for a class at a time: two iterations of one area.
    assert_eq!(run(&["extremal"], &[0, 1, 4]), 3 * 2);
}

#[test]
fn a_method_gives_the_same_bits_in_any_company() {
    let (network, image) = (network(), image());
    let layers = network.layers(None, None).unwrap();
    let run = |ids: &[&str], folded: bool| {
        let methods: Vec<_> = ids.iter().map(|id| quick(method(id).unwrap())).collect();
        let methods: Vec<&dyn Explainer> = methods.iter().map(|method| &**method).collect();
        let request =
            ExplainRequest { network: &network, image: &image, classes: &[3], layers, views_per_batch: 12, seed: 0 };
        let maps = if folded { ucag(&request, &methods, &MapProtocol::official()) } else { plain(&request, &methods) };
        maps.unwrap().swap_remove(0)
    };
    let all = ["gradcam", "gradient", "fullgrad", "mwp", "lrp", "normgrad", "gradcam++", "rap"];
    for folded in [false, true] {
        for (id, together) in all.iter().zip(run(&all, folded)) {
            assert_eq!(run(&[id], folded)[0], together, "{id}");
        }
    }
}

#[test]
fn one_trace_serves_several_classes() {
    let network = network();
    let layer = network.graph.resolve("layer3").unwrap();
    let forward_pass = Rc::new(ForwardPass::new(&network, image(), Needs::layer(layer)));
    for class in [0, 4, 0] {
        let apart = Pass::new(&network, image(), class, Needs::layer(layer)).unwrap();
        assert_eq!(forward_pass.target(class).unwrap().gradient(layer).unwrap(), apart.gradient(layer).unwrap());
    }
}

#[test]
fn the_registry_holds_together() {
    for (index, one) in METHODS.iter().enumerate() {
        assert!(METHODS[..index].iter().all(|other| other.id != one.id && other.name != one.name), "{}", one.id);
        assert_eq!(method(one.id).unwrap().id, one.id);
        assert!(
            one.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '+' || c == '-'),
            "{}",
            one.id
        );
    }
    assert_eq!(method("gradcm").unwrap_err().to_string(), "unknown method 'gradcm'; did you mean 'gradcam'?");
}
