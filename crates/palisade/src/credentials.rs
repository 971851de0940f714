//! Keys and Region of client commands, found where AWS's own tools find them: environment
//! variables, then profiles in `~/.aws/credentials` and `~/.aws/config`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use palisade_wire::sigv4::Secret;

use crate::failure::Failure;

/// An access key as a client holds it.
#[derive(Clone)]
pub struct AccessKey {
    /// Access key id.
    pub id: String,
    /// Secret access key.
    pub secret: Secret,
    /// Session token of a temporary key.
    pub session_token: Option<Secret>,
}

/// What the surroundings say.
#[derive(Clone, Default)]
pub struct Found {
    /// The key to sign with; `None` when there is none anywhere.
    pub key: Option<AccessKey>,
    /// The Region to ask.
    pub region: Option<String>,
}

/// Looks in the process's environment and the user's files.
///
/// # Errors
/// A profile that was asked for and is not there, and a file that cannot be read.
pub fn find(profile: Option<&str>) -> Result<Found, Failure> {
    look(profile, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn look(
    profile: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Found, Failure> {
    let asked = profile.map(str::to_owned).or_else(|| variable("AWS_PROFILE"));
    let name = asked.clone().unwrap_or_else(|| "default".to_owned());
    let keys = file("AWS_SHARED_CREDENTIALS_FILE", "credentials", &variable)?;
    let settings = file("AWS_CONFIG_FILE", "config", &variable)?;
    let mut section: Settings = settings.get(&name).cloned().unwrap_or_default();
    section.extend(keys.get(&name).cloned().unwrap_or_default());
    if asked.is_some() && section.is_empty() {
        return Err(Failure::Usage(format!(
            "there is no profile `{name}` in the AWS credentials and config files"
        )));
    }
    let region = variable("AWS_REGION")
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .or_else(|| section.get("region").cloned());
    // A profile asked for by name wins over keys in the environment, as in AWS's tools.
    let by_variable = key(|part| variable(&part.to_uppercase()));
    let by_profile = key(|part| section.get(part).cloned());
    let key = if profile.is_some() { by_profile } else { by_variable.or(by_profile) };
    Ok(Found { key, region })
}

fn key(part: impl Fn(&str) -> Option<String>) -> Option<AccessKey> {
    Some(AccessKey {
        id: part("aws_access_key_id")?,
        secret: Secret::new(part("aws_secret_access_key")?),
        session_token: part("aws_session_token").map(Secret::new),
    })
}

type Settings = BTreeMap<String, String>;

/// The sections of one of AWS's files; none when the file is not there.
fn file(
    place: &str,
    name: &str,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, Settings>, Failure> {
    let home = variable("HOME").or_else(|| variable("USERPROFILE")).unwrap_or_default();
    let usual = PathBuf::from(home).join(".aws").join(name);
    let path = variable(place).map_or(usual, PathBuf::from);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(sections(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(crate::failure::unreadable(&path, error)),
    }
}

/// Sections of an ini file: `[name]`, or `[profile name]` as the config file has it. Indented lines
/// are nested settings of others' interest.
fn sections(text: &str) -> BTreeMap<String, Settings> {
    let mut sections: BTreeMap<String, Settings> = BTreeMap::new();
    let mut current = None;
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t'])) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = name.trim();
            current = Some(name.strip_prefix("profile ").unwrap_or(name).trim().to_owned());
        } else if line.starts_with(['#', ';']) {
        } else if let (Some(name), Some((setting, value))) = (&current, line.split_once('=')) {
            sections
                .entry(name.clone())
                .or_default()
                .insert(setting.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(profile: Option<&str>, environment: &[(&str, &str)]) -> Result<Found, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let (keys, settings) = (folder.path().join("keys"), folder.path().join("settings"));
        std::fs::write(&keys, "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key=s\n\n# x\n[work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=a=b\naws_session_token=t\n").unwrap();
        std::fs::write(&settings, "[default]\nregion=eu-west-1\n[profile work]\nregion = eu-north-1\ns3 =\n  region = xx\n").unwrap();
        let mut all: BTreeMap<&str, String> =
            environment.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        all.insert("AWS_SHARED_CREDENTIALS_FILE", keys.display().to_string());
        all.insert("AWS_CONFIG_FILE", settings.display().to_string());
        look(profile, |name| all.get(name).cloned())
    }

    /// Profile asked for, environment, access key id and Region found.
    type Case<'a> = (Option<&'a str>, &'a [(&'a str, &'a str)], &'a str, &'a str);

    #[test]
    fn keys_and_region_are_found_where_the_aws_tools_find_them() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let cases: [Case<'_>; 6] = [
            (None, &[], "AKIADEFAULT", "eu-west-1"),
            (Some("work"), &[], "AKIAWORK", "eu-north-1"),
            (None, &[("AWS_PROFILE", "work")], "AKIAWORK", "eu-north-1"),
            (None, &keys, "AKIAENV", "eu-west-1"),
            (Some("work"), &keys, "AKIAWORK", "eu-north-1"),
            (
                None,
                &[("AWS_REGION", "us-east-2"), ("AWS_DEFAULT_REGION", "x")],
                "AKIADEFAULT",
                "us-east-2",
            ),
        ];
        for (profile, environment, id, region) in cases {
            let found = found(profile, environment).unwrap();
            assert_eq!(found.key.unwrap().id, id, "{profile:?} {environment:?}");
            assert_eq!(found.region.as_deref(), Some(region), "{profile:?} {environment:?}");
        }
        let work = found(Some("work"), &[]).unwrap().key.unwrap();
        assert!(work.secret.is("a=b") && work.session_token.unwrap().is("t"));
    }

    #[test]
    fn a_profile_that_is_not_there_is_said() {
        let failure = found(Some("absent"), &[]).err().unwrap();
        assert_eq!(
            failure.to_string(),
            "there is no profile `absent` in the AWS credentials and config files"
        );
    }
}
