//! Ctrl-C, and what a batch system sends.

use std::time::Instant;

use super::victim::{assert_same, journal, signal, small, start, units, wait_for_units};
use crate::lab::text;

#[test]
fn a_run_that_is_interrupted_says_how_to_go_on() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    // Units of many passes: the end may not wait for one.
    let slow = ["--set", "metric=[{id='deletion', step=4}]", "--set", "method=[{id='gradcam', ucag=[false, true]}]"];
    let begin = Instant::now();
    let mut child = start(&lab, "said", &[&["small.toml", "--out", "slow", "--workers", "1"][..], &slow].concat());
    wait_for_units(&lab, &mut child, "slow", 1);
    let unit = begin.elapsed();
    signal(&child, "INT");
    let begin = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{}", lab.read("", "said"));
    assert!(begin.elapsed() < unit, "it waited for its unit");

    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let before = units(&journal(&lab, "run")).0.len();
        let mut child = start(&lab, "said", &["small.toml", "--out", "run", "--workers", "2"]);
        wait_for_units(&lab, &mut child, "run", before + 2);
        signal(&child, name);
        let status = child.wait().unwrap();
        let said = lab.read("", "said");
        assert_eq!(status.code(), Some(code), "{name}: {said}");
        assert!(said.ends_with("stopped; finished units are safe, and the same command resumes\n"), "{said}");
    }
    // Under nohup, it isn't the run's concern that the terminal is gone.
    let before = units(&journal(&lab, "run")).0.len();
    let kept = "trap '' HUP; exec \"$0\" small.toml --out run --workers 1 --limit \"$1\"";
    let mut child = std::process::Command::new("sh");
    child.current_dir(lab.path("")).args(["-c", kept, env!("CARGO_BIN_EXE_bench"), &(before + 6).to_string()]);
    let mut child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    wait_for_units(&lab, &mut child, "run", before + 1);
    signal(&child, "HUP");
    assert_eq!(child.wait().unwrap().code(), Some(0), "a hangup that is ignored");
    assert!(units(&journal(&lab, "run")).0.len() >= before + 6);
    let there = units(&journal(&lab, "run")).0.len();
    let said = text(&lab.run(0, &["small.toml", "--out", "run"]).stderr);
    assert!(there >= 4 && said.contains(&format!("resuming: {there} of")), "{said}");
    assert_same(&lab, "whole", "run");
}
