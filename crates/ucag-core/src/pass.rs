//! One forward pass over a batch of views, and what explainers ask of it.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tch::{Kind, Tensor};

use crate::network::{Network, NodeId};
use crate::{Error, Result};

/// Which nodes' outputs a pass must keep, and which gradients it must be able to give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Nodes whose outputs are asked for.
    pub activations: Vec<NodeId>,
    /// Nodes at which the gradient of a target's logit is asked for.
    pub gradients: Vec<NodeId>,
}

impl Needs {
    /// Activation and gradient of one layer: what CAM methods need.
    pub fn layer(node: NodeId) -> Self {
        Self { activations: vec![node], gradients: vec![node] }
    }

    /// What either needs.
    pub fn union(mut self, other: &Needs) -> Self {
        let extend = |into: &mut Vec<NodeId>, from: &[NodeId]| {
            into.extend_from_slice(from);
            into.sort_unstable();
            into.dedup();
        };
        extend(&mut self.activations, &other.activations);
        extend(&mut self.gradients, &other.gradients);
        self
    }
}

/// A forward pass over a batch of views, whatever the class. It runs when something is first asked of it, and once.
///
/// Autograd records nothing in front of the first node of [`Needs::gradients`]: weights never require gradients, and the
/// activation there is made a leaf. Outputs that nobody keeps are freed as soon as their last reader has run.
pub struct Trace<'n> {
    network: &'n Network,
    views: Tensor,
    needs: Needs,
    outputs: OnceCell<Outputs>,
}

struct Outputs {
    logits: Tensor,
    kept: BTreeMap<NodeId, Tensor>,
}

impl<'n> Trace<'n> {
    /// A pass over `views` `[B, 3, H, W]`, normalised as the network wants them.
    pub fn new(network: &'n Network, views: Tensor, needs: Needs) -> Rc<Self> {
        Rc::new(Self { network, views, needs, outputs: OnceCell::new() })
    }

    /// This pass with a class to explain.
    ///
    /// # Errors
    /// Where the network has no such class.
    pub fn target(self: &Rc<Self>, class: usize) -> Result<Pass<'n>> {
        if class >= self.network.classes {
            let count = self.network.classes;
            return Err(Error::Invalid(format!("class {class}: the network has {count} classes, 0 to {}", count - 1)));
        }
        Ok(Pass { trace: Rc::clone(self), class, gradients: RefCell::default(), seed: 0 })
    }

    fn outputs(&self) -> Result<&Outputs> {
        if self.outputs.get().is_none() {
            let outputs = self.forward()?;
            return Ok(self.outputs.get_or_init(|| outputs));
        }
        self.outputs.get().ok_or_else(|| Error::Invalid("a pass lost its outputs".into()))
    }

    fn forward(&self) -> Result<Outputs> {
        let graph = &self.network.graph;
        let mut values: Vec<Option<Tensor>> = graph.nodes().iter().map(|_| None).collect();
        let mut kept = BTreeMap::new();
        for (id, node) in graph.nodes().iter().enumerate() {
            let differentiated = self.needs.gradients.contains(&id);
            let wanted = differentiated || self.needs.activations.contains(&id);
            let value = self.compute(id, &mut values).map_err(|error| at_node(&node.name, &self.views, error))?;
            // A leaf: what lies in front of it is not recorded.
            let value =
                if differentiated && !value.requires_grad() { value.detach().set_requires_grad(true) } else { value };
            if wanted {
                kept.insert(id, value.shallow_clone());
            }
            values[id] = Some(value);
        }
        let logits = values[graph.output()].take().ok_or_else(|| Error::Invalid("an empty network".into()))?;
        Ok(Outputs { logits, kept })
    }

    /// Output of node `id`; inputs that it is the last to read are taken out of `values`.
    fn compute(&self, id: NodeId, values: &mut [Option<Tensor>]) -> Result<Tensor> {
        let graph = &self.network.graph;
        let node = &graph.nodes()[id];
        if id == 0 {
            return Ok(self.views.shallow_clone());
        }
        let lost = || Error::Invalid("it ran before its input".into());
        let inputs: Vec<&Tensor> =
            node.inputs.iter().map(|&input| values[input].as_ref().ok_or_else(lost)).collect::<Result<_>>()?;
        let value = node.op.apply(&inputs)?;
        for &input in &node.inputs {
            if graph.last_use(input) == id {
                values[input] = None;
            }
        }
        Ok(value)
    }
}

/// Says in which layer libtorch gave up, and on what input: nearly always a view that is too small.
fn at_node(name: &str, views: &Tensor, error: Error) -> Error {
    let size = views.size();
    Error::Invalid(format!("layer {name}, for an input of {size:?}: {error}"))
}

/// A [`Trace`] with the class to explain: what an explainer is given.
pub struct Pass<'n> {
    trace: Rc<Trace<'n>>,
    class: usize,
    gradients: RefCell<BTreeMap<NodeId, Tensor>>,
    seed: u64,
}

impl<'n> Pass<'n> {
    /// A pass over `views` for `class`, in one step.
    ///
    /// # Errors
    /// Where the network has no such class.
    pub fn new(network: &'n Network, views: Tensor, class: usize, needs: Needs) -> Result<Self> {
        Trace::new(network, views, needs).target(class)
    }

    /// The same pass with a seed for explainers that draw random numbers (0 otherwise). It names the views, not the call, so that results
    /// don't depend on the order of work.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Seed of this pass's first view; the others' follow on from it.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The network.
    pub fn network(&self) -> &'n Network {
        self.trace.network
    }

    /// The class that is explained.
    pub fn class(&self) -> usize {
        self.class
    }

    /// The views, `[B, 3, H, W]`.
    pub fn views(&self) -> &Tensor {
        &self.trace.views
    }

    /// Logits of all classes, `[B, N]`.
    ///
    /// # Errors
    /// Where the network can't take the views.
    pub fn logits(&self) -> Result<Tensor> {
        Ok(self.trace.outputs()?.logits.detach())
    }

    /// Logit of the class, `[B]`.
    ///
    /// # Errors
    /// As [`Pass::logits`].
    pub fn score(&self) -> Result<Tensor> {
        Ok(self.logits()?.f_select(1, self.class as i64)?)
    }

    /// Softmax probability of the class, `[B]`.
    ///
    /// # Errors
    /// As [`Pass::logits`].
    pub fn probability(&self) -> Result<Tensor> {
        Ok(self.logits()?.f_softmax(1, Kind::Float)?.f_select(1, self.class as i64)?)
    }

    /// Output of `node`, which must be among the pass's [`Needs`].
    ///
    /// # Errors
    /// As [`Pass::logits`], or where the node isn't among them.
    pub fn activation(&self, node: NodeId) -> Result<Tensor> {
        self.kept(node).map(Tensor::detach)
    }

    /// Gradient of the class's logit (before softmax) with respect to `node`'s output, which must be among
    /// [`Needs::gradients`]. All gradients of a pass come from one backward pass.
    ///
    /// # Errors
    /// As [`Pass::activation`].
    pub fn gradient(&self, node: NodeId) -> Result<Tensor> {
        if !self.trace.needs.gradients.contains(&node) {
            return Err(self.not_needed(node));
        }
        if self.gradients.borrow().is_empty() {
            let nodes = &self.trace.needs.gradients;
            let leaves = nodes.iter().map(|&node| self.kept(node)).collect::<Result<Vec<_>>>()?;
            // Views don't mix in evaluation, so the sum's gradient is each view's own.
            let score = self.trace.outputs()?.logits.f_select(1, self.class as i64)?.f_sum(Kind::Float)?;
            let gradients = Tensor::f_run_backward(&[score], &leaves, true, false)?;
            self.gradients.borrow_mut().extend(nodes.iter().copied().zip(gradients));
        }
        self.gradients.borrow().get(&node).map(Tensor::shallow_clone).ok_or_else(|| self.not_needed(node))
    }

    fn kept(&self, node: NodeId) -> Result<&Tensor> {
        self.trace.outputs()?.kept.get(&node).ok_or_else(|| self.not_needed(node))
    }

    fn not_needed(&self, node: NodeId) -> Error {
        let name = &self.network().graph.nodes()[node].name;
        Error::Invalid(format!("an explainer asked for {name} without naming it among its needs"))
    }
}
