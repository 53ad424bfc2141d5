//! `near_duplicates`, `cluster_verbatims` and `summarize`: which texts say the same, and which few stand for all.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, optional, required};
use crate::report::{Gathered, Row, Type};
use crate::similarity::{self, Pick};

const DUPLICATES: Definition = Definition {
    name: "near_duplicates",
    arguments: "relation, id, text [, threshold]",
    description: "Texts that are the same but for a few characters, such as copied reviews: one row a text that has others like it, \
                  with the id of the first of its group and the size of the group. threshold is the least likeness of two texts \
                  (see text_similarity), 0.7 unless given.",
    example: "SELECT id, group_id, group_size FROM near_duplicates('SELECT * FROM (VALUES (''1'', ''质量很好，物流很快，下次还会再来''), (''2'', \
              ''质量很好，物流很快，下次还会再来！''), (''3'', ''屏幕碎了，客服不理人'')) AS t(id, comment)', 'id', 'comment')",
    example_result: "1|1|2\n2|1|2",
    ..REPORT
};

const CLUSTERS: Definition = Definition {
    name: "cluster_verbatims",
    arguments: "relation, id, text [, k, seed]",
    description: "Texts by what they speak of: one row a text with its cluster, the largest being 1, how well it fits there, and the \
                  text that speaks for the cluster. k is the number of clusters, 8 unless given; seed chooses among equally good \
                  beginnings, 0 unless given.",
    example: "SELECT count(*), count(DISTINCT cluster_number) FROM cluster_verbatims('SELECT g::text AS id, CASE WHEN g % 2 = 0 THEN \
              ''配送太慢了'' ELSE ''味道很好吃'' END AS comment FROM generate_series(1, 10) AS s(g)', 'id', 'comment', k => 2)",
    example_result: "10|2",
    ..REPORT
};

const SUMMARIZE: Definition = Definition {
    name: "summarize",
    arguments: "relation, id, text [, k]",
    description: "The sentences that stand best for many texts, as they are written, the best first, each with the id of its text and \
                  its place in it. k is how many to give, 5 unless given.",
    example: "SELECT sentence, id FROM summarize('SELECT * FROM (VALUES (''1'', ''配送太慢了。''), (''2'', ''配送太慢，等了两个小时。''), \
              (''3'', ''味道不错。'')) AS t(id, comment)', 'id', 'comment', k => 1)",
    example_result: "配送太慢，等了两个小时。|2",
    ..REPORT
};

pub(super) const REPORTS: &[Report] = &[
    Report {
        definition: DUPLICATES,
        parameters: &[ID, TEXT, optional("threshold", Takes::Setting)],
        columns: &[("id", Type::Text), ("group_id", Type::Text), ("group_size", Type::Bigint)],
        start: start_duplicates,
    },
    Report {
        definition: CLUSTERS,
        parameters: &[ID, TEXT, optional("k", Takes::Setting), optional("seed", Takes::Setting)],
        columns: CLUSTER_COLUMNS,
        start: start_clusters,
    },
    Report {
        definition: SUMMARIZE,
        parameters: &[ID, TEXT, optional("k", Takes::Setting)],
        columns: SUMMARY_COLUMNS,
        start: start_summary,
    },
];

const ID: Parameter = required("id", Takes::Text);
const TEXT: Parameter = required("text", Takes::Text);

const CLUSTER_COLUMNS: &[Column] = &[
    ("id", Type::Text),
    ("cluster_number", Type::Bigint),
    ("cluster_size", Type::Bigint),
    ("score", Type::Double),
    ("representative", Type::Text),
];

const SUMMARY_COLUMNS: &[Column] = &[
    ("sentence", Type::Text),
    ("id", Type::Text),
    ("start_at", Type::Bigint),
    ("end_at", Type::Bigint),
    ("score", Type::Double),
];

fn threshold(call: &Call) -> Result<f64, Error> {
    call.number("threshold", 0.7, 0.01, 1.0)
}

fn start_duplicates(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    threshold(call)?;
    Ok(Gathered::start(call, duplicates))
}

fn start_clusters(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.whole("k", 8, 1, 256)?;
    call.whole("seed", 0, 0, u64::MAX)?;
    Ok(Gathered::start(call, clusters))
}

fn start_summary(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.whole("k", 5, 1, 1000)?;
    Ok(Gathered::start(call, summary))
}

/// Ids and texts, in the order of both: the answer does not depend on the order of the rows.
fn texts(rows: &Gathered) -> Result<Vec<(&str, &str)>, Error> {
    let (Some(ids), Some(texts)) = (rows.text("id"), rows.text("text")) else {
        return Err(Error::internal("texts without their columns"));
    };
    let pairs = ids.codes.iter().zip(&texts.codes);
    let mut pairs: Vec<(&str, &str)> = pairs
        .map(|(id, text)| (ids.names[*id as usize].as_str(), texts.names[*text as usize].as_str()))
        .collect();
    pairs.sort_unstable();
    Ok(pairs)
}

fn duplicates(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (ids, texts): (Vec<&str>, Vec<&str>) = texts(rows)?.into_iter().unzip();
    let signatures: Vec<_> = texts.iter().map(|text| similarity::minhash(text)).collect();
    let groups = similarity::near_duplicates(&texts, &signatures, threshold(call)?)?;
    let mut sizes = vec![0_i64; texts.len()];
    groups.iter().for_each(|first| sizes[*first] += 1);
    let row = |(id, first): (&&str, &usize)| {
        (sizes[*first] > 1).then(|| {
            vec![ScalarValue::from(*id), ScalarValue::from(ids[*first]), ScalarValue::from(sizes[*first])]
        })
    };
    Ok(ids.iter().zip(&groups).filter_map(row).collect())
}

fn clusters(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (ids, texts): (Vec<&str>, Vec<&str>) = texts(rows)?.into_iter().unzip();
    let (k, seed) = (call.whole("k", 8, 1, 256)? as usize, call.whole("seed", 0, 0, u64::MAX)?);
    let found = similarity::cluster_verbatims(&texts, k, seed)?;
    let row = |(place, id): (usize, &&str)| {
        let cluster = found.labels[place].and_then(|label| Some((label, found.clusters.get(label)?)));
        vec![
            ScalarValue::from(*id),
            ScalarValue::from(cluster.map(|(label, _)| label as i64 + 1)),
            ScalarValue::from(cluster.map(|(_, cluster)| cluster.size as i64)),
            ScalarValue::from(found.scores[place]),
            ScalarValue::from(cluster.map(|(_, cluster)| texts[cluster.representative].to_owned())),
        ]
    };
    Ok(ids.iter().enumerate().map(row).collect())
}

fn summary(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (ids, texts): (Vec<&str>, Vec<&str>) = texts(rows)?.into_iter().unzip();
    let picks = similarity::summarize(&texts, call.whole("k", 5, 1, 1000)? as usize)?;
    let row = |pick: &Pick| {
        vec![
            ScalarValue::from(pick.sentence.as_str()),
            ScalarValue::from(ids[pick.source]),
            ScalarValue::from(pick.start as i64),
            ScalarValue::from(pick.end as i64),
            ScalarValue::from(pick.score),
        ]
    };
    Ok(picks.iter().map(row).collect())
}
