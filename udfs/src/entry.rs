//! What is known of a function besides its code: one record for registration, for `system.functions`, for
//! the reference and for the tests.

use std::fmt;
use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, DocSection, Documentation, ScalarUDF, Volatility, WindowUDF};

use crate::report::Shape;

/// A function as a user meets it.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: &'static str,
    pub kind: Kind,
    /// The arguments by name, optional ones in brackets: `score [, conf]`.
    pub arguments: &'static str,
    /// The result as PostgreSQL names the type.
    pub returns: &'static str,
    pub volatility: Volatility,
    /// Whole sentences. The first one stands by itself.
    pub description: &'static str,
    /// A statement that runs in an empty database.
    pub example: &'static str,
    /// What [`Entry::example`] returns as text: columns separated by `|`, rows by a line feed.
    pub example_result: &'static str,
    pub implementation: Implementation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Scalar,
    Aggregate,
    Window,
    Table,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Scalar => "scalar",
            Kind::Aggregate => "aggregate",
            Kind::Window => "window",
            Kind::Table => "table",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What DataFusion runs.
#[derive(Debug, Clone)]
pub enum Implementation {
    Scalar(Arc<ScalarUDF>),
    Aggregate(Arc<AggregateUDF>),
    Window(Arc<WindowUDF>),
    /// What a call looks like, and the aggregate that it becomes.
    Report(Arc<Shape>, Arc<AggregateUDF>),
}

/// The part of an [`Entry`] that a function file writes down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static str,
    pub(crate) returns: &'static str,
    pub(crate) volatility: Volatility,
    pub(crate) description: &'static str,
    pub(crate) example: &'static str,
    pub(crate) example_result: &'static str,
}

impl Definition {
    pub(crate) fn entry(self, implementation: Implementation) -> Entry {
        let Self { name, arguments, returns, volatility, description, example, example_result } = self;
        let kind = match implementation {
            Implementation::Scalar(_) => Kind::Scalar,
            Implementation::Aggregate(_) => Kind::Aggregate,
            Implementation::Window(_) => Kind::Window,
            Implementation::Report(..) => Kind::Table,
        };
        Entry {
            name,
            kind,
            arguments,
            returns,
            volatility,
            description,
            example,
            example_result,
            implementation,
        }
    }

    /// The same in DataFusion's own form, which feeds `SHOW FUNCTIONS`.
    pub(crate) fn documentation(&self, section: &'static str) -> Documentation {
        let section = DocSection { include: true, label: section, description: None };
        let syntax = format!("{}({})", self.name, self.arguments);
        Documentation::builder(section, self.description, syntax)
            .with_sql_example(format!("```sql\n{}\n```\n```text\n{}\n```", self.example, self.example_result))
            .build()
    }
}
