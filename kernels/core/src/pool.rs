//! An explicit thread count: kernels run in the pool that they are handed, never in rayon's global one.

use rayon::ThreadPool;

/// Below this many elementary steps a kernel stays on the calling thread: waking a pool costs tens
/// of microseconds, more than the work.
pub const PARALLEL_THRESHOLD: usize = 1 << 13;

/// Threads for kernels.
pub struct Pool {
    pool: ThreadPool,
}

impl Pool {
    /// A pool of `threads` threads (at least one).
    ///
    /// # Errors
    /// The text of the operating system's refusal to start threads.
    pub fn new(threads: usize) -> std::result::Result<Self, String> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|i| format!("deepprove-{i}"))
            .build()
            .map(|pool| Self { pool })
            .map_err(|e| e.to_string())
    }

    /// The thread count.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs `work` inside the pool. Everything that calls rayon goes through here: outside, rayon
    /// would take its global pool and ignore the thread count.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }

    /// Runs `work` of not more than `steps` elementary steps, which calls rayon at most where a part of it
    /// has [`PARALLEL_THRESHOLD`] of them: below that it stays on the calling thread, since on a busy machine
    /// handing it to another takes milliseconds.
    pub fn run<R: Send>(&self, steps: usize, work: impl FnOnce() -> R + Send) -> R {
        if steps < PARALLEL_THRESHOLD { work() } else { self.install(work) }
    }
}
