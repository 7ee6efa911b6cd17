//! TorchScript classifiers: a network whose one operation is a module that somebody scripted or traced in PyTorch.
//!
//! It has logits and the gradient at its input, and no layers to look at: [`crate::explain::Method::black_box`] says which methods need no more.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tch::{CModule, Device, Kind, Tensor};

use super::{Family, Graph, Network, Node, Op, Precision, Preprocessing};
use crate::{Error, Result};

/// What the registry would say of it, if it were in it: no `arch` names it.
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
}

impl Scripted {
    /// Loads a module for evaluation.
    ///
    /// # Errors
    /// Where it can't be read, or isn't TorchScript.
    fn load(path: &Path, device: Device) -> Result<Self> {
        let problem = |problem: String| Error::CheckpointFile { path: path.to_owned(), problem };
        std::fs::File::open(path).map_err(|error| problem(format!("can't be read: {error}")))?;
        // The optimising executors change how they compute after a few calls, and with it the last digits of what they compute.
        tch::jit::f_set_profiling_mode(false)?;
        tch::jit::f_set_tensor_expr_fuser_enabled(false)?;
        tch::jit::f_set_graph_executor_optimize(false)?;
        let no_module = |error: tch::TchError| {
            let what =
                "isn't TorchScript; save a module with torch.jit.script(model.eval()).save(…), or torch.jit.trace";
            problem(format!("{what} ({})", short(&error)))
        };
        let mut module = CModule::load_on_device(path, device).map_err(no_module)?;
        module.f_set_eval()?;
        for (_, parameter) in module.named_parameters()? {
            let _ = parameter.set_requires_grad(false);
        }
        Ok(Self { module: Arc::new(module), path: path.to_owned() })
    }

    /// The same module on another device.
    ///
    /// # Errors
    /// As when it was loaded.
    pub(super) fn on_device(&self, device: Device) -> Result<Self> {
        Self::load(&self.path, device)
    }

    /// Logits `[B, N]` of views `[B, 3, H, W]`, or `[B, 1, H, W]` of grey ones.
    ///
    /// # Errors
    /// Where the module refuses the views, or gives anything else.
    pub(super) fn forward(&self, views: &Tensor) -> Result<Tensor> {
        let size = views.size();
        let about = |problem: String| Error::CheckpointFile { path: self.path.clone(), problem };
        let refuses = |error: tch::TchError| {
            about(format!(
                "refuses a batch of {size:?} ({}); script it so that the number of images is free, and their size, or choose input_size and [ucag] alpha so that views are of its size",
                short(&error)
            ))
        };
        let logits = self.module.forward_ts(&[views]).map_err(refuses)?;
        if logits.dim() != 2 || logits.size()[0] != size[0] || logits.size()[1] < 1 {
            let problem = format!(
                "gives {:?} for {} images; it must give their logits, [{}, classes]",
                logits.size(),
                size[0],
                size[0]
            );
            return Err(about(problem));
        }
        Ok(logits)
    }

    /// The product of a cotangent at the logits with the Jacobian with respect to the views. This is left to autograd: nothing is known of the module.
    ///
    /// # Errors
    /// Where the module can't be differentiated.
    pub(super) fn vjp(&self, views: &Tensor, cotangent: &Tensor) -> Result<Tensor> {
        let views = views.f_detach()?.f_set_requires_grad(true)?;
        let score = self.forward(&views)?.f_mul(cotangent)?.f_sum(cotangent.kind())?;
        let problem = |problem: String| Error::CheckpointFile { path: self.path.clone(), problem };
        if !score.requires_grad() {
            return Err(problem("its logits don't depend on the image in a way that can be differentiated".into()));
        }
        let gradients = Tensor::f_run_backward(&[score], &[views], false, false);
        gradients
            .map_err(|error| problem(format!("can't be differentiated ({})", short(&error))))?
            .into_iter()
            .next()
            .ok_or_else(|| Error::Invalid("libtorch gave no gradient".into()))
    }
}

/// The line of libtorch's message that says what happened: its tracebacks fill pages.
fn short(error: &tch::TchError) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let raised = lines.iter().rfind(|line| line.starts_with("RuntimeError:") || line.contains("Error: "));
    let line = raised.or(lines.first()).copied().unwrap_or("no reason given");
    line.chars().take(200).collect()
}

impl Network {
    /// Loads a TorchScript classifier whose input is `input_size` pixels wide and high. How many classes it has is seen from what it makes of a black image.
    ///
    /// # Errors
    /// Where the file isn't TorchScript, or the module doesn't take images of that size or doesn't give logits.
    pub fn scripted(path: &Path, input_size: usize, preprocessing: Preprocessing, device: Device) -> Result<Self> {
        let scripted = Scripted::load(path, device)?;
        let side = input_size as i64;
        let logits = scripted
            .forward(&Tensor::f_zeros([1, preprocessing.channels() as i64, side, side], (Kind::Float, device))?)?;
        if logits.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
            let problem = "gives logits that aren't finite for a plain grey image".into();
            return Err(Error::CheckpointFile { path: path.to_owned(), problem });
        }
        let node = |name: &str, op, inputs| Node { name: name.into(), op, inputs };
        let nodes = vec![
            node("input", Op::Input { channels: preprocessing.channels() as i64 }, vec![]),
            node("module", Op::Scripted(scripted), vec![0]),
        ];
        Ok(Self {
            family: &FAMILY,
            variant: FAMILY.id.into(),
            graph: Graph::new(nodes),
            layer: "module".into(),
            middle: "module".into(),
            classes: logits.size()[1] as usize,
            input_size,
            preprocessing,
            assumptions: Vec::new(),
            device,
            views: Arc::default(),
            precision: Precision::default(),
            derived: Arc::default(),
        })
    }

    /// Whether all that is known of it is what goes in and what comes out.
    pub fn is_black_box(&self) -> bool {
        self.graph.nodes().iter().any(|node| matches!(node.op, Op::Scripted(_)))
    }
}
