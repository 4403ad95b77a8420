//! Threads that wait for work: one parallel region after the other, each split into tasks.

use crate::scratch::Scratch;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a thread looks for more work before it sleeps: from one region to the next takes less,
/// and whoever else needs the processor gets it soon.
const PATIENCE: Duration = Duration::from_micros(60);

type Run<'a> = dyn Fn(usize, &mut Scratch) + Sync + 'a;

/// A region's work as the threads see it.
#[derive(Clone, Copy)]
struct Region {
    run: *const Run<'static>,
    tasks: usize,
}

// SAFETY: what it points to is `Sync`, and outlives the region (see `Pool::run`).
unsafe impl Send for Region {}

struct Shared {
    /// Grows by one with every region.
    round: AtomicUsize,
    region: Mutex<Option<Region>>,
    next: AtomicUsize,
    /// Helpers that are in the region. It grows only while `region` is locked and there.
    busy: AtomicUsize,
    panicked: AtomicBool,
    stop: AtomicBool,
}

/// The thread that calls and its helpers.
pub struct Pool {
    shared: Arc<Shared>,
    helpers: Vec<(Thread, JoinHandle<()>)>,
    own: Mutex<Scratch>,
}

impl Pool {
    /// A pool of `threads` threads, the caller's included.
    pub fn new(threads: usize) -> Pool {
        let shared = Arc::new(Shared {
            round: AtomicUsize::new(0),
            region: Mutex::new(None),
            next: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let helpers = (1..threads.max(1))
            .filter_map(|i| {
                let shared = Arc::clone(&shared);
                let made = thread::Builder::new().name(format!("dino-{i}"));
                // With fewer threads than asked for everything still works.
                let handle = made.spawn(move || help(&shared)).ok()?;
                Some((handle.thread().clone(), handle))
            })
            .collect();
        Pool {
            shared,
            helpers,
            own: Mutex::new(Scratch::default()),
        }
    }

    /// The threads that share the work, the caller's included.
    pub fn threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Runs `task(0)` to `task(tasks - 1)`, each once, on any thread, and returns when all have
    /// ended. A panic of any of them is the caller's. Regions do not nest.
    pub fn run(&self, tasks: usize, task: impl Fn(usize, &mut Scratch) + Sync) {
        let mut own = lock(&self.own);
        if tasks <= 1 || self.helpers.is_empty() {
            for i in 0..tasks {
                task(i, &mut own);
            }
            return;
        }
        let shared = &*self.shared;
        let run: &Run<'_> = &task;
        let run: *const Run<'_> = run;
        // SAFETY: only the lifetime changes; this function does not return before every helper
        // has left the region.
        let run: *const Run<'static> = unsafe { std::mem::transmute(run) };
        shared.next.store(0, Ordering::Relaxed);
        *lock(&shared.region) = Some(Region { run, tasks });
        shared.round.fetch_add(1, Ordering::Release);
        for (thread, _) in &self.helpers {
            thread.unpark();
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| work(shared, &task, tasks, &mut own)));
        // Closed: a helper that wakes up too late stays out.
        *lock(&shared.region) = None;
        let mut turns = 0_u32;
        while shared.busy.load(Ordering::Acquire) > 0 {
            turns += 1;
            if turns < 20_000 {
                std::hint::spin_loop()
            } else {
                thread::yield_now()
            }
        }
        if let Err(panic) = outcome {
            shared.panicked.store(false, Ordering::Relaxed);
            resume_unwind(panic);
        }
        if shared.panicked.swap(false, Ordering::Relaxed) {
            panic!("a thread of the pool failed");
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        for (thread, _) in &self.helpers {
            thread.unpark();
        }
        for (_, handle) in self.helpers.drain(..) {
            // A helper catches its panics, so there is nothing to learn from it.
            let _ = handle.join();
        }
    }
}

fn work(shared: &Shared, task: &Run<'_>, tasks: usize, scratch: &mut Scratch) {
    loop {
        let i = shared.next.fetch_add(1, Ordering::Relaxed);
        if i >= tasks {
            return;
        }
        task(i, scratch);
    }
}

fn help(shared: &Shared) {
    let mut scratch = Scratch::default();
    let mut seen = 0;
    while let Some(round) = wait(shared, seen) {
        seen = round;
        let Some(region) = enter(shared) else {
            continue;
        };
        // SAFETY: the region's owner waits until `busy` has gone down.
        let task = unsafe { &*region.run };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            work(shared, task, region.tasks, &mut scratch)
        }));
        if outcome.is_err() {
            shared.panicked.store(true, Ordering::Relaxed);
        }
        shared.busy.fetch_sub(1, Ordering::Release);
    }
}

/// The region, if it is still open; this thread is then in it.
fn enter(shared: &Shared) -> Option<Region> {
    let open = lock(&shared.region);
    if open.is_some() {
        shared.busy.fetch_add(1, Ordering::Relaxed);
    }
    *open
}

/// The next region's number, or none when the pool ends.
fn wait(shared: &Shared, seen: usize) -> Option<usize> {
    let mut since = Instant::now();
    loop {
        for _ in 0..200 {
            if shared.stop.load(Ordering::Acquire) {
                return None;
            }
            let round = shared.round.load(Ordering::Acquire);
            if round != seen {
                return Some(round);
            }
            std::hint::spin_loop();
        }
        if since.elapsed() > PATIENCE {
            thread::park();
            since = Instant::now();
        }
    }
}

/// A panic in between leaves nothing half-done in what is locked here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn every_task_runs_once_in_every_region() {
        let pool = Pool::new(3);
        assert_eq!(pool.threads(), 3);
        for tasks in [0, 1, 2, 3, 100] {
            for _ in 0..200 {
                let counts: Vec<AtomicU32> = (0..tasks).map(|_| AtomicU32::new(0)).collect();
                pool.run(tasks, |i, _| {
                    counts[i].fetch_add(1, Ordering::Relaxed);
                });
                assert!(
                    counts
                        .iter()
                        .all(|count| count.load(Ordering::Relaxed) == 1)
                );
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(2);
        for _ in 0..20 {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.run(8, |i, _| assert!(i != 5, "task five"));
            }));
            assert!(outcome.is_err());
            pool.run(8, |_, _| {});
        }
    }
}
