//! RISE and extremal perturbation against what can be said of them without running them.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::rc::Rc;
use std::sync::Arc;

use tch::{Device, Kind, Tensor};
use ucag_core::explain::perturbation::extremal::mask::MaskGenerator;
use ucag_core::explain::perturbation::extremal::perturbation::{Perturbation, Pyramid};
use ucag_core::explain::perturbation::extremal::search::{AreaTerm, Search};
use ucag_core::explain::perturbation::rise::Form;
use ucag_core::explain::perturbation::rise::masks::{Grids, Stretch};
use ucag_core::explain::{Explainer, Settings, method};
use ucag_core::network::synthetic;
use ucag_core::network::synthetic::ResNet;
use ucag_core::network::{Checkpoint, Network};
use ucag_core::pass::{ForwardPass, Needs, Seed};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn network() -> Network {
    let shape = ResNet { bottleneck: false, depths: [1; 4], stem: 8, planes: [8, 8, 12, 12], groups: 1, widening: 1 };
    let tensors = synthetic::resnet(&shape, 5).random(2);
    Network::from_checkpoint("resnet", &Checkpoint::from_tensors("made", tensors)).unwrap()
}

fn views(count: i64) -> Tensor {
    (Tensor::arange(count * 3 * 40 * 56, FLOAT) * 0.37).sin().view([count, 3, 40, 56])
}

fn with(id: &str, settings: &[(&str, &[f64])]) -> Arc<dyn Explainer> {
    let method = method(id).unwrap();
    let mut chosen = Settings::defaults(method.settings);
    settings.iter().for_each(|(key, values)| chosen.set(key, values.to_vec()).unwrap());
    (method.make)(&chosen)
}

/// Maps of `classes`, asked for together, of the views from number `first` on.
fn maps(explainer: &dyn Explainer, views: Tensor, classes: &[usize], seed: Seed) -> Vec<Tensor> {
    let network = network();
    let layers = network.layers(None, None).unwrap();
    let needs = explainer.needs(&network, &layers).unwrap();
    let forward_pass = Rc::new(ForwardPass::new(&network, views, needs).with_classes(classes).with_seed(seed));
    classes.iter().map(|&class| explainer.explain(&forward_pass.target(class).unwrap(), &layers).unwrap()).collect()
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
    // Probabilities add up to one, so what is left of all maps together is the masks themselves,
    // whatever the network.
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
    let forward_pass = |classes: &[usize]| {
        Rc::new(ForwardPass::new(&network, views(1), Needs::default()).with_classes(classes).with_seed(SEED))
    };
    let explain = |classes: &[usize]| few.explain(&forward_pass(classes).target(2).unwrap(), &layers).unwrap();
    assert!(off(&explain(&[]), &explain(&[0, 2])) < 1e-6);
    assert!(off(&explain(&[1]), &explain(&[2])) < 1e-6);
}

const DOUBLE: (Kind, Device) = (Kind::Double, Device::Cpu);

/// Numbers in [0, 1] without pattern or ties.
fn scattered(shape: &[i64]) -> Tensor {
    ((Tensor::arange(shape.iter().product::<i64>(), DOUBLE) * 12.9898).sin() * 43758.5453).frac().abs().view(shape)
}

#[test]
fn a_mask_is_the_weighted_mean_around_each_pixel() {
    // Sides that the step doesn't divide.
    let (size, step, sigma) = ([22, 31], 5, 9);
    let generator = MaskGenerator::new(size, step, sigma, Kind::Double, Device::Cpu).unwrap();
    assert_eq!(generator.grid(), [5, 7]);
    let parameters = scattered(&[1, 5, 7]);
    let full = generator.full(&parameters).unwrap();
    let mask = generator.crop(&full).unwrap();
    assert_eq!(mask.size(), [1, 22, 31]);
    // Parameter (i, j) lies at pixel (5i, 5j). A pixel sees those up to 1 + ⌈9 / 5⌉ = 3 steps from
    // the parameter after next, zeros beyond the grid.
    for (y, x) in [(0i64, 0i64), (21, 30), (7, 13), (20, 0), (11, 29)] {
        let window = |pixel: i64| {
            let first = (pixel + sigma).div_euclid(step) - (1 + (2 * sigma + step - 1) / step);
            first..first + 7
        };
        let (mut above, mut below) = (0.0, 0.0);
        for i in window(y) {
            for j in window(x) {
                let inside = (0..5).contains(&i) && (0..7).contains(&j);
                let parameter = if inside { parameters.double_value(&[0, i, j]) } else { 0.0 };
                let distance = ((y - step * i) as f64).hypot((x - step * j) as f64) / sigma as f64;
                let value = parameter * (-2.0 * (distance - 0.5).max(0.0).powi(2)).exp();
                above += value * (20.0 * value).exp();
                below += (20.0 * value).exp();
            }
        }
        let ours = mask.double_value(&[0, y, x]);
        assert!((ours - above / below).abs() < 1e-12, "{ours} at {y}, {x}, by hand {}", above / below);
    }
    // Padding and cropping are each other's transpose.
    assert_eq!(generator.crop(&generator.uncrop(&mask).unwrap()).unwrap(), mask);
    assert_eq!(generator.uncrop(&mask).unwrap().size(), full.size());
}

#[test]
fn gradients_of_the_search_are_slopes() {
    let generator = MaskGenerator::new([22, 31], 5, 9, Kind::Double, Device::Cpu).unwrap();
    let parameters = scattered(&[2, 5, 7]) * 0.9 + 0.05;
    let pyramid = Pyramid::new(&(scattered(&[1, 3, 22, 31]) - 0.5), Perturbation::Blur).unwrap();
    let weights = scattered(&[2, 3, 22, 31]);
    let areas = [0.1, 0.4];
    // A reward that is linear in the perturbed image, and the area term.
    let objective = |parameters: &Tensor| {
        let full = generator.full(parameters).unwrap();
        let images = pyramid.apply(&generator.crop(&full).unwrap()).unwrap().images;
        let reward = (images * &weights).sum(Kind::Double).double_value(&[]);
        reward + 300.0 * AreaTerm::of(&full, &areas).unwrap().value.sum(Kind::Double).double_value(&[])
    };
    let full = generator.full(&parameters).unwrap();
    let slopes = pyramid.apply(&generator.crop(&full).unwrap()).unwrap().slopes;
    let at_mask = (slopes * &weights).sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
    let at_full = generator.uncrop(&at_mask).unwrap() + AreaTerm::of(&full, &areas).unwrap().gradient * 300.0;
    let gradient = generator.back(&parameters, &at_full).unwrap();
    assert_eq!(gradient.size(), [2, 5, 7]);
    let scale = gradient.abs().max().double_value(&[]);
    const STEP: f64 = 1e-6;
    for at in [[0, 0, 0], [0, 2, 3], [1, 4, 6], [1, 0, 5], [1, 3, 1]] {
        let moved = |by: f64| {
            let parameters = parameters.copy();
            let _ = at.iter().fold(parameters.shallow_clone(), |x, &index| x.get(index)).g_add_scalar_(by);
            objective(&parameters)
        };
        let slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        let ours = gradient.double_value(&at);
        assert!((ours - slope).abs() < 1e-5 * scale, "{ours} at {at:?}, finite difference {slope}");
    }
}

#[test]
fn masks_of_the_right_area_are_left_alone() {
    // 3 of 12 pixels.
    let exact = Tensor::from_slice(&[0.0f32, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]).view([1, 3, 4]);
    let term = AreaTerm::of(&exact, &[0.25]).unwrap();
    assert_eq!((term.value.double_value(&[0]), term.gradient.abs().max().double_value(&[])), (0.0, 0.0));
    // 6 asked for: three zeros should be ones, -(3 · 1²) / 12. One asked for: two ones too many.
    assert!((AreaTerm::of(&exact, &[0.5]).unwrap().value.double_value(&[0]) + 3.0 / 12.0).abs() < 1e-7);
    let smaller = AreaTerm::of(&exact, &[1.0 / 12.0 - 1e-9]).unwrap();
    assert!((smaller.value.double_value(&[0]) + 2.0 / 12.0).abs() < 1e-7);
    assert!((smaller.gradient.sum(Kind::Float).double_value(&[]) + 2.0 * 2.0 / 12.0).abs() < 1e-6, "both must fall");
}

#[test]
fn a_mask_picks_the_strength_of_the_perturbation() {
    let image = scattered(&[1, 3, 20, 24]).to_kind(Kind::Float);
    let level = |of: Perturbation, mask: f64| {
        let masks = Tensor::full([1, 20, 24], mask, FLOAT);
        Pyramid::new(&image, of).unwrap().apply(&masks).unwrap().images
    };
    for of in [Perturbation::Blur, Perturbation::Fade] {
        assert_eq!(level(of, 1.0), image);
    }
    for mask in [0.0, 0.1, 0.5, 0.9] {
        let faded = level(Perturbation::Fade, mask);
        assert!((faded - &image * mask).abs().max().double_value(&[]) < 1e-6, "fading is linear: {mask}");
    }
    // The strongest blur of a constant, at a corner: the kernel reaches 80 pixels, of which the
    // image holds 0 to 19 and 0 to 23.
    let blurred = Pyramid::new(&Tensor::ones([1, 3, 20, 24], FLOAT), Perturbation::Blur).unwrap();
    let weight = |from: i32, to: i32| (from..=to).map(|i| (-f64::from(i * i) / 800.0).exp()).sum::<f64>();
    let expected = weight(0, 19) * weight(0, 23) / weight(-80, 80).powi(2);
    assert!((blurred.levels().double_value(&[0, 1, 0, 0]) - expected).abs() < 1e-6);
}

#[test]
fn areas_are_searched_apart_and_alike_every_time() {
    let network = network();
    let image = views(1);
    let search = |areas: &[f64], iterations| Search {
        areas: areas.to_vec(),
        iterations,
        perturbation: Perturbation::Fade,
        step: 7,
        sigma: 21,
    };
    let found = search(&[0.1, 0.3], 30).run(&network, &image, 1).unwrap();
    assert_eq!(
        (found.masks.size(), found.rewards.size(), found.area_terms.size()),
        (vec![2, 40, 56], vec![2, 30], vec![2, 30])
    );
    assert!(found.masks.min().double_value(&[]) >= 0.0 && found.masks.max().double_value(&[]) <= 1.0);
    // Areas share batches, not results: each is its own search, the same every time.
    for (index, area) in [(0, 0.1), (1, 0.3)] {
        let alone = search(&[area], 10).run(&network, &image, 1).unwrap();
        let together = search(&[0.1, 0.3], 10).run(&network, &image, 1).unwrap();
        assert!(off(&together.masks.get(index), &alone.masks.get(0)) < 1e-3);
        assert_eq!(alone.masks, search(&[area], 10).run(&network, &image, 1).unwrap().masks);
    }
    // The area term shrinks: masks of everything become masks of the areas.
    let weightless =
        |iteration: i64| found.area_terms.select(1, iteration) / (300.0 * 1.0035f64.powi(iteration as i32));
    assert!(weightless(29).gt_tensor(&weightless(0)).all().int64_value(&[]) == 1);
    assert!(search(&[], 5).run(&network, &image, 1).is_err() && search(&[0.1], 0).run(&network, &image, 1).is_err());
    assert!(search(&[0.1], 5).run(&network, &image, 99).is_err());
}

#[test]
fn extremal_maps_add_the_masks_of_each_view() {
    let quick = with("extremal", &[("iterations", &[3.0]), ("areas", &[0.1, 0.4])]);
    let both = maps(&*quick, views(2), &[4, 1], SEED);
    let search = Search { areas: vec![0.1, 0.4], iterations: 3, perturbation: Perturbation::Blur, step: 7, sigma: 21 };
    for (index, class) in [(0, 4), (1, 1)] {
        for view in 0..2 {
            let masks = search.run(&network(), &views(2).narrow(0, view, 1), class).unwrap().masks;
            let sum = (masks.get(0) + masks.get(1)).view([1, 1, 40, 56]);
            assert!(off(&both[index].narrow(0, view, 1), &sum) < 1e-6);
        }
    }
    let network = network();
    let extra = quick.extra_passes(&network, &network.layers(None, None).unwrap());
    assert_eq!((extra.per_view, extra.per_class), (0, 18), "two areas, three iterations, there and twice as much back");
}
