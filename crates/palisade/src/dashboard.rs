//! `palisade dashboard`: a link that opens the server's pages, signed in.

use serde_json::Value;

use crate::args;
use crate::client::Client;
use crate::commands::text_of;
use crate::failure::{Exit, Failure, Outcome};
use crate::report::to_seconds;
use crate::terminal::{print_line, say};

const PATH: &str = "/palisade/v1/dashboard";

/// Runs the command. The link alone goes to standard output, for whoever hands it to a browser.
pub fn run(args: &args::Dashboard) -> Outcome {
    let client = Client::new(&args.server)?;
    let answer = client.own("POST", PATH, &[], b"")?;
    let path = text_of(&answer, "path");
    if !path.starts_with('/') {
        return Err(Failure::Refused(format!(
            "{PATH} was answered without a `path`: see whether the endpoint is a Palisade's, and of this edition"
        )));
    }
    print_line(&format!("{}{path}", client.endpoint()))?;
    match answer.get("expires").and_then(Value::as_str) {
        Some(until) => {
            say(format_args!("it signs in whoever opens it first, until {}", to_seconds(until)))
        }
        None => say(format_args!("the server asks nobody for a key (--auth open)")),
    }
    Ok(Exit::Done)
}
