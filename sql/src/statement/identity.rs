//! The procedures of identity resolution: `CALL id.refresh()`, `id.train()`, `id.merge(…)`, `id.unmerge(…)`,
//! `id.undo(…)`. What they find is the engine's; writing it, like every change of rows, is the session's.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::{Author, QualifiedName};
use voxhouse_engine::dml::Work;
use voxhouse_engine::identity::decisions::{Author as Decider, Decisions};
use voxhouse_engine::identity::explain::{not_refreshed, unknown};
use voxhouse_engine::identity::reading::Reader;
use voxhouse_engine::identity::refresh::{Refresh, Summary, Write};
use voxhouse_engine::identity::stored::{self, table};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::rows;
use crate::access::writes::{Need, writable_table};
use crate::dialect::build::literal;
use crate::pg_catalog::Visible;
use crate::query::QueryContext;
use crate::query::context::with_catalog;
use crate::session::Session;
use crate::wire::backend::Outcome;

/// For the hint of an unknown procedure.
pub const PROCEDURES: &str = "id.refresh([pairs]), id.train([pairs]), id.merge(a, b, reason), \
                              id.unmerge(customer_id, records, reason), id.undo(decision_id)";

/// The tables that a refresh writes.
const WRITTEN: [&str; 10] = [
    "blocked_values",
    "blocking_report",
    "decisions",
    "edges",
    "history",
    "households",
    "identifier_policy",
    "model",
    "models",
    "runs",
];

/// What a call asks for.
enum Wish {
    /// With the pairs that it may compare.
    Refresh(Option<u64>),
    Train(Option<u64>),
    Merge {
        left: String,
        right: String,
        reason: String,
    },
    Unmerge {
        customer: String,
        records: Vec<String>,
        reason: String,
    },
    Undo {
        decision: String,
    },
}

/// The columns that a procedure returns; `None` for one that does not exist.
pub fn schema(procedure: &str) -> Option<SchemaRef> {
    let decides = match procedure {
        "id.refresh" | "id.train" => false,
        "id.merge" | "id.unmerge" | "id.undo" => true,
        _ => return None,
    };
    let mut fields = Vec::new();
    if decides {
        fields.push(Field::new("decision_id", DataType::Utf8, true));
    }
    fields.push(Field::new("version", DataType::Int64, false));
    fields.push(Field::new("trained", DataType::Boolean, false));
    let counts =
        ["records", "customers", "largest_customer", "pairs", "new_customers", "gone_customers", "compared"];
    fields.extend(counts.map(|name| Field::new(name, DataType::Int64, false)));
    Some(Arc::new(Schema::new(fields)))
}

pub async fn call(session: &mut Session, procedure: &str, call: &Function) -> Result<Outcome> {
    let wish = Wish::read(procedure, call)?;
    session.require_no_block(&format!("CALL {procedure}"))?;
    session.require_changeable("CALL", false)?;
    let (decision, summary) = run(session, &wish, call).await?;
    let schema = schema(procedure).ok_or_else(|| Error::internal("a procedure lost its columns"))?;
    let mut columns: Vec<ArrayRef> = Vec::new();
    if wish.decides() {
        columns.push(Arc::new(StringArray::from(vec![decision])));
    }
    columns.extend(summary_columns(&summary));
    Ok(rows("CALL", RecordBatch::try_new(schema, columns)?))
}

fn summary_columns(summary: &Summary) -> Vec<ArrayRef> {
    let number = |value: u64| Arc::new(Int64Array::from(vec![value as i64])) as ArrayRef;
    vec![
        Arc::new(Int64Array::from(vec![summary.version])),
        Arc::new(BooleanArray::from(vec![summary.trained])),
        number(summary.records),
        number(summary.customers),
        number(summary.largest_customer),
        number(summary.pairs),
        number(summary.new_customers),
        number(summary.gone_customers),
        number(summary.compared),
    ]
}

impl Wish {
    fn read(procedure: &str, call: &Function) -> Result<Self> {
        let arguments = arguments(call);
        let text = |expr: &Expr| literal(expr).map(str::to_owned);
        let wish = match (procedure, arguments.as_deref().unwrap_or(&[])) {
            _ if arguments.is_none() => None,
            ("id.refresh", []) => Some(Wish::Refresh(None)),
            ("id.train", []) => Some(Wish::Train(None)),
            ("id.refresh", [pairs]) => whole(pairs).map(|pairs| Wish::Refresh(Some(pairs))),
            ("id.train", [pairs]) => whole(pairs).map(|pairs| Wish::Train(Some(pairs))),
            ("id.merge", [left, right, reason]) => match (text(left), text(right), text(reason)) {
                (Some(left), Some(right), Some(reason)) => Some(Wish::Merge { left, right, reason }),
                _ => None,
            },
            ("id.unmerge", [customer, records, reason]) => {
                match (text(customer), texts(records), text(reason)) {
                    (Some(customer), Some(records), Some(reason)) => {
                        Some(Wish::Unmerge { customer, records, reason })
                    }
                    _ => None,
                }
            }
            ("id.undo", [decision]) => text(decision).map(|decision| Wish::Undo { decision }),
            _ => None,
        };
        wish.ok_or_else(|| {
            let message = format!("procedure {procedure} does not exist with these arguments");
            Error::new(ErrorKind::UndefinedFunction, message).with_hint(format!("There are {PROCEDURES}."))
        })
    }

    fn reason(&self) -> &str {
        match self {
            Wish::Merge { reason, .. } | Wish::Unmerge { reason, .. } => reason,
            Wish::Refresh(_) | Wish::Train(_) | Wish::Undo { .. } => "",
        }
    }

    fn decides(&self) -> bool {
        !matches!(self, Wish::Refresh(_) | Wish::Train(_))
    }

    fn most_pairs(&self) -> Option<u64> {
        match self {
            Wish::Refresh(pairs) | Wish::Train(pairs) => *pairs,
            _ => None,
        }
    }
}

/// What is written between the parentheses; `None` if it is not a plain list.
fn arguments(call: &Function) -> Option<Vec<&Expr>> {
    let list = match &call.args {
        FunctionArguments::None => return Some(Vec::new()),
        FunctionArguments::List(list) => list,
        FunctionArguments::Subquery(_) => return None,
    };
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

/// A number of pairs.
fn whole(expr: &Expr) -> Option<u64> {
    let Expr::Value(value) = expr else { return None };
    let Value::Number(digits, _) = &value.value else { return None };
    digits.parse().ok()
}

/// `ARRAY['a', 'b']`, or the text of an array, or one text.
fn texts(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Array(array) => array.elem.iter().map(|value| literal(value).map(str::to_owned)).collect(),
        other => {
            let text = literal(other)?;
            match crate::dialect::build::array_elements(text) {
                Some(elements) => elements.into_iter().collect(),
                None => Some(vec![text.to_owned()]),
            }
        }
    }
}

/// Who is whose now, as readers see it.
struct Known {
    /// By source system and record id.
    of_record: HashMap<(String, String), String>,
}

impl Known {
    fn new(batch: &RecordBatch) -> Self {
        let column = |at: usize| batch.column(at).as_string::<i32>();
        let (systems, records, customers) = (column(0), column(1), column(2));
        let of_record = (0..batch.num_rows())
            .map(|row| {
                let record = (systems.value(row).to_owned(), records.value(row).to_owned());
                (record, customers.value(row).to_owned())
            })
            .collect();
        Self { of_record }
    }

    /// The records of a customer, or one record by its name.
    fn records(&self, named: &str) -> Result<Vec<String>> {
        let name = |(system, record): &(String, String)| format!("{system}/{record}");
        let of_customer: BTreeSet<String> = self
            .of_record
            .iter()
            .filter(|(_, customer)| *customer == named)
            .map(|(record, _)| name(record))
            .collect();
        if !of_customer.is_empty() {
            return Ok(of_customer.into_iter().collect());
        }
        match self.of_record.keys().any(|record| name(record) == named) {
            true => Ok(vec![named.to_owned()]),
            false => Err(unknown(named).with_detail("Nor is there a customer of that id who has records.")),
        }
    }
}

async fn run(session: &mut Session, wish: &Wish, call: &Function) -> Result<(Option<String>, Summary)> {
    let _turn = session.instance.built_ins.identity_turn().await;
    let context = session.context("CALL").await?;
    for name in WRITTEN {
        writable(&table(name), &context.visible)?;
    }
    let relations = context.relations(HashMap::new());
    let state = with_catalog(&context.base, Arc::clone(&relations));
    let known = Known::new(&session.instance.built_ins.identity_batch("records", &relations).await?);
    let reader = Reader { snapshots: &context.snapshots, catalog: &context.visible.catalog, state: &state };
    if wish.decides() && stored::model(&reader).await?.is_none() {
        return Err(not_refreshed());
    }
    let now = chrono::Utc::now().timestamp_micros();
    let mut decisions = stored::decisions(&reader).await?;
    let decider = Decider { role: session.role(), at: now, reason: wish.reason().to_owned() };
    let decision = decide(wish, &mut decisions, &known, &decider)?;
    let refresh = Refresh {
        reader,
        matcher: Arc::clone(session.instance.built_ins.matcher()),
        seen: known.of_record,
        decisions,
        train: matches!(wish, Wish::Train(_)),
        most_pairs: wish.most_pairs(),
        now,
    };
    let refreshed = refresh.run().await?;
    let author = Author { role: session.role(), statement: format!("CALL {call}") };
    if wish.decides() {
        let rows = stored::decisions_batch(&refresh.decisions)?;
        write(session, &context, &author, Write { table: table("decisions"), rows, adds: false }).await?;
    }
    for part in refreshed.writes {
        write(session, &context, &author, part).await?;
    }
    Ok((decision, refreshed.summary))
}

/// Adds what is decided to the decisions; the id of the decision.
fn decide(
    wish: &Wish,
    decisions: &mut Decisions,
    known: &Known,
    decider: &Decider,
) -> Result<Option<String>> {
    let decision = match wish {
        Wish::Refresh(_) | Wish::Train(_) => return Ok(None),
        Wish::Merge { left, right, .. } => {
            let (left, right) = (known.records(left)?, known.records(right)?);
            if left.iter().any(|record| right.contains(record)) {
                return Err(Error::invalid_argument("a record cannot be merged with itself"));
            }
            decisions.merge(&left, &right, decider)?
        }
        Wish::Unmerge { customer, records, .. } => {
            let all = known.records(customer)?;
            if let Some(other) = records.iter().find(|record| !all.contains(record)) {
                let message = format!("record \"{other}\" is not of customer \"{customer}\"");
                return Err(Error::invalid_argument(message)
                    .with_hint("id.clusters tells which records a customer has."));
            }
            let staying: Vec<String> = all.into_iter().filter(|record| !records.contains(record)).collect();
            if staying.is_empty() || records.is_empty() {
                return Err(Error::invalid_argument("some records must leave and some must stay")
                    .with_hint("Name the records that are of somebody else."));
            }
            decisions.unmerge(records, &staying, decider)?
        }
        Wish::Undo { decision } => {
            decisions.withdraw(decision, decider)?;
            decisions.check()?;
            decision.clone()
        }
    };
    Ok(Some(decision))
}

fn writable<'a>(name: &QualifiedName, visible: &'a Visible) -> Result<&'a voxhouse_engine::catalog::Table> {
    let needs = |_: &voxhouse_engine::catalog::Table| {
        Ok(vec![Need::table(Privilege::Insert), Need::table(Privilege::Delete)])
    };
    writable_table(name, visible, needs)
}

async fn write(session: &mut Session, context: &QueryContext, author: &Author, part: Write) -> Result<()> {
    let table = writable(&part.table, &context.visible)?;
    let schema = part.rows.schema();
    let source = provider_as_source(Arc::new(MemTable::try_new(schema, vec![vec![part.rows]])?));
    let plan = LogicalPlanBuilder::scan("rows", source, None)?.build()?;
    let work = if part.adds { Work::Insert(plan) } else { Work::Overwrite(plan) };
    session.change_rows(context, author, table, &work).await?;
    Ok(())
}
