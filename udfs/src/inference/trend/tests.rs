use super::cusum::{change_points, kolmogorov_tail};
use super::keyness::Terms;
use super::mann_kendall::trend;
use super::series::Series;
use crate::inference::generator::Generator;
use crate::inference::tests::{Golden, near};

fn golden() -> Golden {
    Golden::new(include_str!("../../../golden/inference/trend.csv"))
}

fn series(points: impl IntoIterator<Item = (f64, f64)>) -> Series {
    let points: Vec<_> = points.into_iter().collect();
    let mut whole = Series::default();
    for part in points.rchunks(9) {
        let mut state = Series::default();
        part.iter().for_each(|(time, value)| state.update(*time, *value).expect("finite"));
        whole.merge(&Series::from_bytes(&state.to_bytes()).expect("whole")).expect("same shape");
    }
    whole
}

#[test]
fn mann_kendall_agrees_with_pymannkendall() {
    let golden = golden();
    let mut generator = Generator::new(31);
    let plain: Vec<f64> = (0..80).map(|i| 0.02 * f64::from(i) + generator.normal()).collect();
    let ties: Vec<f64> = plain.iter().map(|value| value.round_ties_even()).collect();
    for (name, values) in [("plain", plain), ("ties", ties)] {
        let points = values.iter().enumerate().map(|(time, value)| (time as f64, *value));
        let found = trend(&series(points), 0.95).expect("valid").expect("defined");
        golden.check(&format!("{name}_s"), found.statistic, 0.0);
        golden.check(&format!("{name}_z"), found.z, 1e-12);
        golden.check(&format!("{name}_p"), found.p_value, 1e-12);
        golden.check(&format!("{name}_slope"), found.slope, 1e-12);
        golden.check(&format!("{name}_tau"), found.tau, 1e-12);
        assert!(found.conf_low <= found.slope && found.slope <= found.conf_high);
    }
    let points: Vec<(f64, f64)> =
        (0..60).map(|i| (f64::from(i / 3), generator.below(6) as f64 + f64::from(i / 20))).collect();
    let found = trend(&series(points), 0.95).expect("valid").expect("defined");
    golden.check("both_tau", found.tau, 1e-12);
    // scipy has no continuity correction: put back the one that S lost.
    let z = found.z * found.statistic / (found.statistic - 1.0);
    golden.check("both_p_plain", crate::inference::distribution::normal_tails(z), 1e-10);
}

#[test]
fn mann_kendall_mirrors_and_has_no_answer_without_change() {
    let points = [(1.0, 3.0), (2.0, 4.0), (3.0, 4.5), (4.0, 4.4), (9.0, 7.0)];
    let found = trend(&series(points), 0.9).expect("valid").expect("defined");
    let down = trend(&series(points.map(|(t, v)| (t, -v))), 0.9).expect("valid").expect("defined");
    near("slope", down.slope, -found.slope, 1e-14);
    near("p", down.p_value, found.p_value, 1e-14);
    assert_eq!(trend(&series([(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]), 0.95), Ok(None));
    assert_eq!(trend(&series([(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), 0.95), Ok(None));
    assert_eq!(trend(&series([(1.0, 1.0), (2.0, 2.0)]), 0.95), Ok(None));
    assert_eq!(trend(&Series::default(), 0.95), Ok(None));
    assert!(trend(&series((0..5001).map(|i| (f64::from(i), 0.5))), 0.95).is_err());
}

#[test]
fn kolmogorov_agrees_with_scipy() {
    let golden = golden();
    for d in ["0.1", "0.5", "0.9", "1.36", "2.0", "3.5"] {
        golden.check(&format!("kolmogorov_{d}"), kolmogorov_tail(d.parse().expect("number")), 1e-12);
    }
}

#[test]
fn cusum_finds_the_changes_that_were_made() {
    let mut generator = Generator::new(32);
    let level = |i: usize| {
        if i < 60 {
            10.0
        } else if i < 110 {
            12.0
        } else {
            9.0
        }
    };
    let points: Vec<(f64, f64)> = (0..180).map(|i| (i as f64, level(i) + generator.normal())).collect();
    let mut shuffled = points.clone();
    shuffled.sort_by(|a, b| a.1.total_cmp(&b.1));
    let found = change_points(&series(points), 0.01, 5).expect("valid");
    assert_eq!(found.len(), 2, "{found:?}");
    near("first", found[0].time, 60.0, 0.05);
    near("second", found[1].time, 110.0, 0.03);
    near("means", found[1].mean_before, 12.0, 0.04);
    assert_eq!(change_points(&series(shuffled), 0.01, 5).expect("valid"), found);
}

#[test]
fn cusum_is_quiet_when_nothing_changes() {
    let false_alarms = (0..400)
        .filter(|seed| {
            let mut generator = Generator::new(1000 + seed);
            let points = (0..100).map(|i| (f64::from(i), generator.normal()));
            !change_points(&series(points.collect::<Vec<_>>()), 0.05, 5).expect("valid").is_empty()
        })
        .count();
    assert!(false_alarms <= 26, "{false_alarms} of 400");
    assert_eq!(change_points(&series((0..50).map(|i| (f64::from(i), 0.1))), 0.05, 2), Ok(Vec::new()));
    assert_eq!(change_points(&Series::default(), 0.05, 2), Ok(Vec::new()));
    assert!(
        change_points(&Series::default(), 0.0, 2).is_err()
            && change_points(&Series::default(), 0.1, 1).is_err()
    );
}

#[test]
fn keyness_golden() {
    let mut terms = Terms::default();
    terms.add_totals([500, 4500]);
    terms.add_term("慢", [40, 60]);
    terms.add_term("好", [10, 90]);
    terms.add_term("rare", [0, 3]);
    let found = Terms::from_bytes(&terms.to_bytes()).expect("whole").keyness(2).expect("valid");
    assert_eq!(found.iter().map(|k| k.term.as_str()).collect::<Vec<_>>(), ["慢", "好", "rare"]);
    near("g2", found[0].statistic, 64.326_768, 1e-7);
    near("log ratio", found[0].log_ratio, 2.690_436, 1e-6);
    near("jlh", found[0].jlh, (0.08 - 60.0 / 4500.0) * (0.08 / (60.0 / 4500.0)), 1e-12);
    assert!(found[1].statistic.abs() < 1e-9 && found[1].p_value > 0.99);
    assert!(found[2].statistic < 0.0 && found[0].p_adjusted >= found[0].p_value);
    terms.add_term("too many", [501, 0]);
    assert!(terms.keyness(1).is_err());
}

#[test]
fn keyness_counts_a_text_once_in_any_split() {
    let texts =
        [(true, vec!["slow", "slow", "app"]), (false, vec!["app"]), (false, vec![]), (true, vec!["slow"])];
    let mut whole = Terms::default();
    let mut merged = Terms::default();
    for (foreground, words) in &texts {
        whole.update(*foreground, words.iter().copied());
        let mut part = Terms::default();
        part.update(*foreground, words.iter().copied());
        merged.merge(&part);
    }
    assert_eq!(whole, merged);
    let found = whole.keyness(1).expect("valid");
    assert_eq!((found[0].term.as_str(), found[0].foreground, found[0].background), ("slow", 2, 0));
    assert!(found[0].jlh.is_infinite());
    assert_eq!(Terms::default().keyness(1), Ok(Vec::new()));
}
