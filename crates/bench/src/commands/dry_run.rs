//! Describes a plan's work and its cost, for `--dry-run`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::config::Target;
use anyhow::Result;
use metrics::Endpoint;
use ucag_core::explain::{Explainer, ExtraPasses};
use ucag_core::ucag;
use ucag_core::ucag::unfold::Geometry;

use crate::config::{self, Resize};
use crate::plan::{LoadedNetwork, Model, Plan};
use crate::run::explainer::NamedExplainer;
use crate::run::row_groups::{RowIndex, row_groups};

impl Plan {
    /// Describes the work of a run and its cost.
    ///
    /// # Errors
    /// Where an image of some model's input size can't be unfolded.
    pub fn describe(&self) -> Result<String> {
        let config = &self.config;
        let mut text = format!("{}\n", config.title);
        let _ = writeln!(text, "protocol   {} (version {})", config.protocol.name, config.protocol.version);
        for (index, data) in self.data.iter().enumerate() {
            let root = config.datasets[index].root.display();
            let all = data.dataset.len();
            let kind = if data.name == data.kind { String::new() } else { format!(": {}", data.kind) };
            let _ = writeln!(text, "data       {}{kind} in {root}, {} of {all} samples", data.name, data.samples);
            for remark in &data.remarks {
                let _ = writeln!(text, "           {remark}");
            }
            let count = |ucag| config.rows_on(index).filter(|(_, variant)| variant.ucag == ucag).count();
            let (plain, unfolded) = (count(false), count(true));
            let _ = writeln!(
                text,
                "rows       {plain} without UCAG, {unfolded} with: {} maps for each model and each class of a sample",
                plain + unfolded
            );
            for model in self.models.iter().filter(|model| model.dataset == index) {
                self.model(model, &mut text)?;
            }
        }
        for shelf in &self.maps.rows {
            let _ = writeln!(text, "maps       {}", shelf.describe());
        }
        let units = self.units().len();
        match &self.whole {
            Some(whole) => {
                let _ = writeln!(
                    text,
                    "shard      {}: {units} of {} units of work: a sample with a model each",
                    whole.shard, whole.units
                );
            }
            None => {
                let _ = writeln!(text, "in all     {units} units of work: a sample with a model each");
            }
        }
        let (workers, views) = (config.compute.workers, config.compute.views_per_batch);
        let _ = writeln!(
            text,
            "memory     about {} MiB: weights, and {workers} workers with {views} views each at a time",
            self.memory_mib()?
        );
        let _ = writeln!(text, "output     {}", config.output.dir.display());
        Ok(text)
    }

    /// A model's lines. Work is counted in forward passes of single images or views; a backward
    /// pass counts as two.
    fn model(&self, model: &Model, text: &mut String) -> Result<()> {
        let config = &self.config;
        let side = model.input_size as i64;
        let [layer, middle, _] = model.layer_names();
        let square = match self.data[model.dataset].resize {
            Resize::Squash => format!("input {side} × {side}"),
            Resize::ShorterSide => format!("shorter side {side}"),
        };
        let variant = &model.unfolded.network.architecture;
        let _ = writeln!(text, "model      {}: {variant}, layers {layer} and {middle}, {square}", model.name);
        for sentence in &model.unfolded.network.assumptions {
            let _ = writeln!(text, "           {sentence}");
        }
        if self.data[model.dataset].target(&config.protocol) == Target::Predicted {
            let whose = model.classes_from.map_or("its".to_owned(), |other| format!("{}'s", self.models[other].name));
            let _ = writeln!(text, "           explains {whose} likeliest class of an image, which takes 1 image more");
        }
        let table: Vec<_> = config.rows_on(model.dataset).collect();
        let is_computed = |row: &RowIndex| table[row.0].0.computed().is_some();
        let computed: Vec<RowIndex> = (0..table.len()).map(RowIndex).filter(is_computed).collect();
        for group in row_groups(&table, &computed) {
            let geometry = Geometry::new([side, side], group.protocol)?;
            let (views, site) = if group.ucag { (geometry.len(), &model.unfolded) } else { (1, &model.plain) };
            let (image, class) = extra(group.methods.iter().copied(), site);
            let count = group.methods.len();
            let what = match (group.ucag, group.protocol.scale == 1.0) {
                (false, true) => "without UCAG: 1 image".to_owned(),
                (false, false) => format!("without UCAG: 1 image, enlarged {} times", group.protocol.scale),
                (true, _) => {
                    let [height, width] = geometry.view;
                    let passes = views.div_ceil(config.compute.views_per_batch);
                    format!("with UCAG: {views} views of {height} × {width} in {passes} passes")
                }
            };
            let rows = if count == 1 { "1 method".to_owned() } else { format!("{count} methods and all classes") };
            let passes = pass_groups(group.methods.iter().copied(), site)?;
            let times =
                if passes > 1 { format!(", {passes} times for as many depths of looking") } else { String::new() };
            let _ = write!(text, "           {what}, shared by {rows}{times}");
            list(text, "; once an image also", &image, views);
            list(text, "; for each class", &class, views);
            let _ = writeln!(text);
        }
        let asked = |m: &config::Metric| (m.metric.forward_passes)(model.input_size, model.input_size, m.step);
        let scored = config.metrics.iter().map(asked).sum::<usize>() * table.len();
        if scored > 0 {
            let endpoints: BTreeSet<Endpoint> =
                config.metrics.iter().flat_map(|m| m.metric.endpoints).copied().collect();
            let ends = if endpoints.is_empty() { String::new() } else { format!("{} images, and ", endpoints.len()) };
            let _ = writeln!(text, "           metrics: {ends}{scored} images for each class");
        }
        Ok(())
    }

    /// An estimate: weights once, and for each worker the largest live activations of a batch of
    /// views, four times over for the operation at work and the allocator. libtorch itself takes
    /// some 300 MiB.
    fn memory_mib(&self) -> Result<usize> {
        let mut weights = 0;
        let mut live = 0;
        for (model, named) in self.models.iter().zip(&self.config.models) {
            weights += std::fs::metadata(&named.weights).map_or(0, |m| m.len() as usize);
            let side = model.input_size as i64;
            let views = self.config.variants.iter().map(|variant| Geometry::new([side, side], &variant.protocol.maps));
            let views = views.map(|geometry| Ok(geometry?.view)).collect::<Result<Vec<_>>>()?;
            let view = views.into_iter().max_by_key(|[height, width]| height * width).unwrap_or([side, side]);
            // The stem's output is the largest: a quarter of the pixels, or all of them in a VGG,
            // times its channels.
            let stem = model.unfolded.network.graph.nodes().iter().find_map(|node| {
                let conv: &ucag_core::network::Conv = node.op.downcast_ref()?;
                Some((conv.weight.size()[0], conv.stride))
            });
            let (channels, stride) = stem.unwrap_or((3, [1, 1]));
            let floats =
                channels * (view[0] / stride[0]) * (view[1] / stride[1]) * self.config.compute.views_per_batch as i64;
            live = live.max(floats as usize * 4 * 4);
        }
        Ok(300 + (weights + live * self.config.compute.workers) / (1 << 20))
    }
}

/// Work beyond the shared pass: by method, for an image and for each class.
type Work<'a> = Vec<(&'a str, usize)>;

fn extra<'a>(methods: impl Iterator<Item = &'a config::Method>, site: &LoadedNetwork) -> (Work<'a>, Work<'a>) {
    let (mut image, mut class) = (Vec::new(), Vec::new());
    for method in methods {
        let Some(computed) = method.computed() else { continue };
        let ExtraPasses { per_view, per_class } = computed.explainer.extra_passes(&site.network, &site.layers);
        image.extend((per_view > 0).then_some((&method.name[..], per_view)));
        class.extend((per_class > 0).then_some((&method.name[..], per_class)));
    }
    (image, class)
}

/// Number of passes that the methods share.
fn pass_groups<'a>(methods: impl Iterator<Item = &'a config::Method>, site: &LoadedNetwork) -> Result<usize> {
    let named = methods.map(NamedExplainer::new).collect::<Result<Vec<_>>>()?;
    let explainers: Vec<&dyn Explainer> = named.iter().map(|method| method as &dyn Explainer).collect();
    Ok(ucag::pass_groups(&site.network, &site.layers, &explainers)?.len())
}

/// `; for each class RISE 8000, …`
fn list(text: &mut String, what: &str, work: &Work<'_>, views: usize) {
    if work.is_empty() {
        return;
    }
    let parts: Vec<String> = work.iter().map(|(name, count)| format!("{name} {}", count * views)).collect();
    let _ = write!(text, "{what} {} forward passes", parts.join(", "));
}
