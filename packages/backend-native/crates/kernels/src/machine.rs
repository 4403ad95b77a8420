//! What kernels run on.

use crate::pool::Pool;
use crate::scratch::Scratch;
use crate::simd::{Isa, Job, Simd};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Threads, their instructions, and memory for what a kernel shares between its threads.
pub struct Machine {
    pub isa: Isa,
    pub pool: Pool,
    shared: Mutex<Scratch>,
}

impl Machine {
    pub fn new(isa: Isa, threads: usize) -> Machine {
        Machine {
            isa,
            pool: Pool::new(threads),
            shared: Mutex::new(Scratch::default()),
        }
    }

    /// Memory that outlives a parallel region. One kernel at a time has it.
    pub fn shared(&self) -> MutexGuard<'_, Scratch> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a task for each of `0..tasks`, on all threads, with this processor's instructions.
    pub fn each<T: Task>(&self, tasks: usize, task: &T) {
        self.pool.run(tasks, |index, scratch| {
            self.isa.run(One {
                task,
                index,
                scratch,
            })
        });
    }
}

/// One of many tasks of a kernel. `run` must be `#[inline(always)]`, as a job's.
pub trait Task: Sync {
    /// # Safety
    /// Inside of a job of `simd`; every index is run once.
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, scratch: &mut Scratch);
}

struct One<'a, T> {
    task: &'a T,
    index: usize,
    scratch: &'a mut Scratch,
}

impl<T: Task> Job for One<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // SAFETY: `Isa::run` calls this with instructions that are there, the pool once an index.
        unsafe { self.task.run(simd, self.index, self.scratch) }
    }
}
