//! Files that aren't ONNX, or whose graph isn't a network's.

use prost::Message;

use super::super::attribute::kind;
use super::super::decode;
use super::super::proto::{FunctionProto, ModelProto, SparseTensorProto, SparseValues, TypeProto};
use super::{Parts, attribute, encoded, entry, int, node, opset, refuses, tensor, value};

#[track_caller]
fn refuses_bytes(bytes: &[u8], words: &str) {
    let problem = decode(bytes, None).expect_err("a bad file was read");
    assert!(problem.contains(words), "{problem:?} doesn't say {words:?}");
}

#[test]
fn refuses_what_is_not_onnx() {
    refuses_bytes(b"", "the file is empty; copy or export it again");
    refuses_bytes(b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer");
    refuses_bytes(b"PK\x03\x04and so on", "looks like a PyTorch file; export the network with torch.onnx.export");
    refuses_bytes(b"\x80\x02}q\x00", "looks like a PyTorch file");
    refuses_bytes(b"network = \"resnet\"\n", "not a complete ONNX file");
    refuses_bytes(&ModelProto { ir_version: 8, ..Default::default() }.encode_to_vec(), "it has no graph");
    // A field that isn't known, and no other.
    refuses_bytes(b"\xf8\x3e\x01", "it has no graph");
}

#[test]
fn refuses_every_beginning_of_a_file() {
    let bytes = Parts::small().bytes();
    for length in 0..bytes.len() {
        match decode(&bytes[..length], None) {
            Err(problem) => assert!(problem.contains("export") || problem.contains("again"), "{problem}"),
            // What is cut off is the opset, behind the graph, or metadata.
            Ok(model) => assert_eq!(model.nodes.len(), 4, "{length} of {} bytes", bytes.len()),
        }
    }
    refuses_bytes(&bytes[..bytes.len() / 2], "not a complete ONNX file");
}

#[test]
fn refuses_parts_that_are_damaged() {
    let mut model = ModelProto::decode(&*Parts::small().bytes()).expect("it is whole");
    let graph = model.graph.get_or_insert_default();
    graph.node[1] = graph.node[1].slice(..5);
    refuses_bytes(&model.encode_to_vec(), "node 1 isn't complete");
    let mut model = ModelProto::decode(&*Parts::small().bytes()).expect("it is whole");
    let graph = model.graph.get_or_insert_default();
    graph.initializer[0] = graph.initializer[0].slice(..9);
    refuses_bytes(&model.encode_to_vec(), "tensor 0 isn't complete");
    let cut = |parts: &mut Parts| parts.nodes[0].attribute[0] = parts.nodes[0].attribute[0].slice(..4);
    refuses(cut, "node \"conv1\" (Conv) isn't complete");
}

#[test]
fn refuses_other_opsets() {
    let wants = |opsets: Vec<_>, words: &str| refuses(|parts| parts.model.opset_import = opsets, words);
    wants(vec![], "doesn't say its opset; export it with one of 11 to 25");
    wants(vec![opset("ai.onnx.ml", 3)], "doesn't say its opset");
    wants(vec![opset("", 10)], "is of opset 10, and 11 to 25 are read; export it with opset_version=18");
    wants(vec![opset("ai.onnx", 26)], "is of opset 26");
    wants(vec![opset("", 13), opset("ai.onnx", 17)], "says that it is of opsets {13, 17}");
}

#[test]
fn refuses_other_inputs() {
    let wants = |inputs: Vec<_>, words: &str| refuses(|parts| parts.graph.input = inputs, words);
    let image = [Err("N"), Ok(3), Ok(8), Ok(8)];
    wants(vec![], "the graph has no input; export it with one, a batch of images");
    wants(vec![value("w", 1, Some(&[Ok(2)]))], "the graph has no input");
    wants(
        vec![value("x", 1, Some(&image)), value("mask", 1, Some(&image))],
        r#"the graph has several inputs ("x", "mask"); export it with one"#,
    );
    let many = ["a", "b", "c", "d", "e"].map(|name| value(name, 1, Some(&image)));
    wants(many.into(), r#"the graph has several inputs ("a", "b", "c", "d", …)"#);
    wants(vec![value("", 1, Some(&image))], "the input has no name");
    wants(vec![value("x", 10, Some(&image))], "input \"x\" is of type FLOAT16, and should be FLOAT; export");
    wants(vec![value("x", 11, Some(&image))], "is of type DOUBLE");
    wants(vec![value("x", 2, Some(&image))], "is of type UINT8");
    wants(vec![value("x", 99, Some(&image))], "is of type 99, and should be FLOAT");
    wants(vec![value("x", 1, None)], "input \"x\" has no shape; export it for [batch, channels, height, width]");
    wants(vec![value("x", 1, Some(&image[1..]))], "input \"x\" has 3 axes, and should have 4");
    wants(vec![value("x", 1, Some(&[Ok(-1), Ok(3), Ok(8), Ok(8)]))], "input \"x\" has a side of -1; export it");
    wants(vec![value("x", 1, Some(&[Ok(1), Ok(0), Ok(8), Ok(8)]))], "has a side of 0");
    refuses(|parts| parts.graph.input[0].r#type = None, "input \"x\" has no type");
}

#[test]
fn refuses_inputs_that_are_no_tensors() {
    let wants =
        |r#type: TypeProto, words: &str| refuses(|parts| parts.graph.input[0].r#type = Some(Box::new(r#type)), words);
    let some = || Some(Vec::new().into());
    wants(
        TypeProto { sequence_type: some(), ..Default::default() },
        "input \"x\" is a sequence, and should be a tensor",
    );
    wants(TypeProto { map_type: some(), ..Default::default() }, "is a map");
    wants(TypeProto { optional_type: some(), ..Default::default() }, "is optional");
    wants(TypeProto { sparse_tensor_type: some(), ..Default::default() }, "is a sparse tensor");
    wants(TypeProto { opaque_type: some(), ..Default::default() }, "is of an opaque type");
    wants(TypeProto::default(), "has no type");
}

#[test]
fn refuses_other_outputs() {
    let wants = |outputs: Vec<_>, words: &str| refuses(|parts| parts.graph.output = outputs, words);
    let logits = |name| value(name, 1, None);
    wants(vec![], "the graph has no output; export it with one, the logits");
    wants(vec![logits("logits"), logits("c")], r#"the graph has several outputs ("logits", "c")"#);
    wants(vec![value("logits", 7, None)], "output \"logits\" is of type INT64, and should be FLOAT");
    wants(vec![logits("nowhere")], "output \"nowhere\" is made by no node; export it again");
    wants(vec![logits("x")], "output \"x\" is made by no node");
    wants(vec![value("logits", 1, Some(&[Ok(-3)]))], "output \"logits\" has a side of -3");
}

#[test]
fn refuses_graphs_that_cannot_run() {
    refuses(|parts| parts.nodes[1].input[0] = "z".into(), r#"node "relu1" (Relu) reads "z", which nothing makes"#);
    refuses(|parts| parts.nodes[3].input[0] = "z".into(), r#"the node of "logits" (Flatten) reads "z""#);
    let words = r#"(Relu) makes "a", which is there already: names must be unique; export it again"#;
    refuses(|parts| parts.nodes[1].output[0] = "a".into(), words);
    refuses(|parts| parts.nodes[1].output[0] = "x".into(), r#"makes "x", which is there already"#);
    refuses(|parts| parts.nodes[1].output[0] = "w".into(), r#"makes "w", which is there already"#);
    // Of the circle from relu1 to pool, and not of what hangs on it.
    refuses(
        |parts| {
            parts.nodes[1] = node("Add", "relu1", &["a", "c"], &["b"]);
            parts.nodes.insert(0, node("Neg", "behind", &["c"], &["d"]));
        },
        r#"node "pool" (GlobalAveragePool) needs its own output: the graph is a circle"#,
    );
    refuses(|parts| parts.nodes[1].input[0] = "b".into(), r#"node "relu1" (Relu) needs its own output"#);
    refuses(|parts| parts.nodes[1].op_type.clear(), r#"node "relu1" (no operation) has no operation"#);
}

#[test]
fn refuses_operations_of_other_domains() {
    let domain = |parts: &mut Parts, domain: &str| parts.nodes[1].domain = domain.into();
    let words = r#"node "relu1" (Relu) is an operation of "com.microsoft", and only ONNX's own are read"#;
    refuses(|parts| domain(parts, "com.microsoft"), words);
    let function = |domain: &str| FunctionProto { name: "Relu".into(), domain: domain.into() };
    refuses(
        |parts| {
            domain(parts, "pkg.onnxscript.torch_lib");
            parts.model.functions = vec![function("pkg.onnxscript.torch_lib")];
        },
        r#"(Relu) calls a function that the file defines, "pkg.onnxscript.torch_lib"'s; export it with optimize=True"#,
    );
    refuses(|parts| parts.model.functions = vec![function("ai.onnx")], "calls a function that the file defines");
}

#[test]
fn refuses_control_flow_and_quantised_networks() {
    for op_type in ["If", "Loop", "Scan"] {
        refuses(|parts| parts.nodes[1].op_type = op_type.into(), &format!("\"relu1\" ({op_type}) is control flow"));
    }
    refuses(|parts| parts.nodes[1].attribute = encoded(&[attribute("body", kind::GRAPH)]), "(Relu) is control flow");
    for op_type in ["QLinearConv", "DequantizeLinear", "QuantizeLinear", "ConvInteger", "MatMulInteger"] {
        let words = format!("\"relu1\" ({op_type}) belongs to a quantised network; export the float network");
        refuses(|parts| parts.nodes[1].op_type = op_type.into(), &words);
    }
    refuses(
        |parts| {
            parts.nodes[1].op_type = "QLinearAdd".into();
            parts.nodes[1].domain = "com.microsoft".into();
        },
        "belongs to a quantised network",
    );
}

#[test]
fn refuses_metadata_and_attributes_that_are_there_twice() {
    let words = r#"the metadata has "mean" twice; leave one"#;
    refuses(|parts| parts.model.metadata_props.push(entry("mean", "1,1,1")), words);
    let words = r#"the node of "logits" (Flatten), attribute "axis": is there twice"#;
    refuses(|parts| parts.nodes[3].attribute.extend(encoded(&[int("axis", 2)])), words);
}

#[test]
fn refuses_tensors_that_are_sparse_nameless_or_there_twice() {
    let values = Some(SparseValues { name: "s".into() });
    let words = "tensor \"s\" is sparse, which isn't read; export it dense";
    refuses(|parts| parts.graph.sparse_initializer = vec![SparseTensorProto { values }], words);
    refuses(|parts| parts.tensors.push(tensor("", 1, &[0])), "tensor 1 has no name");
    refuses(|parts| parts.tensors.push(tensor("w", 1, &[0])), "tensor \"w\" is there twice: names must be unique");
}
