//! Operations that no network here can have: those of other domains, functions, control flow and
//! whole numbers in place of weights.

use std::collections::BTreeSet;

use super::proto::FunctionProto;

/// Operations that run a graph of their own.
const CONTROL_FLOW: [&str; 4] = ["If", "Loop", "Scan", "SequenceMap"];
/// Operations of quantised networks, beside those whose names begin with `QLinear`.
const QUANTISED: [&str; 6] =
    ["ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "MatMulNBits", "QuantizeLinear"];

/// The end of a sentence about a node that runs a graph of its own.
pub(super) const GRAPH: &str = "is control flow, which isn't followed; export the network with a forward function that \
                                has no branches or loops that depend on the image";

/// Judge of a file's operations.
#[derive(Debug)]
pub(super) struct Refused {
    /// Domains and names of the functions that the file defines.
    functions: BTreeSet<(String, String)>,
}

impl Refused {
    pub(super) fn new(functions: Vec<FunctionProto>) -> Self {
        Self { functions: functions.into_iter().map(|f| (domain(&f.domain).to_owned(), f.name)).collect() }
    }

    /// The end of a sentence about a node, where its operation is refused.
    pub(super) fn problem(&self, op_type: &str, of: &str) -> Option<String> {
        let of = domain(of);
        if self.functions.contains(&(of.to_owned(), op_type.to_owned())) {
            return Some(format!(
                "calls a function that the file defines, {of:?}'s; export it with optimize=True, or put the function's \
                 body in its place with onnx.inliner.inline_local_functions"
            ));
        }
        if QUANTISED.contains(&op_type) || op_type.starts_with("QLinear") {
            return Some("belongs to a quantised network; export the float network".into());
        }
        if CONTROL_FLOW.contains(&op_type) {
            return Some(GRAPH.into());
        }
        if !of.is_empty() {
            return Some(format!(
                "is an operation of {of:?}, and only ONNX's own are read; export the network without them, or before \
                 a runtime optimises it"
            ));
        }
        None
    }
}

/// A domain's name, which for ONNX's own is empty.
pub(super) fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}
