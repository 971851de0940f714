//! The command line: every flag with its `PALISADE_…` variable.

mod asking;
mod explaining;
mod keys;
mod moments;
mod output;
mod past;
mod place;
mod serve;
mod sources;
mod store;
mod waivers;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use palisade_core::ident::{AccountId, PolicyId, Region};
use palisade_core::inventory::Assumed;
use palisade_core::policy::Quotas;

use crate::failure::Failure;
use moments::moment;

pub use asking::*;
pub use explaining::*;
pub use keys::*;
pub use output::*;
pub use past::*;
pub use place::*;
pub use serve::*;
pub use sources::*;
pub use store::*;
pub use waivers::*;

/// An open, self-hosted Firewall Manager: which accounts of your organization are protected by which
/// policy, how many resources are not, and why.
///
/// Start with `palisade quickstart`: it makes a sample organization, judges it and serves it.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try Palisade with a sample organization: writes it, serves it, shows its compliance.
    Quickstart(Quickstart),
    /// Write the files of a made-up organization of any size: its accounts, AWS Config snapshots, policies.
    Sample(Sample),
    /// Judge AWS Config files against policies once, without a server.
    Check(Check),
    /// Run the server: the Firewall Manager API, ingest, and the workers that judge.
    Serve(Serve),
    /// Send AWS Config files (snapshots, history, notifications) to the server.
    Ingest(Ingest),
    /// Read accounts through AWS's APIs into files that check and ingest take. AWS Config is not needed.
    Collect(Collect),
    /// Tell the server whose accounts these are.
    #[command(subcommand)]
    Organization(Organization),
    /// List, show, put and delete policies on the server.
    #[command(subcommand)]
    Policies(Policies),
    /// Show which accounts comply with a policy (ListComplianceStatus).
    Compliance(Compliance),
    /// Show every resource of an account that breaks a policy, with the reason.
    Violators(Violators),
    /// Explain how a resource stands to a policy: held against what, by which item, what would end it.
    Explain(Explain),
    /// Show what policies, or another organization, would find if they were put. Nothing is written.
    Preview(Preview),
    /// Show how an account stood under a policy, and the violators that ended.
    History(History),
    /// Show what changed between two moments, by policy, account and resource.
    Diff(Diff),
    /// Show what changed lately, or follow it as it changes.
    Changes(Changes),
    /// Accept violators for a time, list who accepted what until when.
    #[command(subcommand)]
    Waivers(Waivers),
    /// Create, list, rotate, disable and delete the access keys that a server accepts.
    #[command(subcommand)]
    Keys(Keys),
    /// Show what the server reads by itself, how old that is and why it failed.
    Sources(Sources),
    /// Check the file that tells a server what to read by itself.
    #[command(subcommand)]
    Config(Config),
    /// Print what is to be allowed at AWS: the policy of the role that reads, its template.
    #[command(subcommand)]
    Aws(Aws),
    /// Show who changed what on the server, newest first.
    Audit(Audit),
    /// Print a link that opens the server's dashboard once, signed in with your key.
    Dashboard(Dashboard),
    /// Back a store up, restore it, look for damage in it.
    #[command(subcommand)]
    Store(Keeping),
    /// Look into a store: schema, what it holds, what work is due.
    Doctor(Doctor),
    /// Print a completion script for your shell.
    Completions(Completions),
}

/// `palisade quickstart`
#[derive(Args, Debug)]
pub struct Quickstart {
    /// Folder for the sample's files and the server's store.
    #[arg(long, env = "PALISADE_DATA", default_value = "palisade-data", value_name = "DIR")]
    pub data: PathBuf,
    /// Address to serve on; it must be this machine's own, as quickstart asks nobody for a key.
    #[arg(long, env = "PALISADE_LISTEN", default_value = LISTEN, value_parser = listen, value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Stop after showing the tables, instead of serving until Ctrl-C.
    #[arg(long, env = "PALISADE_EXIT", value_parser = FalseyValueParser::new())]
    pub exit: bool,
}

/// `palisade sample`
#[derive(Args, Debug)]
pub struct Sample {
    /// Accounts of the organization, some of them with planted violators.
    #[arg(long, env = "PALISADE_SAMPLE_ACCOUNTS", default_value_t = 48, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=100_000))]
    pub accounts: u32,
    /// What chance is made of: the same number gives the same organization.
    #[arg(long, env = "PALISADE_SAMPLE_SEED", default_value_t = crate::sample::SEED, value_name = "S")]
    pub seed: u64,
    /// Folder for organization.json, policies and AWSLogs; it must be new or empty.
    #[arg(long, env = "PALISADE_SAMPLE_OUT", value_name = "DIR")]
    pub out: PathBuf,
}

/// `palisade check`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 everything complies, 1 something does not, 2 it could not be \
told, 64 wrong usage, 74 some input could not be read or the result not be written, 141 the reader of \
the result went away."
)]
pub struct Check {
    /// A policy: a PutPolicy request or a bare Policy object, in JSON; or a folder of such files. May
    /// be given many times.
    #[arg(
        long = "policy",
        env = "PALISADE_POLICY",
        value_delimiter = ',',
        required = true,
        value_name = "FILE"
    )]
    pub policies: Vec<PathBuf>,
    /// The organization: accounts and organizational units, in JSON.
    #[arg(long, env = "PALISADE_ORGANIZATION", value_name = "FILE")]
    pub organization: PathBuf,
    /// The administrator account, which owns the policies. Default: the organization file's
    /// `DefaultAdministrator`, else the management account.
    #[arg(long, env = "PALISADE_ADMIN", value_name = "ACCOUNT")]
    pub admin: Option<AccountId>,
    /// An earlier name of a policy: web ACLs that were made under it are the policy's own still. A
    /// server knows the names that it has seen; files do not tell them. May be given many times.
    #[arg(
        long = "former-name",
        env = "PALISADE_FORMER_NAME",
        value_delimiter = ',',
        value_name = "NAME=EARLIER"
    )]
    pub former_names: Vec<String>,
    /// A SECURITY_GROUPS_COMMON policy that is or was in force, by its id, such as one of AWS's own
    /// Firewall Manager: groups named FMManagedSecurityGroup with its id are Firewall Manager's own
    /// and not audited. Policies given here are known by themselves. May be given many times.
    #[arg(
        long = "fms-policy",
        env = "PALISADE_FMS_POLICY",
        value_delimiter = ',',
        value_name = "ID",
        value_parser = policy_id
    )]
    pub fms_policies: Vec<PolicyId>,
    /// What a policy's resource sets hold: the answer of GetResourceSet, then those of
    /// ListResourceSetResources, in one file. Without it a policy that names sets has a gap. May be given
    /// many times.
    #[arg(
        long = "resource-sets",
        env = "PALISADE_RESOURCE_SETS",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    pub resource_sets: Vec<PathBuf>,
    /// Judge this Region alone. May be given many times. Default: every Region found.
    #[arg(
        long = "region",
        env = "PALISADE_CHECK_REGION",
        value_delimiter = ',',
        value_name = "REGION",
        value_parser = Region::named
    )]
    pub regions: Vec<Region>,
    /// Claim no compliance of an account and Region of which the newest delivery tells of a moment that
    /// many hours ago; 0 is never. Default: of whatever age; the age is told in any case.
    #[arg(long, env = "PALISADE_STALE_AFTER", value_name = "HOURS")]
    pub stale_after: Option<u32>,
    /// Resource types that count as recorded whatever the files hold, or `all`: for inventory that
    /// comes without the recorder's item. Of such a type nothing found means that there is none. May
    /// be given many times.
    #[arg(long, env = "PALISADE_ASSUME_RECORDED", value_delimiter = ',', value_name = "TYPE|all")]
    pub assume_recorded: Vec<String>,
    /// Accounts judged at the same time. Default: one for each processor.
    #[arg(long, env = "PALISADE_THREADS", value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// Print every violator with its reason as well.
    #[arg(long, env = "PALISADE_VIOLATORS", value_parser = FalseyValueParser::new())]
    pub violators: bool,
    /// AWS Config files or folders of them, plain or gzip.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// A policy's id.
fn policy_id(text: &str) -> Result<PolicyId, String> {
    PolicyId::try_from(text.trim()).map_err(|error| error.to_string())
}

/// An address to listen on; the name of a host stands for its first address, of IPv4 if it has one.
fn listen(text: &str) -> Result<SocketAddr, String> {
    use std::net::ToSocketAddrs as _;
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let wrong = || "write HOST:PORT, such as `127.0.0.1:7780` or `localhost:7780`".to_owned();
    if text.rsplit_once(':').is_none_or(|(host, _)| host.is_empty()) {
        return Err(wrong());
    }
    let mut found: Vec<SocketAddr> =
        text.to_socket_addrs().map_err(|error| format!("{error}; {}", wrong()))?.collect();
    found.sort_by_key(|address| !address.is_ipv4());
    found.first().copied().ok_or_else(wrong)
}

/// The types of `--assume-recorded`.
///
/// # Errors
/// A word that changes nothing.
pub fn assumed(words: &[String]) -> Result<Assumed, Failure> {
    Assumed::parse(words.iter().map(|word| word.trim()))
        .map_err(|why| Failure::Usage(format!("--assume-recorded: {why}")))
}

/// `palisade ingest`
#[derive(Args, Debug)]
pub struct Ingest {
    /// Files or folders of them, plain or gzip.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade organization …`
#[derive(Debug, Subcommand)]
pub enum Organization {
    /// Create or replace the organization from a file.
    Apply(OrganizationApply),
}

/// `palisade organization apply`
#[derive(Args, Debug)]
pub struct OrganizationApply {
    /// What AWS Organizations' describe and list calls answer, in one JSON file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace it even by another organization, by one without a fifth of the accounts, or by one
    /// without the account of an additional administrator, whose policies are then deleted.
    #[arg(long, env = "PALISADE_CONFIRM", value_parser = FalseyValueParser::new())]
    pub confirm: bool,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade policies …`
#[derive(Debug, Subcommand)]
pub enum Policies {
    /// List the policies of a Region.
    List(PolicyList),
    /// Print a policy as JSON, as GetPolicy answers it.
    Get(PolicyGet),
    /// Create policies from files, or update those of the same name or id.
    Put(PolicyPut),
    /// Delete a policy.
    Delete(PolicyDelete),
}

/// `palisade policies list`
#[derive(Args, Debug)]
pub struct PolicyList {
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade policies get`
#[derive(Args, Debug)]
pub struct PolicyGet {
    /// Id or name.
    pub policy: String,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade policies put`
#[derive(Args, Debug)]
pub struct PolicyPut {
    /// PutPolicy requests or bare Policy objects, in JSON, or folders of them. One that carries no PolicyId
    /// takes the place of the policy of the same name in the Region, if there is one.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Create policies even beside others of the same name.
    #[arg(long, env = "PALISADE_POLICIES_NEW", value_parser = FalseyValueParser::new())]
    pub new: bool,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade policies delete`
#[derive(Args, Debug)]
pub struct PolicyDelete {
    /// Id or name.
    pub policy: String,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade audit`
#[derive(Args, Debug)]
pub struct Audit {
    /// Show what callers did that acted as this account.
    #[arg(long, env = "PALISADE_AUDIT_ACCOUNT")]
    pub account: Option<AccountId>,
    /// Show this operation, such as PutPolicy or DisableKey.
    #[arg(long, env = "PALISADE_AUDIT_OPERATION")]
    pub operation: Option<String>,
    /// Show what was done since then: a moment (RFC 3339), a day, or an age such as `7d`, `12h`, `30min`.
    #[arg(long, env = "PALISADE_AUDIT_SINCE", value_parser = moment, value_name = "WHEN")]
    pub since: Option<jiff::Timestamp>,
    /// Show what was done before then.
    #[arg(long, env = "PALISADE_AUDIT_UNTIL", value_parser = moment, value_name = "WHEN")]
    pub until: Option<jiff::Timestamp>,
    /// Show what was done to objects whose name (ARN, account, key id) holds this text.
    #[arg(long, env = "PALISADE_AUDIT_OBJECT", value_name = "TEXT")]
    pub object: Option<String>,
    /// How many events, the newest; 0 is all.
    #[arg(long, env = "PALISADE_AUDIT_LIMIT", default_value_t = 100, value_name = "N")]
    pub limit: usize,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade dashboard`
#[derive(Args, Debug)]
pub struct Dashboard {
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade doctor`
#[derive(Args, Debug)]
pub struct Doctor {
    /// A running server, to be told where its time goes. Default: the store alone is looked at.
    #[arg(long, env = "PALISADE_ENDPOINT", value_name = "URL")]
    pub endpoint: Option<String>,
    /// Certificates, in PEM, that the server's is checked with. Default: AWS_CA_BUNDLE, else the
    /// system's.
    #[arg(long, env = "PALISADE_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The store.
    #[arg(
        long,
        env = "PALISADE_STORE",
        default_value = "sqlite:palisade-data/palisade.db",
        value_parser = store(),
        value_name = STORE
    )]
    pub store: StoreAddress,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// End with 2 where something needs attention though the server is well: stale inventory, accounts that
    /// nothing is known of, little room on a disk, a clock that is off, access keys and a certificate that
    /// expire within 14 days, keys that nobody uses.
    #[arg(long, env = "PALISADE_STRICT", value_parser = FalseyValueParser::new())]
    pub strict: bool,
    /// Look through the whole store for damage: every page, table, index and row. Ends with 1 where
    /// there is some.
    #[arg(long, env = "PALISADE_VERIFY", value_parser = FalseyValueParser::new())]
    pub verify: bool,
    /// Go on with a store that was damaged while it was closed, as it is now: it is served again, and
    /// what is damaged may be answered. Put a copy in place instead if there is one.
    #[arg(long, env = "PALISADE_ACCEPT_DAMAGE", value_parser = FalseyValueParser::new(), conflicts_with_all = ["verify", "endpoint"])]
    pub accept_damage: bool,
}

/// `palisade completions`
#[derive(Args, Debug)]
pub struct Completions {
    /// Your shell.
    pub shell: clap_complete::Shell,
}

/// The command line as it is read. What variables hold is not shown in its help: it may be secret.
pub fn command() -> clap::Command {
    fn hidden(command: clap::Command) -> clap::Command {
        command.mut_args(|flag| flag.hide_env_values(true)).mut_subcommands(hidden)
    }
    hidden(<Cli as clap::CommandFactory>::command())
}

/// Reads a command line.
///
/// # Errors
/// It is wrong, or asks for help.
pub fn read<I: IntoIterator<Item: Into<OsString> + Clone>>(line: I) -> Result<Cli, clap::Error> {
    let mut command = command();
    let found = command.try_get_matches_from_mut(line)?;
    <Cli as clap::FromArgMatches>::from_arg_matches(&found)
        .map_err(|error| error.format(&mut command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_flag_has_its_variable() {
        use clap::CommandFactory;
        let command = Cli::command();
        command.clone().debug_assert();
        flags_have_variables(&command);
    }

    #[test]
    fn a_moment_is_said_as_people_say_it() {
        assert_eq!(moment("2026-02-03T04:05:06Z").unwrap().to_string(), "2026-02-03T04:05:06Z");
        assert_eq!(moment("2026-02-03").unwrap().to_string(), "2026-02-03T00:00:00Z");
        let hours = |text: &str| {
            let ago = jiff::Timestamp::now().duration_since(moment(text).unwrap());
            (ago.as_secs() + 1) / 3600
        };
        assert_eq!((hours("7d"), hours("12h"), hours("120min")), (168, 12, 2));
        for wrong in ["", "d", "7", "7 d", "7y", "yesterday", "99999999999999999d", "-7d"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_to_listen_on_may_be_named() {
        let local = listen("localhost:7780").unwrap();
        assert!(local.ip().is_loopback() && local.port() == 7780, "{local}");
        for wrong in ["localhost", ":7780", "7780", "localhost:x", "localhost:99999"] {
            assert!(listen(wrong).is_err(), "{wrong}");
        }
    }

    /// What a variable says counts for every command that reads it: it must mean the same there.
    #[test]
    fn a_variable_means_one_thing() {
        use clap::CommandFactory;
        use std::collections::BTreeMap;
        fn gather(command: &clap::Command, flags: &mut BTreeMap<String, BTreeMap<String, String>>) {
            for flag in command.get_arguments() {
                let Some(variable) = flag.get_env().and_then(|name| name.to_str()) else {
                    continue;
                };
                let long = flag.get_long().unwrap_or_default().to_owned();
                let commands = flags.entry(variable.to_owned()).or_default();
                commands.entry(long).or_default().push_str(command.get_name());
            }
            command.get_subcommands().for_each(|command| gather(command, flags));
        }
        let mut flags = BTreeMap::new();
        gather(&Cli::command(), &mut flags);
        for (variable, longs) in &flags {
            assert_eq!(longs.len(), 1, "{variable} is {longs:?}");
        }
        // A filter of one command is no filter of another.
        for (long, own) in
            [("region", "PALISADE_CHECK_REGION"), ("account", "PALISADE_AUDIT_ACCOUNT")]
        {
            let commands = flags.get(own).and_then(|longs| longs.get(long));
            assert!(
                commands.is_some_and(|commands| ["check", "audit"].contains(&commands.as_str()))
            );
        }
    }

    fn flags_have_variables(command: &clap::Command) {
        for flag in command.get_arguments().filter(|arg| arg.get_long().is_some()) {
            if matches!(flag.get_id().as_str(), "help" | "version") {
                continue;
            }
            let variable = flag.get_env().and_then(|name| name.to_str()).unwrap_or_default();
            assert!(variable.starts_with("PALISADE_"), "{} {flag}", command.get_name());
        }
        command.get_subcommands().for_each(flags_have_variables);
    }
}
