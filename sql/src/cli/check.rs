//! `voxhouse check`: reads the catalog and every table's log, and tells what is not in order.

use std::process::ExitCode;

use clap::Args;
use object_store::ObjectStoreExt;
use voxhouse_engine::Result;

use super::{RootArgs, open};

#[derive(Args, Debug, Clone)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    root: RootArgs,
}

impl CheckArgs {
    pub(super) fn root(&self) -> &RootArgs {
        &self.root
    }
}

pub(super) async fn run(args: CheckArgs) -> Result<ExitCode> {
    let instance = open(&args.root.config()?).await?;
    let warehouse = &instance.warehouse;
    let catalog = warehouse.catalog().await?;
    println!("{} at catalog version {}", warehouse.storage().url(), catalog.version());
    let mut faults = 0;
    for table in catalog.tables().filter(|table| table.external.is_none()) {
        let checked = async {
            let snapshot = warehouse.delta(table)?.snapshot().await?;
            let mut missing = Vec::new();
            for file in snapshot.files()?.iter() {
                let path = warehouse.storage().path(&format!("{}/{}", table.location, file.path));
                match warehouse.storage().store().head(&path).await {
                    Ok(found) if found.size == file.size => {}
                    _ => missing.push(file.path.to_string()),
                }
            }
            Ok::<_, voxhouse_engine::Error>((snapshot.version(), snapshot.row_count()?, missing))
        }
        .await;
        match checked {
            Ok((version, rows, missing)) if missing.is_empty() => {
                let rows = rows.map_or("unknown".to_owned(), |rows| rows.to_string());
                println!("ok       {}  version {version}  rows {rows}", table.name);
            }
            Ok((version, _, missing)) => {
                faults += 1;
                println!(
                    "damaged  {}  version {version}  missing or cut: {}",
                    table.name,
                    missing.join(", ")
                );
            }
            Err(error) => {
                faults += 1;
                println!("broken   {}  {error}", table.name);
            }
        }
    }
    println!("{faults} faults");
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
