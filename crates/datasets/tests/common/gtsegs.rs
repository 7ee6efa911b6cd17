//! Small files in the layout of `gtsegs_ijcv.mat`.

#![allow(dead_code)] // `all`, `bad_bytes` and `real_size` use a part each
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use hdf5_pure::FileBuilder;

/// The content of `#refs#`.
pub(crate) enum Object<'a> {
    /// Bytes with sides.
    Bytes(&'a [u64], Vec<u8>),
    /// The same as doubles.
    Doubles(&'a [u64], Vec<f64>),
    /// References to objects by path.
    Cell(&'a [&'a str]),
    /// References by address.
    Addresses(Vec<u64>),
    /// A group.
    Group,
}

use Object::{Addresses, Bytes, Cell, Doubles, Group};

/// Objects `i1`, `i2` (two images of 4 × 5 pixels), `m1`, `m2` (their masks) and `c1`, `c2` (those
/// in cells), but `other` where it has the name.
pub(crate) fn with<'a>(other: Vec<(&'a str, Object<'a>)>) -> Vec<(&'a str, Object<'a>)> {
    let usual = [
        ("i1", Bytes(&[3, 4, 5], (0..60).collect())),
        ("i2", Bytes(&[3, 4, 5], (60..120).collect())),
        ("m1", Bytes(&[4, 5], (0..20).map(|i| i / 7 % 2).collect())),
        ("m2", Bytes(&[4, 5], (0..20).map(|i| i % 2).collect())),
        ("c1", Cell(&["#refs#/m1"])),
        ("c2", Cell(&["#refs#/m2"])),
    ];
    let mut objects = other;
    for (name, object) in usual {
        if !objects.iter().any(|(known, _)| *known == name) {
            objects.push((name, object));
        }
    }
    objects
}

/// A file with these objects below `#refs#` and `img` and `gt` below `value`.
pub(crate) fn mat(objects: Vec<(&str, Object<'_>)>, value: Vec<(&str, Object<'_>)>) -> Vec<u8> {
    let mut file = FileBuilder::new();
    file.with_userblock(512).with_userblock_content(b"MATLAB 7.3 MAT-file");
    for (name, objects) in [("#refs#", objects), ("value", value)] {
        let mut group = file.create_group(name);
        for (name, object) in objects {
            if matches!(object, Group) {
                let inner = group.create_group(name).finish();
                group.add_group(inner);
                continue;
            }
            let dataset = group.create_dataset(name);
            match object {
                Bytes(shape, values) => dataset.with_u8_data(&values).with_shape(shape),
                Doubles(shape, values) => dataset.with_f64_data(&values).with_shape(shape),
                Cell(paths) => dataset.with_path_references(paths).with_shape(&[paths.len() as u64, 1]),
                Addresses(addresses) => {
                    dataset.with_reference_data(&addresses).with_shape(&[addresses.len() as u64, 1])
                }
                Group => continue,
            };
        }
        let group = group.finish();
        file.add_group(group);
    }
    file.finish().unwrap()
}

/// Cells that refer to the usual objects.
pub(crate) fn value() -> Vec<(&'static str, Object<'static>)> {
    vec![("img", Cell(&["#refs#/i1", "#refs#/i2"])), ("gt", Cell(&["#refs#/c1", "#refs#/c2"]))]
}
