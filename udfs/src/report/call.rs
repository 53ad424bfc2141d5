//! What a call says: which columns it reads, and its settings. It travels to the aggregate as the JSON text
//! of its first argument, `{"columns": {"outcome": ["nps"]}, "settings": {"conf": "0.9"}}`.

use std::sync::Arc;

use serde_json::Value;
use voxhouse_engine::Error;

use crate::knowledge::Knowledge;

/// Something that a call says behind the relation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    pub name: &'static str,
    pub takes: Takes,
    /// Whether a call must say it.
    pub required: bool,
}

/// What is written for a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A column, or an expression over the relation, that is a number; a boolean counts as 0 or 1.
    Number,
    /// The same, where NULL says something, too: it is kept as NaN.
    NumberOrNull,
    /// An array of numbers.
    Numbers,
    /// A column or expression of any type, as text.
    Text,
    /// An array of such.
    Texts,
    /// The same as an array of texts, where a NULL among them does not leave the row out.
    TextsOrNull,
    /// A timestamp or date.
    Time,
    /// A column of binary values, such as stored moments.
    Bytes,
    /// A constant.
    Setting,
    /// An array of constants.
    Settings,
}

impl Takes {
    pub fn is_column(self) -> bool {
        !matches!(self, Takes::Setting | Takes::Settings)
    }

    pub fn is_array(self) -> bool {
        matches!(self, Takes::Numbers | Takes::Texts | Takes::TextsOrNull | Takes::Settings)
    }
}

/// The setting that every report takes: whether a question without an answer is an error, or answered by no rows.
pub const IF_UNDEFINED: &str = "if_undefined";

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    parameters: &'static [Parameter],
    said: Value,
    /// What the text functions knew when the call began.
    pub(crate) knowledge: Arc<Knowledge>,
}

impl Call {
    pub(crate) fn parse(
        parameters: &'static [Parameter],
        text: &str,
        knowledge: Arc<Knowledge>,
    ) -> Result<Self, Error> {
        match serde_json::from_str(text) {
            Ok(said) => Ok(Self { parameters, said, knowledge }),
            Err(_) => Err(Error::internal("a report is called without its description")),
        }
    }

    /// The columns as the user wrote them, in the order in which their values come.
    pub(crate) fn labels(&self, parameter: &str) -> Vec<String> {
        let written = self.said["columns"][parameter].as_array();
        written.into_iter().flatten().filter_map(|label| Some(label.as_str()?.to_owned())).collect()
    }

    pub(crate) fn has(&self, parameter: &str) -> bool {
        !self.labels(parameter).is_empty()
    }

    /// Where the columns of a parameter stand among all of the call.
    pub(crate) fn places(&self, parameter: &str) -> std::ops::Range<usize> {
        let before = self.parameters.iter().take_while(|other| other.name != parameter);
        let start = before.map(|other| self.labels(other.name).len()).sum();
        start..start + self.labels(parameter).len()
    }

    /// What each column of the call takes, in order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (Takes, String)> {
        self.parameters.iter().filter(|parameter| parameter.takes.is_column()).flat_map(|parameter| {
            self.labels(parameter.name).into_iter().map(|label| (parameter.takes, label))
        })
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.said["settings"][name].as_str()
    }

    /// One of `choices`; the first one where the call says nothing.
    pub(crate) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<T, Error> {
        let Some(written) = self.setting(name) else {
            return choices.first().map(|(_, choice)| *choice).ok_or_else(|| Error::internal("no choices"));
        };
        choices.iter().find(|(word, _)| *word == written).map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            Error::invalid_argument(format!("{name} \"{written}\" does not exist"))
                .with_hint(format!("It is one of {}.", words.join(", ")))
        })
    }

    /// What the universal setting `if_undefined` says of a question without an answer.
    pub(crate) fn answers_nothing(&self) -> bool {
        self.setting(IF_UNDEFINED) == Some("nothing")
    }

    /// A setting as it is written.
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        self.setting(name).map(str::to_owned)
    }

    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        let written = self.said["settings"][name].as_array();
        written.into_iter().flatten().filter_map(|word| Some(word.as_str()?.to_owned())).collect()
    }

    /// A number from `low` to `high`.
    pub(crate) fn number(&self, name: &str, default: f64, low: f64, high: f64) -> Result<f64, Error> {
        let Some(written) = self.setting(name) else { return Ok(default) };
        match written.parse::<f64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number),
            _ => Err(Error::invalid_argument(format!(
                "{name} must be a number from {low} to {high}, not {written}"
            ))),
        }
    }

    pub(crate) fn whole(&self, name: &str, default: u64, low: u64, high: u64) -> Result<u64, Error> {
        let Some(written) = self.setting(name) else { return Ok(default) };
        match written.parse::<u64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number),
            _ => Err(Error::invalid_argument(format!(
                "{name} must be a whole number from {low} to {high}, not {written}"
            ))),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        self.choice(name, &[("false", false), ("true", true)])
    }

    /// The confidence level `conf`, 0.95 unless given.
    pub(crate) fn confidence(&self) -> Result<f64, Error> {
        let conf = self.number("conf", 0.95, 0.0, 1.0)?;
        if conf > 0.0 && conf < 1.0 {
            return Ok(conf);
        }
        Err(Error::invalid_argument(format!("confidence level {conf} is not between 0 and 1"))
            .with_hint("Write 95 percent as 0.95."))
    }
}
