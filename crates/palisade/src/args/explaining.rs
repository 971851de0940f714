//! What is asked of a server beyond its ledger: why a resource stands as it does, what a draft would find.

use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use palisade_core::ident::Region;

use super::output::Output;
use super::place::Server;

/// `palisade explain`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 it was told. The resource is judged anew, by what the server holds now."
)]
pub struct Explain {
    /// Id or name of the policy.
    pub policy: String,
    /// The member account, by id or name.
    pub account: String,
    /// The resource, by the id that AWS Config uses for it, or by its name.
    pub resource: String,
    /// Its type, such as AWS::EC2::SecurityGroup, where several resources have that id or name.
    #[arg(long = "type", env = "PALISADE_EXPLAIN_TYPE", value_name = "TYPE")]
    pub resource_type: Option<String>,
    /// Its Region, where that is another than the policy's.
    #[arg(
        long = "in",
        env = "PALISADE_EXPLAIN_IN",
        value_name = "REGION",
        value_parser = Region::named
    )]
    pub of_region: Option<Region>,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade preview`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 nothing would change, 2 something would, 74 some inventory could not be \
read. Nothing is written."
)]
pub struct Preview {
    /// PutPolicy requests or bare Policy objects, in JSON, an organization file, or folders of these.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Look at policies as new ones, even beside others of the same name. Default: one without PolicyId is held
    /// against the one of its name in the Region, as `policies put` would put it.
    #[arg(long, env = "PALISADE_POLICIES_NEW", value_parser = FalseyValueParser::new())]
    pub new: bool,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: Server,
}
