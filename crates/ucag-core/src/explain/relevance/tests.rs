//! Relevance is neither made nor lost, where a rule promises that: on random networks with
//! branches, sums, concatenation and pooling.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Kind, Tensor};

use super::composite::{Composite, all_activations};
use super::contrast::{contrast, softmax, uniform};
use super::{Inputs, LrpRule, agf, rap, rsp};
use crate::explain::gradient::backprop::{Relu, at_input};
use crate::network::{
    AdaptiveAvgPool, Add, AvgPool, BatchNorm, Concat, Conv, ConvPadding, Flatten, Input, Linear, MaxPool, Network,
    Node, NodeId, Op, Pool, op,
};
use crate::pass::{Needs, Pass};
use crate::propagate::needs;

const CLASSES: i64 = 4;

/// A piece of a random network. Everything with weights in it reads what is behind a ReLU.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Conv { kernel: i64, stride: i64, norm: bool },
    Grouped,
    MaxPool { ceil: bool },
    AvgPool { padding: i64 },
    Residual { norm: bool },
    Branches,
    Dense,
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        (prop_oneof![Just(1), Just(3), Just(5)], 1..=2i64, any::<bool>())
            .prop_map(|(kernel, stride, norm)| Piece::Conv { kernel, stride, norm }),
        Just(Piece::Grouped),
        any::<bool>().prop_map(|ceil| Piece::MaxPool { ceil }),
        (0..=1i64).prop_map(|padding| Piece::AvgPool { padding }),
        any::<bool>().prop_map(|norm| Piece::Residual { norm }),
        Just(Piece::Branches),
        Just(Piece::Dense),
    ]
}

/// The parts of a network besides the weights of its layers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Extras {
    /// Biases and shifts, which relevance can get lost in.
    Biases,
    /// Normalisations of either sign.
    Scales,
    /// Positive normalizations. A negative one turns negative contributions into positive ones, and
    /// unless it is folded relevance can arrive where no contribution is positive.
    PositiveScales,
}

/// Grows a network; `channels` of every node are known.
struct Grower {
    nodes: Vec<Node>,
    channels: Vec<i64>,
    extras: Extras,
    random: ChaCha8Rng,
}

impl Grower {
    fn normal(&mut self, shape: &[i64]) -> Tensor {
        let count = shape.iter().product::<i64>() as usize;
        let values: Vec<f64> = (0..count).map(|_| StandardNormal.sample(&mut self.random)).collect();
        Tensor::from_slice(&values).view(shape)
    }

    fn biases(&mut self, count: i64) -> Option<Tensor> {
        (self.extras == Extras::Biases).then(|| self.normal(&[count]))
    }

    fn push(&mut self, op: impl Into<Op>, inputs: &[NodeId], channels: i64) -> NodeId {
        let op = op.into();
        self.nodes.push(Node { name: format!("node{}", self.nodes.len()), op, inputs: inputs.to_vec() });
        self.channels.push(channels);
        self.nodes.len() - 1
    }

    fn conv(&mut self, x: NodeId, out: i64, kernel: i64, stride: i64, groups: i64) -> NodeId {
        let weight = self.normal(&[out, self.channels[x] / groups, kernel, kernel]);
        let bias = self.biases(out);
        let padding = ConvPadding::Even([kernel / 2; 2]);
        self.push(Conv { weight, bias, stride: [stride; 2], padding, dilation: [1, 1], groups }, &[x], out)
    }

    fn norm(&mut self, x: NodeId) -> NodeId {
        let channels = self.channels[x];
        let zeros = Tensor::zeros([channels], (Kind::Double, Device::Cpu));
        let weight = self.normal(&[channels]);
        let norm = BatchNorm {
            weight: if self.extras == Extras::PositiveScales { weight.abs() + 0.1 } else { weight },
            bias: self.biases(channels).unwrap_or_else(|| zeros.copy()),
            mean: self.biases(channels).unwrap_or(zeros),
            var: self.normal(&[channels]).abs() + 0.5,
            eps: 1e-5,
        };
        self.push(norm, &[x], channels)
    }

    fn relu(&mut self, x: NodeId) -> NodeId {
        self.push(op::Relu, &[x], self.channels[x])
    }

    fn grow(&mut self, x: NodeId, piece: Piece) -> NodeId {
        let channels = self.channels[x];
        match piece {
            Piece::Conv { kernel, stride, norm } => {
                let y = self.conv(x, 6, kernel, stride, 1);
                let y = if norm { self.norm(y) } else { y };
                self.relu(y)
            }
            Piece::Grouped => {
                let y = self.conv(x, channels, 3, 1, 2);
                self.relu(y)
            }
            Piece::MaxPool { ceil } => self.push(MaxPool::from(Pool::square(3, 2, 1, ceil)), &[x], channels),
            Piece::AvgPool { padding } => {
                self.push(AvgPool::from(Pool::square(2 + padding, 1, padding, false)), &[x], channels)
            }
            Piece::Residual { norm } => {
                let y = self.conv(x, channels, 3, 1, 1);
                let y = if norm { self.norm(y) } else { y };
                let y = self.relu(y);
                self.push(Add, &[x, y], channels)
            }
            Piece::Branches => {
                let (left, right) = (self.conv(x, 4, 1, 1, 1), self.conv(x, 2, 3, 1, 1));
                let (left, right) = (self.relu(left), self.relu(right));
                let pooled = self.push(AvgPool::from(Pool::square(3, 1, 1, false)), &[x], channels);
                self.push(Concat::CHANNELS, &[left, right, pooled], 6 + channels)
            }
            Piece::Dense => {
                let y = self.conv(x, 2, 3, 1, 1);
                let y = self.relu(y);
                self.push(Concat::CHANNELS, &[x, y], channels + 2)
            }
        }
    }
}

/// A network of these pieces, with weights that follow from the seed, and two views for it, in
/// double precision.
fn network(pieces: &[Piece], extras: Extras, seed: u64, [height, width]: [i64; 2]) -> (Network, Tensor) {
    let input = Node { name: "input".into(), op: Input { channels: 3 }.into(), inputs: vec![] };
    let random = ChaCha8Rng::seed_from_u64(seed);
    let mut grower = Grower { nodes: vec![input], channels: vec![3], extras, random };
    let stem = Piece::Conv { kernel: 3, stride: 1, norm: seed.is_multiple_of(2) };
    let x = pieces.iter().fold(grower.grow(0, stem), |x, &piece| grower.grow(x, piece));
    let (channels, side) = (grower.channels[x], 2);
    let x = grower.push(AdaptiveAvgPool { size: side }, &[x], channels);
    let x = grower.push(Flatten, &[x], channels * side * side);
    let weight = grower.normal(&[CLASSES, channels * side * side]);
    let bias = grower.biases(CLASSES);
    grower.push(Linear { weight, bias }, &[x], CLASSES);
    let views = grower.normal(&[2, 3, height, width]);
    (Network::of_nodes(grower.nodes, CLASSES as usize), views)
}

fn pass<'n>((network, views): &'n (Network, Tensor)) -> Pass<'n> {
    Pass::new(network, views.shallow_clone(), 1, all_activations(network)).unwrap()
}

fn sums(relevance: &Tensor) -> Vec<f64> {
    relevance.flatten(1, -1).sum_dim_intlist([1i64].as_slice(), false, Kind::Double).try_into().unwrap()
}

/// Each view's relevance adds up to `expected`, to 1e-5 of the sum of its magnitudes (`divide` adds
/// 1e-9 to denominators of order one).
fn conserved(relevance: &Tensor, expected: &[f64]) -> Result<(), TestCaseError> {
    for ((sum, size), expected) in sums(relevance).iter().zip(sums(&relevance.abs())).zip(expected) {
        let allowed = 1e-5 * size.max(expected.abs());
        prop_assert!((sum - expected).abs() <= allowed, "{sum} of {expected} arrived, {allowed:.1e} may be missing");
    }
    Ok(())
}

fn layers() -> impl Strategy<Value = (Vec<Piece>, u64, [i64; 2])> {
    (prop::collection::vec(piece(), 1..5), any::<u64>(), prop::array::uniform2(16..22i64))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn alpha_one_and_z_plus_send_all_of_the_relevance_to_the_pixels((pieces, seed, size) in layers()) {
        for (extras, canonize) in [(Extras::PositiveScales, false), (Extras::Scales, true)] {
        let network = network(&pieces, extras, seed, size);
        let pass = pass(&network);
        for inputs in [Inputs::Separate, Inputs::Joint { bias: true, stabilizer: 1e-9 }] {
            let rule = LrpRule::AlphaBeta { alpha: 1.0, inputs };
            let composite = Composite { pixels: LrpRule::ZBox, convolution: rule, linear: rule, stabilizer: None };
            conserved(&composite.relevance_of_unit_seed(&pass, canonize).unwrap(), &[1.0, 1.0])?;
        }}
    }

    #[test]
    fn rap_sends_all_of_the_logit_to_the_pixels((pieces, seed, size) in layers()) {
        let network = network(&pieces, Extras::Scales, seed, size);
        let pass = pass(&network);
        let logits: Vec<f64> = pass.score().unwrap().try_into().unwrap();
        conserved(&rap::of_logit(&pass).unwrap(), &logits)?;
        conserved(&rap::of_contributions(&pass).unwrap(), &logits)?;
    }

    #[test]
    fn rsp_sends_all_of_its_seed_to_the_pixels((pieces, seed, size) in layers()) {
        let (network, views) = network(&pieces, Extras::Scales, seed, size);
        // In front of pooling, flattening and the last layer.
        let target = network.graph.output() - 3;
        let needs = Needs { activations: needs(&network.graph, target, 0), gradients: vec![target], ..Needs::default() };
        let pass = Pass::new(&network, views, 1, needs).unwrap();
        let expected = sums(&rsp::seed(&pass, target).unwrap());
        conserved(&rsp::relevance(&pass, target).unwrap(), &expected)?;
    }

    #[test]
    fn agf_sends_all_of_its_seed_to_the_pixels((pieces, seed, size) in layers()) {
        let network = network(&pieces, Extras::Scales, seed, size);
        let pass = pass(&network);
        let expected = sums(&agf::seed(&pass).unwrap());
        conserved(&agf::relevance(&pass).unwrap(), &expected)?;
    }

    #[test]
    fn walks_that_share_their_sums_arrive_with_the_same_bits((pieces, seed, size) in layers()) {
        let (network, views) = network(&pieces, Extras::Biases, seed, size);
        for rule in [Composite::alpha_beta(1.0), Composite::alpha_beta(2.0)] {
            let pass = |propagations| {
                let needs = Needs { propagations, ..rule.needs(&network, false) };
                Pass::new(&network, views.shallow_clone(), 1, needs).unwrap()
            };
            let shared = pass(2);
            prop_assert!(shared.forward_pass().propagations().is_some() && pass(1).forward_pass().propagations().is_none());
            for _ in 0..2 {
                let seeds = shared.logits().unwrap().rand_like();
                let alone = rule.relevance(&pass(1), seeds.shallow_clone(), false).unwrap();
                prop_assert!(rule.relevance(&shared, seeds, false).unwrap().equal(&alone));
            }
        }
    }

    #[test]
    fn a_contrast_adds_up_to_nothing((pieces, seed, size) in layers()) {
        let network = network(&pieces, Extras::Biases, seed, size);
        let pass = pass(&network);
        for seeds in [uniform(&pass).unwrap(), softmax(&pass).unwrap()] {
            for sum in sums(&seeds.others) {
                prop_assert!((sum - 1.0).abs() < 1e-12);
            }
            let rule = Composite::alpha_beta(1.0);
            let own = rule.relevance_of_unit_seed(&pass, false).unwrap().as_ref() * seeds.own.view([-1, 1, 1, 1]);
            let others = rule.relevance(&pass, pass.spread(&seeds.others).unwrap(), false).unwrap();
            conserved(&contrast(&own, &others).unwrap(), &[0.0, 0.0])?;
        }
    }

    /// With an ε of zero, and where batch normalisation is folded, the ε-rule is gradient times
    /// input (Ancona et al., ICLR 2018), biases or not.
    #[test]
    fn without_epsilon_relevance_is_gradient_times_input((pieces, seed, size) in layers()) {
        let network = network(&pieces, Extras::Biases, seed, size);
        let pass = pass(&network);
        let rule = LrpRule::Epsilon(1e-12);
        let composite = Composite { pixels: rule, convolution: rule, linear: rule, stabilizer: None };
        let score = pass.score().unwrap().view([-1, 1, 1, 1]);
        let relevance = composite.relevance_of_unit_seed(&pass, true).unwrap().as_ref() * score;
        let expected = at_input(&pass, Relu::Gradient).unwrap() * pass.views();
        let difference = (&relevance - &expected).abs().max().double_value(&[]);
        let size = expected.abs().max().double_value(&[]);
        // The 1e-9 that pools add to their outputs shows where an output is that small.
        prop_assert!(difference <= 1e-3 * size, "off by {difference:.1e} of {size:.1e}");
    }
}
