//! Cost of relevance propagation on ResNet-50 and VGG-19 at 224 × 224: CPU time of one map, its
//! forward pass included, over that of a forward pass as PyTorch runs it, one operation after the
//! other, and the most memory that the process ever held. Random weights, one core, all in turn in
//! one process. Prints one table.
//!
//! CPU seconds, not wall-clock: machines are shared. What matters is the ratio.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use cpu_time::ProcessTime;
use tch::{Device, Kind, Tensor};
use ucag_core::explain::method;
use ucag_core::network::{Checkpoint, Network, synthetic};
use ucag_core::pass::{Needs, Pass};
use ucag_core::protocol::MapProtocol;
use ucag_core::ucag::{ExplainRequest, plain, ucag};

const ROUNDS: usize = 21;
const CLASS: usize = 7;
const METHODS: &[&str] = &["lrp", "clrp", "sglrp", "rap", "rsp", "agf", "fullgrad"];

fn main() {
    tch::set_num_threads(1);
    for name in ["resnet50", "vgg19"] {
        let tensors = synthetic::named(name).unwrap().random(1);
        let network = Network::from_checkpoint(name, &Checkpoint::from_tensors("random", tensors)).unwrap();
        let image = Tensor::rand([1, 3, 224, 224], (Kind::Float, Device::Cpu)) * 4.0 - 2.0;
        let layers = network.layers(None, None).unwrap();
        let request =
            ExplainRequest { network: &network, image: &image, classes: &[CLASS], layers, views_per_batch: 6, seed: 0 };
        let forward = || {
            let _ = Pass::new(&network, image.shallow_clone(), 0, Needs::default()).unwrap().logits().unwrap();
        };
        let usual = || {
            let mut values: Vec<Option<Tensor>> = vec![Some(image.shallow_clone())];
            for (id, node) in network.graph.nodes().iter().enumerate().skip(1) {
                let inputs: Vec<&Tensor> = node.inputs.iter().map(|&input| values[input].as_ref().unwrap()).collect();
                let value = node.op.apply(&inputs).unwrap();
                node.inputs
                    .iter()
                    .filter(|&&input| network.graph.last_use(input) == id)
                    .for_each(|&i| values[i] = None);
                values.push(Some(value));
            }
        };
        let map = |id: &str| {
            plain(&request, &[&*method(id).unwrap().explainer()]).unwrap();
        };
        // First: the high-water mark of memory only rises.
        map("lrp");
        let alone = peak_mib();
        println!("{name}, 224 × 224, one core, CPU seconds, {ROUNDS} rounds in turn: median (lower to upper quartile)");
        let compare = |what: &str, work: &dyn Fn()| {
            let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (seconds(usual), seconds(work))).collect();
            let sorted = |row: fn(&(f64, f64)) -> f64| {
                let mut values: Vec<f64> = rounds.iter().map(row).collect();
                values.sort_by(f64::total_cmp);
                values
            };
            // A round's two times are neighbours, so that what else the machine does is in both.
            let (ratios, own) = (sorted(|(usual, own)| own / usual), sorted(|round| round.1));
            let [lower, median, upper] = [1, 2, 3].map(|quarter| ratios[ROUNDS * quarter / 4]);
            println!("  {:7.3} s  {median:6.2} ({lower:.2} to {upper:.2}) forward passes  {what}", own[ROUNDS / 2]);
        };
        compare("a forward pass as this program runs it where nobody looks inside", &forward);
        METHODS.iter().for_each(|id| compare(id, &|| map(id)));
        println!("  peak memory: {alone} MiB after one LRP map, {} MiB after all seven", peak_mib());
        // The second time the three share their walk of one unit, and keep the sums that all three
        // divide by.
        for ids in [&["lrp"][..], &["lrp", "clrp", "sglrp"]] {
            let explainers: Vec<_> = ids.iter().map(|id| method(id).unwrap().explainer()).collect();
            let explainers: Vec<_> = explainers.iter().map(|explainer| &**explainer).collect();
            let folded = seconds(|| {
                ucag(&request, &explainers, &MapProtocol::official()).unwrap();
            });
            let names = ids.join(", ");
            println!("  {folded:7.1} s  {names} in UCAG, 36 views, 6 a batch; peak memory {} MiB", peak_mib());
        }
    }
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = ProcessTime::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Most memory that this process ever held, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default()
        / 1024
}
