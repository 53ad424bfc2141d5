//! Object stores tell of new files over HTTP, and pipes load just these.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::Client;

use crate::eventually;
use crate::process::{PASSWORD, Root, ServerProcess};
use crate::s3_server::BUCKET;
use crate::server::ask;

struct Notified {
    root: Root,
    server: ServerProcess,
    client: Client,
    port: u16,
}

const SECRET: &str = "s3cret: with a colon";

impl Notified {
    async fn start(root: Root) -> Self {
        // Free at this moment; nobody else on this machine asks for a certain port.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let server = root.serve_with(&["--listen-http", &format!("127.0.0.1:{port}")]);
        let client = server.client().await;
        client
            .batch_execute(&format!(
                "CREATE TABLE t (id bigint); CREATE PIPE p FROM 'landing/p/' INTO t FORMAT csv; \
                 CREATE PIPE \"订 单\" FROM 'landing/other/' INTO t FORMAT csv; \
                 CREATE ROLE notifier LOGIN PASSWORD '{SECRET}'; GRANT USAGE ON PIPE p TO notifier"
            ))
            .await
            .unwrap();
        Self { root, server, client, port }
    }

    /// Sends bytes, and gives the status and the body of the answer.
    async fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        // The server may have answered, and closed, before it has read everything.
        let _ = socket.write_all(request).await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.trim_end().to_owned())
    }

    async fn post_as(&self, role: &str, password: &str, path: &str, body: &str) -> (u16, String) {
        let credentials = STANDARD.encode(format!("{role}:{password}"));
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.raw(request.as_bytes()).await
    }

    async fn post(&self, body: &str) -> (u16, String) {
        self.post_as("notifier", SECRET, "/pipes/p/notify", body).await
    }

    async fn wait_for(&self, rows: &str) {
        eventually(rows, async || {
            (ask(&self.client, "SELECT count(*), sum(id) FROM t").await == [rows]).then_some(())
        })
        .await;
    }
}

fn event(bucket: &str, keys: &[&str]) -> String {
    let record = |key: &&str| {
        json!({"eventName": "s3:ObjectCreated:Put",
               "s3": {"bucket": {"name": bucket}, "object": {"key": key}}})
    };
    json!({"EventName": "s3:ObjectCreated:Put", "Records": keys.iter().map(record).collect::<Vec<_>>()})
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_on_s3_loads_the_files_of_an_event_and_no_others() {
    let notified = Notified::start(Root::on_s3()).await;
    notified.root.drop_file("landing/p/a b+1.csv", b"id\n1\n2\n");
    notified.root.drop_file("landing/p/later.csv", b"id\n100\n");
    // The root lies under a prefix whose name has to be encoded.
    let prefix = "teams/%E5%AE%A2%E6%9C%8D+1/landing";
    let keys = [
        format!("{prefix}/p/a+b%2B1.csv"),
        format!("{prefix}/elsewhere/a.csv"),
        format!("{prefix}/p/_hidden.csv"),
        format!("{prefix}/p/gone.csv"),
    ];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    assert_eq!(notified.post(&event(BUCKET, &keys)).await, (202, r#"{"accepted":2,"ignored":2}"#.to_owned()));
    notified.wait_for("2|3").await;
    // Once is enough, and another bucket is another file.
    assert_eq!(notified.post(&event(BUCKET, &keys[..1])).await.0, 202);
    assert_eq!(
        notified.post(&event("else", &keys[..1])).await,
        (202, r#"{"accepted":0,"ignored":1}"#.to_owned())
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ask(&notified.client, "SELECT count(*) FROM t").await, ["2"]);
    // The next run finds what nobody told of, and knows what was loaded.
    assert_eq!(ask(&notified.client, "CALL system.run_pipe('p')").await, ["1|0|0|1|0"]);
    assert_eq!(
        ask(&notified.client, "SELECT file, state FROM system.loads ORDER BY 1").await,
        ["landing/p/a b+1.csv|loaded", "landing/p/later.csv|loaded"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_each_store_are_understood() {
    let notified = Notified::start(Root::new()).await;
    let bodies = [
        json!({"events": [{"eventName": "ObjectCreated:PutObject",
            "oss": {"bucket": {"name": "b"}, "object": {"key": "landing/p/oss.csv"}}}]}),
        json!({"Records": [{"event": {"eventName": "cos:ObjectCreated:Put"},
            "cos": {"cosBucket": {"name": "b", "appid": "1"}, "cosObject": {"key": "/1/b/landing/p/cos.csv"}}}]}),
        json!({"Records": [{"eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "b"}, "object": {"key": "landing/p/s3.csv"}}}]}),
    ];
    for (id, (name, body)) in ["oss", "cos", "s3"].iter().zip(bodies).enumerate() {
        notified.root.drop_file(&format!("landing/p/{name}.csv"), format!("id\n{}\n", 1 << id).as_bytes());
        assert_eq!(notified.post(&body.to_string()).await.0, 202, "{name}");
    }
    notified.wait_for("3|7").await;
    let removed = json!({"Records": [{"eventName": "ObjectRemoved:Delete",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "landing/p/s3.csv"}}}]});
    let nothing = r#"{"accepted":0,"ignored":0}"#.to_owned();
    assert_eq!(notified.post(&removed.to_string()).await, (202, nothing.clone()));
    assert_eq!(notified.post(r#"{"Event":"s3:TestEvent"}"#).await, (202, nothing));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_run_a_pipe_may_not_notify_it() {
    let notified = Notified::start(Root::new()).await;
    let body = event("b", &["landing/p/a.csv"]);
    let status =
        async |role: &str, password: &str, path: &str| notified.post_as(role, password, path, &body).await.0;
    assert_eq!(status("notifier", SECRET, "/pipes/p/notify").await, 202);
    assert_eq!(status("notifier", "wrong", "/pipes/p/notify").await, 401);
    assert_eq!(status("nobody", SECRET, "/pipes/p/notify").await, 401);
    // A pipe that one may not run does not exist.
    assert_eq!(status("notifier", SECRET, "/pipes/%E8%AE%A2%20%E5%8D%95/notify").await, 404);
    assert_eq!(status("notifier", SECRET, "/pipes/none/notify").await, 404);
    assert_eq!(status("voxhouse", PASSWORD, "/pipes/%E8%AE%A2%20%E5%8D%95/notify").await, 202);
    ask(&notified.client, "ALTER PIPE p PAUSE").await;
    assert_eq!(notified.post(&body).await, (409, "pipe \"p\" is paused".to_owned()));
    ask(&notified.client, "ALTER ROLE notifier PASSWORD 'other'").await;
    assert_eq!(status("notifier", SECRET, "/pipes/p/notify").await, 401);
    ask(&notified.client, "ALTER ROLE notifier NOLOGIN").await;
    assert_eq!(status("notifier", "other", "/pipes/p/notify").await, 401);
    let log = notified.server.log();
    assert!(
        !log.contains(SECRET)
            && !log.contains(PASSWORD)
            && !log.contains(&STANDARD.encode(format!("notifier:{SECRET}")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_bounded_in_size_and_number() {
    let notified = Notified::start(Root::new()).await;
    let known = STANDARD.encode(format!("notifier:{SECRET}"));
    let head = format!("POST /pipes/p/notify HTTP/1.1\r\nAuthorization: Basic {known}\r\n");
    for (request, status) in [
        ("GET /pipes/p/notify HTTP/1.1\r\n\r\n".to_owned(), 405),
        ("POST /metrics HTTP/1.1\r\n\r\n".to_owned(), 404),
        ("POST /pipes//notify HTTP/1.1\r\n\r\n".to_owned(), 404),
        ("POST /pipes/a/b/notify HTTP/1.1\r\n\r\n".to_owned(), 404),
        ("POST /pipes/p/notify HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}".to_owned(), 401),
        (
            "POST /pipes/p/notify HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: 2\r\n\r\n{}"
                .to_owned(),
            401,
        ),
        (format!("{head}\r\n"), 411),
        (format!("{head}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{{}}"), 411),
        (format!("{head}Content-Length: two\r\n\r\n{{}}"), 400),
        (format!("{head}Content-Length: 10000000\r\n\r\n"), 413),
        (format!("{head}Content-Length: 2\r\n\r\n{{}}"), 400),
        (format!("{head}Content-Length: 1\r\n\r\n{{"), 400),
        (format!("{head}Expect: 100-continue\r\nContent-Length: 22\r\n\r\n{{\"Event\":\"s3:TestEvent"), 400),
        (format!("{head}X: {}\r\n\r\n", "x".repeat(20_000)), 431),
        ("nonsense\r\n\r\n".to_owned(), 400),
    ] {
        assert_eq!(
            notified.raw(request.as_bytes()).await.0,
            status,
            "{}",
            &request[..request.len().min(200)]
        );
    }
    // Guesses run out, and whoever has shown the right password before does not mind.
    let body = event("b", &[]);
    assert_eq!(notified.post(&body).await.0, 202);
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(notified.post_as("notifier", "guess", "/pipes/p/notify", &body).await.0);
    }
    assert!(statuses.contains(&401) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(notified.post(&body).await.0, 202);
}
