//! A kernel that keeps the columns of a call, for statistics that pass over the rows more than once.
//!
//! A row with a NULL, a NaN or an infinity in any of the columns is left out. What is kept is told to the memory pool,
//! which refuses more than there is.

use std::collections::HashMap;

use arrow::array::Array;
use voxhouse_engine::Error;

use super::{Call, Kernel, Row, Takes, Values};

/// Reads the answer from the gathered columns.
type Compute = fn(&Call, &Gathered) -> Result<Vec<Row>, Error>;

/// The complete rows of a call, by column.
#[derive(Debug)]
pub(crate) struct Gathered {
    call: Call,
    columns: Vec<Column>,
    rows: usize,
    compute: Compute,
}

#[derive(Debug)]
enum Column {
    Numbers(Vec<f64>),
    /// NaN where there is none.
    MaybeNumbers(Vec<f64>),
    Times(Vec<i64>),
    Texts(Coded),
    /// An empty text where there is none.
    MaybeTexts(Coded),
}

/// Texts as places in a list of distinct ones.
#[derive(Debug, Default)]
pub(crate) struct Coded {
    pub(crate) names: Vec<String>,
    pub(crate) codes: Vec<u32>,
    places: HashMap<String, u32>,
    bytes: usize,
}

impl Coded {
    fn push(&mut self, text: &str) {
        let code = match self.places.get(text) {
            Some(code) => *code,
            None => {
                let code = self.names.len() as u32;
                self.names.push(text.to_owned());
                self.places.insert(text.to_owned(), code);
                self.bytes += 2 * (text.len() + size_of::<String>()) + size_of::<u32>();
                code
            }
        };
        self.codes.push(code);
    }

    /// The names in order, and the codes that go with that order: the same whatever came first.
    pub(crate) fn in_order(&self) -> (Vec<&str>, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.names.len() as u32).collect();
        order.sort_by_key(|code| &self.names[*code as usize]);
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(to, from)| place[*from as usize] = to as u32);
        let names = order.iter().map(|code| self.names[*code as usize].as_str()).collect();
        (names, self.codes.iter().map(|code| place[*code as usize]).collect())
    }
}

impl Gathered {
    pub(crate) fn start(call: &Call, compute: Compute) -> Box<dyn Kernel> {
        let columns = call.columns().map(|(takes, _)| match takes {
            Takes::Number | Takes::Numbers => Column::Numbers(Vec::new()),
            Takes::NumberOrNull => Column::MaybeNumbers(Vec::new()),
            Takes::Time => Column::Times(Vec::new()),
            Takes::TextsOrNull => Column::MaybeTexts(Coded::default()),
            _ => Column::Texts(Coded::default()),
        });
        Box::new(Self { call: call.clone(), columns: columns.collect(), rows: 0, compute })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The columns of a parameter that takes numbers.
    pub(crate) fn numbers(&self, parameter: &str) -> Vec<&[f64]> {
        let columns = self.columns.get(self.call.places(parameter)).unwrap_or_default();
        let numbers = columns.iter().filter_map(|column| match column {
            Column::Numbers(numbers) | Column::MaybeNumbers(numbers) => Some(numbers.as_slice()),
            _ => None,
        });
        numbers.collect()
    }

    /// The column of a parameter that takes one; `None` where the call does not say it.
    pub(crate) fn number(&self, parameter: &str) -> Option<&[f64]> {
        self.numbers(parameter).into_iter().next()
    }

    pub(crate) fn text(&self, parameter: &str) -> Option<&Coded> {
        match self.columns.get(self.call.places(parameter))?.first()? {
            Column::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    /// The columns of a parameter that takes several texts.
    pub(crate) fn texts(&self, parameter: &str) -> Vec<&Coded> {
        let columns = self.columns.get(self.call.places(parameter)).unwrap_or_default();
        let texts = columns.iter().filter_map(|column| match column {
            Column::Texts(texts) | Column::MaybeTexts(texts) => Some(texts),
            _ => None,
        });
        texts.collect()
    }

    /// Microseconds since 1970.
    pub(crate) fn time(&self, parameter: &str) -> Option<&[i64]> {
        match self.columns.get(self.call.places(parameter))?.first()? {
            Column::Times(times) => Some(times),
            _ => None,
        }
    }
}

impl Kernel for Gathered {
    fn update(&mut self, values: &Values) -> Result<(), Error> {
        for row in 0..values.rows {
            let mut is_complete = true;
            for (place, column) in self.columns.iter().enumerate() {
                is_complete &= match column {
                    Column::Numbers(_) => {
                        let numbers = values.number(place)?;
                        numbers.is_valid(row) && numbers.value(row).is_finite()
                    }
                    Column::MaybeNumbers(_) | Column::MaybeTexts(_) => true,
                    Column::Times(_) => values.time(place)?.is_valid(row),
                    Column::Texts(_) => values.text(place)?.is_valid(row),
                };
            }
            if !is_complete {
                continue;
            }
            self.rows += 1;
            for (place, column) in self.columns.iter_mut().enumerate() {
                match column {
                    Column::Numbers(numbers) => numbers.push(values.number(place)?.value(row)),
                    Column::MaybeNumbers(numbers) => {
                        let found = values.number(place)?;
                        numbers.push(if found.is_valid(row) { found.value(row) } else { f64::NAN });
                    }
                    Column::Times(times) => times.push(values.time(place)?.value(row)),
                    Column::Texts(texts) => texts.push(values.text(place)?.value(row)),
                    Column::MaybeTexts(texts) => {
                        let found = values.text(place)?;
                        texts.push(if found.is_valid(row) { found.value(row) } else { "" });
                    }
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let mut reader = Reader { bytes: state };
        let rows = reader.word()? as usize;
        for column in &mut self.columns {
            match column {
                Column::Numbers(numbers) | Column::MaybeNumbers(numbers) => {
                    for _ in 0..rows {
                        numbers.push(f64::from_bits(reader.word()?));
                    }
                }
                Column::Times(times) => {
                    for _ in 0..rows {
                        times.push(reader.word()? as i64);
                    }
                }
                Column::Texts(texts) | Column::MaybeTexts(texts) => {
                    let count = reader.word()? as usize;
                    let names = (0..count).map(|_| reader.text()).collect::<Result<Vec<_>, _>>()?;
                    for _ in 0..rows {
                        texts.push(names.get(reader.word()? as usize).ok_or_else(damaged)?);
                    }
                }
            }
        }
        self.rows += rows;
        Ok(())
    }

    fn save(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.rows * 8 * self.columns.len());
        let word = |bytes: &mut Vec<u8>, word: u64| bytes.extend_from_slice(&word.to_le_bytes());
        word(&mut bytes, self.rows as u64);
        for column in &self.columns {
            match column {
                Column::Numbers(numbers) | Column::MaybeNumbers(numbers) => {
                    numbers.iter().for_each(|n| word(&mut bytes, n.to_bits()))
                }
                Column::Times(times) => times.iter().for_each(|time| word(&mut bytes, *time as u64)),
                Column::Texts(texts) | Column::MaybeTexts(texts) => {
                    word(&mut bytes, texts.names.len() as u64);
                    for name in &texts.names {
                        word(&mut bytes, name.len() as u64);
                        bytes.extend_from_slice(name.as_bytes());
                    }
                    texts.codes.iter().for_each(|code| word(&mut bytes, u64::from(*code)));
                }
            }
        }
        bytes
    }

    fn answer(&mut self) -> Result<Vec<Row>, Error> {
        (self.compute)(&self.call, self)
    }

    fn size(&self) -> usize {
        let held = self.columns.iter().map(|column| match column {
            Column::Numbers(numbers) | Column::MaybeNumbers(numbers) => numbers.capacity() * size_of::<f64>(),
            Column::Times(times) => times.capacity() * size_of::<i64>(),
            Column::Texts(texts) | Column::MaybeTexts(texts) => {
                texts.codes.capacity() * size_of::<u32>() + texts.bytes
            }
        });
        held.sum()
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or_else(damaged)?;
        self.bytes = rest;
        Ok(head)
    }

    fn word(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().map_err(|_| damaged())?))
    }

    fn text(&mut self) -> Result<&'a str, Error> {
        let length = self.word()? as usize;
        std::str::from_utf8(self.take(length)?).map_err(|_| damaged())
    }
}

fn damaged() -> Error {
    Error::internal("the state of a report is damaged")
}
