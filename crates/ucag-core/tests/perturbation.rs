//! RISE and extremal perturbation against what can be said of them without running them.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::rc::Rc;
use std::sync::Arc;

use tch::{Device, Kind, Tensor};
use ucag_core::explain::rise::Form;
use ucag_core::explain::rise::masks::{Grids, Stretch};
use ucag_core::explain::{Explainer, Settings, method};
use ucag_core::network::template::{self, ResNet};
use ucag_core::network::{Checkpoint, Network};
use ucag_core::pass::{Needs, Seed, Trace};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn network() -> Network {
    let shape = ResNet { bottleneck: false, depths: [1; 4], stem: 8, planes: [8, 8, 12, 12], groups: 1, widening: 1 };
    let tensors = template::resnet(&shape, 5).random(2);
    Network::from_checkpoint("resnet", &Checkpoint::from_tensors("made", tensors)).unwrap()
}

fn views(count: i64) -> Tensor {
    (Tensor::arange(count * 3 * 40 * 56, FLOAT) * 0.37).sin().view([count, 3, 40, 56])
}

fn with(id: &str, settings: &[(&str, &[f64])]) -> Arc<dyn Explainer> {
    let method = method(id).unwrap();
    let mut chosen = Settings::published(method.settings);
    settings.iter().for_each(|(key, values)| chosen.set(key, values.to_vec()).unwrap());
    (method.make)(&chosen)
}

/// Maps of `classes`, asked for together, of the views from number `first` on.
fn maps(explainer: &dyn Explainer, views: Tensor, classes: &[usize], seed: Seed) -> Vec<Tensor> {
    let network = network();
    let layers = network.layers(None, None).unwrap();
    let needs = explainer.needs(&network, &layers).unwrap();
    let trace = Rc::new(Trace::new(&network, views, needs).with_classes(classes).with_seed(seed));
    classes.iter().map(|&class| explainer.explain(&trace.target(class).unwrap(), &layers).unwrap()).collect()
}

fn off(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[]) / b.abs().max().double_value(&[])
}

const SEED: Seed = Seed { image: 5, view: 3 };

#[test]
fn rise_masks_show_every_pixel_as_often_as_said() {
    const COUNT: usize = 4000;
    for (form, cells, p) in [(Form::TorchRay, 7, 0.5), (Form::Authors, 10, 0.1)] {
        let stretch = Stretch::new(form, cells, [40, 56], Kind::Float, Device::Cpu).unwrap();
        let (grids, shifts) = Grids::new(SEED, cells, p, &stretch).draw(COUNT).unwrap();
        let masks = stretch.masks(&grids, &shifts).unwrap();
        assert_eq!(masks.size(), [COUNT as i64, 1, 40, 56]);
        assert!(masks.min().double_value(&[]) >= 0.0 && masks.max().double_value(&[]) <= 1.0 + 1e-6);
        // A mean of COUNT numbers in [0, 1] with expectation p: five standard deviations at most.
        let bound = 5.0 * (p * (1.0 - p) / COUNT as f64).sqrt();
        let worst = (masks.mean_dim([0i64].as_slice(), false, Kind::Float) - p).abs().max().double_value(&[]);
        assert!(worst < bound, "{form:?}: a pixel is {worst} from {p}, bound {bound}");
        let row = shifts.select(1, 0).max().int64_value(&[]) + 1;
        assert_eq!(row, [6, 4][usize::from(form == Form::Authors)], "shifts reach over one cell");
    }
}

#[test]
fn rise_maps_of_all_classes_add_up_to_the_masks() {
    // Probabilities add up to one, so what is left of all maps together is the masks themselves, whatever the network.
    let settings: &[(&str, &[f64])] = &[("masks", &[70.0]), ("grid", &[5.0]), ("probability", &[0.3])];
    let maps = maps(&*with("rise-original", settings), views(1), &[0, 1, 2, 3, 4], SEED);
    let stretch = Stretch::new(Form::Authors, 5, [40, 56], Kind::Float, Device::Cpu).unwrap();
    let (grids, shifts) = Grids::new(SEED, 5, 0.3, &stretch).draw(70).unwrap();
    let masks = stretch.masks(&grids, &shifts).unwrap();
    let expected = masks.sum_dim_intlist([0i64].as_slice(), true, Kind::Float) / (70.0 * 0.3);
    let sum = maps.iter().fold(Tensor::zeros([1, 1, 40, 56], FLOAT), |sum, map| sum + map);
    assert!(off(&sum, &expected) < 1e-5, "{}", off(&sum, &expected));
}

#[test]
fn rise_depends_on_image_and_view_and_on_nothing_else() {
    let few = with("rise", &[("masks", &[40.0])]);
    let both = maps(&*few, views(2), &[4, 1], SEED);
    for (index, view) in [(0, 3), (1, 4)] {
        let alone = maps(&*few, views(2).narrow(0, index, 1), &[1], Seed { view, ..SEED });
        assert!(off(&both[1].narrow(0, index, 1), &alone[0]) < 1e-5);
    }
    let other = |seed| off(&maps(&*few, views(1), &[1], seed)[0], &both[1].narrow(0, 0, 1));
    assert!(other(Seed { image: 6, ..SEED }) > 1e-3);
    assert!(other(Seed { view: 4, ..SEED }) > 1e-3);
    // More masks are other masks, even where the same pass was asked before.
    assert!(off(&maps(&*with("rise", &[("masks", &[39.0])]), views(2), &[4, 1], SEED)[1], &both[1]) > 1e-4);
}

#[test]
fn rise_answers_for_a_class_that_was_not_announced() {
    let network = network();
    let layers = network.layers(None, None).unwrap();
    let few = with("rise", &[("masks", &[20.0])]);
    let trace = |classes: &[usize]| {
        Rc::new(Trace::new(&network, views(1), Needs::default()).with_classes(classes).with_seed(SEED))
    };
    let explain = |classes: &[usize]| few.explain(&trace(classes).target(2).unwrap(), &layers).unwrap();
    assert!(off(&explain(&[]), &explain(&[0, 2])) < 1e-6);
    assert!(off(&explain(&[1]), &explain(&[2])) < 1e-6);
}
