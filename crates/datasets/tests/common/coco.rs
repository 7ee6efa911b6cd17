//! Small folders in COCO's layout.

#![allow(dead_code)] // `all`, `bad_bytes` and `real_size` use a part each
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use serde_json::{Value, json};

use crate::common::{Root, blank};

/// The annotation file, below the root.
pub(crate) const FILE: &str = "annotations/instances_val2014.json";

/// An annotation as COCO writes it.
pub(crate) fn annotation(id: u32, image: u32, category: u32, segmentation: Value) -> Value {
    let crowd = u8::from(segmentation.is_object());
    json!({
        "segmentation": segmentation, "area": 4.0, "iscrowd": crowd, "image_id": image, "bbox": [0, 0, 2, 2],
        "category_id": category, "id": id,
    })
}

/// An annotation file of photos 9 and 7, both 8 × 6, and categories 90, 3 and 11.
pub(crate) fn file(annotations: &[Value]) -> String {
    let photo = |id: u32| json!({"license": 1, "file_name": format!("COCO_val2014_{id:012}.jpg"), "height": 6, "width": 8, "id": id});
    json!({
        "info": {"year": 2014}, "licenses": [], "images": [photo(9), photo(7)], "annotations": annotations,
        "categories": [{"id": 90, "name": "ninety"}, {"id": 3, "name": "three"}, {"id": 11, "name": "eleven"}],
    })
    .to_string()
}

/// A folder with [`file`] and its photos.
pub(crate) fn coco(annotations: &[Value]) -> Root {
    coco_of(&file(annotations))
}

/// The same with the whole file given.
pub(crate) fn coco_of(json: &str) -> Root {
    Root::new()
        .file(FILE, json)
        .file("val2014/COCO_val2014_000000000007.jpg", blank(8, 6))
        .file("val2014/COCO_val2014_000000000009.jpg", blank(8, 6))
}
