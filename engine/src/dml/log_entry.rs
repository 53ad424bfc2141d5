//! What the log of a table tells of a statement.

use crate::error::Result;
use crate::table::CommitInfo;
use crate::table::tally::RuleOutcome;

/// What the log keeps of a statement.
pub(crate) fn commit_info(
    role: &str,
    statement: &str,
    rows: u64,
    warned: &[RuleOutcome],
) -> Result<CommitInfo> {
    let mut info = CommitInfo {
        application: None,
        metadata: [
            ("role".to_owned(), role.into()),
            ("statement".to_owned(), shortened(statement).into()),
            ("rows".to_owned(), rows.into()),
        ]
        .into(),
    };
    if !warned.is_empty() {
        info.metadata.insert("quality".to_owned(), serde_json::to_value(warned)?);
    }
    Ok(info)
}

/// A statement of a megabyte of VALUES does not belong into the log.
fn shortened(statement: &str) -> String {
    const KEPT: usize = 2_000;
    match statement.char_indices().nth(KEPT) {
        Some((end, _)) => format!("{} …", &statement[..end]),
        None => statement.to_owned(),
    }
}
