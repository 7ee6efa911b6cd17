//! The samples that are explained and scored: a sample as a model sees it, and the rows of the
//! table that are made of it.

use std::cell::OnceCell;

use anyhow::Result;
use datasets::{Mask, Object, Region, Sample};
use tch::Tensor;
use ucag_core::postprocess::{Saliency, saliency};

use crate::config;
use crate::plan::dataset::Data;
use crate::plan::{Model, SampleIndex};
use crate::records::Record;
use crate::run::input::Input;
use metrics::Resolution;

/// A sample as a model sees it.
pub(crate) struct SampleContext<'a> {
    pub(crate) data: &'a Data,
    /// The sample's index in the data set.
    pub(crate) index: SampleIndex,
    pub(crate) sample: &'a Sample,
    pub(crate) model: &'a Model,
    pub(crate) input: &'a Input,
    /// The sample's object at the input's size.
    pub(crate) object: Option<Object>,
}

impl SampleContext<'_> {
    /// Height and width of the input, or of the original image.
    pub(crate) fn size(&self, frame: Resolution) -> [i64; 2] {
        match frame {
            Resolution::NetworkInput => {
                let size = self.input.image.size();
                [size[2], size[3]]
            }
            Resolution::Original => {
                let (width, height) = self.sample.image.dimensions();
                [i64::from(height), i64::from(width)]
            }
        }
    }

    /// The region of a class in the original image.
    pub(crate) fn region(&self, class: usize) -> Option<&Region> {
        self.sample.regions.iter().find(|region| region.class == class)
    }
}

/// A row of the table, for one class of the subject.
pub(crate) struct RawMap<'a> {
    pub(crate) method: &'a config::Method,
    pub(crate) variant: &'a config::Variant,
    pub(crate) raw: Tensor,
    /// As metrics see it: at the input's size, and at the original image's.
    seen: [OnceCell<Saliency>; 2],
}

impl<'a> RawMap<'a> {
    pub(crate) fn new(method: &'a config::Method, variant: &'a config::Variant, raw: Tensor) -> Self {
        Self { method, variant, raw, seen: Default::default() }
    }

    /// Returns whether a record of the subject is of this row.
    pub(crate) fn is_of(&self, record: &Record) -> bool {
        let config::Variant { ucag, ref name, .. } = *self.variant;
        record.method == self.method.id && record.ucag == ucag && record.variant == *name
    }

    pub(crate) fn saliency(&self, frame: Resolution, of: &SampleContext<'_>) -> Result<&Saliency> {
        let cell = &self.seen[frame as usize];
        if let Some(seen) = cell.get() {
            return Ok(seen);
        }
        let config::Variant { ucag, ref protocol, .. } = *self.variant;
        let made = saliency(&self.raw, self.method.map_kind, of.size(frame), ucag, &protocol.maps)?;
        Ok(cell.get_or_init(|| made))
    }
}

/// A mask as metrics see it.
pub(crate) fn mask(mask: &Mask) -> metrics::Mask<'_> {
    metrics::Mask { pixels: &mask.pixels, width: mask.width as usize }
}

/// An object as metrics see it.
pub(crate) fn object(object: &Object) -> metrics::Object<'_> {
    metrics::Object { mask: mask(&object.mask), void: object.void.as_ref().map(|void| &void.pixels[..]) }
}

/// A region as metrics see it.
pub(crate) fn region(region: &Region) -> metrics::Region<'_> {
    metrics::Region { mask: mask(&region.mask), all_difficult: region.all_difficult }
}
