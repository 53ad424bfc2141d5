//! Makes the model files of sentiment: `train-sentiment DATA OUTPUT [--only-licensed] [--report]`.
//!
//! DATA is a folder of labelled texts ([`sources`] says which files), OUTPUT the model file. With
//! `--only-licensed` texts whose source states no permissive licence are left out of training; with `--report`
//! the figures of the model card are printed and no file is written. The same data gives the same bytes.

mod corpus;
#[path = "../../../udfs/src/sentiment/features.rs"]
#[allow(dead_code)] // where a feature was read from matters to the crate alone
mod features;
#[path = "../../../udfs/src/sentiment/fold.rs"]
mod fold;
mod formats;
mod made;
mod measure;
mod pack;
mod recipe;
mod report;
mod sha1;
mod solver;
mod sources;
#[path = "../../../udfs/src/sentiment/table.rs"]
#[allow(dead_code)]
mod table;
#[path = "../../../udfs/src/sentiment/units.rs"]
#[allow(dead_code)]
mod units;

use std::path::Path;
use std::process::ExitCode;

use corpus::Document;

const LEXICON: &str = include_str!("../lexicon.tsv");

fn main() -> ExitCode {
    let (flags, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let [folder, output] = paths.as_slice() else {
        eprintln!("usage: train-sentiment DATA OUTPUT [--only-licensed] [--report]");
        return ExitCode::FAILURE;
    };
    let flag = |name: &str| flags.iter().any(|flag| flag == name);
    let documents = corpus::prepare(sources::all(Path::new(folder), LEXICON));
    let known: Vec<&Document> = documents.iter().collect();
    let used: Vec<&Document> =
        documents.iter().filter(|text| text.licensed || !flag("--only-licensed")).collect();
    if flag("--counts") {
        corpus::print_counts(&used);
    } else if flag("--report") {
        report::print(&used, &known);
    } else if let Err(error) = std::fs::write(output, recipe::model(&used)) {
        eprintln!("{output}: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
