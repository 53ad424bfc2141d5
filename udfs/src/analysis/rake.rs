//! `rake`: weights under which a sample has known shares.

use std::collections::BTreeMap;

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, borrowed, optional, required};
use crate::inference::scores::rake::{Category, Combinations, Options};
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "rake",
        arguments: "relation, id, dimensions, targets [, trim]",
        description: "A weight for each row so that the weighted rows have the shares that are known of all customers (iterative \
                      proportional fitting); weights average 1. targets is an array with a text for each category, written \
                      'region=north:0.4'; shares of a dimension need not add up to 1. trim is the largest weight, and the inverse of \
                      the smallest. n_effective is Kish's effective number of rows under the weights; converged says whether the \
                      targets were reached.",
        example: "SELECT id, round(weight, 4) AS weight, converged FROM rake('SELECT * FROM (VALUES (''1'', ''a''), (''2'', ''a''), (''3'', \
                  ''a''), (''4'', ''b'')) AS t(id, region)', 'id', ARRAY['region'], ARRAY['region=a:0.5', 'region=b:0.5'])",
        example_result: "1|0.6667|t\n2|0.6667|t\n3|0.6667|t\n4|2|t",
        ..REPORT
    },
    parameters: &[
        required("id", Takes::Text),
        required("dimensions", Takes::Texts),
        required("targets", Takes::Settings),
        optional("trim", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("id", Type::Text),
    ("weight", Type::Double),
    ("n_effective", Type::Double),
    ("converged", Type::Boolean),
    ("largest_difference", Type::Double),
];

/// The shares of a dimension's categories, in the order in which they are written.
type Targets = Vec<Vec<(String, f64)>>;

fn targets(call: &Call) -> Result<Targets, Error> {
    let dimensions = call.labels("dimensions");
    let mut targets: Targets = vec![Vec::new(); dimensions.len()];
    for written in call.words("targets") {
        let wrong = || {
            Error::invalid_argument(format!("target \"{written}\" is not understood"))
                .with_hint("Write dimension, category and share as 'region=north:0.4'.")
        };
        let (dimension, rest) = written.split_once('=').ok_or_else(wrong)?;
        let (category, share) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let place = dimensions.iter().position(|known| known == dimension.trim()).ok_or_else(wrong)?;
        targets[place].push((category.trim().to_owned(), share.trim().parse().map_err(|_| wrong())?));
    }
    Ok(targets)
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    targets(call)?;
    call.number("trim", 2.0, 1.0, 1e9)?;
    Ok(Gathered::start(call, table))
}

fn table(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (Some(ids), dimensions) = (rows.text("id"), call.labels("dimensions")) else {
        return Err(Error::internal("rows without ids"));
    };
    let targets = targets(call)?;
    let mut counts = Combinations::default();
    let mut known = Vec::with_capacity(rows.rows());
    let columns = rows.texts("dimensions");
    for row in 0..rows.rows() {
        let mut categories: Vec<Category> = Vec::with_capacity(columns.len());
        for ((column, shares), dimension) in columns.iter().zip(&targets).zip(&dimensions) {
            let name = &column.names[column.codes[row] as usize];
            let place = shares.iter().position(|(category, _)| category == name).ok_or_else(|| {
                Error::invalid_argument(format!(
                    "category \"{name}\" of {dimension} has rows but no target share"
                ))
            })?;
            categories.push(place as Category);
        }
        counts.update(&categories)?;
        known.push(categories);
    }
    let shares: Vec<Vec<f64>> =
        targets.iter().map(|shares| shares.iter().map(|(_, share)| *share).collect()).collect();
    let trim = call.word("trim").map(|_| call.number("trim", 2.0, 1.0, 1e9)).transpose()?;
    let raked = counts.rake(&shares, &borrowed(&dimensions), Options { trim, ..Options::default() })?;
    let sorted: BTreeMap<(&str, usize), &Vec<Category>> = known
        .iter()
        .enumerate()
        .map(|(row, categories)| ((ids.names[ids.codes[row] as usize].as_str(), row), categories))
        .collect();
    let row = |((id, _), categories): ((&str, usize), &Vec<Category>)| {
        vec![
            ScalarValue::from(id),
            ScalarValue::from(raked.weights.get(categories).copied()),
            ScalarValue::from(raked.n_effective),
            ScalarValue::from(raked.converged),
            ScalarValue::from(raked.error),
        ]
    };
    Ok(sorted.into_iter().map(row).collect())
}
