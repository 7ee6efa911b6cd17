//! Relevance rank accuracy (Arras et al., Information Fusion 2022).

use metrics::averaging::{Averaging, ratio};
use metrics::deletion_insertion::order;
use metrics::metric::{Annotation, Direction, Entry, Metric, Resolution, Score};
use metrics::protocol::TieOrder;
use metrics::{Mask, Result};
use tch::Tensor;

/// Registry entry.
pub(crate) static RANK_ACCURACY: Metric = Metric::new(Entry {
    id: "rank-accuracy",
    name: "Relevance rank accuracy",
    summary: "fraction of the K most salient pixels that lie on the class's mask, which has K pixels",
    source: "Arras et al., Information Fusion 2022",
    direction: Direction::Higher,
    averaging: Averaging::Samples,
    score: |input| {
        let mask = input.region()?.mask;
        Ok(Some(Score::of(rank_accuracy(input.map, &mask, input.tie_order)?)))
    },
})
.percent()
.resolution(Resolution::Original)
.annotation(Annotation::Region);

/// `|top K ∩ mask| / K` with `K = |mask|`, in [0, 1]; zero for an empty mask.
pub fn rank_accuracy(map: &Tensor, mask: &Mask<'_>, ties: TieOrder) -> Result<f64> {
    mask.check(map)?;
    let ranked = Vec::<i64>::try_from(order(map, ties)?)?;
    let size = mask.pixels.iter().filter(|&&inside| inside).count();
    let hits = ranked.iter().take(size).filter(|&&pixel| mask.pixels[pixel as usize]).count();
    Ok(ratio([hits as f64, size as f64]))
}
