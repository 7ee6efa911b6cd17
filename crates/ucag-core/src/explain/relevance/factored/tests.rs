//! Factored relevance, by hand.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::super::z_rule;
use super::*;
use crate::network::{Add, Concat, Dropout, Input, Network, Node, Op};

/// The operation is node 3; it reads nodes 1 and 2, and a ReLU, node 4, reads it.
const VISITED: NodeId = 3;
const RELU: NodeId = 4;

fn row(values: &[f64]) -> Tensor {
    Tensor::from_slice(values).view([1, -1])
}

/// Returns what the z-rule sends back to the two inputs of `op`.
fn back(op: impl Into<Op>, [a, b]: [&[f64]; 2], relevance: &Relevance) -> Vec<Vec<f64>> {
    let node = |op: Op, inputs: &[NodeId]| Node { name: String::new(), op, inputs: inputs.to_vec() };
    let nodes = vec![
        node(Input { channels: 3 }.into(), &[]),
        node(Dropout.into(), &[0]),
        node(Dropout.into(), &[0]),
        node(op.into(), &[1, 2]),
        node(Relu.into(), &[VISITED]),
    ];
    let network = Network::of_nodes(nodes, 1);
    let op = &network.graph.nodes()[VISITED].op;
    let (a, b) = (row(a), row(b));
    let inputs = [&a, &b];
    let output = &op.apply(&inputs).unwrap();
    let visit = LayerVisit {
        network: &network,
        id: VISITED,
        op,
        folded: false,
        inputs: &inputs,
        output,
        upstream: relevance,
        cache: None,
    };
    let values = |part: &Relevance| Vec::try_from(part.to_tensor().unwrap().flatten(0, -1)).unwrap();
    z_rule(&visit, relevance).unwrap().iter().map(values).collect()
}

#[test]
fn a_sum_passes_on_what_its_relu_let_through() {
    let (a, b) = ([3.0, -1.0, 2.0, -2.0], [1.0, -4.0, -2.0, 5.0]);
    let factored =
        Relevance { factor: row(&[0.5, 7.0, 7.0, 2.0]), activation: Some((RELU, row(&[4.0, 0.0, 0.0, 3.0]))) };
    assert_eq!(back(Add, [&a, &b], &factored), [[1.5, 0.0, 0.0, -4.0], [0.5, 0.0, 0.0, 10.0]]);
    // The same relevance, [2, 0, 0, 6], of nothing in particular: by dividing by the sum and 1e-9.
    let divided = back(Add, [&a, &b], &Relevance::from(row(&[2.0, 0.0, 0.0, 6.0])));
    for (ours, hand) in divided.iter().flatten().zip([1.5, 0.0, 0.0, -4.0, 0.5, 0.0, 0.0, 10.0]) {
        assert!((ours - hand).abs() < 1e-7, "{ours} for {hand}");
    }
}

#[test]
fn a_factor_of_the_sum_itself_is_that_of_each_input() {
    let factored = Relevance { factor: row(&[0.5, -1.0]), activation: Some((VISITED, row(&[4.0, 1.0]))) };
    assert_eq!(back(Add, [&[3.0, 2.0], &[1.0, -1.0]], &factored), [[1.5, -2.0], [0.5, 1.0]]);
}

#[test]
fn what_arrives_at_a_zero_is_lost_in_concatenation() {
    let plain = Relevance::from(row(&[1.0, 2.0, 3.0, 4.0]));
    assert_eq!(back(Concat::CHANNELS, [&[0.0, 3.0], &[-2.0, 0.0]], &plain), [[0.0, 2.0], [3.0, 0.0]]);
    // An activation behind a normalisation isn't the output, zeros of which it doesn't know.
    let behind = Relevance { factor: row(&[1.0; 4]), activation: Some((2, row(&[1.0, 2.0, 3.0, 4.0]))) };
    assert_eq!(back(Concat::CHANNELS, [&[0.0, 3.0], &[-2.0, 0.0]], &behind), [[0.0, 2.0], [3.0, 0.0]]);
}

#[test]
fn factors_of_the_same_are_added_and_others_are_multiplied_out() {
    let relevance =
        |node: NodeId, factor: f64| Relevance { factor: row(&[factor]), activation: Some((node, row(&[node as f64]))) };
    let value = |product: Relevance| product.to_tensor().unwrap().double_value(&[0, 0]);
    let same = relevance(3, 0.5).sum(relevance(3, 1.5)).unwrap();
    assert!(same.activation.is_some());
    assert_eq!(value(same), 6.0);
    assert_eq!(value(relevance(3, 0.5).sum(relevance(4, 1.5)).unwrap()), 7.5);
    assert_eq!(value(relevance(3, 0.5).sum(row(&[2.0]).into()).unwrap()), 3.5);
    assert_eq!(relevance(3, 0.5).divided_by(row(&[6.0])).unwrap().double_value(&[0, 0]), 0.25);
}
