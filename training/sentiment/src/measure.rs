//! How good predictions are: accuracy, area under the curve, calibration.

/// A prediction and the truth.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    pub margin: f32,
    pub positive: bool,
}

pub fn accuracy(judged: &[Judged]) -> f64 {
    let right = judged.iter().filter(|j| (j.margin > 0.0) == j.positive).count();
    right as f64 / judged.len().max(1) as f64
}

pub fn macro_f1(judged: &[Judged]) -> f64 {
    let f1 = |side: bool| {
        let hit = judged.iter().filter(|j| (j.margin > 0.0) == side && j.positive == side).count() as f64;
        let said = judged.iter().filter(|j| (j.margin > 0.0) == side).count() as f64;
        let true_ = judged.iter().filter(|j| j.positive == side).count() as f64;
        2.0 * hit / (said + true_).max(1.0)
    };
    f64::midpoint(f1(true), f1(false))
}

pub fn auc(judged: &[Judged]) -> f64 {
    let mut sorted = judged.to_vec();
    sorted.sort_by(|a, b| a.margin.total_cmp(&b.margin));
    let (mut below, mut sum) = (0.0, 0.0);
    for one in &sorted {
        if one.positive {
            sum += below;
        } else {
            below += 1.0;
        }
    }
    sum / (below * (sorted.len() as f64 - below)).max(1.0)
}

/// Platt's sigmoid of a bent margin: probability = 1 / (1 + exp(−(slope · ±|margin|^bend + offset))).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sigmoid {
    pub slope: f64,
    pub offset: f64,
    pub bend: f64,
}

impl Sigmoid {
    pub fn probability(self, margin: f32) -> f64 {
        1.0 / (1.0 + (-(self.slope * self.bent(margin) + self.offset)).exp())
    }

    fn bent(self, margin: f32) -> f64 {
        f64::from(margin.signum()) * f64::from(margin.abs()).powf(self.bend)
    }

    /// The bend, out of a few, whose sigmoid fits best.
    pub fn fit(judged: &[(Judged, f64)]) -> Self {
        let bends = (10..=30).map(|twentieths| f64::from(twentieths) / 20.0);
        let fitted = bends.map(|bend| Self::fit_bent(judged, bend));
        fitted.min_by(|a, b| a.loss(judged).total_cmp(&b.loss(judged))).expect("there are bends")
    }

    fn loss(self, judged: &[(Judged, f64)]) -> f64 {
        let one = |(judged, weight): &(Judged, f64)| {
            let p = self.probability(judged.margin);
            -weight * (if judged.positive { p } else { 1.0 - p }).max(1e-12).ln()
        };
        judged.iter().map(one).sum()
    }

    /// Fits by Newton's method.
    pub fn fit_bent(judged: &[(Judged, f64)], bend: f64) -> Self {
        let mut sigmoid = Self { slope: 1.0, offset: 0.0, bend };
        for _ in 0..25 {
            let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
            for (one, weight) in judged {
                let p = sigmoid.probability(one.margin);
                let x = sigmoid.bent(one.margin);
                let e = weight * (p - f64::from(u8::from(one.positive)));
                let v = weight * (p * (1.0 - p)).max(1e-9);
                g0 += e * x;
                g1 += e;
                h00 += v * x * x;
                h01 += v * x;
                h11 += v;
            }
            let det = h00 * h11 - h01 * h01;
            sigmoid.slope -= (h11 * g0 - h01 * g1) / det;
            sigmoid.offset -= (h00 * g1 - h01 * g0) / det;
        }
        sigmoid
    }
}

/// Expected calibration error over ten bins of the probability of being positive.
pub fn calibration_error(judged: &[Judged], sigmoid: Sigmoid) -> f64 {
    let mut bins = [[0.0_f64; 3]; 10];
    for one in judged {
        let p = sigmoid.probability(one.margin);
        let bin = &mut bins[((p * 10.0) as usize).min(9)];
        bin[0] += p;
        bin[1] += f64::from(u8::from(one.positive));
        bin[2] += 1.0;
    }
    bins.iter().map(|bin| (bin[0] - bin[1]).abs()).sum::<f64>() / judged.len().max(1) as f64
}

/// Accuracy of the given share of texts, those judged with the greatest certainty.
pub fn accuracy_at(judged: &[Judged], share: f64, sigmoid: Sigmoid) -> f64 {
    let mut sorted = judged.to_vec();
    sorted.sort_by(|a, b| {
        let certainty = |j: &Judged| (sigmoid.probability(j.margin) - 0.5).abs();
        certainty(b).total_cmp(&certainty(a))
    });
    sorted.truncate((judged.len() as f64 * share) as usize);
    accuracy(&sorted)
}
