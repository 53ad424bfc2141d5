use super::callaway::{Controls, staggered};
use super::did::Did;
use super::e_value::{Measure, e_value, e_value_of_interval};
use super::event_study::event_study;
use super::matching::matched;
use super::panel::Panel;
use super::point_value::point_value;
use super::treatment::Treatment;
use super::two_way::two_way;
use super::weighting::weighted;
use super::{Effect, Errors};
use crate::inference::generator::Generator;
use crate::inference::rows::Rows;
use crate::inference::tests::{Golden, near};

fn golden() -> Golden {
    Golden::new(include_str!("../../../golden/inference/causal.csv"))
}

fn errors(effect: &Effect) -> Errors {
    effect.errors.expect("enough rows for errors")
}

/// Outcomes of control pre and post, treated pre and post, unit by unit.
fn did(cells: [[f64; 4]; 4], clustered: bool) -> Did {
    let mut did = Did::default();
    for (cell, outcomes) in cells.iter().enumerate() {
        for (row, outcome) in outcomes.iter().enumerate() {
            let (treated, post) = (cell >= 2, cell % 2 == 1);
            let unit = row as u64 + if treated { 4 } else { 0 };
            did.update(*outcome, treated, post, clustered.then_some(unit)).expect("finite");
        }
    }
    did
}

const PRE: [f64; 4] = [9.0, 11.0, 10.0, 12.0];
const TREATED_PRE: [f64; 4] = [10.0, 12.0, 11.0, 13.0];

#[test]
fn did_published_numbers() {
    let cells = [PRE, [10.0, 12.0, 11.0, 13.0], TREATED_PRE, [15.0, 17.0, 16.0, 18.0]];
    let found = did(cells, false).result(0.95).expect("valid").expect("defined");
    near("estimate", found.effect.estimate, 4.0, 1e-12);
    near("error", errors(&found.effect).std_error, 1.290_994, 1e-6);
    // Every unit moves by the same: there is nothing to estimate a clustered error from.
    let degenerate = did(cells, true).result(0.95).expect("valid").expect("defined");
    assert_eq!((degenerate.effect.errors, degenerate.clusters), (None, 8));
    let cells = [PRE, [10.0, 13.0, 11.0, 12.0], TREATED_PRE, [15.0, 18.0, 16.0, 17.0]];
    let found = did(cells, true).result(0.95).expect("valid").expect("defined");
    near("estimate", found.effect.estimate, 4.0, 1e-12);
    near("error", errors(&found.effect).std_error, 0.597_614, 1e-6);
}

#[test]
fn did_agrees_with_statsmodels_in_any_split() {
    let golden = golden();
    let mut generator = Generator::new(41);
    let (mut plain, mut clustered) = (Did::default(), Did::default());
    let (mut plain_part, mut clustered_part) = (Did::default(), Did::default());
    for row in 0..400 {
        let unit = generator.below(60);
        let (treated, post) = ((unit % 2) as f64, generator.below(2) as f64);
        let level = 0.6 * (unit % 7) as f64 / 7.0;
        let outcome = 3.0 + treated + 0.5 * post + 0.8 * treated * post + level + generator.normal();
        plain_part.update(outcome, treated > 0.0, post > 0.0, None).expect("finite");
        clustered_part.update(outcome, treated > 0.0, post > 0.0, Some(unit as u64)).expect("finite");
        if row % 23 == 22 || row == 399 {
            plain.merge(&plain_part);
            clustered.merge(&Did::from_bytes(&clustered_part.to_bytes()).expect("whole"));
            (plain_part, clustered_part) = (Did::default(), Did::default());
        }
    }
    let found = plain.result(0.95).expect("valid").expect("defined");
    golden.check("did", found.effect.estimate, 1e-10);
    golden.check("did_se", errors(&found.effect).std_error, 1e-10);
    golden.check("did_p", errors(&found.effect).p_value, 1e-10);
    let found = clustered.result(0.95).expect("valid").expect("defined");
    golden.check("did_cluster", errors(&found.effect).std_error, 1e-10);
    golden.check("did_cluster_p", errors(&found.effect).p_value, 1e-10);
    clustered.merge(&plain);
    assert!(clustered.result(0.95).is_err());
    assert_eq!(Did::default().result(0.95), Ok(None));
}

/// The panel of the golden script.
fn panel(holes: bool) -> Panel {
    let mut generator = Generator::new(42);
    let mut panel = Panel::default();
    for unit in 0..45 {
        let start = [Some(4), Some(6), None][unit % 3];
        let level = generator.normal();
        for period in 1..=8 {
            let gone = holes && generator.below(6) == 0;
            let since = start.map(|start| period - start).filter(|since| *since >= 0);
            let effect = since.map_or(0.0, |since| 1.0 + 0.5 * since as f64);
            let outcome = level + 0.3 * period as f64 + effect + 0.5 * generator.normal();
            if !gone {
                panel.update(unit as u64, period, outcome, start).expect("finite");
            }
        }
    }
    panel
}

#[test]
fn two_way_agrees_with_dummies() {
    let golden = golden();
    for (name, holes) in [("full", false), ("holes", true)] {
        let found = two_way(&panel(holes), 0.95).expect("valid");
        golden.check(&format!("twfe_{name}"), found.effect.estimate, 1e-9);
        golden.check(&format!("twfe_{name}_se"), errors(&found.effect).std_error, 1e-9);
        assert!(found.staggered && (found.units, found.treated_units) == (45, 30));
    }
}

#[test]
fn event_study_agrees_with_dummies() {
    let golden = golden();
    for (name, holes) in [("full", false), ("holes", true)] {
        let found = event_study(&panel(holes), 3, 2, 0.95).expect("valid");
        assert_eq!(found.effects.iter().map(|(k, _)| *k).collect::<Vec<_>>(), [-3, -2, -1, 0, 1, 2]);
        for (distance, effect) in found.effects.iter().filter(|(k, _)| *k != -1) {
            golden.check(&format!("event_{name}_{distance}"), effect.estimate, 1e-9);
            golden.check(&format!("event_{name}_{distance}_se"), errors(effect).std_error, 1e-9);
        }
        let pre_trend = found.pre_trend.expect("two leads");
        golden.check(&format!("pre_{name}"), pre_trend.statistic, 1e-8);
        assert_eq!(pre_trend.freedom, 2.0);
    }
    assert!(event_study(&panel(false), 0, 2, 0.95).is_err());
}

#[test]
fn callaway_agrees_with_diff_diff() {
    let golden = golden();
    for name in ["never", "not_yet"] {
        let found = staggered(&panel(false), Controls::parse(name).expect("known"), 0.95).expect("valid");
        let overall = found.overall.expect("treated later");
        golden.check(&format!("cs_{name}"), overall.estimate, 1e-10);
        golden.check(&format!("cs_{name}_se"), errors(&overall).std_error, 1e-8);
        for cell in &found.cells {
            let key = format!("cs_{name}_{}_{}", cell.group, cell.period);
            golden.check(&key, cell.effect.estimate, 1e-10);
            golden.check(&format!("{key}_se"), errors(&cell.effect).std_error, 1e-8);
        }
        for (distance, effect) in &found.by_distance {
            golden.check(&format!("cs_{name}_e{distance}"), effect.estimate, 1e-10);
            golden.check(&format!("cs_{name}_e{distance}_se"), errors(effect).std_error, 1e-8);
        }
    }
}

#[test]
fn panels_do_not_depend_on_the_split_and_refuse_contradictions() {
    let (mut one, mut two) = (Panel::default(), Panel::default());
    let mut generator = Generator::new(8);
    for unit in (0..12_u64).rev() {
        for period in [3, 1, 2] {
            let start = (unit % 2 == 0).then_some(3);
            let outcome = generator.normal();
            one.update(unit, period, outcome, start).expect("finite");
            let mut part = Panel::default();
            part.update(unit, period, outcome, start).expect("finite");
            part.merge(&two).expect("same shape");
            two = Panel::from_bytes(&part.to_bytes()).expect("whole");
        }
    }
    assert_eq!(two_way(&one, 0.95), two_way(&two, 0.95));
    assert_eq!(staggered(&one, Controls::NeverTreated, 0.95), staggered(&two, Controls::NeverTreated, 0.95));
    two.update(3, 1, 0.5, None).expect("finite");
    assert_eq!(two_way(&two, 0.95).expect_err("twice").message, "a unit has two rows in period 1");
    one.update(4, 9, 0.5, None).expect("finite");
    assert!(two_way(&one, 0.95).expect_err("contradiction").message.contains("disagree"));
    assert!(one.update(1, i64::MIN, 0.0, None).is_err() && one.update(1, 1, f64::NAN, None).is_err());
    assert!(two_way(&Panel::default(), 0.95).is_err());
    assert!(event_study(&Panel::default(), 2, 2, 0.95).is_err());
    assert!(staggered(&Panel::default(), Controls::NotYetTreated, 0.95).is_err());
}

/// Rows of the golden script, in two merged parts.
fn treatment(reversed: bool) -> Treatment {
    let mut generator = Generator::new(43);
    let mut rows = Vec::new();
    for _ in 0..800 {
        let (a, b) = (generator.normal(), generator.uniform());
        let chance = 1.0 / (1.0 + (-(0.8 * a - 1.2 * b + 0.2)).exp());
        let treated = generator.uniform() < chance;
        let effect = if treated { 0.7 } else { 0.0 };
        rows.push((1.0 + effect + 1.1 * a - 0.9 * b + generator.normal(), treated, [a, b]));
    }
    if reversed {
        rows.reverse();
    }
    let mut whole = Treatment::new(2);
    for part in rows.chunks(300) {
        let mut state = Treatment::new(2);
        part.iter().for_each(|(outcome, treated, x)| state.update(*outcome, *treated, x).expect("finite"));
        whole.merge(&Treatment::from_bytes(&state.to_bytes()).expect("whole")).expect("same shape");
    }
    whole
}

#[test]
fn weighting_agrees_with_estimating_equations() {
    let golden = golden();
    let found = weighted(&treatment(false), 0.0, 0.95).expect("valid");
    golden.check("naive", found.unadjusted.estimate, 1e-10);
    golden.check("ipw", found.ipw.estimate, 1e-8);
    golden.check("ipw_se", errors(&found.ipw).std_error, 1e-5);
    golden.check("aipw", found.aipw.estimate, 1e-8);
    golden.check("aipw_se", errors(&found.aipw).std_error, 1e-8);
    for (column, balance) in found.balance.iter().enumerate() {
        golden.check(&format!("smd_{}", column + 1), balance.before, 1e-10);
        golden.check(&format!("smd_{}_after", column + 1), balance.after, 1e-7);
        assert!(balance.after.abs() < 0.1);
    }
    assert!(errors(&found.aipw).conf_low < 0.7 && errors(&found.aipw).conf_high > 0.7);
    let trimmed = weighted(&treatment(false), 0.2, 0.95).expect("valid");
    assert!(trimmed.trimmed > 0 && trimmed.trimmed + trimmed.treated + trimmed.controls == 800);
}

#[test]
fn matching_agrees_with_plain_loops() {
    let golden = golden();
    for (name, caliper) in [("match", None), ("caliper", Some(0.02))] {
        let found = matched(&treatment(false), caliper, 0.95).expect("valid");
        golden.check(name, found.effect.estimate, 1e-9);
        golden.check(&format!("{name}_se"), errors(&found.effect).std_error, 1e-9);
        golden.check(&format!("{name}_n"), found.matched as f64, 0.0);
        assert!(found.balance.iter().all(|balance| balance.after.abs() < balance.before.abs()));
    }
}

#[test]
fn propensity_methods_do_not_depend_on_order() {
    let [one, two] = [false, true].map(|reversed| weighted(&treatment(reversed), 0.01, 0.95).expect("valid"));
    near("ipw", two.ipw.estimate, one.ipw.estimate, 1e-10);
    near("aipw error", errors(&two.aipw).std_error, errors(&one.aipw).std_error, 1e-10);
    let [one, two] = [false, true].map(|reversed| matched(&treatment(reversed), None, 0.95).expect("valid"));
    near("match", two.effect.estimate, one.effect.estimate, 1e-10);
    near("match error", errors(&two.effect).std_error, errors(&one.effect).std_error, 1e-10);
}

#[test]
fn matching_shares_ties() {
    // One covariate of two values: the match is the mean of all untreated rows of the same value.
    let mut state = Treatment::new(1);
    for (outcome, treated, x) in [
        (5.0, true, 0.0),
        (9.0, true, 1.0),
        (8.0, true, 1.0),
        (1.0, false, 0.0),
        (3.0, false, 0.0),
        (4.0, false, 1.0),
    ] {
        state.update(outcome, treated, &[x]).expect("finite");
    }
    let found = matched(&state, None, 0.95).expect("valid");
    near("effect", found.effect.estimate, (3.0 + 5.0 + 4.0) / 3.0, 1e-9);
    assert_eq!((found.matched, found.unmatched, found.controls), (3, 0, 3));
    near("balance", found.balance[0].after, 0.0, 1e-12);
}

#[test]
fn propensity_methods_refuse_what_has_no_answer() {
    let message = |rows: &[(f64, bool, f64)]| {
        let mut state = Treatment::new(1);
        rows.iter().for_each(|(y, treated, x)| state.update(*y, *treated, &[*x]).expect("finite"));
        weighted(&state, 0.01, 0.95).expect_err("no answer").message
    };
    let apart: Vec<(f64, bool, f64)> = (0..20).map(|i| (1.0, i < 10, f64::from(u8::from(i < 10)))).collect();
    assert_eq!(message(&apart), "the covariates tell the groups apart without exception");
    let constant: Vec<(f64, bool, f64)> = (0..20).map(|i| (1.0, i % 2 == 0, 3.0)).collect();
    assert!(message(&constant).starts_with("covariate 1 is constant"));
    assert!(message(&[(1.0, true, 1.0)]).starts_with("fewer than two rows"));
    assert!(weighted(&Treatment::new(0), 0.01, 0.95).is_err());
    assert!(weighted(&treatment(false), 0.5, 0.95).is_err());
    assert!(matched(&treatment(false), Some(0.0), 0.95).is_err());
}

#[test]
fn e_values_published() {
    let found = |effect, measure| e_value(effect, measure).expect("valid");
    near("2", found(2.0, Measure::RiskRatio), 3.414_214, 1e-6);
    near("1.25", found(1.25, Measure::RiskRatio), 1.809_017, 1e-6);
    near("0.5", found(0.5, Measure::RiskRatio), 3.414_214, 1e-6);
    near("none", found(1.0, Measure::RiskRatio), 1.0, 0.0);
    near("odds", found(4.0, Measure::OddsRatio), found(2.0, Measure::RiskRatio), 1e-14);
    near("d", found(0.5, Measure::MeanDifference), found(-0.5, Measure::MeanDifference), 1e-12);
    near("hazard", found(1.0, Measure::HazardRatio), 1.0, 1e-7);
    assert_eq!(e_value_of_interval(0.8, 1.2, Measure::RiskRatio), Ok(1.0));
    assert_eq!(e_value_of_interval(1.25, 2.0, Measure::RiskRatio), e_value(1.25, Measure::RiskRatio));
    assert_eq!(e_value_of_interval(0.3, 0.5, Measure::RiskRatio), e_value(0.5, Measure::RiskRatio));
    assert!(e_value(0.0, Measure::RiskRatio).is_err() && e_value(f64::NAN, Measure::MeanDifference).is_err());
    assert!(e_value_of_interval(2.0, 1.0, Measure::RiskRatio).is_err());
    assert!(e_value_of_interval(-1.0, 2.0, Measure::RiskRatio).is_ok_and(|value| value == 1.0));
}

#[test]
fn point_value_agrees_with_statsmodels() {
    let golden = golden();
    let mut generator = Generator::new(44);
    let mut rows = Rows::new(1, 2);
    for _ in 0..400 {
        let score = generator.below(11) as f64;
        let amount = 100.0 + 4.5 * score + 30.0 * generator.normal();
        rows.update(&[generator.below(180) as u64], &[amount, score]).expect("a row");
    }
    let found = point_value(&rows, 2.0, 1000.0, 0.95).expect("valid").expect("defined");
    let slope = errors(&found.slope);
    golden.check("slope", found.slope.estimate, 1e-10);
    golden.check("slope_se", slope.std_error, 1e-10);
    golden.check("slope_p", slope.p_value, 1e-10);
    golden.check("slope_lo", slope.conf_low, 1e-10);
    golden.check("slope_hi", slope.conf_high, 1e-10);
    golden.check("slope_r2", found.r_squared, 1e-10);
    near("value", found.value.estimate, 2000.0 * found.slope.estimate, 1e-12);
    near("value", errors(&found.value).conf_low, 2000.0 * slope.conf_low, 1e-12);
    let even = found.break_even(9000.0, 1000.0).expect("valid");
    near("even", even.points.expect("rises"), 9.0 / found.slope.estimate, 1e-12);
    near("even high", even.conf_high.expect("above 0"), 9.0 / slope.conf_low, 1e-12);
    assert!(found.break_even(-1.0, 5.0).is_err());
    assert_eq!(point_value(&Rows::new(1, 2), 1.0, 1.0, 0.95), Ok(None));
}
