//! What a test tells the server while it runs.

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;

use crate::Failure;
use crate::faults::{Faults, Rule};
use crate::shelf::Shelf;

/// Obeys until there are no more commands.
pub async fn obey(shelf: &Shelf, faults: &Faults, power: &watch::Sender<bool>) -> Result<(), Failure> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match command(&line, shelf, faults, power) {
            Ok(answer) => println!("ok {answer}"),
            Err(error) => println!("error {error}"),
        }
    }
    Ok(())
}

fn command(
    line: &str,
    shelf: &Shelf,
    faults: &Faults,
    power: &watch::Sender<bool>,
) -> Result<String, String> {
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        // fault TIMES AFTER METHOD PATH KIND: see `Rule`.
        ["fault", rule @ ..] => faults.add(Rule::parse(rule)?),
        ["clear"] => faults.clear(),
        // How many requests met a fault.
        ["struck"] => return Ok(faults.struck().to_string()),
        ["requests"] => return Ok(faults.requests().to_string()),
        ["power", "off"] => drop(power.send_replace(false)),
        ["power", "on"] => drop(power.send_replace(true)),
        // A store that does not know If-None-Match.
        ["conditions", "off"] => shelf.ignore_conditions(),
        // One that says that it does not.
        ["conditions", "refused"] => shelf.refuse_conditions(),
        _ => return Err(format!("unknown command: {line}")),
    }
    Ok(String::new())
}
