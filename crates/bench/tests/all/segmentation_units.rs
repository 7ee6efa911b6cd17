//! Units of work on a data set that says what is object and names no class: which class is
//! explained, and how map and object come together.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use bench::config::{self, Overrides};
use bench::plan::Plan;
use bench::records::{Record, Unit};
use bench::run::{CompletedRun, run};
use datasets::{Checksum, Dataset, Mask, Object, Sample};
use image::{Rgb, RgbImage};
use tch::{Device, Kind, Tensor};
use ucag_core::explain::Explainer;
use ucag_core::network::{Layers, Network};
use ucag_core::pass::{Needs, Pass};

/// Photos of 50 × 30 pixels whose object is a rectangle: columns 10 to 24, rows 6 to 17.
struct Drawn {
    ids: Vec<String>,
}

const PHOTO: (u32, u32) = (50, 30);
const SAMPLES: usize = 6;

fn is_object(x: u32, y: u32) -> bool {
    (10..25).contains(&x) && (6..18).contains(&y)
}

fn photo(index: usize) -> RgbImage {
    let wave = |x: u32, y: u32, c: u32| ((x * (index as u32 + 1) * (c + 1) + y * y) % 256) as u8;
    RgbImage::from_fn(PHOTO.0, PHOTO.1, |x, y| Rgb([0, 1, 2].map(|c| wave(x, y, c))))
}

impl Dataset for Drawn {
    fn len(&self) -> usize {
        self.ids.len()
    }

    fn id(&self, index: usize) -> &str {
        &self.ids[index]
    }

    fn load(&self, index: usize) -> datasets::Result<Sample> {
        let (width, height) = PHOTO;
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| is_object(x, y))).collect();
        let object = Some(Object { mask: Mask { width, height, pixels }, void: None });
        let (id, image) = (self.ids[index].clone(), photo(index));
        let checksum = Checksum::of(image.as_raw());
        Ok(Sample { id, image, labels: vec![], regions: vec![], object, checksum })
    }

    fn classes(&self) -> &[String] {
        &[]
    }

    fn is_segmented(&self) -> bool {
        true
    }

    fn fingerprint(&self) -> String {
        "drawn".to_owned()
    }
}

/// A map that is above zero in the left half of the input's columns, less one.
#[derive(Debug)]
struct Left;

impl Explainer for Left {
    fn needs(&self, _: &Network, _: &Layers) -> ucag_core::Result<Needs> {
        Ok(Needs::default())
    }

    fn explain(&self, _: &Pass<'_>, _: &Layers) -> ucag_core::Result<Tensor> {
        let column = Tensor::arange(128, (Kind::Float, Device::Cpu)).lt(63.0).to_kind(Kind::Float) * 2.0 - 1.0;
        Ok(column.view([1, 1, 1, 128]).expand([1, 1, 128, 128], false).contiguous())
    }
}

/// A method that can't.
#[derive(Debug)]
struct Unable;

impl Explainer for Unable {
    fn needs(&self, _: &Network, _: &Layers) -> ucag_core::Result<Needs> {
        Ok(Needs::default())
    }

    fn explain(&self, _: &Pass<'_>, _: &Layers) -> ucag_core::Result<Tensor> {
        Err(ucag_core::Error::Invalid("layer layer4: no rule here".to_owned()))
    }
}

fn weights(file: &str) -> String {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mini-weights").join(file).display().to_string()
}

/// A plan on [`Drawn`] for a ResNet and a VGG, the second of which has `more`; its method, a signed
/// one, is this explainer.
fn plan(folder: &std::path::Path, more: &str, explainer: Arc<dyn Explainer>) -> anyhow::Result<Plan> {
    let path = folder.join("drawn.toml");
    let model = |name: &str, arch: &str| {
        format!(
            "[[model]]\nname = '{name}'\narch = '{arch}'\nweights = '{}'\n",
            weights(&format!("{arch}.safetensors"))
        )
    };
    let text = format!(
        "[dataset]\nkind = 'mini-imagefolder'\nroot = '{0}/data'\nlimit = 1\n{1}{2}{more}[[method]]\nid = 'lrp'\n\
         [[metric]]\nid = 'deletion'\n[output]\ndir = '{0}/run'\ngallery = 1\n[compute]\nworkers = 2\n",
        folder.display(),
        model("ResNet", "resnet"),
        model("VGG", "vgg"),
    );
    std::fs::write(&path, text)?;
    let mut config = config::load(&path, &Overrides::default())?;
    let borrowed = std::mem::take(&mut config.models[1].classes_from);
    let mut plan = Plan::new(config)?;
    plan.models[1].classes_from = borrowed;
    plan.data[0].dataset = Box::new(Drawn { ids: (0..SAMPLES).map(|i| format!("s{i}")).collect() });
    plan.data[0].samples = SAMPLES;
    let config::Source::Computed(computed) = &mut plan.config.methods[0].source else { panic!("no explainer") };
    computed.explainer = explainer;
    let metrics = ["map", "pixel-accuracy", "mean-iou"].map(|id| metrics::metric(id).unwrap());
    plan.config.metrics = metrics.map(|metric| config::Metric { metric, step: None }).to_vec();
    Ok(plan)
}

fn units(finished: &CompletedRun) -> Vec<Unit> {
    let mut units = Vec::new();
    finished
        .each(|unit| {
            units.push(unit);
            Ok(())
        })
        .unwrap();
    units
}

fn records(finished: &CompletedRun) -> Vec<Record> {
    units(finished).into_iter().flat_map(|unit| unit.outcome.unwrap()).collect()
}

/// The likeliest class of a photo, from the squashed and normalised image.
fn likeliest(arch: &str, index: usize) -> usize {
    let network = Network::load(arch, weights(&format!("{arch}.safetensors")).as_ref()).unwrap();
    let values = datasets::image::preprocess::Preprocess::imagenet(128, 128).apply(&photo(index));
    let image = Tensor::from_slice(&values).view([1, 3, 128, 128]);
    let logits = Pass::new(&network, image, 0, Needs::default()).unwrap().logits().unwrap();
    logits.argmax(1, false).int64_value(&[0]) as usize
}

#[test]
fn a_model_explains_its_own_likeliest_class_or_that_of_another() {
    let own = |arch: &str| (0..SAMPLES).map(|index| likeliest(arch, index)).collect::<Vec<_>>();
    let (resnet, vgg) = (own("resnet"), own("vgg"));
    assert_ne!(resnet, vgg, "photos on which they agree make no test");
    for (more, expected) in [("", &vgg), ("classes_from = 'ResNet'\n", &resnet)] {
        let folder = tempfile::tempdir().unwrap();
        let records = records(&run(&plan(folder.path(), more, Arc::new(Left)).unwrap(), false, true).unwrap());
        let explained = |model: &str| -> Vec<usize> {
            let of = records.iter().filter(|record| record.model == model && record.metric == "map");
            of.map(|record| record.class).collect()
        };
        assert_eq!((&explained("ResNet"), &explained("VGG")), (&resnet, expected));
    }
}

#[test]
fn the_object_is_brought_to_the_inputs_size_by_its_nearest_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), "", Arc::new(Left)).unwrap();
    let records = records(&run(&plan, false, true).unwrap());
    assert_eq!(records.len(), SAMPLES * 2 * 3);
    // Pixel u of the input lies at (u + ½) · 50/128 of the photo: columns 26 to 63 and rows 26 to
    // 76 are in the object; the map is above zero in columns 0 to 62.
    let columns = (0..128).filter(|u| (10..25).contains(&((2 * u + 1) * 50 / 256))).collect::<Vec<u64>>();
    let rows = (0..128).filter(|v| (6..18).contains(&((2 * v + 1) * 30 / 256))).count() as u64;
    assert_eq!((columns[0], *columns.last().unwrap(), rows), (26, 63, 51));
    let (both, object, map) = (37 * rows, 38 * rows, 63 * 128);
    let neither = 128 * 128 - object - map + both;
    for record in records.iter().filter(|record| record.metric == "pixel-accuracy") {
        assert_eq!(record.counts, [[both + neither, 128 * 128]]);
        assert_eq!(record.value, Some((both + neither) as f64 / f64::from(128 * 128)));
    }
    for record in records.iter().filter(|record| record.metric == "mean-iou") {
        let either = object + map - both;
        assert_eq!(record.counts, [[neither, 128 * 128 - both], [both, either]]);
    }
    // The gallery draws the object's border: light within, at the object's first pixel.
    let entries = std::fs::read_dir(folder.path().join("run/gallery")).unwrap().flatten();
    let sheets: Vec<_> = entries.filter(|entry| entry.path().is_file()).collect();
    assert_eq!(sheets.len(), 2, "a sheet for the one image and each model");
    let sheet = image::open(sheets[0].path()).unwrap().to_rgb8();
    // The image stands at (10, 50), twice as large.
    let at = |x: u32, y: u32| *sheet.get_pixel(10 + 2 * x, 50 + 2 * y);
    assert_eq!((at(26, 40), at(25, 40)), (Rgb([255; 3]), Rgb([0; 3])));
}

#[test]
fn a_method_that_fails_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), "", Arc::new(Unable)).unwrap();
    let units = units(&run(&plan, false, false).unwrap());
    assert_eq!(units.len(), 2 * SAMPLES);
    for unit in units {
        assert_eq!(unit.outcome.unwrap_err().error, "layer layer4: no rule here (method 'lrp')");
    }
}

#[test]
fn classes_that_the_data_set_names_are_not_taken_from_another_model() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), "classes_from = 'ResNet'\n", Arc::new(Left)).unwrap();
    let path = &plan.config.path;
    let config = |target: &str| {
        let set = vec![format!("protocol.target={target}")];
        Plan::new(config::load(path, &Overrides { set, ..Overrides::default() }).unwrap())
    };
    let refused = config("label").map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        refused,
        "model 'VGG' is to take its classes from 'ResNet', but data set 'mini-imagefolder' names the classes; \
         leave out 'classes_from', or set target = \"predicted\""
    );
    let described = config("predicted").unwrap().describe().unwrap();
    assert!(described.contains("explains its likeliest class of an image, which takes 1 image more"), "{described}");
    assert!(described.contains("explains ResNet's likeliest class of an image"), "{described}");
}
