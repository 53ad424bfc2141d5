//! Trains the opinion model and prints its figures.
//!
//! `opinion-training DATA train MODEL` trains on everything and writes the model;
//! `opinion-training DATA evaluate [FOLD]` trains on four fifths and prints the figures on the other fifth;
//! `opinion-training DATA transfer` trains polarity without the electronics and prints its figures on them;
//! `opinion-training DATA split FILE` writes the split for other systems to be measured on.
//! The same data gives the same bytes.

/// The kernel that the model is for.
#[path = "../../../udfs/src/opinions/mod.rs"]
#[allow(dead_code, reason = "training needs a part of it")]
mod opinions;

mod crf;
mod data;
mod evaluate;
mod linear;
mod sentences;
mod split;

use std::error::Error;
use std::path::Path;

use data::Text;
use jieba_rs::Jieba;
use crate::opinions::features::{BITS, TEMPLATES};
use crate::opinions::model::Model;

/// How often a text of the electronics counts against one of the restaurants, of which there are many more.
const ELECTRONICS: usize = 3;

/// Added where an aspect or an opinion begins: as many are missed as are found wrongly.
const ASPECT_BIAS: f32 = 0.7;
const OPINION_BIAS: f32 = 0.7;

/// Lecture reviews label parts of clauses; they teach polarity, not spans.
const MOOC: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let jieba = Jieba::new();
    match arguments[..] {
        [folder, "train", path] => {
            let texts = data::load(Path::new(folder))?;
            let model = train(&texts.iter().collect::<Vec<_>>(), &jieba);
            std::fs::write(path, model.to_bytes())?;
        }
        [folder, "evaluate", ref rest @ ..] => {
            let fold = rest.first().map_or(Ok(0), |fold| fold.parse::<u8>())?;
            let texts = data::load(Path::new(folder))?;
            let (train_half, test_half) = halves(&texts, &split::folds(&texts), fold);
            evaluate::print(&train(&train_half, &jieba), &test_half, &jieba);
        }
        [folder, "transfer"] => {
            let texts = data::load(Path::new(folder))?;
            let (test, train): (Vec<&Text>, Vec<&Text>) =
                texts.iter().partition(|text| (1..MOOC).contains(&text.source));
            let mut model = Model::empty();
            linear::train_polarity(&mut model, &train, &jieba);
            evaluate::print(&model, &test, &jieba);
        }
        [folder, "split", path] => {
            let texts = data::load(Path::new(folder))?;
            std::fs::write(path, listing(&texts, &split::folds(&texts)))?;
        }
        _ => {
            return Err(
                "usage: opinion-training DATA train MODEL | evaluate [FOLD] | transfer | split FILE".into()
            );
        }
    }
    Ok(())
}

fn halves<'a>(texts: &'a [Text], folds: &[u8], held_out: u8) -> (Vec<&'a Text>, Vec<&'a Text>) {
    let (test, train): (Vec<_>, Vec<_>) = texts.iter().zip(folds).partition(|(_, fold)| **fold == held_out);
    (train.into_iter().map(|(text, _)| text).collect(), test.into_iter().map(|(text, _)| text).collect())
}

fn train(texts: &[&Text], jieba: &Jieba) -> Model {
    let mut model = Model::empty();
    train_tagger(&mut model, texts, jieba);
    linear::train_pairing(&mut model, texts, jieba);
    linear::train_polarity(&mut model, texts, jieba);
    model
}

fn train_tagger(model: &mut Model, texts: &[&Text], jieba: &Jieba) {
    let mut examples = Vec::new();
    for text in texts.iter().filter(|text| text.source != MOOC) {
        let times = if text.source == 0 { 1 } else { ELECTRONICS };
        sentences::each(text, jieba, |sentence, gold| {
            let example = sentences::example(sentence, gold, text.source == 0);
            examples.extend(std::iter::repeat_n(example, times));
        });
    }
    let settings = crf::Settings { epochs: 20, rate: 0.02, penalty: 5.0, dropout: 0.5, seed: 1 };
    let weights = crf::train(&examples, 1 << BITS, TEMPLATES, &settings);
    let scale = linear::scale(weights.table.iter().flatten().copied());
    model.tagger =
        weights.table.iter().map(|row| row.map(|weight| linear::quantise(weight, scale))).collect();
    model.tagger_scale = scale;
    model.transitions = weights.transitions;
    model.aspect_bias = ASPECT_BIAS;
    model.opinion_bias = OPINION_BIAS;
}

fn listing(texts: &[Text], folds: &[u8]) -> String {
    let mut lines = String::new();
    for (text, fold) in texts.iter().zip(folds) {
        let spans = text.gold.iter().filter_map(|gold| gold.aspect.clone());
        let spans: Vec<String> = spans.map(|span| format!("{},{}", span.start, span.end)).collect();
        let chars: String = text.chars.iter().map(|&c| if c == '\t' { ' ' } else { c }).collect();
        lines += &format!("{fold}\t{}\t{chars}\t{}\n", text.source, spans.join(";"));
    }
    lines
}
