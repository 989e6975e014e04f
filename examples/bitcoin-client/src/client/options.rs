//! What to put into templates, what to wait for, what to check.

use std::time::Duration;

use bitcoin::{Amount, Weight};

/// What goes into block templates, and when there is a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateOptions {
    /// Whether to include transactions. Default: yes.
    pub use_mempool: bool,
    /// The weight to keep free for the header and the coinbase transaction. Default: 8,000.
    pub reserved_weight: Weight,
    /// The cost of signature checks to keep free for the coinbase transaction's outputs. Default: 400.
    pub coinbase_sigops: u64,
    /// Whether to wait until the node has caught up. Default: yes. On a test chain on which nobody mines, that is for ever.
    /// A node of version 30 never waits.
    pub cooldown: bool,
    /// By how much the fees must rise for a new template on the same tip. Default, `None`: only new tips count.
    pub fee_rise: Option<Amount>,
}

impl Default for TemplateOptions {
    fn default() -> Self {
        Self {
            use_mempool: true,
            reserved_weight: Weight::from_wu(8000),
            coinbase_sigops: 400,
            cooldown: true,
            fee_rise: None,
        }
    }
}

/// What to wait for after a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitOptions {
    /// How long. Default, `None`: for ever.
    pub timeout: Option<Duration>,
    /// By how much the fees must rise for a new template on the same tip. Zero: not at all, so that the wait ends at once.
    /// Default, `None`: only a new tip counts.
    pub fee_rise: Option<Amount>,
}

/// What to check of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// Whether the header commits to the transactions. Default: yes.
    pub merkle_root: bool,
    /// Whether the block has the work that it claims. Default: yes.
    pub proof_of_work: bool,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            merkle_root: true,
            proof_of_work: true,
        }
    }
}
