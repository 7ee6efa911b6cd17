//! The annotation file as it is written, read as a stream: of its hundreds of megabytes only what is named here is kept.
//!
//! What JSON's types tell apart is checked here, everything else when the index is made: an error here is one of the whole file.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{Error, Result};

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 18;

/// The parts of the file that are kept, each `None` where its key is absent.
#[derive(serde::Deserialize)]
pub(super) struct Json {
    pub(super) images: Option<Elements<Image>>,
    pub(super) annotations: Option<Elements<Annotation>>,
    pub(super) categories: Option<Elements<Category>>,
}

/// A photo.
#[derive(serde::Deserialize)]
pub(super) struct Image {
    pub(super) id: i64,
    pub(super) file_name: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A class.
#[derive(serde::Deserialize)]
pub(super) struct Category {
    pub(super) id: i64,
    pub(super) name: String,
}

/// An object or a crowd.
#[derive(serde::Deserialize)]
pub(super) struct Annotation {
    pub(super) id: i64,
    pub(super) image_id: i64,
    pub(super) category_id: i64,
    /// Left, top, width and height, or something else.
    pub(super) bbox: Option<Box<[f64]>>,
    pub(super) segmentation: Option<Segmentation>,
}

/// A mask in one of its spellings.
pub(super) enum Segmentation {
    /// Corners of polygons: `x, y, x, y, …` in pixels.
    Polygons(Box<[Box<[f64]>]>),
    /// Run lengths of a mask of `size` (height, width).
    Runs { size: Box<[i64]>, counts: Counts },
}

/// Run lengths in one of their spellings.
pub(super) enum Counts {
    /// As numbers.
    Plain(Box<[i64]>),
    /// As COCO's text of differences.
    Text(String),
}

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Json> {
    let file = File::open(path).map_err(Error::io(path))?;
    serde_json::from_reader(BufReader::with_capacity(BUFFER, file)).map_err(|error| {
        let problem = if error.is_io() {
            format!("can't be read: {error}")
        } else if error.to_string().contains("EOF while parsing") {
            // `is_eof` doesn't know it where the place in the list has been put in front.
            format!("ends in the middle ({error}); is the file complete?")
        } else {
            format!("is not COCO's annotation file of instances: {error}")
        };
        Error::layout(path, problem)
    })
}

/// A list whose errors say which of its elements they are in: the file is one line, so a column alone helps nobody.
pub(super) struct Elements<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Elements<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Each<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<T> {
            type Value = Elements<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default().to_lowercase();
                loop {
                    let element = list.next_element().map_err(|error| {
                        de::Error::custom(format_args!("{kind} number {}: {error}", elements.len() + 1))
                    })?;
                    match element {
                        Some(element) => elements.push(element),
                        None => return Ok(Elements(elements)),
                    }
                }
            }
        }
        deserializer.deserialize_seq(Each(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Segmentation;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of polygons or run lengths with `size` and `counts`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<Self::Value, A::Error> {
                Deserialize::deserialize(de::value::SeqAccessDeserializer::new(list)).map(Segmentation::Polygons)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let (mut size, mut counts) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "size" => size = Some(map.next_value()?),
                        "counts" => counts = Some(map.next_value()?),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                let size = size.ok_or_else(|| de::Error::missing_field("size"))?;
                Ok(Segmentation::Runs { size, counts: counts.ok_or_else(|| de::Error::missing_field("counts"))? })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Counts;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("run lengths as a list of numbers or a text")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<Self::Value, A::Error> {
                Deserialize::deserialize(de::value::SeqAccessDeserializer::new(list)).map(Counts::Plain)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Self::Value, E> {
                Ok(Counts::Text(text.into()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
