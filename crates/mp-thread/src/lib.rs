//! Decides on which thread a call between processes runs.
