//! Relevance propagation: keys are `INPUT/METHOD.WHAT`.

use std::rc::Rc;

use tch::{Kind, Tensor};
use ucag_core::Result;
use ucag_core::explain::method as registered;
use ucag_core::explain::relevance::composite::Composite;
use ucag_core::explain::relevance::contrast::{Seeds, contrast, softmax, uniform};
use ucag_core::explain::relevance::{LrpRule, rap, rsp};
use ucag_core::network::Network;
use ucag_core::pass::{Needs, Pass};
use ucag_core::propagate;

use crate::support::{Entry, Golden};

/// `None` for a key of a method that isn't here.
pub(crate) fn relevance_check(golden: &Golden, net: &str, entry: &Entry, double: bool) -> Result<Option<Tensor>> {
    let network = match entry.key.contains("zennit") {
        true => Rc::new(as_zennit_runs_it(golden, net, double)),
        false => golden.network(net, double),
    };
    let key = entry.key.trim_end_matches("@f64");
    let (input, what) = key.split_once('/').expect("a key begins with its input");
    let kind = if double { Kind::Double } else { Kind::Float };
    let image = golden.tensor(&format!("in_{net}"), &format!("{input}/input")).to_kind(kind).unsqueeze(0);
    let pass = whole(&network, image, entry.class.expect("a map has a class"))?;
    let (method, form) = what.split_once('.').unwrap_or((what, ""));
    let relevance = match method {
        "lrp_a1b0" => Composite::alpha_beta(1.0).relevance_of_unit_seed(&pass, false)?.as_ref() * logit(&pass)?,
        "lrp_a2b1" => Composite::alpha_beta(2.0).relevance_of_unit_seed(&pass, false)?.as_ref() * logit(&pass)?,
        "captum_epsilon" => {
            let rule = LrpRule::Epsilon(1e-9);
            let composite = Composite { pixels: rule, convolution: rule, linear: rule, stabilizer: None };
            composite.relevance_of_unit_seed(&pass, false)?.as_ref() * logit(&pass)?
        }
        "zennit_epsilon_plus" => Composite::zennit(1.0, 1e-6).relevance_of_unit_seed(&pass, true)?.shallow_clone(),
        "zennit_epsilon_alpha2beta1" => {
            Composite::zennit(2.0, 1e-6).relevance_of_unit_seed(&pass, true)?.shallow_clone()
        }
        // Ours start from seeds that sum up to one.
        "clrp" => return Ok(Some(colours(&contrastive(&pass, uniform(&pass)?, &logit(&pass)?, form)?, form))),
        "sglrp" => {
            let p = pass.probability()?.to_kind(kind).view([-1, 1, 1, 1]);
            return Ok(Some(colours(&contrastive(&pass, softmax(&pass)?, &(&p * (1 - &p)), form)?, form)));
        }
        "rsp" => {
            let layers = network.layers(entry.layer.as_deref().filter(|name| *name != "input"), None)?;
            let needs = registered("rsp")?.explainer().needs(&network, &layers)?;
            let pass = Pass::new(&network, pass.views().shallow_clone(), pass.class(), needs)?;
            if form == "seed" {
                return Ok(Some(rsp::seed(&pass, layers.target)?));
            }
            rsp::relevance(&pass, layers.target)?
        }
        // Its maximum is that of the three colours, before they are summed.
        "agf" => return Ok(Some(registered("agf")?.explainer().explain(&pass, &network.layers(None, None)?)?)),
        "rap" => rap::of_logit(&pass)?,
        "rap_unit" => rap::of_contributions(&pass)?,
        _ => return Ok(None),
    };
    Ok(Some(colours(&relevance, form)))
}

/// The rest that zennit leaves of a batch normalization that it has folded still divides by √(1 +
/// eps).
fn as_zennit_runs_it(golden: &Golden, net: &str, double: bool) -> Network {
    golden.network_with(net, double, |key, tensor| {
        let (layer, part) = key.rsplit_once('.').expect("a tensor is of a layer");
        let of_norm = golden.has(&format!("net_{net}"), &format!("{layer}.running_mean"));
        let divided = of_norm && ["weight", "bias"].contains(&part);
        if divided { tensor / (1.0f64 + 1e-5).sqrt() } else { tensor.shallow_clone() }
    })
}

fn whole(network: &Network, image: Tensor, class: usize) -> Result<Pass<'_>> {
    let activations = propagate::needs(&network.graph, network.graph.output(), 0);
    Pass::new(network, image, class, Needs { activations, ..Needs::default() })
}

fn logit(pass: &Pass<'_>) -> Result<Tensor> {
    Ok(pass.score()?.view([-1, 1, 1, 1]))
}

fn contrastive(pass: &Pass<'_>, seeds: Seeds, others_sum: &Tensor, form: &str) -> Result<Tensor> {
    let rule = Composite::alpha_beta(1.0);
    let own = rule.relevance_of_unit_seed(pass, false)?.as_ref() * seeds.own.view([-1, 1, 1, 1]);
    let others = rule.relevance(pass, pass.spread(&seeds.others)?, false)?;
    Ok(match form {
        "target_sum" => own,
        "other_sum" => others * others_sum,
        _ => contrast(&own, &others)?,
    })
}

fn colours(relevance: &Tensor, form: &str) -> Tensor {
    if form == "rgb" {
        relevance.shallow_clone()
    } else {
        relevance.sum_dim_intlist([1i64].as_slice(), true, relevance.kind())
    }
}
