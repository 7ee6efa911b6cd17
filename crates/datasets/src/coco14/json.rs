//! The annotation file as it is written, read as a stream: of its hundreds of megabytes only what
//! is named here is kept.
//!
//! Missing ids, names and sizes are found here, and are errors of the whole file;
//! everything else is checked when the index is made.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::{Error, Result};

use super::loose::{Loose, Numbers};
use super::python::Python;

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 18;

/// The parts of the file that are kept, each `None` where its key is absent.
#[derive(serde::Deserialize)]
#[serde(expecting = "an object with the keys images, annotations and categories")]
pub(super) struct Json {
    pub(super) images: Option<Elements<Image>>,
    pub(super) annotations: Option<Elements<Annotation>>,
    pub(super) categories: Option<Elements<Category>>,
}

/// A photo.
#[derive(serde::Deserialize)]
#[serde(try_from = "RawImage")]
pub(super) struct Image {
    pub(super) id: i64,
    pub(super) file_name: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct RawImage {
    id: Loose,
    file_name: Loose,
    width: Loose,
    height: Loose,
}

impl TryFrom<RawImage> for Image {
    type Error = String;

    fn try_from(raw: RawImage) -> Checked<Self> {
        let id = id(&raw.id, "id")?;
        let of = |problem: String| format!("{problem} (image {id})");
        let side = |value: &Loose, key: &str| {
            let side = value.whole().and_then(|side| u32::try_from(side).ok());
            side.ok_or_else(|| of(value.refuse(key, "a number of pixels")))
        };
        let (width, height) = (side(&raw.width, "width")?, side(&raw.height, "height")?);
        match raw.file_name {
            Loose::Text(file_name) => Ok(Self { id, file_name, width, height }),
            other => Err(of(other.refuse("file_name", "a text"))),
        }
    }
}

/// A class.
#[derive(serde::Deserialize)]
#[serde(try_from = "RawCategory")]
pub(super) struct Category {
    pub(super) id: i64,
    pub(super) name: String,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct RawCategory {
    id: Loose,
    name: Loose,
}

impl TryFrom<RawCategory> for Category {
    type Error = String;

    fn try_from(raw: RawCategory) -> Checked<Self> {
        let id = id(&raw.id, "id")?;
        match raw.name {
            Loose::Text(name) => Ok(Self { id, name }),
            Loose::Whole(name) => Ok(Self { id, name: name.to_string() }),
            other => Err(format!("{} (category {id})", other.refuse("name", "a text"))),
        }
    }
}

/// An object or a crowd.
#[derive(serde::Deserialize)]
#[serde(try_from = "RawAnnotation")]
pub(super) struct Annotation {
    pub(super) id: i64,
    pub(super) image_id: i64,
    pub(super) category_id: i64,
    /// Left, top, width and height, or something else.
    pub(super) bbox: Numbers,
    pub(super) segmentation: Segmentation,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct RawAnnotation {
    id: Loose,
    image_id: Loose,
    category_id: Loose,
    bbox: Numbers,
    segmentation: Segmentation,
}

impl TryFrom<RawAnnotation> for Annotation {
    type Error = String;

    fn try_from(raw: RawAnnotation) -> Checked<Self> {
        let own = id(&raw.id, "id")?;
        let of = |problem: String| format!("{problem} (annotation {own})");
        let image_id = id(&raw.image_id, "image_id").map_err(of)?;
        let category_id = id(&raw.category_id, "category_id").map_err(of)?;
        Ok(Self { id: own, image_id, category_id, bbox: raw.bbox, segmentation: raw.segmentation })
    }
}

/// A result whose error doesn't name the element's place.
type Checked<T> = std::result::Result<T, String>;

fn id(value: &Loose, key: &str) -> Checked<i64> {
    value.whole().ok_or_else(|| value.refuse(key, "a whole number"))
}

/// A mask in one of its spellings.
pub(super) enum Segmentation {
    /// Corners of polygons: `x, y, x, y, …` in pixels.
    Polygons(Vec<Numbers>),
    /// Run lengths.
    Runs(Runs),
    /// Neither.
    Other(Loose),
}

impl Default for Segmentation {
    fn default() -> Self {
        Self::Other(Loose::Absent)
    }
}

/// Run lengths of a mask of `size` (height, width), as numbers or as COCO's text of differences.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Runs {
    pub(super) size: Numbers,
    pub(super) counts: Numbers,
}

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Json> {
    let file = File::open(path).map_err(Error::io(path))?;
    serde_json::from_reader(BufReader::with_capacity(BUFFER, Python::new(file))).map_err(|error| {
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

/// A list whose errors say which of its elements they are in: the file is one line, so a column
/// alone helps nobody.
pub(super) struct Elements<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Elements<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Each<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<T> {
            type Value = Elements<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "the list of {}s", kind::<T>())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                loop {
                    let element = list.next_element::<Keyed<T>>().map_err(|error| {
                        de::Error::custom(format_args!("{} number {}: {error}", kind::<T>(), elements.len() + 1))
                    })?;
                    match element {
                        Some(Keyed(element)) => elements.push(element),
                        None => return Ok(Elements(elements)),
                    }
                }
            }
        }
        deserializer.deserialize_seq(Each(PhantomData))
    }
}

/// Returns the name of an element of a list: `annotation` for [`Annotation`].
fn kind<T>() -> String {
    std::any::type_name::<T>().rsplit("::").next().unwrap_or_default().to_lowercase()
}

/// An element that is an object with keys, and not a list in whose order they would be guessed.
struct Keyed<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = Keyed<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "an object with the keys of an {}", kind::<T>())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Self::Value, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(map)).map(Keyed)
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Segmentation;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mask")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<Self::Value, A::Error> {
                Deserialize::deserialize(de::value::SeqAccessDeserializer::new(list)).map(Segmentation::Polygons)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Self::Value, A::Error> {
                Deserialize::deserialize(de::value::MapAccessDeserializer::new(map)).map(Segmentation::Runs)
            }

            fn visit_unit<E: de::Error>(self) -> std::result::Result<Self::Value, E> {
                Ok(Segmentation::Other(Loose::Null))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> std::result::Result<Self::Value, E> {
                Ok(Segmentation::Other(Loose::Bool(value)))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<Self::Value, E> {
                Ok(Segmentation::Other(Loose::Whole(value)))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<Self::Value, E> {
                Ok(Segmentation::Other(Loose::Fraction(value as f64)))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<Self::Value, E> {
                Ok(Segmentation::Other(Loose::Fraction(value)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Self::Value, E> {
                Ok(Segmentation::Other(Loose::Text(text.into())))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
