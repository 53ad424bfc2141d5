//! Moments that know the names of their columns: what a table stores, to be merged and asked later.
//!
//! A few hundred bytes stand for any number of rows. Whatever is linear can be asked of them for any outcome and any
//! columns among those stored, of any union of the groups by which they are stored; with groups as clusters, errors
//! robust to dependence within these, too.

use std::collections::BTreeMap;

use super::bytes::{Reader, Writer, damaged};
use super::clustered::ClusteredMoments;
use super::linear::{self, LinearFit};
use super::moments::Moments;
use super::{Invalid, quoted};

/// What a stored state begins with: a version of its form.
const FORM: u64 = 0x0100_544e_454d_4f4d;

/// Most columns.
const MOST_COLUMNS: usize = 200;

/// Moments of named columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedMoments {
    names: Vec<String>,
    pub(crate) moments: Moments,
}

impl NamedMoments {
    /// No rows of the columns in a list such as `nps, speed, price`.
    pub(crate) fn new(names: &str) -> Result<Self, Invalid> {
        let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
        let repeated = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name));
        if let Some((_, name)) = repeated {
            return Err(Invalid::new(format!("names of moments have {} twice", quoted(&[name]))));
        }
        if names.iter().any(String::is_empty) || names.len() > MOST_COLUMNS {
            return Err(Invalid::new("names of moments are not a list of names")
                .hint("Write them as in moments('nps, speed, price', nps, speed, price)."));
        }
        Ok(Self { moments: Moments::new(names.len()), names })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        if self.names == other.names {
            return self.moments.merge(&other.moments);
        }
        Err(Invalid::new(format!(
            "moments of {} do not merge with moments of {}",
            quoted(&self.names),
            quoted(&other.names)
        )))
    }

    /// The moments of these columns, in this order.
    fn of(&self, columns: &[&str]) -> Result<Vec<usize>, Invalid> {
        let place = |column: &&str| {
            self.names.iter().position(|name| name == column).ok_or_else(|| {
                Invalid::new(format!("moments have no column {}", quoted(&[column])))
                    .hint(format!("They have {}.", quoted(&self.names)))
            })
        };
        columns.iter().map(place).collect()
    }

    pub(crate) fn size(&self) -> usize {
        self.moments.size() + self.names.iter().map(|name| name.len() + size_of::<String>()).sum::<usize>()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(FORM);
        self.write(&mut writer);
        writer.finish()
    }

    /// An error for bytes that [`NamedMoments::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let read = |reader: &mut Reader| -> Result<Self, Invalid> {
            if reader.integer()? != FORM {
                return Err(damaged());
            }
            Self::read(reader)
        };
        let found = read(&mut reader).and_then(|found| reader.finish().map(|()| found));
        found.map_err(|_| {
            Invalid::new("value is not stored moments")
                .hint("Store what moments(…) or merge_moments(…) returns.")
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.integer(self.names.len() as u64);
        self.names.iter().for_each(|name| writer.text(name));
        self.moments.write(writer);
    }

    fn read(reader: &mut Reader) -> Result<Self, Invalid> {
        let count = reader.count(8)?;
        let names = (0..count).map(|_| reader.text()).collect::<Result<Vec<_>, _>>()?;
        let moments = Moments::read(reader)?;
        if moments.width() == names.len() { Ok(Self { names, moments }) } else { Err(damaged()) }
    }
}

/// Stored moments put together again, and by cluster where there are clusters.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MergedMoments {
    total: Option<NamedMoments>,
    clusters: BTreeMap<u64, Moments>,
}

impl MergedMoments {
    pub(crate) fn add(&mut self, stored: &NamedMoments, cluster: Option<u64>) -> Result<(), Invalid> {
        match &mut self.total {
            Some(total) => total.merge(stored)?,
            None => self.total = Some(stored.clone()),
        }
        match cluster {
            Some(cluster) => self.add_cluster(cluster, &stored.moments),
            None => Ok(()),
        }
    }

    fn add_cluster(&mut self, cluster: u64, moments: &Moments) -> Result<(), Invalid> {
        self.clusters.entry(cluster).or_insert_with(|| Moments::new(moments.width())).merge(moments)
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        if let Some(stored) = &other.total {
            self.add(stored, None)?;
        }
        other.clusters.iter().try_for_each(|(cluster, moments)| self.add_cluster(*cluster, moments))
    }

    /// The moments of an outcome and its predictors.
    pub(crate) fn of(&self, outcome: &str, predictors: &[&str]) -> Result<Moments, Invalid> {
        let total = self.total()?;
        Ok(total.moments.select(&total.of(&[&[outcome], predictors].concat())?))
    }

    /// Regression of an outcome; with clusters if there are any.
    pub(crate) fn fit(&self, outcome: &str, predictors: &[&str], conf: f64) -> Result<LinearFit, Invalid> {
        if self.clusters.is_empty() {
            return linear::fit(&self.of(outcome, predictors)?, predictors, conf);
        }
        let places = self.total()?.of(&[&[outcome], predictors].concat())?;
        let mut clustered = ClusteredMoments::new(places.len());
        for (cluster, moments) in &self.clusters {
            clustered.absorb(*cluster, &moments.select(&places))?;
        }
        clustered.fit(predictors, conf)
    }

    fn total(&self) -> Result<&NamedMoments, Invalid> {
        self.total.as_ref().ok_or_else(|| {
            Invalid::new("regression has no rows").hint("The relation has no stored moments, or only NULLs.")
        })
    }

    pub(crate) fn size(&self) -> usize {
        let total = self.total.as_ref().map_or(0, NamedMoments::size);
        size_of::<Self>() + total + self.clusters.values().map(|moments| moments.size() + 16).sum::<usize>()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(u64::from(self.total.is_some()));
        self.total.iter().for_each(|total| total.write(&mut writer));
        writer.integer(self.clusters.len() as u64);
        for (cluster, moments) in &self.clusters {
            writer.integer(*cluster);
            moments.write(&mut writer);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let total = match reader.integer()? {
            0 => None,
            _ => Some(NamedMoments::read(&mut reader)?),
        };
        let clusters = (0..reader.count(8)?).map(|_| Ok((reader.integer()?, Moments::read(&mut reader)?)));
        let clusters = clusters.collect::<Result<_, Invalid>>()?;
        reader.finish()?;
        Ok(Self { total, clusters })
    }
}

#[cfg(test)]
mod tests;
