//! The same work the way the authors' code does it: every operation as the network has it, a pass
//! of its own for every method, gradients of all weights, and the images of a curve each in full.

use metrics::deletion_insertion::order;
use metrics::protocol::TieOrder;
use tch::{Device, Kind, Tensor};
use ucag_core::image_ops::{Border, gaussian_blur};
use ucag_core::network::{Linear, Network, OpKind};
use ucag_core::protocol::MapProtocol;
use ucag_core::ucag::unfold::{Geometry, unfold};

/// Images that one call of the network gets while a curve is made.
const BATCH: usize = 8;

/// A forward pass without gradients, each output dropped after its last reader.
pub(crate) fn forward(network: &Network, images: &Tensor) {
    let _ = run(network, images, false);
}

fn run(network: &Network, images: &Tensor, keep: bool) -> Tensor {
    let graph = &network.graph;
    let mut values: Vec<Option<Tensor>> = vec![Some(images.shallow_clone())];
    for (id, node) in graph.nodes().iter().enumerate().skip(1) {
        let inputs: Vec<&Tensor> = node.inputs.iter().map(|&input| values[input].as_ref().unwrap()).collect();
        let value = node.op.apply(&inputs).unwrap();
        if !keep {
            node.inputs.iter().filter(|&&input| graph.last_use(input) == id).for_each(|&input| values[input] = None);
        }
        values.push(Some(value));
    }
    values.pop().flatten().unwrap()
}

/// One method without UCAG.
pub(crate) fn plain(network: &Network, image: &Tensor, class: usize) {
    with_weight_gradients(network, |own, weights| {
        let score = run(own, image, true).select(1, class as i64).sum(Kind::Float);
        let _ = Tensor::run_backward(&[score], weights, false, false);
    });
}

/// One method in UCAG: in chunks of 16 views, as there.
pub(crate) fn ucag(network: &Network, image: &Tensor, protocol: &MapProtocol, class: usize) {
    let size = [image.size()[2], image.size()[3]];
    let geometry = Geometry::new(size, protocol).unwrap();
    with_weight_gradients(network, |own, weights| {
        for start in (0..geometry.len()).step_by(16) {
            let views = unfold(image, &geometry, protocol, start..geometry.len().min(start + 16)).unwrap();
            let score = run(own, &views, true).select(1, class as i64).sum(Kind::Float);
            let _ = Tensor::run_backward(&[score], weights, false, false);
        }
    });
}

fn with_weight_gradients(network: &Network, work: impl FnOnce(&Network, &[Tensor])) {
    let own = network.shallow_clone().unwrap();
    let mut weights = Vec::new();
    for node in own.graph.nodes() {
        match node.op.kind() {
            OpKind::Conv(conv) => {
                weights.push(conv.weight.set_requires_grad(true));
                weights.extend(conv.bias.iter().map(|bias| bias.set_requires_grad(true)));
            }
            OpKind::BatchNorm(norm) => weights.extend([&norm.weight, &norm.bias].map(|w| w.set_requires_grad(true))),
            OpKind::Linear(Linear { weight, bias }) => {
                weights.push(weight.set_requires_grad(true));
                weights.extend(bias.iter().map(|bias| bias.set_requires_grad(true)));
            }
            _ => {}
        }
    }
    work(&own, &weights);
    for weight in &weights {
        let _ = weight.set_requires_grad(false);
    }
}

/// Deletion and insertion of one map: one step after the other, both ends among them.
pub(crate) fn curves(network: &Network, image: &Tensor, map: &Tensor) {
    let (pixels, side) = (map.numel() as i64, map.size()[0]);
    let order = order(map, TieOrder::LargerIndexFirst).unwrap();
    let step = 8 * side;
    let blurred = gaussian_blur(image, 51, 50.0, Border::Reflect).unwrap();
    for (from, to) in [(image.shallow_clone(), image.zeros_like()), (blurred, image.shallow_clone())] {
        let mut current = from.view([3, pixels]).copy();
        let to = to.view([3, pixels]);
        let mut images = Vec::new();
        for start in (0..pixels + step).step_by(step as usize) {
            images.push(current.copy().view([1, 3, side, side]));
            let moved = order.narrow(0, start.min(pixels), step.min(pixels - start.min(pixels)));
            current = current.index_copy(1, &moved, &to.index_select(1, &moved));
        }
        for images in images.chunks(BATCH) {
            let probabilities = run(network, &Tensor::cat(images, 0), false).softmax(1, Kind::Float);
            let _ = Vec::<f32>::try_from(&probabilities.select(1, 0).to_device(Device::Cpu)).unwrap();
        }
    }
}
