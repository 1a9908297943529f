//! An explicit thread count: kernels run in the pool that they are handed, never in rayon's global one.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Below this many elementary steps a kernel stays on the calling thread: waking a pool costs tens
/// of microseconds, more than the work.
pub const PARALLEL_THRESHOLD: usize = 1 << 13;

/// Threads for kernels. A pool of one starts it when it is first needed: a verifier of a small model needs none.
pub struct Pool {
    threads: usize,
    pool: OnceLock<ThreadPool>,
}

impl Pool {
    /// A pool of `threads` threads (at least one).
    ///
    /// # Errors
    /// The text of the operating system's refusal to start threads, of more than one.
    pub fn new(threads: usize) -> Result<Self, String> {
        let threads = threads.max(1);
        let pool = if threads == 1 { OnceLock::new() } else { start(threads)?.into() };
        Ok(Self { threads, pool })
    }

    /// The thread count.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` inside the pool. Everything that calls rayon goes through here: outside, rayon
    /// would take its global pool and ignore the thread count.
    ///
    /// # Panics
    /// Where the operating system does not start the only thread of a pool.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.get_or_init(|| start(self.threads).expect("a thread starts")).install(work)
    }

    /// Runs `work` of not more than `steps` elementary steps, which calls rayon at most where a part of it
    /// has [`PARALLEL_THRESHOLD`] of them: below that it stays on the calling thread, since on a busy machine
    /// handing it to another takes milliseconds.
    pub fn run<R: Send>(&self, steps: usize, work: impl FnOnce() -> R + Send) -> R {
        if steps < PARALLEL_THRESHOLD { work() } else { self.install(work) }
    }
}

fn start(threads: usize) -> Result<ThreadPool, String> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("deepprove-{i}"));
    pool.build().map_err(|error| error.to_string())
}
