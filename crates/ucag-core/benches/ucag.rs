//! UCAG around GradCAM on ResNet-50, against the same work done the way the authors' code does it: forward and a full backward pass
//! with gradients of the weights. Random weights, one core, both sides in turn in one process. Prints one table.
//!
//! CPU seconds, not wall-clock: machines are shared. What matters is the ratio.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::sync::Arc;

use cpu_time::ProcessTime;
use tch::{Device, Kind, Tensor};
use ucag_core::explain::{Explainer, method};
use ucag_core::network::{Checkpoint, Network, Op, template};
use ucag_core::protocol::Protocol;
use ucag_core::ucag::{Subject, ucag};
use ucag_core::unfold::{Geometry, unfold};

const ROUNDS: usize = 3;
const CLASS: usize = 7;

fn main() {
    tch::set_num_threads(1);
    let tensors = template::named("resnet50").unwrap().random(1);
    let network = Network::from_checkpoint("resnet50", &Checkpoint::from_tensors("random", tensors)).unwrap();
    let layers = network.layers(None, None).unwrap();
    let image = Tensor::rand([1, 3, 224, 224], (Kind::Float, Device::Cpu)) * 4.0 - 2.0;
    let protocol = Protocol::official();
    let explain = |ids: &[&str]| {
        let methods: Vec<Arc<dyn Explainer>> = ids.iter().map(|id| method(id).unwrap().explainer()).collect();
        let methods: Vec<&dyn Explainer> = methods.iter().map(|method| &**method).collect();
        let (network, image) = (&network, &image);
        let subject = Subject { network, image, classes: &[CLASS], layers, views_per_batch: 6, seed: 0 };
        ucag(&subject, &methods, &protocol).unwrap();
    };
    let four = ["gradcam", "gradcam++", "xgradcam", "layercam"];
    // Ours first: the high-water mark of memory only rises.
    explain(&four);
    let peak = peak_mib();
    let mut rows: [(&str, Vec<f64>); 3] = [
        ("GradCAM in UCAG", vec![]),
        ("four CAM methods in UCAG", vec![]),
        ("the authors' way: forward, backward with weight gradients", vec![]),
    ];
    for _ in 0..ROUNDS {
        rows[0].1.push(seconds(|| explain(&["gradcam"])));
        rows[1].1.push(seconds(|| explain(&four)));
        rows[2].1.push(seconds(|| authors_way(&network, &image, &protocol)));
    }
    let best = |row: usize| rows[row].1.iter().copied().fold(f64::INFINITY, f64::min);
    println!("ResNet-50, 224 × 224, 36 views of 322 × 322, one core, CPU seconds, best of {ROUNDS} rounds in turn");
    for (row, (name, _)) in rows.iter().enumerate() {
        println!("  {:8.2} s  {:5.3} of the authors' way  {name}", best(row), best(row) / best(2));
    }
    println!("  four methods / one: {:.3}", best(1) / best(0));
    println!("  peak memory of UCAG with four methods, 6 views a batch: {peak} MiB (the whole process)");
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = ProcessTime::now();
    work();
    start.elapsed().as_secs_f64()
}

/// In chunks of 16 views, as there: every weight requires a gradient, and the one-hot score is propagated all the way back.
fn authors_way(network: &Network, image: &Tensor, protocol: &Protocol) {
    let geometry = Geometry::new([224, 224], protocol).unwrap();
    let own = network.share().unwrap();
    let mut weights = Vec::new();
    for node in own.graph.nodes() {
        match &node.op {
            Op::Conv(conv) => weights.push(conv.weight.set_requires_grad(true)),
            Op::BatchNorm(norm) => weights.extend([&norm.weight, &norm.bias].map(|w| w.set_requires_grad(true))),
            Op::Linear { weight, bias } => {
                weights.push(weight.set_requires_grad(true));
                weights.extend(bias.iter().map(|bias| bias.set_requires_grad(true)));
            }
            _ => {}
        }
    }
    for start in (0..geometry.len()).step_by(16) {
        let views = unfold(image, &geometry, protocol, start..geometry.len().min(start + 16)).unwrap();
        let mut values: Vec<Option<Tensor>> = vec![Some(views)];
        for node in &own.graph.nodes()[1..] {
            let inputs: Vec<&Tensor> = node.inputs.iter().map(|&input| values[input].as_ref().unwrap()).collect();
            values.push(Some(node.op.apply(&inputs).unwrap()));
        }
        let logits = values.pop().flatten().unwrap();
        let score = logits.select(1, CLASS as i64).sum(Kind::Float);
        Tensor::run_backward(&[score], &weights, false, false);
    }
    for weight in &weights {
        let _ = weight.set_requires_grad(false);
    }
}

/// Most memory that this process ever held, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default()
        / 1024
}
