//! Progress on standard error: a bar with rate and time left on a terminal, plain lines otherwise.

use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// Progress of a run, in units of work.
pub struct Progress {
    bar: ProgressBar,
    /// Set where standard error is no terminal: when the last plain line was printed.
    plain: Option<Cell<Instant>>,
    start: Instant,
    resumed: u64,
}

impl Progress {
    /// Progress towards `total` units, of which `resumed` were done before.
    pub fn new(total: usize, resumed: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(total as u64) } else { ProgressBar::hidden() };
        bar.set_length(total as u64);
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len}  {per_sec}  {eta} left  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_position(resumed as u64);
        bar.reset_eta();
        let progress = Self {
            bar,
            plain: (!terminal).then(|| Cell::new(Instant::now())),
            start: Instant::now(),
            resumed: resumed as u64,
        };
        if resumed > 0 {
            progress.note(&format!("resuming: {resumed} of {total} units are done"));
        }
        progress
    }

    /// One more unit is done.
    pub fn step(&self) {
        self.bar.inc(1);
        let Some(last) = &self.plain else { return };
        if last.get().elapsed() >= Duration::from_secs(10) {
            last.set(Instant::now());
            self.line();
        }
    }

    /// Nothing is done yet, but `views` images or views went through the networks so far.
    pub fn wait(&self, views: u64) {
        self.bar.set_message(format!("{views} views"));
        let Some(last) = &self.plain else { return };
        if last.get().elapsed() >= Duration::from_secs(60) {
            last.set(Instant::now());
            let (done, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
            self.note(&format!("{done}/{total} units, {views} views through the networks so far"));
        }
    }

    fn line(&self) {
        let (done, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let here = (done - self.resumed) as f64;
        let seconds = self.start.elapsed().as_secs_f64();
        let left = Duration::from_secs_f64(seconds / here.max(1.0) * (total - done) as f64);
        self.note(&format!(
            "{done}/{total} units, {:.2} a second, {} left",
            here / seconds.max(1e-9),
            HumanDuration(left)
        ));
    }

    /// Says something without disturbing the bar.
    pub fn note(&self, text: &str) {
        self.bar.suspend(|| crate::tell(text));
    }

    /// All is done.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
        if self.plain.is_some() && self.bar.position() > self.resumed {
            self.line();
        }
    }
}
