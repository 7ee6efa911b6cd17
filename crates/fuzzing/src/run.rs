//! Feeds damaged files to a parser.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::damage::any_damage;
use crate::{Target, heap};

/// Memory that a parser may take whatever the file, in bytes.
const ROOM: usize = 64 << 20;
/// No file takes longer. What takes 50 ms was seen to take 3.5 s on a busy machine of two cores, so
/// this is generous.
const LONGEST: Duration = Duration::from_secs(30);

/// The amount of work to do.
#[derive(Debug, Clone)]
pub struct Effort {
    /// Damaged files for each parser.
    pub cases: u32,
    /// Seed of the files: the same number, the same files.
    pub seed: u64,
    /// Folder of the file that is being parsed, so that it is there if the program is killed.
    pub folder: PathBuf,
}

/// The outcome.
#[derive(Debug, Clone)]
pub struct Totals {
    name: &'static str,
    cases: u64,
    accepted: u64,
    peak: usize,
    slowest: Duration,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, cases, accepted, peak, slowest } = self;
        let refused = cases - accepted;
        let peak = *peak as f64 / f64::from(1 << 20);
        write!(
            f,
            "{name}: {cases} files, {accepted} accepted, {refused} refused; at most {peak:.1} MiB and {} ms",
            slowest.as_millis()
        )
    }
}

/// Parses the whole files, which must be accepted, and then damaged ones.
///
/// # Panics
/// Where the parser panics, takes too much memory, refuses a whole file, or refuses another one
/// without a message. The message names a file with the least damage that was found to do it. Where
/// it takes too long, the program ends.
pub fn check(target: &Target, effort: &Effort) -> Totals {
    let seeds = (target.seeds)();
    let attempt = Attempt::new(target, &effort.folder);
    for (number, seed) in seeds.iter().enumerate() {
        let problem = attempt.checked(seed).and_then(|outcome| outcome.map_err(|said| format!("is refused: {said}")));
        if let Err(problem) = problem {
            panic!("{}: whole file {number} {problem}", target.name);
        }
    }
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&effort.seed.to_le_bytes());
    bytes[8..].iter_mut().zip(target.name.bytes()).for_each(|(place, byte)| *place = byte);
    let config =
        Config { cases: effort.cases, failure_persistence: None, max_shrink_time: 60_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&any_damage(), |damage| {
        let bytes = damage.bytes(&seeds, target.words, target.mend);
        attempt.checked(&bytes).map(drop).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => attempt.totals(),
        Err(TestError::Fail(reason, damage)) => {
            let bytes = damage.bytes(&seeds, target.words, target.mend);
            let path = effort.folder.join(format!("{}.failed", target.name));
            let kept = match std::fs::write(&path, &bytes) {
                Ok(()) => path.display().to_string(),
                Err(error) => format!("a file that can't be kept ({error})"),
            };
            panic!("{}: {reason}, with {kept}: {}\n{damage:?}", target.name, shown(&bytes));
        }
        Err(TestError::Abort(reason)) => panic!("{}: {reason}", target.name),
    }
}

/// Parses one file.
///
/// # Errors
/// Where it is refused.
///
/// # Panics
/// As [`check`] does.
pub fn one(target: &Target, bytes: &[u8], folder: &Path) -> Result<(), String> {
    let checked = Attempt::new(target, folder).checked(bytes);
    checked.unwrap_or_else(|problem| panic!("{}: {problem}", target.name))
}

/// Bytes as far as they can be read.
fn shown(bytes: &[u8]) -> String {
    let (start, rest) = bytes.split_at(bytes.len().min(400));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} bytes more", rest.len()) };
    format!("b\"{}\"{more}", start.escape_ascii())
}

/// A parser, watched.
struct Attempt<'a> {
    target: &'a Target,
    /// The file that is being parsed.
    file: PathBuf,
    watch: Watch,
    cases: Cell<u64>,
    accepted: Cell<u64>,
    peak: Cell<usize>,
    slowest: Cell<Duration>,
}

impl<'a> Attempt<'a> {
    fn new(target: &'a Target, folder: &Path) -> Self {
        let file = folder.join(format!("{}.last", target.name));
        let watch = Watch::new(target.name, &file);
        let (cases, accepted, peak, slowest) = Default::default();
        Self { target, file, watch, cases, accepted, peak, slowest }
    }

    /// Returns what comes of a file, or why that can't be.
    fn checked(&self, bytes: &[u8]) -> Result<Result<(), String>, String> {
        let (outcome, peak) = self.parse(bytes);
        let outcome = outcome?;
        if outcome.as_ref().is_err_and(String::is_empty) {
            return Err("refused without a message".into());
        }
        let room = ROOM + self.target.growth * bytes.len();
        if peak > room {
            return Err(format!("takes {peak} bytes of memory for {}; at most {room} are expected", bytes.len()));
        }
        Ok(outcome)
    }

    /// Returns what comes of a file, or the panic that does, and the memory that it took.
    fn parse(&self, bytes: &[u8]) -> (Result<Result<(), String>, String>, usize) {
        std::fs::write(&self.file, bytes).unwrap_or_else(|error| panic!("{}: {error}", self.file.display()));
        let started = self.watch.start();
        let (outcome, peak) = heap::measure(|| quietly(|| (self.target.parse)(bytes)));
        self.watch.stop();
        let taken = started.elapsed();
        if taken > self.slowest.replace(self.slowest.get().max(taken)) {
            // Kept to be looked at; nothing depends on it.
            let _ = std::fs::write(self.file.with_extension("slowest"), bytes);
        }
        self.peak.set(self.peak.get().max(peak));
        self.cases.set(self.cases.get() + 1);
        self.accepted.set(self.accepted.get() + u64::from(matches!(outcome, Ok(Ok(())))));
        (outcome, peak)
    }

    fn totals(&self) -> Totals {
        Totals {
            name: self.target.name,
            cases: self.cases.get(),
            accepted: self.accepted.get(),
            peak: self.peak.get(),
            slowest: self.slowest.get(),
        }
    }
}

thread_local! {
    /// True if a panic is to be kept and not shown, and the last one that was.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Returns what a call gives, or where it panicked and why. While the least damage is looked for
/// there may be thousands of those, each with its backtrace.
fn quietly<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let shown = take_hook();
        set_hook(Box::new(move |panic| if QUIET.get() { PANIC.set(panic.to_string()) } else { shown(panic) }));
    });
    QUIET.set(true);
    let given = catch_unwind(AssertUnwindSafe(call));
    QUIET.set(false);
    given.map_err(|_| PANIC.take().replace('\n', " "))
}

/// Ends the program where a file takes too long: a call that doesn't come back can't be stopped
/// otherwise.
struct Watch {
    origin: Instant,
    /// Milliseconds from the origin to when the current file was begun, and one more; 0 where there
    /// is none.
    begun: Arc<AtomicU64>,
}

impl Watch {
    fn new(name: &'static str, file: &Path) -> Self {
        let (origin, begun, file) = (Instant::now(), Arc::new(AtomicU64::new(0)), file.to_owned());
        let seen = Arc::downgrade(&begun);
        std::thread::spawn(move || {
            while let Some(begun) = seen.upgrade() {
                let begun = begun.load(Ordering::Relaxed);
                let now = origin.elapsed().as_millis() as u64;
                if begun > 0 && now > begun + LONGEST.as_millis() as u64 {
                    let _ =
                        writeln!(std::io::stderr(), "{name}: takes longer than {LONGEST:?} with {}", file.display());
                    std::process::exit(101);
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Self { origin, begun }
    }

    fn start(&self) -> Instant {
        self.begun.store(self.origin.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        Instant::now()
    }

    fn stop(&self) {
        self.begun.store(0, Ordering::Relaxed);
    }
}
