//! Peak memory of a call, counted by the allocator of the program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// A thread that would have more than this is refused, and so stopped: other programs need memory,
/// too.
const MOST: usize = 2 << 30;

thread_local! {
    /// Bytes that this thread asked for and didn't give back; those that another thread gave back
    /// count as there.
    static LIVE: Cell<usize> = const { Cell::new(0) };
    /// The most of them since it was last looked at.
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counted a thread at a time. A test program that measures makes it its
/// `#[global_allocator]`.
#[derive(Debug)]
pub struct Counted;

/// Returns what `call` gives, and by how many bytes the heap of this thread was larger at most
/// while it ran. Memory of libraries in C isn't seen.
pub fn measure<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let given = call();
    (given, PEAK.get().saturating_sub(before))
}

fn grown(bytes: usize) {
    // Threads that are ending have no counters any more.
    let _ = LIVE.try_with(|live| {
        live.set(live.get().saturating_add(bytes));
        PEAK.try_with(|peak| peak.set(peak.get().max(live.get())))
    });
}

fn shrunk(bytes: usize) {
    let _ = LIVE.try_with(|live| live.set(live.get().saturating_sub(bytes)));
}

fn fits(bytes: usize) -> bool {
    LIVE.try_with(|live| live.get().saturating_add(bytes) <= MOST).unwrap_or(true)
}

#[allow(
    unsafe_code,
    reason = "an allocator can't be written without; each function hands on to the system's what it was given"
)]
// SAFETY: memory comes from the system's allocator and goes back to it, with the layouts given.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !fits(layout.size()) {
            return std::ptr::null_mut();
        }
        grown(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !fits(layout.size()) {
            return std::ptr::null_mut();
        }
        grown(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        shrunk(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !fits(size) {
            return std::ptr::null_mut();
        }
        // Both may be there while the content is moved.
        grown(size);
        shrunk(layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}
