use super::mediation;
use crate::inference::generator::Generator;
use crate::inference::rows::Rows;
use crate::inference::tests::{Golden, near};

/// Rows as the golden script draws them.
fn lines() -> Vec<[f64; 3]> {
    let mut generator = Generator::new(45);
    let draw = |_| {
        let x = 5.0 + generator.normal();
        let m = 2.0 + 0.6 * x + 0.8 * generator.normal();
        [x, m, 10.0 + 1.5 * m + 0.4 * x + generator.normal()]
    };
    (0..250).map(draw).collect()
}

fn rows(lines: &[[f64; 3]]) -> Rows {
    let mut rows = Rows::new(0, 3);
    lines.iter().for_each(|line| rows.update(&[], line).expect("a row"));
    rows
}

#[test]
fn paths_agree_with_statsmodels() {
    let golden = Golden::new(include_str!("../../../golden/inference/causal.csv"));
    let found = mediation(&rows(&lines()), 2000, 7, 0.95).expect("valid");
    golden.check("med_a", found.first.estimate, 1e-10);
    golden.check("med_b", found.second.estimate, 1e-10);
    golden.check("med_direct", found.direct.estimate, 1e-10);
    golden.check("med_total", found.total.estimate, 1e-10);
    golden.check("med_sobel", found.sobel_error, 1e-10);
    // Another generator drew the golden samples: agreement up to the error of drawing.
    golden.check("med_boot_se", found.indirect.std_error, 0.006);
    golden.check("med_boot_lo", found.indirect.conf_low, 0.02);
    golden.check("med_boot_hi", found.indirect.conf_high, 0.02);
    near("sum", found.indirect.estimate + found.direct.estimate, found.total.estimate, 1e-12);
    let share = found.indirect.estimate / found.total.estimate;
    near("share", found.share_mediated.expect("same sign"), share, 1e-12);
    assert_eq!((found.n, found.samples), (250, 2000));
}

#[test]
fn order_changes_nothing_and_the_seed_does() {
    let mut lines = lines();
    let found = mediation(&rows(&lines), 200, 7, 0.9).expect("valid");
    lines.reverse();
    let state = Rows::from_bytes(&rows(&lines).to_bytes()).expect("whole");
    assert_eq!(mediation(&state, 200, 7, 0.9), Ok(found.clone()));
    assert_ne!(mediation(&state, 200, 8, 0.9), Ok(found));
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    let same: Vec<[f64; 3]> = (0..10).map(|i| [f64::from(i), 2.0 * f64::from(i), f64::from(i % 3)]).collect();
    assert!(mediation(&rows(&same), 200, 1, 0.95).is_err());
    assert!(mediation(&rows(&[]), 200, 1, 0.95).is_err());
    assert!(mediation(&rows(&lines()[..3]), 200, 1, 0.95).is_err());
    assert!(mediation(&rows(&lines()), 10, 1, 0.95).is_err());
    assert!(mediation(&Rows::new(0, 2), 200, 1, 0.95).is_err());
}
