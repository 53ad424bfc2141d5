//! Tail probabilities of test statistics.

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, StudentsT};
use statrs::function::erf::erfc;

use crate::{normal, student};

/// The distribution a statistic is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reference {
    Normal,
    /// Student's t with these degrees of freedom.
    Student(f64),
}

impl Reference {
    /// P(|T| > |t|).
    pub(super) fn p_value(self, t: f64) -> f64 {
        match self {
            Reference::Normal => normal_p(t),
            Reference::Student(freedom) => StudentsT::new(0.0, 1.0, freedom)
                .map_or(f64::NAN, |student| (2.0 * student.sf(t.abs())).min(1.0)),
        }
    }

    /// The t with probability `conf` between −t and t.
    pub(super) fn quantile(self, conf: f64) -> f64 {
        match self {
            Reference::Normal => normal::two_sided(conf),
            Reference::Student(freedom) => student::two_sided(conf, freedom),
        }
    }
}

/// P(|Z| > |z|).
pub(super) fn normal_p(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// P(χ² > x).
pub(super) fn chi_squared_p(x: f64, freedom: f64) -> f64 {
    ChiSquared::new(freedom).map_or(f64::NAN, |chi| chi.sf(x.max(0.0)))
}

/// P(F > f).
pub(super) fn f_p(f: f64, numerator: f64, denominator: f64) -> f64 {
    FisherSnedecor::new(numerator, denominator).map_or(f64::NAN, |fisher| fisher.sf(f.max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_agree_with_scipy() {
        let student = |t: f64, freedom: f64| Reference::Student(freedom).p_value(t);
        let cases = [
            (student(2.0, 9.0), 0.076_552_823_770_701_01),
            (student(-4.016_889_807, 9.0), 0.003_032_232_158_603_173),
            (student(40.0, 12.0), 3.851_229_580_772_032e-14),
            (student(0.001, 3.0), 0.999_264_894_969_460_9),
            (student(2.5, 1e6), 0.012_419_489_502_163_254),
            (normal_p(-1.5), 0.133_614_402_537_716_14),
            (normal_p(12.0), 3.552_964_224_155_306e-33),
            (chi_squared_p(80.0, 4.0), 1.741_825_244_669_555_8e-16),
            (f_p(4.0, 3.0, 20.0), 0.022_076_999_662_362_404),
            (f_p(125.0, 4.0, 395.0), 7.753_707_032_435_608e-69),
        ];
        for (found, expected) in cases {
            assert!((found - expected).abs() < 1e-9 * expected, "{found:e} {expected:e}");
        }
        assert_eq!(student(0.0, 3.0), 1.0);
    }
}
