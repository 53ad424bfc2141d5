//! Quantiles of the standard normal distribution.
//!
//! Algorithm AS 241 (PPND16) of Wichura (1988), *The percentage points of the normal distribution*, Applied
//! Statistics 37(3): relative accuracy about 1e-16.

/// z with probability `conf` between −z and z; needs `0 < conf < 1`.
pub(crate) fn two_sided(conf: f64) -> f64 {
    // Through the tail, which keeps its digits when `conf` is near 1.
    -quantile((1.0 - conf) / 2.0)
}

/// The z below which the distribution has probability `p`; NaN unless `0 < p < 1`.
pub(crate) fn quantile(p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * ratio(r, &CENTRE);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let z = if r <= 5.0 { ratio(r - 1.6, &MIDDLE) } else { ratio(r - 5.0, &TAIL) };
    if q < 0.0 { -z } else { z }
}

/// Numerator and denominator coefficients, constant term first.
type Rational = ([f64; 8], [f64; 8]);

fn ratio(r: f64, (numerator, denominator): &Rational) -> f64 {
    polynomial(r, numerator) / polynomial(r, denominator)
}

fn polynomial(r: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * r + coefficient)
}

const CENTRE: Rational = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ],
);

const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const TAIL: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles() {
        // Solved with 40 digits by mpmath: erfc(-z/sqrt(2))/2 = p.
        let cases = [
            (1e-300, -37.0470962993612),
            (1e-20, -9.262340089798407),
            (1e-10, -6.361340902404057),
            (1e-06, -4.753424308822899),
            (0.001, -3.0902323061678136),
            (0.01, -2.326347874040841),
            (0.025, -1.9599639845400543),
            (0.07, -1.4757910281791706),
            (0.074, -1.4466320671589785),
            (0.075, -1.439531470938456),
            (0.1, -1.2815515655446004),
            (0.25, -0.6744897501960817),
            (0.4, -0.2533471031357997),
            (0.6, 0.2533471031357997),
            (0.9, 1.2815515655446006),
            (0.95, 1.6448536269514722),
            (0.975, 1.9599639845400538),
            (0.995, 2.5758293035489004),
            (0.9995, 3.290526731491926),
        ];
        for (p, z) in cases {
            assert!((quantile(p) - z).abs() <= 1e-12 * z.abs().max(1.0), "{p}: {} {z}", quantile(p));
        }
        assert_eq!(quantile(0.5), 0.0);
        assert!(quantile(0.0).is_nan() && quantile(1.0).is_nan() && quantile(f64::NAN).is_nan());
    }

    #[test]
    fn two_sided_is_the_usual_z() {
        assert!((two_sided(0.95) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((two_sided(0.99) - 2.575_829_303_548_901).abs() < 1e-12);
    }
}
