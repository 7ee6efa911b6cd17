//! `bench list layers`: the layers of a network.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use ucag_core::network::{Network, OpKind, Stated};

use super::list::columns;

/// Prints the layers of the network in a file: an ONNX file, or a checkpoint of `arch`. Shapes are
/// for one image.
///
/// # Errors
/// Where the file can't be read as a network.
pub fn print(file: Option<&str>, arch: Option<&str>) -> Result<()> {
    let Some(file) = file else {
        bail!("give the network's file: bench list layers model.onnx, or w.safetensors --arch resnet50");
    };
    let mut out = std::io::stdout().lock();
    let written = write(&network(Path::new(file), arch)?, &mut out);
    match written.and_then(|()| Ok(out.flush()?)) {
        Err(error) if is_closed(&error) => Ok(()),
        result => result,
    }
}

fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(|error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn network(path: &Path, arch: Option<&str>) -> Result<Network> {
    match arch {
        Some(arch) => Ok(Network::load(arch, path)?),
        None if path.extension().is_some_and(|extension| extension == "onnx") => {
            Ok(Network::onnx(path, &Stated::default())?)
        }
        None => bail!("{}: of a checkpoint, give the --arch, too (see: bench list models)", path.display()),
    }
}

/// Writes a line for each layer, and the defaults.
fn write(network: &Network, out: &mut dyn Write) -> Result<()> {
    let shapes = network.shapes()?;
    let nodes = network.graph.nodes();
    let rows = nodes.iter().zip(&shapes).skip(1).map(|(node, shape)| {
        let sides: Vec<String> = shape[1..].iter().map(i64::to_string).collect();
        vec![node.name.clone(), kind(node.op.kind()), sides.join(" × ")]
    });
    columns(out, &["layer", "kind", "output"], rows)?;
    let layers = network.layers(None, None)?;
    let name = |id: usize| &nodes[id].name;
    writeln!(
        out,
        "\nFor an input of {0} × {0}. CAM methods explain {1}, and excitation backprop stops at {2}, unless a config says otherwise.",
        network.input_size,
        name(layers.target),
        name(layers.excitation)
    )?;
    for assumption in &network.assumptions {
        writeln!(out, "{assumption}")?;
    }
    Ok(())
}

/// A word for the kind of an operation.
fn kind(kind: OpKind<'_>) -> String {
    let word = match kind {
        OpKind::Input => "input",
        OpKind::Conv(_) => "convolution",
        OpKind::Linear(_) => "fully connected",
        OpKind::BatchNorm(_) => "batch normalization",
        OpKind::Affine => "scale and shift",
        OpKind::Relu => "relu",
        OpKind::Activation(activation) => activation.function.name,
        OpKind::Normalization => "normalization",
        OpKind::MaxPool => "max pool",
        OpKind::MeanPool => "mean pool",
        OpKind::Sum => "sum",
        OpKind::Product(_) => "product",
        OpKind::MatMul => "matrix product",
        OpKind::Softmax => "softmax",
        OpKind::Concat => "concatenation",
        OpKind::Reshape => "reshape",
        OpKind::Identity => "identity",
        OpKind::Scripted(_) => "TorchScript",
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_needs_its_arch() {
        let error = network(Path::new("w.safetensors"), None).unwrap_err().to_string();
        assert!(error.contains("--arch"), "{error}");
    }
}
