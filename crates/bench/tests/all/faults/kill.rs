//! SIGKILL at random moments of start-up, units and report.

use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::victim::{SAMPLES, assert_same, journal, report, small, start, tell, units, wait_until};
use crate::lab::TestRun;

/// Samples whose images are broken. A failure is announced on standard error at once, so that what
/// was announced can be compared with what is there; and as the last sample is one of them, every
/// run ends its units by writing a line.
const BROKEN: [&str; 3] = ["disc_checks/disc_checks_0004", "disc_stripes/disc_stripes_0002", LAST];
const LAST: &str = "ring_checks/ring_checks_0004";
const GOOD: usize = SAMPLES - BROKEN.len();

/// Times of the parts of an undisturbed run.
struct Times {
    start_up: Duration,
    unit: Duration,
    report: Duration,
}

/// An undisturbed run, into the folder `whole`.
fn undisturbed(lab: &TestRun) -> Times {
    lab.run(0, &["small.toml", "--out", "first", "--limit", "1"]);
    for sample in BROKEN {
        std::fs::write(lab.path(&format!("data/val/{sample}.png")), "no image").unwrap();
    }
    let begin = Instant::now();
    let mut child = start(lab, "said", &["small.toml", "--out", "whole", "--workers", "1"]);
    let mut wait = |what, lines: usize| {
        let count = || journal(lab, "whole").iter().filter(|&&byte| byte == b'\n').count();
        assert!(wait_until(&mut child, what, || count() >= lines).is_none());
        begin.elapsed()
    };
    let (begun, scored) = (wait("header", 1), wait("last unit", 1 + SAMPLES));
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let times = Times { start_up: begun, unit: (scored - begun) / SAMPLES as u32, report: begin.elapsed() - scored };
    let (done, failed) = units(&journal(lab, "whole"));
    assert_eq!((done.len(), failed.len()), (GOOD, BROKEN.len()));
    times
}

/// The part of a run that a kill hit.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    StartUp,
    Units,
    Report,
}

#[test]
fn nothing_is_lost_or_doubled_by_kills_at_random_moments() {
    let kills: usize = std::env::var("BENCH_KILLS").map_or(50, |kills| kills.parse().expect("BENCH_KILLS is a number"));
    let lab = small();
    let times = undisturbed(&lab);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let (mut hit, mut late, mut rounds, mut run) = ([0; 3], 0, 1, "killed-1".to_owned());
    while hit.iter().sum::<usize>() < kills {
        assert!(late < kills, "most runs end before they are killed");
        let number: usize = hit.iter().sum();
        // Six of ten in units, and no two of ten in the same way.
        let phase = [Phase::StartUp, Phase::Units, Phase::Units, Phase::Report, Phase::Units][number % 5];
        if phase == Phase::Units && units(&journal(&lab, &run)).0.len() == GOOD {
            finish(&lab, &run);
            rounds += 1;
            run = format!("killed-{rounds}");
        }
        let part = |whole: Duration, share: f64| whole.mul_f64(share);
        let delay = match phase {
            Phase::StartUp => part(times.start_up, random.random_range(0.0..1.0)),
            Phase::Units => part(times.unit, random.random_range(0.0..4.0)),
            Phase::Report => part(times.report, random.random_range(0.0..0.8)),
        };
        match kill(&lab, &run, phase, delay, ["1", "2"][number / 5 % 2]) {
            Some(phase) => hit[phase as usize] += 1,
            None => late += 1,
        }
    }
    finish(&lab, &run);
    let [start_up, in_units, in_report] = hit;
    tell(&format!(
        "{kills} kills: {start_up} in start-up, {in_units} in units, {in_report} in the report, in {rounds} runs; {late} came too late"
    ));
    if kills >= 10 {
        assert!(hit.iter().all(|&count| count > 0), "every part of a run is hit: {hit:?}");
    }
}

/// Starts a run, kills it `delay` after the phase has begun, and looks at what it left. Says what
/// it was doing; none where it had ended.
fn kill(lab: &TestRun, run: &str, phase: Phase, delay: Duration, workers: &str) -> Option<Phase> {
    let before = journal(lab, run);
    let (done_before, _) = units(&before);
    let mut child = start(lab, "said", &["small.toml", "--out", run, "--workers", workers]);
    let scored = |now: &[u8]| {
        let new = String::from_utf8_lossy(now.get(before.len()..).unwrap_or_default()).into_owned();
        new.contains(LAST) && units(now).0.len() == GOOD
    };
    wait_until(&mut child, "the phase", || match phase {
        Phase::StartUp => true,
        Phase::Units => units(&journal(lab, run)).0.len() > done_before.len(),
        Phase::Report => scored(&journal(lab, run)),
    });
    std::thread::sleep(delay);
    child.kill().unwrap();
    let ended = child.wait().unwrap().code();
    let now = journal(lab, run);
    assert!(now.starts_with(&before), "what the journal held is there");
    let (_, failed) = units(&now);
    let said = lab.read("", "said");
    if !done_before.is_empty() && said.contains("units are done") {
        let expected = format!("resuming: {} of {SAMPLES} units are done", done_before.len());
        assert!(said.contains(&expected), "{expected}: {said}");
    }
    for announced in said.lines().filter_map(|line| line.strip_prefix("failed: ")) {
        let sample = announced.split(" with ").next().unwrap();
        assert!(failed.iter().any(|known| known == sample), "{sample} was announced, and isn't there");
    }
    // Files are those of the undisturbed run or aren't there yet; those that are being written can
    // be told by their names.
    let whole = report(lab, "whole");
    for (name, bytes) in report(lab, run) {
        let hidden = name.rsplit('/').next().unwrap().starts_with('.');
        assert!(hidden || whole.get(&name) == Some(&bytes), "{name} is half written, or shouldn't be there");
    }
    if let Ok(text) = std::fs::read(lab.path(run).join("run.json")) {
        serde_json::from_slice::<serde_json::Value>(&text).expect("run.json is whole");
    }
    match ended {
        Some(_) => None,
        None if scored(&now) => Some(Phase::Report),
        None if now.len() > before.len().max(now.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1)) => {
            Some(Phase::Units)
        }
        None => Some(Phase::StartUp),
    }
}

/// Lets a run finish.
fn finish(lab: &TestRun, run: &str) {
    let before = journal(lab, run);
    lab.run(3, &["small.toml", "--out", run]);
    assert!(journal(lab, run).starts_with(&before));
    assert_same(lab, "whole", run);
}
