//! Networks as graphs: a checkpoint with torchvision's state-dict names describes its own widths,
//! depths and classes.

pub(crate) mod batchnorm_folding;
mod builder;
mod checkpoint;
mod convolutional;
mod densenet;
mod efficientnet_lite;
mod family;
mod graph;
mod inception;
pub(crate) mod memory_format;
pub mod onnx;
pub mod op;
mod preprocessing;
mod registry;
mod resnet;
mod squeezenet;
mod stated;
pub mod synthetic;
mod torchscript;
mod vgg;
pub(crate) mod weight_cache;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use builder::{Builder, Padding};
pub use checkpoint::Checkpoint;
pub use family::Family;
pub use graph::{Graph, Node, NodeId};
pub use memory_format::Precision;
pub use op::{
    Activation, AdaptiveAvgPool, Add, Affine, AvgPool, BatchNorm, Concat, Conv, ConvPadding, Dropout, Flatten, Input,
    Linear, MaxPool, Op, OpKind, Operation, Pool, Product, Relu,
};
pub use preprocessing::Preprocessing;
pub use registry::{FAMILIES, family};
pub use stated::{Stated, Stem};
use tch::{Device, Kind, Tensor};
pub use torchscript::{Output, Scripted};

use self::family::Built;
use self::memory_format::MemoryFormat;
use self::onnx::Resizer;
use self::stated::Properties;
use self::weight_cache::{WeightCache, WeightForm, Weights};

use crate::{Error, Result};

/// The nodes that methods are defined at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// The layer that CAM methods explain.
    pub target: NodeId,
    /// The layer at which excitation backprop stops.
    pub excitation: NodeId,
    /// The layer at which contrastive excitation backprop takes its difference: the one that the
    /// classifier's last layer reads.
    pub contrast: NodeId,
}

/// A network that is ready to be explained.
#[derive(Debug)]
pub struct Network {
    /// Its family.
    pub family: &'static Family,
    /// torchvision's name for it (`resnet50`), or a description where torchvision has none; with
    /// its stem where that isn't torchvision's, and whether it is for grey images.
    pub architecture: String,
    /// The operations.
    pub graph: Graph,
    /// The layer that CAM methods explain by default.
    pub layer: String,
    /// The layer at which excitation backprop stops by default.
    pub excitation: String,
    /// Number of logits.
    pub classes: usize,
    /// Side of the square input it was made for, in pixels: the checkpoint's metadata `input_size`,
    /// else its family's; with a stem for small images, else what was stated.
    pub input_size: usize,
    /// Normalization of its input, and with that its number of channels.
    pub preprocessing: Preprocessing,
    /// Assumptions, and statements that differ from the file: a sentence each.
    pub assumptions: Vec<String>,
    /// The device of its weights.
    pub device: Device,
    /// Precision of the layers before the first requested activation.
    precision: Precision,
    /// Views that went through it, whoever shares it.
    views: Arc<AtomicU64>,
    /// Weights in other forms.
    weight_cache: Arc<WeightCache>,
    /// Operations for views of other sizes, where some depend on it.
    resizer: Option<Arc<Resizer>>,
}

impl Network {
    /// Loads a checkpoint as `arch`.
    ///
    /// # Errors
    /// Where `arch` is unknown, the file can't be read, a tensor is missing, extra or misshapen, or
    /// `arch` names a member of the family that the checkpoint isn't.
    pub fn load(arch: &str, path: &Path) -> Result<Self> {
        Self::load_as(arch, path, &Stated::default())
    }

    /// As [`Network::load`], of which a config says what its tensors don't show.
    ///
    /// # Errors
    /// As [`Network::load`], and where file and config contradict each other or leave open what
    /// can't be guessed.
    pub fn load_as(arch: &str, path: &Path, stated: &Stated) -> Result<Self> {
        let family = family(arch)?;
        Self::build(arch, family, &Checkpoint::open(path)?, stated)
    }

    /// As [`Network::load`], from tensors in memory.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn from_checkpoint(arch: &str, checkpoint: &Checkpoint) -> Result<Self> {
        Self::from_checkpoint_as(arch, checkpoint, &Stated::default())
    }

    /// As [`Network::load_as`], from tensors in memory.
    ///
    /// # Errors
    /// As [`Network::load_as`].
    pub fn from_checkpoint_as(arch: &str, checkpoint: &Checkpoint, stated: &Stated) -> Result<Self> {
        Self::build(arch, family(arch)?, checkpoint, stated)
    }

    fn build(arch: &str, family: &'static Family, checkpoint: &Checkpoint, stated: &Stated) -> Result<Self> {
        let mismatch = |problem| Error::Architecture { path: checkpoint.path().to_owned(), problem };
        let mut properties = Properties::new(checkpoint, stated, family.stem)?;
        let Built { graph, architecture, layer, excitation, classes } = (family.build)(&mut properties)?;
        if arch != family.id && arch != architecture {
            return Err(mismatch(format!("is {architecture}, not {arch}")));
        }
        let input_size = properties.input_size(family.input_size)?;
        let preprocessing = properties.preprocessing;
        let stem = properties.stem.map(|stem| format!("{} stem", stem.word()));
        let grey = (preprocessing.channels() == 1).then(|| "grey".to_owned());
        let architecture = [Some(architecture), stem, grey].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let assumptions = properties.finish(family.id)?;
        Ok(Self {
            family,
            architecture,
            graph,
            layer,
            excitation,
            classes: classes as usize,
            input_size,
            preprocessing,
            assumptions,
            device: Device::Cpu,
            precision: Precision::default(),
            views: Arc::default(),
            weight_cache: Arc::default(),
            resizer: None,
        })
    }

    /// A network that no checkpoint describes.
    #[cfg(test)]
    pub(crate) fn of_nodes(nodes: Vec<Node>, classes: usize) -> Self {
        Self {
            family: &vgg::FAMILY,
            architecture: "a test's".into(),
            layer: String::new(),
            excitation: String::new(),
            graph: Graph::new(nodes),
            classes,
            input_size: 0,
            preprocessing: Preprocessing::Imagenet,
            assumptions: Vec::new(),
            device: Device::Cpu,
            precision: Precision::default(),
            views: Arc::default(),
            weight_cache: Arc::default(),
            resizer: None,
        }
    }

    /// The nodes that methods are defined at: the family's, or those named.
    ///
    /// # Errors
    /// Where the network has no layer of that name.
    pub fn layers(&self, target: Option<&str>, excitation: Option<&str>) -> Result<Layers> {
        Ok(Layers {
            target: self.graph.resolve(target.unwrap_or(&self.layer))?,
            excitation: self.graph.resolve(excitation.unwrap_or(&self.excitation))?,
            contrast: self.graph.before_classifier(),
        })
    }

    /// Returns the shapes of all nodes' outputs for one image of the size that the network was made
    /// for.
    ///
    /// # Errors
    /// Where the shapes can't be told, as of a TorchScript module.
    pub fn shapes(&self) -> Result<Vec<Vec<i64>>> {
        let side = self.input_size as i64;
        self.graph.shapes(&[1, self.preprocessing.channels() as i64, side, side])
    }

    /// Returns the operations that are others for views of this shape than in the graph.
    ///
    /// # Errors
    /// Where the network takes no views of that size.
    pub fn sized(&self, views: &[i64]) -> Result<BTreeMap<NodeId, Op>> {
        self.resizer.as_ref().map_or_else(|| Ok(BTreeMap::new()), |resizer| resizer.operations(&self.graph, views))
    }

    /// The positive part of a node's weight, which is made when it is first asked for, and kept for
    /// all that share the weights. `folded` says that the weight is that of the convolution with
    /// its batch normalisation.
    pub fn positive_weight(&self, node: NodeId, folded: bool, weight: &Tensor) -> Result<Tensor> {
        Ok(self.weight_cache.of((node, WeightForm::Positive { folded }), || Ok((weight.f_clamp_min(0.0)?, None)))?.0)
    }

    /// Returns a node's weights in another form, made by `make`, once for all that share them.
    pub(crate) fn weights_in(
        &self,
        key: (NodeId, WeightForm),
        make: impl FnOnce() -> Result<Weights>,
    ) -> Result<Weights> {
        self.weight_cache.of(key, make)
    }

    /// The memory format in which convolutions are fastest, if it isn't the usual one.
    pub(crate) fn format(&self) -> Option<MemoryFormat> {
        MemoryFormat::new(self.device, self.precision, self.wants_channels_last())
    }

    /// A tensor as maxima are found in it in the least time: in oneDNN's layout, where that can be,
    /// which it can't where autograd follows.
    pub(crate) fn pools_in(&self, x: &Tensor) -> Result<Tensor> {
        match MemoryFormat::new(self.device, Precision::Float32, false).filter(|format| format.admits(x)) {
            Some(format) => format.to_format(x),
            None => MemoryFormat::to_plain(x),
        }
    }

    /// Returns whether an operation works with channels next to each other, but not in oneDNN's own
    /// layout.
    fn wants_channels_last(&self) -> bool {
        let wants =
            |kind| matches!(kind, OpKind::Concat | OpKind::Activation(_) | OpKind::Product(_) | OpKind::Normalization);
        self.graph.nodes().iter().any(|node| wants(node.op.kind()))
    }

    /// Precision of the layers before the first requested activation.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The same network in another precision. It is that of the convolutions in front of the first
    /// requested activation; all else, and all of a pass for input gradients or relevance, is in
    /// float32.
    ///
    /// # Errors
    /// Where this machine can't compute in it, or the network is TorchScript, which computes in
    /// whatever it was written in.
    pub fn with_precision(&self, precision: Precision) -> Result<Self> {
        if precision != Precision::default() && self.graph.nodes().iter().any(|node| node.op.is::<Scripted>()) {
            return Err(Error::Invalid(
                "a TorchScript network has a precision of its own; leave out 'precision'".into(),
            ));
        }
        if let Some(format) = MemoryFormat::new(self.device, precision, self.wants_channels_last())
            .filter(|_| precision != Precision::default())
        {
            format.check(self.device)?;
        }
        Ok(Self { precision, weight_cache: Arc::default(), ..self.shallow_clone()? })
    }

    /// Number of single views that went forward through this network so far, and through all that
    /// share its weights.
    pub fn views(&self) -> u64 {
        self.views.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, views: &Tensor) {
        self.views.fetch_add(views.size()[0].unsigned_abs(), Ordering::Relaxed);
    }

    /// The same network on the same weights, for another worker: tensors may be sent between
    /// threads but not shared, so each worker has its own handles.
    pub fn shallow_clone(&self) -> Result<Self> {
        let shared = self.with_graph(self.graph.with_weights(&|weight| Ok(weight.shallow_clone()))?, self.device)?;
        Ok(Self { weight_cache: Arc::clone(&self.weight_cache), ..shared })
    }

    /// The same network with its weights on `device`.
    ///
    /// # Errors
    /// Where libtorch has no such device, or not enough memory on it.
    pub fn on_device(&self, device: Device) -> Result<Self> {
        self.with_graph(self.graph.with_weights(&|weight| Ok(weight.f_to_device(device)?))?.loaded_on(device)?, device)
    }

    /// The same network with its weights in another floating type.
    ///
    /// # Errors
    /// Where libtorch has no such weights.
    pub fn in_kind(&self, kind: Kind) -> Result<Self> {
        self.with_graph(self.graph.with_weights(&|weight| Ok(weight.f_to_kind(kind)?))?, self.device)
    }

    fn with_graph(&self, graph: Graph, device: Device) -> Result<Self> {
        Ok(Self {
            graph,
            device,
            architecture: self.architecture.clone(),
            layer: self.layer.clone(),
            excitation: self.excitation.clone(),
            assumptions: self.assumptions.clone(),
            views: Arc::clone(&self.views),
            weight_cache: Arc::default(),
            resizer: self.resizer.clone(),
            ..*self
        })
    }
}
