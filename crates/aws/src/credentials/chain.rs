//! Keys from the environment, by the providers of `reqsign-aws-core`.
//!
//! Their messages are cut to what cannot hold a secret, and they are asked one by one, so that a source that is set up
//! and fails is told of rather than passed over.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use palisade_wire::sigv4::Secret;
use reqsign_aws_core::{
    AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider,
    EnvCredentialProvider, IMDSv2CredentialProvider, ProcessCredentialProvider,
    ProfileCredentialProvider, SSOCredentialProvider,
};
use reqsign_core::{
    CommandExecute, CommandOutput, Context, Error, FileRead, HttpSend, ProvideCredential, Result,
    StaticEnv,
};

use super::environment::{Environment, Kind};
use super::keys::Keys;
use super::profile::Way;
use crate::error::{Failure, Reason, codes};
use crate::transport::{Limits, NoAuthorities, Transport};

/// How long a process may take to tell credentials.
pub const PROCESS_WITHIN: Duration = Duration::from_secs(60);

/// The greatest file of credentials or tokens that is read, in bytes.
pub const FILE_SIZE_MAX: u64 = 1024 * 1024;

/// How long the sources of credentials may take. The one of an instance does not answer at all where there is none.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(2),
    first_byte: Duration::from_secs(10),
    whole: Duration::from_secs(15),
    answer_size: 1024 * 1024,
};

pub(crate) struct Chain {
    context: Context,
    kinds: &'static [Kind],
    profile: ProfileCredentialProvider,
    sign_on: SSOCredentialProvider,
    web_identity: AssumeRoleWithWebIdentityCredentialProvider,
    process: ProcessCredentialProvider,
    // It keeps its token.
    instance: IMDSv2CredentialProvider,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Chain").field(&self.kinds).finish()
    }
}

impl Chain {
    /// The sources of these kinds, for a profile and the way in which it comes to its keys.
    pub(super) fn new(
        environment: &Environment,
        kinds: &'static [Kind],
        profile: Option<&str>,
        way: Way,
    ) -> std::result::Result<Self, NoAuthorities> {
        let transport = Transport::new(environment.roots.clone(), LIMITS)?;
        let envs = environment.variables.clone();
        let context = Context::new()
            .with_file_read(Files)
            .with_http_send(Http(transport))
            .with_command_execute(Processes)
            .with_env(StaticEnv { home_dir: environment.home.clone(), envs });
        let mut chain = Self {
            context,
            kinds,
            profile: ProfileCredentialProvider::new(),
            sign_on: SSOCredentialProvider::new(),
            web_identity: AssumeRoleWithWebIdentityCredentialProvider::new()
                .with_regional_sts_endpoint(),
            process: ProcessCredentialProvider::new(),
            instance: IMDSv2CredentialProvider::new(),
        };
        if let Some(name) = profile {
            chain.profile = chain.profile.with_profile(name);
            chain.sign_on = chain.sign_on.with_profile(name);
            chain.process = chain.process.with_profile(name);
        }
        match way {
            Way::Plain | Way::Role(_) => {}
            // The token of a session lies under the hash of its name, that of a start URL under the hash of the URL.
            Way::SignOn { session, region, account, role } => {
                chain.sign_on = chain
                    .sign_on
                    .with_start_url(session)
                    .with_region(region)
                    .with_account_id(account)
                    .with_role_name(role);
            }
            Way::WebIdentity { arn, file, session_name } => {
                chain.web_identity =
                    chain.web_identity.with_role_arn(arn).with_web_identity_token_file(file);
                if let Some(name) = session_name {
                    chain.web_identity = chain.web_identity.with_role_session_name(name);
                }
            }
        }
        Ok(chain)
    }

    /// The keys of the first source that has any.
    pub async fn keys(&self) -> std::result::Result<Keys, Failure> {
        let context = &self.context;
        for kind in self.kinds {
            let answer = match kind {
                Kind::Variables => EnvCredentialProvider::new().provide_credential(context).await,
                Kind::Profile => self.profile.provide_credential(context).await,
                Kind::SignOn => self.sign_on.provide_credential(context).await,
                Kind::WebIdentity => self.web_identity.provide_credential(context).await,
                Kind::Process => self.process.provide_credential(context).await,
                Kind::Container => ECSCredentialProvider::new().provide_credential(context).await,
                Kind::Instance => self.instance.provide_credential(context).await,
            };
            match answer {
                Ok(Some(credential)) => return Ok(of(credential)),
                Ok(None) => {}
                Err(error) => return Err(failure(kind.text(), &error)),
            }
        }
        let asked: Vec<&str> = self.kinds.iter().map(|kind| kind.text()).collect();
        let message = format!("no credentials in {}", asked.join(", "));
        Err(Failure::own(Reason::Denied, codes::NO_CREDENTIALS, message))
    }
}

fn of(credential: Credential) -> Keys {
    let end = credential.expires_in.map(|end| {
        let millis = i64::from(end.subsec_nanosecond()) / 1_000_000;
        end.as_second().saturating_mul(1000).saturating_add(millis)
    });
    Keys {
        access_key_id: credential.access_key_id.into(),
        secret: Secret::new(credential.secret_access_key),
        session_token: credential.session_token.map(Secret::new),
        expires_ms: end,
    }
}

/// What failed, without what follows the first colon: there an answer may be repeated.
fn failure(name: &str, error: &Error) -> Failure {
    let message = error.to_string();
    let message = message.split(':').next().unwrap_or_default();
    let told = format!("credentials of {name}: {}: {message}", error.kind());
    let failure = Failure::own(Reason::Denied, codes::CREDENTIALS_FAILED, told);
    if error.is_retryable() { failure.passing() } else { failure }
}

#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>> {
        let size = tokio::fs::metadata(path).await?.len();
        if size > FILE_SIZE_MAX {
            return Err(Error::config_invalid(format!(
                "a file of more than {FILE_SIZE_MAX} bytes"
            )));
        }
        Ok(tokio::fs::read(path).await?)
    }
}

#[derive(Debug)]
struct Http(Transport);

impl HttpSend for Http {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let answer = self.0.send(request.map(Full::new)).await;
        let raw = answer.map_err(|failure| {
            Error::unexpected(failure.code.to_string()).set_retryable(failure.passing)
        })?;
        let mut response = http::Response::new(Bytes::from(raw.body));
        *response.status_mut() = raw.status;
        *response.headers_mut() = raw.headers;
        Ok(response)
    }
}

#[derive(Debug)]
struct Processes;

impl CommandExecute for Processes {
    async fn command_execute<'a>(
        &'a self,
        program: &'a str,
        arguments: &'a [&'a str],
    ) -> Result<CommandOutput> {
        let running = tokio::process::Command::new(program)
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PROCESS_WITHIN, running).await.map_err(|_| {
            Error::unexpected(format!("the process did not end within {PROCESS_WITHIN:?}"))
        })??;
        Ok(CommandOutput {
            status: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }
}
