//! The chain and the memory pool, and waiting for them to change.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use bitcoin::constants::genesis_block;
use bitcoin::{Amount, Block, BlockHash, FeeRate, Network, Transaction, Txid};

use super::{Policy, assemble, check};
use crate::BlockRef;

/// The state of the node, for all connections.
#[derive(Debug)]
pub(super) struct Chain {
    state: Mutex<State>,
    changed: Condvar,
}

/// What is under the lock.
#[derive(Debug)]
pub(super) struct State {
    /// The best chain, by height. Never empty.
    pub(super) blocks: Vec<Block>,
    /// Every block that was seen, and whether it is valid.
    pub(super) known: HashMap<BlockHash, bool>,
    /// The memory pool, in the order of arrival.
    pub(super) mempool: Vec<PoolEntry>,
    /// What goes into templates.
    pub(super) policy: Policy,
    /// Until when templates are held back because a header is ahead of the tip.
    pub(super) header_ahead: Option<Instant>,
    /// All transactions that ever were, to make each another one.
    transactions: u32,
    stopping: bool,
    waiting: usize,
    templates: usize,
}

/// A transaction of the memory pool.
#[derive(Clone, Debug)]
pub(super) struct PoolEntry {
    pub(super) id: Txid,
    pub(super) transaction: Transaction,
    pub(super) fee: Amount,
}

impl PoolEntry {
    pub(super) fn fee_rate(&self) -> FeeRate {
        self.fee / self.transaction.weight()
    }
}

/// Ends the waits of one object: the first one that sees it takes it.
#[derive(Debug, Default)]
pub(super) struct Interrupt(AtomicBool);

/// How a wait ended.
#[derive(Debug)]
pub(super) enum Waited<T> {
    /// With what was waited for.
    Found(T),
    /// The time was over.
    TimedOut,
    /// It was interrupted, or the node stops, or the client is gone.
    Interrupted,
}

impl Chain {
    pub(super) fn new(policy: Policy) -> Self {
        let genesis = genesis_block(Network::Regtest);
        let state = State {
            known: HashMap::from([(genesis.block_hash(), true)]),
            blocks: vec![genesis],
            mempool: Vec::new(),
            policy,
            header_ahead: None,
            transactions: 0,
            stopping: false,
            waiting: 0,
            templates: 0,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tip(&self) -> BlockRef {
        self.lock().tip()
    }

    pub(super) fn mine(&self, count: u32) {
        for _ in 0..count {
            self.change(|state| {
                let block = assemble::mined(state);
                state.connect(block);
            });
        }
    }

    pub(super) fn add_transaction(&self, fee: Amount) -> Transaction {
        self.change(|state| {
            state.transactions += 1;
            let transaction = assemble::transaction(state.transactions);
            let id = transaction.compute_txid();
            state.mempool.push(PoolEntry {
                id,
                transaction: transaction.clone(),
                fee,
            });
            transaction
        })
    }

    pub(super) fn hear_of_header(&self, hold: Duration) {
        self.change(|state| state.header_ahead = Instant::now().checked_add(hold));
    }

    /// Adds a client's block to the chain, or says why not.
    pub(super) fn submit(&self, block: &Block) -> Result<(), check::Rejected> {
        self.change(|state| check::submit(state, block))
    }

    pub(super) fn stop(&self) {
        self.change(|state| state.stopping = true);
    }

    pub(super) fn wait_stopped(&self) {
        let mut state = self.lock();
        while !state.stopping {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    pub(super) fn wait_for_waiting(&self, count: usize, timeout: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| state.waiting != count)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting == count
    }

    pub(super) fn templates(&self) -> usize {
        self.lock().templates
    }

    /// Counts the templates that clients hold.
    pub(super) fn count_templates(&self, count: impl FnOnce(usize) -> usize) {
        self.change(|state| state.templates = count(state.templates));
    }

    /// Ends the waits of an object.
    pub(super) fn interrupt(&self, interrupt: &Interrupt) {
        self.change(|_| interrupt.0.store(true, Ordering::SeqCst));
    }

    /// Waits until the function finds something, looking whenever anything has changed. It also says when to look again.
    ///
    /// Runs on the thread of a client's call, and ends when the client gives up.
    pub(super) fn wait<T>(
        self: &Arc<Self>,
        interrupt: &Interrupt,
        deadline: Option<Instant>,
        mut find: impl FnMut(&State) -> Option<T>,
    ) -> Waited<T> {
        let cancellation = multiprocess::cancellation();
        if let Some(cancellation) = &cancellation {
            cancellation.wake_on_cancel(&Waker::from(Arc::new(Notify(Arc::clone(self)))));
        }
        let mut state = self.lock();
        state.waiting += 1;
        self.changed.notify_all();
        let waited = loop {
            let given_up = cancellation
                .as_ref()
                .is_some_and(multiprocess::Cancellation::is_cancelled);
            if state.stopping || given_up || interrupt.0.swap(false, Ordering::SeqCst) {
                break Waited::Interrupted;
            }
            if let Some(found) = find(&state) {
                break Waited::Found(found);
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                break Waited::TimedOut;
            }
            let next = [deadline, state.header_ahead]
                .into_iter()
                .flatten()
                .filter(|next| *next > now)
                .min();
            let timeout = next.map_or(Duration::from_secs(3600), |next| next - now);
            (state, _) = self
                .changed
                .wait_timeout(state, timeout)
                .unwrap_or_else(PoisonError::into_inner);
        };
        state.waiting -= 1;
        self.changed.notify_all();
        waited
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }
}

impl State {
    pub(super) fn tip(&self) -> BlockRef {
        let height = self.blocks.len() - 1;
        BlockRef {
            hash: self.blocks[height].block_hash(),
            // A chain in memory is not that long.
            height: u32::try_from(height).unwrap_or(u32::MAX),
        }
    }

    /// Adds a valid block on top of the tip.
    pub(super) fn connect(&mut self, block: Block) {
        self.known.insert(block.block_hash(), true);
        self.mempool.retain(|entry| {
            !block
                .txdata
                .iter()
                .any(|mined| mined.compute_txid() == entry.id)
        });
        self.blocks.push(block);
        self.header_ahead = None;
    }

    /// Whether templates are held back.
    pub(super) fn is_catching_up(&self) -> bool {
        self.header_ahead
            .is_some_and(|until| Instant::now() < until)
    }
}

/// Has waits look again whether their client is still there.
struct Notify(Arc<Chain>);

impl Wake for Notify {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock());
        self.0.changed.notify_all();
    }
}
