//! Names of layers, as those who wrote the network know them.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{Model, Node};
use crate::network::op::import::Draft;

/// Returns a name for each node of a graph. In order of preference: the module's path in PyTorch,
/// as its exporter writes it into the file; the path in the node's name, as PyTorch's older
/// exporter has it; the node's name; the operation.
pub(super) fn names(model: &Model, drafts: &[Draft]) -> Vec<String> {
    let paths = Paths::of(model);
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    // Several nodes of one call of a module: the last has the module's name.
    let calls: Vec<Option<(String, String)>> =
        drafts.iter().map(|draft| draft.origin.map(|origin| paths.call(&model.nodes[origin]))).collect();
    let mut names = Vec::new();
    for (id, draft) in drafts.iter().enumerate() {
        let base = match &calls[id] {
            None if id == 0 => "input".to_owned(),
            None => draft_word(draft),
            Some(call) if calls[id + 1..].contains(&Some(call.clone())) => {
                let (name, _) = call;
                format!("{name}.{}", draft_word(draft))
            }
            Some((name, _)) => name.clone(),
        };
        let uses = given.entry(base.clone()).or_default();
        names.push(if *uses == 0 { base } else { format!("{base}_{uses}") });
        *uses += 1;
    }
    names
}

/// A word for the operation of a node.
fn draft_word(draft: &Draft) -> String {
    let debug = format!("{:?}", draft.op);
    let word = debug.trim_start_matches("Op(").split(|c: char| !c.is_alphanumeric()).next().unwrap_or("node");
    word.to_lowercase()
}

/// The paths of modules in a file.
struct Paths {
    /// Paths that contain other modules, in names of PyTorch's older exporter.
    containers: BTreeSet<String>,
}

impl Paths {
    fn of(model: &Model) -> Self {
        let mut containers = BTreeSet::new();
        for node in &model.nodes {
            let path = path_in(&node.name).map(|(path, _)| path).unwrap_or_default();
            containers.extend(path.match_indices('.').map(|(end, _)| path[..end].to_owned()));
        }
        Self { containers }
    }

    /// The name of the call that a node belongs to, and what tells the call from others of the same
    /// module.
    fn call(&self, node: &Node) -> (String, String) {
        let function = || {
            let digits = |c: char| c.is_ascii_digit();
            let word = node.scope.call.trim_end_matches(digits);
            word.strip_suffix('_').unwrap_or(&node.scope.call).to_owned()
        };
        if let Some(module) = node.scope.modules.last() {
            let name = match (is_leaf(&module.class), module.path.is_empty()) {
                (true, false) => module.path.clone(),
                (_, true) => function(),
                (false, false) => format!("{}.{}", module.path, function()),
            };
            return (name, node.scope.call.clone());
        }
        let word = node.op_type.to_lowercase();
        match path_in(&node.name) {
            Some((path, _)) if !self.containers.contains(&path) => (path, node.name.clone()),
            Some((path, _)) => (format!("{path}.{word}"), node.name.clone()),
            None if node.name.is_empty() => (word, node.outputs.concat()),
            None => (node.name.trim_start_matches('/').to_owned(), node.name.clone()),
        }
    }
}

/// Returns whether a class is a layer of PyTorch's own, rather than a container of layers.
fn is_leaf(class: &str) -> bool {
    class.starts_with("torch.nn.modules.")
        && !class.starts_with("torch.nn.modules.container.")
        && !class.ends_with(".MultiheadAttention")
        && !class.starts_with("torch.nn.modules.transformer.")
}

/// The module's path and the operation in a name of PyTorch's older exporter: `layer1.0.conv1` and
/// `Conv` in `/layer1/layer1.0/conv1/Conv`.
fn path_in(name: &str) -> Option<(String, &str)> {
    let (scopes, operation) = name.strip_prefix('/')?.rsplit_once('/')?;
    let path = scopes.split('/').fold(String::new(), |path, scope| {
        let is_whole = scope.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.'));
        if path.is_empty() || is_whole { scope.to_owned() } else { format!("{path}.{scope}") }
    });
    Some((path, operation))
}
