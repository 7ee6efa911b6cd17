//! Small files: the operations that exporters take apart, sizes, and what is refused.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::Path;

use tch::{Device, Kind, Tensor};

use super::file::{Array, Attribute, Dim, Model, Node, ValueInfo, Values};
use crate::network::op::{Conv, ConvPadding, LayerNorm, Linear};
use crate::network::{Activation, Network, Stated};

/// A file in the making: `x` is its input `[N, 3, H, W]`, and `y` its output.
struct Small(Model);

impl Small {
    fn new() -> Self {
        let free = |name: &str| Dim::Free(name.into());
        Small(Model {
            opset: 20,
            producer: String::new(),
            metadata: [("input_size", "8"), ("mean", "0,0,0"), ("std", "1,1,1")]
                .map(|(key, value)| (key.into(), value.into()))
                .into(),
            input: ValueInfo { name: "x".into(), dims: vec![free("n"), Dim::Fixed(3), free("h"), free("w")] },
            output: ValueInfo { name: "y".into(), dims: vec![] },
            nodes: vec![],
            constants: Default::default(),
        })
    }

    /// Adds a node; its output is its name.
    fn node(mut self, op_type: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attribute)]) -> Self {
        self.0.nodes.push(Node {
            op_type: op_type.into(),
            name: output.into(),
            inputs: inputs.iter().map(|&name| name.into()).collect(),
            outputs: vec![output.into()],
            attributes: attributes.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
            ..Node::default()
        });
        self
    }

    fn floats(mut self, name: &str, shape: &[i64], values: &[f32]) -> Self {
        let values = Values::F32(values.to_vec());
        self.0.constants.insert(name.into(), Array { shape: shape.to_vec(), values });
        self
    }

    fn integers(mut self, name: &str, values: &[i64]) -> Self {
        let array = Array { shape: vec![values.len() as i64], values: Values::I64(values.to_vec()) };
        self.0.constants.insert(name.into(), array);
        self
    }

    /// A pointwise convolution in front, from `x` to `a`, and a pool and a classifier behind, from
    /// `z` to `y`.
    fn classifier(self) -> Self {
        let weight: Vec<f32> = (0..12).map(|i| (i as f32 * 0.7).sin()).collect();
        self.floats("w", &[4, 3, 1, 1], &weight)
            .floats("v", &[4, 2], &weight[..8])
            .node("GlobalAveragePool", &["z"], "pooled", &[])
            .node("Flatten", &["pooled"], "flat", &[])
            .node("MatMul", &["flat", "v"], "y", &[])
    }

    fn conv() -> Self {
        Small::new().node("Conv", &["x", "w"], "a", &[])
    }

    fn network(self) -> Network {
        Network::of_model(self.0, Path::new("small.onnx"), &Stated::default()).unwrap()
    }

    /// The words in which it is refused.
    fn problem(self) -> String {
        Network::of_model(self.0, Path::new("small.onnx"), &Stated::default()).unwrap_err().to_string()
    }
}

fn images(shape: [i64; 4]) -> Tensor {
    let count: i64 = shape.iter().product();
    (Tensor::arange(count, (Kind::Float, Device::Cpu)) * 0.37).sin().view(shape)
}

/// Each operation after the other.
fn run(network: &Network, shape: [i64; 4]) -> crate::Result<Tensor> {
    let sized = network.sized(&shape)?;
    let mut values = vec![images(shape)];
    for (id, node) in network.graph.nodes().iter().enumerate().skip(1) {
        let inputs: Vec<&Tensor> = node.inputs.iter().map(|&input| &values[input]).collect();
        let value = sized.get(&id).unwrap_or(&node.op).apply(&inputs)?;
        values.push(value);
    }
    Ok(values.swap_remove(network.graph.output()))
}

fn logits(network: &Network, shape: [i64; 4]) -> Tensor {
    run(network, shape).unwrap()
}

/// The only activation of a network in which a function of `a` was taken apart, and its logits
/// beside those of the function itself.
#[track_caller]
fn is_one(taken_apart: Small, function: impl Fn(&Tensor) -> Tensor, name: &str) {
    let network = taken_apart.classifier().network();
    let found: Vec<&str> = network
        .graph
        .nodes()
        .iter()
        .filter_map(|node| Some(node.op.downcast_ref::<Activation>()?.function.name))
        .collect();
    assert_eq!(found, [name]);
    let names: Vec<&str> = network.graph.nodes().iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    let of = |name: &str| network.graph.nodes().iter().find(|node| node.name == name).unwrap();
    let conv: &Conv = of("a").op.downcast_ref().unwrap();
    let linear: &Linear = of("y").op.downcast_ref().unwrap();
    let x = images([2, 3, 8, 8]);
    let z = function(&x.conv2d(&conv.weight, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1));
    let expected = z.mean_dim([2i64, 3].as_slice(), false, Kind::Float).linear(&linear.weight, None::<&Tensor>);
    let off = (logits(&network, [2, 3, 8, 8]) - expected).abs().max().double_value(&[]);
    assert!(off < 1e-6, "off by {off:.1e}");
}

#[test]
fn activations_in_parts_are_one_operation() {
    let swish = Small::conv().node("Sigmoid", &["a"], "s", &[]).node("Mul", &["a", "s"], "z", &[]);
    is_one(swish, |a| a.silu(), "silu");
    let gelu = Small::conv()
        .floats("root", &[], &[std::f32::consts::SQRT_2])
        .floats("one", &[], &[1.0])
        .floats("half", &[], &[0.5])
        .node("Div", &["a", "root"], "d", &[])
        .node("Erf", &["d"], "e", &[])
        .node("Add", &["e", "one"], "f", &[])
        .node("Mul", &["a", "f"], "g", &[])
        .node("Mul", &["g", "half"], "z", &[]);
    is_one(gelu, |a| a.gelu("none"), "gelu");
    let hard = Small::conv()
        .floats("three", &[], &[3.0])
        .floats("zero", &[], &[0.0])
        .floats("six", &[], &[6.0])
        .node("Add", &["a", "three"], "b", &[])
        .node("Clip", &["b", "zero", "six"], "c", &[])
        .node("Mul", &["a", "c"], "d", &[])
        .node("Div", &["d", "six"], "z", &[]);
    is_one(hard, |a| a.hardswish(), "hard-swish");
    let mish = Small::conv().node("Softplus", &["a"], "s", &[]).node("Tanh", &["s"], "t", &[]).node(
        "Mul",
        &["t", "a"],
        "z",
        &[],
    );
    is_one(mish, |a| a.mish(), "mish");
}

#[test]
fn layer_normalization_in_parts_is_one_operation() {
    let last = Attribute::Ints(vec![-1]);
    let network = Small::conv()
        .floats("eps", &[], &[1e-5])
        .floats("two", &[], &[2.0])
        .node("ReduceMean", &["a"], "mean", &[("axes", last.clone())])
        .node("Sub", &["a", "mean"], "d", &[])
        .node("Pow", &["d", "two"], "p", &[])
        .node("ReduceMean", &["p"], "var", &[("axes", last)])
        .node("Add", &["var", "eps"], "s", &[])
        .node("Sqrt", &["s"], "r", &[])
        .node("Div", &["d", "r"], "z", &[])
        .classifier()
        .network();
    let norms = network.graph.nodes().iter().filter(|node| node.op.is::<LayerNorm>()).count();
    assert_eq!((norms, network.graph.nodes().len()), (1, 6));
}

#[test]
fn a_bias_and_a_border_belong_to_their_layer() {
    let network = Small::new()
        .integers("pads", &[0, 0, 0, 1, 0, 0, 2, 1])
        .integers("four", &[4])
        .floats("b", &[2], &[0.5, -0.25])
        .node("Pad", &["x", "pads"], "p", &[])
        .node("ConstantOfShape", &["four"], "zeros", &[])
        .node("Conv", &["p", "w", "zeros"], "z", &[])
        .classifier()
        .node("Add", &["y", "b"], "sum", &[]);
    let mut model = network.0;
    model.output.name = "sum".into();
    let network = Small(model).network();
    let conv: &Conv = network.graph.nodes()[1].op.downcast_ref().unwrap();
    assert_eq!((conv.padding, conv.bias.is_none()), (ConvPadding::Sides([0, 1, 2, 1]), true));
    let last = network.graph.nodes().last().unwrap();
    let linear: &Linear = last.op.downcast_ref().unwrap();
    assert_eq!(linear.bias, Some(Tensor::from_slice(&[0.5f32, -0.25])));
    assert_eq!(last.name, "sum");
}

#[test]
fn shape_arithmetic_is_done_anew_for_each_size() {
    // x as [N, C, H·W], its mean over the last axis, and a classifier.
    let network = Small::conv()
        .integers("first", &[0, 1])
        .integers("minus", &[-1])
        .floats("w", &[4, 3, 1, 1], &[0.25; 12])
        .floats("v", &[4, 2], &[1.0, 0.0, 0.5, 0.25, -1.0, 0.0, 0.0, 2.0])
        .node("Shape", &["a"], "size", &[])
        .node("Gather", &["size", "first"], "two", &[])
        .node("Concat", &["two", "minus"], "to", &[("axis", Attribute::Int(0))])
        .node("Reshape", &["a", "to"], "r", &[])
        .node("ReduceMean", &["r"], "m", &[("axes", Attribute::Ints(vec![2])), ("keepdims", Attribute::Int(0))])
        .node("MatMul", &["m", "v"], "y", &[])
        .network();
    let pooled = Small::new().node("Conv", &["x", "w"], "z", &[]).classifier();
    let pooled = pooled
        .floats("w", &[4, 3, 1, 1], &[0.25; 12])
        .floats("v", &[4, 2], &[1.0, 0.0, 0.5, 0.25, -1.0, 0.0, 0.0, 2.0])
        .network();
    for shape in [[2, 3, 8, 8], [1, 3, 8, 8], [3, 3, 5, 7], [3, 3, 5, 7]] {
        let off = (logits(&network, shape) - logits(&pooled, shape)).abs().max().double_value(&[]);
        assert!(off < 1e-6, "{shape:?}: off by {off:.1e}");
    }
}

#[test]
fn a_softmax_at_the_end_is_left_out_and_said() {
    let mut small = Small::new().node("Conv", &["x", "w"], "z", &[]).classifier().node("Softmax", &["y"], "p", &[]);
    small.0.output.name = "p".into();
    let network = small.network();
    assert_eq!(network.assumptions, ["Its last operation, Softmax, is left out: what it reads are the logits."]);
    assert_eq!(network.graph.nodes().last().unwrap().name, "y");
}

#[test]
fn images_may_have_their_channels_last() {
    let mut small = Small::new().node("Transpose", &["x"], "t", &[("perm", Attribute::Ints(vec![0, 3, 1, 2]))]);
    small.0.input.dims = vec![Dim::Free("n".into()), Dim::Free("h".into()), Dim::Free("w".into()), Dim::Fixed(3)];
    let network = small.node("Conv", &["t", "w"], "z", &[]).classifier().network();
    assert_eq!(logits(&network, [2, 3, 8, 6]).size(), [2, 2]);
}

#[test]
fn files_that_are_no_classifiers_are_refused_by_name() {
    let usual = || Small::new().node("Conv", &["x", "w"], "z", &[]).classifier();
    let says = |small: Small, words: &str| {
        let problem = small.problem();
        assert!(problem.contains(words), "{problem:?} doesn't say {words:?}");
    };
    says(
        Small::conv().node("Frobnicate", &["a"], "z", &[]).classifier(),
        "node \"z\" (Frobnicate): the operation Frobnicate isn't known",
    );
    says(Small::conv().node("Sigmod", &["a"], "z", &[]).classifier(), "did you mean 'Sigmoid'");
    let mut sigmoid = usual().node("Sigmoid", &["y"], "p", &[]);
    sigmoid.0.output.name = "p".into();
    says(sigmoid, "such scores aren't of classes that exclude each other");
    let mut whole = usual();
    whole.0.output.name = "z".into();
    says(whole, "its output is [2, 4, 8, 8]");
    let mut constant = usual();
    constant.0.output.name = "w".into();
    says(constant, "its output 'w' doesn't depend on the image");
    let mut channels = usual();
    channels.0.input.dims[1] = Dim::Fixed(4);
    says(channels, "is [n, 4, h, w], expected [batch, channels, height, width] with 3 channels");
    let mut oblong = usual();
    oblong.0.input.dims[2..].clone_from_slice(&[Dim::Fixed(8), Dim::Fixed(6)]);
    says(oblong, "fixes its input at 8 × 6; images here are square");
    let mut other = usual();
    other.0.input.dims[2] = Dim::Fixed(9);
    says(other, "has input_size 8 in its metadata, but fixes its input at 9");
    let integer = usual();
    let mut quantized = integer;
    quantized.0.constants.insert("w".into(), Array { shape: vec![4, 3, 1, 1], values: Values::I64(vec![1; 12]) });
    says(quantized, "export the float network");
    says(usual().floats("w", &[4, 3, 1], &[0.0; 12]), "convolutions of images have four axes");
    says(usual().floats("w", &[4, 2, 1, 1], &[0.0; 8]), "node \"z\" (Conv)");
    let group = Small::new().node("Conv", &["x", "w"], "z", &[("strides", Attribute::Ints(vec![0, 1]))]).classifier();
    says(group, "strides is [0, 1], expected two numbers of pixels");
    let pads = Small::new().node("Conv", &["x", "w"], "z", &[("pads", Attribute::Ints(vec![0; 2]))]).classifier();
    says(pads, "pads are [0, 0], expected four");
    let same = Small::new().node("Conv", &["x", "w"], "z", &[("auto_pad", Attribute::Text("SAME_LOWER".into()))]);
    says(same.classifier(), "auto_pad is 'SAME_LOWER'");
    let pool = Small::conv().node("MaxPool", &["a"], "z", &[("kernel_shape", Attribute::Ints(vec![20, 20]))]);
    says(pool.classifier(), "is too small for a window of [20, 20]");
    says(Small::conv().node("Where", &["a", "a", "a"], "z", &[]).classifier(), "its condition depends on the image");
    says(Small::conv().node("Conv", &["a", "a"], "z", &[]).classifier(), "its input 2 must not depend on the image");
    says(Small::conv().node("Add", &["a"], "z", &[]).classifier(), "node \"z\" (Add): its input 2");
    let wide = Small::conv().floats("c", &[5, 1, 1, 1, 1], &[1.0; 5]).node("Mul", &["a", "c"], "z", &[]);
    says(wide.classifier(), "repeats an activation");
    let dropped = Small::conv().node("Squeeze", &["a"], "z", &[]).classifier();
    says(dropped, "it names no axes");
    let huge = Small::conv().integers("to", &[1 << 40, 1 << 40, 4]).node("Reshape", &["a", "to"], "z", &[]);
    says(huge.classifier(), "its sizes are too large");
}

#[test]
fn a_file_for_one_image_only_is_refused() {
    let mut small = Small::conv()
        .integers("to", &[1, 4, -1])
        .node("Reshape", &["a", "to"], "r", &[])
        .node("ReduceMean", &["r"], "m", &[("axes", Attribute::Ints(vec![2])), ("keepdims", Attribute::Int(0))])
        .floats("w", &[4, 3, 1, 1], &[0.25; 12])
        .floats("v", &[4, 2], &[1.0; 8])
        .node("MatMul", &["m", "v"], "y", &[]);
    small.0.input.dims[0] = Dim::Fixed(1);
    let problem = small.problem();
    assert!(problem.contains("was exported for batches of one image"), "{problem}");
}

#[test]
fn views_of_another_size_than_a_fixed_one_are_refused() {
    let mut small = Small::new().node("Conv", &["x", "w"], "z", &[]).classifier();
    small.0.input.dims[2..].clone_from_slice(&[Dim::Fixed(8), Dim::Fixed(8)]);
    let network = small.network();
    let problem = run(&network, [1, 3, 8, 9]).unwrap_err().to_string();
    assert!(problem.contains("the file fixes its input at 8 × 8, and a view is 8 × 9"), "{problem}");
}
