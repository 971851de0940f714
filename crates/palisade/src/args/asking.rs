//! What is asked of a server's ledger.

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::output::Output;
use super::place::Server;

/// `palisade compliance`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 it was told; with --fail-on also 1 something does not comply, 2 something \
could not be told, or nothing was; 69 the server refused or did not answer."
)]
pub struct Compliance {
    /// Id or name of a policy. Default: every policy of the Region.
    pub policy: Option<String>,
    /// In which order: by account, most violators first, or by status (not compliant, unknown, compliant).
    #[arg(long, env = "PALISADE_COMPLIANCE_SORT", default_value = "account")]
    pub sort: Sort,
    /// Show so many rows, the first in that order. Default: all.
    #[arg(long, env = "PALISADE_COMPLIANCE_LIMIT", value_name = "N")]
    pub limit: Option<std::num::NonZeroUsize>,
    /// Show rows of this status alone. May be given many times.
    #[arg(
        long = "status",
        env = "PALISADE_COMPLIANCE_STATUS",
        value_delimiter = ',',
        value_name = "STATUS"
    )]
    pub statuses: Vec<Standing>,
    /// Show this account alone, by id or name. May be given many times.
    #[arg(
        long = "account",
        env = "PALISADE_COMPLIANCE_ACCOUNT",
        value_delimiter = ',',
        value_name = "ACCOUNT"
    )]
    pub accounts: Vec<String>,
    /// Show the policies of all Regions, whichever --region names.
    #[arg(
        long,
        env = "PALISADE_COMPLIANCE_ALL_REGIONS",
        value_parser = FalseyValueParser::new()
    )]
    pub all_regions: bool,
    /// Show one table of accounts by policies.
    #[arg(
        long,
        env = "PALISADE_COMPLIANCE_MATRIX",
        conflicts_with_all = ["sort", "limit", "statuses"],
        value_parser = FalseyValueParser::new()
    )]
    pub matrix: bool,
    /// As it was told at a moment: date, time and offset, such as 2026-11-30T22:28:00Z. Default: now.
    #[arg(long, env = "PALISADE_COMPLIANCE_AT", value_name = "MOMENT", value_parser = moment)]
    pub at: Option<String>,
    /// End with 1 where something does not comply and with 2 where something could not be told: either
    /// (`violators`), or the latter alone (`unknown`).
    #[arg(long, env = "PALISADE_COMPLIANCE_FAIL_ON", value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade violators`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 it was told; with --fail-on also 1 something does not comply, 2 something \
could not be told, or nothing was; 69 the server refused or did not answer."
)]
pub struct Violators {
    /// Id or name of the policy.
    pub policy: String,
    /// The member account, by id or name. Default: all accounts in the policy's scope.
    pub account: Option<String>,
    /// As it was told at a moment: date, time and offset, such as 2026-11-30T22:28:00Z. Default: now.
    #[arg(long, env = "PALISADE_VIOLATORS_AT", value_name = "MOMENT", value_parser = moment)]
    pub at: Option<String>,
    /// End with 1 where something does not comply and with 2 where something could not be told: either
    /// (`violators`), or the latter alone (`unknown`).
    #[arg(long, env = "PALISADE_VIOLATORS_FAIL_ON", value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// A moment, as RFC 3339 in UTC.
pub(super) fn moment(text: &str) -> Result<String, String> {
    let read: Result<jiff::Timestamp, _> = text.trim().parse();
    read.map(|at| at.to_string()).map_err(|_| {
        "give date, time and offset, such as 2026-11-30T22:28:00Z or 2026-11-30T23:28:00+01:00"
            .to_owned()
    })
}

/// An order of rows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Sort {
    /// By policy, Region and account id.
    #[default]
    Account,
    /// Most violators first.
    Violators,
    /// What does not comply first, then what is not known.
    Status,
}

/// How an account stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Standing {
    /// `COMPLIANT`
    Compliant,
    /// `NON_COMPLIANT`
    NonCompliant,
    /// There is no result.
    Unknown,
}

/// What ends a command with another status than 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum FailOn {
    /// Something does not comply, or could not be told.
    Violators,
    /// Something could not be told.
    Unknown,
}
