//! Maximum of a smooth function of a few positive parameters.
//!
//! Newton's method on the logarithms of the parameters, with the Hessian's diagonal raised until it has an
//! ascent direction and the step gains (Levenberg 1944, Marquardt 1963).

use crate::inference::Invalid;
use crate::inference::matrix::{Cholesky, dot};

/// A value with its gradient and Hessian, by the parameters themselves.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
    pub(super) hessian: Vec<f64>,
}

const MAX_ITERATIONS: usize = 200;

/// How far a parameter may run before the maximum is taken to lie at infinity or at zero.
const FARTHEST: f64 = 25.0;

pub(super) fn maximise(
    start: &[f64],
    tolerance: f64,
    mut evaluate: impl FnMut(&[f64]) -> Point,
) -> Result<(Vec<f64>, Point), Invalid> {
    let mut place: Vec<f64> = start.iter().map(|value| value.ln()).collect();
    let mut here = evaluate(start);
    let mut damping = 1e-3;
    for _ in 0..MAX_ITERATIONS {
        let parameters: Vec<f64> = place.iter().map(|place| place.exp()).collect();
        let (gradient, curvature) = by_logarithms(&here, &parameters);
        let Some(step) = ascent(&gradient, &curvature, damping) else {
            damping = raise(damping)?;
            continue;
        };
        let gain = dot(&step, &gradient);
        let moved: Vec<f64> =
            place.iter().zip(&step).map(|(place, step)| place + step.clamp(-2.0, 2.0)).collect();
        if moved.iter().any(|place| place.abs() > FARTHEST) {
            return Err(no_maximum());
        }
        let there = evaluate(&moved.iter().map(|place| place.exp()).collect::<Vec<_>>());
        let scale = tolerance * (1.0 + here.value.abs());
        if there.value.is_finite() && there.value >= here.value - scale {
            let finished = gain <= scale && damping <= 1e-3;
            place = moved;
            here = there;
            damping = (damping * 0.1).max(1e-12);
            if finished {
                return Ok((place.iter().map(|place| place.exp()).collect(), here));
            }
        } else {
            damping = raise(damping)?;
        }
    }
    Err(no_maximum())
}

fn raise(damping: f64) -> Result<f64, Invalid> {
    if damping > 1e12 { Err(no_maximum()) } else { Ok(damping * 10.0) }
}

fn no_maximum() -> Invalid {
    Invalid::new("the model does not fit these customers: its likelihood has no maximum")
        .with_hint("It takes customers with repeat purchases, who differ from each other.")
}

/// Gradient and negative Hessian by the logarithms of the parameters.
fn by_logarithms(point: &Point, parameters: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let size = parameters.len();
    let gradient: Vec<f64> = point.gradient.iter().zip(parameters).map(|(g, value)| g * value).collect();
    let mut curvature = vec![0.0; size * size];
    for a in 0..size {
        for b in 0..size {
            let own = if a == b { gradient[a] } else { 0.0 };
            curvature[a * size + b] = -(point.hessian[a * size + b] * parameters[a] * parameters[b] + own);
        }
    }
    (gradient, curvature)
}

fn ascent(gradient: &[f64], curvature: &[f64], damping: f64) -> Option<Vec<f64>> {
    let size = gradient.len();
    let mut raised = curvature.to_vec();
    for term in 0..size {
        let diagonal = &mut raised[term * size + term];
        *diagonal += damping * diagonal.abs().max(1e-8);
    }
    let step = Cholesky::new(&raised, size).ok()?.solve(gradient);
    step.iter().all(|step| step.is_finite()).then_some(step)
}
