//! Waits as streams.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use futures::stream::{self, BoxStream, StreamExt};

use super::{BlockRef, BlockTemplate, Mining, TemplateOptions, WaitOptions};
use crate::Result;

/// What a node tells as it happens. Dropping the stream ends the wait at the node.
pub type Stream<T> = BoxStream<'static, Result<T>>;

pub(crate) fn tips(mining: Mining) -> Stream<BlockRef> {
    // No block has this hash, so the first answer is the tip as soon as there is one.
    let none = BlockHash::all_zeros();
    stream::try_unfold((mining, none), |(mining, last)| async move {
        let tip = mining.wait_tip_changed(last, None).await?;
        Ok(tip.map(|tip| (tip, (mining, tip.hash))))
    })
    .boxed()
}

pub(crate) fn templates(mining: Mining, options: TemplateOptions) -> Stream<BlockTemplate> {
    let wait = WaitOptions {
        timeout: None,
        fee_rise: options.fee_rise,
    };
    stream::try_unfold(None::<BlockTemplate>, move |last| {
        let next = match last {
            None => mining.create(&options),
            Some(last) => last.next(wait.clone()),
        };
        async move {
            Ok(next
                .await?
                .map(|template| (template.clone(), Some(template))))
        }
    })
    .boxed()
}
