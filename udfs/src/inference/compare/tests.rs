use super::correction::Correction;
use super::family::{Pairing, compare};
use super::nps::Variance;
use super::{contingency, fisher, nps, proportions, rank_sum, welch};
use crate::inference::distribution::{chi_square_tail, noncentral_chi_square, normal_tails, student_tails};
use crate::inference::generator::Generator;
use crate::inference::moments::Moments;
use crate::inference::scores::net_promoter::NetPromoter;
use crate::inference::scores::share::Share;
use crate::inference::tally::Tally;
use crate::inference::tests::{Golden, near};

fn golden() -> Golden {
    Golden::new(include_str!("../../../golden/inference/compare.csv"))
}

fn relative(golden: &Golden, name: &str, found: f64) {
    let wanted = golden.get(name);
    assert!((found / wanted - 1.0).abs() < 1e-9, "{name}: found {found}, wanted {wanted}");
}

#[test]
fn tails_agree_with_scipy() {
    let golden = golden();
    for z in ["0.1", "1.0", "1.96", "5.0", "12.0", "37.0"] {
        relative(&golden, &format!("normal_{z}"), normal_tails(z.parse().expect("number")));
    }
    for (t, freedom) in
        [("0.5", "1"), ("2.0", "3.7"), ("4.0", "30"), ("10.0", "400"), ("2.5", "1000000.0"), ("30.0", "12")]
    {
        let found = student_tails(t.parse().expect("number"), freedom.parse().expect("number"));
        relative(&golden, &format!("t_{t}_{freedom}"), found);
    }
    for (x, freedom) in [("0.3", "1"), ("3.84", "1"), ("20.0", "4"), ("150.0", "100"), ("900.0", "6")] {
        let found = chi_square_tail(x.parse().expect("number"), freedom.parse().expect("number"));
        relative(&golden, &format!("chi2_{x}_{freedom}"), found);
    }
    for (x, freedom, shift) in [(3.0, 1.0, 2.0), (20.0, 4.0, 11.0), (500.0, 9.0, 430.0)] {
        let name = format!("ncx2_{x:.1}_{freedom}_{shift:.1}");
        golden.check(&name, noncentral_chi_square(x, freedom, shift), 1e-10);
    }
    assert!(student_tails(0.0, 5.0) == 1.0 && student_tails(f64::INFINITY, 5.0) == 0.0);
    assert!(chi_square_tail(0.0, 3.0) == 1.0 && chi_square_tail(f64::INFINITY, 3.0) == 0.0);
}

fn moments(seed: u64, draw: impl Fn(&mut Generator) -> f64, counts: [usize; 2]) -> [Moments; 2] {
    let mut generator = Generator::new(seed);
    counts.map(|count| {
        let mut moments = Moments::default();
        (0..count).for_each(|_| moments.update(draw(&mut generator)).expect("finite"));
        moments
    })
}

#[test]
fn welch_agrees_with_scipy_and_mirrors() {
    let golden = golden();
    let mut generator = Generator::new(1);
    let mut groups = [Moments::default(); 2];
    (0..40).for_each(|_| groups[0].update(3.0 + 2.0 * generator.normal()).expect("finite"));
    (0..25).for_each(|_| groups[1].update(2.0 + 0.7 * generator.normal()).expect("finite"));
    let found = welch::test(&groups[0], &groups[1], 0.95).expect("valid").expect("defined");
    golden.check("welch_t", found.statistic, 1e-10);
    golden.check("welch_df", found.freedom.expect("has"), 1e-10);
    golden.check("welch_p", found.p_value, 1e-10);
    golden.check("welch_lo", found.conf_low, 1e-10);
    golden.check("welch_hi", found.conf_high, 1e-10);
    assert_eq!(found.n, [40.0, 25.0]);
    let mirrored = welch::test(&groups[1], &groups[0], 0.95).expect("valid").expect("defined");
    near("mirror", mirrored.conf_low, -found.conf_high, 1e-12);
    near("mirror", mirrored.p_value, found.p_value, 1e-14);
}

#[test]
fn welch_has_no_answer_without_spread() {
    let [mut one, mut constant] = [Moments::default(); 2];
    one.update(4.0).expect("finite");
    (0..3).for_each(|_| constant.update(2.0).expect("finite"));
    assert_eq!(welch::test(&one, &constant, 0.95), Ok(None));
    assert_eq!(welch::test(&constant, &constant, 0.95), Ok(None));
    assert!(welch::test(&one, &constant, 1.0).is_err());
}

#[test]
fn welch_keeps_its_level_under_no_difference() {
    let rejected = (0..2000)
        .filter(|seed| {
            let [a, b] = moments(*seed, |g| g.normal(), [12, 30]);
            welch::test(&a, &b, 0.95).expect("valid").expect("defined").p_value < 0.05
        })
        .count();
    assert!((70..135).contains(&rejected), "{rejected} of 2000");
}

fn scores() -> Vec<(f64, usize)> {
    let mut generator = Generator::new(2);
    let mut scores: Vec<(f64, usize)> = (0..300).map(|_| (generator.below(11) as f64, 0)).collect();
    scores.extend((0..220).map(|_| {
        let score = generator.below(11) + generator.below(2);
        (score.min(10) as f64, 1)
    }));
    scores
}

#[test]
fn rank_sum_agrees_with_scipy_in_any_split_and_mirrors() {
    let golden = golden();
    let scores = scores();
    let (mut values, mut swapped) = (Tally::<2>::default(), Tally::<2>::default());
    for part in scores.rchunks(37) {
        let mut tally = Tally::<2>::default();
        part.iter().for_each(|(score, group)| tally.update(*score, *group).expect("finite"));
        values.merge(&tally);
    }
    scores.iter().for_each(|(score, group)| swapped.update(*score, 1 - group).expect("finite"));
    let found = rank_sum::test(&mut values, 0.95).expect("valid").expect("defined");
    golden.check("u", found.statistic, 1e-14);
    golden.check("u_p", found.p_value, 1e-12);
    golden.check("u_lo", found.conf_low, 1e-10);
    golden.check("u_hi", found.conf_high, 1e-10);
    let mirrored = rank_sum::test(&mut swapped, 0.95).expect("valid").expect("defined");
    near("estimate", mirrored.estimate, 1.0 - found.estimate, 1e-14);
    near("end", mirrored.conf_low, 1.0 - found.conf_high, 1e-10);
    near("p", mirrored.p_value, found.p_value, 1e-14);
}

#[test]
fn rank_sum_keeps_its_width_at_the_edge() {
    let mut values = Tally::<2>::default();
    (0..8).for_each(|i| values.update(f64::from(i), usize::from(i < 4)).expect("finite"));
    let found = rank_sum::test(&mut values, 0.95).expect("valid").expect("defined");
    assert_eq!((found.estimate, found.conf_high), (1.0, 1.0));
    assert!(found.conf_low > 0.3 && found.conf_low < 0.9, "{found:?}");
    let mut equal = Tally::<2>::default();
    (0..8).for_each(|i| equal.update(1.0, i % 2).expect("finite"));
    assert_eq!(rank_sum::test(&mut equal, 0.95), Ok(None));
    assert_eq!(rank_sum::test(&mut Tally::default(), 0.95), Ok(None));
}

#[test]
fn contingency_agrees_with_scipy_in_any_split() {
    let golden = golden();
    let counts = [[30, 14, 9], [12, 25, 17]];
    let mut table = contingency::Table::default();
    for (row, counts) in counts.iter().enumerate() {
        for (column, count) in counts.iter().enumerate() {
            let mut part = contingency::Table::default();
            (0..*count).for_each(|_| part.update(["north", "south"][row], ["a", "b", "c"][column]));
            table.merge(&contingency::Table::from_bytes(&part.to_bytes()).expect("whole"));
        }
    }
    let found = table.test(0.95).expect("valid").expect("defined");
    golden.check("chi2", found.statistic, 1e-12);
    golden.check("chi2_p", found.p_value, 1e-12);
    golden.check("v", found.cramers_v, 1e-12);
    golden.check("v_lo", found.conf_low, 1e-7);
    golden.check("v_hi", found.conf_high, 1e-7);
    golden.check("min_expected", found.min_expected, 1e-12);
    assert_eq!((found.freedom, found.n), (2.0, 107.0));
}

#[test]
fn contingency_counts_empty_cells() {
    let mut table = contingency::Table::default();
    (0..10).for_each(|_| table.update("x", "x"));
    assert_eq!(table.test(0.95), Ok(None));
    (0..10).for_each(|_| table.update("y", "y"));
    let found = table.test(0.95).expect("valid").expect("defined");
    near("statistic", found.statistic, 20.0, 1e-12);
    near("v", found.cramers_v, 1.0, 1e-12);
}

#[test]
fn fisher_agrees_with_scipy() {
    let golden = golden();
    for (name, table) in
        [("small", [[8, 2], [1, 5]]), ("large", [[1200, 1100], [900, 1300]]), ("zero", [[7, 0], [3, 4]])]
    {
        let found = fisher::test(table, 0.95).expect("valid");
        relative(&golden, &format!("fisher_{name}_p"), found.p_value);
        golden.check(&format!("fisher_{name}_or"), found.odds_ratio, 1e-7);
        golden.check(&format!("fisher_{name}_lo"), found.conf_low, 1e-7);
        golden.check(&format!("fisher_{name}_hi"), found.conf_high, 1e-7);
    }
}

#[test]
fn fisher_is_symmetric_and_bounded() {
    for table in
        [[[0, 0], [3, 4]], [[0, 5], [0, 2]], [[3, 1], [2, 9]], [[1 << 20, 1 << 19], [1 << 19, 1 << 20]]]
    {
        let [[a, b], [c, d]] = table;
        let found = fisher::test(table, 0.95).expect("valid");
        for other in [[[a, c], [b, d]], [[d, c], [b, a]]] {
            let other = fisher::test(other, 0.95).expect("valid");
            near("p", other.p_value, found.p_value, 1e-9);
        }
        let swapped = fisher::test([[b, a], [d, c]], 0.95).expect("valid");
        if found.odds_ratio.is_finite() && found.odds_ratio > 0.0 {
            near("odds", swapped.odds_ratio, 1.0 / found.odds_ratio, 1e-9);
        }
    }
    assert!(fisher::test([[u64::MAX, 1], [1, 1]], 0.95).is_err());
}

#[test]
fn proportions_agree_with_statsmodels() {
    let golden = golden();
    let [first, second] =
        [(45.0, 120.0), (30.0, 130.0)].map(|(hits, n)| Share::of(hits, n).expect("a share"));
    let found = proportions::test(&first, &second, 0.95).expect("valid").expect("defined");
    golden.check("prop_z", found.statistic, 1e-12);
    golden.check("prop_p", found.p_value, 1e-12);
    golden.check("prop_lo", found.conf_low, 1e-10);
    golden.check("prop_hi", found.conf_high, 1e-10);
    let none = Share::of(0.0, 20.0).expect("a share");
    let same = proportions::test(&none, &none, 0.95).expect("valid").expect("defined");
    assert!(same.p_value == 1.0 && same.conf_low < 0.0 && same.conf_high > 0.0);
    assert_eq!(proportions::test(&none, &Share::default(), 0.95), Ok(None));
    assert!(Share::of(3.0, 2.0).is_err());
}

#[test]
fn nps_difference_by_wald() {
    let (first, second) = (NetPromoter::of(30, 40, 80), NetPromoter::of(45, 40, 65));
    let found = nps::test(&first, &second, Variance::Wald, 0.95).expect("valid").expect("defined");
    near("estimate", found.estimate, 20.0, 1e-12);
    near("z", found.statistic, 2.117_794, 1e-6);
    near("p", found.p_value, 0.034_192_5, 1e-6);
    near("low", found.conf_low, 1.490_510, 1e-6);
    near("high", found.conf_high, 38.509_490, 1e-6);
    let adjusted = nps::test(&first, &second, Variance::Adjusted, 0.95).expect("valid").expect("defined");
    assert!(adjusted.estimate == found.estimate && adjusted.conf_low < found.conf_low);
    let large = (NetPromoter::of(180, 300, 520), NetPromoter::of(276, 364, 560));
    let found = nps::test(&large.0, &large.1, Variance::Wald, 0.95).expect("valid").expect("defined");
    near("z", found.statistic, 3.0900, 1e-4);
    near("p", found.p_value, 0.002_001_2, 1e-6);
}

#[test]
fn nps_difference_without_spread_is_not_certain() {
    let (best, worst) = (NetPromoter::of(0, 0, 1), NetPromoter::of(1, 0, 0));
    let found = nps::test(&best, &worst, Variance::Wald, 0.95).expect("valid").expect("defined");
    assert!(found.estimate == 200.0 && found.p_value > 0.05, "{found:?}");
    assert_eq!(nps::test(&best, &NetPromoter::default(), Variance::Wald, 0.95), Ok(None));
}

#[test]
fn corrections_agree_with_statsmodels() {
    let golden = golden();
    let p_values = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04];
    for name in ["bonferroni", "holm", "bh"] {
        let adjusted = Correction::parse(name).expect("known").adjust(&p_values);
        for (place, p) in adjusted.iter().enumerate() {
            golden.check(&format!("{name}_{place}"), *p, 1e-14);
        }
    }
    assert_eq!(Correction::None.adjust(&p_values), p_values);
    let with_gap = Correction::Bonferroni.adjust(&[0.01, f64::NAN, 0.4]);
    assert!(with_gap[0] == 0.02 && with_gap[1].is_nan() && with_gap[2] == 0.8);
    let bh = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216];
    let wanted = [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.1057, 0.216, 0.216, 0.216];
    let adjusted = Correction::BenjaminiHochberg.adjust(&bh);
    adjusted.iter().zip(wanted).for_each(|(found, wanted)| near("bh", *found, wanted, 5e-5));
    assert!(Correction::parse("sidak").is_err());
}

#[test]
fn family_compares_all_or_against_one() {
    let groups = [NetPromoter::of(30, 40, 80), NetPromoter::of(45, 40, 65), NetPromoter::default()];
    let test = |a: &NetPromoter, b: &NetPromoter| nps::test(a, b, Variance::Wald, 0.95);
    let all = compare(&groups, Pairing::All, Correction::Holm, test).expect("valid");
    assert_eq!(all.iter().map(|m| (m.first, m.second)).collect::<Vec<_>>(), [(0, 1), (0, 2), (1, 2)]);
    assert_eq!(all[1].comparison, None);
    near("p", all[0].p_adjusted.expect("defined"), 0.034_192_5, 1e-6);
    let against = compare(&groups[..2], Pairing::Against(0), Correction::None, test).expect("valid");
    near("difference", against[0].comparison.expect("defined").estimate, -20.0, 1e-12);
    assert!(compare(&groups, Pairing::Against(3), Correction::None, test).is_err());
}
