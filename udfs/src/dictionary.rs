//! The segmentation dictionary of the process.
//!
//! A dictionary takes some 32 MB and a tenth of a second to build, so there is one. It is built when the
//! first text is segmented. [`replace`] swaps it whole; a call that has begun finishes with the dictionary
//! it began with.

use std::sync::{Arc, LazyLock};

use jieba_rs::Jieba;
use parking_lot::RwLock;

static CURRENT: LazyLock<RwLock<Arc<Jieba>>> = LazyLock::new(|| RwLock::new(Arc::new(Jieba::new())));

/// The dictionary in force. Take it once for a batch, not once for a row.
pub fn current() -> Arc<Jieba> {
    Arc::clone(&CURRENT.read())
}

/// Puts another dictionary in force and returns the former one.
pub fn replace(dictionary: Arc<Jieba>) -> Arc<Jieba> {
    std::mem::replace(&mut *CURRENT.write(), dictionary)
}
