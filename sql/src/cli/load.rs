//! `voxhouse load`: pushes local files into a table, or through a pipe.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use object_store::local::LocalFileSystem;
use object_store::{ObjectMeta, ObjectStoreExt, PutPayload};
use tokio::io::AsyncReadExt;
use voxhouse_engine::catalog::QualifiedName;
use voxhouse_engine::ingest::{Push, RunReport};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::progress::{LoadBar, size};
use super::{RootArgs, open};
use crate::instance::{Instance, OWNER};

/// What one request to the store carries of a file.
const PART_BYTES: usize = 8 * 1024 * 1024;

#[derive(Args, Debug, Clone)]
pub(super) struct LoadArgs {
    #[command(flatten)]
    root: RootArgs,
    /// Files, or folders whose files are all loaded.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The table; columns go by name.
    #[arg(long, value_name = "SCHEMA.TABLE", required_unless_present = "pipe", conflicts_with = "pipe")]
    into: Option<String>,
    /// The pipe that maps the files: they are copied to where it looks, and it is run.
    #[arg(long, value_name = "NAME")]
    pipe: Option<String>,
    /// The format, where the file names do not tell it.
    #[arg(long, value_name = "FORMAT", conflicts_with = "pipe")]
    format: Option<String>,
    /// An option of the format, such as delimiter=';'. May be given several times.
    #[arg(long = "option", value_name = "KEY=VALUE", conflicts_with = "pipe")]
    options: Vec<String>,
}

impl LoadArgs {
    pub(super) fn root(&self) -> &RootArgs {
        &self.root
    }
}

pub(super) async fn run(args: LoadArgs) -> Result<ExitCode> {
    let config = args.root.config()?;
    let files = files_of(&args.paths)?;
    let instance = open(&config).await?;
    let report = match (&args.into, &args.pipe) {
        (Some(table), _) => push(&instance, &args, table, &files).await?,
        (None, Some(pipe)) => through_pipe(&instance, pipe, &files).await?,
        (None, None) => return Err(Error::invalid_argument("give --into or --pipe")),
    };
    println!(
        "{} rows loaded, {} rejected; {} files loaded, {} skipped, {} failed ({})",
        report.rows,
        report.rejected,
        report.files_loaded,
        report.files_skipped,
        report.files_failed,
        size(report.bytes)
    );
    if report.rejected > 0 {
        println!("SELECT reason, count(*) FROM system.rejects GROUP BY reason tells why rows were rejected.");
    }
    Ok(if report.files_failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The files themselves, and those in folders, in order of their names.
fn files_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let context =
            |error: std::io::Error| Error::from(error).in_context(format!("\"{}\"", path.display()));
        if std::fs::metadata(path).map_err(context)?.is_dir() {
            let mut inside = Vec::new();
            for entry in std::fs::read_dir(path).map_err(context)? {
                let entry = entry.map_err(context)?.path();
                if entry.is_file() {
                    inside.push(entry);
                }
            }
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

async fn push(
    instance: &Arc<Instance>,
    args: &LoadArgs,
    table: &str,
    files: &[PathBuf],
) -> Result<RunReport> {
    let into = match table.split_once('.') {
        Some((schema, name)) => QualifiedName::new(schema.to_lowercase(), name.to_lowercase()),
        None => QualifiedName::new("public", table.to_lowercase()),
    };
    let options = args
        .options
        .iter()
        .map(|option| {
            let pair = option.split_once('=').ok_or_else(|| {
                Error::invalid_argument(format!("option \"{option}\" is not of the form key=value"))
            })?;
            Ok((pair.0.to_lowercase(), pair.1.to_owned()))
        })
        .collect::<Result<_>>()?;
    let store = Arc::new(LocalFileSystem::new());
    let mut metas: Vec<ObjectMeta> = Vec::with_capacity(files.len());
    for file in files {
        let path = object_store::path::Path::from_absolute_path(std::path::absolute(file)?)
            .map_err(|error| Error::invalid_argument(format!("\"{}\": {error}", file.display())))?;
        metas.push(store.head(&path).await?);
    }
    let bar = Arc::new(LoadBar::new(table, metas.len() as u64));
    let push = Push { store, files: metas, into, format: args.format.clone(), options };
    let report = instance.ingestion()?.load_files(OWNER, push, Some(Arc::clone(&bar) as _)).await;
    bar.finish("done");
    report
}

/// Copies the files to the pipe's prefix and runs it.
async fn through_pipe(instance: &Arc<Instance>, pipe: &str, files: &[PathBuf]) -> Result<RunReport> {
    let catalog = instance.warehouse.catalog().await?;
    let from = catalog.pipe(pipe)?.from.clone();
    if from.contains("://") {
        return Err(Error::not_supported(format!(
            "pipe \"{pipe}\" reads \"{from}\", outside of the warehouse"
        ))
        .with_hint("Put the files there yourself and CALL system.run_pipe."));
    }
    let bar = Arc::new(LoadBar::new(pipe, files.len() as u64));
    for file in files {
        copy_in(instance, file, &from).await?;
    }
    let report = instance.ingestion()?.run_pipe(pipe, Some(Arc::clone(&bar) as _)).await;
    bar.finish("done");
    report
}

/// Copies a file under its own name. It becomes visible in one step, when it is complete; a file that lies
/// there already with the same bytes is left alone, so that it is not taken for a new one.
async fn copy_in(instance: &Instance, file: &Path, prefix: &str) -> Result<()> {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| Error::invalid_argument(format!("\"{}\" has no usable name", file.display())))?;
    let context = |error: std::io::Error| Error::from(error).in_context(format!("\"{}\"", file.display()));
    let storage = instance.warehouse.storage();
    let target = storage.path(&format!("{}/{name}", prefix.trim_matches('/')));
    let store = storage.store();
    let mut source = tokio::fs::File::open(file).await.map_err(context)?;
    let mut upload = store.put_multipart(&target).await?;
    let mut part = vec![0; PART_BYTES];
    loop {
        let mut filled = 0;
        while filled < part.len() {
            match source.read(&mut part[filled..]).await.map_err(context)? {
                0 => break,
                read => filled += read,
            }
        }
        if filled == 0 {
            break;
        }
        let payload = PutPayload::from(bytes::Bytes::copy_from_slice(&part[..filled]));
        if let Err(error) = upload.put_part(payload).await {
            let _ = upload.abort().await;
            return Err(error.into());
        }
    }
    upload.complete().await.map_err(|error| {
        Error::new(ErrorKind::StorageIo, format!("file \"{name}\" could not be copied to {prefix}"))
            .with_source(error)
    })?;
    Ok(())
}
