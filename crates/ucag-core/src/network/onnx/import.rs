//! The graph of a file for views of one size: nodes in the file's order, with shape arithmetic
//! done and patterns of small operations as the one that they are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tch::Tensor;

use super::constants::{evaluate, shape, tensor, unknown};
use super::file::{Dim, Model, Node};
use crate::network::op::import::{Call, Draft, Operand, Term, integers};
use crate::network::op::{Flatten, Permute, registry};
use crate::network::{Input, Op};
use crate::{Error, Result};

/// A file's nodes, with its weights as tensors.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) model: Model,
    weights: BTreeMap<String, Tensor>,
    /// The value that is the logits.
    logits: String,
    /// The operation behind the logits that was left out, if there is one.
    pub(super) stripped: Option<String>,
}

/// Order of an input's axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// `[B, C, H, W]`.
    ChannelsFirst,
    /// `[B, H, W, C]`.
    ChannelsLast,
}

impl Source {
    /// The nodes of a file that was read.
    ///
    /// # Errors
    /// Where libtorch can't hold a weight.
    pub(super) fn new(path: PathBuf, mut model: Model) -> Result<Self> {
        let constants = std::mem::take(&mut model.constants);
        let weights =
            constants.iter().map(|(name, array)| Ok((name.clone(), tensor(array)?))).collect::<Result<_>>()?;
        let mut source = Self { path, logits: model.output.name.clone(), model, weights, stripped: None };
        let last = source.model.nodes.iter().find(|node| node.outputs.contains(&source.logits));
        if let Some(last) = last.filter(|node| ["Softmax", "LogSoftmax"].contains(&node.op_type.as_str())) {
            (source.logits, source.stripped) = (last.inputs.concat(), Some(last.op_type.clone()));
        } else if let Some(last) = last.filter(|node| node.op_type == "Sigmoid") {
            return Err(source.wrong(format!(
                "{} is its last operation: such scores aren't of classes that exclude each other. Export the network without it to explain its logits",
                last.describe()
            )));
        }
        Ok(source)
    }

    /// An error about the file.
    pub(super) fn wrong(&self, problem: String) -> Error {
        Error::Architecture { path: self.path.clone(), problem }
    }

    /// Sizes of the input's axes, `[B, C, H, W]`, where the file fixes them, and their order.
    ///
    /// # Errors
    /// Where the channels are neither 1 nor 3.
    pub(super) fn input(&self) -> Result<([Option<i64>; 4], Order)> {
        let sizes: Vec<Option<i64>> = self
            .model
            .input
            .dims
            .iter()
            .map(|dim| match dim {
                Dim::Fixed(size) => Some(*size),
                Dim::Free(_) => None,
            })
            .collect();
        let is_channels = |size: Option<i64>| size == Some(3) || size == Some(1);
        match sizes[..] {
            [batch, channels, height, width] if is_channels(channels) => {
                Ok(([batch, channels, height, width], Order::ChannelsFirst))
            }
            [batch, height, width, channels] if is_channels(channels) => {
                Ok(([batch, channels, height, width], Order::ChannelsLast))
            }
            _ => {
                let word = |dim: &Dim| match dim {
                    Dim::Fixed(size) => size.to_string(),
                    Dim::Free(name) if name.is_empty() => "free".to_owned(),
                    Dim::Free(name) => name.clone(),
                };
                let dims = self.model.input.dims.iter().map(word).collect::<Vec<_>>().join(", ");
                Err(self.wrong(format!(
                    "its input '{}' is [{dims}], expected [batch, channels, height, width] with 3 channels, or 1 for grey images; the number of channels must be fixed",
                    self.model.input.name
                )))
            }
        }
    }

    /// The graph for views `[B, C, H, W]`.
    ///
    /// # Errors
    /// Where an operation isn't known, or doesn't take its operands.
    pub(super) fn import(&self, views: [i64; 4]) -> Result<Imported> {
        let (_, order) = self.input()?;
        let mut import = Import { source: self, drafts: Vec::new(), values: BTreeMap::new(), is_sized: false };
        import.push(Input { channels: views[1] }.into(), vec![], views.to_vec(), None);
        let mut input = 0;
        if order == Order::ChannelsLast {
            let op = Permute { axes: vec![0, 2, 3, 1] };
            input = import.push(op.into(), vec![0], vec![views[0], views[2], views[3], views[1]], None);
        }
        import.values.insert(&self.model.input.name, Value::Activation(input));
        for (index, node) in self.model.nodes.iter().enumerate() {
            import.node(index, node).map_err(|error| match error {
                Error::Invalid(problem) => self.wrong(format!("{}: {problem}", node.describe())),
                error => self.wrong(format!("{}: {error}", node.describe())),
            })?;
            if node.outputs.contains(&self.logits) {
                break;
            }
        }
        let Some(&Value::Activation(mut output)) = import.values.get(self.logits.as_str()) else {
            return Err(self.wrong(format!("its output '{}' doesn't depend on the image", self.logits)));
        };
        let shape = import.drafts[output].shape.clone();
        if shape.len() > 2 && shape[2..].iter().all(|&side| side == 1) {
            let classes = shape[1];
            output = import.push(Flatten.into(), vec![output], vec![views[0], classes], None);
        }
        match import.drafts[output].shape.as_slice() {
            [batch, _] if *batch == views[0] => {
                Ok(Imported { drafts: alive(import.drafts, output), is_sized: import.is_sized })
            }
            other => Err(self.wrong(format!(
                "its output is {other:?} for {views:?}, expected [{}, classes]: one row of logits for each image",
                views[0]
            ))),
        }
    }
}

/// A file's graph for views of one size.
pub(super) struct Imported {
    /// The nodes.
    pub(super) drafts: Vec<Draft>,
    /// True if a constant was read on the way that depends on the size.
    pub(super) is_sized: bool,
}

/// Entries of the largest activation.
const LARGEST: i64 = 1 << 40;

/// A value of a file.
enum Value {
    Activation(usize),
    Sequence(Vec<usize>),
    Constant { value: Tensor, sized: bool },
}

/// A graph in the making.
struct Import<'a> {
    source: &'a Source,
    drafts: Vec<Draft>,
    values: BTreeMap<&'a str, Value>,
    is_sized: bool,
}

impl<'a> Import<'a> {
    fn push(&mut self, op: Op, inputs: Vec<usize>, shape: Vec<i64>, origin: Option<usize>) -> usize {
        self.drafts.push(Draft { op, inputs, shape, sized: false, origin });
        self.drafts.len() - 1
    }

    fn node(&mut self, index: usize, node: &'a Node) -> Result<()> {
        let operands = node.inputs.iter().map(|name| self.operand(name)).collect::<Result<Vec<_>>>()?;
        let of_activation = |operand: &Option<Operand>| matches!(operand, Some(Operand::Activation(_)));
        if node.op_type == "Shape"
            && let Some(Some(Operand::Activation(id))) = operands.first()
        {
            let value = shape(node, &self.drafts[*id].shape)?;
            self.keep(node, vec![Value::Constant { value, sized: true }]);
            return Ok(());
        }
        // Activations are in single precision.
        if let ("CastLike", [Some(Operand::Constant { value, sized }), _]) =
            (node.op_type.as_str(), operands.as_slice())
            && operands.iter().any(of_activation)
        {
            let value = Value::Constant { value: value.f_to_kind(tch::Kind::Float)?, sized: *sized };
            self.keep(node, vec![value]);
            return Ok(());
        }
        if node.op_type == "SequenceAt" {
            let value = Value::Activation(self.part(node, &operands)?);
            self.keep(node, vec![value]);
            return Ok(());
        }
        if !operands.iter().any(of_activation) {
            let mut sized = false;
            let mut values = Vec::new();
            for operand in operands {
                values.push(operand.map(|operand| match operand {
                    Operand::Constant { value, sized: is_sized } => {
                        sized |= is_sized;
                        value
                    }
                    Operand::Activation(_) => Tensor::new(),
                }));
            }
            let values = evaluate(node, self.source.model.opset, &values)?;
            self.keep(node, values.into_iter().map(|value| Value::Constant { value, sized }).collect());
            return Ok(());
        }
        let entry = registry::import(&node.op_type).ok_or_else(|| unknown(&node.op_type))?;
        let call = Call { node, opset: self.source.model.opset, operands, drafts: &self.drafts, sized: false.into() };
        let built = (entry.build)(&call)?;
        let (sized, operands) = (call.sized.get(), call.operands);
        self.is_sized |= sized;
        let terms =
            built.0.into_iter().map(|term| self.term(term, &operands, sized, index)).collect::<Result<Vec<_>>>()?;
        let values = match node.op_type.as_str() {
            "SplitToSequence" => vec![Value::Sequence(terms)],
            _ => terms.into_iter().map(Value::Activation).collect(),
        };
        self.keep(node, values);
        Ok(())
    }

    /// The part of a list that a `SequenceAt` node takes.
    fn part(&self, node: &Node, operands: &[Option<Operand>]) -> Result<usize> {
        let parts = node.inputs.first().and_then(|name| self.values.get(name.as_str()));
        let index = match operands.get(1) {
            Some(Some(Operand::Constant { value, .. })) => integers(value)?.first().copied(),
            _ => None,
        };
        match (parts, index) {
            (Some(Value::Sequence(parts)), Some(index)) => {
                let counted = if index < 0 { index + parts.len() as i64 } else { index };
                let part = usize::try_from(counted).ok().and_then(|index| parts.get(index)).copied();
                part.ok_or_else(|| Error::Invalid(format!("there is no part {index} of {}", parts.len())))
            }
            _ => Err(Error::Invalid("it is known only behind SplitToSequence, with a constant place".into())),
        }
    }

    fn operand(&self, name: &str) -> Result<Option<Operand>> {
        if name.is_empty() {
            return Ok(None);
        }
        Ok(Some(match (self.values.get(name), self.source.weights.get(name)) {
            (Some(&Value::Activation(id)), _) => Operand::Activation(id),
            // The node that takes a part looks itself.
            (Some(Value::Sequence(_)), _) => return Ok(None),
            (Some(Value::Constant { value, sized }), _) => {
                Operand::Constant { value: value.shallow_clone(), sized: *sized }
            }
            (None, Some(value)) => Operand::Constant { value: value.shallow_clone(), sized: false },
            (None, None) => return Err(Error::Invalid(format!("it reads '{name}', which nothing makes"))),
        }))
    }

    fn keep(&mut self, node: &'a Node, values: Vec<Value>) {
        self.values.extend(node.outputs.iter().map(String::as_str).zip(values));
    }

    /// Adds the nodes of a term, and returns the last.
    fn term(&mut self, term: Term, operands: &[Option<Operand>], sized: bool, origin: usize) -> Result<usize> {
        match term {
            Term::Draft(id) => Ok(id),
            Term::Operand(index) => match operands.get(index) {
                Some(&Some(Operand::Activation(id))) => Ok(id),
                _ => Err(Error::Invalid(format!("its input {} must depend on the image", index + 1))),
            },
            Term::Apply(op, inputs) => {
                let inputs = inputs.into_iter().map(|input| self.term(input, operands, sized, origin));
                let inputs = inputs.collect::<Result<Vec<usize>>>()?;
                let shapes: Vec<&[i64]> = inputs.iter().map(|&input| self.drafts[input].shape.as_slice()).collect();
                let shape = op.shape(&shapes)?;
                let entries = shape.iter().try_fold(1i64, |entries, &side| entries.checked_mul(side));
                if entries.is_none_or(|entries| !(1..=LARGEST).contains(&entries)) {
                    return Err(Error::Invalid(format!("it makes a tensor of the shape {shape:?}")));
                }
                let id = self.push(op, inputs, shape, Some(origin));
                self.drafts[id].sized = sized;
                Ok(id)
            }
        }
    }
}

/// The nodes that an output depends on, the output last; the input stays.
fn alive(drafts: Vec<Draft>, output: usize) -> Vec<Draft> {
    let mut is_read = vec![false; drafts.len()];
    is_read[0] = true;
    is_read[output] = true;
    for id in (0..=output).rev().filter(|&id| id > 0) {
        if is_read[id] {
            drafts[id].inputs.iter().for_each(|&input| is_read[input] = true);
        }
    }
    let mut numbers = vec![0; drafts.len()];
    let mut kept = Vec::new();
    for (id, draft) in drafts.into_iter().enumerate().filter(|&(id, _)| is_read[id]) {
        numbers[id] = kept.len();
        let inputs = draft.inputs.iter().map(|&input| numbers[input]).collect();
        kept.push(Draft { inputs, ..draft });
    }
    kept
}
