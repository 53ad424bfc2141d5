//! Statements about pipes.

use std::sync::Arc;

use voxhouse_engine::catalog::access::not_owner;
use voxhouse_engine::catalog::ddl::{CommentTarget, Ddl, NewPipe};
use voxhouse_engine::catalog::{LoadMode, Table};
use voxhouse_engine::ingest::Rules;
use voxhouse_engine::planning::SOURCE_RELATION;
use voxhouse_engine::{Error, Result};

use super::schedule::milliseconds;
use crate::access::writes::{Need, writable_table};
use crate::dialect::{CreatePipe, PipeStatement};
use crate::query::QueryContext;
use crate::query::context::parse_timestamp;
use crate::query::names::{self, existing_name};
use crate::session::Session;
use crate::wire::backend::Outcome;

/// The definition that a statement makes; `None` for one that defines nothing.
pub fn plan(context: &QueryContext, statement: &PipeStatement) -> Result<Option<Ddl>> {
    Ok(Some(match statement {
        PipeStatement::Create(pipe) => create(context, pipe)?,
        PipeStatement::Drop { name, if_exists } => {
            Ddl::DropPipe { name: name.clone(), if_exists: *if_exists }
        }
        PipeStatement::Comment { name, comment } => {
            Ddl::Comment { target: CommentTarget::Pipe(name.clone()), comment: comment.clone() }
        }
        PipeStatement::Pause { name, paused } => Ddl::PausePipe { name: name.clone(), paused: *paused },
        PipeStatement::Replay { .. } => return Ok(None),
    }))
}

fn create(context: &QueryContext, pipe: &CreatePipe) -> Result<Ddl> {
    let format = context.warehouse.formats().by_name(&pipe.format)?;
    let (_, format_options) = Rules::of(&pipe.options)?;
    format.check_options(&format_options)?;
    let every_seconds = pipe.every.as_deref().map(seconds).transpose()?;
    let into = existing_name(&pipe.into, &context.visible)?;
    let needs = |_: &Table| Ok(needs(&pipe.mode));
    writable_table(&into, &context.visible, needs)?;
    if into.is_temporary() {
        return Err(Error::not_supported("a pipe cannot load into a temporary table"));
    }
    let query = pipe.query.as_ref().map(|query| {
        let mut query = query.as_ref().clone();
        names::qualify(&mut query, &context.visible, &context.built_ins, &[SOURCE_RELATION]);
        query.to_string()
    });
    Ok(Ddl::CreatePipe {
        pipe: NewPipe {
            name: pipe.name.clone(),
            from: pipe.from.clone(),
            into,
            format: pipe.format.clone(),
            options: pipe.options.clone(),
            mode: pipe.mode.clone(),
            every_seconds,
            query,
        },
        or_replace: pipe.or_replace,
        if_not_exists: pipe.if_not_exists,
    })
}

fn needs(mode: &LoadMode) -> Vec<Need> {
    mode.privileges().iter().map(|privilege| Need::table(*privilege)).collect()
}

fn seconds(every: &str) -> Result<u64> {
    milliseconds(every)
        .filter(|milliseconds| *milliseconds >= 1_000)
        .map(|milliseconds| milliseconds / 1_000)
        .ok_or_else(|| {
            Error::invalid_argument(format!("invalid interval \"{every}\""))
                .with_hint("Write for example EVERY '5 minutes'.")
        })
}

/// ALTER PIPE … REPLAY: the files since a moment are loaded again at the next run.
pub async fn replay(session: &mut Session, name: &str, from: Option<&str>) -> Result<Outcome> {
    session.require_no_block("ALTER PIPE … REPLAY")?;
    session.require_changeable("ALTER PIPE", false)?;
    let from = from.map(parse_timestamp).transpose()?;
    let context = session.context("ALTER PIPE").await?;
    let pipe = context.visible.catalog.pipe(name)?;
    if !context.visible.access().owns(&pipe.owner) {
        return Err(not_owner("pipe", name));
    }
    let ingestion = Arc::clone(session.instance.ingestion()?);
    let files = ingestion.replay_pipe(name, from).await?;
    session.notice(format!("{files} files of pipe \"{name}\" will be loaded again"));
    Ok(Outcome::Done("ALTER PIPE".into()))
}
