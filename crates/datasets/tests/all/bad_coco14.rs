//! Messages to the user of a COCO folder where files are missing or don't fit.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use crate::coco::{self, FILE, annotation, coco, coco_of, file};
use crate::common::{Root, blank};
use serde_json::{Value, json};

const KIND: &str = "coco14-val";

fn square() -> Value {
    json!([[0, 0, 2, 0, 2, 2, 0, 2]])
}

/// The message of opening a folder with this annotation file, which it must start with.
#[track_caller]
fn whole(json: &str) -> String {
    let message = coco_of(json).error_as(KIND);
    message.strip_prefix(&format!("ROOT/{FILE}: ")).unwrap_or_else(|| panic!("{message}")).to_owned()
}

/// The message of opening the usual folder whose file is changed by `change`.
#[track_caller]
fn changed(change: impl Fn(&mut Value)) -> String {
    let mut json: Value = serde_json::from_str(&file(&[annotation(5, 7, 3, square())])).unwrap();
    change(&mut json);
    whole(&json.to_string())
}

/// The message that photo 7 gives for this annotation; photo 9 must load, and the remarks must
/// tell.
#[track_caller]
fn photo(annotation: Value) -> String {
    let root = coco(&[coco::annotation(4, 7, 3, square()), annotation, coco::annotation(6, 9, 3, square())]);
    let dataset = root.open_as(KIND).unwrap();
    assert_eq!(dataset.load(1).unwrap().labels, [0]);
    let message = root.in_root(&dataset.load(0).unwrap_err());
    let problem = message.strip_prefix(&format!("ROOT/{FILE}: ")).unwrap_or_else(|| panic!("{message}"));
    let remark = format!("1 of 2 photos have annotations that can't be used, and fail; the first: {problem}");
    assert_eq!(dataset.remarks()[1..], [remark]);
    problem.to_owned()
}

/// The same for an annotation 5 with this segmentation.
#[track_caller]
fn mask(segmentation: Value) -> String {
    photo(annotation(5, 7, 3, segmentation))
}

#[test]
fn missing_root_says_layout_and_source() {
    let error = Root::new().error_as(KIND);
    for part in
        ["not found:\n  ROOT/annotations/instances_val2014.json\n  ROOT/val2014\n", "expected layout:", "val2014.zip"]
    {
        assert!(error.contains(part), "no {part:?} in:\n{error}");
    }
    let error = Root::new().file("annotations/instances_val2017.json", "").error_as(KIND);
    assert!(error.starts_with("not found:\n  ROOT/val2017\nexpected"), "{error}");
}

#[test]
fn json_that_is_cut_short() {
    let text = file(&[annotation(5, 7, 3, square()), annotation(6, 7, 3, square())]);
    for length in [1, text.len() / 4, text.len() / 2, text.len() - 1] {
        let message = whole(&text[..length]);
        assert!(
            message.starts_with("ends in the middle (") && message.ends_with("; is the file complete?"),
            "{message}"
        );
    }
    assert!(whole("").starts_with("ends in the middle (EOF while parsing a value at line 1 column 0)"));
}

#[test]
fn files_that_are_something_else() {
    let message = whole("[1, 2]");
    assert!(message.starts_with("is not COCO's annotation file of instances: "), "{message}");
    assert!(whole("<html>").ends_with("expected value at line 1 column 1"));
    assert_eq!(whole("{}"), "has no `categories`; expected COCO's annotation file of instances");
    for key in ["annotations", "images", "categories"] {
        let message = changed(|json| drop(json.as_object_mut().unwrap().remove(key)));
        assert_eq!(message, format!("has no `{key}`; expected COCO's annotation file of instances"));
    }
    let captions = changed(|json| drop(json["annotations"][0].as_object_mut().unwrap().remove("category_id")));
    assert!(captions.contains("annotation number 1: category_id is missing (annotation 5)"), "{captions}");
    let trailing = whole(&(file(&[]) + "{}"));
    assert!(trailing.contains("trailing characters"), "{trailing}");
}

#[test]
fn values_of_another_type_are_said_with_their_place() {
    let says = |part: &str, key: &str, value: Value| {
        let message = changed(|json| json[part][0][key] = value.clone());
        message
            .strip_prefix("is not COCO's annotation file of instances: ")
            .unwrap()
            .split(" at line")
            .next()
            .unwrap()
            .to_owned()
    };
    let of = |value: Value| says("annotations", "image_id", value);
    assert_eq!(of(json!("a")), "annotation number 1: image_id must be a whole number, found \"a\" (annotation 5)");
    for (value, found) in [
        (json!(7.5), "7.5"),
        (json!("7.5"), "\"7.5\""),
        (json!(""), "\"\""),
        (json!("+7"), "\"+7\""),
        (json!(1e300), "1"),
        (Value::Null, "null"),
        (json!(true), "true"),
        (json!([7]), "[…]"),
        (json!({"a": 7}), "{…}"),
    ] {
        let message = of(value);
        assert!(
            message.starts_with(&format!("annotation number 1: image_id must be a whole number, found {found}")),
            "{message}"
        );
    }
    assert_eq!(says("annotations", "id", json!([])), "annotation number 1: id must be a whole number, found […]");
    assert_eq!(
        says("images", "width", json!(-3)),
        "image number 1: width must be a number of pixels, found -3 (image 9)"
    );
    assert_eq!(
        says("images", "height", json!(1u64 << 32)),
        "image number 1: height must be a number of pixels, found 4294967296 (image 9)"
    );
    assert_eq!(says("images", "file_name", json!(9)), "image number 1: file_name must be a text, found 9 (image 9)");
    assert_eq!(
        says("categories", "name", Value::Null),
        "category number 1: name must be a text, found null (category 90)"
    );
    let message = changed(|json| json["annotations"] = json!([[5, 7, 3]]));
    assert!(
        message
            .contains("annotation number 1: invalid type: sequence, expected an object with the keys of an annotation"),
        "{message}"
    );
    let message = changed(|json| json["images"] = json!({}));
    assert!(message.contains("invalid type: map, expected the list of images"), "{message}");
}

#[test]
fn segmentations_of_another_type() {
    assert_eq!(
        mask(json!(3)),
        "annotation 5 has the segmentation 3; expected polygons, or run lengths with `size` and `counts`"
    );
    assert_eq!(mask(json!({"counts": [48]})), "annotation 5 has run lengths: size is missing");
    assert_eq!(
        mask(json!({"size": [6, 8], "counts": true})),
        "annotation 5 has run lengths: counts must be a list of numbers or a text, found true"
    );
    assert_eq!(
        mask(json!([0, 0, 2, 0, 2, 2])),
        "annotation 5 has a polygon (number 1) that is 0; expected a list of x, y, x, y, …"
    );
    let no_number = "annotation 5 has a polygon (number 1) with a coordinate that is not a number";
    assert_eq!(mask(json!([[null, 0, 2, 0, 2, 2]])), no_number);
    assert_eq!(mask(json!([["1", 0, 2, 0, 2, 2]])), no_number);
}

/// As cvat, pandas and Python's own JSON write them: pycocotools reads them, and they mean one
/// thing.
#[test]
fn what_other_tools_write() {
    let whole =
        file(&[annotation(5, 7, 3, json!({"size": [6, 8], "counts": [36, 2, 9, 1]})), annotation(6, 9, 90, square())]);
    let root = coco_of(&whole);
    let expected = root.open_as(KIND).unwrap();
    let samples = |data: &dyn datasets::Dataset| {
        (0..2).map(|index| data.load(index).unwrap()).map(|s| (s.id, s.labels, s.regions)).collect::<Vec<_>>()
    };
    let same = |json: &str| {
        let root = coco_of(json);
        let data = root.open_as(KIND).unwrap();
        assert_eq!((data.fingerprint(), data.remarks()), (expected.fingerprint(), expected.remarks()), "{json}");
        assert_eq!(samples(&*data), samples(&*expected), "{json}");
    };
    let mut json: Value = serde_json::from_str(&whole).unwrap();
    for (part, key) in [
        ("images", "id"),
        ("images", "width"),
        ("images", "height"),
        ("annotations", "id"),
        ("annotations", "image_id"),
        ("annotations", "category_id"),
        ("categories", "id"),
    ] {
        for value in json[part].as_array_mut().unwrap() {
            value[key] = json!(value[key].as_i64().unwrap() as f64);
        }
        same(&json.to_string());
        for value in json[part].as_array_mut().unwrap() {
            value[key] = json!(value[key].as_f64().unwrap().to_string());
        }
        same(&json.to_string());
    }
    same(&whole.replace("[36,2,9,1]", "[36.0,2.0,9.0,1.0]").replace("\"size\":[6,8]", "\"size\":[6.0,8.0]"));
    same(&whole.replace("\"area\":4.0", "\"area\":NaN"));
    same(&whole.replace("\"area\":4.0", "\"area\":[-Infinity, {\"NaN\": Infinity}]"));
    same(&whole.replace("\"area\":4.0,", "").replace("\"iscrowd\":0,", "").replace("\"license\":1,", ""));
    same(&whole.replace("\"licenses\":[]", "\"licenses\":null,\"extra\":{\"a\":[1e999]}"));
    same(&format!("\u{feff}{whole}"));
    same(&whole.replace(",", " ,\r\n\t"));
}

#[test]
fn utf_16_is_named() {
    let bytes: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let message = coco(&[]).file(FILE, bytes).error_as(KIND);
    assert_eq!(
        message,
        format!("ROOT/{FILE}: can't be read: is text in UTF-16 (Notepad's \"Unicode\"); save it as UTF-8")
    );
}

#[test]
fn numbers_that_json_has_not() {
    let text = file(&[annotation(5, 7, 3, json!([["@", 0, 2, 0, 2, 2]]))]);
    for number in ["NaN", "Infinity", "-Infinity"] {
        let dataset = coco_of(&text.replace("\"@\"", number)).open_as(KIND).unwrap();
        let message = dataset.load(0).unwrap_err().to_string();
        assert!(
            message.ends_with("annotation 5 has a polygon (number 1) with a coordinate that is not a number"),
            "{message}"
        );
    }
    let message = whole(&text.replace("\"image_id\":7", "\"image_id\":NaN"));
    assert!(
        message.contains("annotation number 1: image_id must be a whole number, found NaN (annotation 5)"),
        "{message}"
    );
    for number in ["nan", "Inf", "-inf", "1e999", "None"] {
        let message = whole(&text.replace("\"@\"", number));
        assert!(message.contains("annotation number 1: "), "{message}");
    }
}

#[test]
fn empty_lists() {
    assert_eq!(changed(|json| json["images"] = json!([])), "lists no images");
    assert_eq!(changed(|json| json["categories"] = json!([])), "lists no categories");
}

#[test]
fn things_that_are_there_twice() {
    assert_eq!(
        changed(|json| json["images"][1]["id"] = json!(9)),
        "image 9 is there twice, as `COCO_val2014_000000000009.jpg` and `COCO_val2014_000000000007.jpg`"
    );
    assert_eq!(
        changed(|json| json["categories"][1]["id"] = json!(11)),
        "category 11 is there twice, as `three` and `eleven`"
    );
    let same = |json: &mut Value| json["images"][1]["file_name"] = json["images"][0]["file_name"].clone();
    assert_eq!(changed(same), "image 9 is of the file `val2014/COCO_val2014_000000000009.jpg`, as another image is");
}

#[test]
fn file_names_stay_in_the_folder() {
    for name in ["../secret.jpg", "/etc/passwd", "a/../../b.jpg", "", ".", "..", "a\\b.jpg"] {
        let message = changed(|json| json["images"][1]["file_name"] = json!(name));
        assert_eq!(message, format!("image 7 has the file name `{name}`; expected the name of a file in val2014/"));
    }
}

#[test]
fn missing_photos() {
    let message = changed(|json| json["images"][0]["file_name"] = json!("x.jpg"));
    assert_eq!(message, "lists 2 photos, but 1 are not in ROOT: val2014/x.jpg");
    let photo = |id: u32| json!({"id": id, "file_name": format!("{id}.jpg"), "width": 8, "height": 6});
    let message = changed(|json| json["images"] = (1..10).map(photo).collect());
    assert_eq!(
        message,
        "lists 9 photos, but 9 are not in ROOT: val2014/1.jpg, val2014/2.jpg, val2014/3.jpg, val2014/4.jpg, val2014/5.jpg, ..."
    );
}

#[test]
fn annotation_of_an_unknown_image() {
    let dataset =
        coco(&[annotation(4, 77, 3, square()), annotation(5, 7, 11, square()), annotation(6, 78, 12, square())]);
    let dataset = dataset.open_as(KIND).unwrap();
    assert_eq!(dataset.load(0).unwrap().labels, [1]);
    assert_eq!(
        dataset.remarks()[1..],
        [
            "2 of 3 annotations are of photos that are not among the `images`, and are left out; the first: annotation 4, of image 77"
        ]
    );
}

#[test]
fn annotations_with_the_same_id() {
    let root = coco(&[annotation(5, 7, 3, square()), annotation(5, 7, 11, square())]);
    let dataset = root.open_as(KIND).unwrap();
    assert_eq!(dataset.load(0).unwrap().labels, [0, 1]);
    assert_eq!(
        dataset.remarks()[1..],
        [
            "1 of 2 annotations have the id of an earlier one, the first 5; each is read as an object of its own, where pycocotools would \
          give the last of an id in place of the others"
        ]
    );
}

#[test]
fn masks_without_a_pixel_are_counted() {
    let line = json!([[1, 1, 6, 1, 3, 1]]);
    let mut flat = annotation(8, 9, 3, square());
    flat["bbox"] = json!([1, 1, 0, 3]);
    let dataset = coco(&[
        annotation(4, 7, 3, json!({"size": [6, 8], "counts": [48]})),
        annotation(5, 7, 3, square()),
        annotation(6, 9, 11, json!({"size": [6, 8], "counts": "`1"})),
        annotation(7, 9, 90, line),
        flat,
    ]);
    let dataset = dataset.open_as(KIND).unwrap();
    let empty = |index: usize| {
        let regions = dataset.load(index).unwrap().regions;
        regions.iter().map(|region| !region.mask.pixels.contains(&true)).collect::<Vec<_>>()
    };
    assert_eq!((empty(0), empty(1)), (vec![false], vec![false, true, true]), "a class is the union of its objects");
    let masks = |count, id, photo| {
        format!(
            "{count} objects have a mask without a pixel: they count, and where a class has no other object, no map can point at it; \
             the first: annotation {id} of val2014/COCO_val2014_00000000000{photo}"
        )
    };
    let boxes = "1 objects have a box without area, which counts as 0; the first: annotation 8 of val2014/COCO_val2014_000000000009";
    assert_eq!(dataset.look_through(&[0, 1]), [masks(3, 4, 7), boxes.into()]);
    assert_eq!(dataset.look_through(&[1]), [masks(2, 6, 9), boxes.into()]);
    assert_eq!(dataset.look_through(&[0]), [masks(1, 4, 7)]);
}

#[test]
fn annotation_of_an_unknown_category() {
    let message = photo(annotation(5, 7, 12, square()));
    assert_eq!(message, "annotation 5 is of category 12, which is not among the `categories`");
}

#[test]
fn polygons() {
    let expected = |count| {
        format!("annotation 5 has a polygon (number 1) of {count} numbers; expected x and y of at least 3 corners")
    };
    assert_eq!(mask(json!([[0, 0, 2, 0, 2, 2, 0]])), expected(7));
    assert_eq!(mask(json!([[0, 0, 2, 2]])), expected(4));
    assert_eq!(mask(json!([[]])), expected(0));
    assert_eq!(mask(json!([])), "annotation 5 has an empty segmentation");
    assert_eq!(mask(Value::Null), "annotation 5 has no segmentation");
    assert_eq!(
        mask(json!([[0, 0, 2, 0, 2, 2], [0, 0, 1e12, 0, 2, 2]])),
        "annotation 5 has a polygon (number 2) with the coordinate 1000000000000, which is far outside any image"
    );
}

/// The farthest coordinates that are drawn; pycocotools would walk along every pixel of such edges.
#[test]
fn polygons_that_reach_far() {
    let far = 4_194_304;
    let shapes = json!([[-far, -far, far, -far, far, far], [far, far, -far, 3, 2, -far, far, -far, -far, far]]);
    let sample = coco(&[annotation(5, 7, 3, shapes)]).open_as(KIND).unwrap().load(0).unwrap();
    // The first is everything on and above the diagonal from the top left to the bottom right.
    let mask = &sample.regions[0].mask;
    assert!((0..6).all(|row| (row + 1..8).all(|column| mask.pixels[row * 8 + column])));
}

#[test]
fn run_lengths() {
    let size = |height: i64, width: i64| mask(json!({"size": [height, width], "counts": [48]}));
    assert_eq!(size(8, 6), "annotation 5 has run lengths of size [8, 6]; its image's height and width are [6, 8]");
    assert!(size(-6, 8).starts_with("annotation 5 has run lengths of size [-6, 8];"));
    assert!(
        size(4_000_000_000, 4_000_000_000)
            .starts_with("annotation 5 has run lengths of size [4000000000, 4000000000];")
    );
    let counts = |counts: Value| mask(json!({"size": [6, 8], "counts": counts}));
    let sum =
        |sum: u64| format!("annotation 5 has run lengths that add up to {sum}, not to the image's 8 × 6 = 48 pixels");
    assert_eq!(counts(json!([40, 7])), sum(47));
    assert_eq!(counts(json!([40, 9])), sum(49));
    assert_eq!(counts(json!([4_294_967_295_u32, 4_294_967_295_u32, 50])), sum(8_589_934_640));
    assert_eq!(counts(json!([])), sum(0));
    assert_eq!(counts(json!([50, -2])), "annotation 5 has a run length of -2");
    assert_eq!(counts(json!([5_000_000_000_i64])), "annotation 5 has a run length of 5000000000");
}

#[test]
fn run_lengths_as_text() {
    let counts = |text: &str| mask(json!({"size": [6, 8], "counts": text}));
    for text in ["!!", " ", "é", "o".repeat(40).as_str(), "ooooooooo1"] {
        let message = counts(text);
        assert!(message.starts_with("annotation 5 has "), "{message}");
    }
    assert!(counts("! !").starts_with("annotation 5 has malformed run lengths ("));
    // "8" is a run of 8 pixels, no more.
    assert_eq!(counts("8"), "annotation 5 has run lengths that add up to 8, not to the image's 8 × 6 = 48 pixels");
}

#[test]
fn photo_of_another_size() {
    let root = coco(&[]).file("val2014/COCO_val2014_000000000007.jpg", blank(6, 8));
    let message = root.in_root(&root.open_as(KIND).unwrap().load(0).unwrap_err());
    assert_eq!(
        message,
        format!(
            "ROOT/{FILE}: says that image 7 is 8 × 6 pixels, but ROOT/val2014/COCO_val2014_000000000007.jpg is 6 × 8; width and height \
             are swapped, as by an EXIF orientation that was followed once and dropped once"
        )
    );
}

/// A size in the file must not decide how much memory is asked for.
#[test]
fn sizes_that_are_huge() {
    let mut json: Value = serde_json::from_str(&file(&[annotation(5, 7, 3, square())])).unwrap();
    json["images"][1]["width"] = json!(u32::MAX);
    json["images"][1]["height"] = json!(u32::MAX);
    let root = coco_of(&json.to_string());
    let message = root.in_root(&root.open_as(KIND).unwrap().load(0).unwrap_err());
    assert!(message.contains("says that image 7 is 4294967295 × 4294967295 pixels, but"), "{message}");
    assert_eq!(
        changed(|json| json["images"][1]["width"] = json!(0)),
        "image 7 `COCO_val2014_000000000007.jpg` is 0 × 6 pixels"
    );
}

#[test]
fn boxes_count_where_the_difficult_subset_is_computed() {
    for bbox in [Value::Null, json!([0, 0, 2]), json!([0, 0, -2, 2])] {
        let mut boxless = annotation(5, 7, 3, square());
        boxless["bbox"] = bbox;
        let message = photo(boxless.clone());
        assert_eq!(
            message,
            "annotation 5 has no bbox of four numbers, by which the difficult subset is computed; give its list instead"
        );
        let listed = coco(&[boxless]).file("pointing_game_ebp_coco_difficult.txt", "7\t1\t0\t0\n");
        assert_eq!(listed.open_as(KIND).unwrap().load(0).unwrap().labels, [0]);
    }
}
