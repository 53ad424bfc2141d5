//! Files of many formats through pipes: the templates of `examples/templates` on their fixtures, and the guide.

use std::io::Write;

use crate::clients::repository;
use crate::server::House;

/// Runs the statements of a file.
async fn run_script(house: &House, path: &str) {
    let text = std::fs::read_to_string(repository(path)).unwrap();
    for statement in voxhouse_sql::dialect::parse(&text).unwrap() {
        house.run(&statement.text).await;
    }
}

/// A house with a template and its fixture; each pipe's files loaded and failed, rows and rejects.
async fn loaded(template: &str, folder: &str, fixture: &str, pipes: &[(&str, &str)]) -> House {
    let house = House::open().await;
    run_script(&house, &format!("examples/templates/{template}.sql")).await;
    let fixture = format!("examples/templates/fixtures/{fixture}");
    let file = std::fs::read(repository(&fixture)).unwrap();
    let name = fixture.rsplit('/').next().unwrap();
    house.put(&format!("landing/{folder}/{name}"), file).await;
    for (pipe, expected) in pipes {
        let said = house.run(&format!("CALL system.run_pipe('{pipe}')")).await;
        let rejects = house.run(REJECTS).await;
        assert_eq!(said, [*expected], "{pipe}: {rejects:?}");
    }
    house
}

const REJECTS: &str = "SELECT row_number, reason FROM system.rejects ORDER BY 1";

#[tokio::test(flavor = "multi_thread")]
async fn qualtrics_has_three_rows_of_headings() {
    let house =
        loaded("qualtrics", "qualtrics", "qualtrics.csv", &[("template_qualtrics", "1|0|0|3|0")]).await;
    let answers = house
        .run(
            "SELECT feedback_id, key_type, key_value, score, language, occurred_at, attributes->>'group', \
             strpos(comment, '客服') > 0 FROM x.feedback ORDER BY 1",
        )
        .await;
    let expected = [
        "R_1aB|member_no|0000042|10|zh|2026-03-02 09:02:41+00|Promoter|t",
        "R_2cD|email|mei@example.com|3|en|2026-03-02 10:15:53+00|Detractor|f",
        "R_4gH|NULL|NULL|NULL|en|2026-03-09 12:04:00+00|NULL|NULL",
    ];
    assert_eq!(answers, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_export_in_another_countrys_dialect() {
    let house =
        loaded("survey_export", "survey", "survey_export.csv", &[("template_survey", "1|0|0|3|1")]).await;
    let answers = house
        .run("SELECT feedback_id, key_value, score, weight, occurred_at, comment FROM x.feedback ORDER BY 1")
        .await;
    let expected = [
        "0001|000123|4.5|1250.75|2026-03-05 14:30:00+00|Freundlich; aber die Wartezeit war lang.",
        "0002|NULL|2|0.5|2026-03-06 00:00:00+00|NULL",
        "0003|000124|NULL|1|2026-03-07 09:05:00+00|Alles gut",
    ];
    assert_eq!(answers, expected);
    let reason = "4|column \"Datum\": \"31.02.2026 10:00\" is not a date like DD.MM.YYYY HH24:MI | DD.MM.YY";
    assert_eq!(house.run(REJECTS).await, [reason]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follow_up_adds_to_a_review_and_replaces_nothing() {
    let pipes = [("template_reviews", "1|0|0|4|0")];
    let house = loaded("ecommerce_reviews", "reviews", "ecommerce_reviews.csv", &pipes).await;
    let reviews = house
        .run(
            "SELECT feedback_id, score, comment IS NULL, attributes->>'part', attributes->>'default' \
             FROM x.feedback ORDER BY 1",
        )
        .await;
    let expected = [
        "00081726:P-01|5|f|review|false",
        "00081726:P-01:2|NULL|f|follow-up|false",
        "00081727:P-02|NULL|t|review|true",
        "00081728:P-01|2|f|review|false",
    ];
    assert_eq!(reviews, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_customer_says_is_feedback() {
    let pipes = [("template_chats", "1|0|0|3|0"), ("template_chat_turns", "1|0|0|6|0")];
    let house = loaded("chat_transcripts", "chats", "chat_transcripts.json", &pipes).await;
    let said = house.run("SELECT feedback_id, key_value, comment FROM x.feedback ORDER BY 1").await;
    let expected = [
        "c-0007:1|013800000007|我的订单三天没有动了",
        "c-0007:4|013800000007|好的，谢谢",
        "c-0008:2|013900000008|The invoice is wrong again.",
    ];
    assert_eq!(said, expected);
    let turns = house.run("SELECT event_name, count(*) FROM x.events GROUP BY 1 ORDER BY 1").await;
    assert_eq!(turns, ["chat_agent|2", "chat_bot|1", "chat_customer|3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_a_case_and_a_complaint() {
    let pipes = [("template_ticket_cases", "1|0|0|3|0"), ("template_tickets", "1|0|0|3|0")];
    let house = loaded("tickets", "tickets", "tickets.csv", &pipes).await;
    let cases = house.run("SELECT case_id, closed_at IS NULL, reopened_at FROM o.cases ORDER BY 1").await;
    assert_eq!(cases, ["000910|f|NULL", "000911|f|2026-05-09 07:00:00+00", "000912|t|NULL"]);
    let verdicts = house.run("SELECT feedback_id, metric, score FROM x.feedback ORDER BY 1").await;
    assert_eq!(verdicts, ["000910|csat|1", "000911|csat|0", "000912|NULL|NULL"]);
}

/// The statements of the guide can be typed as they stand.
#[tokio::test(flavor = "multi_thread")]
async fn the_guide_of_formats_runs() {
    let house = House::open().await;
    let text = std::fs::read_to_string(repository("docs/formats.md")).unwrap();
    let blocks: Vec<&str> =
        text.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 6, "{}", blocks.len());
    for block in blocks {
        for statement in voxhouse_sql::dialect::parse(block).unwrap() {
            house.run(&statement.text).await;
        }
    }
    for name in house.instance.warehouse.formats().names() {
        assert!(text.contains(&format!("## `{name}`")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn extended_json_and_archives_load_by_sql() {
    let house = House::open().await;
    house.run("CREATE TABLE people (id text NOT NULL, visits bigint, spent numeric(38,2), born date, extra json)").await;
    house
        .run(
            "CREATE PIPE people FROM 'landing/people/' INTO people FORMAT json OPTIONS (extended 'true') AS \
             SELECT _id AS id, visits, spent, left(born, 10) AS born, extra FROM source",
        )
        .await;
    let canonical = r#"[{"_id":{"$oid":"65a1f0c2d4e5f60718293a4b"},"visits":{"$numberLong":"9007199254740993"},
        "spent":{"$numberDecimal":"123456789012345678901234.10"},"born":{"$date":{"$numberLong":"0"}},
        "extra":{"n":{"$numberInt":"1"}}}]"#;
    house.put("landing/people/a.json", canonical).await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let brief = r#""visits":null,"spent":null,"born":null,"extra":null}"#;
    packed.write_all(format!("{{\"_id\":\"b\",{brief} {{\"_id\":\"c\",{brief}").as_bytes()).unwrap();
    house.put("landing/people/b.json.gz", packed.finish().unwrap()).await;
    house.put("landing/people/c.json", "[{\"_id\":\"d\"}").await;
    assert_eq!(house.run("CALL system.run_pipe('people')").await, ["2|1|0|3|0"]);
    let rows = house.run("SELECT id, visits, spent, born, extra->>'n' FROM people ORDER BY id").await;
    assert_eq!(
        rows,
        [
            "65a1f0c2d4e5f60718293a4b|9007199254740993|123456789012345678901234.10|1970-01-01|1",
            "b|NULL|NULL|NULL|NULL",
            "c|NULL|NULL|NULL|NULL",
        ]
    );
    let failed = house.run("SELECT file, error FROM system.loads WHERE state = 'failed'").await;
    assert_eq!(failed, ["landing/people/c.json|invalid JSON file: it ends inside of its array"]);
}
