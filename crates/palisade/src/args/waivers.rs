//! `palisade waivers`.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand};

use super::asking::moment;
use super::output::Output;
use super::place::Server;

/// `palisade waivers …`
#[derive(Debug, Subcommand)]
pub enum Waivers {
    /// Accept violators of a policy for a time. They stay violators; Palisade shows them apart.
    Add(WaiverAdd),
    /// List waivers, what each covers, and those that cover nothing or have ended.
    List(WaiverList),
    /// End a waiver now.
    End(WaiverEnd),
    /// Make and renew the waivers of files that are kept in a repository, all or none.
    Apply(WaiversApply),
}

/// `palisade waivers add`
#[derive(Args, Debug)]
pub struct WaiverAdd {
    /// Id or name of the policy.
    pub policy: String,
    /// Resources by their id; `*` stands for any characters.
    #[arg(value_name = "RESOURCE")]
    pub resource: String,
    /// Until when, at most 365 days: date, time and offset, such as 2026-12-31T00:00:00Z.
    #[arg(long, env = "PALISADE_WAIVER_UNTIL", value_name = "MOMENT", value_parser = moment)]
    pub until: String,
    /// Why it is accepted.
    #[arg(long, env = "PALISADE_WAIVER_REASON", value_name = "TEXT")]
    pub reason: String,
    /// Who answers for it.
    #[arg(long, env = "PALISADE_WAIVER_OWNER", value_name = "NAME")]
    pub owner: String,
    /// Where it was agreed.
    #[arg(long, env = "PALISADE_WAIVER_TICKET", value_name = "TEXT")]
    pub ticket: Option<String>,
    /// Of this account, by id or by the name that it has in the policy's scope. May be given many times. Default,
    /// with no unit either: every account.
    #[arg(
        long = "account",
        env = "PALISADE_WAIVER_ACCOUNT",
        value_delimiter = ',',
        value_name = "ACCOUNT"
    )]
    pub accounts: Vec<String>,
    /// Of the accounts below this organizational unit. May be given many times.
    #[arg(long = "unit", env = "PALISADE_WAIVER_UNIT", value_delimiter = ',', value_name = "UNIT")]
    pub units: Vec<String>,
    /// Of this resource type. Default: of any.
    #[arg(long = "type", env = "PALISADE_WAIVER_TYPE", value_name = "TYPE")]
    pub resource_type: Option<String>,
    /// From when. Default: now.
    #[arg(long, env = "PALISADE_WAIVER_FROM", value_name = "MOMENT", value_parser = moment)]
    pub from: Option<String>,
    /// Accept a pattern that fits every resource, or every one of a type, as sg-* does.
    #[arg(long, env = "PALISADE_CONFIRM", value_parser = FalseyValueParser::new())]
    pub confirm: bool,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade waivers list`
#[derive(Args, Debug)]
pub struct WaiverList {
    /// Id or name of a policy. Default: those of every policy.
    pub policy: Option<String>,
    /// As they were at a moment: date, time and offset. Default: now.
    #[arg(long, env = "PALISADE_WAIVERS_AT", value_name = "MOMENT", value_parser = moment)]
    pub at: Option<String>,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade waivers end`
#[derive(Args, Debug)]
pub struct WaiverEnd {
    /// The waiver's id, as `palisade waivers list` shows it.
    pub waiver: String,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade waivers apply`
#[derive(Args, Debug)]
#[command(
    after_help = "A file is JSON: {\"waivers\": [{\"policy\": \"no-remote-administration\", \"resource\": \
\"sg-0a1b*\", \"accounts\": [\"111122223333\"], \"reason\": \"…\", \"owner\": \"…\", \"ticket\": \"…\", \"until\": \
\"2026-12-31T00:00:00Z\"}]}, with units, resourceType and from as `add` has them. A waiver of the same policy, \
accounts, units, type and resource is renewed where it ends at another moment or says other words, and made where \
there is none; one whose time is over is left out; waivers that no file names stay. All files are applied in one \
step: where one waiver cannot be, none is."
)]
pub struct WaiversApply {
    /// Files of waivers, or folders of these.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Accept patterns that fit every resource, or every one of a type.
    #[arg(long, env = "PALISADE_CONFIRM", value_parser = FalseyValueParser::new())]
    pub confirm: bool,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}
