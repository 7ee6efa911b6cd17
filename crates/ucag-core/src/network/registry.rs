//! Every architecture family, and the names by which configs call them.

use super::{Family, densenet, efficientnet_lite, inception, resnet, squeezenet, vgg};
use crate::suggest::nearest;
use crate::{Error, Result};

/// Every family. To add one: a file with a `FAMILY`, and its line here.
pub static FAMILIES: &[&Family] = &[
    &vgg::FAMILY,
    &resnet::FAMILY,
    &densenet::FAMILY,
    &efficientnet_lite::FAMILY,
    &inception::FAMILY,
    &squeezenet::FAMILY,
];

/// Returns the family that `arch` names: an id (`resnet`), or a member (`resnet50`), which the
/// checkpoint is then checked against.
///
/// # Errors
/// [`Error::Unknown`] with the nearest name.
pub fn family(arch: &str) -> Result<&'static Family> {
    const MEMBERS: &[(&str, &str)] = &[("wide_resnet", "resnet"), ("resnext", "resnet")];
    let named = |id: &str| FAMILIES.iter().copied().find(|family| family.id == id);
    let member = || {
        let by_alias = MEMBERS.iter().find(|(prefix, _)| arch.starts_with(prefix)).and_then(|(_, id)| named(id));
        let digits = |family: &&&Family| {
            arch.strip_prefix(family.id).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        by_alias.or_else(|| FAMILIES.iter().find(digits).copied())
    };
    named(arch).or_else(member).ok_or_else(|| Error::Unknown {
        what: "arch",
        name: arch.to_owned(),
        suggestion: nearest(arch, FAMILIES.iter().map(|family| family.id)),
    })
}
