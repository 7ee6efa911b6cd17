//! ONNX files.

use ucag_core::network::{Network, Stated};

use super::stage::fixture;
use crate::{Target, nothing};

/// A network in ONNX.
pub(super) static ONNX: Target = Target {
    name: "onnx",
    seeds: || {
        let seed = |name| fixture(&format!("crates/ucag-core/tests/fixtures/golden2/net_{name}.onnx"));
        ["alexnet", "regnet", "convnext_folded", "mobilenetv3_folded"].map(seed).into()
    },
    words: &[
        "Conv",
        "Gemm",
        "Reshape",
        "Shape",
        "Expand",
        "If",
        "Loop",
        "axis",
        "pads",
        "strides",
        "group",
        "input_size",
        "mean",
        "weight",
        "location",
    ],
    mend: nothing,
    // Constants are there as bytes, as numbers and as tensors; shape arithmetic repeats them.
    growth: 200,
    parse: |bytes| match Network::onnx_from_bytes(bytes, "model.onnx", &Stated::default()) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    },
};
