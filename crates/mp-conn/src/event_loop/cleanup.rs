//! The thread on which objects of the user's are dropped, so that their destructors may make calls and take time.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use crate::contain::unattended;

/// Something to be done on the cleanup thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// The sending end. The thread ends when it was dropped and all jobs are done.
#[derive(Debug)]
pub(crate) struct Cleanup {
    jobs: Sender<Job>,
}

impl Cleanup {
    pub(crate) fn start(name: &str) -> io::Result<(Self, JoinHandle<()>)> {
        let (jobs, receiver) = channel();
        let thread = thread::Builder::new()
            .name(format!("{name}/cleanup"))
            .spawn(move || run(&receiver))?;
        Ok((Self { jobs }, thread))
    }

    /// Adds a job. Jobs run in the order in which they were added.
    pub(crate) fn post(&self, job: Job) {
        if let Err(refused) = self.jobs.send(job) {
            // The thread is gone only if it could not be started or was killed: the job is still done.
            (refused.0)();
        }
    }
}

fn run(jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        unattended("a destructor", job);
    }
}
