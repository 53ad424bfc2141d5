//! Where the labelled texts come from: one function a source, each with its licence.

use std::fs;
use std::path::Path;

use crate::formats::{aspects, csv, json};
use crate::made;

/// What the made sentences are drawn from.
const SEED: u64 = 0x5eed_0f56_6f78;

/// What is known of the sentiment of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gold {
    Negative,
    Neutral,
    Positive,
    Unknown,
}

/// One text.
#[derive(Debug, Clone)]
pub struct Row {
    /// The source's name, or the product category within it.
    pub domain: &'static str,
    pub text: String,
    pub gold: Gold,
    /// Whether the source's licence allows use and redistribution without asking.
    pub licensed: bool,
}

/// Every source under `folder`.
pub fn all(folder: &Path, lexicon: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    shopping(folder, &mut rows);
    delivery(folder, &mut rows);
    homestay(folder, &mut rows);
    dianping(folder, &mut rows);
    products(folder, &mut rows);
    cosmetics(folder, &mut rows);
    cars(folder, &mut rows);
    weibo(folder, &mut rows);
    weibo_emotion(folder, &mut rows);
    eprstmt(folder, &mut rows);
    restaurants(folder, &mut rows);
    dialogues(folder, &mut rows);
    requests(folder, &mut rows);
    airline(folder, &mut rows);
    other_languages(folder, &mut rows);
    olist(folder, &mut rows);
    words(lexicon, &mut rows);
    for (domain, text, gold) in made::sentences(4000, SEED) {
        push(&mut rows, domain, &text, gold, true);
    }
    rows
}

fn load(folder: &Path, name: &str) -> String {
    let bytes = fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn push(rows: &mut Vec<Row>, domain: &'static str, text: &str, gold: Gold, licensed: bool) {
    let text = text.trim();
    if !text.is_empty() {
        rows.push(Row { domain, text: text.to_owned(), gold, licensed });
    }
}

fn polar(label: &str) -> Gold {
    match label {
        "1" | "positive" | "Positive" | "正面" => Gold::Positive,
        "0" | "-1" | "negative" | "Negative" | "负面" => Gold::Negative,
        _ => Gold::Neutral,
    }
}

/// What the polarities of the parts of a text say of the whole: unknown if they differ.
fn agree(parts: &[Gold]) -> Gold {
    let (good, bad) = (parts.contains(&Gold::Positive), parts.contains(&Gold::Negative));
    match (good, bad) {
        (true, true) => Gold::Unknown,
        (true, false) => Gold::Positive,
        (false, true) => Gold::Negative,
        (false, false) if parts.is_empty() => Gold::Unknown,
        (false, false) => Gold::Neutral,
    }
}

fn shopping(folder: &Path, rows: &mut Vec<Row>) {
    const NAMES: [(&str, &str); 9] = [
        ("书籍", "books"),
        ("平板", "tablets"),
        ("手机", "phones"),
        ("水果", "fruit"),
        ("洗发水", "shampoo"),
        ("热水器", "heaters"),
        ("蒙牛", "milk"),
        ("衣服", "clothes"),
        ("计算机", "computers"),
    ];
    for row in csv(&load(folder, "x_review_polarity/online_shopping_9_cats.csv"), ',').iter().skip(1) {
        if let Some((_, domain)) = NAMES.iter().find(|(name, _)| *name == row[0]) {
            push(rows, domain, &row[2], polar(&row[1]), false);
        }
    }
}

fn delivery(folder: &Path, rows: &mut Vec<Row>) {
    for row in csv(&load(folder, "x_review_polarity/waimai_10k.csv"), ',').iter().skip(1) {
        push(rows, "delivery", &row[1], polar(&row[0]), false);
    }
}

fn stars(score: f64) -> Gold {
    if score >= 4.5 {
        Gold::Positive
    } else if score <= 3.0 {
        Gold::Negative
    } else {
        Gold::Unknown
    }
}

fn homestay(folder: &Path, rows: &mut Vec<Row>) {
    for row in csv(&load(folder, "x_hotel_reviews/ctrip_homestay.csv"), ',').iter().skip(1) {
        let gold = row[8].parse().map_or(Gold::Unknown, stars);
        push(rows, "hotels", &row[7], gold, true);
    }
}

fn dianping(folder: &Path, rows: &mut Vec<Row>) {
    for line in load(folder, "x_aspect_zh/dianping_aste.txt").lines() {
        let Some((text, triplets)) = line.split_once("####") else { continue };
        let found = |tag| triplets.contains(tag);
        let mut parts = Vec::new();
        parts.extend(found("'POS'").then_some(Gold::Positive));
        parts.extend(found("'NEG'").then_some(Gold::Negative));
        parts.extend(found("'NEU'").then_some(Gold::Neutral));
        let gold = if parts.len() > 1 { Gold::Unknown } else { agree(&parts) };
        push(rows, "dianping", &text.replace(' ', ""), gold, true);
    }
    for (name, licensed) in [("asap_train_sample", true), ("asap_dev_sample", true)] {
        for row in csv(&load(folder, &format!("x_aspect_zh/{name}.csv")), ',').iter().skip(1) {
            let gold = match row[2].parse().unwrap_or(0.0) {
                s if s >= 4.0 => Gold::Positive,
                s if s <= 2.0 => Gold::Negative,
                _ => Gold::Unknown,
            };
            push(rows, "asap", &row[1], gold, licensed);
        }
    }
}

/// One row a text of an aspect corpus, its gold what its aspects agree on.
fn aspect_texts(rows: &mut Vec<Row>, domain: &'static str, records: Vec<(String, String)>, licensed: bool) {
    let mut from = 0;
    for place in 1..=records.len() {
        if records.get(place).is_none_or(|(text, _)| *text != records[from].0) {
            let parts: Vec<Gold> = records[from..place].iter().map(|(_, label)| polar(label)).collect();
            push(rows, domain, &records[from].0, agree(&parts), licensed);
            from = place;
        }
    }
}

fn products(folder: &Path, rows: &mut Vec<Row>) {
    for name in ["camera", "car", "notebook", "phone"] {
        let records = aspects(&load(folder, &format!("x_aspect_zh/{name}.train.txt")), true);
        aspect_texts(rows, "digital", records, true);
    }
    aspect_texts(rows, "courses", aspects(&load(folder, "x_aspect_zh/mooc.train.txt"), true), true);
    aspect_texts(rows, "hair", aspects(&load(folder, "x_aspect_zh/hair.train.txt"), true), true);
}

fn cosmetics(folder: &Path, rows: &mut Vec<Row>) {
    let labels = csv(&load(folder, "x_aspect_zh/zhijiang_labels.csv"), ',');
    for row in csv(&load(folder, "x_aspect_zh/zhijiang_reviews.csv"), ',').iter().skip(1) {
        let parts: Vec<Gold> = labels.iter().filter(|l| l[0] == row[0]).map(|l| polar(&l[8])).collect();
        push(rows, "cosmetics", &row[1], agree(&parts), false);
    }
}

fn cars(folder: &Path, rows: &mut Vec<Row>) {
    let mut table = csv(&load(folder, "x_aspect_zh/bdci2018_car.csv"), ',');
    table.remove(0);
    table.sort_by(|a, b| a[0].cmp(&b[0]));
    for same in table.chunk_by(|a, b| a[0] == b[0]) {
        let parts: Vec<Gold> = same
            .iter()
            .map(|row| match row[3].as_str() {
                "1" => Gold::Positive,
                "-1" => Gold::Negative,
                _ => Gold::Neutral,
            })
            .collect();
        push(rows, "cars", &same[0][1], agree(&parts), false);
    }
}

/// Emoticons in brackets made these labels, so they are taken out of the text.
fn weibo(folder: &Path, rows: &mut Vec<Row>) {
    for row in csv(&load(folder, "x_weibo_polarity/weibo_senti.csv"), ',').iter().skip(1) {
        push(rows, "weibo", &without_emoticons(&row[1]), polar(&row[0]), false);
        push(rows, "emoticons", &only_emoticons(&row[1]), polar(&row[0]), false);
    }
}

fn without_emoticons(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        kept.push_str(&rest[..open]);
        rest = &rest[open..];
        match rest.find(']').filter(|close| rest[..*close].chars().count() <= 9) {
            Some(close) => rest = &rest[close + 1..],
            None => {
                kept.push('[');
                rest = &rest[1..];
            }
        }
    }
    kept.push_str(rest);
    kept
}

fn only_emoticons(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        rest = &rest[open..];
        match rest.find(']').filter(|close| rest[..*close].chars().count() <= 9) {
            Some(close) => {
                kept.push_str(&rest[..=close]);
                rest = &rest[close + 1..];
            }
            None => rest = &rest[1..],
        }
    }
    kept
}

fn emotion_polarity(emotion: &str) -> Gold {
    match emotion {
        "happy" => Gold::Positive,
        "angry" | "sad" | "fear" => Gold::Negative,
        "neutral" => Gold::Neutral,
        _ => Gold::Unknown,
    }
}

/// Texts with their emotion.
fn emotions(folder: &Path, name: &str) -> Vec<(String, String)> {
    let value = |object: &[(String, String)], key: &str| {
        object.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    json(&load(folder, name))
        .iter()
        .map(|object| (value(object, "content"), value(object, "label")))
        .collect()
}

fn weibo_emotion(folder: &Path, rows: &mut Vec<Row>) {
    for (name, domain) in [("usual_test_labeled", "weibo_usual"), ("virus_train", "weibo_virus")] {
        for (text, label) in emotions(folder, &format!("x_weibo_emotion/{name}.json")) {
            push(rows, domain, &text, emotion_polarity(&label), false);
        }
    }
}

fn eprstmt(folder: &Path, rows: &mut Vec<Row>) {
    for name in ["ecommerce_eprstmt", "ecommerce_eprstmt_unlabelled"] {
        for object in json(&load(folder, &format!("x_review_polarity/{name}.jsonl"))) {
            let value = |key| object.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
            let gold = value("label").map_or(Gold::Unknown, polar);
            push(rows, "eprstmt", value("sentence").unwrap_or_default(), gold, false);
        }
    }
}

/// English restaurant sentences.
fn restaurants(folder: &Path, rows: &mut Vec<Row>) {
    let text = load(folder, "x_aspect_multilingual/restaurants_train_english.xml.dat");
    aspect_texts(rows, "restaurants_en", aspects(&text, false), false);
}

/// Subtitles of television plays.
fn dialogues(folder: &Path, rows: &mut Vec<Row>) {
    for row in csv(&load(folder, "x_chat/cped_emotion.csv"), ',').iter().skip(1) {
        if row.len() >= 18 {
            push(rows, "plays", &row[17], polar(&row[14]), true);
        }
    }
}

/// What people ask for without saying what they think of it.
fn requests(folder: &Path, rows: &mut Vec<Row>) {
    for row in csv(&load(folder, "x_chat/crosswoz_utterances.csv"), ',').iter().skip(1) {
        if row.len() >= 4 && row[2] == "usr" {
            push(rows, "requests", &row[3], Gold::Neutral, true);
        }
    }
    for row in csv(&load(folder, "x_chat/banking77.csv"), ',').iter().skip(1) {
        push(rows, "requests_en", &row[0], Gold::Unknown, true);
    }
    for object in json(&load(folder, "x_intent_similarity/bustm.jsonl")) {
        for (_, text) in object.iter().filter(|(name, _)| name.starts_with("sentence")) {
            push(rows, "assistant", text, Gold::Neutral, false);
        }
    }
}

fn airline(folder: &Path, rows: &mut Vec<Row>) {
    for row in csv(&load(folder, "x_social_en/airline_tweets.csv"), ',').iter().skip(1) {
        if row.len() > 10 {
            push(rows, "airline", &row[10], polar(&row[1]), false);
        }
    }
}

fn other_languages(folder: &Path, rows: &mut Vec<Row>) {
    for name in ["french", "spanish", "dutch", "russian", "turkish"] {
        let text = load(folder, &format!("x_aspect_multilingual/restaurants_train_{name}.xml.dat"));
        aspect_texts(rows, "restaurants_other", aspects(&text, false), false);
    }
}

/// Brazilian shop reviews.
fn olist(folder: &Path, rows: &mut Vec<Row>) {
    for row in csv(&load(folder, "xo_olist/olist_order_reviews_dataset.csv"), ',').iter().skip(1) {
        let gold = match row[2].as_str() {
            "4" | "5" => Gold::Positive,
            "1" | "2" => Gold::Negative,
            _ => Gold::Unknown,
        };
        push(rows, "olist", &format!("{} {}", row[3], row[4]), gold, true);
    }
}

/// The project's own lexicon: every term a text.
fn words(lexicon: &str, rows: &mut Vec<Row>) {
    for line in lexicon.lines().skip(1) {
        let Some((term, polarity)) = line.split_once('\t') else { continue };
        let polarity: f64 = polarity.parse().unwrap_or(0.0);
        let gold = match polarity {
            p if p >= 0.3 => Gold::Positive,
            p if p <= -0.3 => Gold::Negative,
            _ => Gold::Unknown,
        };
        let domain = if term.is_ascii() { "lexicon_en" } else { "lexicon" };
        push(rows, domain, term, gold, true);
    }
}
