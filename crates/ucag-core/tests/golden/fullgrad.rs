//! FullGrad: keys are `NET/INPUT/fullgrad/REFERENCE` and the same with `.completeness`.

use tch::{Kind, Tensor};
use ucag_core::explain::gradient::fullgrad::{Form, full_gradients};
use ucag_core::explain::method;
use ucag_core::pass::Pass;
use ucag_core::{Error, Result};

use crate::support::{Entry, Golden};

/// `entry` describes the class; where `double`, what is asked for is its float64 run.
pub(crate) fn check(golden: &Golden, entry: &Entry, double: bool) -> Result<Option<Tensor>> {
    let parts: Vec<&str> = entry.key.split('/').collect();
    let [net, input, "fullgrad", what] = parts[..] else { return Ok(None) };
    let (form, id) = match what.split('.').next() {
        Some("ucag") => (Form::Released, "fullgrad"),
        Some("idiap") => (Form::Idiap, "fullgrad-idiap"),
        _ => return Ok(None),
    };
    let network = golden.network(net, double);
    let kind = if double { Kind::Double } else { Kind::Float };
    let image = golden.tensor(&format!("in_{net}"), &format!("{input}/input")).to_kind(kind).unsqueeze(0);
    let explainer = method(id)?.explainer();
    let layers = network.layers(None, None)?;
    let class = entry.class.ok_or_else(|| Error::Invalid("a map has a class".into()))?;
    let pass = Pass::new(&network, image, class, explainer.needs(&network, &layers)?)?;
    let ours = full_gradients(&pass, form)?;
    match what {
        "ucag.completeness" | "idiap.completeness" => Ok(Some(Tensor::cat(&[ours.total, pass.score()?], 0))),
        "ucag" => Ok(Some(ours.map)),
        // The explainer itself: nothing is subtracted.
        "idiap" => Ok(Some(explainer.explain(&pass, &layers)?)),
        _ => Ok(None),
    }
}
