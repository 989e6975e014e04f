//! The waiter in every order: no job and no wake-up is lost, and the order of jobs is kept.

#![cfg(loom)]

use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicUsize as StdAtomicUsize, Ordering as StdOrdering};

use loom::sync::{Arc, Notify};
use loom::thread;
use mp_conn::Arrivals;
use mp_thread::model::{Attendance, CallUp, Crew};
use mp_thread::waiter::{Event, Interrupt, Waiter};

#[test]
fn jobs_and_a_wake_up_arrive_in_order() {
    loom::model(|| {
        let waiter = Arc::new(Waiter::new());
        let poster = {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || {
                waiter.post(1).unwrap();
                waiter.post(2).unwrap();
            })
        };
        let waker = {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || waiter.wake())
        };
        let mut jobs = Vec::new();
        let mut woken = false;
        while jobs.len() < 2 || !woken {
            match waiter.wait(&arrivals(), None, |_| true) {
                Event::Job(job) => jobs.push(job),
                Event::Woken => woken = true,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(jobs, [1, 2]);
        poster.join().unwrap();
        waker.join().unwrap();
    });
}

#[test]
fn a_job_that_is_not_eligible_waits_its_turn() {
    loom::model(|| {
        let waiter = Arc::new(Waiter::new());
        let poster = {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || {
                waiter.post(1).unwrap();
                waiter.post(2).unwrap();
                waiter.wake();
            })
        };
        // As in a nested wait: only even jobs belong to it, until it is woken.
        let mut nested = Vec::new();
        loop {
            match waiter.wait(&arrivals(), None, |job| job % 2 == 0) {
                Event::Job(job) => nested.push(job),
                Event::Woken => break,
                other => panic!("{other:?}"),
            }
        }
        poster.join().unwrap();
        waiter.close();
        let mut rest = Vec::new();
        while let Event::Job(job) = waiter.next_job(&arrivals()) {
            rest.push(job);
        }
        assert!(nested.iter().all(|job| *job == 2), "{nested:?}");
        nested.extend(&rest);
        nested.sort_unstable();
        assert_eq!(nested, [1, 2]);
    });
}

#[test]
fn a_worker_runs_what_was_posted_before_it_was_closed() {
    loom::model(|| {
        let waiter = Arc::new(Waiter::new());
        let worker = {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || {
                let mut ran = 0;
                while let Event::Job(()) = waiter.next_job(&arrivals()) {
                    ran += 1;
                }
                ran
            })
        };
        let posted = usize::from(waiter.post(()).is_ok());
        waiter.close();
        assert!(waiter.post(()).is_err(), "a closed waiter takes nothing");
        assert_eq!(worker.join().unwrap(), posted);
    });
}

#[test]
fn a_thread_that_waits_elsewhere_is_interrupted() {
    loom::model(|| {
        let waiter = Arc::new(Waiter::<u32>::new());
        let interrupts = StdArc::new(StdAtomicUsize::new(0));
        let counted = StdArc::clone(&interrupts);
        let interrupt: Interrupt = StdArc::new(move || {
            counted.fetch_add(1, StdOrdering::SeqCst);
        });
        let poster = {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || waiter.post(7).unwrap())
        };
        // Either the job was there, or the thread that posts it interrupts the wait.
        let event = waiter.wait_elsewhere(&interrupt, |_| true);
        poster.join().unwrap();
        waiter.back();
        if event.is_none() {
            assert_eq!(
                interrupts.load(StdOrdering::SeqCst),
                1,
                "nobody interrupts the wait"
            );
            assert_eq!(waiter.check(|_| true), Some(Event::Job(7)));
        } else {
            assert_eq!(event, Some(Event::Job(7)));
        }
    });
}

#[test]
fn an_idle_thread_that_waits_elsewhere_hears_of_the_end() {
    loom::model(|| {
        let waiter = Arc::new(Waiter::<u32>::new());
        let interrupts = StdArc::new(StdAtomicUsize::new(0));
        let counted = StdArc::clone(&interrupts);
        let interrupt: Interrupt = StdArc::new(move || {
            counted.fetch_add(1, StdOrdering::SeqCst);
        });
        let closer = {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || waiter.close())
        };
        // A wake-up of an earlier wait must not hide the end.
        waiter.wake();
        let event = waiter.idle_elsewhere(&interrupt);
        closer.join().unwrap();
        waiter.back();
        match event {
            None => {
                assert_eq!(
                    interrupts.load(StdOrdering::SeqCst),
                    1,
                    "nobody interrupts the wait"
                );
                assert_eq!(waiter.idle_elsewhere(&interrupt), Some(Event::Closed));
            }
            event => assert_eq!(event, Some(Event::Closed)),
        }
    });
}

#[test]
fn a_job_that_may_run_elsewhere_is_not_left_behind() {
    loom::model(|| {
        let waiter = Arc::new(Waiter::<u32>::new());
        let attendance = Arc::new(Attendance::new());
        let poster = {
            let (waiter, attendance) = (Arc::clone(&waiter), Arc::clone(&attendance));
            thread::spawn(move || {
                waiter.post(7).unwrap();
                match attendance.added() {
                    true => waiter.take(|_| true),
                    false => Vec::new(),
                }
            })
        };
        // Waits twice, and does not get to run anything.
        let mut moved = Vec::new();
        for _ in 0..2 {
            attendance.attend();
            if attendance.leave() {
                moved.extend(waiter.take(|_| true));
            }
        }
        moved.extend(poster.join().unwrap());
        assert_eq!(moved, [7], "left behind in the queue");
    });
}

#[test]
fn a_worker_whose_job_was_taken_looks_whether_something_is_due() {
    loom::model(|| {
        let waiter = Arc::new(Waiter::<u32>::new());
        let arrivals = arrivals();
        let worker = {
            let (waiter, arrivals) = (Arc::clone(&waiter), StdArc::clone(&arrivals));
            thread::spawn(move || {
                loop {
                    let event = waiter.next_job(&arrivals);
                    if arrivals.is_due() || event == Event::Closed {
                        return event;
                    }
                }
            })
        };
        waiter.post(7).unwrap();
        let left = arrivals.hold();
        drop(waiter.take(|_| true));
        // Where something was left to the worker, nothing else makes it look.
        if !left {
            waiter.close();
        }
        assert_eq!(worker.join().unwrap() != Event::Closed, left);
    });
}

#[test]
fn a_job_that_takes_long_holds_up_no_other_of_its_crew() {
    // Three threads and their waiters have more orders than can be tried.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let team = Team {
            crew: Arc::new(Crew::new()),
            second_ran: Arc::new(Notify::new()),
            first_ran: Arc::new(Notify::new()),
        };
        // After the short one its thread may be idle, or about to be.
        for job in [Job::Short, Job::First, Job::Second] {
            call_up(team.crew.post(job).unwrap(), &team);
        }
        team.first_ran.wait();
        team.crew.close();
        assert!(team.crew.post(Job::Short).is_err());
    });
}

/// What each thread of a crew has.
#[derive(Clone)]
struct Team {
    crew: Arc<Crew<Job>>,
    second_ran: Arc<Notify>,
    first_ran: Arc<Notify>,
}

/// The first waits for the second.
#[derive(Debug)]
enum Job {
    Short,
    First,
    Second,
}

impl Team {
    fn work(&self) {
        let waiter = StdArc::new(Waiter::new());
        self.crew.begin();
        loop {
            while let Some((job, thread)) = self.crew.next(&waiter) {
                call_up(thread, self);
                self.run(job);
            }
            match waiter.next_job(&arrivals()) {
                Event::Job(job) => {
                    call_up(self.crew.come_back(&waiter), self);
                    self.run(job);
                }
                _ => return,
            }
        }
    }

    fn run(&self, job: Job) {
        match job {
            Job::Short => {}
            Job::First => {
                self.second_ran.wait();
                self.first_ran.notify();
            }
            Job::Second => self.second_ran.notify(),
        }
    }
}

fn call_up(thread: Option<CallUp<Job>>, team: &Team) {
    match thread {
        Some(CallUp::Idle(waiter, job)) => waiter.post(job).unwrap(),
        Some(CallUp::New(_)) => {
            let team = team.clone();
            thread::spawn(move || team.work());
        }
        _ => {}
    }
}

/// Those of a connection that nobody else uses.
fn arrivals() -> StdArc<Arrivals> {
    StdArc::default()
}
