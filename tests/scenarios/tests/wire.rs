//! What is said on the wire when the calculator solves an equation, message by message.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use calculator::local::CalculatorInit;
use calculator::{Calculator, Init, Printer};
use multiprocess::{Connection, Error};
use patience::{start, within_deadline};
use scenarios::pair::event_loop;
use scenarios::record::{Call, Cap, End, Recorder, Said, Target, What};

const THREAD_MAP: u64 = 0xee5e_3717_9ad9_dc9d;
const MAKE_THREAD: u16 = 0;
const CONSTRUCT: u16 = 0;
const MAKE_CALCULATOR: u16 = 1;
const MAKE_PRINTER: u16 = 2;
const SOLVE_EQUATION: u16 = 1;
const PRINT: u16 = 1;

/// Three ends as the example has them: one that starts the others, a printer, and a calculator that prints through the first.
struct Parties {
    printer: calculator::InitClient,
    calculator: calculator::InitClient,
    to_printer: Recorder,
    to_calculator: Recorder,
    printed: Arc<Mutex<Vec<(String, String)>>>,
    _served: [Connection; 2],
}

impl Parties {
    fn new() -> Self {
        let printed = Arc::default();
        let init: Arc<dyn Init> = Arc::new(NotingInit(Arc::clone(&printed)));
        let (printer, to_printer, print) = connected("mpprinter", init);
        let (calculator, to_calculator, calc) = connected("mpcalculator", Arc::new(CalculatorInit));
        Self {
            printer,
            calculator,
            to_printer,
            to_calculator,
            printed,
            _served: [print, calc],
        }
    }
}

/// A calculator's equation: every call goes to the object and on the thread that it should, with the handles that it should.
#[test]
fn solving_an_equation_says_the_calls_that_it_should() {
    within_deadline(|| {
        let parties = Parties::new();
        let printed = Arc::clone(&parties.printed);
        let (to_printer, to_calculator) =
            (parties.to_printer.clone(), parties.to_calculator.clone());
        let solving = start("main", move || {
            let printer = parties.printer.make_printer().unwrap();
            let calculator = parties.calculator.make_calculator(printer).unwrap();
            for equation in ["1+1", "2*3"] {
                calculator.solve_equation(equation).unwrap();
            }
            parties
        });
        drop(solving.join().unwrap());
        check_calculator(&to_calculator);
        check_printer(&to_printer);
        let printed = printed.lock().unwrap();
        let process = std::process::id();
        for ((thread, text), equation) in printed.iter().zip(["1+1", "2*3"]) {
            assert_eq!(text, &format!("Wow {equation}, that's a tough one.\n"));
            // The thread that solves is the one that prints, by way of its counterpart.
            assert!(
                thread.contains(&format!(" (from mpexample-{process}/main-")),
                "{thread}"
            );
        }
        assert_eq!(printed.len(), 2);
    });
}

/// The connection to the calculator: threads are made once and named as answers to come, then as what they are; the print
/// that comes back names the thread that waits for it.
fn check_calculator(recorder: &Recorder) {
    let calls = recorder.calls();
    let ours = by(&calls, End::Client);
    let [construct, make_thread, make_calculator, solve, again, ..] = &ours[..] else {
        panic!("{calls:?}");
    };
    assert_eq!(recorder.said()[0].what, What::Bootstrap { question: 0 });
    assert_eq!(
        construct.target,
        Target::Answer(0, vec![]),
        "pipelined on the bootstrap"
    );
    assert_eq!(construct.method, CONSTRUCT);
    assert!(
        matches!(construct.first, Some(Cap::SenderHosted(_))),
        "{construct:?}"
    );

    assert_eq!(
        (make_thread.interface, make_thread.method),
        (THREAD_MAP, MAKE_THREAD)
    );
    let callback_thread = check_first_call(make_thread, make_calculator, MAKE_CALCULATOR);
    let printer = match make_calculator.second {
        Some(Cap::SenderHosted(export)) => export,
        ref other => panic!("the printer is offered: {other:?}"),
    };
    assert_ne!(Some(printer), callback_thread);

    // Later calls name the thread that has come meanwhile, and the same export for callbacks.
    for call in [solve, again] {
        assert_eq!(call.method, SOLVE_EQUATION);
        assert!(
            matches!(call.thread, Some(Cap::ReceiverHosted(_))),
            "{call:?}"
        );
        assert_eq!(call.callback_thread, callback_thread.map(Cap::SenderHosted));
    }
    assert_eq!(solve.thread, again.thread);

    // What the calculator calls: the printer, on the thread that waits, with its own thread for what that calls back.
    let theirs = by(&calls, End::Server);
    let prints: Vec<_> = theirs
        .iter()
        .filter(|call| call.target == Target::Export(printer))
        .collect();
    let [first, second, ..] = &prints[..] else {
        panic!("{calls:?}");
    };
    for call in [first, second] {
        assert_eq!(call.method, PRINT);
        assert_eq!(
            call.thread,
            callback_thread.map(Cap::ReceiverHosted),
            "the one that waits"
        );
    }
    assert!(
        matches!(first.callback_thread, Some(Cap::SenderHosted(_))),
        "{first:?}"
    );
    assert_eq!(
        first.callback_thread, second.callback_thread,
        "one export for one thread"
    );
    check_nesting(recorder, solve, first);
}

/// The connection to the printer: the thread that the nested call runs on makes the call here, and so has one thread here.
fn check_printer(recorder: &Recorder) {
    let calls = recorder.calls();
    let ours = by(&calls, End::Client);
    let [construct, make_thread, make_printer, first, second, ..] = &ours[..] else {
        panic!("{calls:?}");
    };
    assert_eq!(construct.method, CONSTRUCT);
    let callback_thread = check_first_call(make_thread, make_printer, MAKE_PRINTER);
    for call in [first, second] {
        assert_eq!(call.method, PRINT);
        assert!(
            matches!(call.thread, Some(Cap::ReceiverHosted(_))),
            "{call:?}"
        );
        assert_eq!(call.callback_thread, callback_thread.map(Cap::SenderHosted));
    }
    assert_eq!(first.thread, second.thread);
}

/// The first call of a thread: it is asked for and used before it is there. Gives the export for callbacks.
fn check_first_call(make_thread: &Call, call: &Call, method: u16) -> Option<u32> {
    assert_eq!(
        (make_thread.interface, make_thread.method),
        (THREAD_MAP, MAKE_THREAD)
    );
    assert_eq!(call.method, method);
    let answer = Cap::ReceiverAnswer(make_thread.question, vec![0]);
    assert_eq!(call.thread, Some(answer), "not awaited");
    match call.callback_thread {
        Some(Cap::SenderHosted(export)) => Some(export),
        ref other => panic!("{other:?}"),
    }
}

/// The nested call is asked after the outer one, and answered before it.
fn check_nesting(recorder: &Recorder, outer: &Call, inner: &Call) {
    let said = recorder.said();
    let place = |end: End, what: &dyn Fn(&What) -> bool, after: usize| {
        let found = said
            .iter()
            .skip(after)
            .position(|s: &Said| s.by == end && what(&s.what));
        found.unwrap_or_else(|| panic!("{said:?}")) + after
    };
    let asked = place(End::Client, &|what| *what == What::Call(outer.clone()), 0);
    let nested = place(
        End::Server,
        &|what| *what == What::Call(inner.clone()),
        asked,
    );
    let inner_answer = What::Return {
        answer: inner.question,
    };
    let answered_inner = place(End::Client, &|what| *what == inner_answer, nested);
    let outer_answer = What::Return {
        answer: outer.question,
    };
    let answered = place(End::Server, &|what| *what == outer_answer, asked);
    assert!(answered > answered_inner, "{said:?}");
}

fn by(calls: &[(End, Call)], end: End) -> Vec<Call> {
    let by = calls.iter().filter(|(by, _)| *by == end);
    by.map(|(_, call)| call.clone()).collect()
}

/// An end that serves, and the client's end with somebody between them who takes notes.
fn connected(name: &str, init: Arc<dyn Init>) -> (calculator::InitClient, Recorder, Connection) {
    let (ours, theirs, recorder): (UnixStream, UnixStream, Recorder) = Recorder::between();
    let served = multiprocess::serve(&event_loop(name), theirs, init).unwrap();
    let client = multiprocess::connect::<dyn Init>(&event_loop("mpexample"), ours).unwrap();
    (client, recorder, served)
}

/// Makes printers that note what they print, and on which thread.
struct NotingInit(Arc<Mutex<Vec<(String, String)>>>);

impl Init for NotingInit {
    fn make_calculator(&self, _print: Arc<dyn Printer>) -> Result<Arc<dyn Calculator>, Error> {
        Err(Error::failed("this end makes printers"))
    }

    fn make_printer(&self) -> Result<Arc<dyn Printer>, Error> {
        Ok(Arc::new(NotingPrinter(Arc::clone(&self.0))))
    }
}

struct NotingPrinter(Arc<Mutex<Vec<(String, String)>>>);

impl Printer for NotingPrinter {
    fn print(&self, text: &str) -> Result<(), Error> {
        let name = multiprocess::thread_name("").to_string();
        self.0.lock().unwrap().push((name, text.to_owned()));
        Ok(())
    }
}
