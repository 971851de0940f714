//! Keys from an environment, source by source.

use std::collections::HashMap;
use std::sync::Arc;

use palisade_aws::{
    ASK_AGAIN, Credentials, Environment, Keys, PROFILES_MAX, Reason, Target, codes,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::RootCertStore;

use crate::fake::Fake;
use crate::world::{World, client};

/// A server of credentials: each path's answer.
async fn server(answers: &'static [(&'static str, &'static str)]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
                    let path = text.split(' ').nth(1).unwrap_or_default();
                    let found = answers.iter().find(|(known, _)| path.starts_with(known));
                    let (status, body) = found.map_or((404, ""), |(_, body)| (200, *body));
                    let head = format!(
                        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(head.as_bytes()).await.unwrap();
                }
            });
        }
    });
    url
}

async fn found_in(
    variables: &[(&str, &str)],
    home: Option<&std::path::Path>,
) -> Result<Keys, palisade_aws::CallError> {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let variables = [("AWS_EC2_METADATA_DISABLED", "true")].iter().chain(variables);
    let environment = Environment {
        variables: variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<HashMap<_, _>>(),
        home: home.map(Into::into),
        roots: RootCertStore::empty(),
    };
    let to = Target {
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        credentials: Credentials::of_environment(&environment).unwrap(),
    };
    client(&fake, &world).keys(&to).await
}

const ROLE: &str = r#"{"Code":"Success","AccessKeyId":"ASIAROLE","SecretAccessKey":"hidden","Token":"hidden too","Expiration":"2027-01-01T00:00:00Z","LastUpdated":"2026-11-30T00:00:00Z","Type":"AWS-HMAC"}"#;

#[tokio::test]
async fn variables_come_first_then_the_profile() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(
        home.path().join(".aws/credentials"),
        "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = hidden\n\
         [ops]\naws_access_key_id = AKIAOPS\naws_secret_access_key = hidden\naws_session_token = hidden\n",
    )
    .unwrap();
    let home = Some(home.path());
    let variables = [("AWS_ACCESS_KEY_ID", "AKIAVARIABLE"), ("AWS_SECRET_ACCESS_KEY", "hidden")];
    assert_eq!(&*found_in(&variables, home).await.unwrap().access_key_id, "AKIAVARIABLE");
    assert_eq!(&*found_in(&[], home).await.unwrap().access_key_id, "AKIADEFAULT");
    let ops = found_in(&[("AWS_PROFILE", "ops")], home).await.unwrap();
    assert_eq!((&*ops.access_key_id, ops.session_token.is_some()), ("AKIAOPS", true));
}

#[tokio::test]
async fn a_container_and_an_instance_offer_their_roles() {
    let url = server(&[
        ("/credentials", ROLE),
        ("/latest/api/token", "imds-token"),
        ("/latest/meta-data/iam/security-credentials/ROLE", ROLE),
        ("/latest/meta-data/iam/security-credentials/", "ROLE"),
    ])
    .await;
    let full = format!("{url}/credentials");
    let of_container =
        found_in(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &full)], None).await.unwrap();
    let on = [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*url)];
    let of_instance = found_in(&on, None).await.unwrap();
    for keys in [of_container, of_instance] {
        assert_eq!((&*keys.access_key_id, keys.expires_ms), ("ASIAROLE", Some(1_798_761_600_000)));
        assert!(keys.session_token.is_some());
    }
}

#[tokio::test]
async fn a_process_of_the_profile_is_run() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let told = home.path().join("told.json");
    std::fs::write(
        &told,
        r#"{"Version":1,"AccessKeyId":"ASIAPROCESS","SecretAccessKey":"hidden"}"#,
    )
    .unwrap();
    let config = format!("[default]\ncredential_process = cat {}\n", told.display());
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    assert_eq!(&*found_in(&[], Some(home.path())).await.unwrap().access_key_id, "ASIAPROCESS");
}

#[tokio::test]
async fn single_sign_on_takes_the_token_that_was_signed_in_for() {
    let url = server(&[(
        "/federation",
        r#"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"hidden","sessionToken":"hidden","expiration":1798761600000}}"#,
    )])
    .await;
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".aws/sso/cache")).unwrap();
    std::fs::write(
        home.path().join(".aws/config"),
        "[profile sso]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n\
         sso_account_id = 111122223333\nsso_role_name = Reader\n",
    )
    .unwrap();
    // The name is the SHA-1 of the start URL.
    let token = home.path().join(".aws/sso/cache/").join(SSO_CACHE);
    std::fs::write(token, r#"{"accessToken":"hidden","expiresAt":"2036-01-01T00:00:00Z"}"#)
        .unwrap();
    let endpoint = format!("{url}/federation/credentials");
    let variables = [("AWS_PROFILE", "sso"), ("AWS_SSO_ENDPOINT", &*endpoint)];
    let keys = found_in(&variables, Some(home.path())).await.unwrap();
    assert_eq!((&*keys.access_key_id, keys.expires_ms), ("ASIASSO", Some(1_798_761_600_000)));
}

const SSO_CACHE: &str = "e8be5486177c5b5392bd9aa76563515b29358e6e.json";

/// What the token of a session of this name is kept under: its SHA-1.
const SESSION_CACHE: &str = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

#[tokio::test]
async fn a_session_of_single_sign_on_is_named_by_the_profile() {
    let url = server(&[(
        "/federation",
        r#"{"roleCredentials":{"accessKeyId":"ASIASESSION","secretAccessKey":"hidden","sessionToken":"hidden","expiration":1798761600000}}"#,
    )])
    .await;
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".aws/sso/cache")).unwrap();
    std::fs::write(
        home.path().join(".aws/config"),
        "[profile sso]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Reader\n\
         [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n",
    )
    .unwrap();
    let token = home.path().join(".aws/sso/cache/").join(SESSION_CACHE);
    std::fs::write(token, r#"{"accessToken":"hidden","expiresAt":"2036-01-01T00:00:00Z"}"#)
        .unwrap();
    let endpoint = format!("{url}/federation/credentials");
    let variables = [("AWS_PROFILE", "sso"), ("AWS_SSO_ENDPOINT", &*endpoint)];
    assert_eq!(
        &*found_in(&variables, Some(home.path())).await.unwrap().access_key_id,
        "ASIASESSION"
    );
}

#[tokio::test]
async fn a_profile_may_be_a_role_of_another_profile() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let write = |config: &str| std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let base = "[profile base]\naws_access_key_id = AKIA999988887777\naws_secret_access_key = secret-of-999988887777\n";
    let role = |name: &str, account: &str, source: &str| {
        format!(
            "[profile {name}]\nrole_arn = arn:aws:iam::{account}:role/Reader\nsource_profile = {source}\n"
        )
    };
    let found = || found_in(&[("AWS_PROFILE", "last")], Some(home.path()));
    write(&format!(
        "{base}{}{}",
        role("hub", "444455556666", "base"),
        role("last", "111122223333", "hub")
    ));
    assert!(found().await.unwrap().access_key_id.starts_with("ASIA111122223333"));

    // A profile that is its own source has keys of its own.
    write(&format!(
        "{}{}",
        role("last", "111122223333", "last"),
        base.replace("[profile base]\n", "")
    ));
    assert!(found().await.unwrap().access_key_id.starts_with("ASIA111122223333"));

    let chain = |links: usize| {
        let roles: String = (1..links)
            .map(|link| role(&format!("p{link}"), "444455556666", &format!("p{}", link + 1)))
            .collect();
        let last = base.replace("base", &format!("p{links}"));
        write(&format!("{}{roles}{last}", role("last", "111122223333", "p1")));
        let environment = Environment {
            variables: [("AWS_PROFILE".to_owned(), "last".to_owned())].into_iter().collect(),
            home: Some(home.path().to_owned()),
            roots: RootCertStore::empty(),
        };
        Credentials::of_environment(&environment).map(|_| ())
    };
    assert_eq!(chain(PROFILES_MAX - 1), Ok(()));
    let refused = chain(PROFILES_MAX).unwrap_err().to_string();
    assert_eq!(refused, "more than 5 profiles are the source of each other");
}

#[tokio::test]
async fn a_source_that_is_set_up_and_fails_ends_the_search_without_telling_secrets() {
    let url = server(&[("/credentials", r#"{"AccessKeyId":"hidden","Token":7}"#)]).await;
    let full = format!("{url}/credentials");
    let error = found_in(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &full)], None).await.unwrap_err();
    assert_eq!((error.reason, &*error.code), (Reason::Denied, codes::CREDENTIALS_FAILED));
    assert!(error.message.starts_with("credentials of the container"), "{error}");
    assert!(!format!("{error:?}").contains("hidden"), "{error:?}");

    let none = found_in(&[], None).await.unwrap_err();
    assert_eq!(&*none.code, codes::NO_CREDENTIALS);
    assert_eq!((&*none.account, &*none.region), ("111122223333", "eu-west-1"));
}

#[tokio::test]
async fn keys_without_an_end_are_looked_up_again_after_a_while() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let file = home.path().join(".aws/credentials");
    let write = |id: &str| {
        std::fs::write(
            &file,
            format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = hidden\n"),
        )
        .unwrap();
    };
    write("AKIAFIRST");
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let environment = Environment {
        variables: HashMap::new(),
        home: Some(home.path().to_owned()),
        roots: RootCertStore::empty(),
    };
    let to = Target {
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        credentials: Credentials::of_environment(&environment).unwrap(),
    };
    let client = client(&fake, &world);
    assert_eq!(&*client.keys(&to).await.unwrap().access_key_id, "AKIAFIRST");
    write("AKIASECOND");
    assert_eq!(&*client.keys(&to).await.unwrap().access_key_id, "AKIAFIRST");
    world.pass(ASK_AGAIN);
    assert_eq!(&*client.keys(&to).await.unwrap().access_key_id, "AKIASECOND");
}
