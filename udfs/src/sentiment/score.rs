//! From a text to its sentiment.

use super::features;
use super::table::{Scale, Table};
use super::units::{self, FULL, Kind, Unit};

/// The model that comes with the crate.
pub(crate) static MODEL: Table = Table::open(include_bytes!("../../models/sentiment.bin"));

/// Which way a text leans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Negative,
    /// Says nothing good or bad.
    Neutral,
    Positive,
    /// Says good and bad things, each strongly.
    Mixed,
}

impl Label {
    /// The label in lower case, as SQL shows it.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
            Self::Mixed => "mixed",
        }
    }

    /// The label of a name.
    #[must_use]
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let all = [Self::Negative, Self::Neutral, Self::Positive, Self::Mixed];
        all.into_iter().find(|label| label.name() == name)
    }
}

/// The sentiment of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sentiment {
    /// From −1 (negative) to 1 (positive): 2 · probability − 1, drawn towards 0 as far as the text is factual.
    pub(crate) score: f32,
    /// How likely the text is positive rather than negative, given that it is one of them; calibrated.
    pub(crate) probability: f32,
    pub(crate) label: Label,
}

/// Below this share of subjectivity a text is neutral.
const FACTUAL: f32 = 0.35;

/// Scores nearer to 0 than this are neutral.
const UNDECIDED: f32 = 0.15;

/// How far on either side a clause must be for a text to be mixed, as a logit.
const STRONG: f32 = 1.8;

/// Beyond this score one side prevails and a text is not mixed.
const PREVAILS: f32 = 0.8;

/// The sentiment of `text`. Time is linear in its length.
#[must_use]
pub(crate) fn score(text: &str) -> Sentiment {
    Scorer::new().score(text)
}

/// Scores many texts without allocating for each.
#[derive(Debug, Default)]
pub(crate) struct Scorer {
    units: Vec<Unit>,
}

/// Sums over features, in whole numbers so that no order matters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) polarity: i64,
    pub(crate) subjectivity: i64,
    /// Number of features, in quarters.
    pub(crate) count: i64,
}

impl Scorer {
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The sentiment of `text`.
    pub(crate) fn score(&mut self, text: &str) -> Sentiment {
        self.logits(text).judge()
    }

    /// What the model says of `text`, not yet a label.
    pub(crate) fn logits(&mut self, text: &str) -> Logits {
        units::read(text, &mut self.units);
        if self.units.iter().all(is_silent) {
            return Logits::NONE;
        }
        read(&self.units)
    }

    /// The units of the text read last.
    pub(crate) fn units(&self) -> &[Unit] {
        &self.units
    }
}

/// What a model says of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Logits {
    /// Of being positive rather than negative.
    pub(crate) polarity: f32,
    /// Of judging at all.
    pub(crate) subjectivity: f32,
    /// The strongest polarity of a clause on either side.
    pub(crate) lowest: f32,
    pub(crate) highest: f32,
}

/// Numbers and most marks say nothing.
fn is_silent(unit: &Unit) -> bool {
    match unit.kind {
        Kind::Digit | Kind::Stop | Kind::Break => true,
        Kind::Mark => unit.code < 0x2000,
        _ => false,
    }
}

/// Sums up the features of `units`, the whole and clause by clause.
#[inline]
fn read(units: &[Unit]) -> Logits {
    let scale = &MODEL.scale;
    let mut logits = Logits { lowest: 0.0, highest: 0.0, ..Logits::NONE };
    let (mut whole, mut clause) = (Sums::default(), Sums::default());
    let mut end = clause_end(units, 0);
    features::each(units, |feature| {
        if feature.first >= end {
            logits.meet(clause.logit(scale));
            whole.add(std::mem::take(&mut clause));
            end = clause_end(units, feature.first);
        }
        let weights = MODEL.get(feature.name);
        let weight = i64::from(units[feature.first].weight);
        clause.polarity += i64::from(weights.polarity) * weight;
        clause.subjectivity += i64::from(weights.subjectivity) * weight;
        clause.count += weight;
    });
    logits.meet(clause.logit(scale));
    whole.add(clause);
    logits.polarity = whole.logit(scale);
    logits.subjectivity = whole.scaled(whole.subjectivity, scale.subjectivity_unit) + scale.subjectivity_bias;
    logits
}

/// Behind the clause that holds the unit at `from`.
#[inline]
fn clause_end(units: &[Unit], from: usize) -> usize {
    let rest = units.iter().skip(from);
    from + 1 + rest.take_while(|unit| !matches!(unit.kind, Kind::Stop | Kind::Break)).count()
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.polarity += other.polarity;
        self.subjectivity += other.subjectivity;
        self.count += other.count;
    }

    /// unit · sum / √(number of features).
    #[allow(clippy::cast_precision_loss)] // sums of short texts are exact, those of long ones near enough
    fn scaled(self, sum: i64, unit: f32) -> f32 {
        let full = f32::from(FULL);
        unit * (sum as f32 / full) / (self.count.max(i64::from(FULL)) as f32 / full).sqrt()
    }

    fn logit(self, scale: &Scale) -> f32 {
        let margin = self.scaled(self.polarity, scale.unit) + scale.bias;
        scale.slope * margin.signum() * margin.abs().powf(scale.bend) + scale.offset
    }
}

impl Logits {
    /// Of a text that says nothing.
    const NONE: Self = Self { polarity: 0.0, subjectivity: f32::NEG_INFINITY, lowest: 0.0, highest: 0.0 };

    fn meet(&mut self, clause: f32) {
        self.lowest = self.lowest.min(clause);
        self.highest = self.highest.max(clause);
    }

    pub(crate) fn judge(self) -> Sentiment {
        let probability = logistic(self.polarity);
        let subjective = logistic(self.subjectivity);
        let score = (2.0 * probability - 1.0) * subjective;
        let mixed = self.lowest < -STRONG && self.highest > STRONG && score.abs() < PREVAILS;
        let label = match score {
            _ if subjective < FACTUAL => Label::Neutral,
            _ if mixed => Label::Mixed,
            s if s > UNDECIDED => Label::Positive,
            s if s < -UNDECIDED => Label::Negative,
            _ => Label::Neutral,
        };
        Sentiment { score, probability, label }
    }
}

fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
