use super::*;
use crate::regression::simulate::{Generator, near};

/// So many detractors, passives and promoters.
fn answers(counts: [usize; 3]) -> Vec<f64> {
    [3.0, 8.0, 10.0].iter().zip(counts).flat_map(|(score, count)| vec![*score; count]).collect()
}

#[test]
fn both_formulas_of_the_impact_agree() {
    // 30, 40 and 80 answers, of which 20, 5 and 5 have the topic.
    let mut scores = answers([20, 5, 5]);
    scores.extend(answers([10, 35, 75]));
    let flags: Vec<bool> = (0..150).map(|row| row < 30).collect();
    let mut state = TopicScores::new(Metric::Nps, 1).unwrap();
    state.update(&scores, &[&flags], None).unwrap();
    let impact = state.impacts(&["delivery"], 0.95).unwrap().remove(0);
    assert!((impact.impact.unwrap() + 20.833_333).abs() < 1e-6);
    assert!((impact.metric_with.unwrap() + 50.0).abs() < 1e-12);
    assert!((impact.metric_without.unwrap() - 54.166_667).abs() < 1e-6);
    assert!(near(impact.impact.unwrap(), 30.0 * (-50.0 - 100.0 / 3.0) / 120.0, 1e-12));
    assert_eq!((impact.n_obs, impact.p_value), (30, impact.p_adjusted));
    assert!(impact.conf_low < impact.impact && impact.impact < impact.conf_high);
    let contribution = state.contributions(&["delivery"]).unwrap().remove(0);
    assert!(
        near(contribution.contribution, impact.impact.unwrap(), 1e-12)
            && near(contribution.share.unwrap(), 1.0, 1e-12)
    );
}

/// Scores of 0..10 with three overlapping topics.
fn simulated(seed: u64, rows: usize) -> (Vec<f64>, Vec<Vec<bool>>) {
    let mut random = Generator(seed);
    let mut scores = Vec::new();
    let mut flags = vec![Vec::new(); 3];
    for _ in 0..rows {
        let first = random.uniform() < 0.3;
        let has = [first, random.uniform() < if first { 0.5 } else { 0.1 }, random.uniform() < 0.2];
        let effect: f64 =
            has.iter().zip([-2.0, -1.0, 1.0]).map(|(has, effect)| f64::from(u8::from(*has)) * effect).sum();
        scores.push((8.0 + effect + 1.5 * random.normal()).round().clamp(0.0, 10.0));
        flags.iter_mut().zip(has).for_each(|(flags, has)| flags.push(has));
    }
    (scores, flags)
}

fn state(metric: Metric, scores: &[f64], flags: &[Vec<bool>]) -> TopicScores {
    let mut state = TopicScores::new(metric, flags.len()).unwrap();
    let flags: Vec<&[bool]> = flags.iter().map(Vec::as_slice).collect();
    state.update(scores, &flags, None).unwrap();
    state
}

#[test]
fn contributions_add_up_to_the_gap() {
    let (scores, flags) = simulated(81, 2000);
    for metric in [Metric::Mean, Metric::Nps] {
        let found = state(metric, &scores, &flags).contributions(&["a", "b", "c"]).unwrap();
        let sum: f64 = found.iter().map(|found| found.contribution).sum();
        assert!(near(sum, found[0].metric - found[0].metric_without, 1e-12));
        assert!(near(found.iter().map(|found| found.share.unwrap()).sum(), 1.0, 1e-12));
        assert!(found[0].contribution < found[1].contribution && found[2].contribution > 0.0);
    }
}

#[test]
fn contributions_are_averages_over_all_orders() {
    let (scores, flags) = simulated(82, 500);
    let found = state(Metric::Mean, &scores, &flags).contributions(&["a", "b", "c"]).unwrap();
    let without = |topics: &[usize]| {
        let rows: Vec<f64> =
            (0..500).filter(|row| topics.iter().all(|t| !flags[*t][*row])).map(|row| scores[row]).collect();
        rows.iter().sum::<f64>() / rows.len() as f64
    };
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (topic, found) in found.iter().enumerate() {
        let gain = |order: &[usize; 3]| {
            let place = order.iter().position(|own| *own == topic).unwrap();
            without(&order[..place]) - without(&order[..=place])
        };
        assert!(near(found.contribution, orders.iter().map(gain).sum::<f64>() / 6.0, 1e-12));
    }
}

#[test]
fn intervals_cover_what_they_should() {
    // The impact of the first topic in 60,000 answers is taken for the truth.
    let (scores, flags) = simulated(83, 60_000);
    let truth =
        state(Metric::Nps, &scores, &flags).impacts(&["a", "b", "c"], 0.95).unwrap()[0].impact.unwrap();
    let covered = (0..400).filter(|seed| {
        let (scores, flags) = simulated(1000 + seed, 200);
        let found = &state(Metric::Nps, &scores, &flags).impacts(&["a", "b", "c"], 0.95).unwrap()[0];
        found.conf_low.unwrap() <= truth && truth <= found.conf_high.unwrap()
    });
    let covered = covered.count();
    assert!((366..=394).contains(&covered), "{covered}");
}

#[test]
fn order_splits_and_weights_do_not_matter() {
    let (scores, flags) = simulated(84, 600);
    let names = ["a", "b", "c"];
    let whole = state(Metric::Nps, &scores, &flags).impacts(&names, 0.95).unwrap();
    let part = |range: std::ops::Range<usize>| {
        let flags: Vec<Vec<bool>> = flags.iter().map(|flags| flags[range.clone()].to_vec()).collect();
        state(Metric::Nps, &scores[range], &flags)
    };
    let mut merged = part(450..600);
    merged.merge(&TopicScores::from_bytes(&part(0..450).to_bytes()).unwrap()).unwrap();
    let mut weighted = TopicScores::new(Metric::Nps, 3).unwrap();
    let slices: Vec<&[bool]> = flags.iter().map(Vec::as_slice).collect();
    weighted.update(&scores, &slices, Some(&[0.01; 600])).unwrap();
    for other in [merged.impacts(&names, 0.95).unwrap(), weighted.impacts(&names, 0.95).unwrap()] {
        for (a, b) in whole.iter().zip(&other) {
            assert!(near(a.impact.unwrap(), b.impact.unwrap(), 1e-11));
            assert!(near(a.conf_low.unwrap(), b.conf_low.unwrap(), 1e-11));
        }
    }
}

#[test]
fn edges() {
    let mut state = TopicScores::new(Metric::Nps, 2).unwrap();
    state.update(&[10.0, 3.0, 99.0, 7.5, f64::NAN], &[&[true; 5], &[false; 5]], None).unwrap();
    assert_eq!(state.skipped(), 3);
    let found = state.impacts(&["all", "none"], 0.95).unwrap();
    assert_eq!((found[0].impact, found[0].metric_without, found[0].conf_low), (None, None, None));
    assert_eq!((found[1].impact, found[1].metric_with, found[1].conf_low), (Some(0.0), None, None));
    assert_eq!(
        state.contributions(&["all", "none"]).unwrap_err().message,
        "every answer has one of the topics"
    );
    let empty = TopicScores::new(Metric::Mean, 2).unwrap();
    assert_eq!(empty.impacts(&["a", "b"], 0.95).unwrap()[0].impact, None);
    assert_eq!(empty.contributions(&["a", "b"]).unwrap_err().message, "contributions of topics have no rows");
    assert!(TopicScores::new(Metric::Mean, 65).is_err() && TopicScores::new(Metric::Mean, 0).is_err());
    assert!(TopicScores::new(Metric::Mean, 17).unwrap().contributions(&["a"; 17]).is_err());
    assert!(empty.impacts(&["a"], 0.95).is_err() && TopicScores::from_bytes(&[1; 20]).is_err());
}
