//! One bad image among many, in ImageNet's layout.

use image::{Rgb, RgbImage};

use super::victim::{assert_same, journal, units};
use crate::lab::{TestRun, text, weights};

const IMAGES: u32 = 1000;
/// The one that is cut short, as by a download that broke off.
const BAD: u32 = 617;

/// Ten folders of a hundred small photos of noise.
fn photos(lab: &TestRun) {
    let class = |number: u32| format!("n{number:08}");
    for folder in 0..10 {
        std::fs::create_dir_all(lab.path("photos/val").join(class(folder))).unwrap();
    }
    lab.write(
        "photos/classes.txt",
        &(0..10).map(|number| format!("{}\tclass {number}\n", class(number))).collect::<String>(),
    );
    for number in 0..IMAGES {
        let hash = |x: u32, y: u32| (x * 73 + y * 151 + number * 199).wrapping_mul(2_654_435_761) >> 8;
        let photo = RgbImage::from_fn(12, 12, |x, y| Rgb(hash(x, y).to_le_bytes()[..3].try_into().unwrap()));
        let path = lab.path("photos/val").join(class(number / 100)).join(format!("photo_{number:04}.png"));
        photo.save(&path).unwrap();
        if number == BAD {
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
}

#[test]
fn one_bad_image_in_a_thousand_costs_that_image() {
    let config = format!(
        "[dataset]\nkind = 'imagenet'\nroot = 'photos'\n\
         [[model]]\nname = 'A'\narch = 'resnet'\nweights = '{}'\ninput_size = 32\n\
         [[method]]\nid = 'random'\n[[metric]]\nid = 'positive-map-density'\n[output]\nresamples = 50\ngallery = 0\n",
        weights("resnet.safetensors")
    );
    let lab = TestRun::with(&config, &[]);
    photos(&lab);
    let bad = format!("photo_{BAD:04}");
    let output = lab.run(3, &["small.toml", "--out", "run"]);
    assert!(text(&output.stderr).contains(&bad), "{}", text(&output.stderr));
    let failures = lab.read("run", "failures.csv");
    let lines: Vec<_> = failures.lines().collect();
    assert!(lines.len() == 2 && lines[1].contains(&format!("{bad}.png")), "{failures}");
    let samples = lab.read("run", "samples.csv");
    assert_eq!(samples.lines().count(), IMAGES as usize, "a head and a line for each of the others");
    assert!(!samples.contains(&bad));

    let said = text(&lab.run(1, &["small.toml", "--out", "strict", "--workers", "1", "--strict"]).stderr);
    assert!(said.contains(&bad) && said.contains("(--strict stops at the first failure)"), "{said}");
    let kept = journal(&lab, "strict");
    assert_eq!(units(&kept).0, (0..u64::from(BAD)).collect(), "all before it are kept");
    assert!(!lab.path("strict/samples.csv").exists(), "no table of a part");
    lab.run(3, &["small.toml", "--out", "strict"]);
    assert!(journal(&lab, "strict").starts_with(&kept));
    assert_same(&lab, "run", "strict");
}
