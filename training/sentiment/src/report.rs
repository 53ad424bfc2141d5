//! How good a recipe is, on texts that it did not learn from; near-duplicates are never on both sides.

use std::collections::HashSet;

use crate::corpus::Document;
use crate::measure::{Judged, Sigmoid, accuracy, accuracy_at, auc, calibration_error, macro_f1};
use crate::recipe::{self, DOMAINS, Head};
use crate::sources::Gold;
use crate::table::Table;

/// Prints every figure of the model card.
pub fn print(documents: &[&Document], tested: &[&Document]) {
    in_domain(documents, tested);
    left_out(documents, tested);
    foreign(documents, tested);
    tweets(documents, tested);
    neutral(documents, tested);
}

/// Learns from what is near no text of `test`, calibrates, judges.
fn try_out(
    head: Head,
    documents: &[&Document],
    test: &[&Document],
    calibrate: bool,
) -> (Vec<Judged>, Sigmoid) {
    let groups: HashSet<usize> = test.iter().map(|text| text.group).collect();
    let rest = head.texts(documents.iter().copied().filter(|text| !groups.contains(&text.group)));
    let (model, sigmoid) = if calibrate {
        head.calibrated(&rest)
    } else {
        (head.train(&rest), Sigmoid { slope: 1.0, offset: 0.0, bend: 1.0 })
    };
    (head.judge(&model, test), sigmoid)
}

fn show(name: &str, judged: &[Judged], sigmoid: Sigmoid) {
    println!(
        "{name:24} n {:6} accuracy {:.4} f1 {:.4} auc {:.4} calibration {:.4} at 60% {:.4} at 80% {:.4}",
        judged.len(),
        accuracy(judged),
        macro_f1(judged),
        auc(judged),
        calibration_error(judged, sigmoid),
        accuracy_at(judged, 0.6, sigmoid),
        accuracy_at(judged, 0.8, sigmoid)
    );
}

fn in_domain(documents: &[&Document], tested: &[&Document]) {
    let reviews = tested.iter().copied().filter(|text| text.test && DOMAINS.contains(&text.domain));
    let test = Head::Polarity.texts(reviews);
    let (judged, sigmoid) = try_out(Head::Polarity, documents, &test, true);
    show("in domain", &judged, sigmoid);
    show("in domain, packed", &packed(documents, &test), sigmoid);
    for domain in DOMAINS {
        let own = test.iter().zip(&judged).filter(|(text, _)| text.domain == domain);
        show(&format!("  {domain}"), &own.map(|(_, j)| *j).collect::<Vec<_>>(), sigmoid);
    }
}

fn left_out(documents: &[&Document], tested: &[&Document]) {
    let mut sums = [0.0; 3];
    for domain in DOMAINS {
        let test = Head::Polarity.texts(tested.iter().copied().filter(|text| text.domain == domain));
        let others: Vec<&Document> = documents.iter().copied().filter(|text| text.domain != domain).collect();
        let (judged, sigmoid) = try_out(Head::Polarity, &others, &test, true);
        show(&format!("left out: {domain}"), &judged, sigmoid);
        for (sum, value) in
            sums.iter_mut().zip([accuracy(&judged), auc(&judged), calibration_error(&judged, sigmoid)])
        {
            *sum += value / DOMAINS.len() as f64;
        }
    }
    println!(
        "left out, mean of {}: accuracy {:.4} auc {:.4} calibration {:.4}",
        DOMAINS.len(),
        sums[0],
        sums[1],
        sums[2]
    );
}

/// The margins that the packed weights give.
fn packed(documents: &[&Document], test: &[&Document]) -> Vec<Judged> {
    let groups: HashSet<usize> = test.iter().map(|text| text.group).collect();
    let rest: Vec<&Document> =
        documents.iter().copied().filter(|text| !groups.contains(&text.group)).collect();
    let table = Table::open(recipe::model(&rest).leak());
    let margin = |text: &Document| {
        let sum =
            text.features.iter().map(|(name, value)| table.get(*name).polarity as f32 * value).sum::<f32>();
        table.scale.unit * sum + table.scale.bias
    };
    test.iter().map(|text| Judged { margin: margin(text), positive: text.gold == Gold::Positive }).collect()
}

/// Other Chinese sources, each left out in turn.
fn foreign(documents: &[&Document], tested: &[&Document]) {
    for domain in ["dianping", "digital", "courses", "weibo", "eprstmt", "cosmetics"] {
        let test = Head::Polarity.texts(tested.iter().copied().filter(|text| text.domain == domain));
        let others: Vec<&Document> = documents.iter().copied().filter(|text| text.domain != domain).collect();
        let (judged, sigmoid) = try_out(Head::Polarity, &others, &test, true);
        show(&format!("foreign: {domain}"), &judged, sigmoid);
    }
}

fn tweets(documents: &[&Document], tested: &[&Document]) {
    let all = Head::Polarity.texts(tested.iter().copied().filter(|text| text.domain == "airline"));
    let others: Vec<&Document> = documents.iter().copied().filter(|text| text.domain != "airline").collect();
    let (judged, sigmoid) = try_out(Head::Polarity, &others, &all, true);
    show("tweets, none seen", &judged, sigmoid);
    let half: Vec<&Document> = all.iter().copied().filter(|text| text.group % 2 == 0).collect();
    let (judged, sigmoid) = try_out(Head::Polarity, documents, &half, true);
    show("tweets, half seen", &judged, sigmoid);
}

/// Whether neutral texts are told from the rest.
fn neutral(documents: &[&Document], tested: &[&Document]) {
    for domain in ["airline", "weibo_usual", "dianping", "plays", "cars", "made"] {
        let test = tested.iter().copied().filter(|text| text.domain == domain && text.test);
        let test = Head::Subjectivity.texts(test);
        let (judged, sigmoid) = try_out(Head::Subjectivity, documents, &test, false);
        show(&format!("neutral: {domain}"), &judged, sigmoid);
    }
}
