//! Who signs: fixed keys, whatever the environment offers, or a session as a role.

mod chain;
mod environment;
mod keys;
mod profile;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use environment::Kind;
use profile::{Base, Way};

use crate::error::CallError;
use crate::partition::Partition;
use crate::transport::NoAuthorities;

pub use environment::Environment;
pub use keys::Keys;
pub use profile::PROFILES_MAX;

/// How long before the end of a session a new one is asked for.
pub const REFRESH_BEFORE: Duration = Duration::from_secs(5 * 60);

/// How long keys without an end are kept until their source is asked again.
pub const ASK_AGAIN: Duration = Duration::from_secs(5 * 60);

/// How long a refusal of a session is repeated without asking again.
pub const REFUSED_FOR: Duration = Duration::from_secs(30);

/// The shortest and the longest session of a role, in seconds. One that was begun by a session of a role has an hour at most.
pub const SESSION_SECS: std::ops::RangeInclusive<u32> = 900..=43_200;

/// Where keys come from. Clones share what was found: one session, however many use it.
#[derive(Clone, Debug)]
pub struct Credentials(pub(crate) Arc<Source>);

#[derive(Debug)]
pub(crate) enum Source {
    Fixed(Keys),
    Environment { chain: Box<chain::Chain>, found: Mutex<Found> },
    Role { role: Role, found: Mutex<Found> },
}

/// What a source answered last.
#[derive(Debug, Default)]
pub(crate) enum Found {
    #[default]
    Nothing,
    Keys {
        keys: Keys,
        /// When, on the clock that only goes forward.
        at: Duration,
    },
    Refused {
        error: Box<CallError>,
        at: Duration,
    },
}

/// A role to act as.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its ARN.
    pub arn: Box<str>,
    /// The id that its trust policy asks for.
    pub external_id: Option<ExternalId>,
    /// The session's name, which CloudTrail shows: 2 to 64 letters, digits or `=,.@-_+`.
    pub session_name: Box<str>,
    /// How long a session lasts, in seconds, within [`SESSION_SECS`].
    pub session_secs: u32,
    /// A policy that narrows the session; none leaves it as wide as the role.
    pub session_policy: Option<Box<str>>,
    /// The Region whose STS is asked.
    pub sts_region: Box<str>,
    /// Who may act as it.
    pub of: Credentials,
}

/// An ExternalId. It is not printed.
#[derive(Clone)]
pub struct ExternalId(pub Box<str>);

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalId(…)")
    }
}

/// The environment cannot be asked for credentials.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoEnvironment {
    /// TLS cannot be set up.
    #[error(transparent)]
    Authorities(#[from] NoAuthorities),
    /// The profile says what cannot be done.
    #[error("{0}")]
    Profile(String),
    /// The role of the profile cannot be asked for.
    #[error("the role of the profile: {0}")]
    Role(#[from] InvalidRole),
}

/// A role that cannot be asked for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidRole {
    /// No ARN of a role.
    #[error("`{0}` is no ARN of a role: `arn:aws:iam::111122223333:role/NAME`")]
    Arn(Box<str>),
    /// No name of a session.
    #[error("`{0}` is no session name: 2 to 64 letters, digits or `=,.@-_+`")]
    SessionName(Box<str>),
    /// A session shorter or longer than AWS gives.
    #[error("a session of {0} s: at least {min} and at most {max}", min = SESSION_SECS.start(), max = SESSION_SECS.end())]
    SessionSecs(u32),
    /// An ExternalId that AWS does not take.
    #[error("an ExternalId has 2 to 1,224 letters, digits or `=,.@:/-_+`")]
    ExternalId,
}

impl Credentials {
    /// Keys that do not change.
    pub fn fixed(keys: Keys) -> Self {
        Self(Arc::new(Source::Fixed(keys)))
    }

    /// Whatever an environment offers first: its variables, the profile's keys, the profile's single sign-on, a web
    /// identity, the profile's process, a container's role, an instance's role. A profile that names a role is that
    /// role. A source that is set up and fails ends the search, since the next would be somebody else; so does a profile
    /// that `AWS_PROFILE` names. The profile's files are read here for what they name, and again for their keys.
    ///
    /// # Errors
    /// Where TLS cannot be set up, and for a profile that cannot be followed.
    pub fn of_environment(environment: &Environment) -> Result<Self, NoEnvironment> {
        let named = profile::named(environment);
        let has_keys =
            environment.variables.get("AWS_ACCESS_KEY_ID").is_some_and(|id| !id.is_empty());
        if has_keys {
            return Self::chain(environment, &[Kind::Variables], None, Way::Plain);
        }
        Self::of_profile(environment, named.as_deref(), 1)
    }

    fn of_profile(
        environment: &Environment,
        name: Option<&str>,
        depth: usize,
    ) -> Result<Self, NoEnvironment> {
        if depth > PROFILES_MAX {
            let message = format!("more than {PROFILES_MAX} profiles are the source of each other");
            return Err(NoEnvironment::Profile(message));
        }
        let kinds = if name.is_some() { Kind::OF_PROFILE } else { Kind::ALL };
        let role = match profile::way(environment, name).map_err(NoEnvironment::Profile)? {
            Way::Role(role) => *role,
            way => return Self::chain(environment, kinds, name, way),
        };
        let of = match &role.base {
            // A profile may be its own source: its keys act as its role.
            Base::Profile(source) if Some(source.as_str()) == name => {
                Self::chain(environment, Kind::OF_PROFILE, name, Way::Plain)?
            }
            Base::Profile(source) => {
                Self::of_profile(environment, Some(source), depth.saturating_add(1))?
            }
            Base::Source(kind) => Self::chain(environment, kind.alone(), None, Way::Plain)?,
        };
        let secs = match role.session_secs.as_deref().map(str::parse) {
            None => 3600,
            Some(Ok(secs)) => secs,
            Some(Err(_)) => {
                return Err(NoEnvironment::Profile("`duration_seconds` is no number".to_owned()));
            }
        };
        let variable =
            |name: &str| environment.variables.get(name).filter(|value| !value.is_empty()).cloned();
        let region =
            variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).or(role.region);
        let region =
            region.unwrap_or_else(|| Partition::of_arn(&role.arn).global_region.to_owned());
        Ok(Self::role(Role {
            arn: role.arn.into(),
            external_id: role.external_id.map(|id| ExternalId(id.into())),
            session_name: role.session_name.map_or_else(|| "palisade".into(), Into::into),
            session_secs: secs,
            session_policy: None,
            sts_region: region.into(),
            of,
        })?)
    }

    fn chain(
        environment: &Environment,
        kinds: &'static [Kind],
        profile: Option<&str>,
        way: Way,
    ) -> Result<Self, NoEnvironment> {
        let chain = chain::Chain::new(environment, kinds, profile, way)?;
        Ok(Self(Arc::new(Source::Environment { chain: Box::new(chain), found: Mutex::default() })))
    }

    /// Sessions as a role.
    ///
    /// # Errors
    /// For a role, a session's name or length, or an ExternalId that AWS would refuse.
    pub fn role(role: Role) -> Result<Self, InvalidRole> {
        let named = |text: &str, more: &str| {
            text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if account_of_role(&role.arn).is_none() {
            return Err(InvalidRole::Arn(role.arn));
        }
        if !(2..=64).contains(&role.session_name.len()) || !named(&role.session_name, "=,.@-_+") {
            return Err(InvalidRole::SessionName(role.session_name));
        }
        if !SESSION_SECS.contains(&role.session_secs) {
            return Err(InvalidRole::SessionSecs(role.session_secs));
        }
        if let Some(ExternalId(id)) = &role.external_id
            && (!(2..=1224).contains(&id.len()) || !named(id, "=,.@:/-_+"))
        {
            return Err(InvalidRole::ExternalId);
        }
        Ok(Self(Arc::new(Source::Role { role, found: Mutex::default() })))
    }
}

impl Credentials {
    /// The account of those who sign, as far as a role tells it.
    pub(crate) fn account(&self) -> &str {
        match &*self.0 {
            Source::Role { role, .. } => account_of_role(&role.arn).unwrap_or(OWN_ACCOUNT),
            Source::Fixed(_) | Source::Environment { .. } => OWN_ACCOUNT,
        }
    }
}

/// In place of the account of keys that do not tell theirs.
const OWN_ACCOUNT: &str = "own";

/// The account of a role's ARN.
pub fn account_of_role(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [arn, partition, "iam", "", account, resource] = parts[..] else { return None };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_role = resource.strip_prefix("role/").is_some_and(|name| !name.is_empty());
    (arn == "arn" && partition.starts_with("aws") && is_account && is_role).then_some(account)
}

impl Found {
    /// What is still good at a moment: keys, or a refusal that need not be heard again.
    pub fn good(&self, wall_ms: i64, elapsed: Duration) -> Option<Result<Keys, CallError>> {
        match self {
            Self::Nothing => None,
            Self::Keys { keys, at } => {
                let is_fresh = match keys.expires_ms {
                    Some(end) => lasts(end, wall_ms, REFRESH_BEFORE),
                    None => elapsed.saturating_sub(*at) < ASK_AGAIN,
                };
                is_fresh.then(|| Ok(keys.clone()))
            }
            Self::Refused { error, at } => {
                (elapsed.saturating_sub(*at) < REFUSED_FOR).then(|| Err((**error).clone()))
            }
        }
    }

    /// Keys that should be replaced and still serve.
    pub fn usable(&self, wall_ms: i64) -> Option<Keys> {
        match self {
            Self::Keys { keys, .. }
                if keys.expires_ms.is_some_and(|end| lasts(end, wall_ms, Duration::ZERO)) =>
            {
                Some(keys.clone())
            }
            Self::Keys { .. } | Self::Nothing | Self::Refused { .. } => None,
        }
    }
}

fn lasts(end_ms: i64, now_ms: i64, more: Duration) -> bool {
    let more = i64::try_from(more.as_millis()).unwrap_or(i64::MAX);
    end_ms > now_ms.saturating_add(more)
}

impl Source {
    /// Forgets keys that AWS called expired, unless others were found meanwhile.
    pub async fn forget(&self, keys: &Keys) {
        let found = match self {
            Self::Fixed(_) => return,
            Self::Environment { found, .. } | Self::Role { found, .. } => found,
        };
        let mut found = found.lock().await;
        if let Found::Keys { keys: held, .. } = &*found
            && held.access_key_id == keys.access_key_id
        {
            *found = Found::Nothing;
        }
    }
}

#[cfg(test)]
mod tests;
