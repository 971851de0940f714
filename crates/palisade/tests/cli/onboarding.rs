//! What Terraform's provider does with `aws_fms_admin_account`, against a server that takes its time: it
//! associates and looks in turns until the administrator is ready, and looks until it is gone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::*;

/// Longer than any server here takes; what goes wrong ends by this.
const PATIENCE: Duration = Duration::from_secs(60);
/// The provider waits ten seconds between looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Calls as the account of the management: whose provider it is.
struct Provider<'s> {
    server: &'s Server,
    agent: ureq::Agent,
}

/// What is answered: an output, or the exception's name and message.
type Answered = Result<Value, (String, String)>;

impl Provider<'_> {
    fn call(&self, operation: &str, input: &Value) -> Answered {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={MEMBER}/20260101/us-east-1/fms/aws4_request, SignedHeaders=host, \
             Signature=00"
        );
        let answer = self
            .agent
            .post(&self.server.endpoint)
            .header("authorization", authorization)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSFMS_20180101.{operation}"))
            .send(input.to_string());
        let mut answer = answer.unwrap();
        let is_ok = answer.status() == 200;
        let text = answer.body_mut().read_to_string().unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let member = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        if is_ok { Ok(body) } else { Err((member("__type"), member("Message"))) }
    }

    fn associate(&self) -> Answered {
        self.call("AssociateAdminAccount", &json!({ "AdminAccount": MEMBER }))
    }

    /// The status of the administrator; `None` where there is none, which a deleted one is taken for.
    fn status(&self) -> Option<String> {
        match self.call("GetAdminAccount", &json!({})) {
            Ok(found) => {
                assert_eq!(found["AdminAccount"], MEMBER);
                Some(found["RoleStatus"].as_str().unwrap().to_owned())
                    .filter(|status| status != "DELETED")
            }
            Err((kind, _)) => {
                assert_eq!(kind, "ResourceNotFoundException");
                None
            }
        }
    }

    /// Create: until it is ready, it is associated before each look.
    fn create(&self) -> Vec<Option<String>> {
        assert_eq!(self.status(), None, "the provider makes no second one");
        self.looks(
            |status| status == Some("READY"),
            || {
                // Any other answer ends `terraform apply`.
                self.associate().unwrap();
            },
        )
    }

    /// Delete, and until it is gone.
    fn delete(&self) -> Vec<Option<String>> {
        self.call("DisassociateAdminAccount", &json!({})).unwrap();
        self.looks(|status| status.is_none(), || {})
    }

    /// What one look after the other sees, each once.
    fn looks(
        &self,
        is_last: impl Fn(Option<&str>) -> bool,
        before: impl Fn(),
    ) -> Vec<Option<String>> {
        let begun = Instant::now();
        let mut seen: Vec<Option<String>> = Vec::new();
        loop {
            before();
            let status = self.status();
            if seen.last() != Some(&status) {
                seen.push(status.clone());
            }
            if is_last(status.as_deref()) {
                return seen;
            }
            assert!(begun.elapsed() < PATIENCE, "{seen:?}");
            std::thread::sleep(PAUSE);
        }
    }
}

#[test]
fn terraforms_provider_gets_an_administrator_and_is_rid_of_it() {
    let world = World::new("0.0.0.0/0");
    let organization = json!({
        "Organization": {"Id": "o-test000001", "ManagementAccountId": MEMBER},
        "Roots": [{"Id": "r-test"}],
        "OrganizationalUnits": [],
        "Accounts": [{"Id": MEMBER, "Name": "one", "Status": "ACTIVE", "ParentId": "r-test"}],
    });
    world.write("organization.json", &organization);
    let server = Server::with("memory".to_owned(), &["--auth", "open", "--onboarding", "4"]);
    server.done(&["organization", "apply", &world.path("organization.json")]);
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let provider = Provider { server: &server, agent };
    let some = |status: &str| Some(status.to_owned());
    let begun = Instant::now();
    assert_eq!(provider.create(), [some("CREATING"), some("READY")]);
    assert!(begun.elapsed() >= Duration::from_secs(4), "{:?}", begun.elapsed());
    // Read, and a plan that finds nothing to do.
    assert_eq!(provider.status(), some("READY"));
    assert_eq!(provider.delete(), [some("DELETING"), None]);
    // Once more, and away before it is ready, which is refused in the words that the provider waits for.
    provider.associate().unwrap();
    let (kind, message) = provider.call("DisassociateAdminAccount", &json!({})).unwrap_err();
    assert_eq!(kind, "InvalidOperationException");
    assert!(message.contains("is currently onboarding"), "{message}");
    provider.looks(|status| status == Some("READY"), || {});
    provider.call("DisassociateAdminAccount", &json!({})).unwrap();
    let (kind, message) = provider.associate().unwrap_err();
    assert_eq!(kind, "InvalidOperationException");
    assert!(message.contains("is currently offboarding"), "{message}");
}
