use super::*;
use crate::regression::drivers::{Method, drivers};
use crate::regression::simulate::{DRIVERS, EXPECTED, NPS, Table, near, survey};

const NAMES: &str = "nps, speed, price, staff, app";

/// The rows of the survey stored by cluster, as a table would.
fn stored() -> Vec<(u64, NamedMoments)> {
    let survey = survey();
    let (table, clusters) = (survey.outcome(NPS), survey.clusters());
    let distinct: std::collections::BTreeSet<u64> = clusters.iter().copied().collect();
    let of = |cluster: u64| {
        let rows: Vec<usize> = (0..clusters.len()).filter(|row| clusters[*row] == cluster).collect();
        let mut moments = NamedMoments::new(NAMES).unwrap();
        table.take(&rows).batch(None, |batch| moments.moments.update(batch)).unwrap();
        (cluster, NamedMoments::from_bytes(&moments.to_bytes()).unwrap())
    };
    distinct.into_iter().map(of).collect()
}

fn merged(with_clusters: bool) -> MergedMoments {
    let mut merged = MergedMoments::default();
    for (cluster, moments) in stored() {
        merged.add(&moments, with_clusters.then_some(cluster)).unwrap();
    }
    merged
}

#[test]
fn stored_moments_answer_as_the_rows_do() {
    let plain = merged(false).fit("nps", &DRIVERS, 0.95).unwrap();
    EXPECTED.check_terms("ols", &plain.terms, 1e-9);
    let clustered = merged(true).fit("nps", &DRIVERS, 0.95).unwrap();
    EXPECTED.check_terms("ols_cluster", &clustered.terms, 1e-9);
}

#[test]
fn any_outcome_and_columns_can_be_asked() {
    let table: Table = survey().pick(&[4, 6, 0]);
    let mut rows = Moments::new(3);
    table.batch(None, |batch| rows.update(batch)).unwrap();
    let expected = drivers(&rows, &["app", "nps"], Method::Shapley).unwrap();
    let found = merged(false).of("price", &["app", "nps"]).unwrap();
    let found = drivers(&found, &["app", "nps"], Method::Shapley).unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.driver, expected.driver);
        assert!(
            near(found.importance, expected.importance, 1e-12)
                && near(found.estimate, expected.estimate, 1e-10)
        );
    }
    let error = merged(false).of("price", &["mood"]).unwrap_err();
    assert_eq!(error.message, "moments have no column \"mood\"");
}

#[test]
fn states_travel_and_merge_in_any_order() {
    let (mut left, mut right) = (MergedMoments::default(), MergedMoments::default());
    for (place, (cluster, moments)) in stored().into_iter().rev().enumerate() {
        let side = if place % 3 == 0 { &mut left } else { &mut right };
        side.add(&moments, Some(cluster % 7)).unwrap();
    }
    let mut all = MergedMoments::default();
    all.merge(&MergedMoments::from_bytes(&right.to_bytes()).unwrap()).unwrap();
    all.merge(&left).unwrap();
    let mut expected = MergedMoments::default();
    stored().into_iter().for_each(|(cluster, moments)| expected.add(&moments, Some(cluster % 7)).unwrap());
    let (all, expected) =
        (all.fit("nps", &DRIVERS, 0.9).unwrap(), expected.fit("nps", &DRIVERS, 0.9).unwrap());
    for (found, expected) in all.terms.iter().zip(&expected.terms) {
        assert!(near(found.conf_low, expected.conf_low, 1e-10), "{found:?} {expected:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for names in ["", "a,,b", "a, b, a"] {
        assert!(NamedMoments::new(names).is_err(), "{names}");
    }
    let mut one = NamedMoments::new("a, b").unwrap();
    let error = one.merge(&NamedMoments::new("b, a").unwrap()).unwrap_err();
    assert_eq!(error.message, "moments of \"a\" and \"b\" do not merge with moments of \"b\" and \"a\"");
    for bytes in [&b""[..], b"nonsense", &[0; 64], &one.to_bytes()[1..]] {
        assert_eq!(NamedMoments::from_bytes(bytes).unwrap_err().message, "value is not stored moments");
    }
    assert!(MergedMoments::default().fit("a", &["b"], 0.95).is_err());
}
