//! The `voxhouse` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    voxhouse_sql::cli::main()
}
