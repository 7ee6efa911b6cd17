//! COCO: the annotation file, and run lengths by themselves.

use serde_json::{Value, json};

use super::stage::{Stage, blank};
use crate::{Target, nothing};

const FILE: &str = "annotations/instances_val2014.json";

/// The whole file.
pub(super) static ANNOTATIONS: Target = Target {
    name: "coco",
    seeds: || {
        let polygon = json!([[0, 0, 2.5, 0, 2, 2, 0, 2], [4, 4, 6, 4, 5, 5.5]]);
        let runs = json!({"size": [6, 8], "counts": [36, 2, 9, 1]});
        let text = json!({"size": [6, 8], "counts": "T129O"});
        let python = file(std::slice::from_ref(&polygon))
            .replace("\"area\":4.0", "\"area\":NaN")
            .replace("\"id\":7", "\"id\":\"7\"");
        let python = format!("\u{feff}{}", python.replace("\"width\":8", "\"width\":8.0"));
        vec![file(&[polygon.clone(), runs, text]).into(), file(&[polygon]).into(), file(&[]).into(), python.into()]
    },
    words: &[
        "\"id\":",
        "\"segmentation\":",
        "\"counts\":\"T129O\"",
        "\"size\":[6,8]",
        "null",
        "NaN",
        "-Infinity",
        "\"7\"",
        "7.0",
        "\u{feff}",
        "true",
        "[]",
        "{}",
        "\"\\ud800\"",
        "\"bbox\":[0,0,2,2],",
        "\"image_id\":7,",
        "\"width\":8,",
        "4194304,-4194304,",
        "\"~~~~~~~~~~~~\"",
        "\"oooooooooooo0\"",
    ],
    mend: nothing,
    growth: 200, // a list in a list is three bytes in the file
    parse,
};

/// Run lengths as COCO's text, which takes any letter.
pub(super) static RUNS: Target = Target {
    name: "coco-runs",
    seeds: || vec![b"T129O".to_vec()],
    words: &["o", "oooooooooooo", "0", "P", "~", "`", "O", "T1", "W1o1"],
    mend: nothing,
    growth: 200,
    parse: |bytes| {
        let counts = String::from_utf8_lossy(bytes);
        parse(file(&[json!({"size": [6, 8], "counts": counts})]).as_bytes())
    },
};

fn file(masks: &[Value]) -> String {
    let photo = |id: u32| json!({"file_name": format!("COCO_val2014_{id:012}.jpg"), "height": 6, "width": 8, "id": id});
    let annotation = |(id, mask): (u32, &Value)| {
        let (image, category) = ([7, 9][id as usize % 2], [3, 90, 11][id as usize % 3]);
        json!({
            "segmentation": mask, "area": 4.0, "iscrowd": 0, "image_id": image, "bbox": [0, 0, 2, 2], "category_id": category, "id": id,
        })
    };
    let annotations: Vec<Value> = (1..).zip(masks).map(annotation).collect();
    json!({
        "info": {"year": 2014}, "images": [photo(9), photo(7)], "annotations": annotations,
        "categories": [{"id": 90, "name": "ninety"}, {"id": 3, "name": "three"}, {"id": 11, "name": "eleven"}],
    })
    .to_string()
}

fn parse(bytes: &[u8]) -> Result<(), String> {
    thread_local! {
        static STAGE: Stage = Stage::new()
            .with("val2014/COCO_val2014_000000000007.jpg", blank(8, 6))
            .with("val2014/COCO_val2014_000000000009.jpg", blank(8, 6));
    }
    STAGE.with(|stage| {
        stage.write(FILE, bytes);
        stage.load("coco14-val", FILE)
    })
}
