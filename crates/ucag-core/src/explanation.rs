//! The shortest way to a map: a network, a method and an image in; raw map, saliency, logit and
//! probability out.

use tch::Tensor;

use crate::explain::{Method, Settings};
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass};
use crate::postprocess::{Saliency, saliency};
use crate::protocol::MapProtocol;
use crate::ucag::unfold::enlarge;
use crate::ucag::{ExplainRequest, plain, ucag};
use crate::{Error, Result};

/// A method's explanation of one class of one image.
///
/// ```
/// use tch::{Device, Kind, Tensor};
/// use ucag_core::explain::method;
/// use ucag_core::network::{Checkpoint, Network, synthetic};
/// use ucag_core::{Explanation, Result};
///
/// fn main() -> Result<()> {
///     // Random weights; `Network::load("resnet50", path)?` reads a checkpoint.
///     let weights = synthetic::squeezenet(true, 8, 10).random(0);
///     let network = Network::from_checkpoint("squeezenet", &Checkpoint::from_tensors("random", weights))?;
///     let image = Tensor::rand([1, 3, 64, 64], (Kind::Float, Device::Cpu));
///
///     let explanation = Explanation::builder(&network, method("gradcam")?).ucag(true).explain(&image, 3)?;
///
///     assert_eq!(explanation.saliency.map.size(), [64, 64]);
///     assert!((0.0..=1.0).contains(&explanation.probability));
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Explanation {
    /// The class that was explained.
    pub class: usize,
    /// The raw map, `[1, 1, h, w]`: signed, in native units; of the image's size with UCAG, else of
    /// the method's native resolution.
    pub raw: Tensor,
    /// The map as metrics see it, `[H, W]`.
    pub saliency: Saliency,
    /// Logit of the class for the image itself.
    pub logit: f64,
    /// Probability of the class for the image itself.
    pub probability: f64,
}

impl Explanation {
    /// Returns a builder for explanations of `network` by `method`: one of the registry
    /// ([`crate::explain::method`]) or your own.
    pub fn builder<'a>(network: &'a Network, method: &'a Method) -> ExplanationBuilder<'a> {
        ExplanationBuilder {
            network,
            method,
            settings: None,
            protocol: MapProtocol::official(),
            ucag: false,
            layer: None,
            excitation: None,
            views_per_batch: 8,
            seed: 0,
        }
    }
}

/// Options of an [`Explanation`]; each has a default.
#[derive(Debug, Clone)]
pub struct ExplanationBuilder<'a> {
    network: &'a Network,
    method: &'a Method,
    settings: Option<Settings>,
    protocol: MapProtocol,
    ucag: bool,
    layer: Option<String>,
    excitation: Option<String>,
    views_per_batch: usize,
    seed: u64,
}

impl ExplanationBuilder<'_> {
    /// Wraps the method in UCAG. Default: no.
    pub fn ucag(self, ucag: bool) -> Self {
        Self { ucag, ..self }
    }

    /// Sets the protocol. Default: [`MapProtocol::official`].
    pub fn protocol(self, protocol: MapProtocol) -> Self {
        Self { protocol, ..self }
    }

    /// Sets the method's settings. Default: the published ones.
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// Sets the layer that CAM methods explain, by its name in torchvision. Default: the family's.
    pub fn layer(self, name: &str) -> Self {
        Self { layer: Some(name.to_owned()), ..self }
    }

    /// Sets the layer at which excitation backprop stops. Default: the family's.
    pub fn excitation_layer(self, name: &str) -> Self {
        Self { excitation: Some(name.to_owned()), ..self }
    }

    /// Sets the largest number of views in one pass, which bounds memory. Default: 8.
    pub fn views_per_batch(self, views: usize) -> Self {
        Self { views_per_batch: views, ..self }
    }

    /// Sets the image's seed, for methods that draw random numbers. Default: 0.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Explains `class` of the normalized image, `[1, 3, H, W]` (`[1, 1, H, W]` for a network of
    /// grey images); with `None`, the class that the network predicts.
    ///
    /// # Errors
    /// Where the method can't explain the network or has no place in UCAG, a layer doesn't exist,
    /// the network has no such class or can't take the image, or the method fails.
    pub fn explain(&self, image: &Tensor, class: impl Into<Option<usize>>) -> Result<Explanation> {
        let logits = self.logits(image)?;
        let class = match class.into() {
            Some(class) => class,
            None => logits.f_argmax(1, false)?.f_int64_value(&[0])? as usize,
        };
        let raw = self.raw(image, class)?;
        let probabilities = self.network.probabilities(&logits)?;
        let of_class = |values: &Tensor| values.f_double_value(&[0, class as i64]);
        Ok(Explanation {
            class,
            saliency: self.saliency(&raw, image)?,
            raw,
            logit: of_class(&logits)?,
            probability: of_class(&probabilities)?,
        })
    }

    /// Checks the options, as far as that takes no image.
    ///
    /// # Errors
    /// Where the method can't explain the network or has no place in UCAG, or a layer doesn't
    /// exist.
    pub fn check(&self) -> Result<()> {
        let method = self.method;
        if let (true, Some(reason)) = (self.ucag, method.not_with_ucag) {
            let problem = format!("UCAG can't be around '{}': {reason}", method.id);
            return Err(Error::unsupported(method.id, problem));
        }
        method.allows(self.network)?;
        self.layers().map(drop)
    }

    /// Returns the network's logits for the image itself, `[1, N]`.
    ///
    /// # Errors
    /// Where the network can't take the image.
    pub fn logits(&self, image: &Tensor) -> Result<Tensor> {
        Pass::new(self.network, image.shallow_clone(), 0, Needs::default())?.logits()
    }

    /// Returns the raw map of a class, as in [`Explanation::raw`].
    ///
    /// # Errors
    /// As [`ExplanationBuilder::explain`].
    pub fn raw(&self, image: &Tensor, class: usize) -> Result<Tensor> {
        let method = self.method;
        self.check()?;
        // Nothing runs yet: this says at once that there is no such class.
        Pass::new(self.network, image.shallow_clone(), class, Needs::default())?;
        let settings = self.settings.clone().unwrap_or_else(|| Settings::defaults(method.settings));
        let explainer = (method.make)(&settings);
        let enlarged = if self.ucag { image.shallow_clone() } else { enlarge(image, &self.protocol)? };
        let request = ExplainRequest {
            network: self.network,
            image: &enlarged,
            classes: &[class],
            layers: self.layers()?,
            views_per_batch: self.views_per_batch,
            seed: self.seed,
        };
        let maps = match self.ucag {
            true => ucag(&request, &[&*explainer], &self.protocol)?,
            false => plain(&request, &[&*explainer])?,
        };
        let raw = maps.into_iter().flatten().next();
        raw.ok_or(Error::Internal("a method returned no map"))
    }

    /// Returns the saliency of a raw map for the image: see docs/protocol.md#post-processing.
    pub fn saliency(&self, raw: &Tensor, image: &Tensor) -> Result<Saliency> {
        let size = image.size();
        let [.., height, width] = size[..] else {
            return Err(Error::Invalid(format!("an image is [1, channels, H, W], not {size:?}")));
        };
        saliency(raw, self.method.map_kind, [height, width], self.ucag, &self.protocol)
    }

    /// Returns the layers that the method is defined at.
    ///
    /// # Errors
    /// Where the network has no layer of that name.
    pub fn layers(&self) -> Result<Layers> {
        self.network.layers(self.layer.as_deref(), self.excitation.as_deref())
    }
}
