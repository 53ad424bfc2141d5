//! A warehouse on a real S3 server, from its first start to everything that a server of its own can refuse.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

use crate::process::{Root, both};
use crate::s3_server::{BUCKET, EXPORTS};
use crate::server::{ask, refusal};

/// Longer than anybody should wait to hear that the store is not there.
const SOON: Duration = Duration::from_secs(20);

fn parquet(ids: std::ops::Range<i64>) -> Vec<u8> {
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(ids.clone()));
    let text: ArrayRef = Arc::new(StringArray::from_iter_values(ids.map(|id| format!("第{id}行"))));
    let batch = RecordBatch::try_from_iter([("id", id), ("text", text)]).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_on_an_empty_bucket_keeps_the_password_in_the_configuration_folder() {
    let root = Root::on_s3();
    let mut child = root
        .command("serve")
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        lines.push(line.unwrap());
        if lines.last().unwrap().contains("psql -h") {
            break;
        }
    }
    let folder = root.beside("config").join("voxhouse");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(std::fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    let password = std::fs::read_to_string(&files[0]).unwrap().trim_end().to_owned();
    assert!(lines[0].contains(&password), "{lines:?}");
    let invitation = lines.last().unwrap();
    let port = invitation.split_once(" -p ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
    let client = crate::clients::connect(port, &password).await.unwrap();
    assert_eq!(ask(&client, "SELECT count(*) FROM x.feedback").await, ["0"]);
    // The line is to be pasted as it is.
    let pasted = std::process::Command::new("sh")
        .args(["-c", &format!("{invitation} -X -At -c 'SELECT 1'")])
        .output()
        .unwrap();
    assert_eq!(both(&pasted), "1\n", "{invitation}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_live_on_s3_from_create_to_drop() {
    let root = Root::on_s3();
    let server = root.serve();
    let client = server.client().await;
    client
        .batch_execute(
            "CREATE SCHEMA \"订单\"; \
             CREATE TABLE \"订单\".\"a b+c%\" (id int PRIMARY KEY, city text, amount numeric(18,2)) \
                 PARTITION BY (city) CLUSTER BY (id); \
             INSERT INTO \"订单\".\"a b+c%\" VALUES (1, '成都', 1.10), (2, 'a b+c%/d', 2.20), (3, NULL, 3.30), \
                 (4, 'x=y&z?#', 4.40), (5, '..', 5.50)",
        )
        .await
        .unwrap();
    let rows = "SELECT id, city, amount FROM \"订单\".\"a b+c%\" ORDER BY id";
    let first = ask(&client, rows).await;
    assert_eq!(first, ["1|成都|1.10", "2|a b+c%/d|2.20", "3|NULL|3.30", "4|x=y&z?#|4.40", "5|..|5.50"]);
    for city in ["成都", "a b+c%/d", "x=y&z?#", ".."] {
        let count = format!("SELECT count(*) FROM \"订单\".\"a b+c%\" WHERE city = '{city}'");
        assert_eq!(ask(&client, &count).await, ["1"], "{city}");
    }
    ask(&client, "UPDATE \"订单\".\"a b+c%\" SET amount = amount * 2 WHERE id <= 2").await;
    ask(&client, "DELETE FROM \"订单\".\"a b+c%\" WHERE id = 3").await;
    ask(
        &client,
        "MERGE INTO \"订单\".\"a b+c%\" t USING (VALUES (4, 9.00), (6, 6.60)) AS s(id, amount) ON t.id = s.id \
         WHEN MATCHED THEN UPDATE SET amount = s.amount \
         WHEN NOT MATCHED THEN INSERT (id, city, amount) VALUES (s.id, '北京', s.amount)",
    )
    .await;
    let now = ["1|成都|2.20", "2|a b+c%/d|4.40", "4|x=y&z?#|9.00", "5|..|5.50", "6|北京|6.60"];
    assert_eq!(ask(&client, rows).await, now);
    assert_eq!(refusal(&client, "INSERT INTO \"订单\".\"a b+c%\" VALUES (6, 'x', 0)").await.0, "23505");
    let before = "SELECT count(*), sum(amount) FROM \"订单\".\"a b+c%\" VERSION AS OF 1";
    assert_eq!(ask(&client, before).await, ["5|16.50"]);
    assert!(server.terminate().success());

    let server = root.serve();
    let client = server.client().await;
    assert_eq!(ask(&client, rows).await, now);
    ask(&client, "VACUUM (RETAIN '0 hours', FORCE) \"订单\".\"a b+c%\"").await;
    assert_eq!(ask(&client, rows).await, now);
    assert_eq!(refusal(&client, before).await.0, "58030");
    ask(&client, "CREATE TABLE copied AS SELECT * FROM \"订单\".\"a b+c%\"").await;
    ask(&client, "DROP TABLE \"订单\".\"a b+c%\"").await;
    assert_eq!(refusal(&client, rows).await.0, "42P01");
    assert_eq!(ask(&client, "SELECT count(*) FROM copied").await, ["5"]);
    let said = root.says("check", &[]);
    assert!(said.ends_with("0 faults\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pipes_load_from_the_bucket_of_the_root_and_from_another() {
    let root = Root::on_s3();
    let server = root.serve();
    let client = server.client().await;
    client
        .batch_execute(&format!(
            "CREATE TABLE t (id bigint, text text); \
             CREATE PIPE inside FROM 'landing/订单/' INTO t FORMAT parquet; \
             CREATE PIPE outside FROM 's3://{EXPORTS}/nightly runs/' INTO t FORMAT parquet"
        ))
        .await
        .unwrap();
    root.drop_file("landing/订单/a b+c%.parquet", &parquet(0..1_000));
    root.drop_file("landing/订单/deep/é~(1)&'!.parquet", &parquet(1_000..2_000));
    // As long as a listing is, and longer.
    for file in 0..12 {
        root.s3().put(
            EXPORTS,
            &format!("nightly runs/第{file} 号.parquet"),
            &parquet(2_000 + file * 10..2_010 + file * 10),
        );
    }
    root.s3().put(EXPORTS, "nightly runs beside/x.parquet", &parquet(0..5));
    assert_eq!(ask(&client, "CALL system.run_pipe('inside')").await, ["2|0|0|2000|0"]);
    assert_eq!(ask(&client, "CALL system.run_pipe('outside')").await, ["12|0|0|120|0"]);
    assert_eq!(
        ask(&client, "SELECT count(*), count(DISTINCT id), min(text) FROM t").await,
        ["2120|2120|第0行"]
    );
    let files = "SELECT file FROM system.loads WHERE pipe = 'inside' ORDER BY file";
    assert_eq!(
        ask(&client, files).await,
        ["landing/订单/a b+c%.parquet", "landing/订单/deep/é~(1)&'!.parquet"]
    );
    let other = "SELECT min(file) FROM system.loads WHERE pipe = 'outside'";
    assert_eq!(ask(&client, other).await, [format!("s3://{EXPORTS}/nightly runs/第0 号.parquet")]);
    // The same bytes again, and other bytes under a name that is known.
    root.drop_file("landing/订单/a b+c%.parquet", &parquet(0..1_000));
    root.drop_file("landing/订单/deep/é~(1)&'!.parquet", &parquet(5_000..5_001));
    assert_eq!(ask(&client, "CALL system.run_pipe('inside')").await, ["1|0|1|1|0"]);
    assert_eq!(ask(&client, "CALL system.run_pipe('inside')").await, ["0|0|0|0|0"]);
    assert_eq!(ask(&client, "SELECT count(*) FROM t").await, ["2121"]);
}

#[test]
fn a_listing_longer_than_a_page_is_read_to_its_end() {
    let root = Root::on_s3();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = root.serve();
        let client = server.client().await;
        ask(&client, "CREATE TABLE t (id bigint)").await;
        ask(&client, "CREATE PIPE p FROM 'landing/p/' INTO t FORMAT csv").await;
        let (root, files) = (&root, (0..1_100).collect::<Vec<i32>>());
        std::thread::scope(|scope| {
            for some in files.chunks(140) {
                scope.spawn(move || {
                    for file in some {
                        root.drop_file(&format!("landing/p/{file}.csv"), format!("id\n{file}\n").as_bytes());
                    }
                });
            }
        });
        assert_eq!(ask(&client, "CALL system.run_pipe('p')").await, ["1100|0|0|1100|0"]);
        assert_eq!(
            ask(&client, "SELECT count(DISTINCT id), sum(id) FROM t").await,
            [format!("1100|{}", 1_099 * 550)]
        );
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn local_files_are_pushed_to_a_warehouse_on_s3() {
    let root = Root::on_s3();
    {
        let server = root.serve();
        let client = server.client().await;
        client
            .batch_execute(
                "CREATE TABLE direct (id bigint, text text); CREATE TABLE mapped (id bigint, text text); \
                 CREATE PIPE p FROM 'landing/p/' INTO mapped FORMAT parquet AS SELECT id, text FROM source",
            )
            .await
            .unwrap();
        assert!(server.terminate().success());
    }
    std::fs::create_dir(root.beside("in")).unwrap();
    std::fs::write(root.beside("in/a b+c%.parquet"), parquet(0..500)).unwrap();
    // More than one part of an upload.
    let lines: String = (0..400_000).map(|id| format!("{},{}\n", id + 500, "x".repeat(20))).collect();
    std::fs::write(root.beside("in/大.csv"), format!("id,text\n{lines}")).unwrap();
    let folder = root.beside("in").to_str().unwrap().to_owned();
    let said = root.says("load", &[&folder, "--into", "direct"]);
    assert!(
        said.starts_with("400500 rows loaded, 0 rejected; 2 files loaded, 0 skipped, 0 failed"),
        "{said}"
    );
    let said = root.says("load", &[&folder, "--into", "direct"]);
    assert!(said.starts_with("0 rows loaded, 0 rejected; 0 files loaded, 2 skipped, 0 failed"), "{said}");
    let file = format!("{folder}/a b+c%.parquet");
    let said = root.says("load", &[&file, "--pipe", "p"]);
    assert!(said.starts_with("500 rows loaded, 0 rejected; 1 files loaded"), "{said}");
    let server = root.serve();
    let client = server.client().await;
    let counts = "SELECT (SELECT count(DISTINCT id) FROM direct), (SELECT count(DISTINCT id) FROM mapped)";
    assert_eq!(ask(&client, counts).await, ["400500|500"]);
    assert_eq!(
        ask(&client, "SELECT count(*) FROM system.loads WHERE file = 'landing/p/a b+c%.parquet'").await,
        ["1"]
    );
}

/// Providers that address buckets by host name: Alibaba's and Tencent's do not serve path style everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn buckets_can_be_addressed_by_host_name() {
    let root = Root::on_s3();
    let serve = |root: &Root| {
        let mut command = root.command("serve");
        command
            .args(["--listen", "127.0.0.1:0"])
            .env("AWS_ENDPOINT", "http://{bucket}.s3.test")
            .env("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
            // The names resolve nowhere; the server takes the requests as a proxy.
            .env("AWS_PROXY_URL", root.s3().endpoint())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut child = serve(&root);
    let mut port = None;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((_, rest)) = line.split_once(" -p ") {
            port = rest.split(' ').next().unwrap().parse().ok();
            break;
        }
    }
    let config = root.beside("config").join("voxhouse");
    let file = std::fs::read_dir(config).unwrap().next().unwrap().unwrap().path();
    let password = std::fs::read_to_string(file).unwrap().trim_end().to_owned();
    let client = crate::clients::connect(port.unwrap(), &password).await.unwrap();
    ask(&client, "CREATE TABLE t (id bigint, text text)").await;
    ask(&client, &format!("CREATE PIPE p FROM 's3://{EXPORTS}/in/' INTO t FORMAT parquet")).await;
    root.s3().put(EXPORTS, "in/a.parquet", &parquet(0..10));
    assert_eq!(ask(&client, "CALL system.run_pipe('p')").await, ["1|0|0|10|0"]);
    child.kill().unwrap();
    child.wait().unwrap();
    // By path it is the same warehouse.
    let server = root.serve();
    assert_eq!(ask(&server.client().await, "SELECT count(*) FROM t").await, ["10"]);
}

/// How a process on this root says that it cannot start: a message and a hint, soon, and not with status 0.
fn assert_refused(
    root: &Root,
    case: &str,
    change: impl Fn(&mut std::process::Command) -> &mut std::process::Command,
    expected: &[&str],
) {
    for subcommand in ["serve", "check"] {
        let started = Instant::now();
        let mut command = match case {
            MISSING_BUCKET => root.command_on("s3://no-such-bucket/x", subcommand),
            _ => root.command(subcommand),
        };
        if subcommand == "serve" {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        change(&mut command);
        let output = command.output().unwrap();
        let said = both(&output);
        assert!(!output.status.success(), "{case}: {said}");
        assert!(started.elapsed() < SOON, "{case}: {:?}: {said}", started.elapsed());
        for text in ["ERROR:  ", "HINT:  "].iter().chain(expected) {
            assert!(said.contains(text), "{case}: \"{text}\" is not in: {said}");
        }
        assert!(!said.contains("::") && !said.contains(SECRET), "{case}: {said}");
        eprintln!("{case} ({subcommand}, {:?}):\n{said}", started.elapsed());
    }
}

const SECRET: &str = "not-the-secret";
const MISSING_BUCKET: &str = "a missing bucket";

#[test]
fn a_store_that_cannot_be_used_is_refused_soon_and_in_words() {
    let root = Root::on_s3();
    assert_refused(
        &root,
        "a wrong secret",
        |command| command.env("AWS_SECRET_ACCESS_KEY", SECRET),
        &["refuses the credentials (SignatureDoesNotMatch)", "AWS_SECRET_ACCESS_KEY"],
    );
    assert_refused(
        &root,
        "an unknown key",
        |command| command.env("AWS_ACCESS_KEY_ID", "NOBODY"),
        &["refuses the credentials (NotSignedUp)", "AWS_ACCESS_KEY_ID"],
    );
    assert_refused(
        &root,
        "no credentials",
        |command| {
            command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
            // The metadata service of a machine in the cloud, where there is none.
            command.env("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
        },
        &["there are no credentials for the object store", "AWS_ACCESS_KEY_ID"],
    );
    assert_refused(
        &root,
        MISSING_BUCKET,
        |command| command,
        &["s3://no-such-bucket/x", "bucket does not exist (NoSuchBucket)"],
    );
    assert_refused(
        &root,
        "nobody listens",
        |command| command.env("AWS_ENDPOINT", "http://127.0.0.1:1"),
        &["object store cannot be reached", "Connection refused", "AWS_ENDPOINT"],
    );
    assert_refused(
        &root,
        "plain HTTP that is not allowed",
        |command| command.env_remove("AWS_ALLOW_HTTP"),
        &["object store", "AWS_ALLOW_HTTP"],
    );
    root.s3().tell("fault 1000 0 * / hang");
    assert_refused(&root, "no answer", |command| command, &["object store did not answer in time"]);
    root.s3().tell("clear");
    root.s3().tell("conditions off");
    assert_refused(
        &root,
        "a condition that is ignored",
        |command| command,
        &["does not refuse to overwrite", "If-None-Match"],
    );
}

/// Alibaba's store does not know If-None-Match; it forbids to overwrite by a header of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_forbids_to_overwrite_by_copying_serves_several_writers() {
    let root = Root::on_s3();
    root.s3().tell("conditions refused");
    assert_refused(
        &root,
        "no conditional put",
        |command| command,
        &["does not refuse to overwrite", "If-None-Match"],
    );
    let by_copy = [
        ("AWS_CONDITIONAL_PUT", "disabled"),
        ("AWS_COPY_IF_NOT_EXISTS", "header-with-status: x-oss-forbid-overwrite: true: 409"),
    ];
    let (one, two) = (root.serve_in(&by_copy), root.serve_in(&by_copy));
    let (first, second) = (one.client().await, two.client().await);
    ask(&first, "CREATE TABLE t (id int)").await;
    let insert = async |client: &tokio_postgres::Client, from: i32| {
        for id in from..from + 8 {
            ask(client, &format!("INSERT INTO t VALUES ({id})")).await;
        }
    };
    tokio::join!(insert(&first, 0), insert(&second, 100));
    assert_eq!(ask(&second, "SELECT count(*), count(DISTINCT id) FROM t").await, ["16|16"]);
    assert_eq!(ask(&first, "SELECT count(*), count(DISTINCT id) FROM t").await, ["16|16"]);
}

#[test]
fn a_probe_whose_answer_was_lost_is_no_reason_to_refuse_the_store() {
    let root = Root::on_s3();
    root.s3().tell(&format!("fault 1 0 PUT /{BUCKET}/ lose-answer"));
    let said = root.says("check", &[]);
    assert!(said.ends_with("0 faults\n"), "{said}");
    assert_eq!(root.s3().count("struck"), 1);
}
