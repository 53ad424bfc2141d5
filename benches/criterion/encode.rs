//! Rows to bytes of the Postgres protocol: a whole answer over a socket on the loopback, in both formats.
//!
//! The encoder is private to the wire, so its speed is taken with a server, a scan and a client around it. The
//! client drops the rows undecoded.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use futures::TryStreamExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use tokio_util::sync::CancellationToken;
use voxhouse_benches::house::House;
use voxhouse_engine::Result;
use voxhouse_sql::instance::OWNER;
use voxhouse_sql::wire::{Server, ServerOptions};

const ROWS: usize = 200_000;
const PASSWORD: &str = "bench";
const STATEMENT: &str = "SELECT * FROM bench.orders";

pub(crate) fn benches(criterion: &mut Criterion) {
    let house = House::with_orders(ROWS).expect("a table to read");
    let shutdown = CancellationToken::new();
    let address = served(&house, &shutdown).expect("a server");
    let client = house.runtime.block_on(connected(address)).expect("a connection");
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("text", |bencher| {
        bencher.iter(|| assert_eq!(house.runtime.block_on(read_text(&client)).expect("rows"), ROWS));
    });
    group.bench_function("binary", |bencher| {
        bencher.iter(|| assert_eq!(house.runtime.block_on(read_binary(&client)).expect("rows"), ROWS));
    });
    group.finish();
    shutdown.cancel();
}

fn served(house: &House, shutdown: &CancellationToken) -> Result<SocketAddr> {
    house.runtime.block_on(house.instance.set_password(OWNER, PASSWORD))?;
    let options = ServerOptions::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let entered = house.runtime.enter();
    let server = Server::bind(options, Arc::new(Arc::clone(&house.instance)))?;
    drop(entered);
    let address = server.local_addr()?;
    house.runtime.spawn(server.serve(shutdown.clone()));
    Ok(address)
}

async fn connected(address: SocketAddr) -> std::result::Result<Client, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config
        .host(address.ip().to_string())
        .port(address.port())
        .dbname("voxhouse")
        .user(OWNER)
        .password(PASSWORD);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The simple protocol.
async fn read_text(client: &Client) -> std::result::Result<usize, tokio_postgres::Error> {
    let messages = client.simple_query_raw(STATEMENT).await?;
    let count = |rows: usize, message| {
        let row = matches!(message, SimpleQueryMessage::Row(_));
        async move { Ok(rows + usize::from(row)) }
    };
    messages.try_fold(0, count).await
}

/// The extended protocol, as drivers use it.
async fn read_binary(client: &Client) -> std::result::Result<usize, tokio_postgres::Error> {
    let none: [&(dyn ToSql + Sync); 0] = [];
    let rows = client.query_raw(STATEMENT, none).await?;
    rows.try_fold(0, |rows, _| async move { Ok(rows + 1) }).await
}
