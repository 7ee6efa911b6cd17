//! `[[method]]` with `kind = "precomputed"`: what it says, and each message where it is wrong.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::support::{GOOD, Scratch};
use bench::config::{Config, Overrides, Precomputed, Source, load};
use ucag_core::postprocess::MapKind;

const MINE: &str = "[[method]]\nkind = 'precomputed'\nname = 'Mine'\nmaps = 'maps/mine'\npost = 'cam'\n";

fn read(text: &str) -> Result<Config, String> {
    let scratch = Scratch::new();
    let path = scratch.write("x.toml", text);
    load(&path, &Overrides::default()).map_err(|errors| scratch.relative(&errors.to_string()))
}

/// The last method of the good config with more after it.
fn method(more: &str) -> bench::config::Method {
    read(&format!("{GOOD}{more}")).unwrap().methods.pop().unwrap()
}

/// Appends to the good config's ten lines, and expects exactly these messages.
#[track_caller]
fn also(text: &str, expected: &str) {
    assert_eq!(read(&format!("{GOOD}{text}")).unwrap_err(), expected);
}

/// Puts `new` for `old` in the table of maps, the lines 11 to 15.
#[track_caller]
fn instead(old: &str, new: &str, expected: &str) {
    assert_eq!(MINE.matches(old).count(), 1, "'{old}' must be in the table once");
    also(&MINE.replace(old, new), expected);
}

#[test]
fn folders_are_rows() {
    let mine = method(MINE);
    assert_eq!((&*mine.id, &*mine.name, mine.map_kind, &mine.variants[..]), ("Mine", "Mine", MapKind::Cam, &[0][..]));
    assert!(mine.computed().is_none() && !mine.is_control());
    assert_eq!((mine.folder(false), mine.folder(true)), (Some("maps/mine".as_ref()), None));
    let both = method(&format!("{MINE}maps_with_ucag = 'folded'\n"));
    assert_eq!((&both.variants[..], both.folder(true)), (&[0, 1][..], Some("folded".as_ref())));
    let folded = method(&MINE.replace("maps =", "maps_with_ucag ="));
    assert_eq!((&folded.variants[..], folded.folder(false)), (&[1][..], None));
    let Source::Precomputed(Precomputed { maps, .. }) = folded.source else { panic!() };
    assert_eq!(maps, None);
    for (name, map_kind) in
        [("signed", MapKind::Signed), ("plain", MapKind::MinMax), ("heat", MapKind::NonNegative(None))]
    {
        assert_eq!(method(&MINE.replace("cam", name)).map_kind, map_kind);
    }
    assert_eq!(method("[[method]]\nkind = 'computed'\nid = 'random'\n").id, "random");
}

#[test]
fn where_there_are_variants_maps_are_of_one() {
    let grid = "[ucag]\nalpha = [1, 2.6]\n";
    let with = MINE.replace("maps =", "maps_with_ucag =");
    // α makes no difference without UCAG.
    assert_eq!(method(&format!("{MINE}{grid}")).variants, [0]);
    also(
        &format!("{with}{grid}"),
        "x.toml:14: [[method]] maps_with_ucag: say with 'variant' of which variant with UCAG these maps are (α 1; α 2.6)",
    );
    let named = method(&format!("{with}variant = 'α 2.6'\n{grid}"));
    let config = read(&format!("{GOOD}{with}variant = 'α 2.6'\n{grid}")).unwrap();
    assert_eq!(config.variants[named.variants[0]].name, "α 2.6");
    also(
        &format!("{with}variant = 'α 2.5'\n{grid}"),
        "x.toml:16: [[method]] variant: no variant is called 'α 2.5'; did you mean 'α 2.6'?",
    );
    also(&format!("{MINE}variant = 'α 1'\n{grid}"), "x.toml:14: [[method]] maps: 'α 1' is no variant without UCAG");
    also(&format!("{MINE}variant = 'x'\n"), "x.toml:16: [[method]] variant: no variant is called 'x'");
}

#[test]
fn keys_that_are_missing() {
    instead("name = 'Mine'\n", "", "x.toml:11: [[method]]: 'name' is missing: the name in records and tables");
    instead(
        "maps = 'maps/mine'\n",
        "",
        "x.toml:11: [[method]]: 'maps' is missing: the folder of its maps ('maps_with_ucag' for those that UCAG has folded already)",
    );
    instead(
        "post = 'cam'\n",
        "",
        "x.toml:11: [[method]]: 'post' is missing: how its maps are finished: cam, signed, plain or heat (see docs/maps.md)",
    );
    // Without a kind, it is one of this program's.
    instead("kind = 'precomputed'\n", "", "x.toml:13: [[method]] maps: belongs to kind = \"precomputed\"; say so");
}

#[test]
fn values_that_are_wrong() {
    instead(
        "precomputed",
        "precomputd",
        "x.toml:12: [[method]] kind: unknown value 'precomputd'; did you mean 'precomputed'? (one of computed, precomputed)",
    );
    instead(
        "'cam'",
        "'cams'",
        "x.toml:15: [[method]] post: unknown value 'cams'; did you mean 'cam'? (one of cam, signed, plain, heat)",
    );
    instead("'maps/mine'", "''", "x.toml:14: [[method]] maps: is empty");
    instead("'maps/mine'", "['a', 'b']", "x.toml:14: [[method]] maps: expected a string, found an array");
    instead("'Mine'", "7", "x.toml:13: [[method]] name: expected a string, found 7");
    for name in ["gradcam", "GradCAM"] {
        let expected =
            format!("x.toml:13: [[method]] name: '{name}' is a method of this program; give the maps another name");
        instead("Mine", name, &expected);
    }
}

#[test]
fn keys_of_other_methods() {
    let refused =
        "UCAG can't be around maps that are made already; 'maps_with_ucag' is the folder of those that it has folded";
    also(&format!("{MINE}ucag = [false, true]\n"), &format!("x.toml:16: [[method]] ucag: {refused}"));
    also(
        &format!("{MINE}id = 'rise'\n"),
        "x.toml:16: [[method]] id: is for methods that are computed here; maps from files have a 'name'",
    );
    let unknown = read(&format!("{GOOD}{MINE}masks = 4000\n")).unwrap_err();
    assert!(unknown.starts_with("x.toml:16: [[method]]: unknown key 'masks'"), "{unknown}");
    also(&format!("{MINE}map = 'x'\n"), "x.toml:16: [[method]]: unknown key 'map'; did you mean 'maps'?");
}

#[test]
fn names_that_are_taken() {
    let expected = "x.toml:18: [[method]] name: 'Mine' is listed at line 13 too; give each a 'name' of its own";
    also(&format!("{MINE}{MINE}"), expected);
    let also_called = "[[method]]\nid = 'rise'\nname = 'Mine'\n";
    let taken = read(&format!("{GOOD}{MINE}{also_called}")).unwrap_err();
    assert!(taken.starts_with("x.toml:18: [[method]] name: 'Mine' is listed at line 13 too; "), "{taken}");
    also(
        &format!("{MINE}dataset = 'imagnet'\n"),
        "x.toml:16: [[method]] dataset: unknown data set 'imagnet'; did you mean 'imagenet'?",
    );
}
