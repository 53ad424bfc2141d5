//! Answers of the demo, as text tables under their questions.

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use voxhouse_engine::Result;

/// The question of a statement: the comment lines before it.
pub(super) fn question(before: &str) -> String {
    let lines = before.lines().map(str::trim).filter_map(|line| line.strip_prefix("--"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

/// A table with headings, columns as wide as their widest cell.
pub(super) fn table(batches: &[RecordBatch]) -> Result<String> {
    let Some(first) = batches.first() else { return Ok(String::new()) };
    let schema = first.schema();
    let mut cells: Vec<Vec<String>> =
        vec![schema.fields().iter().map(|field| field.name().clone()).collect()];
    let options = FormatOptions::default().with_null("-");
    for batch in batches {
        let columns = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        cells.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect()),
        );
    }
    let widths: Vec<usize> = (0..schema.fields().len())
        .map(|column| cells.iter().map(|row| width(&row[column])).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (number, row) in cells.iter().enumerate() {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide.saturating_sub(width(cell)))))
            .collect();
        text.push_str(&format!("  {}\n", line.join("  ").trim_end()));
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|wide| "-".repeat(*wide)).collect();
            text.push_str(&format!("  {}\n", rules.join("  ")));
        }
    }
    Ok(text)
}

/// Columns of a terminal: Chinese characters take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|letter| if ('\u{1100}'..='\u{ffe6}').contains(&letter) && letter > '\u{2e7f}' { 2 } else { 1 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_the_comment_before_a_statement() {
        assert_eq!(question("\n-- Who?\n-- And why?\nSELECT 1"), "Who? And why?");
    }

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!((width("快递"), width("late")), (4, 4));
    }
}
