//! The table of docs/networks.md: every method on a network of six families, as it runs.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tch::{Kind, Tensor};
use ucag_core::Result;
use ucag_core::explain::{METHODS, Method, Role};
use ucag_core::network::{Network, Stated};
use ucag_core::pass::Pass;

/// The networks: the head of a column, and the fixture.
const NETWORKS: [(&str, &str); 6] = [
    ("ResNet", "families/resnet_basic.safetensors"),
    ("EfficientNet-Lite", "golden2/net_efficientnetlite.safetensors"),
    ("MobileNetV3", "golden2/net_mobilenetv3_folded.onnx"),
    ("EfficientNet", "golden2/net_efficientnet_folded.onnx"),
    ("RegNetY", "golden2/net_regnet.onnx"),
    ("ConvNeXt", "golden2/net_convnext_folded.onnx"),
];

fn network(fixture: &str) -> Network {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    match fixture {
        onnx if onnx.ends_with(".onnx") => Network::onnx(&path, &Stated::default()),
        lite if lite.contains("efficientnetlite") => Network::load("efficientnet_lite", &path),
        _ => Network::load("resnet", &path),
    }
    .unwrap()
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/networks.md")
}

/// The map of a method for an image, or the reason why there is none.
fn explained(method: &Method, network: &Network) -> Result<Tensor> {
    let explainer = method.explainer();
    let layers = network.layers(None, None)?;
    let needs = explainer.needs(network, &layers)?;
    let stored = Tensor::read_safetensors(
        page().with_file_name("../crates/ucag-core/tests/fixtures/golden2/in_regnet.safetensors"),
    );
    let stored = stored.unwrap().into_iter().find(|(name, _)| name == "x64/input");
    let image = stored.unwrap().1.to_kind(Kind::Float).unsqueeze(0);
    explainer.explain(&Pass::new(network, image, 3, needs)?, &layers)
}

/// Methods in rows, networks in columns, and the reasons below.
fn table() -> String {
    let networks = NETWORKS.map(|(head, fixture)| (head, network(fixture)));
    let mut text = format!("| method | {} |\n|---|{}\n", NETWORKS.map(|(head, _)| head).join(" | "), "---|".repeat(6));
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for method in METHODS.iter().filter(|method| method.role != Role::Control) {
        let cells = networks.each_ref().map(|(head, network)| {
            // These need logits and gradients at the input only, which every network has.
            if method.black_box {
                return "yes".to_owned();
            }
            match explained(method, network) {
                Ok(map) => {
                    assert!(bool::try_from(map.isfinite().all()).unwrap(), "{} on {head} isn't finite", method.id);
                    assert!(map.abs().max().double_value(&[]) > 0.0, "{} on {head} is empty", method.id);
                    "yes".to_owned()
                }
                Err(error) => {
                    let count = reasons.len() + 1;
                    let reason = format!("{head}: {error}.");
                    format!("no ({})", reasons.entry(reason).or_insert(count))
                }
            }
        });
        text += &format!("| `{}` | {} |\n", method.id, cells.join(" | "));
    }
    let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, number)| *number);
    text += "\n| note | reason |\n|---|---|\n";
    for (reason, number) in reasons {
        text += &format!("| {number} | {reason} |\n");
    }
    text
}

const BEGIN: &str = "<!-- Written by the test of the table. -->\n\n";
const END: &str = "\n<!-- End of the table. -->";

#[test]
fn every_operation_of_onnx_files_is_listed() {
    let list =
        ucag_core::network::onnx::operations().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let page = std::fs::read_to_string(page()).unwrap().replace('\n', " ");
    assert!(page.contains(&list), "docs/networks.md should list:\n{list}");
}

#[test]
fn the_table_of_methods_and_networks_is_what_runs() {
    let page = std::fs::read_to_string(page()).unwrap();
    let (_, rest) = page.split_once(BEGIN).unwrap();
    let (ours, _) = rest.split_once(END).unwrap();
    let table = table();
    assert_eq!(ours, table, "docs/networks.md is out of date; between its two marks it should have:\n{table}");
}
