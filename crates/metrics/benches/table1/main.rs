//! The cost of an image of Table 1: GradCAM, GradCAM++ and WGradCAM, each with and without UCAG,
//! each scored by deletion and insertion, against the same work done the way the authors' code does
//! it. Random weights, in turn in one process. Prints one table.
//!
//! CPU seconds, not wall-clock, wherever there is one worker: machines are shared. What matters are
//! the ratios.
//!
//! `cargo bench -p metrics --bench table1 -- resnet50 bf16` measures one network, in bfloat16.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

mod authors;

use std::time::Instant;

use cpu_time::ProcessTime;
use metrics::blur::Blur;
use metrics::deletion_insertion::{Perturbation, ScoredClass, score};
use metrics::protocol::{EmptyPairs, TieOrder};
use metrics::{Endpoints, ScoreInput, Validity};
use tch::{Device, Kind, Tensor};
use ucag_core::explain::{Explainer, method};
use ucag_core::network::{Checkpoint, Network, OpKind, Precision, synthetic};
use ucag_core::pass::{Needs, Pass};
use ucag_core::postprocess::{MapKind, saliency};
use ucag_core::protocol::MapProtocol;
use ucag_core::ucag::{ExplainRequest, plain, ucag};

const METHODS: [&str; 3] = ["gradcam", "gradcam++", "wgradcam"];
const CLASS: usize = 7;
const ROUNDS: usize = 2;

fn main() {
    tch::set_num_threads(1);
    let said: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let precision = if said.iter().any(|word| word == "bf16") { Precision::Bfloat16 } else { Precision::Float32 };
    let named: Vec<&str> = said.iter().map(String::as_str).filter(|word| *word != "bf16").collect();
    let names = if named.is_empty() { vec!["resnet50", "densenet121", "inception_v3"] } else { named };
    println!("Table 1, one image, {precision:?}; CPU seconds on one core, best of {ROUNDS} rounds in turn");
    println!(
        "random weights; the authors' way is measured for one method and two curves, and counted for three and twelve"
    );
    for name in names {
        measure(name, precision);
    }
    println!("peak memory of the process: {} MiB", peak_mib());
}

fn measure(name: &str, precision: Precision) {
    let tensors = synthetic::named(name).unwrap_or_else(|| panic!("no template {name}")).random(1);
    let network = Network::from_checkpoint(name, &Checkpoint::from_tensors("random", tensors)).unwrap();
    let network = network.with_precision(precision).unwrap();
    let side = network.input_size as i64;
    let image = Tensor::rand([1, 3, side, side], (Kind::Float, Device::Cpu)) * 4.0 - 2.0;
    let protocol = MapProtocol::official();
    let batch = image.repeat([8, 1, 1, 1]);
    let factor = Tensor::rand([1024, 1024], (Kind::Float, Device::Cpu));

    let mut rows: [f64; 9] = [f64::INFINITY; 9];
    let mut keep = |row: usize, seconds: f64| rows[row] = rows[row].min(seconds);
    // Whatever is made once a network is made now.
    let _ = forward(&network, &batch);
    for _ in 0..ROUNDS {
        for _ in 0..8 {
            keep(0, cpu(|| _ = factor.matmul(&factor)));
        }
        for _ in 0..3 {
            keep(1, cpu(|| _ = forward(&network, &batch)) / 8.0);
            keep(2, cpu(|| authors::forward(&network, &batch)) / 8.0);
        }
        let (maps, seconds) = timed(|| explain(&network, &image, &protocol, true, &METHODS[..1]));
        keep(3, seconds);
        keep(4, cpu(|| authors::ucag(&network, &image, &protocol, CLASS)));
        keep(5, cpu(|| authors::plain(&network, &image, CLASS)));
        keep(6, cpu(|| _ = curves(&network, &image, &maps)));
        keep(7, cpu(|| authors::curves(&network, &image, &maps[0])));
        keep(8, cpu(|| whole(&network, &image, &protocol)));
    }
    let [matmul, ours, usual, folded, authors_ucag, authors_plain, curve, authors_curve, whole_ours] = rows;
    let operations = operations(&network, &image);
    let peak = 2.0 * 1024f64.powi(3) / matmul;
    let views: f64 = {
        let geometry = ucag_core::ucag::unfold::Geometry::new([side, side], &protocol).unwrap();
        let view = Tensor::rand([1, 3, geometry.view[0], geometry.view[1]], (Kind::Float, Device::Cpu));
        self::operations(&network, &view) * geometry.len() as f64
    };
    // The points between the ends of both curves; the three ends are the image's.
    let asked = 2 * ((side * side) as usize).div_ceil(8 * side as usize) - 2 + 3;
    let authors_whole = 3.0 * (authors_ucag + authors_plain) + 6.0 * authors_curve;
    println!("\n{name}, {side} × {side}");
    println!("  matrix product of 1024 × 1024    {:8.1} GFLOP/s", peak / 1e9);
    println!(
        "  forward pass, 8 images           {ours:8.3} s an image, {:.2} of that rate; as PyTorch runs it {usual:.3} s",
        operations / ours / peak
    );
    println!(
        "  GradCAM in UCAG                  {folded:8.2} s, {:.2} of that rate; the authors' way {authors_ucag:.2} s; ratio {:.3}",
        views / folded / peak,
        folded / authors_ucag
    );
    println!(
        "  deletion and insertion of a map  {curve:8.2} s, {:.2} of the forward pass's rate; the authors' way {authors_curve:.2} s",
        ours * asked as f64 / curve
    );
    println!(
        "  all of Table 1 for an image      {whole_ours:8.2} s; the authors' way {authors_whole:.2} s; {:.2} times as fast",
        authors_whole / whole_ours
    );
    let (one, two) = (wall(&network, &image, &protocol, 1), wall(&network, &image, &protocol, 2));
    println!(
        "  seconds on the clock             {one:8.2} s with one worker, {:.2} s with two; {:.2} times as fast",
        two / 2.0,
        2.0 * one / two
    );
}

fn forward(network: &Network, images: &Tensor) -> Tensor {
    Pass::new(network, images.shallow_clone(), 0, Needs::default()).unwrap().logits().unwrap()
}

/// Finished maps `[H, W]` of these methods.
fn explain(network: &Network, image: &Tensor, protocol: &MapProtocol, folded: bool, ids: &[&str]) -> Vec<Tensor> {
    let explainers: Vec<_> = ids.iter().map(|id| method(id).unwrap().explainer()).collect();
    let explainers: Vec<&dyn Explainer> = explainers.iter().map(|explainer| &**explainer).collect();
    let layers = network.layers(None, None).unwrap();
    let request = ExplainRequest { network, image, classes: &[CLASS], layers, views_per_batch: 6, seed: 0 };
    let maps = if folded { ucag(&request, &explainers, protocol) } else { plain(&request, &explainers) };
    let size = [image.size()[2], image.size()[3]];
    let finish = |raw: &Tensor| saliency(raw, MapKind::Cam, size, folded, protocol).unwrap().map;
    maps.unwrap()[0].iter().map(finish).collect()
}

/// Deletion and insertion of each map.
fn curves(network: &Network, image: &Tensor, maps: &[Tensor]) -> f64 {
    let endpoints = Endpoints::default();
    let probabilities = |images: &Tensor| Ok(forward(network, images).softmax(1, Kind::Float));
    let deleted = Tensor::zeros([1, 3, 1, 1], (Kind::Float, Device::Cpu));
    let mut sum = 0.0;
    for map in maps {
        let case = ScoreInput {
            map,
            signed: false,
            validity: Validity::Valid,
            point: None,
            image,
            class: CLASS,
            classifier: &probabilities,
            endpoints: &endpoints,
            deleted: &deleted,
            tie_order: TieOrder::LargerIndexFirst,
            step: None,
            batch: 8,
            region: None,
            object: None,
            empty_pairs: EmptyPairs::Released,
        };
        for start in [Perturbation::Deletion, Perturbation::Insertion(Blur::Authors)] {
            sum += score(&case, start, ScoredClass::Given).unwrap().value;
        }
    }
    sum
}

fn whole(network: &Network, image: &Tensor, protocol: &MapProtocol) {
    let mut maps = explain(network, image, protocol, false, &METHODS);
    maps.extend(explain(network, image, protocol, true, &METHODS));
    let _ = curves(network, image, &maps);
}

/// Seconds on the clock for an image on each of so many workers at once.
fn wall(network: &Network, image: &Tensor, protocol: &MapProtocol, workers: usize) -> f64 {
    let hands: Vec<_> =
        (0..workers).map(|_| (network.shallow_clone().unwrap(), image.shallow_clone(), *protocol)).collect();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (network, image, protocol) in hands {
            scope.spawn(move || {
                tch::set_num_threads(1);
                whole(&network, &image, &protocol);
            });
        }
    });
    start.elapsed().as_secs_f64()
}

/// Floating-point operations of a forward pass over one image: two for each product in convolutions
/// and fully connected layers.
fn operations(network: &Network, image: &Tensor) -> f64 {
    let mut values = vec![image.shallow_clone()];
    let mut sum = 0.0;
    for node in &network.graph.nodes()[1..] {
        let inputs: Vec<&Tensor> = node.inputs.iter().map(|&input| &values[input]).collect();
        let value = node.op.apply(&inputs).unwrap();
        let weights = match node.op.kind() {
            OpKind::Conv(conv) => conv.weight.numel() * (value.size()[2] * value.size()[3]) as usize,
            OpKind::Linear(linear) => linear.weight.numel(),
            _ => 0,
        };
        sum += 2.0 * weights as f64;
        values.push(value);
    }
    sum
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = ProcessTime::now();
    let made = work();
    (made, start.elapsed().as_secs_f64())
}

fn cpu(work: impl FnOnce()) -> f64 {
    timed(work).1
}

/// Most memory that this process ever held, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default()
        / 1024
}
