//! Operations that are others for views of another size, such as a reshape to a map's height and
//! width.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tch::Tensor;

use super::import::Source;
use crate::network::{Graph, NodeId, Op};
use crate::{Error, Result};

/// The operations of some nodes for views of one size.
type Sized = BTreeMap<NodeId, Op>;

/// A file's graph for views of any size that it takes.
#[derive(Debug)]
pub(crate) struct Resizer {
    /// The size of the input, `[B, C, H, W]`, where the file fixes it.
    fixed: [Option<i64>; 4],
    /// The size that the network's own graph was made for.
    nominal: [i64; 4],
    /// Nodes whose operation depends on the size; none where nothing in the file does.
    nodes: Option<Vec<NodeId>>,
    // Tensors may be sent between threads, but not shared.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    source: Source,
    known: BTreeMap<[i64; 4], Sized>,
}

impl Resizer {
    pub(super) fn new(source: Source, fixed: [Option<i64>; 4], nominal: [i64; 4], nodes: Option<Vec<NodeId>>) -> Self {
        Self { fixed, nominal, nodes, state: Mutex::new(State { source, known: BTreeMap::new() }) }
    }

    /// Returns the operations of `graph` that are others for `views` than in the graph.
    ///
    /// # Errors
    /// Where the file takes no views of that size.
    pub(crate) fn operations(&self, graph: &Graph, views: &[i64]) -> Result<Sized> {
        let &[batch, channels, height, width] = views else {
            return Err(Error::Invalid(format!("views {views:?}, expected [B, C, H, W]")));
        };
        let views = [batch, channels, height, width];
        if let [_, _, Some(fixed_height), Some(fixed_width)] = self.fixed
            && [fixed_height, fixed_width] != [height, width]
        {
            return Err(Error::Invalid(format!(
                "the file fixes its input at {fixed_height} × {fixed_width}, and a view is {height} × {width}: export it with free sizes (scripts/export_onnx.py does, where the network allows)"
            )));
        }
        let Some(nodes) = self.nodes.as_ref().filter(|_| views != self.nominal) else { return Ok(Sized::new()) };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.known.contains_key(&views) {
            let drafts = state.source.import(views)?.drafts;
            if drafts.len() != graph.nodes().len() {
                return Err(state
                    .source
                    .wrong(format!("has other layers for views {views:?} than for {:?}", self.nominal)));
            }
            let mut drafts: Vec<Option<Op>> = drafts.into_iter().map(|draft| Some(draft.op)).collect();
            let operations = nodes.iter().filter_map(|&id| Some((id, drafts[id].take()?))).collect();
            state.known.insert(views, operations);
        }
        let known = &state.known[&views];
        known.iter().map(|(&id, op)| Ok((id, with_weights_of(&graph.nodes()[id].op, op)?))).collect()
    }
}

/// Returns an operation with another's weights, which may have been changed since the file was
/// read.
fn with_weights_of(own: &Op, resized: &Op) -> Result<Op> {
    let weights = std::cell::RefCell::new(Vec::new());
    own.with_weights(&|weight| {
        weights.borrow_mut().push(weight.shallow_clone());
        Ok(weight.shallow_clone())
    })?;
    let weights = std::cell::RefCell::new(weights.into_inner().into_iter());
    resized.with_weights(&|weight: &Tensor| match weights.borrow_mut().next() {
        Some(own) if own.size() == weight.size() => Ok(own),
        Some(own) => Ok(weight.f_to_device(own.device())?.f_to_kind(own.kind())?),
        None => Ok(weight.shallow_clone()),
    })
}
