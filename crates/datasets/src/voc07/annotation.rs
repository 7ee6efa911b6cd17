//! One XML file of PASCAL VOC: the annotation of one photo.

use std::path::Path;

use quick_xml::events::Event;
use serde::Deserialize;

use crate::index::classes::ClassList;

/// Larger files are no annotation of a photo; the largest of VOC 2007 test are a few KiB.
const MAX_FILE: u64 = 4 << 20;
/// Names at least this similar are proposed for an unknown one (Jaro-Winkler, 0 to 1).
const SIMILAR: f64 = 0.8;

/// The note on a box that starts at 0.
pub(super) const FROM_ZERO: &str = "; VOC counts pixels from 1, and this data set may count from 0";

/// A photo's size and its objects.
#[derive(Debug)]
pub(super) struct Annotation {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) objects: Vec<Object>,
}

/// An object's class and box; corners are pixels from 1 and belong to the box.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) class: usize,
    pub(super) difficult: bool,
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) right: u32,
    pub(super) bottom: u32,
}

impl Object {
    /// In pixels.
    pub(super) fn area(&self) -> f64 {
        f64::from(self.right - self.left + 1) * f64::from(self.bottom - self.top + 1)
    }
}

// Elements that are not named here are left out, such as the `part`s of a person, which have names
// and boxes of their own.
#[derive(Deserialize)]
struct XmlAnnotation {
    size: Option<XmlSize>,
    #[serde(default, rename = "object")]
    objects: Vec<XmlObject>,
}

#[derive(Deserialize)]
struct XmlSize {
    width: Option<String>,
    height: Option<String>,
}

#[derive(Deserialize)]
struct XmlObject {
    name: Option<String>,
    difficult: Option<String>,
    bndbox: Option<XmlBox>,
}

#[derive(Deserialize)]
struct XmlBox {
    xmin: Option<String>,
    ymin: Option<String>,
    xmax: Option<String>,
    ymax: Option<String>,
}

type Checked<T> = std::result::Result<T, String>;

/// Reads the file at `path`; what is wrong with it is said without its path.
pub(super) fn read(path: &Path, classes: &ClassList) -> Checked<Annotation> {
    let size = std::fs::metadata(path).map_err(|error| format!("can't be read ({error})"))?.len();
    if size > MAX_FILE {
        return Err(format!("is larger than the {} MiB that are read of an annotation", MAX_FILE >> 20));
    }
    let text = crate::index::text::read(path).map_err(|error| format!("can't be read ({error})"))?;
    parse(&text, classes)
}

fn parse(text: &str, classes: &ClassList) -> Checked<Annotation> {
    well_formed(text)?;
    let xml: XmlAnnotation =
        quick_xml::de::from_str(text).map_err(|error| format!("is not an annotation of PASCAL VOC ({error})"))?;
    let size = xml.size.ok_or("has no <size>")?;
    let side = |value: Option<String>, key: &str| {
        let value = number(value, key)?;
        u32::try_from(value)
            .ok()
            .filter(|&side| side > 0)
            .ok_or_else(|| format!("<{key}> is {value}, not a size in pixels"))
    };
    let (width, height) = (side(size.width, "width")?, side(size.height, "height")?);
    let objects = xml.objects.into_iter().zip(1..).map(|(xml, position)| {
        let name = xml.name.clone().unwrap_or_default();
        object(xml, (width, height), classes)
            .map_err(|problem| format!("object {position} `{}` {problem}", name.trim()))
    });
    Ok(Annotation { width, height, objects: objects.collect::<Checked<_>>()? })
}

/// The deserialiser doesn't say where a file is broken, and takes any root element; this does, and
/// doesn't.
fn well_formed(text: &str) -> Checked<()> {
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut depth, mut roots) = (0_usize, 0_usize);
    let broken = |position: u64, problem: &str| {
        let position = usize::try_from(position).unwrap_or(text.len()).min(text.len());
        let line = text.as_bytes()[..position].iter().filter(|&&byte| byte == b'\n').count() + 1;
        format!("is not well-formed XML (line {line}: {problem})")
    };
    loop {
        let event = reader.read_event().map_err(|error| broken(reader.error_position(), &error.to_string()))?;
        match event {
            Event::Start(tag) | Event::Empty(tag) if depth == 0 && tag.name().as_ref() != b"annotation" => {
                let found = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
                return Err(format!("is not an annotation of PASCAL VOC (expected <annotation>, found <{found}>)"));
            }
            Event::Start(_) => {
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Event::Empty(_) => roots += usize::from(depth == 0),
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof if depth > 0 => {
                return Err(broken(text.len() as u64, "it ends before the last element is closed; is it cut short?"));
            }
            Event::Eof if roots == 0 => {
                return Err("is not an annotation of PASCAL VOC (expected <annotation>, found no element)".into());
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn object(xml: XmlObject, (width, height): (u32, u32), classes: &ClassList) -> Checked<Object> {
    let name = xml.name.ok_or("has no <name>")?;
    let class = classes.index_of(name.trim()).ok_or_else(|| unknown_class(name.trim(), classes))?;
    let difficult = match xml.difficult.as_deref().map(str::trim) {
        None | Some("0") => false,
        Some("1") => true,
        Some(other) => return Err(format!("has <difficult> {other:?}; expected 0 or 1")),
    };
    let corners = xml.bndbox.ok_or("has no <bndbox>")?;
    let (left, right) = (number(corners.xmin, "xmin")?, number(corners.xmax, "xmax")?);
    let (top, bottom) = (number(corners.ymin, "ymin")?, number(corners.ymax, "ymax")?);
    if left > right || top > bottom {
        return Err(format!(
            "has the box ({left}, {top}) to ({right}, {bottom}), whose corners are the wrong way round"
        ));
    }
    let within = |value: i64, side: u32| u32::try_from(value).ok().filter(|value| (1..=side).contains(value));
    let inside = || {
        let (left, right) = (within(left, width)?, within(right, width)?);
        let (top, bottom) = (within(top, height)?, within(bottom, height)?);
        Some(Object { class, difficult, left, top, right, bottom })
    };
    inside().ok_or_else(|| {
        let hint = if left.min(top) == 0 { FROM_ZERO } else { "" };
        format!(
            "has the box ({left}, {top}) to ({right}, {bottom}), which is not within the photo's (1, 1) to ({width}, {height}){hint}"
        )
    })
}

/// Some files write `45.70`; the fraction is cut off, as `int(float(…))` does.
fn number(value: Option<String>, key: &str) -> Checked<i64> {
    let value = value.ok_or_else(|| format!("has no <{key}>"))?;
    let number = value.trim().parse::<f64>().ok().filter(|number| number.abs() < 1e9);
    number
        .map(|number| number as i64)
        .ok_or_else(|| format!("has <{key}> {:?}; expected a number of pixels", value.trim()))
}

fn unknown_class(name: &str, classes: &ClassList) -> String {
    let similar = |known: &String| (strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase()), known.clone());
    let nearest = classes.folders().iter().map(similar).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = nearest.filter(|(score, _)| *score >= SIMILAR).map(|(_, known)| format!("; is it `{known}`?"));
    format!("is not one of the {} classes{}", classes.len(), hint.unwrap_or_default())
}
