//! The order in which nodes can run.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::node::Node;

/// Sorts nodes so that each reads what was made before it. Nodes that stand in such an order keep
/// it.
///
/// # Errors
/// Where a value is made twice, one that is read isn't made at all, or nodes need each other.
pub(super) fn sorted<'a>(nodes: Vec<Node>, given: impl Fn(&str) -> bool + 'a) -> Result<Vec<Node>, String> {
    let edges = Edges::new(&nodes, given)?;
    let mut missing: Vec<usize> = edges.sources.iter().map(Vec::len).collect();
    let ready = missing.iter().enumerate().filter(|(_, count)| **count == 0).map(|(node, _)| Reverse(node));
    let mut ready: BinaryHeap<_> = ready.collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for &reader in &edges.readers[node] {
            missing[reader] -= 1;
            if missing[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    if order.len() < nodes.len() {
        return Err(format!("{} needs its own output: the graph is a circle; export it again", {
            nodes[edges.on_a_circle(&missing)].describe()
        }));
    }
    let mut places: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|node| places[node].take()).collect())
}

/// Nodes by their indices.
struct Edges {
    /// The nodes that each node reads from, once for every value.
    sources: Vec<Vec<usize>>,
    /// The nodes that read from each node, once for every value.
    readers: Vec<Vec<usize>>,
}

impl Edges {
    fn new(nodes: &[Node], given: impl Fn(&str) -> bool) -> Result<Self, String> {
        let mut makers: HashMap<&str, usize> = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            for output in node.outputs.iter().filter(|output| !output.is_empty()) {
                if given(output) || makers.insert(output, index).is_some() {
                    return Err(format!(
                        "{} makes {output:?}, which is there already: names must be unique; export it again",
                        node.describe()
                    ));
                }
            }
        }
        let mut edges = Self { sources: vec![Vec::new(); nodes.len()], readers: vec![Vec::new(); nodes.len()] };
        for (index, node) in nodes.iter().enumerate() {
            for input in node.inputs.iter().filter(|input| !input.is_empty() && !given(input)) {
                let &maker = makers.get(input.as_str()).ok_or_else(|| {
                    format!("{} reads {input:?}, which nothing makes; export it again", node.describe())
                })?;
                edges.sources[index].push(maker);
                edges.readers[maker].push(index);
            }
        }
        Ok(edges)
    }

    /// A node that depends on itself, among those for which something is missing. Each of those
    /// reads from another, so whoever goes from reader to source will go in a circle.
    fn on_a_circle(&self, missing: &[usize]) -> usize {
        let waits = |node: &&usize| missing[**node] > 0;
        let mut node = missing.iter().position(|&count| count > 0).unwrap_or_default();
        for _ in 0..missing.len() {
            node = self.sources[node].iter().find(waits).copied().unwrap_or(node);
        }
        node
    }
}
