//! `rfm`: customers scored by how recently, how often and for how much they bought.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::inference::clv::rfm::{self, Customer, Ties};
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "rfm",
        arguments: "relation, customer, recency, frequency, monetary [, parts, ties]",
        description: "Recency, frequency and monetary scores of customers, one row each, from 1 to the number of parts, the best of \
                      which is the highest; recency is the time since the last purchase, so less is better. parts is 5 unless \
                      given; ties is apart (parts of equal size, the default) or together (equal values in one part).",
        example: "SELECT customer, recency_score, frequency_score, monetary_score FROM rfm('SELECT * FROM (VALUES (''a'', 3, 9, 200), (''b'', \
                  40, 2, 50), (''c'', 90, 1, 20)) AS t(customer, days, orders, spent)', 'customer', 'days', 'orders', 'spent', parts => 3)",
        example_result: "a|3|3|3\nb|2|2|2\nc|1|1|1",
        ..REPORT
    },
    parameters: &[
        required("customer", Takes::Text),
        required("recency", Takes::Number),
        required("frequency", Takes::Number),
        required("monetary", Takes::Number),
        optional("parts", Takes::Setting),
        optional("ties", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("customer", Type::Text),
    ("recency", Type::Double),
    ("frequency", Type::Double),
    ("monetary", Type::Double),
    ("recency_score", Type::Bigint),
    ("frequency_score", Type::Bigint),
    ("monetary_score", Type::Bigint),
];

fn settings(call: &Call) -> Result<(u32, Ties), Error> {
    let ties = call.choice("ties", &[("apart", Ties::Apart), ("together", Ties::Together)])?;
    Ok((call.whole("parts", 5, 2, 100)? as u32, ties))
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    settings(call)?;
    Ok(Gathered::start(call, table))
}

fn table(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (Some(names), Some(recency), Some(frequency), Some(monetary)) =
        (rows.text("customer"), rows.number("recency"), rows.number("frequency"), rows.number("monetary"))
    else {
        return Err(Error::internal("customers without their columns"));
    };
    if names.names.len() != rows.rows() {
        return Err(Error::invalid_argument("a customer has more than one row")
            .with_hint("Group the relation by customer first."));
    }
    let (order, codes) = names.in_order();
    let mut customers: Vec<Option<Customer>> = vec![None; order.len()];
    for (row, code) in codes.iter().enumerate() {
        customers[*code as usize] = Some(Customer {
            key: order[*code as usize].to_owned(),
            recency: recency[row],
            frequency: frequency[row],
            monetary: monetary[row],
        });
    }
    let customers: Vec<Customer> = customers.into_iter().flatten().collect();
    let (parts, ties) = settings(call)?;
    let row = |(customer, scores): (&Customer, rfm::Scores)| {
        vec![
            ScalarValue::from(customer.key.as_str()),
            ScalarValue::from(customer.recency),
            ScalarValue::from(customer.frequency),
            ScalarValue::from(customer.monetary),
            ScalarValue::from(i64::from(scores.recency)),
            ScalarValue::from(i64::from(scores.frequency)),
            ScalarValue::from(i64::from(scores.monetary)),
        ]
    };
    Ok(customers.iter().zip(rfm::scores(&customers, parts, ties)?).map(row).collect())
}
