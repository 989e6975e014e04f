//! Runs event loops and owns Cap'n Proto connections, with Send + Sync handles.
