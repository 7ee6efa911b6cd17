//! Every operation against its definition: the shape that it says is the shape that it gives, its
//! vector-Jacobian product is autograd's, and its bias is what it makes of zeros.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use tch::{Device, Kind, Tensor};

use super::activation::{self, Function};
use super::*;

/// Numbers that follow from the seed, in double precision.
fn normal(seed: i64, shape: &[i64]) -> Tensor {
    let count: i64 = shape.iter().product();
    let steps = Tensor::arange(count, (Kind::Double, Device::Cpu)) + 1;
    let angle = steps * (12.9898 + seed as f64 * 0.618);
    // Neither zeros nor ties, for derivatives and maxima.
    (angle.sin() * 1.7 + Tensor::arange(count, (Kind::Double, Device::Cpu)) * 1e-4).reshape(shape)
}

/// An operation, and its inputs' shapes.
type Example = (Op, Vec<Vec<i64>>);

fn conv(padding: ConvPadding, stride: [i64; 2], dilation: [i64; 2], groups: i64) -> Op {
    let weight = normal(1, &[4, 4 / groups, 3, 2]);
    Conv { weight, bias: Some(normal(2, &[4])), stride, padding, dilation, groups }.into()
}

fn examples() -> Vec<Example> {
    let maps = || vec![vec![2, 4, 7, 6]];
    let slice = |start, end, step| Slice { axis: 2, start, end, step };
    let reduce = |to, axes: &[i64], keeps| Reduce { to, axes: axes.to_vec(), keeps };
    let reshape = |sizes: &[i64]| Reshape::To(sizes.to_vec());
    let pad = |fill| Pad { sides: vec![[0, 0], [0, 0], [1, 2], [0, 1]], fill };
    let resize = |to, mode| Resize { to, mode };
    let norm = BatchNorm {
        weight: normal(3, &[4]),
        bias: normal(4, &[4]),
        mean: normal(5, &[4]),
        var: normal(6, &[4]).abs() + 0.5,
        eps: 1e-3,
    };
    let positive = |seed, shape: &[i64]| normal(seed, shape).abs() + 0.3;
    let examples: Vec<Example> = vec![
        (conv(ConvPadding::Even([1, 0]), [1, 1], [1, 1], 1), maps()),
        (conv(ConvPadding::Even([1, 1]), [2, 3], [1, 1], 2), maps()),
        (conv(ConvPadding::Sides([0, 1, 2, 0]), [2, 1], [2, 1], 4), maps()),
        (conv(ConvPadding::Same, [2, 2], [1, 1], 1), maps()),
        (conv(ConvPadding::Same, [3, 1], [2, 2], 2), maps()),
        (Linear { weight: normal(1, &[3, 6]), bias: Some(normal(2, &[3])) }.into(), maps()),
        (Linear { weight: normal(1, &[3, 6]), bias: None }.into(), vec![vec![2, 6]]),
        (norm.into(), maps()),
        (Affine { scale: Some(normal(1, &[4, 1, 1])), shift: Some(normal(2, &[6])) }.into(), maps()),
        (Affine { scale: Some(normal(1, &[1])), shift: None }.into(), vec![vec![2, 5]]),
        (Relu.into(), maps()),
        (Dropout.into(), maps()),
        (Flatten.into(), maps()),
        (Input { channels: 4 }.into(), maps()),
        (MaxPool::from(Pool::square(3, 2, 1, true)).into(), maps()),
        (MaxPool { window: Pool::square(2, 1, 0, false), dilation: [2, 1] }.into(), maps()),
        (AvgPool::from(Pool::square(3, 2, 1, false)).into(), maps()),
        (AvgPool { window: Pool::square(3, 2, 1, true), counts_padding: false }.into(), maps()),
        (AdaptiveAvgPool { size: 3 }.into(), maps()),
        (Add.into(), vec![vec![2, 4, 7, 6], vec![4, 1, 1]]),
        (Product { is_gated: true }.into(), vec![vec![2, 4, 7, 6], vec![2, 4, 1, 1]]),
        (Product { is_gated: false }.into(), vec![vec![2, 5], vec![2, 5]]),
        (MatMul.into(), vec![vec![2, 3, 4, 5], vec![2, 3, 5, 6]]),
        (Softmax { axis: 2 }.into(), vec![vec![2, 3, 5]]),
        (Concat::CHANNELS.into(), vec![vec![2, 4, 3, 2], vec![2, 1, 3, 2]]),
        (Concat { axis: 1, constants: vec![(0, normal(1, &[1, 1, 3]))] }.into(), vec![vec![2, 4, 3]]),
        (reshape(&[0, -1, 3]).into(), maps()),
        (Reshape::Unsqueeze(vec![0, -1]).into(), maps()),
        (Reshape::Squeeze(vec![-1, 1]).into(), vec![vec![2, 1, 3, 1]]),
        (Permute { axes: vec![0, 2, 3, 1] }.into(), maps()),
        (slice(1, i64::MAX, 2).into(), maps()),
        (slice(-3, -1, 1).into(), maps()),
        (Gather { axis: 1, indices: vec![2, 0, 2], drops: false }.into(), maps()),
        (Gather { axis: 1, indices: vec![3], drops: true }.into(), maps()),
        (Expand { sizes: vec![2, 1, 5] }.into(), vec![vec![2, 3, 1]]),
        (pad(Fill::Zeros).into(), maps()),
        (pad(Fill::Reflect).into(), maps()),
        (pad(Fill::Edge).into(), maps()),
        (reduce(Reduction::Mean, &[1, 2], false).into(), maps()),
        (reduce(Reduction::Sum, &[3], true).into(), maps()),
        (reduce(Reduction::Max, &[2, 3], true).into(), maps()),
        (resize(Size::Fixed([9, 4]), Interpolation::Bilinear).into(), maps()),
        (resize(Size::Factors([2.0, 1.5]), Interpolation::BilinearCorners).into(), maps()),
        (resize(Size::Factors([2.0, 3.0]), Interpolation::Nearest).into(), maps()),
        (LayerNorm { axes: 1, weight: Some(normal(1, &[6])), bias: Some(normal(2, &[6])), eps: 1e-5 }.into(), maps()),
        (LayerNorm { axes: 2, weight: None, bias: None, eps: 1e-5 }.into(), maps()),
        (GroupNorm { groups: 2, weight: normal(1, &[4]), bias: normal(2, &[4]), eps: 1e-5 }.into(), maps()),
        (LocalResponseNorm { size: 3, alpha: 0.5, beta: 0.75, bias: 1.0 }.into(), maps()),
        (Prelu::new(positive(1, &[4, 1, 1])).into(), maps()),
    ];
    let functions = activation::all()
        .into_iter()
        .map(|(function, parameters)| (Op::from(Activation { function, parameters }), maps()));
    examples.into_iter().chain(functions).collect()
}

/// Functions that are defined above zero only.
fn is_of_positive(op: &Op) -> bool {
    op.downcast_ref().is_some_and(|op: &Activation| ["log", "sqrt", "pow", "reciprocal"].contains(&op.function.name))
}

#[test]
fn shapes_derivatives_and_biases_are_those_of_the_function() {
    for (op, shapes) in examples() {
        let inputs: Vec<Tensor> = shapes
            .iter()
            .enumerate()
            .map(|(index, shape)| {
                let x = normal(10 + index as i64, shape);
                if is_of_positive(&op) { x.abs() + 0.1 } else { x }
            })
            .collect();
        let inputs: Vec<&Tensor> = inputs.iter().collect();
        let output = op.apply(&inputs).unwrap();
        let said = op.shape(&shapes.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
        assert_eq!(output.size(), said, "{op:?}");
        let cotangent = normal(20, &said);
        let ours = op.vjp(&inputs, &output, &cotangent).unwrap();
        let expected = vjp::by_autograd(&|inputs| op.apply(inputs), &inputs, &cotangent).unwrap();
        assert_eq!(ours.len(), expected.len(), "{op:?}");
        for (ours, expected) in ours.iter().zip(&expected) {
            assert_eq!(ours.size(), expected.size(), "{op:?}");
            let off = (ours - expected).abs().max().double_value(&[]);
            assert!(off < 1e-11, "{op:?}: its derivative is off by {off:.1e}");
        }
        let same = op.with_weights(&|weight| Ok(weight.shallow_clone())).unwrap();
        assert_eq!(same.apply(&inputs).unwrap(), output, "{op:?}");
        let is_linear =
            matches!(op.kind(), OpKind::Conv(_) | OpKind::Linear(_) | OpKind::BatchNorm(_) | OpKind::Affine);
        if is_linear || matches!(op.kind(), OpKind::Normalization) {
            let zeros: Vec<Tensor> = inputs.iter().map(|x| x.zeros_like()).collect();
            let of_zeros = op.apply(&zeros.iter().collect::<Vec<_>>()).unwrap();
            let bias = op.bias().unwrap().map_or_else(|| output.zeros_like(), |bias| bias.expand_as(&output));
            let off = (of_zeros - bias).abs().max().double_value(&[]);
            assert!(off < 1e-11, "{op:?}: its bias is off by {off:.1e}");
        }
    }
}

#[test]
fn an_operation_in_place_is_the_operation() {
    for (op, shapes) in examples() {
        let x = normal(10, &shapes[0]);
        let Some(ours) = op.apply_in_place(&x.copy()).unwrap() else { continue };
        assert_eq!(ours, op.apply(&[&x]).unwrap(), "{op:?}");
    }
}

#[test]
fn what_cannot_be_negative_is_not() {
    for (op, shapes) in examples() {
        let signed: Vec<Tensor> = shapes.iter().map(|shape| normal(10, shape)).collect();
        for is_positive in [false, true] {
            let usable = !is_of_positive(&op) || is_positive;
            if !usable || !op.is_positive(&vec![is_positive; shapes.len()]) {
                continue;
            }
            let inputs: Vec<Tensor> =
                signed.iter().map(|x| if is_positive { x.abs() } else { x.shallow_clone() }).collect();
            let output = op.apply(&inputs.iter().collect::<Vec<_>>()).unwrap();
            assert!(output.min().double_value(&[]) >= 0.0, "{op:?}");
        }
    }
}

/// A function and its numbers at a few places, from its definition.
fn values(function: &'static Function, parameters: &[f64], expected: [f64; 3]) {
    let x = Tensor::from_slice(&[-1.5, 0.25, 2.0]);
    let ours = (function.apply)(&x, parameters).unwrap();
    let off = (ours - Tensor::from_slice(&expected)).abs().max().double_value(&[]);
    assert!(off < 1e-6, "{}: off by {off:.1e}", function.name);
}

#[test]
fn activations_have_the_values_of_their_definitions() {
    let named = |name: &str| {
        let all = activation::all();
        all.into_iter().find(|(function, _)| function.name == name).unwrap_or_else(|| panic!("{name}")).0
    };
    values(named("silu"), &[], [-0.273_638_276, 0.140_544_133, 1.761_594_156]);
    values(named("gelu"), &[], [-0.100_210_8, 0.149_676_581, 1.954_499_736]);
    values(named("gelu-tanh"), &[], [-0.100_428_423, 0.149_675_351, 1.954_597_694]);
    values(named("hard-swish"), &[], [-0.375, 0.135_416_667, 1.666_666_667]);
    values(named("hard-sigmoid"), &[1.0 / 6.0, 0.5], [0.25, 0.541_666_667, 0.833_333_333]);
    values(named("clip"), &[0.0, 1.5], [0.0, 0.25, 1.5]);
    values(named("elu"), &[0.5], [-0.388_434_920, 0.25, 2.0]);
    values(named("mish"), &[], [-0.298_099_742, 0.169_572_410, 1.943_958_960]);
    values(named("softplus"), &[], [0.201_413_278, 0.825_939_47, 2.126_928_011]);
    values(named("leaky-relu"), &[0.1], [-0.15, 0.25, 2.0]);
}
