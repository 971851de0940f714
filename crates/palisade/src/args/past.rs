//! What is asked of a server's past.

use clap::Args;
use clap::builder::FalseyValueParser;

use super::asking::moment;
use super::output::Output;
use super::place::Server;

/// `palisade history`
#[derive(Args, Debug)]
pub struct History {
    /// Id or name of the policy.
    pub policy: String,
    /// The member account, by id or name.
    pub account: String,
    /// Of the policy that there was at this moment, for one that was deleted since.
    #[arg(long, env = "PALISADE_HISTORY_AT", value_name = "MOMENT", value_parser = moment)]
    pub at: Option<String>,
    /// How many states, the newest; 0 is all.
    #[arg(long, env = "PALISADE_HISTORY_LIMIT", default_value_t = 100, value_name = "N")]
    pub limit: usize,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade diff`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 nothing changed, 1 something did with --exit-code, 0 without; 69 the server refused \
or did not answer. A line begins with + for what came, - for what went, ~ for what became another."
)]
pub struct Diff {
    /// The earlier moment: date, time and offset, such as 2026-11-30T22:28:00Z.
    #[arg(long, env = "PALISADE_DIFF_FROM", value_name = "MOMENT", value_parser = moment)]
    pub from: String,
    /// The later moment. Default: now.
    #[arg(long, env = "PALISADE_DIFF_TO", value_name = "MOMENT", value_parser = moment)]
    pub to: Option<String>,
    /// Of this policy alone, by id or by the name that it has now.
    #[arg(long, env = "PALISADE_DIFF_POLICY", value_name = "POLICY")]
    pub policy: Option<String>,
    /// End with 1 where something changed.
    #[arg(long, env = "PALISADE_DIFF_EXIT_CODE", value_parser = FalseyValueParser::new())]
    pub exit_code: bool,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade changes`
#[derive(Args, Debug)]
pub struct Changes {
    /// Changes since this moment: date, time and offset. Default: an hour ago, or
    /// since the past is kept.
    #[arg(long, env = "PALISADE_CHANGES_SINCE", value_name = "MOMENT", value_parser = moment)]
    pub since: Option<String>,
    /// Go on with what changes from now on, some seconds behind, until it is stopped.
    #[arg(long, env = "PALISADE_CHANGES_FOLLOW", value_parser = FalseyValueParser::new())]
    pub follow: bool,
    /// Of this policy alone, by id or by the name that it has now.
    #[arg(long, env = "PALISADE_CHANGES_POLICY", value_name = "POLICY")]
    pub policy: Option<String>,
    /// How to print: with --follow, `table` is a line a change and `json` an object a line.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}
