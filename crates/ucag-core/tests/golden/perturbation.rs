//! RISE and extremal perturbation. Random numbers aren't the references': what is made of given
//! ones is compared.

use tch::{Device, Kind, Tensor};
use ucag_core::Result;
use ucag_core::explain::perturbation::extremal::mask::MaskGenerator;
use ucag_core::explain::perturbation::extremal::perturbation::{Perturbation, Pyramid};
use ucag_core::explain::perturbation::extremal::search::Search;
use ucag_core::explain::perturbation::rise::Form;
use ucag_core::explain::perturbation::rise::masks::Stretch;
use ucag_core::image_ops::{Border, gaussian_blur};

use crate::support::{Entry, Golden, close};

/// Masks and maps: keys are `INPUT/masks_FORM` and `NET/INPUT/rise/FORM`.
pub(crate) fn rise_check(golden: &Golden, entry: &Entry) -> Result<Option<Tensor>> {
    let parts: Vec<&str> = entry.key.split('/').collect();
    let given = |input: &str, what: &str| golden.tensor("rise", &format!("{input}/{what}"));
    match parts[..] {
        [input, what] => {
            let form = if what.contains("official") { Form::Authors } else { Form::TorchRay };
            let reference = golden.tensor("rise", &entry.key).size();
            let (grids, shifts) = (given(input, "grid"), given(input, "shift"));
            let cells = grids.size()[1] as usize;
            let stretch = Stretch::new(form, cells, [reference[1], reference[2]], Kind::Float, Device::Cpu)?;
            let first = |x: Tensor| x.narrow(0, 0, reference[0]);
            Ok(Some(stretch.masks(&first(grids), &first(shifts))?.squeeze_dim(1)))
        }
        [net, input, "rise", form] => {
            let form = if form == "official" { Form::Authors } else { Form::TorchRay };
            let network = golden.network(net, false);
            let view = golden.tensor(&format!("in_{net}"), &format!("{input}/input")).unsqueeze(0);
            let masks = given(input, "masks_torchray").unsqueeze(1);
            let class = entry.class.expect("a map has a class");
            let sum = form.weighted(&network, &view, &masks, &[class])?;
            Ok(Some(sum * form.share(masks.size()[0] as usize, 0.5)))
        }
        _ => Ok(None),
    }
}

/// The parts of extremal perturbation, and searches of some iterations, of resnet50's x64: keys are
/// `PART/what`.
pub(crate) fn extremal_check(golden: &Golden, entry: &Entry) -> Result<Option<Tensor>> {
    let image = golden.tensor("in_resnet50", "x64/input").unsqueeze(0);
    let size = [image.size()[2], image.size()[3]];
    let given = |key: &str| golden.tensor("extremal", key).unsqueeze(0);
    let (part, what) = entry.key.split_once('/').expect("a key has two parts");
    let perturbation = if part.ends_with("blur") { Perturbation::Blur } else { Perturbation::Fade };
    if let Some(iterations) = part.strip_prefix("iter") {
        let iterations = iterations.parse().expect("a number of iterations");
        let search = Search { areas: vec![0.12], iterations, perturbation: Perturbation::Fade, step: 4, sigma: 8 };
        let found = search.run(&golden.network("resnet50", false), &image, entry.class.expect("a class"))?;
        let area = |masks: &Tensor| masks.mean(Kind::Float).view([1]);
        let reference = given(&format!("{part}/mask"));
        let flat = [found.masks.flatten(0, -1), reference.flatten(0, -1)];
        let correlation = Tensor::stack(&flat, 0).corrcoef().double_value(&[0, 1]);
        assert!(correlation > 0.7, "{part}: the masks' correlation is {correlation}");
        close(&area(&found.masks), &area(&reference), 0.15).expect("the masks' areas");
        return Ok(match what {
            "mask" => Some(found.masks),
            "history" => Some(Tensor::cat(&[found.rewards, found.area_terms], 0)),
            "area" => Some(area(&found.masks)),
            _ => None,
        });
    }
    Ok(match (part, what) {
        ("pyramid_blur" | "pyramid_fade", "levels_0_3_6") => {
            Some(Pyramid::new(&image, perturbation)?.levels().index_select(0, &Tensor::from_slice(&[0i64, 3, 6])))
        }
        ("apply_blur" | "apply_fade", "result") => {
            Some(Pyramid::new(&image, perturbation)?.apply(&given(&format!("{part}/mask")))?.images)
        }
        ("imsmooth_sigma5", "result") => Some(gaussian_blur(&image, 41, 5.0, Border::Zero)?),
        ("mask_generator", _) => {
            let generator = MaskGenerator::new(size, 4, 8, Kind::Float, Device::Cpu)?;
            let full = generator.full(&given("mask_generator/parameter"))?;
            Some(if what == "cropped" { generator.crop(&full)? } else { full })
        }
        _ => None,
    })
}
