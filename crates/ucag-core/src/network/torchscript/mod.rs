//! TorchScript classifiers: a network whose one operation is a module that somebody scripted or
//! traced in PyTorch.
//!
//! It has logits and the gradient at its input, and no layers to look at:
//! [`crate::explain::Method::black_box`] says which methods need no more.

mod output;
mod probe;
mod refused;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tch::{CModule, Device, IValue, Kind, TchError, Tensor};

pub use self::output::Output;
use super::op::{Change, Input, Op, OpKind, Operation};
use super::{Family, Graph, Network, Node, Precision, Preprocessing};
use crate::{Error, Result};

/// Its family, which isn't in the registry: no `arch` names it.
pub(super) static FAMILY: Family = Family {
    id: "torchscript",
    summary: "any classifier that was scripted or traced in PyTorch",
    input_size: 224,
    layer: "module",
    stem: "",
    build: |properties| {
        let problem = "a TorchScript network is no checkpoint of a family".into();
        Err(Error::Architecture { path: properties.checkpoint.path().to_owned(), problem })
    },
};

/// A module, and the file it came from.
#[derive(Debug, Clone)]
pub struct Scripted {
    // Modules may be shared between threads, unlike tensors.
    module: Arc<CModule>,
    path: PathBuf,
    output: Output,
}

impl Scripted {
    /// Loads a module for evaluation.
    ///
    /// # Errors
    /// Where it can't be read, or isn't TorchScript.
    fn load(path: &Path, device: Device) -> Result<Self> {
        let problem = |problem: String| Error::CheckpointFile { path: path.to_owned(), problem };
        std::fs::File::open(path).map_err(|error| problem(format!("can't be read: {error}")))?;
        // The optimising executors change how they compute after a few calls, and with it the last
        // digits of what they compute.
        tch::jit::f_set_profiling_mode(false)?;
        tch::jit::f_set_tensor_expr_fuser_enabled(false)?;
        tch::jit::f_set_graph_executor_optimize(false)?;
        let mut module = CModule::load_on_device(path, device).map_err(|error| problem(refused::unread(&error)))?;
        module.f_set_eval()?;
        for (_, parameter) in module.named_parameters()? {
            let _ = parameter.set_requires_grad(false);
        }
        Ok(Self { module: Arc::new(module), path: path.to_owned(), output: Output::default() })
    }

    /// The same module on another device.
    ///
    /// # Errors
    /// As when it was loaded.
    pub(super) fn on_device(&self, device: Device) -> Result<Self> {
        Ok(Self { output: self.output, ..Self::load(&self.path, device)? })
    }

    /// An error about this file.
    fn wrong(&self, problem: String) -> Error {
        Error::CheckpointFile { path: self.path.clone(), problem }
    }

    /// Logits `[B, N]` of views `[B, 3, H, W]`, or `[B, 1, H, W]` of grey ones.
    ///
    /// # Errors
    /// Where the module refuses the views, or gives anything else than was stated of it.
    fn forward(&self, views: &Tensor) -> Result<Tensor> {
        let given = self.given(views)?;
        if self.output != Output::Logits {
            let inside = given.f_ge(0.0)?.f_logical_and(&given.f_le(output::MOST)?)?;
            if inside.f_all()?.f_int64_value(&[])? == 0 {
                let output = self.output.name();
                let problem = format!("gives outputs outside [0, 1], so they aren't what output = \"{output}\" says");
                return Err(self.wrong(problem));
            }
        }
        self.output.logits(given)
    }

    /// Returns the module's output for views `[B, channels, H, W]`: `[B, N]`, whatever it means.
    ///
    /// # Errors
    /// Where it refuses the views, or gives anything else.
    fn given(&self, views: &Tensor) -> Result<Tensor> {
        let size = views.size();
        let given = self.module.forward_ts(&[views]).map_err(|error| self.wrong(self.reason(views, &error)))?;
        match refused::tensor(&given, size[0]) {
            Some(problem) => Err(self.wrong(problem)),
            None => Ok(given.f_to_kind(Kind::Float)?),
        }
    }

    /// Returns the reason for a missing tensor: the module gives something else, or refuses the
    /// views.
    fn reason(&self, views: &Tensor, error: &TchError) -> String {
        let size = views.size();
        // Only where there is a value, though no tensor, is it worth another call.
        if error.to_string().contains("did not return a tensor")
            && let Ok(given) = self.module.forward_is(&[IValue::Tensor(views.shallow_clone())])
        {
            return refused::value(&given, size[0]);
        }
        let parameters = self.module.named_parameters().unwrap_or_default();
        let kinds: Vec<Kind> = parameters.iter().map(|(_, parameter)| parameter.kind()).collect();
        refused::batch(&size, &kinds, error)
    }

    /// The product of a cotangent at the logits with the Jacobian with respect to the views. This
    /// is left to autograd: nothing is known of the module.
    ///
    /// # Errors
    /// Where the module can't be differentiated.
    fn gradient(&self, views: &Tensor, cotangent: &Tensor) -> Result<Tensor> {
        let views = views.f_detach()?.f_set_requires_grad(true)?;
        let score = self.forward(&views)?.f_mul(cotangent)?.f_sum(cotangent.kind())?;
        let problem = |problem: String| Error::CheckpointFile { path: self.path.clone(), problem };
        if !score.requires_grad() {
            return Err(problem("its logits don't depend on the image in a way that can be differentiated".into()));
        }
        let gradients = Tensor::f_run_backward(&[score], &[views], false, false);
        gradients
            .map_err(|error| problem(format!("can't be differentiated ({})", refused::short(&error))))?
            .into_iter()
            .next()
            .ok_or(Error::Internal("libtorch returned no gradient"))
    }
}

impl Operation for Scripted {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Scripted(self)
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        self.forward(inputs[0])
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![self.gradient(inputs[0], cotangent)?])
    }

    fn shape(&self, _: &[&[i64]]) -> Result<Vec<i64>> {
        Err(Error::Invalid("nothing is known of a TorchScript module but its logits".into()))
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok(self.clone().into())
    }
}

impl Network {
    /// Loads a TorchScript classifier whose input is `input_size` pixels wide and high, and which
    /// gives `output`. How many classes it has is seen from what it makes of a few images: noise,
    /// patterns and plain grey, each alone, again and in a batch.
    ///
    /// # Errors
    /// Where the file isn't TorchScript; the module doesn't take images of that size or doesn't
    /// give a number for each class; its answers for an image aren't always the same, as in
    /// training mode; they look like probabilities and `output` doesn't say what they are, or says
    /// what they can't be.
    pub fn scripted(
        path: &Path,
        input_size: usize,
        preprocessing: Preprocessing,
        output: Option<Output>,
        device: Device,
    ) -> Result<Self> {
        let mut scripted = Scripted::load(path, device)?;
        let answers = probe::answers(&scripted, input_size, preprocessing, device)?;
        scripted.output = probe::output(&scripted, &answers, output)?;
        let mut assumptions: Vec<String> = scripted.output.remark().into_iter().map(str::to_owned).collect();
        if preprocessing == Preprocessing::Imagenet {
            assumptions.push("Nothing states mean and std: they are taken to be ImageNet's.".to_owned());
        }
        let node = |name: &str, op: Op, inputs| Node { name: name.into(), op, inputs };
        let nodes = vec![
            node("input", Input { channels: preprocessing.channels() as i64 }.into(), vec![]),
            node("module", scripted.into(), vec![0]),
        ];
        Ok(Self {
            family: &FAMILY,
            architecture: FAMILY.id.into(),
            graph: Graph::new(nodes),
            layer: "module".into(),
            excitation: "module".into(),
            classes: answers.size()[1] as usize,
            input_size,
            preprocessing,
            assumptions,
            device,
            views: Arc::default(),
            precision: Precision::default(),
            weight_cache: Arc::default(),
            resizer: None,
        })
    }

    /// Returns whether all that is known of it is what goes in and what comes out.
    pub fn is_black_box(&self) -> bool {
        self.module().is_some()
    }

    /// Returns the kind of its module's output, where it is TorchScript; else logits.
    pub fn output(&self) -> Output {
        self.module().map_or(Output::Logits, |scripted| scripted.output)
    }

    /// Probabilities `[B, N]` of logits `[B, N]`: their softmax, or the scores of a module that
    /// gives sigmoids.
    pub fn probabilities(&self, logits: &Tensor) -> Result<Tensor> {
        self.output().probabilities(logits)
    }

    fn module(&self) -> Option<&Scripted> {
        self.graph.nodes().iter().find_map(|node| node.op.downcast_ref())
    }
}
