//! `voxhouse demo`: the bundled example from nothing to its answers, and then a server on it.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use object_store::ObjectStoreExt;
use voxhouse_engine::{Error, Result};

use super::answers::{question, table};
use super::progress::LoadBar;
use super::serve::{ListenArgs, invitation, serve};
use super::{RootArgs, open, password};
use crate::demo::{DemoFile, SEED, Size, generate};
use crate::dialect;
use crate::instance::{Instance, OWNER};

const PIPES: &str = include_str!("../../../examples/demo/pipes.sql");
const QUESTIONS: &str = include_str!("../../../examples/demo/questions.sql");

/// Where the example's files are dropped, under the root.
const LANDING: &str = "landing/demo";
/// Written when everything is loaded, so that the next start does not begin again.
const DONE: &str = "landing/demo/_loaded";

#[derive(Args, Debug, Clone)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    root: RootArgs,
    #[command(flatten)]
    listen: ListenArgs,
    /// How many people the example has.
    #[arg(long, default_value_t = Size::default().people)]
    people: usize,
    /// The seed of the example: the same seed makes the same data.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Answer the questions and end, without serving.
    #[arg(long)]
    no_serve: bool,
}

impl DemoArgs {
    pub(super) fn root(&self) -> &RootArgs {
        &self.root
    }
}

pub(super) async fn run(args: DemoArgs) -> Result<ExitCode> {
    let mut config = args.root.config()?;
    args.listen.apply(&mut config);
    let started = Instant::now();
    let instance = open(&config).await?;
    let password = password::ensure(&instance, &config).await?;
    let storage = instance.warehouse.storage();
    let done = storage.path(DONE);
    if storage.store().head(&done).await.is_ok() {
        println!("The example is loaded already in {}", storage.url());
    } else {
        build(&instance, &args).await?;
        storage.put(DONE, bytes::Bytes::from_static(b"loaded\n")).await?;
        println!("Loaded in {:.1} s", started.elapsed().as_secs_f64());
    }
    answer(&instance).await?;
    if args.no_serve {
        return Ok(ExitCode::SUCCESS);
    }
    serve(instance, &config, &password, |address| {
        println!("Ask it yourself (Ctrl-C here ends the server):\n");
        println!("  {}\n", invitation(address, &password));
    })
    .await
}

/// Generates the files, drops them where the pipes look, and runs the pipes.
async fn build(instance: &Arc<Instance>, args: &DemoArgs) -> Result<()> {
    let mut files: Vec<DemoFile> = Vec::new();
    generate(args.seed, Size { people: args.people }, &mut |file| {
        files.push(file);
        Ok(())
    })?;
    let bar = ProgressBar::new(files.len() as u64);
    let template = "{prefix:>16} [{bar:28}] {pos}/{len} files  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix("generating");
    for file in files {
        instance.warehouse.storage().put(&format!("{LANDING}/{}", file.name), file.bytes).await?;
        bar.inc(1);
    }
    bar.finish_with_message(format!("{} people", args.people));
    let mut session = instance.session(OWNER)?;
    let known = instance.warehouse.catalog().await?;
    for statement in dialect::parse(PIPES)? {
        // After an interrupted start some pipes are there already.
        if let dialect::StatementKind::Own(dialect::OwnStatement::Pipe(pipe)) = &statement.kind
            && let dialect::PipeStatement::Create(pipe) = pipe
            && known.pipe(&pipe.name).is_ok()
        {
            continue;
        }
        session.run(&statement.text).await?;
    }
    let catalog = instance.warehouse.catalog().await?;
    let mut pipes: Vec<_> = catalog.pipes().filter(|pipe| pipe.from.starts_with(LANDING)).collect();
    pipes.sort_by_key(|pipe| pipe.oid);
    for pipe in pipes {
        let files = count_files(instance, &pipe.from).await?;
        let bar = Arc::new(LoadBar::new(&pipe.name, files));
        let report = instance.ingestion()?.run_pipe(&pipe.name, Some(Arc::clone(&bar) as _)).await?;
        bar.finish(format!("{} rows, {} rejected", report.rows, report.rejected));
        if let Some((file, error)) = report.errors.into_iter().next() {
            return Err(error.in_context(format!("file \"{file}\"")));
        }
    }
    Ok(())
}

async fn count_files(instance: &Instance, prefix: &str) -> Result<u64> {
    use futures::TryStreamExt;
    let storage = instance.warehouse.storage();
    let listed: Vec<_> =
        storage.store().list(Some(&storage.path(prefix))).try_collect().await.map_err(Error::from)?;
    Ok(listed.len() as u64)
}

/// Prints the questions of the example with their answers.
async fn answer(instance: &Arc<Instance>) -> Result<()> {
    let mut session = instance.session(OWNER)?;
    let mut rest = QUESTIONS;
    for statement in dialect::parse(QUESTIONS)? {
        let (before, after) = rest.split_once(statement.text.as_str()).unwrap_or(("", rest));
        rest = after;
        println!("\n{}", question(before.trim_start_matches(';')));
        print!("{}", table(&session.run(&statement.text).await?)?);
    }
    println!();
    Ok(())
}
