//! By what a cost may grow, and in which steps that is looked at.

/// Numbers of threads that call at the same time.
pub(crate) fn threads(quick: bool) -> &'static [usize] {
    if quick {
        &[1, 4, 16]
    } else {
        &[1, 2, 4, 8, 16, 32, 64]
    }
}

/// Numbers of bytes that go there and back.
pub(crate) fn sizes(quick: bool) -> &'static [usize] {
    if quick {
        &[0, 1 << 10, 64 << 10, 1 << 20]
    } else {
        &[
            0,
            64,
            1 << 10,
            4 << 10,
            16 << 10,
            64 << 10,
            256 << 10,
            1 << 20,
            4 << 20,
            16 << 20,
        ]
    }
}

/// Numbers of idle things beside which a call is made, beyond those that the ratios need.
pub(crate) fn metrics(quick: bool) -> Vec<String> {
    let numbers: &[&str] = if quick {
        &["objects:1000"]
    } else {
        &[
            "threads:512",
            "conns:1000",
            "objects:1000",
            "objects:100000",
        ]
    };
    numbers.iter().map(|number| (*number).to_owned()).collect()
}

/// Whether the metric tells memory: it does not vary from round to round, and takes longer than others.
pub(crate) fn is_memory(metric: &str) -> bool {
    ["threads:", "conns:", "objects:"]
        .iter()
        .any(|name| metric.starts_with(name))
}
