//! The segmenter of the process: jieba with the words that users have added.
//!
//! A dictionary takes some 32 MB and a tenth of a second to build, so there is one, and it is built when the
//! first text is segmented. [`crate::knowledge`] swaps it whole; a call that has begun finishes with the one
//! it began with.

use std::sync::Arc;

use jieba_rs::Jieba;

use crate::knowledge;

/// The segmenter in force. Take it once for a batch, not once for a row.
pub(crate) fn current() -> Arc<Jieba> {
    knowledge::current().dictionary.jieba()
}
