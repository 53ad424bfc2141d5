//! A trained model as text: what a later run needs to weigh pairs exactly as this one did.
//!
//! Weights are whole numbers and are written as they are, so that reading the text back cannot change one.

use serde_json::{Value, json};

use super::block::{Key, Limits, Part, Rule};
use super::compare::LEVELS;
use super::model::{Comparison, Model};
use super::table::{Frequencies, Table};
use super::{Invalid, Kind};

/// The layout of the text; another one is another number.
const FORMAT: u64 = 1;

/// What a run under a trained model starts from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) model: Model,
    pub(crate) rules: Vec<Rule>,
    pub(crate) limits: Limits,
    /// By comparison, how often values occurred.
    pub(crate) frequencies: Vec<Frequencies>,
}

const KINDS: [(&str, Kind); 9] = [
    ("name", Kind::Name),
    ("phone", Kind::Phone),
    ("email", Kind::Email),
    ("identifier", Kind::Identifier),
    ("address", Kind::Address),
    ("date", Kind::Date),
    ("category", Kind::Category),
    ("text", Kind::Text),
    ("number", Kind::Number),
];

const PARTS: [(&str, Part); 7] = [
    ("whole", Part::Whole),
    ("aspect", Part::Aspect),
    ("head", Part::Head),
    ("tail", Part::Tail),
    ("year", Part::Year),
    ("month_day", Part::MonthDay),
    ("words", Part::Words),
];

impl Document {
    /// Of a model that was trained on `table`.
    pub(crate) fn new(model: Model, rules: Vec<Rule>, limits: Limits, table: &Table) -> Self {
        Self { model, rules, limits, frequencies: table.frequencies() }
    }

    pub(crate) fn write(&self) -> String {
        let model = &self.model;
        let keys = |rule: &Rule| -> Value {
            rule.keys.iter().map(|key| json!([key.column, name_of(&PARTS, key.part)])).collect()
        };
        let text = json!({
            "format": FORMAT,
            "lambda": model.lambda,
            "prior": model.prior,
            "eta": model.eta,
            "related_prior": model.related_prior,
            "merging": model.merging,
            "separating": model.separating,
            "comparisons": model.comparisons.iter().map(comparison).collect::<Value>(),
            "rules": self.rules.iter().map(keys).collect::<Value>(),
            "group": self.limits.group,
            "pairs": self.limits.pairs,
            "frequencies": self.frequencies,
        });
        text.to_string()
    }

    pub(crate) fn read(text: &str) -> Result<Self, Invalid> {
        let unreadable = || {
            Invalid::new("model of the identity resolution cannot be read")
                .with_hint("CALL id.train() makes a new one.")
        };
        let value: Value = serde_json::from_str(text).map_err(|_| unreadable())?;
        read(&value).ok_or_else(unreadable)
    }
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}

fn value_of<T: Copy>(names: &[(&'static str, T)], name: &str) -> Option<T> {
    names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn comparison(known: &Comparison) -> Value {
    json!({
        "column": known.column,
        "kind": name_of(&KINDS, known.kind),
        "m": known.m,
        "u": known.u,
        "h": known.h,
        "weights": known.weights,
        "related": known.related,
    })
}

fn read(value: &Value) -> Option<Document> {
    if value.get("format")?.as_u64()? != FORMAT {
        return None;
    }
    let whole = |name: &str| value.get(name)?.as_i64().and_then(|number| i32::try_from(number).ok());
    let mask = |name: &str| value.get(name)?.as_u64().and_then(|mask| u16::try_from(mask).ok());
    let comparisons = value.get("comparisons")?.as_array()?;
    let model = Model {
        lambda: value.get("lambda")?.as_f64()?,
        prior: whole("prior")?,
        eta: value.get("eta")?.as_f64()?,
        related_prior: whole("related_prior")?,
        comparisons: comparisons.iter().map(read_comparison).collect::<Option<_>>()?,
        merging: mask("merging")?,
        separating: mask("separating")?,
    };
    let group = usize::try_from(value.get("group")?.as_u64()?).ok()?;
    let limits = Limits { group, pairs: value.get("pairs")?.as_u64()?, across_sources: false };
    let rules = value.get("rules")?.as_array()?.iter().map(read_rule).collect::<Option<Vec<_>>>()?;
    let columns = model.comparisons.len();
    if rules.iter().flat_map(|rule| &rule.keys).any(|key| key.column >= columns) {
        return None;
    }
    let frequencies = serde_json::from_value(value.get("frequencies")?.clone()).ok()?;
    Some(Document { model, rules, limits, frequencies })
}

fn read_rule(value: &Value) -> Option<Rule> {
    let key = |value: &Value| {
        let column = usize::try_from(value.get(0)?.as_u64()?).ok()?;
        Some(Key { column, part: value_of(&PARTS, value.get(1)?.as_str()?)? })
    };
    Some(Rule { keys: value.as_array()?.iter().map(key).collect::<Option<_>>()? })
}

fn read_comparison(value: &Value) -> Option<Comparison> {
    let reals = |name: &str| -> Option<[f64; LEVELS]> {
        let values: Option<Vec<f64>> = value.get(name)?.as_array()?.iter().map(Value::as_f64).collect();
        values?.try_into().ok()
    };
    let wholes = |name: &str| -> Option<[i32; LEVELS]> {
        let whole = |value: &Value| i32::try_from(value.as_i64()?).ok();
        let values: Option<Vec<i32>> = value.get(name)?.as_array()?.iter().map(whole).collect();
        values?.try_into().ok()
    };
    Some(Comparison {
        column: value.get("column")?.as_str()?.to_owned(),
        kind: value_of(&KINDS, value.get("kind")?.as_str()?)?,
        m: reals("m")?,
        u: reals("u")?,
        h: reals("h")?,
        weights: wholes("weights")?,
        related: wholes("related")?,
    })
}
