//! Offers local objects and closures to a peer process, and takes them back.
