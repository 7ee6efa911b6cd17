//! Small folders in VOC's layout.

#![allow(dead_code)] // `all`, `bad_bytes` and `real_size` use a part each
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use crate::common::{Root, blank};

/// An annotation's XML; `objects` is what [`object`] gives, one after the other.
pub(crate) fn xml(width: u32, height: u32, objects: &str) -> String {
    format!(
        "<annotation>\n\t<folder>VOC2007</folder>\n\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\
         \t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n{objects}</annotation>\n"
    )
}

/// An object; `corners` are xmin, ymin, xmax, ymax.
pub(crate) fn object(name: &str, difficult: u8, corners: [&str; 4]) -> String {
    let [xmin, ymin, xmax, ymax] = corners;
    format!(
        "\t<object>\n\t\t<name>{name}</name>\n\t\t<pose>Left</pose>\n\t\t<difficult>{difficult}</difficult>\n\t\t<bndbox>\
         <xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>\n\t</object>\n"
    )
}

/// A folder whose photos all are `width` × `height`, named 000001 and so on, each with the objects
/// given.
pub(crate) fn voc(width: u32, height: u32, photos: &[&str]) -> Root {
    let xmls: Vec<String> = photos.iter().map(|objects| xml(width, height, objects)).collect();
    voc_of_xml(width, height, &xmls.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The same with the whole annotations given.
pub(crate) fn voc_of_xml(width: u32, height: u32, xmls: &[&str]) -> Root {
    let mut root = Root::new();
    let mut list = String::new();
    for (xml, number) in xmls.iter().zip(1..) {
        root = root
            .file(&format!("JPEGImages/{number:06}.jpg"), blank(width, height))
            .file(&format!("Annotations/{number:06}.xml"), xml);
        list += &format!("{number:06}\n");
    }
    root.file("ImageSets/Main/test.txt", list)
}
