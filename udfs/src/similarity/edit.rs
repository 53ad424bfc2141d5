//! Edit distances and Jaro–Winkler similarity over characters (bit-parallel, by the `rapidfuzz` crate).

#[cfg(test)]
use rapidfuzz::distance::levenshtein as bitparallel;
use rapidfuzz::distance::{jaro_winkler, osa};

/// Fewest insertions, deletions and substitutions of one character that turn `a` into `b` (Levenshtein 1965).
#[cfg(test)]
pub(crate) fn levenshtein(a: &str, b: &str) -> usize {
    bitparallel::distance(a.chars(), b.chars())
}

/// Levenshtein distance in which two neighbours that change places count once (optimal string alignment: no
/// place is edited twice, so `ca` and `abc` are 3 apart).
pub(crate) fn damerau_levenshtein(a: &str, b: &str) -> usize {
    osa::distance(a.chars(), b.chars())
}

/// Jaro's similarity raised by a common prefix of up to four characters, each a tenth of what is missing, if it
/// is above 0.7 (Winkler 1990). From 0 to 1; two empty texts are alike.
pub(crate) fn jaro_winkler_similarity(a: &str, b: &str) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    jaro_winkler::similarity(a.chars(), b.chars()).clamp(0.0, 1.0)
}
