//! The examples on public data, against numbers that `check.py` works out of the same files without Voxhouse.
//!
//! The data are not part of the repository. `VOXHOUSE_DATA` names their folder; without it `../shared/data` is
//! looked for. Where there are none the tests say so, and fail if `CI` is set to true.

use std::path::{Path, PathBuf};

use tokio_postgres::Client;

use crate::clients::{psql_says, repository, run_python};
use crate::process::{PASSWORD, Root, ServerProcess};
use crate::server::ask;

/// A folder of the public data.
fn data(folder: &str) -> Option<PathBuf> {
    let given = std::env::var_os("VOXHOUSE_DATA").map(PathBuf::from);
    let path = given.clone().unwrap_or_else(|| repository("../shared/data")).join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let told =
        format!("the public data {folder} are not there: set VOXHOUSE_DATA to the folder that holds them");
    assert!(given.is_none() && std::env::var("CI").as_deref() != Ok("true"), "{told}");
    eprintln!("NOT TESTED: {told}");
    None
}

/// What `check.py` prints, by what stands before the colon: numbers and words.
fn check(example: &str, data: &Path) -> Vec<String> {
    let script = repository("examples").join(example).join("check.py");
    let said = run_python(&script, &[data.to_str().unwrap()], &[("PYTHONUTF8", "1")]);
    said.lines().map(str::to_owned).collect()
}

/// The numbers of the line that begins so.
fn numbers(lines: &[String], beginning: &str) -> Vec<f64> {
    let line = lines.iter().find(|line| line.starts_with(beginning));
    let line = line.unwrap_or_else(|| panic!("check.py does not say \"{beginning}\": {lines:?}"));
    let rest = &line[beginning.len()..];
    rest.split([',', ' ', ':']).filter_map(|word| word.parse().ok()).collect()
}

struct Example {
    root: Root,
    server: ServerProcess,
    folder: PathBuf,
    data: PathBuf,
}

impl Example {
    fn open(example: &str, data: PathBuf) -> Self {
        let root = Root::new();
        let server = root.serve();
        let folder = repository("examples").join(example);
        let example = Self { root, server, folder, data };
        for script in ["schema.sql", "pipes.sql"] {
            let path = example.folder.join(script);
            if path.exists() {
                psql_says(example.server.port, PASSWORD, &["-q", "-f", path.to_str().unwrap()]);
            }
        }
        example
    }

    /// Pushes a file through a pipe; loaded and rejected rows.
    fn load(&self, file: &str, pipe: &str) -> (u64, u64) {
        let said = self.root.says("load", &[self.data.join(file).to_str().unwrap(), "--pipe", pipe]);
        let words: Vec<&str> = said.split([' ', ',']).collect();
        (words[0].parse().unwrap(), words[4].parse().unwrap())
    }

    /// The answers to `questions.sql`, one after the other.
    async fn answers(&self, client: &Client) -> Vec<Vec<Vec<String>>> {
        let text = std::fs::read_to_string(self.folder.join("questions.sql")).unwrap();
        let mut answers = Vec::new();
        for statement in voxhouse_sql::dialect::parse(&text).unwrap() {
            let rows = ask(client, &statement.text).await;
            answers.push(rows.iter().map(|row| row.split('|').map(str::to_owned).collect()).collect());
        }
        answers
    }
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or_else(|_| panic!("\"{cell}\" is not a number"))
}

/// Equal when `expected` is rounded like the answer.
fn assert_rounded(answer: &str, expected: f64, decimals: i32) {
    let unit = 10_f64.powi(-decimals);
    assert!((number(answer) - expected).abs() <= unit / 2.0 + 1e-9, "{answer} is not {expected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn olist_every_row_is_accounted_for_and_the_answers_are_right() {
    let Some(data) = data("xo_olist") else { return };
    let expected = check("olist", &data);
    let example = Example::open("olist", data);
    for (file, pipe, rows) in [
        ("olist_order_payments_dataset.csv", "olist_payments", "rows of payments"),
        ("olist_order_items_dataset.csv", "olist_items", "rows of items"),
        ("olist_products_dataset.csv", "olist_products", "rows of products"),
        ("olist_customers_dataset.csv", "olist_customers", "rows of customers"),
        ("olist_orders_dataset.csv", "olist_orders", "rows of orders"),
        ("olist_order_reviews_dataset.csv", "olist_reviews", "rows of reviews"),
    ] {
        let (loaded, rejected) = example.load(file, pipe);
        assert_eq!((loaded + rejected) as f64, numbers(&expected, rows)[0], "{pipe}");
        assert_eq!(rejected, 0, "{pipe}");
    }
    let client = example.server.client().await;
    let answers = example.answers(&client).await;
    let [accounts, people, late, repurchase, states, linkage] = answers.as_slice() else {
        panic!("{} answers", answers.len())
    };
    for row in accounts {
        let known = match row[0].as_str() {
            "rejects" => 0.0,
            file => numbers(&expected, &format!("rows of {file}"))[0],
        };
        assert_eq!(number(&row[1]), known, "{row:?}");
    }
    let persons = numbers(&expected, "persons, of them with several orders");
    let revenue = numbers(&expected, "revenue, cancelled orders left out")[0];
    let sum = |column: usize| people.iter().map(|row| row[column].parse::<f64>().unwrap_or(0.0)).sum::<f64>();
    assert_eq!((sum(1), sum(2)), (persons[0], persons[1]), "{people:?}");
    assert!((sum(3) - revenue).abs() < 0.005, "{people:?}");
    for (row, name) in late.iter().zip(["late", "on time"]) {
        assert_eq!(row[0], name);
        let known = numbers(&expected, &format!("mean score, n, {name}"));
        assert_rounded(&row[1], known[0], 2);
        assert_eq!(number(&row[4]), known[1]);
        assert!(number(&row[2]) < known[0] && known[0] < number(&row[3]), "{row:?}");
    }
    for (row, name) in repurchase.iter().zip(["late", "on time"]) {
        assert_eq!(row[0], name);
        let known = numbers(&expected, &format!("repurchase share, n, {name}"));
        // check.py prints four decimals of the share.
        assert!((number(&row[1]) - 100.0 * known[0]).abs() < 0.0101, "{row:?}");
        assert_eq!(number(&row[2]), known[1]);
    }
    assert_eq!(states.len(), 5);
    for row in states {
        let known = numbers(&expected, &format!("late share, n, {}", row[0]));
        assert!((number(&row[1]) - 100.0 * known[0]).abs() < 0.06, "{row:?}");
        assert_eq!(number(&row[2]), known[1]);
    }
    assert_eq!(linkage.len(), 3, "{linkage:?}");
    for row in linkage {
        let known =
            numbers(&expected, &format!("linkage {}: n, repurchasers, rate, interval, censored", row[0]));
        assert_eq!(
            (number(&row[2]), number(&row[1]), number(&row[6])),
            (known[0], known[1], known[5]),
            "{row:?}"
        );
        for (cell, share) in row[3..6].iter().zip(&known[2..5]) {
            assert!((number(cell) - 100.0 * share).abs() < 0.0101, "{row:?}");
        }
    }
    // One row a person.
    let doubles = "SELECT count(*), count(DISTINCT customer_id) FROM c360.customers";
    let persons = persons[0] as u64;
    assert_eq!(ask(&client, doubles).await, [format!("{persons}|{persons}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn gov_complaints_every_row_is_accounted_for_and_the_answers_are_right() {
    let Some(data) = data("x_gov_complaints") else { return };
    let expected = check("gov_complaints_zh", &data);
    let example = Example::open("gov_complaints_zh", data);
    let rows = numbers(&expected, "answered");
    let (loaded, rejected) = example.load("messages_replies.csv", "gov_replies_said");
    assert_eq!((loaded as f64, rejected), (rows[0], 0));
    let client = example.server.client().await;
    let run = ask(&client, "CALL system.run_pipe('gov_replies_answered')").await;
    assert_eq!(run, [format!("1|0|0|{}|0", rows[2])]);
    let (loaded, rejected) = example.load("messages_votes.csv", "gov_votes");
    assert_eq!((loaded as f64, rejected), (rows[1], 0));
    let answers = example.answers(&client).await;
    let [files, rejects, people, answered, again, words] = answers.as_slice() else {
        panic!("{} answers", answers.len())
    };
    let known = [("answered", rows[0]), ("cases", rows[2]), ("voted", rows[1])];
    for (row, (name, count)) in files.iter().zip(known) {
        assert_eq!((row[0].as_str(), number(&row[1])), (name, count));
    }
    assert_eq!(rejects[0], ["0"]);
    let known = numbers(&expected, "people");
    assert_eq!(people[0].iter().map(|cell| number(cell)).collect::<Vec<_>>(), known);
    let known = numbers(&expected, "mean days");
    assert_eq!((number(&answered[0][0]), number(&answered[0][3])), (rows[0], known[3]));
    assert_rounded(&answered[0][1], known[0], 2);
    assert_rounded(&answered[0][2], known[1], 2);
    assert_eq!(again.len(), 2);
    for row in again {
        let known = numbers(&expected, &row[0]);
        // "over 15 days: wrote again 0.0146, people 547"
        assert!((number(&row[1]) - 100.0 * known[0]).abs() < 0.0101, "{row:?} {known:?}");
        assert_eq!(number(&row[2]), known[1]);
    }
    assert_eq!(words.len(), 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn hotel_reviews_every_row_is_accounted_for_and_the_answers_are_right() {
    let Some(data) = data("x_hotel_reviews") else { return };
    let expected = check("hotel_reviews_zh", &data);
    let example = Example::open("hotel_reviews_zh", data);
    let rows = numbers(&expected, "reviews");
    let (loaded, rejected) = example.load("hotels_geo_price.csv", "hotel_list");
    assert!(loaded as f64 >= rows[3] && rejected == 0, "{loaded} hotels");
    let (loaded, rejected) = example.load("ctrip_homestay.csv", "hotel_reviews");
    assert_eq!((loaded as f64, rejected), (rows[0], 0));
    let client = example.server.client().await;
    let answers = example.answers(&client).await;
    let [reviews, rejects, sites, prices, hotels, words] = answers.as_slice() else {
        panic!("{} answers", answers.len())
    };
    assert_eq!(reviews[0].iter().map(|cell| number(cell)).collect::<Vec<_>>(), rows[..3]);
    assert_eq!(rejects[0], ["0"]);
    assert_eq!(sites.len(), 3);
    for row in sites {
        let known = numbers(&expected, &format!("site {}", row[0]));
        match known.as_slice() {
            [scored, reviews] => {
                assert_eq!((row[1].as_str(), number(&row[2]), number(&row[3])), ("NULL", *scored, *reviews));
            }
            [mean, scored, reviews] => {
                assert_rounded(&row[1], *mean, 2);
                assert_eq!((number(&row[2]), number(&row[3])), (*scored, *reviews));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(prices.len(), 3);
    for row in prices {
        let known = numbers(&expected, &format!("price {}", row[0]));
        assert_rounded(&row[1], known[0], 2);
        assert_eq!(number(&row[4]), known[1], "{row:?}");
    }
    assert_eq!(hotels.len(), 5);
    for row in hotels {
        let known = numbers(&expected, &format!("hotel {}", row[0]));
        assert_rounded(&row[1], known[0], 2);
        assert_eq!(number(&row[2]), known[1]);
    }
    assert_eq!(words.len(), 10);
}

/// What `check.py` of an example printed when its answers were written down.
fn written_down(example: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(repository("examples").join(example).join("expected.csv")).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Numbers equal within `tolerance` of their size, other cells equal.
fn assert_alike(answer: &[String], expected: &[String], tolerance: f64) {
    assert_eq!(answer.len(), expected.len(), "{answer:?} is not {expected:?}");
    for (cell, known) in answer.iter().zip(expected) {
        let alike = match (cell.parse::<f64>(), known.parse::<f64>()) {
            (Ok(cell), Ok(known)) => (cell - known).abs() <= tolerance * known.abs().max(1.0),
            _ => cell == known,
        };
        assert!(alike, "{answer:?} is not {expected:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn telco_churn_is_explained_as_by_statsmodels_and_lifelines() {
    let Some(data) = data("xo_telco_churn") else { return };
    let example = Example::open("telco_churn", data);
    let known = written_down("telco_churn");
    let of = |name: &str| known.iter().filter(|row| row[0] == name).map(|row| &row[1..]).collect::<Vec<_>>();
    let (loaded, rejected) = example.load("telco_churn.csv", "telco_customers");
    assert_eq!(
        (loaded.to_string(), rejected),
        (of("customers")[0][0].clone(), 0),
        "another sample of the data?"
    );
    let client = example.server.client().await;
    let answers = example.answers(&client).await;
    let [customers, logistic, drivers, cox, medians, lost, model, saved] = answers.as_slice() else {
        panic!("{} answers", answers.len())
    };
    assert_alike(&customers[0], of("customers")[0], 0.0);
    assert_eq!(logistic.len(), of("logistic").len());
    for (row, expected) in logistic.iter().zip(of("logistic")) {
        assert_alike(&row[1..3], expected, 2e-6);
    }
    assert_eq!(cox.len(), of("cox").len());
    for (row, expected) in cox.iter().zip(of("cox")) {
        assert_alike(&row[1..3], expected, 2e-6);
    }
    for (row, expected) in medians.iter().zip(of("median")) {
        assert_alike(&row[1..], expected, 0.0);
    }
    assert_alike(&lost[0], of("lost")[0], 0.0);
    assert_alike(&model[0], of("model")[0], 1e-6);
    assert_alike(&saved[0], of("saved")[0], 1e-6);
    let percent: f64 = drivers.iter().map(|row| number(&row[1])).sum();
    assert!((percent - 100.0).abs() < 0.3, "{drivers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cdnow_customers_are_worth_what_lifetimes_says() {
    let Some(data) = data("o_cdnow") else { return };
    let example = Example::open("cdnow", data);
    let (_, rejected) = example.load("cdnow.csv", "cdnow_orders");
    assert_eq!(rejected, 0);
    let client = example.server.client().await;
    let answers = example.answers(&client).await;
    let [all, best, january] = answers.as_slice() else { panic!("{} answers", answers.len()) };
    let known = written_down("cdnow");
    // lifetimes stops a little before the maximum of the likelihood.
    assert_alike(&all[0], &known[0][1..], 1e-3);
    for (row, expected) in best.iter().zip(&known[1..6]) {
        assert_alike(row, expected, 1e-3);
    }
    for (row, expected) in january.iter().zip(&known[6..]) {
        assert_alike(row, expected, 0.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn satisfaction_with_voice_calls_hangs_on_what_statsmodels_says() {
    let Some(data) = data("xo_beijing_mobile") else { return };
    let csv = run_python(
        &repository("examples/beijing_mobile/to_csv.py"),
        &[data.to_str().unwrap()],
        &[("PYTHONUTF8", "1")],
    );
    let mut example = Example::open("beijing_mobile", data);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("voice.csv");
    std::fs::write(&file, csv).unwrap();
    example.data = folder.path().to_owned();
    let (loaded, rejected) = example.load("voice.csv", "mobile_voice");
    assert_eq!((loaded, rejected), (5433, 0));
    let client = example.server.client().await;
    let answers = example.answers(&client).await;
    let known = written_down("beijing_mobile");
    for (name, answer) in ["satisfied", "parts", "problem", "problems", "points"].iter().zip(&answers) {
        let expected: Vec<_> = known.iter().filter(|row| row[0] == *name).map(|row| &row[1..]).collect();
        assert_eq!((answer.len(), expected.is_empty()), (expected.len(), false), "{name}");
        for (row, expected) in answer.iter().zip(expected) {
            assert_alike(row, expected, 2e-6);
        }
    }
    assert_eq!(answers.len(), 5);
}
