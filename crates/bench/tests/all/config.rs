//! Configs that are fine: defaults, overrides, and what is kept of them.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use crate::support::{GOOD, Scratch, set};
use bench::config::{Config, Overrides, Protocol, Target, load, load_all};
use metrics::protocol::{DeletionBaseline, EmptyPairs, ScoringProtocol, TieOrder};
use ucag_core::image_ops::Interpolation;
use ucag_core::protocol::{Coverage, LargeMaps, MapProtocol, Smoothing, ViewWeight};

fn read(text: &str) -> Config {
    read_with(text, &Overrides::default())
}

fn read_with(text: &str, overrides: &Overrides) -> Config {
    let scratch = Scratch::new();
    load(&scratch.write("x.toml", text), overrides).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn everything_but_the_experiment_has_a_default() {
    let config = read(GOOD);
    assert_eq!((config.name.as_str(), config.title.as_str(), config.seed), ("x", "x", 0));
    assert_eq!(config.protocol, Protocol::official());
    assert_eq!((config.datasets[0].kind.as_str(), config.datasets[0].root.as_path()), ("imagenet", Path::new("data")));
    assert_eq!(config.datasets[0].limit, None);
    let [model] = &config.models[..] else { panic!("{:?}", config.models) };
    assert_eq!((model.arch.as_str(), model.name.as_str()), ("resnet50", "resnet50"));
    assert_eq!((model.weights.as_path(), &model.layer, model.input_size), (Path::new("w.safetensors"), &None, None));
    let [method] = &config.methods[..] else { panic!("{:?}", config.methods) };
    assert_eq!((&*method.id, &method.variants[..]), ("gradcam", &[0][..]));
    let [metric] = &config.metrics[..] else { panic!("{:?}", config.metrics) };
    assert_eq!((metric.metric.id, metric.step), ("deletion", None));
    assert_eq!((config.output.dir.as_path(), &config.output.published), (Path::new("results/x"), &None));
    assert_eq!((config.output.gallery, config.output.resamples), (8, 10_000));
    assert_eq!(config.compute.device, tch::Device::Cpu);
    assert_eq!(config.compute.workers, std::thread::available_parallelism().unwrap().get());
    assert_eq!((config.compute.views_per_batch, config.compute.images_per_batch), (6, 8));
}

#[test]
fn every_key_is_read() {
    let config = read(
        r#"
        title = "Mine"
        seed = 7
        dataset = { kind = "imagenet", root = "r", limit = 3 }
        metric = [{ id = "insertion", step = 64 }]
        [protocol]
        base = "controlled"
        [ucag]
        n = 4
        rho = 1
        alpha = 2.0
        [[model]]
        arch = "densenet"
        weights = "d"
        layer = "features.norm5"
        name = "Dense"
        input_size = 64
        [[method]]
        id = "gradcam++"
        ucag = true
        [[method]]
        id = "layercam"
        ucag = [true, false]
        [output]
        dir = "there"
        published = "p.csv"
        gallery = 0
        resamples = 10
        [compute]
        device = "cpu"
        workers = 3
        views_per_batch = 1
        images_per_batch = 2
        "#,
    );
    assert_eq!((config.title.as_str(), config.seed, config.datasets[0].limit), ("Mine", 7, Some(3)));
    let name = "controlled+alpha=2.0+n=4+rho=1.0".to_owned();
    let maps = MapProtocol { n: 4, rho: 1.0, alpha: 2.0, ..MapProtocol::controlled() };
    assert_eq!(config.protocol, Protocol { name, maps, ..Protocol::controlled() });
    let model = &config.models[0];
    assert_eq!((model.layer.as_deref(), model.name.as_str()), (Some("features.norm5"), "Dense"));
    assert_eq!(model.input_size, Some(64));
    let rows: Vec<_> = config.methods.iter().map(|method| (&*method.id, &method.variants[..])).collect();
    assert_eq!(rows, [("gradcam++", &[1][..]), ("layercam", &[1, 0][..])]);
    assert_eq!(config.metrics[0].step, Some(64));
    assert_eq!((config.output.dir, config.output.published), ("there".into(), Some(PathBuf::from("p.csv"))));
    assert_eq!((config.output.gallery, config.output.resamples), (0, 10));
    assert_eq!((config.compute.workers, config.compute.views_per_batch), (3, 1));
    assert_eq!(config.compute.images_per_batch, 2);
}

#[test]
fn a_config_in_a_folder_mini_writes_to_results_mini() {
    let scratch = Scratch::new();
    let path = scratch.write("mini/table9.toml", GOOD);
    assert_eq!(load(&path, &Overrides::default()).unwrap().output.dir, Path::new("results/mini/table9"));
}

#[test]
fn a_protocol_says_in_its_name_what_was_overridden() {
    let named = |protocol: &str| read(&format!("{protocol}\n{GOOD}")).protocol;
    assert_eq!(named("protocol = 'paper'"), Protocol::paper());
    assert_eq!(named("protocol = { coverage = 'true' }").name, "official+coverage=true");
    // TOML's boolean is taken for the name.
    assert_eq!(named("protocol = { coverage = true }"), named("protocol = { coverage = 'true' }"));
    // What the base says anyway isn't a change.
    assert_eq!(named("protocol = { base = 'paper', coverage = 'true', n = 6 }"), Protocol::paper());
    assert_eq!(named("ucag = { n = 6, alpha = 2.6 }"), Protocol::official());
}

#[test]
fn every_field_of_a_protocol_can_be_overridden() {
    let fields = "n = 3\nrho = 0.25\nalpha = 1.5\ninterpolation = 'bilinear'\ncoverage = 'true'\nconfidence = 'none'\n\
        large_maps = 'directly'\nscale = 2\nsmoothing = 'both'\nrectify = false\ndeleted = 'black'\nties = 'smaller-index-first'\ntarget = 'predicted'\ntally = 'pairs'\n";
    let protocol = read(&format!("{GOOD}[protocol]\n{fields}")).protocol;
    let expected = Protocol {
        name: protocol.name.clone(),
        version: Protocol::official().version,
        maps: MapProtocol {
            n: 3,
            rho: 0.25,
            alpha: 1.5,
            interpolation: Interpolation::Bilinear,
            coverage: Coverage::True,
            confidence: ViewWeight::None,
            large_maps: LargeMaps::Directly,
            scale: 2.0,
            smoothing: Smoothing::Both,
            rectify: false,
        },
        scoring: ScoringProtocol {
            deletion_baseline: DeletionBaseline::Black,
            tie_order: TieOrder::SmallerIndexFirst,
            empty_pairs: EmptyPairs::Pairs,
        },
        target: Target::Predicted,
    };
    assert_eq!(protocol, expected);
    assert_eq!(
        protocol.name,
        "official+alpha=1.5+confidence=none+coverage=true+deleted=black+interpolation=bilinear+large_maps=directly+n=3+rectify=false+rho=0.25\
         +scale=2.0+smoothing=both+tally=pairs+target=predicted+ties=smaller-index-first"
    );
}

#[test]
fn set_writes_any_key() {
    let with = |arguments: &[&str]| read_with(GOOD, &set(arguments));
    assert_eq!(with(&["seed=3"]).seed, 3);
    assert_eq!(with(&["title=a b"]).title, "a b");
    assert_eq!(with(&["title='5'"]).title, "5");
    assert_eq!(with(&["title=a=b"]).title, "a=b");
    assert_eq!(with(&["dataset.root=/x/y"]).datasets[0].root, Path::new("/x/y"));
    assert_eq!(with(&["model.0.weights=v.safetensors"]).models[0].weights, Path::new("v.safetensors"));
    assert_eq!(with(&["output.gallery=2"]).output.gallery, 2);
    assert_eq!(with(&["dataset.limit=5", "dataset.limit=6"]).datasets[0].limit, Some(6));
    assert_eq!(with(&["method.0.ucag=[false, true]"]).methods[0].variants, [0, 1]);
    assert_eq!(with(&["method.0.ucag=[false]", "method.0.ucag.0=true"]).methods[0].variants, [1]);
}

#[test]
fn set_replaces_whole_lists_and_entries() {
    let config = read_with(
        GOOD,
        &set(&[
            r#"model=[{arch="squeezenet", weights="s"}, {arch="vgg", weights="v"}]"#,
            "model.1.name=V",
            "method=[{id='edge'}, {id='xgradcam', ucag=true}]",
            "metric.0={id='insertion'}",
        ]),
    );
    let models: Vec<_> = config.models.iter().map(|model| (model.arch.as_str(), model.name.as_str())).collect();
    assert_eq!(models, [("squeezenet", "squeezenet"), ("vgg", "V")]);
    let methods: Vec<_> = config.methods.iter().map(|method| (&*method.id, method.variants[0])).collect();
    assert_eq!(methods, [("edge", 0), ("xgradcam", 1)]);
    assert_eq!(config.metrics[0].metric.id, "insertion");
}

#[test]
fn set_makes_a_table_of_a_named_protocol() {
    let text = format!("protocol = 'paper'\n{GOOD}");
    let protocol = read_with(&text, &set(&["protocol.ties=smaller-index-first"])).protocol;
    let name = "paper+ties=smaller-index-first".to_owned();
    let scoring = ScoringProtocol { tie_order: TieOrder::SmallerIndexFirst, ..ScoringProtocol::paper() };
    assert_eq!(protocol, Protocol { name, scoring, ..Protocol::paper() });
    assert_eq!(read_with(GOOD, &set(&["protocol.coverage=true"])).protocol.name, "official+coverage=true");
    assert_eq!(read_with(&text, &set(&["protocol=controlled"])).protocol, Protocol::controlled());
    assert_eq!(read_with(&text, &set(&["ucag.n=9"])).protocol.maps.n, 9);
}

#[test]
fn flags_beat_set_beats_the_file() {
    let overrides = Overrides {
        limit: Some(2),
        out: Some("o".into()),
        device: Some("cpu".into()),
        workers: Some(1),
        set: vec![
            "dataset.limit=9".into(),
            "compute.workers=9".into(),
            "output.dir=p".into(),
            "compute.device=gpu".into(),
        ],
    };
    let config = read_with(GOOD, &overrides);
    assert_eq!((config.datasets[0].limit, config.output.dir.as_path()), (Some(2), Path::new("o")));
    assert_eq!((config.compute.workers, config.compute.device), (1, tch::Device::Cpu));
}

#[test]
fn the_digest_holds_what_records_depend_on_and_nothing_else() {
    let digest = |arguments: &[&str]| read_with(GOOD, &set(arguments)).digest_value();
    let plain = digest(&[]);
    for same in [
        "title=t",
        "output.dir=o",
        "output.gallery=0",
        "output.resamples=5",
        "output.published=p",
        "compute.workers=3",
        "compute.views_per_batch=3",
        "compute.images_per_batch=3",
        "seed=0",
        "protocol=official",
        "method.0.ucag=false",
        "model.0.name=resnet50",
    ] {
        assert_eq!(digest(&[same]), plain, "{same}");
    }
    for different in [
        "seed=1",
        "protocol=paper",
        "protocol.ties=smaller-index-first",
        "ucag.n=5",
        "dataset.root=s",
        "dataset.limit=5",
        "model.0.weights=v",
        "model.0.layer=l",
        "model.0.name=m",
        "model.0.arch=resnet",
        "model.0.input_size=9",
        "method.0.ucag=true",
        "method.0.id=xgradcam",
        "metric.0.id=insertion",
        "metric.0.step=9",
    ] {
        assert_ne!(digest(&[different]), plain, "{different}");
    }
}

#[test]
fn the_resolved_config_holds_everything() {
    let config = read_with(GOOD, &set(&["title=t", "output.dir=o", "compute.workers=3", "dataset.limit=4"]));
    let json = config.resolved();
    assert_eq!((&json["title"], &json["name"]), (&"t".into(), &"x".into()));
    assert_eq!(json["protocol"]["coverage"], "plus-one");
    assert_eq!((&json["datasets"][0]["limit"], &json["seed"]), (&4.into(), &0.into()));
    assert_eq!(json["models"][0]["weights"], "w.safetensors");
    assert_eq!(
        json["methods"],
        serde_json::json!([{ "id": "gradcam", "name": "gradcam", "variants": [0], "dataset": null, "settings": {} }])
    );
    assert_eq!((&json["metrics"][0]["id"], &json["metrics"][0]["version"]), (&"deletion".into(), &1.into()));
    assert_eq!((&json["output"]["dir"], &json["output"]["resamples"]), (&"o".into(), &10_000.into()));
    assert_eq!((&json["compute"]["device"], &json["compute"]["workers"]), (&"cpu".into(), &3.into()));
    assert!(json["path"].as_str().unwrap().ends_with("x.toml"));
}

fn shipped() -> Vec<PathBuf> {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
    };
    [files(&configs), files(&configs.join("mini"))].concat()
}

#[test]
fn the_shipped_configs_are_fine_together() {
    let configs = load_all(&shipped(), &Overrides::default()).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(configs.iter().any(|config| config.output.dir == Path::new("results/table1")));
    assert!(configs.iter().any(|config| config.output.dir == Path::new("results/mini/table1")));
    for config in configs {
        assert_ne!(config.title, config.name, "{}: no title", config.path.display());
    }
}

#[test]
fn what_the_shipped_configs_show_in_comments_is_fine_too() {
    // A line is an example if it is `# key = value` or `# [table]`, as opposed to prose.
    let is_example = |line: &str| {
        let line = line.trim();
        let key =
            line.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        key || (line.starts_with('[') && line.ends_with(']'))
    };
    for path in shipped() {
        let text = std::fs::read_to_string(&path).unwrap();
        let example = |line: &str| line.strip_prefix("# ").filter(|rest| is_example(rest)).map(str::to_owned);
        let uncommented: Vec<String> = text
            .lines()
            .filter(|line| !line.starts_with("#     "))
            .map(|line| example(line).unwrap_or_else(|| line.to_owned()))
            .collect();
        // Whether there is a CUDA device is another matter.
        let config = read_with(&uncommented.join("\n"), &set(&["compute.device=cpu"]));
        if config.grid.is_empty() {
            assert_eq!(config.protocol, Protocol::official(), "{}: [ucag] should show the defaults", path.display());
        }
    }
}

#[test]
fn the_full_tables_have_the_rows_of_the_published_ones() {
    ["table1.toml", "table2.toml", "table3.toml", "table4.toml", "table5.toml"]
        .into_iter()
        .for_each(has_the_published_rows);
}

fn has_the_published_rows(file: &str) {
    let config = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs").join(file), &Overrides::default());
    let config = config.unwrap();
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(config.output.published.as_ref().unwrap());
    let mut rows = csv::Reader::from_path(&published).unwrap();
    let cell = |row: &csv::StringRecord, column: usize| row[column].to_owned();
    for row in rows.records() {
        // table,dataset,model,method,ucag,metric,value
        let row = row.unwrap();
        let (model, method, ucag, metric) = (cell(&row, 2), cell(&row, 3), &row[4] == "true", cell(&row, 5));
        // Table 5 doesn't say what it was measured on.
        let named = |known: &bench::config::Dataset| known.name.eq_ignore_ascii_case(&row[1]) || &row[1] == "unknown";
        let on = config.datasets.iter().position(named);
        let on = on.unwrap_or_else(|| panic!("no data set {}", &row[1]));
        let models = || config.models.iter().filter(|known| known.dataset == on);
        assert!(models().any(|known| known.name == model), "no model {model}");
        let columns = || config.metrics.iter().flat_map(|known| known.metric.columns);
        assert!(columns().any(|column| column.published == metric), "no metric {metric}");
        // "WGradCAM (candidate)"
        let same = |name: &str| name == method || name.strip_suffix(" (candidate)") == Some(&method);
        let shown = config.methods_on(on).any(|known| same(&known.name) && known.variants.contains(&usize::from(ucag)));
        assert!(shown, "no method {method}, ucag {ucag}");
    }
}

#[test]
fn values_of_masks_are_part_of_a_run_where_they_are_set() {
    let with = |settings: &[&str]| read_with(GOOD, &set(settings));
    let config = with(&["dataset.void=255", "dataset.threshold=65535"]);
    assert_eq!((config.datasets[0].void, config.datasets[0].threshold), (Some(255), Some(65535)));
    let json = config.resolved();
    assert_eq!((&json["datasets"][0]["void"], &json["datasets"][0]["threshold"]), (&255.into(), &65535.into()));
    // Runs from before these settings have no such key, and go on.
    let json = with(&[]).resolved();
    let keys = json["datasets"][0].as_object().unwrap();
    assert!(!keys.contains_key("void") && !keys.contains_key("threshold"), "{keys:?}");
}
