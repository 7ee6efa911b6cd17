//! The command line.

use std::path::PathBuf;

use crate::config::Protocol;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ucag_core::network::{Output, Stem};

use crate::config::{self, ConfigErrors, Overrides};
use crate::plan::shard::Shard;

/// Runs experiments on visual explanations from TOML configs, and explains single images.
#[derive(Debug, Parser)]
#[command(name = "bench", version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  bench configs/mini/table1.toml                  the paper's Table 1 in small, on data that comes with the project
  bench configs/table1.toml --dry-run             what a run would do and need, without doing it
  bench configs/table1.toml --limit 100           only the first 100 images
  bench configs/table1.toml --set seed=1 --set protocol.coverage=true --out results/table1-coverage
  bench configs/table1.toml --set 'method=[{id=\"layercam\", ucag=[false, true]}]'
  bench configs/table1.toml --shard 2/8           the second of eight parts of a run, for as many machines
  bench merge results/table1                      all eight, put together
  bench compare results/table1 results/mine       what changes from one run to another, row by row
  bench list methods                              what a config can name

A run that was stopped goes on where it was when the same command is given again.

Exit codes:
  0    all went well
  1    an error: something can't be read, written or computed, the folder is another run's, or a sample failed with --strict
  2    a wrong command line or config, or files that are missing; nothing was done
  3    the run finished, but some samples failed: failures.csv names them, tables are of the others
  130  stopped by Ctrl-C (143: by SIGTERM, 129: its terminal is gone); finished units are safe")]
pub struct Cli {
    /// A subcommand, if not to run configs.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Configs to run, and options.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Subcommands besides running configs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain one class of one image with one method: writes the map as numbers and as pictures
    Explain(Box<ExplainArgs>),
    /// Put the shards of a run together: what comes out is the run as one machine would have made
    /// it
    Merge(MergeArgs),
    /// Compare runs with the first of them, row by row, from their folders alone
    Compare(CompareArgs),
    /// List the maps that a config wants, one for each image, class and model, for other programs
    /// to make
    ExportPlan(ExportArgs),
    /// List what configs can name
    List {
        /// The list
        what: Listing,
        /// With `config`: the only table to show. With `layers`: the network's file
        of: Option<String>,
        /// With `layers`: the network family or member that a checkpoint is of
        #[arg(long)]
        arch: Option<String>,
        /// Write a page of docs/ instead
        #[arg(long)]
        markdown: bool,
    },
}

/// A registry to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(rustdoc::broken_intra_doc_links, reason = "these are TOML's brackets, for the help")]
pub enum Listing {
    /// Explanation methods and control maps: [[method]] id
    Methods,
    /// Network families: [[model]] arch
    Models,
    /// Layers of a network, with their kinds and shapes: [[model]] layer
    Layers,
    /// Metrics: [[metric]] id
    Metrics,
    /// Data sets and how their files lie: [dataset] kind
    Datasets,
    /// Protocols and all their fields: protocol, [protocol] base
    Protocols,
    /// Keys of a config: types, defaults and meanings
    Config,
}

impl Listing {
    /// Returns true if docs/ has a page that is written from it.
    pub fn has_page(self) -> bool {
        matches!(self, Listing::Methods | Listing::Metrics | Listing::Config)
    }
}

/// Configs to run, and options.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Configs to run, one after the other
    #[arg(value_name = "CONFIG", required = true)]
    pub configs: Vec<PathBuf>,
    /// Run on the first N samples only (dataset.limit)
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Folder of the run's records, tables and plots (output.dir)
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Compute on cpu or cuda:N (compute.device)
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Samples in work at a time (compute.workers) [default: number of cores]
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Override any key of the configs; may be repeated. VALUE is TOML, or else a string. Entries
    /// of lists are numbered from 0: --set model.0.weights=my.safetensors
    #[arg(long, value_name = "KEY.PATH=VALUE")]
    pub set: Vec<String>,
    /// Do only the I-th of N parts of the run, every N-th sample, into the folder shards/I-of-N of
    /// the output folder; `bench merge` puts them together
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Check everything and say what the run would do, without running
    #[arg(long)]
    pub dry_run: bool,
    /// Start over, even where an earlier run could go on
    #[arg(long)]
    pub fresh: bool,
    /// Stop at the first sample that fails, instead of reporting it at the end
    #[arg(long)]
    pub strict: bool,
}

impl RunArgs {
    /// The arguments that override keys of the configs.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            limit: self.limit,
            out: self.out.clone(),
            device: self.device.clone(),
            workers: self.workers,
            set: self.set.clone(),
        }
    }
}

/// Shards to merge.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bench merge results/table1                                all that are in results/table1/shards
  bench merge a/1-of-2 b/2-of-2 --out results/table1        shards that were made elsewhere

Neither data nor weights need be there. All shards must be done and be of one run; what isn't is said, with the command that puts it
right. docs/cluster.md says more.")]
pub struct MergeArgs {
    /// Folders of shards, or a run's folder with all of its shards
    #[arg(value_name = "DIR", required = true)]
    pub dirs: Vec<PathBuf>,
    /// Folder of the run [default: the one in whose shards/ the shards are]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Runs to compare.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bench compare results/table1 results/table1-coverage --out results/coverage
  bench compare results/table1 results/mine --method mine --against gradcam
  bench compare results/mine results/mine --method layercam --against gradcam       two methods of one run

Every RUN is compared with the first one: for each row that both have, the two means and the difference over the samples that both
have, with its 95 % interval. In what the runs differ otherwise (data, weights, protocol, metrics) is said first. A run that is
still going on may be compared, too; nothing in the folders is changed.")]
pub struct CompareArgs {
    /// Run folders (results/table1, or what --out said); the first one is what the others are
    /// compared with
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    pub runs: Vec<PathBuf>,
    /// Folder for compare.csv and compare.md
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Compare only rows of this method, with those of another method of the first run
    #[arg(long, value_name = "ID", requires = "against")]
    pub method: Option<String>,
    /// The method of the first run that --method is compared with
    #[arg(long, value_name = "ID", requires = "method")]
    pub against: Option<String>,
    /// Resamples of the bootstrap
    #[arg(long, value_name = "N", default_value = "10000")]
    pub resamples: std::num::NonZeroUsize,
}

/// The maps that a config wants.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bench export-plan configs/mini/table1.toml --out plan.csv --images pictures
  bench export-plan configs/table1.toml --out plan.csv --limit 100

docs/maps.md says what the columns are, and how a config takes the maps.")]
pub struct ExportArgs {
    /// Config of the run that the maps are for
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// CSV to write
    #[arg(long, value_name = "PLAN.csv")]
    pub out: PathBuf,
    /// Also write each image as a model sees it, as PNG into this folder
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// Only the first N samples (dataset.limit)
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Override any key of the config; may be repeated
    #[arg(long, value_name = "KEY.PATH=VALUE")]
    pub set: Vec<String>,
}

impl ExportArgs {
    /// The arguments that override keys of the config.
    pub fn overrides(&self) -> Overrides {
        Overrides { limit: self.limit, set: self.set.clone(), ..Overrides::default() }
    }
}

/// One image, one class, one method.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bench explain --arch resnet50 --weights data/weights/resnet50.safetensors --image cat.jpg --class 281 --method gradcam --ucag --out out/cat
  bench explain --arch vgg16 --weights data/weights/vgg16.safetensors --input x.npy --class 0 --method gradcam++ \\
      --protocol controlled --set ties=smaller-index-first --n 8 --out out/x

--input is a preprocessed (normalised) float32 array of shape [3, H, W] ([1, H, W] for a grey network), for comparisons with other programs.")]
pub struct ExplainArgs {
    /// Network family or member (see: bench list models)
    #[arg(long, requires = "weights", required_unless_present_any = ["torchscript", "onnx"])]
    pub arch: Option<String>,
    /// Its checkpoint
    #[arg(long, value_name = "F.safetensors")]
    pub weights: Option<PathBuf>,
    /// A classifier in ONNX, instead of an arch and its checkpoint
    #[arg(long, value_name = "MODEL.onnx", conflicts_with_all = ["arch", "weights", "torchscript", "stem", "transform_input"])]
    pub onnx: Option<PathBuf>,
    /// A TorchScript classifier, instead of an arch and its checkpoint
    #[arg(long, value_name = "MODEL.pt", requires = "input_size", conflicts_with_all = ["arch", "weights", "layer", "middle", "stem", "transform_input"])]
    pub torchscript: Option<PathBuf>,
    /// That classifier's output: logits, probabilities or sigmoid [default: logits]
    #[arg(long, value_name = "OUTPUT", requires = "torchscript", value_parser = output)]
    pub output: Option<Output>,
    /// Image to explain, JPEG or PNG
    #[arg(long, value_name = "FILE", required_unless_present = "input", conflicts_with = "input")]
    pub image: Option<PathBuf>,
    /// Network input to explain, instead of an image
    #[arg(long, value_name = "X.npy")]
    pub input: Option<PathBuf>,
    /// Class to explain, counted from 0
    #[arg(long, value_name = "K")]
    pub class: usize,
    /// Explanation method (see: bench list methods)
    #[arg(long, value_name = "ID")]
    pub method: String,
    /// Put UCAG around the method
    #[arg(long)]
    pub ucag: bool,
    /// Protocol to start from (see: bench list protocols)
    #[arg(long, value_name = "P", default_value = "official")]
    pub protocol: String,
    /// Override a field of the protocol, for instance coverage=true; may be repeated
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// Layer to explain at [default: the family's]
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// Layer at which excitation backprop stops [default: the family's]
    #[arg(long, value_name = "NAME")]
    pub middle: Option<String>,
    /// Side of the network's input in pixels [default: the checkpoint's or the family's]
    #[arg(long, value_name = "PIXELS")]
    pub input_size: Option<usize>,
    /// Stem of a ResNet or DenseNet: imagenet, cifar or cifar-pool [default: the checkpoint's, else
    /// imagenet for a kernel of 7 × 7]
    #[arg(long, value_name = "STEM")]
    pub stem: Option<Stem>,
    /// Inception's transform_input, true or false [default: the checkpoint's, else true for 1000
    /// classes]
    #[arg(long, value_name = "BOOL")]
    pub transform_input: Option<bool>,
    /// Mean that is subtracted from red, green and blue in [0, 1], or from grey [default: the
    /// checkpoint's or ImageNet's]
    #[arg(long, value_name = "R,G,B", requires = "std", allow_hyphen_values = true)]
    pub mean: Option<String>,
    /// Standard deviation that they are divided by then
    #[arg(long, value_name = "R,G,B", requires = "mean", allow_hyphen_values = true)]
    pub std: Option<String>,
    /// UCAG: side of a view over side of the image [default: the protocol's]
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub rho: Option<f64>,
    /// UCAG: enlargement of a view [default: the protocol's]
    #[arg(long, value_name = "A", allow_negative_numbers = true)]
    pub alpha: Option<f64>,
    /// UCAG: views per axis [default: the protocol's]
    #[arg(long)]
    pub n: Option<usize>,
    /// Seed of the random map
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Compute on cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
    /// Most views in one pass
    #[arg(long, value_name = "N", default_value = "6")]
    pub views_per_batch: std::num::NonZeroUsize,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

fn output(name: &str) -> Result<Output, String> {
    let named = Output::ALL.into_iter().find(|output| output.name() == name);
    named.ok_or_else(|| format!("expected one of {}", Output::ALL.map(Output::name).join(", ")))
}

impl ExplainArgs {
    /// The protocol with its overrides.
    ///
    /// # Errors
    /// Every argument that is at fault.
    pub fn protocol(&self) -> Result<Protocol, ConfigErrors> {
        config::protocol(&self.protocol, &self.set, self.n, self.rho, self.alpha)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, String> {
        Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn configs_and_flags_become_overrides() {
        let cli =
            parse("bench a.toml b.toml --limit 3 --out o --device cuda:1 --workers 2 --set a.b=c=d --set e=1 --strict")
                .unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.run.configs, [PathBuf::from("a.toml"), "b.toml".into()]);
        assert!(cli.run.strict && !cli.run.dry_run && !cli.run.fresh);
        let Overrides { limit, out, device, workers, set } = cli.run.overrides();
        assert_eq!((limit, out, workers), (Some(3), Some("o".into()), Some(2)));
        assert_eq!((device.as_deref(), set), (Some("cuda:1"), vec!["a.b=c=d".to_owned(), "e=1".to_owned()]));
    }

    #[test]
    fn subcommands_need_no_config_but_a_run_does() {
        assert!(matches!(
            parse("bench list methods").unwrap().command,
            Some(Command::List { what: Listing::Methods, markdown: false, .. })
        ));
        assert!(parse("bench").unwrap_err().contains("<CONFIG>"));
        assert!(parse("bench list method").unwrap_err().contains("'methods'"));
    }

    const EXPLAIN: &str = "bench explain --arch vgg --weights w --class 3 --method gradcam --out o";

    #[test]
    fn explain_takes_an_image_or_an_input() {
        assert!(parse(EXPLAIN).unwrap_err().contains("--image"));
        assert!(parse(&format!("{EXPLAIN} --image i --input x")).unwrap_err().contains("cannot be used with"));
        let Some(Command::Explain(explain)) = parse(&format!("{EXPLAIN} --input x")).unwrap().command else { panic!() };
        assert_eq!((explain.class, explain.seed, explain.views_per_batch.get(), explain.ucag), (3, 0, 6, false));
        assert_eq!(explain.protocol().unwrap(), Protocol::official());
    }

    #[test]
    fn explain_overrides_the_protocol() {
        let line = format!(
            "{EXPLAIN} --image i --protocol paper --set coverage=plus-one --set rectify=false --n 4 --rho 0.5 --alpha 2"
        );
        let Some(Command::Explain(explain)) = parse(&line).unwrap().command else { panic!() };
        let protocol = explain.protocol().unwrap();
        assert_eq!(
            (protocol.maps.n, protocol.maps.rho, protocol.maps.alpha, protocol.maps.rectify),
            (4, 0.5, 2.0, false)
        );
        assert_eq!(protocol.name, "paper+alpha=2.0+coverage=plus-one+n=4+rectify=false+rho=0.5");
        let line =
            format!("{EXPLAIN} --image i --protocol papr --set covrage=true --set ties --rho -1 --n 4 --set n=5");
        let Some(Command::Explain(explain)) = parse(&line).unwrap().command else { panic!() };
        let message = explain.protocol().unwrap_err().to_string();
        let expected = "\
--n 4: [ucag] n: is also in [protocol], at --set n=5; keep one of the two
--protocol papr: [protocol] base: unknown protocol 'papr'; did you mean 'paper'? (see: bench list protocols)
--rho -1: [ucag] rho: rho = -1: a view's side must be above 0 and at most 1 of the image's
--set covrage=true: [protocol]: unknown key 'covrage'; did you mean 'coverage'?
--set ties: expected KEY=VALUE, for instance dataset.limit=10";
        assert_eq!(message, expected);
    }
}
