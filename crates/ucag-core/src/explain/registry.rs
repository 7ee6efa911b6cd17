//! Every method, by id.

use super::{Method, cam, controls, gradient, perturbation, relevance};
use crate::network::Network;
use crate::suggest::nearest;
use crate::{Error, Result};

impl Method {
    /// Returns whether it can explain a network, as far as can be said without running it.
    ///
    /// # Errors
    /// Where it looks inside a network that can't be looked into.
    pub fn allows(&self, network: &Network) -> Result<()> {
        if self.black_box || !network.is_black_box() {
            return Ok(());
        }
        Err(Error::unsupported(
            self.id,
            format!(
                "method '{}' looks at a network's layers, and a TorchScript network shows none; methods that need logits or input gradients only are {}",
                self.id,
                METHODS.iter().filter(|method| method.black_box).map(|method| method.id).collect::<Vec<_>>().join(", ")
            ),
        ))
    }
}

/// Every method. To add one: a file with a `METHOD`, and its line here.
pub static METHODS: &[&Method] = &[
    &cam::gradcam::METHOD,
    &cam::gradcampp::TORCHCAM,
    &cam::gradcampp::DIVIDED,
    &cam::gradcampp::CANONICAL,
    &cam::gradcampp::AUTHORS_CLASS,
    &cam::xgradcam::METHOD,
    &cam::wgradcam::METHOD,
    &cam::layercam::METHOD,
    &cam::layercam::FUSED,
    &cam::linear::METHOD,
    &cam::scorecam::METHOD,
    &cam::scorecam::TORCHCAM,
    &cam::scorecam::PGC,
    &cam::normgrad::METHOD,
    &cam::normgrad::SELECTIVE,
    &cam::normgrad::SCALING,
    &cam::normgrad::NEIGHBOURHOOD,
    &cam::normgrad::CONVOLUTION,
    &cam::cameras::METHOD,
    &gradient::backprop::GRADIENT,
    &gradient::backprop::DECONVNET,
    &gradient::backprop::GUIDED,
    &gradient::excitation::MWP,
    &gradient::excitation::CONTRASTIVE,
    &relevance::lrp::METHOD,
    &relevance::lrp::ALPHA_BETA,
    &relevance::lrp::EPSILON,
    &relevance::lrp::Z_PLUS,
    &relevance::lrp::COMPOSITE,
    &relevance::lrp::EPSILON_PLUS,
    &relevance::lrp::EPSILON_ALPHA_BETA,
    &relevance::contrast::CLRP,
    &relevance::contrast::SGLRP,
    &relevance::rap::METHOD,
    &relevance::rap::UNIT,
    &relevance::rsp::METHOD,
    &relevance::agf::METHOD,
    &perturbation::rise::METHOD,
    &perturbation::rise::AUTHORS,
    &perturbation::extremal::METHOD,
    &gradient::fullgrad::METHOD,
    &gradient::fullgrad::IDIAP,
    &gradient::gradient_input::METHOD,
    &gradient::integrated_gradients::METHOD,
    &gradient::integrated_gradients::RELEASED,
    &gradient::smoothgrad::METHOD,
    &gradient::smoothgrad::RELEASED,
    &controls::POINT,
    &controls::RANDOM,
    &controls::UNIFORM,
    &controls::CENTER,
    &controls::EDGE,
];

/// Returns the method of this id.
///
/// # Errors
/// [`Error::Unknown`] with the nearest id.
pub fn method(id: &str) -> Result<&'static Method> {
    METHODS.iter().copied().find(|method| method.id == id).ok_or_else(|| Error::Unknown {
        what: "method",
        name: id.to_owned(),
        suggestion: nearest(id, METHODS.iter().map(|method| method.id)),
    })
}
