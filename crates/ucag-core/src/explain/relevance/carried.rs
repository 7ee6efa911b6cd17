//! Relevance on its way back, as a share in what a node gave.

use tch::Tensor;

use super::{over, present};
use crate::Result;
use crate::network::{NodeId, Op};
use crate::pass::Memo;
use crate::walk::{Carried, Visit};

/// Relevance at a node, of the shape of its output: a tensor, times what a node gave where one is named.
///
/// Most rules end by multiplying with what an operation read, and the next one begins by dividing by what an operation gave, which is often the same.
/// So the product is put off until somebody wants it.
#[derive(Debug)]
pub struct Relevance {
    share: Tensor,
    of: Option<(NodeId, Tensor)>,
}

impl From<Tensor> for Relevance {
    fn from(whole: Tensor) -> Self {
        Self { share: whole, of: None }
    }
}

impl Relevance {
    /// `share` times what the visited operation's input number `index` is.
    pub fn of_input<C>(visit: &Visit<'_, C>, index: usize, share: Tensor) -> Self {
        let node = visit.network.graph.nodes()[visit.id].inputs[index];
        Self { share, of: Some((node, visit.inputs[index].shallow_clone())) }
    }

    /// The relevance itself.
    ///
    /// # Errors
    /// Where libtorch refuses.
    pub fn whole(&self) -> Result<Tensor> {
        match &self.of {
            Some((_, of)) => Ok(self.share.f_mul(of)?),
            None => Ok(self.share.shallow_clone()),
        }
    }

    /// `R / b`, in b's place.
    ///
    /// # Errors
    /// Where libtorch refuses the shapes.
    pub fn over(&self, b: Tensor) -> Result<Tensor> {
        Ok(self.factor(b)?.f_mul_(&self.share)?)
    }

    /// `R / b` for what `b` makes; where there is a memo, all but the share is kept there under `key` for the next relevance that comes this way.
    ///
    /// # Errors
    /// As `b`, or where libtorch refuses the shapes.
    pub fn over_kept(&self, memo: Option<&Memo>, key: &str, b: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
        let Some(memo) = memo else { return self.over(b()?) };
        let of = self.of.as_ref().map(|(node, _)| node);
        let factor = memo.once(&format!("{key}, of {of:?}"), || self.factor(b()?))?;
        Ok(factor.f_mul(&self.share)?)
    }

    /// What the share is to be multiplied with to give `R / b`.
    fn factor(&self, mut b: Tensor) -> Result<Tensor> {
        match &self.of {
            Some((_, of)) => over(of, b),
            None => Ok(b.f_reciprocal_()?),
        }
    }

    /// Another handle on the same.
    pub fn shallow_clone(&self) -> Self {
        let of = self.of.as_ref().map(|(node, of)| (*node, of.shallow_clone()));
        Self { share: self.share.shallow_clone(), of }
    }

    /// The relevance where the visited operation's output isn't zero, and zero where it is.
    ///
    /// # Errors
    /// Where libtorch refuses.
    pub fn where_present<C>(&self, visit: &Visit<'_, C>) -> Result<Tensor> {
        match self.share_in_output(visit)? {
            Some(_) => self.whole(),
            None => Ok(present(&output(visit)?)?.f_mul_(&self.whole()?)?),
        }
    }

    /// What is to be multiplied with the visited operation's output to give the relevance, where there is such a thing without dividing. As if nothing was added
    /// to the output before dividing by it: that shows only where both are of the size of what is added.
    pub(super) fn share_in_output<C>(&self, visit: &Visit<'_, C>) -> Result<Option<Tensor>> {
        let Some((node, of)) = &self.of else { return Ok(None) };
        if *node == visit.id {
            return Ok(Some(self.share.shallow_clone()));
        }
        let reader = &visit.network.graph.nodes()[*node];
        match reader.op {
            Op::Relu if reader.inputs[0] == visit.id => Ok(Some(of.f_threshold_backward(&self.share, 0.0)?)),
            _ => Ok(None),
        }
    }
}

impl Carried for Relevance {
    fn sum(self, other: Self) -> Result<Self> {
        match (&self.of, &other.of) {
            (Some((node, _)), Some((others, _))) if node == others => {
                Ok(Self { share: self.share.f_add(&other.share)?, of: self.of })
            }
            _ => Ok(self.whole()?.f_add(&other.whole()?)?.into()),
        }
    }
}

/// What the visited operation gave. A sum needn't have been kept, since its inputs are.
pub(super) fn output<C>(visit: &Visit<'_, C>) -> Result<Tensor> {
    match visit.op {
        Op::Add if !visit.output.defined() => Ok(visit.inputs[0].f_add(visit.inputs[1])?),
        _ => Ok(visit.output.shallow_clone()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::z_rule;
    use super::*;
    use crate::network::{Network, Node};

    /// The operation is node 3; it reads nodes 1 and 2, and a ReLU, node 4, reads it.
    const VISITED: NodeId = 3;
    const RELU: NodeId = 4;

    fn row(values: &[f64]) -> Tensor {
        Tensor::from_slice(values).view([1, -1])
    }

    /// What the z-rule sends back to the two inputs of `op`.
    fn back(op: Op, [a, b]: [&[f64]; 2], relevance: &Relevance) -> Vec<Vec<f64>> {
        let node = |op: Op, inputs: &[NodeId]| Node { name: String::new(), op, inputs: inputs.to_vec() };
        let nodes = vec![
            node(Op::Input, &[]),
            node(Op::Dropout, &[0]),
            node(Op::Dropout, &[0]),
            node(op, &[1, 2]),
            node(Op::Relu, &[VISITED]),
        ];
        let network = Network::of_nodes(nodes, 1);
        let op = &network.graph.nodes()[VISITED].op;
        let (a, b) = (row(a), row(b));
        let inputs = [&a, &b];
        let output = &op.apply(&inputs).unwrap();
        let visit = Visit {
            network: &network,
            id: VISITED,
            op,
            folded: false,
            inputs: &inputs,
            output,
            arriving: relevance,
            memo: None,
        };
        let whole = |part: &Relevance| Vec::try_from(part.whole().unwrap().flatten(0, -1)).unwrap();
        z_rule(&visit, relevance).unwrap().iter().map(whole).collect()
    }

    #[test]
    fn a_sum_shares_what_its_rectifier_let_through() {
        let (a, b) = ([3.0, -1.0, 2.0, -2.0], [1.0, -4.0, -2.0, 5.0]);
        let share = Relevance { share: row(&[0.5, 7.0, 7.0, 2.0]), of: Some((RELU, row(&[4.0, 0.0, 0.0, 3.0]))) };
        assert_eq!(back(Op::Add, [&a, &b], &share), [[1.5, 0.0, 0.0, -4.0], [0.5, 0.0, 0.0, 10.0]]);
        // The same relevance, [2, 0, 0, 6], of nothing in particular: by dividing by the sum and 1e-9.
        let divided = back(Op::Add, [&a, &b], &Relevance::from(row(&[2.0, 0.0, 0.0, 6.0])));
        for (ours, hand) in divided.iter().flatten().zip([1.5, 0.0, 0.0, -4.0, 0.5, 0.0, 0.0, 10.0]) {
            assert!((ours - hand).abs() < 1e-7, "{ours} for {hand}");
        }
    }

    #[test]
    fn a_share_in_the_sum_itself_is_each_inputs() {
        let share = Relevance { share: row(&[0.5, -1.0]), of: Some((VISITED, row(&[4.0, 1.0]))) };
        assert_eq!(back(Op::Add, [&[3.0, 2.0], &[1.0, -1.0]], &share), [[1.5, -2.0], [0.5, 1.0]]);
    }

    #[test]
    fn what_arrives_at_a_zero_is_lost_in_concatenation() {
        let whole = Relevance::from(row(&[1.0, 2.0, 3.0, 4.0]));
        assert_eq!(back(Op::Concat, [&[0.0, 3.0], &[-2.0, 0.0]], &whole), [[0.0, 2.0], [3.0, 0.0]]);
        // A share in what lies behind a normalisation isn't one in the output, zeros of which it doesn't know.
        let behind = Relevance { share: row(&[1.0; 4]), of: Some((2, row(&[1.0, 2.0, 3.0, 4.0]))) };
        assert_eq!(back(Op::Concat, [&[0.0, 3.0], &[-2.0, 0.0]], &behind), [[0.0, 2.0], [3.0, 0.0]]);
    }

    #[test]
    fn shares_in_the_same_are_added_and_others_are_multiplied_out() {
        let of = |node: NodeId, share: f64| Relevance { share: row(&[share]), of: Some((node, row(&[node as f64]))) };
        let value = |relevance: Relevance| relevance.whole().unwrap().double_value(&[0, 0]);
        let same = of(3, 0.5).sum(of(3, 1.5)).unwrap();
        assert!(same.of.is_some());
        assert_eq!(value(same), 6.0);
        assert_eq!(value(of(3, 0.5).sum(of(4, 1.5)).unwrap()), 7.5);
        assert_eq!(value(of(3, 0.5).sum(row(&[2.0]).into()).unwrap()), 3.5);
        assert_eq!(of(3, 0.5).over(row(&[6.0])).unwrap().double_value(&[0, 0]), 0.25);
    }
}
