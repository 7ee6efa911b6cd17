//! The operations of ONNX files. To add one: a file with an `ONNX` entry, and its line here.

use super::import::Import;
use super::{
    activation, adaptive_pool, adaptive_windows, add, affine, batch_norm, concat, conv, expand, flatten, gather,
    group_norm, identity, layer_norm, linear, local_response_norm, matmul, minmax, pad, permute, pool, product, reduce,
    relu, reshape, resize, select, slice, softmax,
};

/// Every operation that a node can become, beside [`activation::IMPORTS`].
static IMPORTS: &[&Import] = &[
    &adaptive_pool::GLOBAL_AVERAGE,
    &adaptive_windows::GATHER_ND,
    &add::ADD,
    &add::SUB,
    &add::SUM,
    &affine::NEG,
    &batch_norm::ONNX,
    &concat::ONNX,
    &conv::ONNX,
    &expand::ONNX,
    &flatten::ONNX,
    &gather::ONNX,
    &group_norm::GROUP,
    &group_norm::INSTANCE,
    &identity::CAST,
    &identity::CAST_LIKE,
    &identity::DROPOUT,
    &identity::IDENTITY,
    &layer_norm::ONNX,
    &linear::GEMM,
    &local_response_norm::ONNX,
    &matmul::ONNX,
    &minmax::MAX,
    &minmax::MIN,
    &pad::ONNX,
    &permute::ONNX,
    &pool::AVERAGE,
    &pool::MAX,
    &product::DIV,
    &product::MUL,
    &reduce::GLOBAL_MAX,
    &reduce::L2,
    &reduce::MAX,
    &reduce::MEAN,
    &reduce::SUM,
    &relu::ONNX,
    &reshape::RESHAPE,
    &reshape::SQUEEZE,
    &reshape::UNSQUEEZE,
    &resize::ONNX,
    &select::WHERE,
    &slice::SLICE,
    &slice::SPLIT,
    &slice::SPLIT_TO_SEQUENCE,
    &softmax::ONNX,
];

/// Returns the entry of an ONNX operation.
pub(crate) fn import(op_type: &str) -> Option<&'static Import> {
    IMPORTS.iter().chain(activation::IMPORTS).find(|import| import.op_type == op_type).copied()
}

/// Names of the ONNX operations that are known.
pub(crate) fn op_types() -> impl Iterator<Item = &'static str> {
    IMPORTS.iter().chain(activation::IMPORTS).map(|import| import.op_type)
}
