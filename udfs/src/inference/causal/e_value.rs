//! E-value: how strong a hidden common cause would have to be to explain an effect away.
//!
//! RR + √(RR(RR − 1)), on the inverse for RR < 1; VanderWeele and Ding (2017), Annals of Internal Medicine
//! 167(4). Other measures are first turned into a risk ratio: a standardised mean difference d into
//! exp(0.91 d), the odds ratio of a common outcome into its square root, the hazard ratio of a common outcome
//! into (1 − 0.5^√HR)/(1 − 0.5^√(1/HR)).

use crate::inference::Invalid;

/// What the effect is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    RiskRatio,
    OddsRatio,
    HazardRatio,
    /// Cohen's d.
    MeanDifference,
}

impl Measure {
    pub(crate) fn parse(name: &str) -> Result<Self, Invalid> {
        match name {
            "rr" => Ok(Self::RiskRatio),
            "or" => Ok(Self::OddsRatio),
            "hr" => Ok(Self::HazardRatio),
            "d" => Ok(Self::MeanDifference),
            _ => Err(Invalid::new(format!("measure {name} of an effect does not exist"))
                .with_hint("Measures are rr, or, hr and d.")),
        }
    }

    fn risk_ratio(self, effect: f64) -> Result<f64, Invalid> {
        if !effect.is_finite() || self != Self::MeanDifference && effect <= 0.0 {
            return Err(Invalid::new(format!("ratio {effect} is not a finite number above 0")));
        }
        Ok(match self {
            Self::RiskRatio => effect,
            Self::OddsRatio => effect.sqrt(),
            Self::HazardRatio => {
                (1.0 - 0.5_f64.powf(effect.sqrt())) / (1.0 - 0.5_f64.powf((1.0 / effect).sqrt()))
            }
            Self::MeanDifference => (0.91 * effect).exp(),
        })
    }
}

/// The risk ratio that a hidden cause would need, with both treatment and outcome.
pub(crate) fn e_value(effect: f64, measure: Measure) -> Result<f64, Invalid> {
    let ratio = measure.risk_ratio(effect)?;
    let ratio = if ratio < 1.0 { 1.0 / ratio } else { ratio };
    Ok(ratio + (ratio * (ratio - 1.0)).sqrt())
}

/// The E-value of the end of the interval that is nearer to no effect; 1 if the interval holds no effect.
pub(crate) fn e_value_of_interval(low: f64, high: f64, measure: Measure) -> Result<f64, Invalid> {
    let none = if measure == Measure::MeanDifference { 0.0 } else { 1.0 };
    if low > high {
        return Err(Invalid::new(format!("interval {low} to {high} is upside down")));
    }
    if low <= none && high >= none {
        measure.risk_ratio(if none == 0.0 { low } else { high })?;
        return Ok(1.0);
    }
    e_value(if low > none { low } else { high }, measure)
}
