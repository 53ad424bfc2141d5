//! An S3 server for tests: s3s speaks the protocol and checks signatures, s3s-fs keeps the bytes, and faults are
//! injected on the way.
//!
//! `voxhouse-test-s3 ACCESS_KEY SECRET_KEY BUCKET…` prints its port, then takes commands on standard input, a line
//! each, and answers each with a line. It ends with its standard input, and what it stored goes with it.

mod control;
mod faults;
mod shelf;

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::S3Result;
use s3s::auth::SimpleAuth;
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use faults::Faults;
use shelf::{Shelf, Store};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(access_key), Some(secret_key)) = (arguments.next(), arguments.next()) else {
        return Err("usage: voxhouse-test-s3 ACCESS_KEY SECRET_KEY BUCKET…".into());
    };
    let folder = tempfile::Builder::new().prefix("voxhouse-test-s3-").tempdir()?;
    let shelf = Arc::new(Shelf::new(folder.path(), arguments.collect())?);
    let mut builder = S3ServiceBuilder::new(Store(Arc::clone(&shelf)));
    builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
    builder.set_host(Hosts);
    let faults = Arc::new(Faults::default());

    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (power, powered) = watch::channel(true);
    tokio::spawn(serve(listener, address, builder.build(), Arc::clone(&faults), powered));
    println!("{}", address.port());
    control::obey(&shelf, &faults, &power).await
}

/// `BUCKET.s3.test` names a bucket; by any other name the bucket is in the path.
struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        Ok(match host.strip_suffix(".s3.test") {
            Some(bucket) => VirtualHost::new("s3.test").with_bucket(bucket),
            None => VirtualHost::new(host),
        })
    }
}

/// Serves while the power is on. Without it nobody listens, and connections end where they are.
async fn serve(
    first: TcpListener,
    address: SocketAddr,
    service: S3Service,
    faults: Arc<Faults>,
    mut powered: watch::Receiver<bool>,
) {
    let mut listener = Some(first);
    while powered.wait_for(|on| *on).await.is_ok() {
        let listening = match listener.take() {
            Some(listening) => listening,
            None => match TcpListener::bind(address).await {
                Ok(listening) => listening,
                Err(error) => {
                    eprintln!("binding {address} again: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                off = powered.wait_for(|on| !*on) => {
                    if off.is_err() {
                        return;
                    }
                    break;
                }
                accepted = listening.accept() => {
                    let Ok((socket, _)) = accepted else { continue };
                    let (service, faults) = (service.clone(), Arc::clone(&faults));
                    let answer = service_fn(move |request| faults::answer(Arc::clone(&faults), service.clone(), request));
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .serve_connection(TokioIo::new(socket), answer);
                    // A client that is gone is no news here.
                    connections.spawn(async move { drop(connection.await) });
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }
}
