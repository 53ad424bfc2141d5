use super::*;

fn stage(name: &str, reached: u64, dropped: u64, with: (u64, u64), without: (u64, u64)) -> Stage {
    Stage {
        stage: name.to_owned(),
        reached,
        dropped,
        score: None,
        with: Share { hits: with.0, n: with.1 },
        without: Share { hits: without.0, n: without.1 },
    }
}

#[test]
fn the_stage_that_loses_most_is_first() {
    let mut pay = stage("pay", 400, 100, (10, 100), (240, 300));
    let mut search = stage("search", 1000, 300, (90, 300), (350, 700));
    pay.score = Some((3.0, 50));
    search.score = Some((4.0, 150));
    let help = stage("help", 50, 10, (9, 10), (20, 40));
    let unused = stage("unused", 0, 0, (0, 0), (0, 0));
    let found = rank(&[unused, help, search, pay], 1000, Outcome::Wanted, 0.95).unwrap();
    let names: Vec<&str> = found.iter().map(|point| point.stage.as_str()).collect();
    assert_eq!(names, ["pay", "search", "help", "unused"]);
    let pay = &found[0];
    // 0.4 of customers × 0.25 dropped × (0.8 − 0.1).
    assert!((pay.priority.unwrap().estimate - 0.07).abs() < 1e-12);
    assert!((pay.lost.unwrap() - 70.0).abs() < 1e-9);
    assert!((pay.score_gap.unwrap() + 0.75).abs() < 1e-12);
    assert!((found[1].score_gap.unwrap() - 0.25).abs() < 1e-12);
    assert!(found[2].priority.unwrap().estimate < 0.0);
    assert_eq!((found[3].priority, found[3].drop_rate, found[3].rank), (None, None, 4));
    for point in &found[..3] {
        let priority = point.priority.unwrap();
        assert!(priority.conf_low < priority.estimate && priority.estimate < priority.conf_high);
    }
}

#[test]
fn an_unwanted_outcome_turns_the_impact() {
    let churned = [stage("call", 10, 5, (4, 5), (1, 5))];
    let impact = |outcome| rank(&churned, 10, outcome, 0.95).unwrap()[0].impact.unwrap().estimate;
    assert!((impact(Outcome::Unwanted) - 0.6).abs() < 1e-12);
    assert!((impact(Outcome::Wanted) + 0.6).abs() < 1e-12);
}

#[test]
fn impossible_counts_are_refused() {
    let cases = [
        stage("a", 1, 2, (0, 1), (0, 1)),
        stage("a", 11, 2, (0, 1), (0, 1)),
        stage("a", 1, 1, (2, 1), (0, 1)),
        stage("a", 1, 1, (0, 1), (2, 1)),
        Stage { score: Some((f64::NAN, 2)), ..stage("a", 1, 1, (0, 1), (0, 1)) },
    ];
    for case in cases {
        assert!(rank(&[case], 10, Outcome::Wanted, 0.95).is_err());
    }
    for conf in [0.0, 1.0, f64::NAN] {
        assert!(rank(&[], 10, Outcome::Wanted, conf).is_err());
    }
}

#[test]
fn intervals_are_those_of_statsmodels() {
    for line in include_str!("../../../golden/journey/pain.csv").lines().skip(1) {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        let [conf, reached, dropped, with_hits, with_n, without_hits, without_n, ends @ ..] = &fields[..]
        else {
            panic!("{line}")
        };
        let count = |field: &f64| *field as u64;
        let (with, without) = ((count(with_hits), count(with_n)), (count(without_hits), count(without_n)));
        let case = stage("a", count(reached), count(dropped), with, without);
        let found = rank(&[case], 1000, Outcome::Wanted, *conf).unwrap();
        let (drop, impact) = (found[0].drop_rate.unwrap(), found[0].impact.unwrap());
        let found = [drop.conf_low, drop.conf_high, impact.conf_low, impact.conf_high];
        for (found, expected) in found.iter().zip(ends) {
            assert!((found - expected).abs() < 1e-9, "{line}: {found} {expected}");
        }
    }
}
