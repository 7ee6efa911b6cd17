//! Tensors and attributes that contradict themselves or aren't read.

use super::super::attribute::kind;
use super::super::proto::{AttributeProto, TensorProto};
use super::{Parts, attribute, encoded, refuses, tensor};

#[track_caller]
fn refuses_tensor(change: impl FnOnce(&mut TensorProto), words: &str) {
    refuses(|parts| change(&mut parts.tensors[0]), &format!("tensor \"w\" {words}"));
}

#[test]
fn refuses_values_that_do_not_fill_the_shape() {
    refuses_tensor(
        |w| w.raw_data = w.raw_data.slice(..23),
        "has 23 bytes, where 24 belong to its shape [2, 3, 1, 1]; export it again",
    );
    refuses_tensor(|w| w.dims = vec![2, 3, 2], "has 24 bytes, where 48 belong to its shape [2, 3, 2]");
    refuses_tensor(|w| w.dims = vec![0], "has 24 bytes, where 0 belong");
    refuses_tensor(|w| w.data_type = 10, "has 24 bytes, where 12 belong");
    refuses_tensor(|w| w.raw_data.clear(), "has 0 values, where 6 belong to its shape [2, 3, 1, 1]");
    let typed = |w: &mut TensorProto, values: &[f32]| {
        w.raw_data.clear();
        w.float_data = values.into();
    };
    refuses_tensor(|w| typed(w, &[1.0; 5]), "has 5 values, where 6 belong");
    refuses_tensor(|w| w.float_data = vec![1.0; 6], "has its values twice");
    // The values of another type's field.
    refuses_tensor(
        |w| {
            typed(w, &[1.0; 6]);
            w.data_type = 7;
        },
        "has values in the field of another type",
    );
    refuses_tensor(
        |w| {
            typed(w, &[1.0; 6]);
            w.int32_data = vec![1];
        },
        "has values in the field of another type",
    );
}

#[test]
fn refuses_shapes_that_cannot_be() {
    refuses_tensor(|w| w.dims = vec![2, -3], "has a side of -3");
    let words = "has the shape [4611686018427387904, 4611686018427387904], which no memory can hold";
    refuses_tensor(|w| w.dims = vec![1 << 62, 1 << 62], words);
    refuses_tensor(|w| w.dims = vec![0, 1 << 62, 2], "has the shape [0, 4611686018427387904, 2], which no");
    refuses_tensor(|w| w.dims = vec![i64::MAX], "has the shape [9223372036854775807], which no memory can hold");
    refuses_tensor(|w| w.dims = vec![1 << 40], "has 24 bytes, where 4398046511104 belong");
    refuses_tensor(|w| w.dims = vec![1; 9], "has 9 axes, and a network's tensors have at most 8");
}

#[test]
fn refuses_types_that_are_not_read() {
    refuses_tensor(|w| w.data_type = 8, "is of type STRING, which isn't read; export the network without its texts");
    refuses_tensor(|w| w.data_type = 22, "is of type INT4, which isn't read; export the float network");
    refuses_tensor(|w| w.data_type = 17, "is of type FLOAT8E4M3FN");
    refuses_tensor(|w| w.data_type = 14, "is of type COMPLEX64");
    refuses_tensor(|w| w.data_type = 0, "is of type 0, which isn't read");
    refuses_tensor(|w| w.data_type = -7, "is of type -7, which isn't read");
    refuses_tensor(|w| w.data_type = 77, "is of type 77, which isn't read");
}

#[test]
fn refuses_numbers_out_of_range() {
    let small = |data_type: i32, value: i32| {
        move |w: &mut TensorProto| {
            *w = TensorProto { int32_data: vec![value], ..tensor("w", data_type, &[1]) };
        }
    };
    refuses_tensor(small(2, 256), "has the value 256, which is out of range");
    refuses_tensor(small(3, -129), "has the value -129");
    refuses_tensor(small(10, -1), "has the value -1");
    refuses_tensor(small(16, 65536), "has the value 65536");
    let large = |data_type: i32, value: u64| {
        move |w: &mut TensorProto| {
            *w = TensorProto { uint64_data: vec![value], ..tensor("w", data_type, &[1]) };
        }
    };
    refuses_tensor(large(12, 1 << 32), "has the value 4294967296");
    refuses_tensor(large(13, 1 << 63), "has the value 9223372036854775808");
    refuses_tensor(
        |w| *w = TensorProto { raw_data: vec![255; 8].into(), ..tensor("w", 13, &[1]) },
        "has the value 18446744073709551615",
    );
}

#[test]
fn refuses_data_elsewhere() {
    refuses_tensor(|w| w.segment = Some(Vec::new().into()), "is cut into segments");
    refuses_tensor(|w| w.data_location = 1, "has values in the file and outside of it");
    refuses_tensor(|w| w.data_location = 2, "is kept at location 2, which isn't known");
}

#[test]
fn refuses_attributes_that_are_not_read() {
    let wants = |attribute: AttributeProto, words: &str| {
        let words = format!("node \"relu1\" (Relu), attribute \"value\": {words}");
        refuses(|parts| parts.nodes[1].attribute = encoded(&[attribute]), &words);
    };
    wants(attribute("value", 0), "doesn't say its type");
    wants(attribute("value", 11), "is of type 11; only numbers, texts, lists of them and tensors are read");
    wants(attribute("value", 13), "is of type 13");
    wants(attribute("value", kind::TENSOR), "should be a tensor, and isn't there");
    wants(AttributeProto { s: vec![0xff].into(), ..attribute("value", kind::STRING) }, "is a text that isn't UTF-8");
    let strings = vec![b"a".to_vec().into(), vec![0xc0].into()];
    wants(AttributeProto { strings, ..attribute("value", kind::STRINGS) }, "is a text that isn't UTF-8");
    wants(AttributeProto { ref_attr_name: "alpha".into(), ..attribute("value", kind::INT) }, "refers to an attribute");
    let t = Some(Box::new(tensor("", 1, &[2])));
    wants(AttributeProto { t, ..attribute("value", kind::TENSOR) }, "has 0 values, where 2 belong to its shape [2]");
}

#[test]
fn getters_refuse_other_types() {
    let model = super::super::decode(&Parts::small().bytes(), None).expect("it is whole");
    let (conv, flatten) = (&model.nodes[0], &model.nodes[3]);
    let words = "attribute \"pads\": is a list of whole numbers and should be a whole number; export it again";
    assert_eq!(conv.int("pads", 0), Err(format!("node \"conv1\" (Conv), {words}")));
    let words = "the node of \"logits\" (Flatten), attribute \"axis\": is a whole number and should be";
    assert_eq!(flatten.float("axis", 0.0), Err(format!("{words} a number; export it again")));
    assert_eq!(flatten.text("axis", ""), Err(format!("{words} a text; export it again")));
    assert_eq!(flatten.ints("axis"), Err(format!("{words} a list of whole numbers; export it again")));
    assert_eq!(flatten.tensor("axis"), Err(format!("{words} a tensor; export it again")));
}
