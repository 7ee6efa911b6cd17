//! The forward pass with all its short cuts, against the network's operations one after the other.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use crate::support::{off, one_by_one};
use tch::{Kind, Tensor};
use ucag_core::network::{Checkpoint, Conv, FAMILIES, Flatten, Network, Precision, Relu};
use ucag_core::pass::{Needs, Pass};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families").join(format!("{name}.safetensors"))
}

fn network(name: &str, kind: Kind) -> Network {
    let stem: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
    let family = FAMILIES.iter().find(|family| family.id.starts_with(&stem)).unwrap().id;
    let stored = Tensor::read_safetensors(fixture(name)).unwrap();
    let tensors = stored.into_iter().map(|(key, tensor)| (key, tensor.to_kind(kind)));
    Network::from_checkpoint(family, &Checkpoint::from_tensors(name, tensors)).unwrap()
}

fn views() -> Tensor {
    let stored = Tensor::read_safetensors(fixture("input_113x78")).unwrap();
    let one = stored[0].1.to_kind(Kind::Float).unsqueeze(0) / 64;
    Tensor::cat(&[&one, &one.flip([3i64]), &(&one * 0.5)], 0)
}

const EVERY: [&str; 11] = [
    "vgg",
    "vgg_bn",
    "vgg_caffe",
    "resnet_basic",
    "resnet_caffe",
    "resnet_grouped",
    "resnet_wide",
    "densenet",
    "inception_v3",
    "inception_v3_transform",
    "squeezenet1_0",
];

/// Returns the allowed error of a float32 run: four times what one without short cuts is, and some
/// units in the last place.
fn allowed(usual: &Tensor, exact: &Tensor) -> f64 {
    4.0 * off(usual, exact) + 1e-6
}

#[test]
fn whatever_is_asked_for_is_what_the_operations_give() {
    for name in EVERY {
        let (single, double) = (network(name, Kind::Float), network(name, Kind::Double));
        let views = views();
        let views = if name.starts_with("inception") { Tensor::cat(&[&views, &views.flip([2i64])], 2) } else { views };
        let (usual, exact) = (one_by_one(&single, &views), one_by_one(&double, &views.to_kind(Kind::Double)));
        let last = single.graph.output();
        let every: Vec<usize> = (0..=last).collect();
        // Nothing, all, and each operation's kinds at some depth: its own output must be its own,
        // whatever is folded or written over around it.
        let mut asked = vec![vec![], every.clone()];
        asked.extend(every.iter().step_by(5).map(|&node| vec![node]));
        asked.push(every.iter().copied().filter(|&node| single.graph.nodes()[node].op.is::<Conv>()).collect());
        asked.push(every.iter().copied().filter(|&node| single.graph.nodes()[node].op.is::<Relu>()).collect());
        for activations in asked {
            let pass = Pass::new(
                &single,
                views.shallow_clone(),
                0,
                Needs { activations: activations.clone(), ..Needs::default() },
            )
            .unwrap();
            let logits = off(&pass.logits().unwrap(), &exact[last]);
            assert!(
                logits <= allowed(&usual[last], &exact[last]),
                "{name}, asked for {activations:?}: logits are off by {logits}"
            );
            for &node in &activations {
                let kept = pass.activation(node).unwrap();
                assert_eq!((kept.kind(), kept.is_mkldnn()), (Kind::Float, false));
                let off = off(&kept, &exact[node]);
                let what = &single.graph.nodes()[node].name;
                assert!(
                    off <= allowed(&usual[node], &exact[node]),
                    "{name}, asked for {activations:?}: {what} is off by {off}"
                );
            }
        }
    }
}

#[test]
fn gradients_behind_the_fast_lane_are_those_of_the_operations() {
    for name in EVERY.iter().filter(|name| !name.starts_with("inception")) {
        let (single, double) = (network(name, Kind::Float), network(name, Kind::Double));
        let views = views();
        let last = single.graph.output();
        for node in (1..last).step_by(7).filter(|&node| !single.graph.nodes()[node].op.is::<Flatten>()) {
            let gradient = |network: &Network, views: &Tensor, shortened: bool| {
                let mut needs = Needs::layer(node);
                if !shortened {
                    needs.activations = (0..=last).collect();
                }
                Pass::new(network, views.shallow_clone(), 1, needs).unwrap().gradient(node).unwrap()
            };
            // Asked for everything, a pass takes no short cut.
            let exact = gradient(&double, &views.to_kind(Kind::Double), false);
            if exact.abs().max().double_value(&[]) == 0.0 {
                continue;
            }
            let (usual, ours) = (gradient(&single, &views, false), gradient(&single, &views, true));
            let off = off(&ours, &exact);
            // A rectifier at its kink may be on either side of it.
            assert!(
                off <= allowed(&usual, &exact).max(1e-4),
                "{name}: at {} off by {off}",
                single.graph.nodes()[node].name
            );
        }
    }
}

#[test]
fn bfloat16_rounds_and_is_no_other_network() {
    for name in EVERY {
        let single = network(name, Kind::Float);
        let rounded = match single.with_precision(Precision::Bfloat16) {
            Ok(rounded) => rounded,
            Err(error) => {
                assert!(
                    error.to_string().starts_with("precision \"bf16\" needs a processor that can do it"),
                    "{error}"
                );
                println!("skipped: {error}");
                return;
            }
        };
        assert_eq!((single.precision(), rounded.precision()), (Precision::Float32, Precision::Bfloat16));
        let views = views();
        let views = if name.starts_with("inception") { Tensor::cat(&[&views, &views.flip([2i64])], 2) } else { views };
        let logits = |network: &Network, needs: Needs| {
            Pass::new(network, views.shallow_clone(), 0, needs).unwrap().logits().unwrap()
        };
        let exact = logits(&single, Needs::default());
        let ours = logits(&rounded, Needs::default());
        assert_eq!(ours.kind(), Kind::Float);
        let off = off(&ours, &exact);
        println!("{name}: bfloat16 is off by {off:.1e} of the largest logit");
        assert!(off > 1e-5 && off < 0.1, "{name}: off by {off}");
        // Gradients at the views need autograd all the way, which is float32's.
        let all = || Needs { gradients: vec![0], ..Needs::default() };
        assert_eq!(logits(&rounded, all()), logits(&single, all()));
    }
}
