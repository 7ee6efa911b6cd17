//! A run: units of work, done by a fixed pool of workers, written down one by one.

mod explain;
pub(crate) mod explainer;
pub(crate) mod gallery;
pub mod input;
pub mod progress;
pub(crate) mod row_groups;
pub mod run_json;
pub(crate) mod sample;
pub mod sample_checksums;
mod score;
mod seed;
pub mod signals;
pub(crate) mod target_classes;
pub(crate) mod tensor;
pub(crate) mod timings;
pub mod worker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::io::atomic;
use crate::plan::precomputed::checksums;
use crate::plan::precomputed::checksums::Digests;
use crate::plan::shard::FOLDER;
use crate::plan::{ModelIndex, Plan, SampleIndex, UnitId};
use crate::records::journal::Journal;
use crate::records::saved_maps;
use crate::records::{Failure, Unit};
use crate::run::progress::Progress;
use crate::run::sample_checksums::SampleChecksums;
use crate::run::timings::Timings;
use crate::run::worker::{Done, Worker};

/// The result of a run.
pub struct CompletedRun {
    /// The journal, which has every unit of the plan. Nobody else writes to it as long as this is
    /// held.
    pub journal: Journal,
    /// The plan's units, by data set, sample and model.
    pub units: Vec<UnitId>,
    /// Number of units that an earlier run had done.
    pub resumed: usize,
    /// Seconds by stage, all workers together, of this run alone.
    pub stages: BTreeMap<&'static str, f64>,
    /// Seconds on the wall, of this run alone.
    pub wall: f64,
    /// Problems that change no number, in order.
    pub remarks: Vec<String>,
}

impl CompletedRun {
    /// Hands over the units one by one, in order.
    ///
    /// # Errors
    /// As [`Reader::each`](crate::records::journal::Reader::each).
    pub fn each(&self, visit: impl FnMut(Unit) -> Result<()>) -> Result<()> {
        self.journal.each(self.units.iter().copied(), visit)
    }

    /// Samples that could not be scored, in order.
    ///
    /// # Errors
    /// As [`Self::each`].
    pub fn failures(&self) -> Result<Vec<Failure>> {
        self.journal.failures(&self.units)
    }
}

/// Runs what isn't done yet. Units that failed in an earlier run are tried again, and those whose
/// sheets aren't in the gallery are done again.
///
/// # Errors
/// Where the run folder can't be used, a record can't be written, or, with `strict`, a unit fails.
/// What was written stays.
pub fn run(plan: &Plan, fresh: bool, strict: bool) -> Result<CompletedRun> {
    let dir = &plan.config.output.dir;
    let shard = plan.whole.as_ref().map(|whole| whole.shard);
    let mut journal = Journal::open_part(dir, &plan.identity(), shard, fresh)?;
    let samples_read = SampleChecksums::check(plan, &journal)?;
    atomic::remove_partial_files(dir, FOLDER)
        .with_context(|| format!("{}: leftovers can't be removed", dir.display()))?;
    if let Some(whole) = &plan.whole {
        whole.write(dir, plan.config.output.published.as_deref())?;
    }
    let maps = checksums::verify(dir, &plan.maps, journal.units().next().is_some())?;
    let mut units = plan.units();
    let bare = gallery::missing(plan, &dir.join("gallery"));
    let todo = units.iter().copied().filter(|unit| !journal.is_done(*unit) || bare.contains(unit)).collect::<Vec<_>>();
    let resumed = units.len() - todo.len();
    if resumed == 0 {
        saved_maps::clear(&dir.join("gallery"))?;
    }
    let start = Instant::now();
    let stages = Timings::on(plan.config.compute.device);
    let progress = Progress::new(units.len(), resumed);
    for data in &plan.data {
        let made = data.made.then(|| "made on this first use".to_owned());
        made.iter().chain(&data.remarks).for_each(|remark| progress.note(&format!("{}: {remark}", data.name)));
    }
    for row in plan.maps.rows.iter().filter(|row| row.missing > 0) {
        progress.note(&row.describe());
    }
    for remark in plan.models.iter().flat_map(|model| model.facts().remarks().collect::<Vec<_>>()) {
        progress.note(&remark);
    }
    samples_read.remark().iter().for_each(|remark| progress.note(remark));
    // A unit with slow methods may take an hour: what goes through the networks shows that it is
    // alive.
    let wait = || progress.wait(plan.models.iter().map(crate::plan::Model::views).sum());
    let mut remarks = BTreeMap::new();
    work(plan, &todo, &stages, (&maps, &samples_read), wait, |Done { unit, remarks: own }| {
        // One that was done again for its sheet keeps what it has.
        if unit.outcome.is_ok() || !journal.is_done(unit.index) {
            journal.append(&unit)?;
        }
        own.iter().for_each(|remark| progress.note(remark));
        remarks.insert(unit.index, own);
        if let Err(failure) = &unit.outcome {
            progress.note(&format!("failed: {} with {}: {}", failure.sample, failure.model, failure.error));
            if strict {
                bail!(
                    "{} with {}: {} (--strict stops at the first failure)",
                    failure.sample,
                    failure.model,
                    failure.error
                );
            }
        }
        progress.step();
        Ok(())
    })?;
    progress.finish();
    // Data sets one after the other, samples in their order.
    units.sort_by_key(|&unit| plan.models[plan.unit(unit).1.0].dataset);
    let (stages, wall) = (stages.seconds(), start.elapsed().as_secs_f64());
    Ok(CompletedRun { journal, units, resumed, stages, wall, remarks: remarks.into_values().flatten().collect() })
}

/// Hands the units out, in order, to a fixed pool of workers, and every finished one to `finish` on
/// this thread, which calls `wait` once a second while there is none. One libtorch thread a worker:
/// on work this small more of them cost more than they give, and results must not depend on how
/// many there are.
fn work(
    plan: &Plan,
    todo: &[UnitId],
    stages: &Timings,
    read: (&Digests, &SampleChecksums),
    wait: impl Fn(),
    mut finish: impl FnMut(Done) -> Result<()>,
) -> Result<()> {
    tch::set_num_threads(1);
    let workers = plan.config.compute.workers.min(todo.len()).max(1);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .thread_name(|i| format!("worker-{i}"))
        .build()
        .context("the worker threads can't be started")?;
    // Tensors may be sent to a thread but not shared between threads, so each worker takes handles
    // of its own.
    let handles = || plan.models.iter().map(crate::plan::Model::shallow_clone).collect::<Result<Vec<_>>>();
    let slots = (0..workers).map(|_| Ok(Mutex::new(Some(handles()?)))).collect::<Result<Vec<_>>>()?;
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    // The plan itself can't be shared: its models hold tensors.
    let (config, data) = (&plan.config, &plan.data[..]);
    let jobs: Vec<(UnitId, (SampleIndex, ModelIndex))> = todo.iter().map(|&unit| (unit, plan.unit(unit))).collect();
    std::thread::scope(|scope| {
        let (slots, next, stop, jobs) = (&slots, &next, &stop, &jobs);
        scope.spawn(move || {
            pool.broadcast(|context| {
                tch::set_num_threads(1);
                let models = slots[context.index()].lock().ok().and_then(|mut slot| slot.take());
                let mut worker = Worker::new(config, data, models.unwrap_or_default(), stages, read);
                while !stop.load(Ordering::Relaxed) {
                    let Some(&(unit, parts)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    if sender.send(worker.unit(unit, parts)).is_err() {
                        break;
                    }
                }
            });
        });
        loop {
            match receiver.recv_timeout(Duration::from_secs(1)) {
                Ok(done) => {
                    if let Err(error) = done.and_then(&mut finish) {
                        stop.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
                Err(RecvTimeoutError::Timeout) => wait(),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    })
}
