//! `palisade serve`.

use palisade_store::sqlite::Synchronous;

use super::*;
use crate::worker::STALE_AFTER_HOURS;

/// Who is believed to be calling.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum AuthMode {
    /// Calls are signed with keys of the store (`palisade keys create`).
    Sigv4,
    /// Anybody may do anything: for development on your own machine.
    Open,
}

/// Who sees to it that a commit is on disk before it is acknowledged.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum SyncMode {
    /// One sync of the log for all commits that wait, and a thread that moves it into the store.
    Grouped,
    /// SQLite, commit by commit.
    Full,
}

impl From<SyncMode> for Synchronous {
    fn from(mode: SyncMode) -> Synchronous {
        match mode {
            SyncMode::Grouped => Synchronous::Grouped,
            SyncMode::Full => Synchronous::Full,
        }
    }
}

/// What a node does of a store that many nodes serve.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Role {
    /// Answers calls and judges.
    All,
    /// Answers calls, and leaves judging to others.
    Api,
    /// Judges, and answers probes alone.
    Work,
}

/// `palisade serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// The store; it is made when it is not there. Many nodes may serve one in PostgreSQL (15 or newer): the
    /// URL may name several hosts, and what it leaves out comes from the PG… variables. `memory` keeps
    /// nothing, and wants `--auth open`.
    #[arg(
        long,
        env = "PALISADE_STORE",
        default_value = "sqlite:palisade-data/palisade.db",
        value_parser = store(),
        value_name = STORE
    )]
    pub store: StoreAddress,
    /// What the server reads by itself: the organization and its inventory. Without it the server waits for
    /// what is sent to it.
    #[arg(long, env = "PALISADE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Make an empty store though a sealing key or a log of one is left where it would be.
    #[arg(long, env = "PALISADE_NEW", value_parser = FalseyValueParser::new())]
    pub new: bool,
    /// What this node does of a store in PostgreSQL that others serve as well.
    #[arg(long, env = "PALISADE_ROLE", default_value = "all")]
    pub role: Role,
    /// Folder in which long deliveries wait while they come in. Default: PATH.spool beside a store in a file,
    /// else a new one among the system's temporary files.
    #[arg(long, env = "PALISADE_SPOOL", value_name = "DIR")]
    pub spool: Option<PathBuf>,
    /// Who sees to it that a commit is on disk before it is acknowledged. Both keep what was
    /// acknowledged through power loss; grouped takes more writes a second. PostgreSQL's own settings count for
    /// a store there.
    #[arg(long, env = "PALISADE_SYNCHRONOUS", default_value = "grouped")]
    pub synchronous: SyncMode,
    /// Address to listen on.
    #[arg(long, env = "PALISADE_LISTEN", default_value = LISTEN, value_parser = listen, value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Who is believed to be calling.
    #[arg(long, env = "PALISADE_AUTH", default_value = "sigv4")]
    pub auth: AuthMode,
    /// Allow `--auth open` on an address that other machines reach, and under any name of the host.
    #[arg(long, env = "PALISADE_I_KNOW_THIS_IS_OPEN", value_parser = FalseyValueParser::new())]
    pub i_know_this_is_open: bool,
    /// Certificate chain in PEM, for TLS; read again when it changes.
    #[arg(long, env = "PALISADE_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    #[arg(long, env = "PALISADE_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Allow an address that other machines reach without TLS here: something in front speaks it.
    #[arg(long, env = "PALISADE_BEHIND_PROXY", value_parser = FalseyValueParser::new())]
    pub behind_proxy: bool,
    /// Largest difference between a caller's clock and ours, in seconds, up to 900.
    #[arg(long, env = "PALISADE_CLOCK_WINDOW", default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=900))]
    pub clock_window: u32,
    /// Inventory counts as stale when what its newest delivery says is this many hours old: the moment
    /// of a snapshot, the newest capture time of anything else. 0 is never.
    #[arg(long, env = "PALISADE_STALE_AFTER", default_value_t = STALE_AFTER_HOURS, value_name = "HOURS")]
    pub stale_after: u32,
    /// A SECURITY_GROUPS_COMMON policy that is or was in force elsewhere, by its id, such as one of
    /// AWS's own Firewall Manager beside this server: groups named FMManagedSecurityGroup with its id
    /// are Firewall Manager's own and not audited. Policies of this server, deleted ones too, are known
    /// by themselves. May be given many times.
    #[arg(
        long = "fms-policy",
        env = "PALISADE_FMS_POLICY",
        value_delimiter = ',',
        value_name = "ID",
        value_parser = policy_id
    )]
    pub fms_policies: Vec<PolicyId>,
    /// Resource types that count as recorded whatever was delivered, or `all`: for inventory that
    /// comes without the recorder's item. Of such a type nothing held means that there is none. May
    /// be given many times.
    #[arg(long, env = "PALISADE_ASSUME_RECORDED", value_delimiter = ',', value_name = "TYPE|all")]
    pub assume_recorded: Vec<String>,
    /// How many days of history are kept; 0 is for ever.
    #[arg(long, env = "PALISADE_KEEP_HISTORY", default_value_t = 400, value_name = "DAYS")]
    pub keep_history: u32,
    /// How many days of the audit log are kept; 0 is for ever.
    #[arg(long, env = "PALISADE_KEEP_AUDIT", default_value_t = 400, value_name = "DAYS")]
    pub keep_audit: u32,
    /// File of the key under which secrets of access keys are sealed; PALISADE_KEY may hold the key
    /// itself instead. Default: the store's own, PATH.key, made when nothing is sealed yet. A store in
    /// PostgreSQL has none: all its nodes are given the same key.
    #[arg(long, env = "PALISADE_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// The partition that the organization is in: it is named in ARNs, and its home Region takes the
    /// operations on administrators.
    #[arg(long, env = "PALISADE_PARTITION", default_value = "aws", value_name = "PARTITION", value_parser = ["aws", "aws-cn", "aws-us-gov", "aws-eusc"])]
    pub partition: String,
    /// Calls a second that each access key may make in the long run; 0 is as many as it likes.
    #[arg(long, env = "PALISADE_RATE", default_value_t = 0, value_name = "CALLS")]
    pub rate: u32,
    /// Calls at once that each access key may make after a pause, with --rate. Default: twice the
    /// rate.
    #[arg(long, env = "PALISADE_BURST", value_name = "CALLS")]
    pub burst: Option<std::num::NonZeroU32>,
    /// Apply AWS's quotas on counts of accounts as well.
    #[arg(long, env = "PALISADE_AWS_QUOTAS", value_parser = FalseyValueParser::new())]
    pub aws_quotas: bool,
    /// Set a quota, such as `policies=100`. May be given many times. The names: policies,
    /// units-in-scope, accounts-named, accounts-in-scope, accounts, scope-tags, administrators,
    /// resource-sets, resources-per-set, resource-sets-per-policy, rule-groups, partner-rule-groups,
    /// classic-rule-groups, primary-groups, audit-groups, lists-per-option, apps-lists,
    /// apps-per-list, protocols-lists, protocols-per-list, network-acl-entries, firewall-cidrs,
    /// firewall-rule-groups, dns-rule-groups, object-tags.
    #[arg(
        long = "quota",
        env = "PALISADE_QUOTA",
        value_delimiter = ',',
        value_name = "NAME=MAX",
        value_parser = quota
    )]
    pub quotas: Vec<(String, u32)>,
    /// How long onboarding and offboarding an administrator is to be seen (RoleStatus CREATING and
    /// DELETING, status ONBOARDING), in seconds.
    #[arg(long, env = "PALISADE_ONBOARDING", default_value_t = 0, value_name = "SECONDS")]
    pub onboarding: u32,
}

/// A quota's name and number, as `policies=100`.
fn quota(text: &str) -> Result<(String, u32), String> {
    let (name, max) = text.split_once('=').ok_or("give NAME=MAX, such as `policies=100`")?;
    let name = name.trim();
    if !Quotas::names().any(|known| known == name) {
        let names: Vec<&str> = Quotas::names().collect();
        return Err(format!("there is no quota `{name}`; the quotas are {}", names.join(", ")));
    }
    let max = max.trim();
    match max.parse() {
        Ok(max) => Ok((name.to_owned(), max)),
        Err(_) => {
            Err(format!("quota `{name}` must be a whole number up to {}, not `{max}`", u32::MAX))
        }
    }
}
