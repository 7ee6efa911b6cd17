//! Refused merges: the messages, and that nothing is written.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs::{File, OpenOptions};

use crate::folders::{self, bytes, copy};
use crate::lab::{TestRun, text, weights};

/// A run that takes no time, in two shards: `a/shards/1-of-2` and `a/shards/2-of-2`.
fn lab() -> TestRun {
    let config = format!(
        "title = 'Small'\nseed = 3\n[dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nlimit = 3\n\
         [[model]]\nname = 'A'\narch = 'resnet'\nweights = '{}'\n[[method]]\nid = 'random'\n\
         [[metric]]\nid = 'deletion'\nstep = 8192\n[output]\nresamples = 20\ngallery = 1\n",
        weights("resnet.safetensors")
    );
    let lab = TestRun::with(&config, &[]);
    lab.run(0, &["small.toml", "--out", "a", "--shard", "1/2"]);
    lab.run(0, &["small.toml", "--out", "a", "--shard", "2/2"]);
    lab
}

/// Demands that this merge is refused, says all of these, and writes nothing.
#[track_caller]
fn refused(lab: &TestRun, code: i32, arguments: &[&str], parts: &[&str]) {
    let output = lab.run(code, &[&["merge"], arguments].concat());
    let said = text(&output.stderr);
    for part in parts {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    let written = ["small.md", "samples.csv", "maps.csv", "report.html"];
    for run in ["a", "out"].iter().filter(|run| lab.path(run).is_dir()) {
        assert!(written.iter().all(|file| !lab.path(run).join(file).exists()), "{run}: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

const FIRST: &str = "a/shards/1-of-2";
const SECOND: &str = "a/shards/2-of-2";

#[test]
fn what_makes_no_run() {
    let lab = lab();
    refused(&lab, 2, &["b"], &["b: no such folder"]);
    std::fs::create_dir_all(lab.path("b/shards")).unwrap();
    refused(&lab, 2, &["b"], &["b: no shard has begun", "--shard I/N"]);
    refused(&lab, 2, &["data"], &["data: neither a shard's folder", "plan.json"]);
    refused(&lab, 2, &[FIRST, FIRST], &["a/shards/1-of-2 and a/shards/1-of-2 are both shard 1 of 2; leave one out"]);
    refused(&lab, 2, &["a", FIRST], &["both shard 1 of 2"]);

    // Elsewhere.
    copy(&lab.path(FIRST), &lab.path("one"));
    copy(&lab.path(SECOND), &lab.path("two"));
    refused(&lab, 2, &["one", "two"], &["it isn't clear where the whole run goes; say it with --out"]);
    refused(&lab, 2, &[FIRST, "two"], &["--out"]);

    // Another division.
    lab.run(0, &["small.toml", "--out", "a", "--shard", "2/3"]);
    refused(
        &lab,
        2,
        &["a"],
        &["a/shards/2-of-2 is shard 2 of 2, and a/shards/2-of-3 shard 2 of 3: a run is divided once"],
    );
    lab.run(0, &["merge", FIRST, SECOND]);
    assert!(lab.path("a/small.md").exists(), "those that belong together");
}

#[test]
fn shards_of_different_runs() {
    let lab = lab();
    std::fs::copy(lab.path(FIRST).join("plan.json"), lab.path("plan.json")).unwrap();
    let other = |set: &[&str], part: &str| {
        let _ = std::fs::remove_dir_all(lab.path("b"));
        lab.run(0, &[&["small.toml", "--out", "b", "--shard", "2/2"], set].concat());
        let said = "b/shards/2-of-2: is of another run than a/shards/1-of-2: it differs in ";
        refused(&lab, 1, &[FIRST, "b/shards/2-of-2", "--out", "out"], &[&format!("{said}{part}")]);
    };
    other(&["--set", "seed=4"], "config.seed (3 there, 4 here)\n");
    other(&["--set", "title=Other"], "title (\"Small\" there, \"Other\" here)\n");
    other(&["--set", "output.resamples=21"], "output.resamples (20 there, 21 here)\n");
    other(
        &["--set", "dataset.limit=4"],
        "dataset.0.limit (3 there, 4 here), dataset.0.samples ([0,1,2] there, [0,1,2,3] here)\n",
    );
    other(&["--limit", "2"], "dataset.0.limit (3 there, 2 here), dataset.0.samples ([0,1,2] there, [0,1] here)\n");
    lab.write("published.csv", "table,dataset,model,method,ucag,metric,value\n");
    other(&["--set", "output.published=published.csv"], "output.published");
    // Other weights: one byte of the file's last tensor.
    let mut bytes = std::fs::read(weights("resnet.safetensors")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(lab.path("other.safetensors"), bytes).unwrap();
    other(&["--set", "model.0.weights=other.safetensors"], "models.0.sha256\n");
    // Other data.
    copy(&lab.path("data"), &lab.path("data2"));
    let image = image::RgbImage::from_pixel(128, 128, image::Rgb([9; 3]));
    image.save(lab.path("data2/val/disc_checks/disc_checks_0002.png")).unwrap();
    other(&["--set", "dataset.root=data2"], "datasets.0.fingerprint\n");
    // Where the files are doesn't matter.
    let _ = std::fs::remove_dir_all(lab.path("b"));
    copy(&lab.path("data"), &lab.path("data3"));
    lab.run(0, &["small.toml", "--out", "b", "--shard", "2/2", "--set", "dataset.root=data3", "--workers", "1"]);
    lab.run(0, &["merge", FIRST, "b/shards/2-of-2", "--out", "out"]);
}

#[test]
fn what_is_not_done() {
    let lab = lab();
    copy(&lab.path("a"), &lab.path("kept"));
    // Its last line half-written, as when a process is killed.
    let journal = lab.path(FIRST).join("records.jsonl");
    let whole = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &whole[..whole.len() - 3]).unwrap();
    std::fs::remove_dir_all(lab.path(SECOND)).unwrap();
    refused(
        &lab,
        1,
        &["a"],
        &[
            "the run isn't done",
            "\n  shard 1 of 2 in a/shards/1-of-2 lacks 1 of its 2 units: bench small.toml --out a --shard 1/2\n",
            "\n  shard 2 of 2 isn't there: bench small.toml --out a --shard 2/2\n",
        ],
    );
    // The commands make what is missing.
    lab.run(0, &["small.toml", "--out", "a", "--shard", "1/2"]);
    lab.run(0, &["small.toml", "--out", "a", "--shard", "2/2"]);
    std::fs::remove_file(lab.path(SECOND).join("run.json")).unwrap();
    refused(&lab, 1, &["a"], &["shard 2 of 2 in a/shards/2-of-2 was stopped before its end: bench small.toml"]);
    lab.run(0, &["small.toml", "--out", "a", "--shard", "2/2"]);
    lab.run(0, &["merge", "a"]);
    lab.run(0, &["merge", "kept"]);
    assert_eq!(bytes(&lab.path("a")), bytes(&lab.path("kept")));
}

#[test]
fn what_another_process_writes_to() {
    let lab = lab();
    let journal = File::open(lab.path(SECOND).join("records.jsonl")).unwrap();
    journal.lock().unwrap();
    refused(&lab, 1, &["a"], &["a/shards/2-of-2: this shard is still being written"]);
    drop(journal);
    std::fs::create_dir(lab.path("out")).unwrap();
    let journal = OpenOptions::new().write(true).create_new(true).open(lab.path("out/records.jsonl")).unwrap();
    journal.lock().unwrap();
    refused(&lab, 1, &["a", "--out", "out"], &["out: another run is writing to this folder"]);
    drop(journal);
    lab.run(0, &["merge", "a", "--out", "out"]);
}

#[test]
fn folders_that_hold_something_else() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "other", "--set", "seed=4"]);
    let before = bytes(&lab.path("other"));
    refused(&lab, 1, &["a", "--out", "other"], &["other: holds a run that differs in config.seed (4 there, 3 here)"]);
    assert_eq!(bytes(&lab.path("other")), before);
    lab.run(0, &["small.toml", "--out", "more", "--limit", "5"]);
    refused(&lab, 1, &["a", "--out", "more"], &["more: 2 of the units that are done in it aren't in the shards"]);
    refused(&lab, 1, &["a", "--out", FIRST], &["a/shards/1-of-2"]);
    // Nor is what is done there replaced by a failure.
    lab.run(0, &["small.toml", "--out", "done"]);
    copy(&lab.path("a"), &lab.path("b"));
    let journal = lab.path("b/shards/2-of-2/records.jsonl");
    let head = std::fs::read_to_string(&journal).unwrap().lines().next().unwrap().to_owned();
    let failure = r#"{"index":1,"outcome":{"Err":{"dataset":"d","sample":"s","model":"m","error":"none"}}}"#;
    std::fs::write(&journal, format!("{head}\n{failure}\n")).unwrap();
    refused(&lab, 1, &["b", "--out", "done"], &["done: 1 of the units that are done in it aren't in the shards"]);
    // Fewer of the same are no harm.
    lab.run(0, &["small.toml", "--out", "fewer", "--limit", "1"]);
    lab.run(0, &["merge", "a", "--out", "fewer"]);

    // A run doesn't go on in a shard's folder, nor a shard in another's.
    let run = lab.run(1, &["small.toml", "--out", FIRST]);
    let said = text(&run.stderr);
    assert!(said.contains("records.jsonl: holds shard 1 of 2, not a whole run; start over with --fresh"), "{said}");
    std::fs::rename(lab.path(FIRST), lab.path("a/shards/1-of-3")).unwrap();
    let shard = lab.run(1, &["small.toml", "--out", "a", "--shard", "1/3"]);
    assert!(text(&shard.stderr).contains("holds shard 1 of 2, not shard 1 of 3"), "{}", text(&shard.stderr));
}

#[test]
fn damaged_files_are_named() {
    let lab = lab();
    let broken = |file: &str, damage: &dyn Fn(String) -> String, part: &str| {
        let path = lab.path(SECOND).join(file);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, damage(whole.clone())).unwrap();
        refused(&lab, 1, &["a"], &["a/shards/2-of-2", part]);
        std::fs::write(&path, whole).unwrap();
    };
    broken("records.jsonl", &|text| text + "no line\n", ":3: not a line of a run's journal");
    broken(
        "records.jsonl",
        &|text| text + "{\"index\":1,\"outcome\":{\"Ok\":[5]}}\n",
        ":3: not a line of a run's journal",
    );
    let head = |_| "{\"format\":3,\"identity\":5,\"shard\":\"2/2\"}\n".to_owned();
    broken("records.jsonl", &head, "is of another run than a/shards/1-of-2");
    broken("records.jsonl", &|_| String::new(), "holds no whole line");
    broken(
        "records.jsonl",
        &|text| text.replacen("\"format\":3", "\"format\":4", 1),
        "another version of this program",
    );
    broken(
        "records.jsonl",
        &|text| text.replacen("\"shard\":\"2/2\"", "\"shard\":\"1/2\"", 1),
        "is the journal of shard 1 of 2",
    );
    broken("plan.json", &|text| text[..text.len() / 2].to_owned(), "not what a shard says of its run");
    broken("plan.json", &|text| text.replacen("\"format\": 1", "\"format\": 2", 1), "another version of this program");
    broken("plan.json", &|text| text.replacen("id = 'random'", "id = 'rondom'", 1), "unknown method 'rondom'");
    broken("plan.json", &|text| text.replacen("\"shard\": \"2/2\"", "\"shard\": \"2/0\"", 1), "at least one shard");
    let without = |text: String| {
        let mut plan: serde_json::Value = serde_json::from_str(&text).unwrap();
        plan["datasets"].as_array_mut().unwrap().clear();
        plan.to_string()
    };
    broken("plan.json", &without, "is of 0 data sets, but its config has 1");
    for places in [serde_json::json!([0, 1, 1]), serde_json::json!([0, 1]), serde_json::json!([0, 1, u64::MAX])] {
        let other = |text: String| {
            let mut plan: serde_json::Value = serde_json::from_str(&text).unwrap();
            plan["datasets"][0]["places"] = places.clone();
            plan.to_string()
        };
        broken("plan.json", &other, "the samples of data set 'mini-imagefolder' don't have a place each");
    }
    broken("run.json", &|_| "{".to_owned(), "not what a run writes");

    // A config that this version reads otherwise.
    for shard in [FIRST, SECOND] {
        let path = lab.path(shard).join("plan.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen("step = 8192", "step = 4096", 1)).unwrap();
    }
    refused(
        &lab,
        1,
        &["a"],
        &["another version of this program made it, which differs in config.metrics.0.step (8192 there, 4096 here)"],
    );
}

#[test]
fn where_shards_are_merged_no_gpu_is_needed() {
    let lab = lab();
    lab.run(0, &["merge", "a", "--out", "here"]);
    // As if by a machine with GPUs, of which there may be none here.
    let path = lab.path(SECOND).join("plan.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let there = text.replacen("[output]", "[compute]\\ndevice = 'cuda:31'\\n[output]", 1);
    assert_ne!(there, text);
    std::fs::write(&path, there.replacen("\"device\": null", "\"device\": \"cuda:30\"", 1)).unwrap();
    lab.run(0, &["merge", "a"]);
    folders::assert_same(&lab.path("a"), &lab.path("here"));
}

#[test]
fn a_merge_that_was_stopped_is_done_again() {
    let lab = lab();
    lab.run(0, &["merge", "a", "--out", "whole"]);
    // Stopped at the beginning, among the plates, and before the tables.
    std::fs::create_dir(lab.path("begun")).unwrap();
    std::fs::write(lab.path("begun/records.jsonl"), "").unwrap();
    copy(&lab.path("begun"), &lab.path("plates"));
    copy(&lab.path("whole/gallery"), &lab.path("plates/gallery"));
    let plate = |run: &str| {
        let entries = std::fs::read_dir(lab.path(run).join("gallery")).unwrap();
        entries.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap()
    };
    std::fs::write(plate("plates").join("00.png"), "half").unwrap();
    std::fs::write(plate("plates").join("99.png"), "of another run").unwrap();
    std::fs::write(lab.path("plates/.records.jsonl.1.part"), "half").unwrap();
    copy(&lab.path("whole"), &lab.path("tables"));
    std::fs::remove_file(lab.path("tables/small.md")).unwrap();
    for run in ["begun", "plates", "tables"] {
        lab.run(0, &["merge", "a", "--out", run]);
        folders::assert_same(&lab.path("whole"), &lab.path(run));
    }
    // What can't be is seen, too.
    std::fs::write(plate("whole").join("99.png"), "one file more").unwrap();
    assert_ne!(bytes(&lab.path("whole")), bytes(&lab.path("begun")));
}

#[test]
fn of_very_many_shards_a_few_are_named() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "b", "--shard", "2/65536"]);
    let said = text(&lab.run(1, &["merge", "b"]).stderr);
    assert!(said.contains("\n  shard 1 of 65536 isn't there: ") && said.ends_with("\n  and others\n"), "{said}");
    assert_eq!(said.lines().count(), 34);
}

#[test]
fn maps_that_changed_in_between() {
    let lab = lab();
    let line = |digest: &str| format!("method,ucag,variant,file,sha256\nMine,false,,x.npy,{digest}\n");
    std::fs::write(lab.path(FIRST).join("maps.csv"), line("aa")).unwrap();
    std::fs::write(lab.path(SECOND).join("maps.csv"), line("bb")).unwrap();
    refused(&lab, 1, &["a"], &["a/shards/2-of-2: was made with another map x.npy of 'Mine' than a/shards/1-of-2"]);
}

/// The checksum in a journal's line of this unit.
fn checksum(journal: &str, unit: usize) -> String {
    let line = journal.lines().find(|line| line.starts_with(&format!("{{\"index\":{unit},"))).unwrap();
    serde_json::from_str::<serde_json::Value>(line).unwrap()["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn photos_that_changed_in_between() {
    let lab = lab();
    let config = lab.read("", "small.toml");
    let model = config.split("[[model]]").nth(1).unwrap().split("[[method]]").next().unwrap();
    let second = format!("[[model]]{}layer = 'layer3'\n[[method]]", model.replace("'A'", "'B'"));
    lab.write("small.toml", &config.replacen("[[method]]", &second, 1));
    for shard in ["1/2", "2/2"] {
        lab.run(0, &["small.toml", "--out", "a", "--fresh", "--shard", shard]);
    }
    // Units 0, 1, 4 and 5 are of samples 0 and 2, with A and B.
    let path = format!("{FIRST}/records.jsonl");
    let journal = lab.read("", &path);
    let (read, other) = (checksum(&journal, 4), "00ff".repeat(16));
    assert_eq!(read, checksum(&journal, 5), "a sample is read once");
    assert_ne!(read, checksum(&journal, 0));
    let photo = std::fs::read(lab.path("data/val/disc_checks/disc_checks_0003.png")).unwrap();
    assert_eq!(read, datasets::Checksum::of(&photo).to_string());
    let line = journal.lines().find(|line| line.starts_with("{\"index\":5,")).unwrap();
    lab.write(&path, &journal.replace(line, &line.replace(&read, &other)));
    let said = [
        "sample 'val/disc_checks/disc_checks_0003' was read from other bytes for B in a/shards/1-of-2 (SHA-256 00ff00ff00ff…) than for A in a/shards/1-of-2",
        "do the shard again with --fresh",
    ];
    refused(&lab, 1, &["a"], &said);

    // The folder's own run, which was made from other photos.
    lab.write(&path, &journal);
    lab.run(0, &["small.toml", "--out", "whole"]);
    copy(&lab.path("whole"), &lab.path("out"));
    let all = lab.read("out", "records.jsonl");
    lab.write("out/records.jsonl", &all.replace(&read, &other));
    let before = bytes(&lab.path("out"));
    let refusal = lab.run(1, &["merge", "a", "--out", "out"]);
    assert!(
        text(&refusal.stderr).contains("for A in out (SHA-256 00ff00ff00ff…) than for A in a/shards/1-of-2"),
        "{}",
        text(&refusal.stderr)
    );
    assert_eq!(bytes(&lab.path("out")), before);

    // Shards from before there were checksums are merged, and that is said.
    lab.write(&path, &journal.replace(&format!("\"sha256\":\"{read}\","), ""));
    let merged = lab.run(0, &["merge", "a"]);
    assert!(
        text(&merged.stdout).starts_with("2 units don't say what was read of their samples"),
        "{}",
        text(&merged.stdout)
    );
    assert_eq!(lab.read("a", "samples.csv"), lab.read("whole", "samples.csv"));
}

#[test]
fn the_command_line() {
    let lab = TestRun::with("", &[]);
    for (shard, part) in
        [("0/4", "1/4 to 4/4"), ("5/4", "1/4 to 4/4"), ("1/0", "2/4 for the second"), ("a/b", "2/4 for")]
    {
        let said = text(&lab.run(2, &["small.toml", "--shard", shard]).stderr);
        assert!(said.contains(part), "{said}");
    }
    assert!(text(&lab.run(2, &["merge"]).stderr).contains("<DIR>"));
}
