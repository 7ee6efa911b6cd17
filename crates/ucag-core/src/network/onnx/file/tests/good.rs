//! Files that are read.

use super::super::attribute::kind;
use super::super::proto::{AttributeProto, FunctionProto, NodeProto, TensorProto};
use super::super::{Array, Attribute, Dim, Model, Values, decode};
use super::{Parts, attribute, encoded, entry, int, ints, node, opset, tensor, value};

#[track_caller]
fn read(parts: &Parts) -> Model {
    decode(&parts.bytes(), None).expect("a good file")
}

/// Reads the small file with this as its weight.
#[track_caller]
fn read_tensor(proto: TensorProto) -> Array {
    let mut parts = Parts::small();
    parts.tensors[0] = TensorProto { name: "w".into(), ..proto };
    read(&parts).constants["w"].clone()
}

#[test]
fn reads_a_small_file() {
    let model = read(&Parts::small());
    assert_eq!((model.opset, model.producer.as_str()), (17, "hand 1"));
    assert_eq!(model.metadata.into_iter().collect::<Vec<_>>(), [("mean".into(), "0,0,0".into())]);
    assert_eq!(model.input.name, "x");
    let free = |name: &str| Dim::Free(name.into());
    assert_eq!(model.input.dims, [free("N"), Dim::Fixed(3), free(""), Dim::Fixed(8)]);
    assert_eq!((model.output.name.as_str(), model.output.dims), ("logits", vec![free("N"), Dim::Fixed(2)]));
    let ops: Vec<&str> = model.nodes.iter().map(|node| node.op_type.as_str()).collect();
    assert_eq!(ops, ["Conv", "Relu", "GlobalAveragePool", "Flatten"]);
    assert_eq!(
        (&model.nodes[0].inputs[..], &model.nodes[0].outputs[..]),
        (&["x", "w", ""].map(Into::into)[..], &["a".into()][..])
    );
    let weight = Values::F32(vec![1.0, -2.0, 3.0, 0.5, 0.25, -0.125]);
    assert_eq!(model.constants["w"], Array { shape: vec![2, 3, 1, 1], values: weight });
    assert_eq!(model.nodes[0].describe(), "node \"conv1\" (Conv)");
    assert_eq!(model.nodes[3].describe(), "the node of \"logits\" (Flatten)");
}

#[test]
fn reads_attributes_and_their_defaults() {
    let mut parts = Parts::small();
    let strings = vec![b"a".to_vec().into(), "é".as_bytes().to_vec().into()];
    let value = TensorProto { int64_data: vec![7], ..tensor("", 7, &[]) };
    parts.nodes[0].attribute = encoded(&[
        ints("pads", &[1, 2]),
        int("group", -3),
        AttributeProto { f: 0.5, ..attribute("alpha", kind::FLOAT) },
        AttributeProto { s: b"SAME_UPPER".to_vec().into(), ..attribute("auto_pad", kind::STRING) },
        AttributeProto { floats: vec![1.5, 2.5], ..attribute("scales", kind::FLOATS) },
        AttributeProto { strings, ..attribute("texts", kind::STRINGS) },
        AttributeProto { t: Some(Box::new(value)), ..attribute("value", kind::TENSOR) },
        attribute("zero", kind::INT),
    ]);
    let node = &read(&parts).nodes[0];
    assert_eq!(node.ints("pads"), Ok(Some(&[1, 2][..])));
    assert_eq!((node.int("group", 1), node.int("zero", 1), node.int("other", 1)), (Ok(-3), Ok(0), Ok(1)));
    assert_eq!((node.float("alpha", 1.0), node.float("beta", 2.0)), (Ok(0.5), Ok(2.0)));
    assert_eq!((node.text("auto_pad", "x"), node.text("mode", "x")), (Ok("SAME_UPPER"), Ok("x")));
    assert_eq!(node.attributes["scales"], Attribute::Floats(vec![1.5, 2.5]));
    assert_eq!(node.attributes["texts"], Attribute::Texts(vec!["a".into(), "é".into()]));
    assert_eq!(node.tensor("value"), Ok(Some(&Array { shape: vec![], values: Values::I64(vec![7]) })));
    assert_eq!((node.ints("strides"), node.tensor("other")), (Ok(None), Ok(None)));
}

#[test]
fn reads_values_stored_as_bytes() {
    let raw = |data_type, bytes: &[u8]| {
        read_tensor(TensorProto { raw_data: bytes.to_vec().into(), ..tensor("", data_type, &[2]) }).values
    };
    assert_eq!(raw(1, &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]), Values::F32(vec![1.0, -2.0]));
    assert_eq!(raw(10, &[0x00, 0x3c, 0x01, 0x00]), Values::F32(vec![1.0, 2.0_f32.powi(-24)]));
    assert_eq!(raw(16, &[0x80, 0x3f, 0x49, 0x40]), Values::F32(vec![1.0, 3.140625]));
    assert_eq!(
        raw(11, &[[0, 0, 0, 0, 0, 0, 0xf0, 0x3f], [0, 0, 0, 0, 0, 0, 0, 0xc0]].concat()),
        Values::F64(vec![1.0, -2.0])
    );
    assert_eq!(raw(3, &[0xff, 0x7f]), Values::I64(vec![-1, 127]));
    assert_eq!(raw(2, &[0xff, 0x7f]), Values::I64(vec![255, 127]));
    assert_eq!(raw(5, &[0xfe, 0xff, 0, 1]), Values::I64(vec![-2, 256]));
    assert_eq!(raw(4, &[0xfe, 0xff, 0, 1]), Values::I64(vec![65534, 256]));
    assert_eq!(raw(6, &[0xfd, 0xff, 0xff, 0xff, 1, 0, 0, 0]), Values::I64(vec![-3, 1]));
    assert_eq!(raw(12, &[0xfd, 0xff, 0xff, 0xff, 1, 0, 0, 0]), Values::I64(vec![4294967293, 1]));
    let wide = [[0xff; 8], [1, 0, 0, 0, 0, 0, 0, 0]].concat();
    assert_eq!(raw(7, &wide), Values::I64(vec![-1, 1]));
    let wide = [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0; 8]].concat();
    assert_eq!(raw(13, &wide), Values::I64(vec![i64::MAX, 0]));
    assert_eq!(raw(9, &[0, 1]), Values::Bool(vec![false, true]));
}

#[test]
fn reads_values_stored_as_numbers() {
    let ints = |data_type, values: [i32; 2]| {
        read_tensor(TensorProto { int32_data: values.into(), ..tensor("", data_type, &[1, 2]) }).values
    };
    assert_eq!(ints(10, [0x3c00, 0xc000]), Values::F32(vec![1.0, -2.0]));
    assert_eq!(ints(16, [0x3f80, 0xc000]), Values::F32(vec![1.0, -2.0]));
    assert_eq!(ints(3, [-128, 127]), Values::I64(vec![-128, 127]));
    assert_eq!(ints(2, [0, 255]), Values::I64(vec![0, 255]));
    assert_eq!(ints(6, [i32::MIN, i32::MAX]), Values::I64(vec![i32::MIN.into(), i32::MAX.into()]));
    assert_eq!(ints(9, [0, 1]), Values::Bool(vec![false, true]));
    let floats = TensorProto { float_data: vec![1.0, f32::NEG_INFINITY], ..tensor("", 1, &[2]) };
    assert_eq!(read_tensor(floats).values, Values::F32(vec![1.0, f32::NEG_INFINITY]));
    let doubles = TensorProto { double_data: vec![0.1, -2.0], ..tensor("", 11, &[2]) };
    assert_eq!(read_tensor(doubles).values, Values::F64(vec![0.1, -2.0]));
    let longs = TensorProto { int64_data: vec![i64::MIN], ..tensor("", 7, &[]) };
    assert_eq!(read_tensor(longs), Array { shape: vec![], values: Values::I64(vec![i64::MIN]) });
    let unsigned = TensorProto { uint64_data: vec![4294967295], ..tensor("", 12, &[1]) };
    assert_eq!(read_tensor(unsigned).values, Values::I64(vec![4294967295]));
    // As of Resize's regions, which most files leave out that way.
    let none = read_tensor(tensor("", 1, &[0]));
    assert_eq!((none.shape, none.values.is_empty()), (vec![0], true));
}

#[test]
fn reads_old_files_that_list_weights_as_inputs() {
    let mut parts = Parts::small();
    parts.model.ir_version = 3;
    parts.graph.input.insert(0, value("w", 1, Some(&[Ok(2), Ok(3), Ok(1), Ok(1)])));
    assert_eq!(read(&parts), read(&Parts::small()));
}

#[test]
fn sorts_nodes_that_are_out_of_order() {
    let mut parts = Parts::small();
    let sorted = read(&parts);
    parts.nodes.reverse();
    assert_eq!(read(&parts).nodes, sorted.nodes);
    // Ties keep the file's order, and a value may be read twice by one node.
    let mut parts = Parts::small();
    parts.nodes[1] = node("Add", "twice", &["a", "a"], &["b"]);
    parts.nodes.push(node("Neg", "late", &["x"], &["unused"]));
    let names: Vec<String> = read(&parts).nodes.into_iter().map(|node| node.name).collect();
    assert_eq!(names, ["conv1", "twice", "pool", "", "late"]);
}

#[test]
fn passes_over_what_does_not_matter() {
    let mut parts = Parts::small();
    parts.model.opset_import = vec![opset("ai.onnx.ml", 3), opset("ai.onnx", 17), opset("", 17)];
    parts.model.functions = vec![FunctionProto { name: "Relu".into(), domain: "unused".into() }];
    parts.nodes[1].domain = "ai.onnx".into();
    parts.nodes[1].output.push(String::new());
    parts.graph.output[0].r#type = None;
    let model = read(&parts);
    assert_eq!((model.opset, model.nodes.len()), (17, 4));
    assert_eq!(model.output.dims, []);
}

#[test]
fn reads_the_modules_of_a_node() {
    let mut parts = Parts::small();
    let namespace = ": my.Net/features.0: torch.nn.modules.conv.Conv2d/conv2d: aten.conv2d.default";
    parts.nodes[0] = NodeProto { metadata_props: vec![entry("namespace", namespace)], ..parts.nodes[0].clone() };
    let model = read(&parts);
    let scope = &model.nodes[0].scope;
    assert_eq!((scope.path(), scope.modules.len()), (Some("features.0"), 2));
    assert_eq!(scope.modules[1].class, "torch.nn.modules.conv.Conv2d");
    assert_eq!(scope.function, "aten.conv2d.default");
    assert_eq!(model.nodes[1].scope, Default::default());
}
