//! Scores of a sample's maps.

use anyhow::{Context, Result, ensure};
use metrics::protocol::{DeletionBaseline, ScoringProtocol};
use metrics::{Endpoints, ScoreInput, Validity};
use tch::Tensor;
use ucag_core::network::Network;
use ucag_core::pass::{Needs, Pass};
use ucag_core::postprocess::{MapKind, MapState};

use super::sample::{RawMap, SampleContext, object, region};
use super::worker::Worker;
use crate::records::Record;

impl Worker<'_> {
    /// Every row's records for a class, by every metric.
    pub(super) fn score(
        &self,
        context: &SampleContext<'_>,
        class: usize,
        rows: &[RawMap<'_>],
        endpoints: &Endpoints,
    ) -> Result<Vec<Record>> {
        let config = self.config;
        let network = &context.model.unfolded.network;
        let classifier = classifier(network);
        let deleted = deleted(&config.protocol.scoring, network)?;
        let annotated = context.region(class);
        let mut records = Vec::new();
        for row in rows {
            for chosen in &config.metrics {
                let seen = row.saliency(chosen.metric.resolution, context)?;
                let case = ScoreInput {
                    map: &seen.map,
                    signed: row.method.map_kind == MapKind::Signed,
                    validity: validity(seen.state),
                    point: seen.point,
                    image: &context.input.image,
                    class,
                    region: annotated.map(region),
                    object: context.object.as_ref().map(object),
                    classifier: &classifier,
                    endpoints,
                    deleted: &deleted,
                    tie_order: config.protocol.scoring.tie_order,
                    empty_pairs: config.protocol.scoring.empty_pairs,
                    step: chosen.step,
                    batch: config.compute.images_per_batch,
                };
                let what = || {
                    let with = if row.variant.ucag { " with UCAG" } else { "" };
                    format!("{} of {}{with} {}", chosen.metric.id, row.method.id, row.variant.name)
                };
                let score = (chosen.metric.score)(&case).with_context(what)?;
                // A map without a number is counted; a pair that is not part of the game isn't.
                if score.is_none() && !(chosen.metric.is_scored)(case.region.as_ref(), case.empty_pairs) {
                    continue;
                }
                if let Some(score) = &score {
                    ensure!(score.value.is_finite(), "{} is {}, which is no number to report", what(), score.value);
                }
                let (curve, counts) =
                    score.as_ref().map(|score| (score.curve.clone(), score.counts.clone())).unwrap_or_default();
                records.push(Record {
                    dataset: context.data.name.clone(),
                    sample: context.sample.id.clone(),
                    class,
                    difficult: annotated.is_some_and(|region| region.in_difficult_subset),
                    model: context.model.name.clone(),
                    method: row.method.id.clone(),
                    ucag: row.variant.ucag,
                    variant: row.variant.name.clone(),
                    metric: chosen.metric.id.to_owned(),
                    value: score.map(|score| score.value),
                    map: seen.state,
                    curve,
                    counts,
                });
            }
        }
        Ok(records)
    }
}

/// The network as metrics see it.
fn classifier(network: &Network) -> impl Fn(&Tensor) -> Result<Tensor, metrics::BoxError> {
    |images| {
        let pass = Pass::new(network, images.shallow_clone(), 0, Needs::default())?;
        Ok(network.probabilities(&pass.logits()?)?)
    }
}

/// The validity of a map in this state.
fn validity(state: MapState) -> Validity {
    match state {
        MapState::Ok => Validity::Valid,
        MapState::AllZero | MapState::Constant => Validity::Constant,
        MapState::NonFinite => Validity::NonFinite,
    }
}

/// The value of a deleted pixel, `[1, channels, 1, 1]`, normalized.
fn deleted(protocol: &ScoringProtocol, network: &Network) -> Result<Tensor> {
    let (mean, std) = (network.preprocessing.mean(), network.preprocessing.std());
    let colour = match protocol.deletion_baseline {
        DeletionBaseline::MeanColour => vec![0.0; mean.len()],
        DeletionBaseline::Black => mean.iter().zip(&std).map(|(mean, std)| -mean / std).collect(),
    };
    Ok(Tensor::f_from_slice(&colour)?.f_view([1, -1, 1, 1])?.f_to_device(network.device)?)
}
