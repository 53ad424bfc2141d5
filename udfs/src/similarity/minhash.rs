//! MinHash signatures by one permutation (Li, Owen and Zhang 2012) with optimal densification (Shrivastava 2017).
//!
//! Every shingle falls by its hash into one of 64 bins, which keeps its smallest. A bin that stays empty copies a
//! bin that did not, chosen by a hash of its number and of the attempt, so that the share of equal places
//! estimates Jaccard's similarity without bias also for texts of few shingles.

use super::shingles::{for_each, mix};

/// Places of a signature.
pub(crate) const PLACES: usize = 64;

/// The signature of a text; all of a text without letters and digits is [`u32::MAX`].
pub(crate) type Signature = [u32; PLACES];

/// The signature of `text`.
pub(crate) fn minhash(text: &str) -> Signature {
    let mut signature = [u32::MAX; PLACES];
    for_each(text, |hash| {
        let bin = (hash >> 58) as usize;
        // The value differs from the one that marks an empty bin.
        let value = (hash as u32).min(u32::MAX - 1);
        signature[bin] = signature[bin].min(value);
    });
    densify(&mut signature);
    signature
}

fn densify(signature: &mut Signature) {
    if signature.iter().all(|value| *value == u32::MAX) {
        return;
    }
    let sparse = *signature;
    for (bin, value) in signature.iter_mut().enumerate() {
        let mut attempt = 0;
        while *value == u32::MAX {
            let source = mix((bin as u64) << 32 | attempt) >> 58;
            *value = sparse[source as usize];
            attempt += 1;
        }
    }
}
