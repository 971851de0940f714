//! AWS as this process sees it: keys of its environment, endpoints, clock, certificates.

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_api::{Clock as _, Entropy as _};
use palisade_aws::{
    Client, Credentials, Endpoints, Environment, ExternalId, Parameters, Partition, Role, Settings,
    Surroundings, Target, account_of_role, calls, system_authorities,
};
use tokio_rustls::rustls::RootCertStore;

use crate::failure::Failure;
use crate::system::{SystemClock, SystemEntropy};
use crate::trust;

/// The name of sessions, which CloudTrail shows.
const SESSION: &str = "palisade";

/// How long a session of a role lasts, in seconds: as long as one that a session begins may.
const SESSION_SECS: u32 = 3600;

/// The system's clocks and its chance.
#[derive(Debug)]
pub struct System(Instant);

impl System {
    /// A clock that begins now.
    pub fn begin() -> Arc<System> {
        Arc::new(System(Instant::now()))
    }
}

impl Surroundings for System {
    fn wall_ms(&self) -> i64 {
        SystemClock.now_ms()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        // Without chance waits are not spread, and no harm is done.
        let _ = SystemEntropy.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// A client with the keys of this process.
#[derive(Clone, Debug)]
pub struct Aws {
    /// The client.
    pub client: Client,
    /// Clocks and chance.
    pub surroundings: Arc<System>,
    /// The process's own keys.
    own: Credentials,
    /// The Region whose STS is asked.
    region: String,
}

impl Aws {
    /// Of this process's environment.
    ///
    /// # Errors
    /// A profile that cannot be followed, an endpoint that is none, no certificates to trust.
    pub fn of_environment() -> Result<Aws, Failure> {
        let variables: HashMap<String, String> = std::env::vars().collect();
        let variable = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("AWS: {error}"));
        let endpoints = Endpoints::of_environment(variable).map_err(|error| wrong(&error))?;
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let roots = authorities(&variable)?;
        let home = std::env::home_dir();
        let environment = Environment { variables, home, roots: roots.clone() };
        let own = Credentials::of_environment(&environment).map_err(|error| wrong(&error))?;
        let surroundings = System::begin();
        let settings = Settings { endpoints, ..Settings::default() };
        let client = Client::new(settings, roots, surroundings.clone());
        let client = client.map_err(|error| wrong(&error))?;
        Ok(Aws { client, surroundings, own, region })
    }

    /// The account whose the process's keys are.
    ///
    /// # Errors
    /// There are none, or AWS does not know them.
    pub async fn account(&self) -> Result<String, Failure> {
        let target = self.own("own", &self.region);
        let none = Parameters::new();
        let call = self.client.call(&target, &calls::GET_CALLER_IDENTITY, &none);
        let answer = call.await.map_err(|error| Failure::Unwelcome(error.to_string()))?;
        let account = answer.get("Account").and_then(serde_json::Value::as_str);
        account.map(str::to_owned).ok_or_else(|| {
            Failure::Refused("sts:GetCallerIdentity does not tell whose the keys are".to_owned())
        })
    }

    /// An account in a Region, asked with the process's own keys.
    pub fn own(&self, account: &str, region: &str) -> Target {
        Target { account: account.into(), region: region.into(), credentials: self.own.clone() }
    }

    /// The organization, asked as this role, or with the process's own keys.
    ///
    /// # Errors
    /// The role cannot be asked for.
    pub fn organization(
        &self,
        role: Option<&str>,
        external_id: Option<&ExternalId>,
    ) -> Result<Target, Failure> {
        let Some(arn) = role else { return Ok(self.own("own", &self.region)) };
        let region = Partition::of_arn(arn).global_region;
        let credentials = self.role(arn, external_id)?;
        let account = account_of_role(arn).unwrap_or("own");
        Ok(Target { account: account.into(), region: region.into(), credentials })
    }

    /// Sessions as the role of this name in an account; all Regions share one.
    ///
    /// # Errors
    /// The role cannot be asked for.
    pub fn member(
        &self,
        account: &str,
        role: &str,
        external_id: Option<&ExternalId>,
    ) -> Result<Credentials, Failure> {
        let partition = Partition::of_region(&self.region).name;
        self.role(&format!("arn:{partition}:iam::{account}:role/{role}"), external_id)
    }

    /// The process's own keys.
    pub fn credentials(&self) -> Credentials {
        self.own.clone()
    }

    /// The Region that is asked where none is told.
    pub fn region(&self) -> &str {
        &self.region
    }

    fn role(&self, arn: &str, external_id: Option<&ExternalId>) -> Result<Credentials, Failure> {
        let role = Role {
            arn: arn.into(),
            external_id: external_id.cloned(),
            session_name: SESSION.into(),
            session_secs: SESSION_SECS,
            session_policy: None,
            sts_region: self.region.as_str().into(),
            of: self.own.clone(),
        };
        Credentials::role(role).map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// Whom to trust: `AWS_CA_BUNDLE`, else the system. Without either, endpoints of plain HTTP still can be asked.
fn authorities(variable: &dyn Fn(&str) -> Option<String>) -> Result<RootCertStore, Failure> {
    if let Some(file) = variable("AWS_CA_BUNDLE") {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(trust::of_file(&PathBuf::from(file))?);
        return Ok(roots);
    }
    match system_authorities() {
        Ok(roots) => Ok(roots),
        Err(_) if variable("AWS_ENDPOINT_URL").is_some_and(|url| url.starts_with("http://")) => {
            Ok(RootCertStore::empty())
        }
        Err(error) => Err(Failure::Refused(error.to_string())),
    }
}
