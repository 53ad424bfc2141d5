use super::*;

type Satisfaction = TopShare<Csat, 2>;

fn counted(scores: &[f64], scale_max: f64) -> Satisfaction {
    let mut share = Satisfaction::default();
    scores.iter().for_each(|score| share.add(&[*score, scale_max, 1.0]).unwrap());
    share
}

#[test]
fn the_two_best_grades_are_satisfied() {
    let mut share = counted(&[5.0, 4.0, 3.0, 1.0, 0.0, 6.0, 4.5, f64::NAN], 5.0);
    assert_eq!((share.percentage(), share.answers(), share.out()), (Some(50.0), 4, 4));
    share.remove(&[1.0, 5.0, 1.0]).unwrap();
    assert_eq!((share.answers(), share.hits.n), (3, 2.0));
}

#[test]
fn the_interval_is_wilsons() {
    let scores: Vec<f64> = (0..10).map(|row| if row < 8 { 5.0 } else { 1.0 }).collect();
    let (low, high) = counted(&scores, 5.0).interval(0.95).unwrap();
    assert!((low - 49.0162).abs() < 5e-5 && (high - 94.3318).abs() < 5e-5, "{low} {high}");
    assert_eq!(Satisfaction::default().interval(0.95), None);
    // All weighted answers hits: the upper end is 100, without a trace of rounding.
    let mut all = Satisfaction::default();
    (1..30).for_each(|row| all.add(&[5.0, 5.0, 1.0 / f64::from(row)]).unwrap());
    assert_eq!((all.percentage(), all.interval(0.9).unwrap().1), (Some(100.0), 100.0));
}

#[test]
fn weights_are_relative_and_count_by_kish() {
    let weighed = |factor: f64| {
        let mut share = Satisfaction::default();
        for (score, weight) in [(5.0, 1.0), (4.0, 2.0), (3.0, 5.0), (1.0, 3.0)] {
            share.add(&[score, 5.0, factor * weight]).unwrap();
        }
        share
    };
    let share = weighed(1.0);
    assert!((share.percentage().unwrap() - 300.0 / 11.0).abs() < 1e-12);
    assert!((share.effective().unwrap() - 121.0 / 39.0).abs() < 1e-12);
    let (same, by_10) = (share.interval(0.95).unwrap(), weighed(10.0).interval(0.95).unwrap());
    assert!((same.0 - by_10.0).abs() < 1e-9 && (same.1 - by_10.1).abs() < 1e-9);
}

#[test]
fn effort_counts_above_the_middle_and_top_box_as_many_as_said() {
    let from = |scale_max: f64| Ces::top(&[scale_max]).unwrap().from;
    assert_eq!((from(5.0), from(7.0), from(10.0)), (4.0, 5.0, 6.0));
    assert_eq!(TopBox::top(&[1.0, 5.0]).unwrap(), Top { from: 5.0, scale_max: 5.0 });
    for arguments in [[0.0, 5.0], [5.0, 5.0], [1.5, 5.0], [f64::NAN, 5.0], [1.0, 2.0]] {
        assert_eq!(TopBox::top(&arguments).unwrap_err().sqlstate(), "22023", "{arguments:?}");
    }
}

#[test]
fn two_scales_have_no_common_share() {
    let mut five = counted(&[5.0, 1.0], 5.0);
    let error = five.add(&[5.0, 7.0, 1.0]).unwrap_err();
    assert_eq!(error.message(), "grades 4 to 5 of 1 to 5 and 6 to 7 of 1 to 7 have no common share");
    assert_eq!(error.sqlstate(), "22023");
    assert!(five.merge(&counted(&[7.0], 7.0)).is_err());
    let mut none = Satisfaction::default();
    none.merge(&counted(&[7.0], 7.0)).unwrap();
    none.merge(&Satisfaction::default()).unwrap();
    assert_eq!(none, counted(&[7.0], 7.0));
    assert_eq!(Satisfaction::load(none.save()), none);
    // Once all of a scale are gone, another may come.
    none.remove(&[7.0, 7.0, 1.0]).unwrap();
    none.add(&[5.0, 5.0, 1.0]).unwrap();
    assert_eq!(none.percentage(), Some(100.0));
}

#[test]
fn a_scale_without_a_middle_is_an_error() {
    for scale_max in [2.0, 0.0, -5.0, 4.5, f64::NAN, f64::INFINITY] {
        let error = Satisfaction::default().add(&[1.0, scale_max, 1.0]).unwrap_err();
        assert_eq!(error.sqlstate(), "22023", "{scale_max}");
    }
}
