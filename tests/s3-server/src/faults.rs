//! Faults between the client and the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use s3s::Body;
use s3s::service::S3Service;

use crate::Failure;

#[derive(Debug, Clone)]
enum Fault {
    /// The store refuses: a status and an S3 error code.
    Refuse(StatusCode, String),
    /// The connection ends before the store sees the request.
    Reset,
    /// The store does what it was asked, and the connection ends before it says so.
    LoseAnswer,
    /// As `LoseAnswer`, but the request reaches the store some seconds later.
    Delay(u64),
    /// The connection ends in the middle of the answer's body.
    CutBody,
    /// There is never an answer.
    Hang,
}

/// A fault that strikes requests of a method with some text in their path or query, a number of times, after a
/// number of such requests have been spared.
#[derive(Debug)]
pub struct Rule {
    times: usize,
    after: usize,
    method: Option<Method>,
    path: String,
    fault: Fault,
}

impl Rule {
    /// `TIMES AFTER METHOD PATH KIND`: `*` is any method, `/` is in any path; the kind is `reset`, `lose-answer`,
    /// `delay:SECONDS`, `cut-body`, `hang`, or an answer such as `503:SlowDown`.
    pub fn parse(words: &[&str]) -> Result<Self, String> {
        let [times, after, method, path, kind] = words else {
            return Err("fault TIMES AFTER METHOD PATH KIND".to_owned());
        };
        let number = |text: &str| text.parse::<usize>().map_err(|error| format!("{text}: {error}"));
        let fault = match kind.split_once(':') {
            None if *kind == "reset" => Fault::Reset,
            None if *kind == "lose-answer" => Fault::LoseAnswer,
            None if *kind == "cut-body" => Fault::CutBody,
            None if *kind == "hang" => Fault::Hang,
            Some(("delay", seconds)) => Fault::Delay(number(seconds)? as u64),
            Some((status, code)) => Fault::Refuse(
                status.parse().map_err(|_| format!("{status} is not a status"))?,
                code.to_owned(),
            ),
            None => return Err(format!("unknown fault {kind}")),
        };
        let method = match *method {
            "*" => None,
            name => Some(name.parse().map_err(|_| format!("{name} is not a method"))?),
        };
        Ok(Self { times: number(times)?, after: number(after)?, method, path: (*path).to_owned(), fault })
    }

    /// The fault, if it strikes this request.
    fn strike(&mut self, method: &Method, path: &str) -> Option<Fault> {
        if self.times == 0
            || self.method.as_ref().is_some_and(|wanted| wanted != method)
            || !path.contains(&self.path)
        {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.fault.clone())
    }
}

#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
    struck: AtomicUsize,
    requests: AtomicUsize,
}

impl Faults {
    pub fn add(&self, rule: Rule) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
    }

    pub fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub fn struck(&self) -> usize {
        self.struck.load(Ordering::Relaxed)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn strike(&self, request: &Request<Incoming>) -> Option<Fault> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = rules.iter_mut().find_map(|rule| rule.strike(request.method(), path));
        if fault.is_some() {
            self.struck.fetch_add(1, Ordering::Relaxed);
        }
        fault
    }
}

/// Answers a request, or fails it. An error ends the connection without a word.
pub async fn answer(
    faults: Arc<Faults>,
    service: S3Service,
    request: Request<Incoming>,
) -> Result<Response<Body>, Failure> {
    match faults.strike(&request) {
        None => store(service, request).await,
        Some(Fault::Refuse(status, code)) => refuse(status, &code),
        Some(Fault::Reset) => Err("reset".into()),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::CutBody) => cut(store(service, request).await?).await,
        Some(Fault::LoseAnswer) => {
            store(service, request).await?;
            Err("the answer is lost".into())
        }
        Some(Fault::Delay(seconds)) => {
            let (parts, body) = request.into_parts();
            let body: Vec<Bytes> = Body::from(body).try_collect().await?;
            let request = Request::from_parts(parts, Body::from(body.concat()));
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
                drop(service.call(request).await);
            });
            Err("the answer is lost, and the request is still on its way".into())
        }
    }
}

async fn store(service: S3Service, request: Request<Incoming>) -> Result<Response<Body>, Failure> {
    // A task of its own: what the store has begun it finishes, though the client be gone.
    let answered = tokio::spawn(async move { service.call(request.map(Body::from)).await });
    Ok(answered.await?.map_err(|error| format!("{error:?}"))?)
}

fn refuse(status: StatusCode, code: &str) -> Result<Response<Body>, Failure> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>injected</Message></Error>"
    );
    Ok(Response::builder().status(status).header("content-type", "application/xml").body(Body::from(xml))?)
}

/// Promises the whole length and ends after half of it.
async fn cut(response: Response<Body>) -> Result<Response<Body>, Failure> {
    let (mut parts, body) = response.into_parts();
    let whole: Bytes = body.try_collect::<Vec<Bytes>>().await?.concat().into();
    parts.headers.insert("content-length", whole.len().into());
    let half: Result<Frame<Bytes>, Failure> = Ok(Frame::data(whole.slice(..whole.len() / 2)));
    let broken = futures::stream::once(async {
        // So that the half is sent before the connection ends.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        Err("the body is cut".into())
    });
    let stream = futures::stream::iter([half]).chain(broken);
    Ok(Response::from_parts(parts, Body::http_body_unsync(StreamBody::new(stream))))
}
