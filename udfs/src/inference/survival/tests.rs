use super::cox::{self, Errors, Model};
use super::{Durations, kaplan_meier, log_rank};
use crate::inference::generator::Generator;
use crate::inference::rows::Rows;
use crate::inference::tests::{Golden, near};

fn golden() -> Golden {
    Golden::new(include_str!("../../../golden/inference/survival.csv"))
}

/// Duration, event, three covariates and cluster, as the golden script draws them.
fn sample(seed: u64, n: u64, ties: bool) -> Vec<(f64, bool, [f64; 3], u64)> {
    let mut generator = Generator::new(seed);
    let draw = |row| {
        let x = [generator.normal(), generator.below(2) as f64, generator.uniform() * 10.0];
        let rate = (0.5 * x[0] - 0.7 * x[1] + 0.05 * x[2]).exp();
        let departure = -generator.uniform().ln() / rate * 8.0;
        let seen = generator.uniform() * 30.0;
        let time = departure.min(seen);
        (if ties { time.floor() + 1.0 } else { time }, departure <= seen, x, row / 3)
    };
    (0..n).map(draw).collect()
}

fn rows(sample: &[(f64, bool, [f64; 3], u64)]) -> Rows {
    let mut rows = Rows::new(1, 5);
    for (time, event, [a, b, c], cluster) in sample {
        rows.update(&[*cluster], &[*time, f64::from(u8::from(*event)), *a, *b, *c]).expect("a row");
    }
    rows
}

fn modelled(rows: &Rows, errors: Errors, conf: f64) -> Model {
    cox::fit(rows).and_then(|fitted| fitted.model(errors, conf)).expect("fits")
}

fn durations(sample: &[(f64, bool, [f64; 3], u64)]) -> Durations {
    let mut durations = Durations::default();
    for part in sample.rchunks(41) {
        let mut state = Durations::default();
        part.iter().for_each(|(time, event, ..)| state.update(*time, *event).expect("valid"));
        durations.merge(&Durations::from_bytes(&state.to_bytes()).expect("whole"));
    }
    durations
}

#[test]
fn kaplan_meier_agrees_with_lifelines() {
    let golden = golden();
    let sample = sample(11, 300, true);
    let curve = kaplan_meier::curve(&mut durations(&sample), 0.95).expect("valid");
    for time in ["1.0", "3.0", "8.0", "15.0"] {
        let wanted: f64 = time.parse().expect("number");
        let point = curve.points.iter().find(|point| point.time == wanted).expect("a step");
        golden.check(&format!("km_{time}"), point.survival, 1e-12);
        golden.check(&format!("km_lo_{time}"), point.conf_low, 1e-10);
        golden.check(&format!("km_hi_{time}"), point.conf_high, 1e-10);
    }
    golden.check("km_median", curve.median.expect("reached"), 0.0);
    assert_eq!(curve.n, 300);
    assert!(curve.points.windows(2).all(|pair| pair[1].survival <= pair[0].survival));
}

#[test]
fn kaplan_meier_at_the_edges() {
    let empty = kaplan_meier::curve(&mut Durations::default(), 0.95).expect("valid");
    assert!(empty.points.is_empty() && empty.median.is_none());
    let mut all = Durations::default();
    [2.0, 1.0].iter().for_each(|time| all.update(*time, true).expect("valid"));
    let curve = kaplan_meier::curve(&mut all, 0.95).expect("valid");
    assert_eq!((curve.points[1].survival, curve.median), (0.0, Some(1.0)));
    assert!(curve.points[1].conf_low.is_nan());
    assert!(all.update(-1.0, true).is_err() && all.update(f64::NAN, true).is_err());
}

#[test]
fn log_rank_agrees_with_lifelines_and_ignores_labels() {
    let golden = golden();
    let sample = sample(11, 300, true);
    let split = |groups: usize, group: fn(usize, &[f64; 3]) -> usize| {
        let mut states = vec![Durations::default(); groups];
        for (row, (time, event, x, _)) in sample.iter().enumerate() {
            states[group(row, x)].update(*time, *event).expect("valid");
        }
        states
    };
    let mut two = split(2, |_, x| x[1] as usize);
    let found = log_rank::test(&mut two).expect("valid").expect("defined");
    golden.check("lr2", found.statistic, 1e-10);
    golden.check("lr2_p", found.p_value, 1e-10);
    two.swap(0, 1);
    let swapped = log_rank::test(&mut two).expect("valid").expect("defined");
    near("swap", swapped.statistic, found.statistic, 1e-10);
    let mut four = split(4, |row, _| row % 4);
    let found = log_rank::test(&mut four).expect("valid").expect("defined");
    golden.check("lr4", found.statistic, 1e-10);
    golden.check("lr4_p", found.p_value, 1e-10);
    let (observed, expected) =
        found.groups.iter().fold((0.0, 0.0), |sum, group| (sum.0 + group.observed, sum.1 + group.expected));
    near("expected", expected, observed, 1e-9);
    four.insert(2, Durations::default());
    let with_empty = log_rank::test(&mut four).expect("valid").expect("defined");
    near("empty group", with_empty.statistic, found.statistic, 1e-10);
    assert_eq!(log_rank::test(&mut four[..1]), Ok(None));
    assert_eq!(log_rank::test(&mut []), Ok(None));
}

#[test]
fn cox_agrees_with_lifelines() {
    let golden = golden();
    for (name, sample) in [("tied", sample(11, 300, true)), ("untied", sample(12, 250, false))] {
        let rows = rows(&sample);
        let [model, robust, clustered] =
            [Errors::Model, Errors::Robust, Errors::Clustered].map(|errors| modelled(&rows, errors, 0.95));
        for (term, v) in ["a", "b", "c"].iter().enumerate() {
            golden.check(&format!("{name}_{v}"), model.terms[term].estimate, 1e-7);
            golden.check(&format!("{name}_{v}_se"), model.terms[term].std_error, 1e-6);
            golden.check(&format!("{name}_{v}_p"), model.terms[term].p_value, 1e-6);
            golden.check(&format!("{name}_{v}_robust"), robust.terms[term].std_error, 1e-6);
            golden.check(&format!("{name}_{v}_cluster"), clustered.terms[term].std_error, 1e-6);
        }
        golden.check(&format!("{name}_ll"), model.log_likelihood, 1e-9);
        golden.check(&format!("{name}_lr"), model.likelihood_ratio, 1e-7);
        let fitted = cox::fit(&rows).expect("fits");
        let found = fitted.concordance().expect("pairs");
        golden.check(&format!("{name}_concordance"), found, 1e-12);
        if name == "untied" {
            let tests = fitted.proportionality().expect("defined");
            for (term, v) in ["a", "b", "c"].iter().enumerate() {
                golden.check(&format!("{name}_{v}_ph"), tests[term].statistic, 1e-5);
                golden.check(&format!("{name}_{v}_ph_p"), tests[term].p_value, 1e-5);
            }
        }
    }
}

#[test]
fn cox_does_not_depend_on_order_unit_or_label() {
    let mut sample = sample(13, 200, true);
    let model = modelled(&rows(&sample), Errors::Clustered, 0.95);
    sample.reverse();
    sample.iter_mut().for_each(|(_, _, x, _)| {
        x[0] = 1e6 - 1e3 * x[0];
        x.swap(1, 2);
    });
    let other = modelled(&rows(&sample), Errors::Clustered, 0.95);
    near("flipped", -1e3 * other.terms[0].estimate, model.terms[0].estimate, 1e-8);
    near("moved", other.terms[2].estimate, model.terms[1].estimate, 1e-8);
    near("error", other.terms[2].std_error, model.terms[1].std_error, 1e-8);
}

#[test]
fn cox_recovers_what_was_drawn() {
    let model = modelled(&rows(&sample(14, 20_000, false)), Errors::Model, 0.999);
    for (term, wanted) in model.terms.iter().zip([0.5, -0.7, 0.05]) {
        assert!(term.conf_low < wanted && wanted < term.conf_high, "{wanted}: {term:?}");
    }
}

#[test]
fn cox_refuses_what_has_no_answer() {
    let fit = |lines: &[[f64; 3]]| {
        let mut rows = Rows::new(0, 3);
        lines.iter().for_each(|line| rows.update(&[], line).expect("a row"));
        cox::fit(&rows).err().expect("no answer").message
    };
    assert_eq!(fit(&[[1.0, 0.0, 1.0], [2.0, 0.0, 2.0]]), "there are no events");
    assert_eq!(
        fit(&[[1.0, 1.0, 1.0], [2.0, 1.0, 1.0]]),
        "covariate 1 is constant, or the covariates before it determine it"
    );
    assert_eq!(fit(&[[1.0, 2.0, 1.0]]), "event 2 is neither 0 nor 1");
    assert_eq!(fit(&[[-1.0, 1.0, 1.0]]), "duration -1 is negative");
    let apart: Vec<[f64; 3]> =
        (0..40).map(|i| [f64::from(i) + 1.0, 1.0, f64::from(u8::from(i < 20))]).collect();
    assert_eq!(fit(&apart), "the likelihood has no maximum");
    assert!(cox::fit(&Rows::new(0, 2)).is_err());
    let mut lone = Rows::new(0, 3);
    lone.update(&[], &[1.0, 1.0, 3.0]).expect("a row");
    assert!(cox::fit(&lone).is_err());
}

#[test]
fn concordance_is_that_of_all_pairs() {
    let mut sample = sample(15, 80, true);
    // Rows that stand there twice have the same risk.
    sample.extend_from_within(..20);
    let rows = rows(&sample);
    let fitted = cox::fit(&rows).expect("fits");
    let model = fitted.model(Errors::Model, 0.95).expect("valid");
    let risk = |x: &[f64; 3]| model.terms.iter().zip(x).map(|(term, x)| term.estimate * x).sum::<f64>();
    let (mut pairs, mut concordant) = (0.0, 0.0);
    for (time, _, x, _) in sample.iter().filter(|(_, left, ..)| *left) {
        for (_, _, other, _) in
            sample.iter().filter(|(later, left, ..)| later > time || (later == time && !left))
        {
            pairs += 1.0;
            concordant += match risk(x).total_cmp(&risk(other)) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    near("concordance", fitted.concordance().expect("pairs"), concordant / pairs, 1e-12);
}
