//! Checkpoints and maps.

use bench::io::npy::{Array, Values};
use ucag_core::network::{Checkpoint, FAMILIES, Network};

use super::stage::{Stage, fixture};
use crate::{GROWTH, Target};

/// Weights of a network, of whichever family they may be.
pub(super) static CHECKPOINT: Target = Target {
    name: "checkpoint",
    seeds: || {
        let seed = |name| fixture(&format!("crates/ucag-core/tests/fixtures/families/{name}.safetensors"));
        let mut seeds: Vec<_> =
            ["resnet_basic", "resnet_caffe", "densenet", "squeezenet1_0", "vgg", "vgg_bn"].map(seed).into();
        // Networks that are what their metadata says.
        let stem = |name| fixture(&format!("crates/ucag-core/tests/fixtures/stems/{name}.safetensors"));
        let small = r#""stem":"cifar","input_size":"32","mean":"0.49,0.48,0.44","std":"0.2,0.2,0.2""#;
        seeds.push(with_metadata(stem("resnet_cifar"), small));
        seeds.push(with_metadata(stem("densenet_cifar-pool"), &small.replace("cifar", "cifar-pool")));
        seeds.push(with_metadata(stem("vgg_grey"), r#""mean":"0.5","std":"0.25""#));
        seeds
    },
    words: &[
        "\"dtype\":\"F32\"",
        "\"F64\"",
        "\"BF16\"",
        "\"I64\"",
        "\"shape\":[",
        "\"data_offsets\":[0,4]",
        "\"__metadata__\":{\"input_size\":\"1\"},",
        "\"preprocessing\":\"caffe\"",
        "\"stem\":\"cifar\",\"input_size\":\"32\"",
        "\"mean\":\"0.5,0.5,0.5\",\"std\":\"1e-40,2,3\"",
        "\"transform_input\":\"true\"",
        "\"max_pool\":\"ceil\"",
        ".weight",
        "layer1.",
        "features.",
        "fc.bias",
        ",",
        "{}",
    ],
    mend: header_length,
    // of half precision, each value is there once as it was and once as float32; the families'
    // graphs beside it
    growth: 40,
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new());
        STAGE.with(|stage| {
            stage.write("weights.safetensors", bytes);
            checkpoint(stage)
        })
    },
};

/// A map that another program made.
pub(super) static NPY: Target = Target {
    name: "npy",
    seeds: npy_seeds,
    words: &[
        "'shape': (2, 3), ",
        "'shape': (",
        "'descr': '<f8', ",
        "'fortran_order': True, ",
        "(1,)",
        "4294967296, ",
        "'",
        "\\x28",
        "True",
        "[('a', '<f4')]",
    ],
    mend: npy_length,
    growth: GROWTH,
    parse: |bytes| {
        let Array { shape, values } = Array::parse(bytes).map_err(|error| format!("{error:#}"))?;
        let count = match values {
            Values::Single(values) => values.len(),
            Values::Double(values) => values.len(),
        };
        assert_eq!(
            shape.iter().try_fold(1, |product: usize, side| product.checked_mul(*side)),
            Some(count),
            "{shape:?}"
        );
        Ok(())
    },
};

fn checkpoint(stage: &Stage) -> Result<(), String> {
    let path = stage.path().join("weights.safetensors");
    let said = |error: ucag_core::Error| {
        let message = error.to_string();
        assert!(message.contains(&*path.to_string_lossy()), "a message without the file: {message}");
        message
    };
    Checkpoint::open(&path).map_err(said)?;
    let mut refused = Err(String::new());
    for family in FAMILIES {
        match Network::load(family.id, &path) {
            Ok(network) => {
                network.layers(None, None).map_err(|error| format!("a network without its own layers: {error}"))?;
                assert!(network.classes > 0 && network.input_size > 0);
                return Ok(());
            }
            Err(error) => refused = Err(said(error)),
        }
    }
    refused
}

/// The same file, which has no metadata, with these.
fn with_metadata(mut bytes: Vec<u8>, entries: &str) -> Vec<u8> {
    let entry = format!("\"__metadata__\":{{{entries}}},");
    bytes.splice(9..9, entry.bytes());
    let length: [u8; 8] = std::array::from_fn(|place| bytes[place]);
    bytes[..8].copy_from_slice(&(u64::from_le_bytes(length) + entry.len() as u64).to_le_bytes());
    bytes
}

/// Puts the length of the header right, which ends where the last tensor's entry does.
fn header_length(bytes: &mut [u8]) {
    let end = bytes.windows(2).rposition(|pair| pair == b"}}").map_or(bytes.len(), |at| at + 2);
    if let Some(length) = end.checked_sub(8) {
        bytes[..8].copy_from_slice(&(length as u64).to_le_bytes());
    }
}

fn npy_seeds() -> Vec<Vec<u8>> {
    let seed = |descr: &str, fortran: &str, shape: &str, data: usize| {
        let mut bytes = b"\x93NUMPY\x01\x00\x00\x00".to_vec();
        bytes.extend(format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n").bytes());
        npy_length(&mut bytes);
        bytes.extend((0..data).map(|byte| byte as u8));
        bytes
    };
    vec![
        seed("<f4", "False", "(2, 3)", 24),
        seed(">f8", "True", "(1, 2, 3)", 48),
        seed("<f2", "False", "(1, 1, 4, 5)", 40),
        seed("<f4", "False", "(0, 3)", 0),
    ]
}

/// Puts the length of the header right, which ends with a line.
fn npy_length(bytes: &mut [u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    if let Some(length) = end.checked_sub(10) {
        bytes[8..10].copy_from_slice(&(length as u16).to_le_bytes());
    }
}
