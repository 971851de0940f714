//! What a profile of `~/.aws/config` says beyond keys of its own: a role to act as, a single sign-on session, a web
//! identity. Read once, when the program begins.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::environment::{Environment, Kind};

/// Profiles that name each other as their source, at most.
pub const PROFILES_MAX: usize = 5;

/// The profile of whoever names none.
const DEFAULT: &str = "default";

/// How a profile comes to its keys.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Way {
    /// By keys, a process or a start URL in the profile itself, which `reqsign-aws-core` reads.
    #[default]
    Plain,
    /// By the token of a session of single sign-on.
    SignOn { session: String, region: String, account: String, role: String },
    /// By a token in a file.
    WebIdentity { arn: String, file: PathBuf, session_name: Option<String> },
    /// As a role.
    Role(Box<RoleOfProfile>),
}

/// A role that a profile names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RoleOfProfile {
    pub arn: String,
    pub external_id: Option<String>,
    pub session_name: Option<String>,
    pub session_secs: Option<String>,
    pub region: Option<String>,
    pub base: Base,
}

/// Who acts as the role of a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Base {
    Profile(String),
    Source(Kind),
}

type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// The profile that the environment names.
pub(super) fn named(environment: &Environment) -> Option<String> {
    environment.variables.get("AWS_PROFILE").filter(|name| !name.is_empty()).cloned()
}

/// How a profile comes to its keys.
///
/// # Errors
/// What is missing or cannot be done.
pub(super) fn way(environment: &Environment, profile: Option<&str>) -> Result<Way, String> {
    let config = read(environment, "AWS_CONFIG_FILE", ".aws/config")?;
    let credentials = read(environment, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")?;
    let name = profile.unwrap_or(DEFAULT);
    let section = if name == DEFAULT { DEFAULT.to_owned() } else { format!("profile {name}") };
    let found = [config.get(&section), credentials.get(name)];
    if profile.is_some() && found == [None, None] {
        return Err(format!("the profile `{name}` is not in the configuration"));
    }
    let value =
        |key: &str| found.into_iter().flatten().find_map(|section| section.get(key)).cloned();
    let needed =
        |key: &str| value(key).ok_or_else(|| format!("the profile `{name}` has no `{key}`"));
    if let Some(arn) = value("role_arn") {
        if let Some(file) = value("web_identity_token_file") {
            return Ok(Way::WebIdentity {
                arn,
                file: file.into(),
                session_name: value("role_session_name"),
            });
        }
        if value("mfa_serial").is_some() {
            return Err(format!(
                "the profile `{name}` asks for a code of a device (`mfa_serial`), which nobody can type"
            ));
        }
        let base = match (value("source_profile"), value("credential_source").as_deref()) {
            (Some(source), None) => Base::Profile(source),
            (None, Some("Environment")) => Base::Source(Kind::Variables),
            (None, Some("EcsContainer")) => Base::Source(Kind::Container),
            (None, Some("Ec2InstanceMetadata")) => Base::Source(Kind::Instance),
            (None, Some(other)) => {
                return Err(format!(
                    "the profile `{name}` has the unknown `credential_source` `{other}`"
                ));
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(format!(
                    "the profile `{name}` needs `source_profile` or `credential_source`, and one of them"
                ));
            }
        };
        return Ok(Way::Role(Box::new(RoleOfProfile {
            arn,
            external_id: value("external_id"),
            session_name: value("role_session_name"),
            session_secs: value("duration_seconds"),
            region: value("region"),
            base,
        })));
    }
    if let Some(session) = value("sso_session") {
        let section = config.get(&format!("sso-session {session}"));
        let region = section.and_then(|section| section.get("sso_region")).cloned();
        let region =
            region.ok_or_else(|| format!("`[sso-session {session}]` has no `sso_region`"))?;
        let (account, role) = (needed("sso_account_id")?, needed("sso_role_name")?);
        return Ok(Way::SignOn { session, region, account, role });
    }
    Ok(Way::Plain)
}

/// The sections of a file; none where there is no file.
fn read(environment: &Environment, variable: &str, usual: &str) -> Result<Sections, String> {
    let path = match environment.variables.get(variable).filter(|path| !path.is_empty()) {
        Some(path) => match (path.strip_prefix("~/"), &environment.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => path.into(),
        },
        None => match &environment.home {
            Some(home) => home.join(usual),
            None => return Ok(Sections::new()),
        },
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(sections(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Sections::new()),
        Err(error) => Err(format!("`{}`: {error}", path.display())),
    }
}

/// Sections and their values. Indented lines belong to the value before them and are none of ours.
fn sections(text: &str) -> Sections {
    let mut found = Sections::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t', '#', ';'])) {
        if let Some(name) =
            line.trim_end().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
        {
            current = name.split_whitespace().collect::<Vec<_>>().join(" ");
            found.entry(current.clone()).or_default();
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.split(" #").next().unwrap_or_default().trim();
            found
                .entry(current.clone())
                .or_default()
                .insert(key.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests;
