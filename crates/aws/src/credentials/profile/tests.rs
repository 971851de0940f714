use std::collections::HashMap;

use tokio_rustls::rustls::RootCertStore;

use super::*;

const CONFIG: &str = "\
[default]
region = eu-west-1
s3 =
  role_arn = arn:aws:iam::000000000000:role/NotThis

[profile  ops]
role_arn = arn:aws:iam::111122223333:role/Reader # of ours
source_profile = base
external_id = id-1
Role_Session_Name = from-profile
duration_seconds = 1800
region = eu-central-1

[profile instance]
role_arn = arn:aws:iam::111122223333:role/Reader
credential_source = Ec2InstanceMetadata

[profile pod]
role_arn = arn:aws:iam::111122223333:role/Reader
web_identity_token_file = /var/run/token

[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Reader

[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start

[profile lost]
sso_session = nowhere
[profile mfa]
role_arn = arn:aws:iam::111122223333:role/Reader
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/me
[profile both]
role_arn = arn:aws:iam::111122223333:role/Reader
source_profile = base
credential_source = Environment
[profile none]
role_arn = arn:aws:iam::111122223333:role/Reader
[profile odd]
role_arn = arn:aws:iam::111122223333:role/Reader
credential_source = Memory
";

fn environment() -> (tempfile::TempDir, Environment) {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/config"), CONFIG).unwrap();
    std::fs::write(home.path().join(".aws/credentials"), "[base]\naws_access_key_id = A\n")
        .unwrap();
    let environment = Environment {
        variables: HashMap::new(),
        home: Some(home.path().to_owned()),
        roots: RootCertStore::empty(),
    };
    (home, environment)
}

#[test]
fn a_profile_says_how_it_comes_to_its_keys() {
    let (_home, environment) = environment();
    let of = |name: &str| way(&environment, Some(name));
    assert_eq!(way(&environment, None), Ok(Way::Plain), "an indented value is not the profile's");
    assert_eq!(of("base"), Ok(Way::Plain), "a profile may be in the file of credentials alone");
    assert_eq!(
        of("ops"),
        Ok(Way::Role(Box::new(RoleOfProfile {
            arn: "arn:aws:iam::111122223333:role/Reader".to_owned(),
            external_id: Some("id-1".to_owned()),
            session_name: Some("from-profile".to_owned()),
            session_secs: Some("1800".to_owned()),
            region: Some("eu-central-1".to_owned()),
            base: Base::Profile("base".to_owned()),
        })))
    );
    assert!(
        matches!(of("instance"), Ok(Way::Role(role)) if role.base == Base::Source(Kind::Instance))
    );
    assert!(matches!(of("pod"), Ok(Way::WebIdentity { file, .. }) if file.ends_with("token")));
    assert_eq!(
        of("sso"),
        Ok(Way::SignOn {
            session: "corp".to_owned(),
            region: "eu-west-1".to_owned(),
            account: "111122223333".to_owned(),
            role: "Reader".to_owned(),
        })
    );
}

#[test]
fn a_profile_that_cannot_be_followed_says_why() {
    let (_home, environment) = environment();
    for (name, expected) in [
        ("unknown", "the profile `unknown` is not in the configuration"),
        ("lost", "`[sso-session nowhere]` has no `sso_region`"),
        (
            "mfa",
            "the profile `mfa` asks for a code of a device (`mfa_serial`), which nobody can type",
        ),
        (
            "both",
            "the profile `both` needs `source_profile` or `credential_source`, and one of them",
        ),
        (
            "none",
            "the profile `none` needs `source_profile` or `credential_source`, and one of them",
        ),
        ("odd", "the profile `odd` has the unknown `credential_source` `Memory`"),
    ] {
        assert_eq!(way(&environment, Some(name)), Err(expected.to_owned()));
    }
    let nobody = Environment { home: None, ..environment };
    assert_eq!(way(&nobody, None), Ok(Way::Plain));
}
