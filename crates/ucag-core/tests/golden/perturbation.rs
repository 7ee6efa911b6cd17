//! RISE and extremal perturbation. Random numbers aren't the references': what is made of given ones is compared.

use tch::{Device, Kind, Tensor};
use ucag_core::Result;
use ucag_core::explain::rise::Form;
use ucag_core::explain::rise::masks::Stretch;

use crate::support::{Entry, Golden};

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
