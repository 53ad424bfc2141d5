//! The three doors to one warehouse: in the process, the simple protocol, the extended protocol. What comes out
//! of each is brought to PostgreSQL's text form, so that one expected answer serves all.

use std::fmt;

use arrow::datatypes::DataType;
use async_trait::async_trait;
use futures::TryStreamExt;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType};
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, SimpleQueryMessage};
use tokio_util::sync::CancellationToken;
use voxhouse_sql::session::Session;
use voxhouse_sql::wire::backend::{Outcome, Session as _};

use crate::postgres::Postgres;
use crate::server::{House, PASSWORD};
use crate::{clients, postgres_text};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    InProcess,
    Simple,
    Extended,
}

pub(crate) enum Connection {
    InProcess(Box<Session>),
    Simple(Client),
    Extended(Client),
}

impl Connection {
    pub(crate) async fn open(house: &House, door: Door) -> Self {
        match door {
            Door::InProcess => Connection::InProcess(Box::new(house.session())),
            Door::Simple => Connection::Simple(house.client().await),
            Door::Extended => Connection::Extended(house.client().await),
        }
    }

    pub(crate) async fn to_postgres(postgres: &Postgres, database: &str) -> Self {
        let mut config = clients::config(postgres.port, PASSWORD);
        let (client, connection) = config.dbname(database).connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        Connection::Simple(client)
    }
}

/// What a test can expect of an error: `42601@15: syntax error at or near "x"`.
#[derive(Debug)]
pub(crate) struct Refused {
    sqlstate: String,
    position: Option<u32>,
    message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sqlstate)?;
        if let Some(position) = self.position {
            write!(f, "@{position}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Refused {}

impl From<voxhouse_engine::Error> for Refused {
    fn from(error: voxhouse_engine::Error) -> Self {
        Self {
            sqlstate: error.sqlstate().to_owned(),
            position: error.position().map(|position| position as u32),
            message: error.message().to_owned(),
        }
    }
}

impl From<tokio_postgres::Error> for Refused {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(told) = error.as_db_error() else {
            return Self { sqlstate: "client".to_owned(), position: None, message: format!("{error:?}") };
        };
        let position = told.position().map(|position| match position {
            ErrorPosition::Original(position) | ErrorPosition::Internal { position, .. } => *position,
        });
        Self { sqlstate: told.code().code().to_owned(), position, message: told.message().to_owned() }
    }
}

type Rows = Vec<Vec<Option<String>>>;
type Output = DBOutput<DefaultColumnType>;

#[async_trait]
impl AsyncDB for Connection {
    type Error = Refused;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<Output, Refused> {
        match self {
            Connection::InProcess(session) => {
                let done = run_in_process(session, sql).await;
                if done.is_err() {
                    session.statement_failed();
                }
                done.map_err(Refused::from)
            }
            Connection::Simple(client) => simple(client, sql).await,
            Connection::Extended(client) => extended(client, sql).await,
        }
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "voxhouse"
    }

    async fn sleep(duration: std::time::Duration) {
        tokio::time::sleep(duration).await;
    }

    fn error_sql_state(error: &Refused) -> Option<String> {
        Some(error.sqlstate.clone())
    }
}

async fn run_in_process(session: &mut Session, sql: &str) -> Result<Output, voxhouse_engine::Error> {
    let mut answer = DBOutput::StatementComplete(0);
    for statement in session.parse(sql)? {
        let prepared = session.prepare(statement, &[]).await?;
        answer = match session.execute(&prepared, Vec::new(), CancellationToken::new()).await? {
            Outcome::Empty => DBOutput::StatementComplete(0),
            Outcome::Done(tag) => {
                let count = tag.rsplit(' ').next().and_then(|number| number.parse().ok());
                DBOutput::StatementComplete(count.unwrap_or(0))
            }
            Outcome::CopyOut { .. } | Outcome::CopyIn(_) => {
                return Err(voxhouse_engine::Error::not_supported("COPY without a wire"));
            }
            Outcome::Rows { rows, .. } => {
                let types =
                    rows.schema().fields().iter().map(|field| arrow_type(field.data_type())).collect();
                let zone = session.text_style().zone;
                let batches: Vec<_> = rows.try_collect().await?;
                let rows = batches.iter().flat_map(|batch| postgres_text::of_batch(batch, zone)).collect();
                output(types, rows)
            }
        };
        session.sync().await?;
    }
    Ok(answer)
}

fn arrow_type(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        other if other.is_integer() => DefaultColumnType::Integer,
        other if other.is_numeric() => DefaultColumnType::FloatingPoint,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DefaultColumnType::Text,
        _ => DefaultColumnType::Any,
    }
}

async fn simple(client: &Client, sql: &str) -> Result<Output, Refused> {
    let mut columns = None;
    let mut rows = Rows::new();
    let mut count = 0;
    for message in client.simple_query(sql).await? {
        match message {
            SimpleQueryMessage::RowDescription(described) => {
                columns = Some(described.len());
                rows.clear();
            }
            SimpleQueryMessage::Row(row) => {
                rows.push((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect());
            }
            SimpleQueryMessage::CommandComplete(number) => count = number,
            _ => {}
        }
    }
    Ok(match columns {
        Some(columns) => output(vec![DefaultColumnType::Any; columns], rows),
        None => DBOutput::StatementComplete(count),
    })
}

async fn extended(client: &Client, sql: &str) -> Result<Output, Refused> {
    let statement = client.prepare(sql).await?;
    if statement.columns().is_empty() {
        return Ok(DBOutput::StatementComplete(client.execute(&statement, &[]).await?));
    }
    let types: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
    let answer = client.query(&statement, &[]).await?;
    let zone = match client.simple_query("SHOW TimeZone").await?.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }) {
        Some(name) => voxhouse_sql::session::settings::zone::parse(&name).unwrap().0,
        None => chrono_tz::Tz::UTC,
    };
    let cell = |row: &tokio_postgres::Row, column: usize| {
        let bytes: Option<Raw<'_>> = row.get(column);
        bytes.map(|Raw(bytes)| postgres_text::of_binary(&types[column], bytes, zone))
    };
    let rows = answer.iter().map(|row| (0..types.len()).map(|column| cell(row, column)).collect()).collect();
    Ok(output(vec![DefaultColumnType::Any; types.len()], rows))
}

/// A value as it came over the wire.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row a line: a line break inside a cell is shown as `\n`, an empty text as `(empty)`.
fn output(types: Vec<DefaultColumnType>, rows: Rows) -> Output {
    let shown = |cell: Option<String>| match cell {
        None => "NULL".to_owned(),
        Some(text) if text.is_empty() => "(empty)".to_owned(),
        Some(text) => text.replace('\n', "\\n"),
    };
    DBOutput::Rows { types, rows: rows.into_iter().map(|row| row.into_iter().map(shown).collect()).collect() }
}
