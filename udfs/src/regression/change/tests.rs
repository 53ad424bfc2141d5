use super::*;
use crate::regression::simulate::{Generator, near};

fn state(rows: &[(f64, &str, bool)]) -> PeriodScores {
    let mut state = PeriodScores::new(Metric::Mean);
    let scores: Vec<f64> = rows.iter().map(|row| row.0).collect();
    let segments: Vec<&str> = rows.iter().map(|row| row.1).collect();
    let after: Vec<bool> = rows.iter().map(|row| row.2).collect();
    state.update(&scores, &segments, &after, None).unwrap();
    state
}

/// Three segments whose shares and scores move.
fn simulated(seed: u64, rows: usize) -> Vec<(f64, &'static str, bool)> {
    let mut random = Generator(seed);
    (0..rows)
        .map(|_| {
            let after = random.uniform() < 0.5;
            let draw = random.uniform();
            let (low, middle) = if after { (0.3, 0.7) } else { (0.5, 0.8) };
            let (segment, mean) = match draw {
                draw if draw < low => ("app", if after { 7.0 } else { 6.0 }),
                draw if draw < middle => ("shop", 8.0),
                _ => ("hotline", if after { 4.5 } else { 5.0 }),
            };
            (mean + random.normal(), segment, after)
        })
        .collect()
}

#[test]
fn a_small_case_by_hand() {
    // Before: 3 of 4 in a, scoring 8, 1 in b, scoring 4; after: 1 of 2 each, scoring 6 and 5.
    let rows = [
        (8.0, "a", false),
        (8.0, "a", false),
        (8.0, "a", false),
        (4.0, "b", false),
        (6.0, "a", true),
        (5.0, "b", true),
    ];
    let change = state(&rows).explain(0.95).unwrap();
    assert_eq!((change.metric_before, change.metric_after, change.change), (7.0, 5.5, -1.5));
    let [a, b] = &change.segments[..] else { panic!() };
    // Mean of the overall scores 6.25; a: mix (0.5 − 0.75)(7 − 6.25), rate (6 − 8)·0.625.
    assert!(near(a.mix_effect, -0.1875, 1e-14) && near(a.rate_effect, -1.25, 1e-14));
    assert!(near(b.mix_effect, 0.25 * (4.5 - 6.25), 1e-14) && near(b.rate_effect, 0.375, 1e-14));
    assert!(near(a.effect + b.effect, change.change, 1e-14));
}

#[test]
fn effects_add_up_to_the_movement() {
    for seed in 0..50 {
        let mut rows = simulated(seed, 40);
        // Segments of one period.
        rows.push((9.0, "new", true));
        rows.push((2.0, "old", false));
        let change = state(&rows).explain(0.95).unwrap();
        let sum: f64 = change.segments.iter().map(|segment| segment.mix_effect + segment.rate_effect).sum();
        assert!((sum - change.change).abs() < 1e-13, "{sum} {}", change.change);
        let new = change.segments.iter().find(|segment| segment.segment == "new").unwrap();
        assert_eq!((new.rate_effect, new.metric_before, new.share_before), (0.0, None, 0.0));
    }
}

#[test]
fn only_shares_or_only_scores() {
    let same_scores =
        [(8.0, "a", false), (4.0, "b", false), (8.0, "a", true), (8.0, "a", true), (4.0, "b", true)];
    let change = state(&same_scores).explain(0.95).unwrap();
    assert!(change.segments.iter().all(|segment| segment.rate_effect == 0.0) && change.change > 0.0);
    let same_shares = [(8.0, "a", false), (4.0, "b", false), (9.0, "a", true), (3.0, "b", true)];
    let change = state(&same_shares).explain(0.95).unwrap();
    assert!(change.segments.iter().all(|segment| segment.mix_effect == 0.0) && change.change == 0.0);
}

#[test]
fn intervals_cover_what_they_should() {
    let truth = state(&simulated(7, 60_000)).explain(0.95).unwrap().segments[0].effect;
    let covered = (0..400).filter(|seed| {
        let change = state(&simulated(5000 + seed, 300)).explain(0.95).unwrap();
        let app = &change.segments[0];
        app.segment == "app" && app.conf_low <= truth && truth <= app.conf_high
    });
    let covered = covered.count();
    assert!((366..=394).contains(&covered), "{covered}");
}

#[test]
fn order_splits_and_a_constant_do_not_matter() {
    let rows = simulated(9, 500);
    let whole = state(&rows).explain(0.95).unwrap();
    let mut merged = state(&rows[200..]);
    merged.merge(&PeriodScores::from_bytes(&state(&rows[..200]).to_bytes()).unwrap()).unwrap();
    let higher: Vec<(f64, &str, bool)> = rows.iter().map(|row| (row.0 + 1000.0, row.1, row.2)).collect();
    for other in [merged.explain(0.95).unwrap(), state(&higher).explain(0.95).unwrap()] {
        for (a, b) in whole.segments.iter().zip(&other.segments) {
            assert!(a.segment == b.segment && near(a.mix_effect, b.mix_effect, 1e-10));
            assert!(near(a.conf_low, b.conf_low, 1e-10) && near(a.rate_effect, b.rate_effect, 1e-10));
        }
    }
}

#[test]
fn edges() {
    let only_before = state(&[(8.0, "a", false)]);
    assert_eq!(only_before.explain(0.95).unwrap_err().message, "change of a metric has no answers after");
    assert_eq!(state(&[]).explain(0.95).unwrap_err().message, "change of a metric has no answers before");
    let one_each = state(&[(8.0, "a", false), (9.0, "a", true)]).explain(0.95).unwrap();
    assert_eq!((one_each.change, one_each.conf_low), (1.0, None));
    let mut nps = PeriodScores::new(Metric::Nps);
    nps.update(&[10.0, 11.0, 2.0], &["a"; 3], &[false, false, true], None).unwrap();
    assert_eq!((nps.skipped(), nps.explain(0.95).unwrap().change), (1, -200.0));
    assert!(nps.update(&[1.0], &["a"], &[true], Some(&[-1.0])).is_err());
    assert!(nps.update(&[1.0], &["a"], &[], None).is_err());
    assert!(nps.merge(&only_before).is_err() && PeriodScores::from_bytes(&[7; 33]).is_err());
}
