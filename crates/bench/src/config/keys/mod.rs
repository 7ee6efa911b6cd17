//! Every key of a config: name, values, default and meaning. The readers take their keys from here,
//! so that no key can be read that isn't listed; `bench list config` and docs/config.md print them.

use std::marker::PhantomData;
use std::path::PathBuf;

use metrics::protocol::{DeletionBaseline, EmptyPairs, TieOrder};
use ucag_core::image_ops::Interpolation;
use ucag_core::network::{Output, Precision, Stem};
use ucag_core::protocol::{Coverage, LargeMaps, Smoothing, ViewWeight};

use super::method_list::Rows;
use super::named_protocol::Target;
use super::precomputed::{Finish, Kind};
use super::values::{Choice, Count, Described, MaskValue, Numbers, Strings, Subtable};
use super::{Columns, Form, Resize};

/// A key whose value is read as a `T`.
pub(super) struct Key<T> {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    absent: Absent,
    /// Its values, where they are fewer than a `T` has.
    values: Option<&'static str>,
    value: PhantomData<fn() -> T>,
}

/// The meaning of a key's absence.
enum Absent {
    /// An error.
    Required,
    /// The same as this value, in TOML.
    Value(&'static str),
    /// In words.
    Words(&'static str),
}

impl<T> Key<T> {
    const fn new(name: &'static str, absent: Absent, summary: &'static str) -> Self {
        Self { name, summary, absent, values: None, value: PhantomData }
    }

    const fn required(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, Absent::Required, summary)
    }

    /// A key whose absence is described in words.
    pub(super) const fn optional(name: &'static str, absent: &'static str, summary: &'static str) -> Self {
        Self::new(name, Absent::Words(absent), summary)
    }

    /// A key with a default, in TOML.
    const fn defaulting(name: &'static str, value: &'static str, summary: &'static str) -> Self {
        Self::new(name, Absent::Value(value), summary)
    }

    const fn values(self, values: &'static str) -> Self {
        Self { values: Some(values), ..self }
    }
}

/// The documentation of a key.
pub(crate) trait Entry: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Its type, range or choices.
    fn values(&self) -> String;
    /// The meaning of its absence; a value in backticks.
    fn default(&self) -> String;
    /// Its meaning, in one line.
    fn summary(&self) -> &'static str;
}

impl<T: Described> Entry for Key<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn values(&self) -> String {
        self.values.map_or_else(T::values, str::to_owned)
    }

    fn default(&self) -> String {
        match self.absent {
            Absent::Required => "required".into(),
            Absent::Value(value) => format!("`{value}`"),
            Absent::Words(words) => words.into(),
        }
    }

    fn summary(&self) -> &'static str {
        self.summary
    }
}

type Entries = &'static [&'static dyn Entry];

/// A table of a config.
pub(crate) struct KeyTable {
    /// Its name on the command line, `dataset`.
    pub(crate) name: &'static str,
    /// Its header, `[dataset]`.
    pub(crate) header: &'static str,
    /// Its purpose.
    pub(crate) summary: &'static str,
    groups: &'static [Entries],
}

impl KeyTable {
    /// Its keys, those that it shares with other tables last.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static dyn Entry> {
        self.groups.iter().copied().flatten().copied()
    }
}

/// Tables in the order of a config.
pub(crate) static TABLES: &[KeyTable] = &[
    KeyTable {
        name: "top",
        header: "Top level",
        summary: "Keys above the first table, and the tables.",
        groups: &[top::KEYS],
    },
    KeyTable {
        name: "dataset",
        header: "[dataset]",
        summary: "A data set. With several, write [[dataset]] for each, and let each model say which it runs on.",
        groups: &[dataset::KEYS],
    },
    KeyTable {
        name: "model",
        header: "[[model]]",
        summary: "A network, from a checkpoint.",
        groups: &[model::KEYS, layer::KEYS, network::KEYS],
    },
    KeyTable {
        name: "model",
        header: "[[model]] with `onnx`",
        summary: "A network from an ONNX file. Its metadata may have `input_size`, `mean` and `std`.",
        groups: &[onnx::KEYS, layer::KEYS, network::KEYS],
    },
    KeyTable {
        name: "model",
        header: "[[model]] with `torchscript`",
        summary: "A network from a TorchScript file, for methods that need logits and input gradients only.",
        groups: &[torchscript::KEYS, network::KEYS],
    },
    KeyTable {
        name: "method",
        header: "[[method]]",
        summary: "An explanation method or control. Its own settings are further keys (see: bench list methods).",
        groups: &[method::KEYS, any_method::KEYS],
    },
    KeyTable {
        name: "method",
        header: "[[method]] with `kind = \"precomputed\"`",
        summary: "Maps that another program made: see docs/maps.md.",
        groups: &[precomputed::KEYS, any_method::KEYS],
    },
    KeyTable { name: "metric", header: "[[metric]]", summary: "A metric.", groups: &[metric::KEYS] },
    KeyTable {
        name: "variant",
        header: "[[variant]]",
        summary: "A row of each method, under the config's protocol with the fields that are given here.",
        groups: &[variant::KEYS, map::KEYS, ucag::KEYS],
    },
    KeyTable {
        name: "ucag",
        header: "[ucag]",
        summary: "UCAG's own numbers. A list of values makes a row of each: a grid.",
        groups: &[ucag::KEYS],
    },
    KeyTable {
        name: "protocol",
        header: "[protocol]",
        summary: "A protocol with some fields overridden: see docs/protocol.md#protocol-fields.\n\
                  Fields that [[variant]] has, too, may be lists, as in [ucag].",
        groups: &[protocol::KEYS, scoring::KEYS, map::KEYS, ucag::KEYS],
    },
    KeyTable {
        name: "figure",
        header: "[figure]",
        summary: "Maps side by side, in place of the plot of a table.",
        groups: &[figure::KEYS],
    },
    KeyTable { name: "output", header: "[output]", summary: "Changes no record.", groups: &[output::KEYS] },
    KeyTable {
        name: "compute",
        header: "[compute]",
        summary: "Changes no result beyond rounding, which `precision` makes coarse.",
        groups: &[compute::KEYS],
    },
];

/// Defines keys and lists them, so that none is left out.
macro_rules! keys {
    ($group:ident: $($key:ident: $value:ty = $definition:expr;)*) => {
        pub(super) mod $group {
            use super::*;

            $(pub(in super::super) static $key: Key<$value> = $definition;)*

            pub(super) static KEYS: Entries = &[$(&$key),*];
        }
    };
}

keys! { top:
    TITLE: String = Key::optional("title", "the file's name", "title of the table");
    SEED: u64 = Key::defaulting("seed", "0", "seed of everything random: random maps and masks, bootstrap");
    PROTOCOL: Subtable = Key::defaulting("protocol", "\"official\"", "how maps are made and scored")
        .values("`official`, `paper`, `controlled`, or a table [protocol]");
    UCAG: Subtable = Key::optional("ucag", "the protocol's", "UCAG's n, ρ and α").values("[ucag]");
    DATASET: Subtable = Key::required("dataset", "say with 'kind' and 'root' what to run on")
        .values("[dataset], or several [[dataset]]");
    MODEL: Subtable = Key::required("model", "name at least one network with 'arch' and 'weights'")
        .values("[[model]]");
    METHOD: Subtable = Key::required("method", "name at least one method with 'id'").values("[[method]]");
    METRIC: Subtable = Key::required("metric", "name at least one metric with 'id'").values("[[metric]]");
    VARIANT: Subtable = Key::optional("variant", "rows without UCAG and with it", "rows by name, each with its protocol")
        .values("[[variant]]");
    FIGURE: Subtable = Key::optional("figure", "a plot of the table", "maps side by side; needs no metric")
        .values("[figure]");
    OUTPUT: Subtable = Key::optional("output", "defaults", "files of the run").values("[output]");
    COMPUTE: Subtable = Key::optional("compute", "defaults", "device, threads and memory").values("[compute]");
}

keys! { dataset:
    KIND: String = Key::required("kind", "the data set's format (see: bench list datasets)");
    ROOT: PathBuf = Key::required("root", "the data set's folder");
    LIMIT: Count = Key::optional("limit", "all samples", "number of samples, the first ones; also `--limit`");
    SAMPLES: Strings = Key::optional("samples", "all samples", "ids of the only samples, or their ends after a slash");
    DIFFICULT: PathBuf = Key::optional("difficult", "by definition", "published list of the \"difficult\" pairs");
    RESIZE: Choice<Resize> = Key::optional("resize", "the data set's",
        "resizing of images to the network's input: see docs/protocol.md#preprocessing");
    VOID: MaskValue = Key::optional("void", "none", "mask value of pixels that are neither object nor background");
    THRESHOLD: MaskValue = Key::optional("threshold", "masks of two values", "least mask value that is object");
    NAME: String = Key::optional("name", "the kind", "name in tables and records, unique");
}

keys! { model:
    ARCH: String = Key::required("arch",
        "the architecture (see: bench list models); or give onnx = \"model.onnx\"");
    WEIGHTS: PathBuf = Key::required("weights", "its checkpoint, a .safetensors file");
    FORM: Choice<Form> = Key::defaulting("form", "\"pooled\"",
        "form of the network: see docs/protocol.md#d22-convolutional-form");
    STEM: Choice<Stem> = Key::optional("stem", "the checkpoint's", "first layers, of which tensors don't show strides");
    TRANSFORM_INPUT: bool = Key::optional("transform_input", "the checkpoint's",
        "torchvision's transform_input of Inception v3");
}

keys! { onnx:
    ONNX: PathBuf = Key::required("onnx", "its file, which is the architecture, too");
}

keys! { layer:
    LAYER: String = Key::optional("layer", "the family's, or the last feature map",
        "target layer (see: bench list layers), by its own name or a module's");
    MIDDLE: String = Key::optional("middle", "the family's, or the last feature map with twice the target's sides",
        "layer where excitation backprop stops");
}

keys! { torchscript:
    TORCHSCRIPT: PathBuf = Key::required("torchscript", "its file; needs `input_size` beside it");
    OUTPUT: Choice<Output> = Key::defaulting("output", "\"logits\"", "numbers that it returns for the classes");
}

keys! { network:
    NAME: String = Key::optional("name", "the arch, or the file's name", "name in tables and records, unique on a data set");
    DATASET: String = Key::optional("dataset", "the only one", "name of the data set that it runs on");
    INPUT_SIZE: Count = Key::optional("input_size", "the checkpoint's or family's",
        "side of the square input, or its shorter side, in pixels");
    MEAN: Numbers = Key::optional("mean", "the checkpoint's, or ImageNet's", "mean of the input's normalization, with `std`");
    STD: Numbers = Key::optional("std", "the checkpoint's, or ImageNet's", "its standard deviation, with `mean`");
    CLASSES_FROM: String = Key::optional("classes_from", "its own classes",
        "model above it whose likeliest class is explained: see docs/protocol.md#d16-class-in-table-4");
}

keys! { method:
    ID: String = Key::required("id", "the method (see: bench list methods)");
    UCAG: Rows = Key::defaulting("ucag", "false", "its rows: without UCAG, with it, or both; not with [[variant]]");
    NAME: String = Key::optional("name", "the method's", "name in tables and records, unique on a data set");
}

keys! { precomputed:
    NAME: String = Key::required("name", "the name in records and tables");
    MAPS: PathBuf = Key::required("maps",
        "the folder of its maps ('maps_with_ucag' for those that UCAG has folded already)");
    MAPS_WITH_UCAG: PathBuf = Key::optional("maps_with_ucag", "no such row",
        "folder of maps that UCAG has folded already; `maps` may then be absent");
    POST: Choice<Finish> = Key::required("post", "how its maps are finished: cam, signed, plain or heat (see docs/maps.md)");
    VARIANT: String = Key::optional("variant", "the only one", "variant that the maps are of");
}

keys! { any_method:
    KIND: Choice<Kind> = Key::defaulting("kind", "\"computed\"", "source of the maps");
    DATASET: String = Key::optional("dataset", "all of them", "name of the only data set that it is for");
}

keys! { metric:
    ID: String = Key::required("id", "the metric (see: bench list metrics)");
    STEP: Count = Key::optional("step", "as published", "pixels deleted or inserted per step");
}

keys! { variant:
    NAME: String = Key::required("name", "the name in tables, beside the method's");
    UCAG: bool = Key::required("ucag", "whether UCAG is around the method");
    AGAINST: String = Key::optional("against", "the variant above", "variant above it that it is compared with");
}

keys! { ucag:
    N: usize = Key::optional("n", "the protocol's", "views per axis, n × n in all").values("a whole number from 2 to 64");
    RHO: f64 = Key::optional("rho", "the protocol's", "ρ, side of a view over side of the image")
        .values("a number above 0, at most 1");
    ALPHA: f64 = Key::optional("alpha", "the protocol's", "α, enlargement of a view")
        .values("a number above 0, at most 16");
}

keys! { protocol:
    BASE: String = Key::defaulting("base", "\"official\"", "protocol whose fields are overridden (see: bench list protocols)")
        .values("`official`, `paper` or `controlled`");
}

keys! { scoring:
    DELETED: Choice<DeletionBaseline> = Key::optional("deleted", "the base's",
        "value of a deleted pixel: see docs/protocol.md#d12-deletion-baseline");
    TIES: Choice<TieOrder> = Key::optional("ties", "the base's", "order of tied pixels: see docs/protocol.md#tie-order");
    TARGET: Choice<Target> = Key::optional("target", "the base's", "explained class: see docs/protocol.md#d17-target-class");
    TALLY: Choice<EmptyPairs> = Key::optional("tally", "the base's",
        "pairs that the energy game counts: see docs/protocol.md#d21-energy-tally");
}

keys! { map:
    INTERPOLATION: Choice<Interpolation> = Key::optional("interpolation", "the base's",
        "kernel that enlarges views: see docs/protocol.md#d8-geometry-and-kernel");
    COVERAGE: Choice<Coverage> = Key::optional("coverage", "the base's",
        "divisor of the summed maps: see docs/protocol.md#d1-coverage");
    CONFIDENCE: Choice<ViewWeight> = Key::optional("confidence", "the base's",
        "weight of a view: see docs/protocol.md#confidence");
    LARGE_MAPS: Choice<LargeMaps> = Key::optional("large_maps", "the base's",
        "resizing of maps as large as a view: see docs/protocol.md#large-maps");
    SMOOTHING: Choice<Smoothing> = Key::optional("smoothing", "the base's",
        "maps that get the final blur: see docs/protocol.md#d4-final-blur");
    RECTIFY: bool = Key::optional("rectify", "the base's",
        "clipping of CAM maps at zero: see docs/protocol.md#d5-final-clipping");
    SCALE: f64 = Key::optional("scale", "the base's",
        "enlargement of the whole image, in rows without UCAG: see docs/protocol.md#enlarged-image")
        .values("a number above 0, at most 16");
}

keys! { figure:
    COLUMNS: Choice<Columns> = Key::required("columns", "what stands side by side, \"methods\" or \"networks\"");
}

keys! { output:
    DIR: PathBuf = Key::optional("dir", "`results/` and the file's name", "folder of the run; also `--out`");
    PUBLISHED: PathBuf = Key::optional("published", "none", "published numbers to compare with, a CSV as in results/published/");
    REMARK: String = Key::optional("remark", "none", "note on the published numbers, a sentence or two");
    GALLERY: usize = Key::defaulting("gallery", "8", "samples whose maps are kept in the gallery");
    RESAMPLES: Count = Key::defaulting("resamples", "10000", "resamples of the bootstrap");
}

keys! { compute:
    DEVICE: String = Key::defaulting("device", "\"cpu\"", "device of the networks; also `--device`").values("`cpu` or `cuda:N`");
    PRECISION: Choice<Precision> = Key::defaulting("precision", "\"f32\"",
        "arithmetic up to the first activation that a method needs: see docs/speed.md");
    WORKERS: Count = Key::optional("workers", "number of cores", "samples in work at a time, a thread each; also `--workers`");
    VIEWS_PER_BATCH: Count = Key::defaulting("views_per_batch", "6", "most views in one pass; fewer need less memory");
    IMAGES_PER_BATCH: Count = Key::defaulting("images_per_batch", "8", "most images in one call of the network by a metric");
}

#[cfg(test)]
mod tests;
