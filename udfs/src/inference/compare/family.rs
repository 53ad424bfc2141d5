//! A family of comparisons: every pair of groups, or every group against one, with corrected p-values.

use super::Comparison;
use super::correction::Correction;
use crate::inference::Invalid;

/// Which groups are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pairing {
    /// Each with each; the one named first comes first.
    All,
    /// Each other group with this one, which comes second.
    Against(usize),
}

/// One comparison of a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Member {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// `None` where the test has no answer, such as for a group of one.
    pub(crate) comparison: Option<Comparison>,
    /// Corrected for the comparisons that have an answer.
    pub(crate) p_adjusted: Option<f64>,
}

/// Compares `groups` by `test` and corrects the p-values.
pub(crate) fn compare<G>(
    groups: &[G],
    pairing: Pairing,
    correction: Correction,
    mut test: impl FnMut(&G, &G) -> Result<Option<Comparison>, Invalid>,
) -> Result<Vec<Member>, Invalid> {
    let pairs: Vec<(usize, usize)> = match pairing {
        Pairing::All => (0..groups.len()).flat_map(|a| (a + 1..groups.len()).map(move |b| (a, b))).collect(),
        Pairing::Against(base) if base < groups.len() => {
            (0..groups.len()).filter(|group| *group != base).map(|group| (group, base)).collect()
        }
        Pairing::Against(_) => return Err(Invalid::new("reference group does not exist")),
    };
    let mut members = Vec::with_capacity(pairs.len());
    for (first, second) in pairs {
        let comparison = test(&groups[first], &groups[second])?;
        members.push(Member { first, second, comparison, p_adjusted: None });
    }
    let p_value = |member: &Member| member.comparison.map_or(f64::NAN, |comparison| comparison.p_value);
    let adjusted = correction.adjust(&members.iter().map(p_value).collect::<Vec<_>>());
    for (member, p_adjusted) in members.iter_mut().zip(adjusted) {
        member.p_adjusted = (!p_adjusted.is_nan()).then_some(p_adjusted);
    }
    Ok(members)
}
