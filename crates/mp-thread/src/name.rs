//! Names of threads, as the C++ library forms them.

/// The calling thread's name: `<program>-<process>/<thread name>-<thread number>`.
pub(crate) fn current(program: &str) -> String {
    let thread = rustix::thread::gettid().as_raw_nonzero();
    let process = rustix::process::getpid().as_raw_nonzero();
    match std::thread::current().name() {
        Some(name) => format!("{program}-{process}/{name}-{thread}"),
        None => format!("{program}-{process}/{thread}"),
    }
}

/// The name of the calling thread, which was made for a thread of the peer.
pub(crate) fn worker(program: &str, suffix: &str) -> String {
    let thread = rustix::thread::gettid().as_raw_nonzero();
    let process = rustix::process::getpid().as_raw_nonzero();
    format!("{program}-{process}/{thread} ({suffix})")
}
