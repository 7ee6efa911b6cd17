//! Remarks on runs before their numbers are compared, and of folders that hold none.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::made_up_runs::{self, Runs, column, difference, find, official, record};
use bench::records::Record;
use bench::records::journal;
use datasets::Checksum;
use serde_json::{Value, json};

fn with(pointer: &str, value: Value) -> Value {
    let mut identity = official();
    *identity.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    identity
}

/// The lines between the first and the table.
fn warnings(said: &str) -> Vec<&str> {
    said.lines().skip(1).take_while(|line| line.starts_with("- ")).collect()
}

#[test]
fn every_difference_is_named_with_both_values() {
    let runs = Runs::new();
    let records = column("deletion", &[0.25, 0.5]);
    runs.make("a", &official(), &records);
    runs.make("alike", &official(), &records);
    let said = runs.compare(&["a", "alike"]);
    assert_eq!(
        warnings(&said),
        ["- they agree in data, weights, layers, methods, protocol, seed and metrics, as far as both have them"]
    );
    assert!(!said.contains("not the same measurement"));
    for (number, (pointer, value, expected)) in [
        ("/config/seed", json!(6), "run: seed is 5 in a, 6 in b"),
        (
            "/datasets/0/resize",
            json!("shorter-side"),
            "data set 'mini': resize is \"squash\" in a, \"shorter-side\" in b",
        ),
        (
            "/models/0/sha256",
            json!("ef".repeat(32)),
            "model 'M' on 'mini': sha256 is abababababab… in a, efefefefefef… in b",
        ),
        ("/models/1/layer", json!("layer3"), "model 'N' on 'mini': layer is \"layer4\" in a, \"layer3\" in b"),
        ("/models/1/input_size", json!(224), "model 'N' on 'mini': input size is 128 in a, 224 in b"),
        ("/models/0/classes_from", json!(1), "model 'M' on 'mini': classes from is not set in a, \"N\" in b"),
        ("/config/forms/0", json!("mixed"), "model 'M' on 'mini': form is \"pooled\" in a, \"mixed\" in b"),
        ("/config/methods/1/settings/masks", json!(99), "method 'layercam': masks is 10 in a, 99 in b"),
        ("/config/methods/0/id", json!("gradcam++"), "method 'gradcam': id is \"gradcam\" in a, \"gradcam++\" in b"),
        ("/config/variants/1/protocol/alpha", json!(1.5), "protocol with UCAG: alpha is 2.6 in a, 1.5 in b"),
        ("/config/later", json!("x"), "run: later is not said in a, \"x\" in b"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut identity = official();
        match identity.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => identity["config"]["later"] = value,
        }
        let name = format!("{number}/b");
        runs.make(&name, &identity, &records);
        let said = runs.compare(&["a", &name]);
        assert_eq!(warnings(&said), [format!("- {expected}")], "{pointer}");
        assert!(said.contains("\nDeletion ↓ (%), mini\n"), "{pointer}: {said}");
    }
}

#[test]
fn a_field_of_all_rows_protocols_is_said_once() {
    let runs = Runs::new();
    let mut identity = official();
    for variant in 0..2 {
        identity["config"]["variants"][variant]["protocol"]["coverage"] = json!("true");
        // A name isn't a field.
        identity["config"]["variants"][variant]["protocol"]["name"] = json!("other");
    }
    runs.make("a", &official(), &column("deletion", &[0.5]));
    runs.make("b", &identity, &column("deletion", &[0.5]));
    assert_eq!(warnings(&runs.compare(&["a", "b"])), ["- protocol: coverage is \"plus-one\" in a, \"true\" in b"]);
    // A journal from before there were variants says so, too.
    identity["config"]["variants"] = Value::Null;
    identity["config"]["protocol"]["coverage"] = json!("true");
    runs.make("c", &identity, &column("deletion", &[0.5]));
    assert_eq!(warnings(&runs.compare(&["a", "c"])), ["- protocol: coverage is \"plus-one\" in a, \"true\" in c"]);
}

#[test]
fn other_data_and_other_metrics_are_not_the_same_measurement() {
    let runs = Runs::new();
    let records = [column("deletion", &[0.25, 0.5]), column("insertion", &[0.25, 0.5])].concat();
    runs.make("a", &official(), &records);
    let other = "(not the same measurement)";
    for (name, pointer, value, expected, [deletion, insertion]) in [
        (
            "data",
            "/datasets/0/fingerprint",
            json!("12".repeat(32)),
            "data set 'mini': fingerprint is cdcdcdcdcdcd… in a, 121212121212… in data",
            [true, true],
        ),
        (
            "version",
            "/config/metrics/0/version",
            json!(2),
            "metric 'deletion': version is 1 in a, 2 in version",
            [true, false],
        ),
        (
            "step",
            "/config/metrics/1/step",
            json!(64),
            "metric 'insertion': step is not set in a, 64 in step",
            [false, true],
        ),
    ] {
        runs.make(name, &with(pointer, value), &records);
        let said = runs.compare(&["a", name]);
        assert_eq!(warnings(&said), [format!("- {expected}")]);
        assert_eq!(said.contains(&format!("\nDeletion ↓ (%), mini {other}\n")), deletion, "{said}");
        assert_eq!(said.contains(&format!("\nInsertion ↑ (%), mini {other}\n")), insertion, "{said}");
        let table = runs.table(&["a", name]);
        let same = |metric| find(&table, &[("metric", metric)])["same_measurement"] == "true";
        assert_eq!([same("deletion"), same("insertion")], [!deletion, !insertion]);
        let page = std::fs::read_to_string(runs.path("out/compare.md")).unwrap();
        assert!(page.contains(&format!("\n- {expected}\n")) && page.contains(other), "{page}");
    }
}

#[test]
fn what_only_one_run_has_is_counted_and_named() {
    let runs = Runs::new();
    let on = |model: &str, method: &str, ucag: bool, metric: &str| {
        let values = column(metric, &[0.5, 0.25]).into_iter();
        let all = values.map(|r| Record { model: model.into(), method: method.into(), ucag, ..r });
        all.collect::<Vec<_>>()
    };
    let common = on("M", "gradcam", false, "deletion");
    let a = [
        common.clone(),
        on("M", "gradcam", false, "insertion"),
        on("M", "layercam", false, "deletion"),
        on("M", "layercam", true, "deletion"),
        on("N", "layercam", false, "deletion"),
        on("N", "layercam", true, "deletion"),
    ];
    runs.make("a", &official(), &a.concat());
    let varied = common.iter().map(|record| Record { variant: "α 1.5".into(), ucag: true, ..record.clone() });
    let strange = column("by-hand", &[1.0, 2.0]);
    // s1 is explained for another class, s2 is only there, and s3 can't be scored.
    let mut b = [&common[..], &varied.collect::<Vec<_>>(), &strange, &[record("s2", 0, "deletion", 0.5)]].concat();
    b.iter_mut().filter(|record| record.sample == "s1").for_each(|record| record.class = 3);
    runs.make("b", &official(), &b);
    runs.fail("b", 3, "s3");
    let said = runs.compare(&["a", "b"]);
    assert_eq!(
        warnings(&said)[1..],
        [
            "- mini (M): 2 samples in both, 0 only in a, 1 only in b; the means are not over the same samples",
            "- mini (M): of 2 samples in both, 1 not scored for the same classes",
            "- b: 1 sample could not be scored for a model: s3 with M",
            "- b: 2 records of metric 'by-hand', which this program doesn't know, left out",
        ]
    );
    let rest: Vec<&str> = said.lines().skip_while(|line| *line != "Not compared").skip(1).take(4).collect();
    assert_eq!(
        rest,
        [
            "- only in a: 1 row of Insertion on mini (M): GradCAM",
            "- only in a: 2 rows of Deletion on mini (M, N): LayerCAM, LayerCAM + UCAG",
            "- only in b: 1 row of Deletion on mini (M): GradCAM + UCAG, α 1.5",
            ""
        ]
    );
    let table = runs.table(&["a", "b"]);
    assert_eq!(table.iter().map(|line| &line["in"]).filter(|place| *place == "baseline").count(), 5);
    let alone = find(&table, &[("in", "run")]);
    assert_eq!(
        [&alone["variant"], &alone["run_mean"], &alone["run_n"], &alone["verdict"]],
        ["α 1.5", "37.500000", "2", ""]
    );
    let one = find(&table, &[("in", "both")]);
    assert_eq!([&one["baseline_n"], &one["run_n"], &one["difference_n"]], ["2", "3", "2"]);
    runs.make("none", &official(), &on("X", "gradcam", false, "deletion"));
    assert!(runs.compare(&["b", "none"]).contains("- the runs have no row in common"));
}

#[test]
fn three_runs_are_two_comparisons() {
    let runs = Runs::new();
    runs.make("a", &official(), &column("deletion", &[0.5, 0.5]));
    runs.make("x/b", &official(), &column("deletion", &[0.25, 0.25]));
    runs.make("y/b", &official(), &column("deletion", &[0.75, 0.75]));
    let table = runs.table(&["a", "x/b", "y/b"]);
    let lines: Vec<(&str, &str, &str)> =
        table.iter().map(|line| (&line["baseline"][..], &line["run"][..], difference(line)[0])).collect();
    assert_eq!(lines, [("a", "x/b", "-25.000000"), ("a", "y/b", "25.000000")]);
    let said = runs.compare(&["a", "x/b", "y/b"]);
    let place = |text: &str| said.find(text).unwrap_or_else(|| panic!("no {text} in {said}"));
    assert!(place("x/b against a\n") < place("-25.00") && place("-25.00") < place("y/b against a\n"));
    assert!(runs.compare(&["a", "a"]).starts_with("a (2) against a\n"));
}

#[test]
fn a_run_that_goes_on_is_read_and_left_alone() {
    let runs = Runs::new();
    runs.make("a", &official(), &column("deletion", &[0.5, 0.25]));
    let folder = runs.make("b", &official(), &column("deletion", &[0.25, 0.0, 0.75]));
    let path = folder.join(journal::FILE);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let torn = std::fs::read(&path).unwrap();
    // As a run holds it.
    let held = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    held.lock().unwrap();
    let table = runs.table(&["a", "b"]);
    assert_eq!([&table[0]["run_n"], difference(&table[0])[0], difference(&table[0])[3]], ["2", "-25.000000", "2"]);
    assert_eq!(std::fs::read(&path).unwrap(), torn);
    drop(held);
}

#[test]
fn folders_that_hold_no_run_are_refused() {
    let runs = Runs::new();
    runs.make("a", &official(), &column("energy", &[0.5]));
    assert!(runs.refused(&["a"]).contains("2"), "one run has nothing to be compared with");
    let refused = |name: &str| runs.refused(&["a", name]);
    assert!(refused("nowhere").contains("nowhere: no such folder; expected the folder of a run"));
    std::fs::create_dir(runs.path("empty")).unwrap();
    assert!(refused("empty").contains("empty: not the folder of a run, which would hold a records.jsonl"));
    assert!(refused("a/records.jsonl").contains("a/records.jsonl: no such folder"));
    let journal = |name: &str, text: &str| {
        std::fs::create_dir(runs.path(name)).unwrap();
        std::fs::write(runs.path(name).join(journal::FILE), text).unwrap();
    };
    journal("young", "{\"format\":3,\"ide");
    assert!(refused("young").contains("young/records.jsonl: holds no whole line yet; the run has not begun"));
    journal("other", "{\"rows\": 3}\n");
    assert!(refused("other").contains("other/records.jsonl:1: not a line of a run's journal"));
    journal("old", "{\"format\":2,\"identity\":{}}\n");
    assert!(refused("old").contains("old/records.jsonl: written by another version of this program (format 2, not 3)"));
    journal("damaged", "{\"format\":3,\"identity\":{}}\nnot json\n");
    assert!(refused("damaged").contains("damaged/records.jsonl:2: not a line"));
    // Nothing else is wrong with a run that says little of itself, but classes can't be averaged.
    runs.make("silent", &with("/datasets/0/classes", Value::Null), &column("energy", &[0.5]));
    let message = refused("silent");
    assert!(message.contains("silent/records.jsonl: doesn't say how many classes data set 'mini' has"), "{message}");
    runs.make("untallied", &with("/config/protocol/tally", Value::Null), &column("energy", &[0.5]));
    assert!(refused("untallied").contains("or how they are counted, which 'energy' is averaged over"));
    runs.make("few", &with("/datasets/0/classes", Value::Null), &column("deletion", &[0.5]));
    runs.compare(&["a", "few"]);
    // A class that can't be.
    runs.make("beyond", &official(), &[record("s0", 4, "energy", 0.5)]);
    let output = runs.bench(&["a", "beyond"]);
    assert_eq!(output.status.code(), Some(1));
    let message = made_up_runs::text(&output.stderr);
    assert!(message.contains("beyond: sample `s0`: class 4, but data set 'mini' has 4 classes"), "{message}");
}

#[test]
fn samples_that_were_read_from_other_bytes_are_named() {
    let runs = Runs::new();
    let records = [column("deletion", &[0.25, 0.5, 0.125, 0.75]), column("insertion", &[0.5; 4])].concat();
    let of = |other: &'static [&str], silent: &'static [&str]| {
        move |sample: &str| {
            let read = if other.contains(&sample) { "other" } else { sample };
            (!silent.contains(&sample)).then(|| Checksum::of(read.as_bytes()))
        }
    };
    runs.make("a", &official(), &records);
    runs.make_of("b", &official(), &records, of(&["s1", "s3"], &[]));
    let said = runs.compare(&["a", "b"]);
    assert_eq!(
        warnings(&said),
        ["- mini: the runs read different bytes of 2 of 4 samples that both have: s1, s3"],
        "nor do they agree in data"
    );
    assert!(said.contains("\nDeletion ↓ (%), mini (not the same measurement for 2 of 4 samples)\n"), "{said}");
    assert!(runs.table(&["a", "b"]).iter().all(|line| line["same_measurement"] == "false"));
    assert!(runs.table(&["a", "a"]).iter().all(|line| line["same_measurement"] == "true"));

    // Beside what their identities differ in, which goes first.
    runs.make_of("c", &with("/datasets/0/fingerprint", json!("12".repeat(32))), &records, of(&["s0"], &[]));
    let said = runs.compare(&["a", "c"]);
    let notes = warnings(&said);
    assert!(notes[0].starts_with("- data set 'mini': fingerprint is "), "{said}");
    assert_eq!(notes[1..], ["- mini: the runs read different bytes of 1 of 4 samples that both have: s0"]);
    assert!(said.contains("\nDeletion ↓ (%), mini (not the same measurement)\n"), "{said}");

    // What a run doesn't say isn't known, and is neither the same nor another.
    runs.make_of("d", &official(), &records, of(&["s1"], &["s0", "s2", "s3"]));
    runs.make_of("e", &official(), &records, of(&[], &["s0"]));
    let unknown = |of: &str| {
        format!(
            "- mini: whether the same bytes were read of the 4 samples in both isn't known of {of}, recorded before checksums were kept"
        )
    };
    let said = runs.compare(&["a", "d"]);
    assert_eq!(
        warnings(&said),
        ["- mini: the runs read different bytes of 1 of 4 samples that both have: s1", &unknown("3 in d")]
    );
    let said = runs.compare(&["e", "d"]);
    assert_eq!(warnings(&said)[1], unknown("1 in e and 3 in d"));
    let said = runs.compare(&["a", "e"]);
    assert_eq!(warnings(&said).len(), 2);
    assert!(
        warnings(&said)[0].starts_with("- they agree in data") && !said.contains("not the same measurement"),
        "{said}"
    );

    // Many are counted, and a few are named.
    let many = column("deletion", &[0.5; 12]);
    runs.make("many", &official(), &many);
    runs.make_of("others", &official(), &many, |_| Some(Checksum::of(b"other")));
    let said = runs.compare(&["many", "others"]);
    assert_eq!(
        warnings(&said),
        ["- mini: the runs read different bytes of 12 of 12 samples that both have: s0, s1, s10, s11, s2, and 7 more"]
    );
}

#[test]
fn a_checksum_that_is_none_is_damage() {
    let runs = Runs::new();
    runs.make("a", &official(), &column("deletion", &[0.25]));
    let path = runs.path("a").join(journal::FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"sha256\":\"", "\"sha256\":\"0")).unwrap();
    let said = runs.refused(&["a", "a"]);
    assert!(said.contains("records.jsonl:2: not a line of a run's journal") && said.contains("64 digits"), "{said}");
}
