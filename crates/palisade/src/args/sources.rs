//! Commands about what Palisade reads by itself.

use super::*;

/// `palisade config …`
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Read a configuration file and tell everything that is wrong with it, each with its place.
    #[command(name = "check")]
    File(ConfigCheck),
}

/// `palisade config check`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 the file is right, 2 it is right and something that it refers to is \
not there (a variable, a file), 64 it is wrong, 74 it could not be read."
)]
pub struct ConfigCheck {
    /// The file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `palisade collect`
#[derive(Args, Debug)]
#[command(
    after_help = "Keys come from the AWS environment variables and profiles. Exit status: 0 everything was \
listed, 2 something could not be (the files tell what, and `palisade check` claims no compliance of it), 1 \
nothing could be, 64 wrong usage, 74 a file could not be written."
)]
pub struct Collect {
    /// Name of the role in each account to read it as. Without one the account of the keys alone is read,
    /// which in any case is read with these keys.
    #[arg(long, env = "PALISADE_COLLECT_ROLE", value_name = "NAME")]
    pub role: Option<String>,
    /// The ExternalId that the role asks for, or where it is kept: env:NAME, file:PATH.
    #[arg(long, env = "PALISADE_EXTERNAL_ID", value_name = "ID")]
    pub external_id: Option<String>,
    /// ARN of a role to read the organization as. Default: the keys themselves.
    #[arg(long, env = "PALISADE_ORGANIZATION_ROLE", value_name = "ARN")]
    pub organization_role: Option<String>,
    /// Read this account alone. May be given many times. Default: with --role all of the organization.
    #[arg(
        long = "account",
        env = "PALISADE_COLLECT_ACCOUNT",
        value_delimiter = ',',
        value_name = "ACCOUNT"
    )]
    pub accounts: Vec<AccountId>,
    /// Read this Region. May be given many times. Default: those that an account has enabled.
    #[arg(
        long = "region",
        env = "PALISADE_COLLECT_REGION",
        value_delimiter = ',',
        value_name = "REGION",
        value_parser = Region::named
    )]
    pub regions: Vec<Region>,
    /// How many accounts and Regions are read at the same time.
    #[arg(long, env = "PALISADE_AT_ONCE", default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub at_once: u16,
    /// Folder for `organization.json` and, in its folder `inventory`, a file for each account and Region.
    #[arg(long, env = "PALISADE_OUT", value_name = "DIR")]
    pub out: PathBuf,
}

/// `palisade sources`
#[derive(Args, Debug)]
pub struct Sources {
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade aws …`
#[derive(Debug, Subcommand)]
pub enum Aws {
    /// Print what is to be allowed at AWS.
    #[command(subcommand)]
    Policy(AwsPolicy),
    /// Try every call that reads one account in a Region, and tell which permissions are missing.
    #[command(name = "doctor")]
    Try(AwsDoctor),
    /// Print the CloudFormation template of the role that is read as in each account, for a StackSet.
    Template(AwsTemplate),
}

/// `palisade aws policy …`
#[derive(Debug, Subcommand)]
pub enum AwsPolicy {
    /// The IAM policy of the role that reads: exactly the calls that are made.
    Read,
    /// The IAM policy of whoever runs Palisade: to act as that role, to read the organization, buckets and queues.
    Run(AwsPolicyRun),
}

/// `palisade aws policy run`
#[derive(Args, Debug)]
pub struct AwsPolicyRun {
    /// Name of the role that reads.
    #[arg(
        long,
        env = "PALISADE_COLLECT_ROLE",
        default_value = "PalisadeReadOnly",
        value_name = "NAME"
    )]
    pub role: String,
}

/// `palisade aws doctor`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 every call was answered, 2 some were not, 1 none was, 64 wrong usage."
)]
pub struct AwsDoctor {
    /// The account. Default: that of the keys, which is read with them.
    #[arg(long, env = "PALISADE_COLLECT_ACCOUNT", value_name = "ACCOUNT")]
    pub account: Option<AccountId>,
    /// The Region. Default: AWS_REGION, AWS_DEFAULT_REGION, else us-east-1.
    #[arg(long, env = "PALISADE_COLLECT_REGION", value_name = "REGION", value_parser = Region::named)]
    pub region: Option<Region>,
    /// Name of the role to read the account as.
    #[arg(long, env = "PALISADE_COLLECT_ROLE", value_name = "NAME")]
    pub role: Option<String>,
    /// The ExternalId that the role asks for, or where it is kept: env:NAME, file:PATH.
    #[arg(long, env = "PALISADE_EXTERNAL_ID", value_name = "ID")]
    pub external_id: Option<String>,
}

/// `palisade aws template`
#[derive(Args, Debug)]
pub struct AwsTemplate {
    /// ARN of whom Palisade runs as.
    #[arg(long, env = "PALISADE_PRINCIPAL", value_name = "ARN")]
    pub principal: String,
    /// The ExternalId that the role asks for.
    #[arg(long, env = "PALISADE_EXTERNAL_ID", value_name = "ID")]
    pub external_id: String,
    /// Id of the organization, `o-…`: nobody else may act as the role.
    #[arg(long, env = "PALISADE_ORGANIZATION_ID", value_name = "ID")]
    pub organization_id: String,
    /// Name of the role.
    #[arg(
        long,
        env = "PALISADE_COLLECT_ROLE",
        default_value = "PalisadeReadOnly",
        value_name = "NAME"
    )]
    pub role: String,
}
