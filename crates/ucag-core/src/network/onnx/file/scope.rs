//! Modules that a node came from, as PyTorch's exporter notes them in the node's metadata.

use std::collections::BTreeMap;

use super::proto::StringStringEntryProto;

/// Names of the modules down to a node, a Python list.
const NAMES: &str = "pkg.torch.onnx.name_scopes";
/// Their classes, a list of the same length.
const CLASSES: &str = "pkg.torch.onnx.class_hierarchy";
/// Both, as `name: class/name: class`.
const NAMESPACE: &str = "namespace";
/// The only module of a node that belongs to none.
const NO_MODULE: &str = "_empty_nn_module_stack_from_metadata_hook";

/// The place in a PyTorch program that a node came from. It is empty for files of other exporters,
/// and for nodes that an optimiser added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// From the network down to the module that called the function. The first is the network
    /// itself, whose path is empty.
    pub modules: Vec<Module>,
    /// The name of the call in the exported program: `conv2d_1`.
    pub call: String,
    /// The function: `aten.conv2d.default`. Empty where the file names modules without classes.
    pub function: String,
}

/// A module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its path in the network: `layer3.0.bn1`.
    pub path: String,
    /// Its class: `torch.nn.modules.batchnorm.BatchNorm2d`. Empty where the file has none.
    pub class: String,
}

impl Scope {
    /// Reads a node's metadata. What isn't understood is passed over: nothing but names depends on
    /// it.
    pub(super) fn new(metadata: &[StringStringEntryProto]) -> Self {
        let metadata: BTreeMap<&str, &str> = metadata.iter().map(|e| (e.key.as_str(), e.value.as_str())).collect();
        let list = |key| metadata.get(key).and_then(|text| python_list(text));
        let names = list(NAMES);
        let pairs = match (names, list(CLASSES), metadata.get(NAMESPACE)) {
            (Some(names), Some(classes), _) if names.len() == classes.len() => names.into_iter().zip(classes).collect(),
            (_, _, Some(namespace)) if !namespace.is_empty() => namespace.split('/').map(pair).collect(),
            (Some(names), ..) => names.into_iter().map(|name| (name, String::new())).collect(),
            _ => Vec::new(),
        };
        Self::of_pairs(pairs)
    }

    /// The last of the pairs is the function.
    fn of_pairs(mut pairs: Vec<(String, String)>) -> Self {
        let (call, function) = pairs.pop().unwrap_or_default();
        let modules = pairs.into_iter().filter(|(path, _)| path != NO_MODULE);
        Self { modules: modules.map(|(path, class)| Module { path, class }).collect(), call, function }
    }

    /// The path of the innermost module, if there is one.
    pub fn path(&self) -> Option<&str> {
        self.modules.last().map(|module| module.path.as_str())
    }
}

/// A `name: class` of a namespace. Where there is no colon, it is the network's class.
fn pair(text: &str) -> (String, String) {
    let (name, class) = text.split_once(": ").unwrap_or(("", text));
    (name.to_owned(), class.to_owned())
}

/// Reads a Python list of strings as Python prints it.
fn python_list(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut items = Vec::new();
    while !rest.is_empty() {
        let (item, behind) = python_string(rest)?;
        items.push(item);
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if behind.is_empty() => behind,
            None => return None,
        };
    }
    Some(items)
}

/// Reads a Python string at the beginning of `text`, and returns what is behind it.
fn python_string(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut item = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => item.push(match chars.next()?.1 {
                same @ ('\\' | '\'' | '"') => same,
                _ => return None,
            }),
            c if c == quote => return Some((item, &text[at + 1..])),
            c => item.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Module, Scope, StringStringEntryProto};

    fn scope(entries: &[(&str, &str)]) -> Scope {
        let entry = |&(key, value): &(&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
        Scope::new(&entries.iter().map(entry).collect::<Vec<_>>())
    }

    fn modules(pairs: &[(&str, &str)]) -> Vec<Module> {
        pairs.iter().map(|&(path, class)| Module { path: path.into(), class: class.into() }).collect()
    }

    #[test]
    fn reads_a_namespace() {
        let text = ": torchvision.models.resnet.ResNet/layer3.0: torchvision.models.resnet.Bottleneck\
            /layer3.0.bn1: torch.nn.modules.batchnorm.BatchNorm2d/batch_norm_5: aten.batch_norm.default";
        let read = scope(&[("namespace", text), ("pkg.torch.onnx.name_scopes", "['', 'layer3.0', 'x']")]);
        assert_eq!(
            read.modules,
            modules(&[
                ("", "torchvision.models.resnet.ResNet"),
                ("layer3.0", "torchvision.models.resnet.Bottleneck"),
                ("layer3.0.bn1", "torch.nn.modules.batchnorm.BatchNorm2d"),
            ])
        );
        assert_eq!((read.call.as_str(), read.function.as_str()), ("batch_norm_5", "aten.batch_norm.default"));
        assert_eq!(read.path(), Some("layer3.0.bn1"));
    }

    #[test]
    fn prefers_the_two_lists() {
        let read = scope(&[
            ("namespace", "what: ever"),
            ("pkg.torch.onnx.name_scopes", r#"['', "L['self'].a", 'b\'s', 'relu']"#),
            ("pkg.torch.onnx.class_hierarchy", "['m.Net', 'm.f.<locals>.A', 'm.B', 'aten.relu.default']"),
        ]);
        assert_eq!(read.modules, modules(&[("", "m.Net"), ("L['self'].a", "m.f.<locals>.A"), ("b's", "m.B")]));
        assert_eq!((read.call.as_str(), read.function.as_str()), ("relu", "aten.relu.default"));
    }

    #[test]
    fn makes_do_with_less() {
        let read = scope(&[("pkg.torch.onnx.name_scopes", "['', 'fc', 'linear']")]);
        assert_eq!(read.modules, modules(&[("", ""), ("fc", "")]));
        assert_eq!((read.call.as_str(), read.function.as_str()), ("linear", ""));
        let read = scope(&[("namespace", "__main__.Net/add: aten.add.Tensor")]);
        assert_eq!(read.modules, modules(&[("", "__main__.Net")]));
        let none = "_empty_nn_module_stack_from_metadata_hook";
        let read = scope(&[("namespace", &format!("{none}: {none}/sym_size_int_1: aten.sym_size.int"))]);
        assert_eq!(
            read,
            Scope { modules: vec![], call: "sym_size_int_1".into(), function: "aten.sym_size.int".into() }
        );
        for damaged in ["", "['", "[']", "['a' 'b']", "[a]", r"['\x']", "['é\\"] {
            assert_eq!(scope(&[("pkg.torch.onnx.name_scopes", damaged), ("other", "x")]), Scope::default());
        }
        assert_eq!(scope(&[]), Scope::default());
    }
}
