//! `one_call sigv4|open CALLS`: the same signed `ListComplianceStatus` call, a page of 100 out of
//! 1,000 accounts, through the router. Signatures are checked or not; nothing else differs, so
//! that `cargo xtask instructions` can tell what the check costs.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use palisade_api::audit::Actor;
use palisade_api::vault::{Holder, Vault};
use palisade_api::{App, Auth, Clock, Entropy, Settings, router};
use palisade_core::evaluate::Status;
use palisade_core::ident::{AccountId, PolicyId, Region, ShardId};
use palisade_core::ledger::{Change, Entry};
use palisade_store::sqlite::SqliteStore;
use palisade_store::{
    Control, KeyChange, KeyRecord, KeyRole, Keys, LedgerWrite, Mark, Outcome, Settlement,
    StoredSecret, Work,
};
use palisade_wire::sigv4::{Payload, RequestParts, Secret, Signer, sign};
use serde_json::{Value, json};
use tower::ServiceExt as _;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// 2026-01-01T00:00:00Z
const NOW_MS: i64 = 1_767_225_600_000;
const ACCOUNTS: u64 = 1_000;
/// Administrator, and its access key too: open authentication takes it for the account.
const ADMIN: &str = "100000000001";
const MANAGEMENT: &str = "100000000000";
/// What the secret is sealed under.
const SEALING_KEY: [u8; 32] = [9; 32];
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

struct Stopped;

impl Clock for Stopped {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }
}

/// Different bytes every time, the same in every run.
struct Counting(std::sync::atomic::AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        for byte in bytes {
            let count = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            *byte = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
        }
        Ok(())
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let auth = match arguments.next().as_deref() {
        Some("open") => Auth::Open,
        Some("sigv4") => Auth::SigV4 { window_ms: 300_000 },
        _ => return Err("usage: one_call sigv4|open CALLS".into()),
    };
    let calls: u32 = arguments.next().unwrap_or_default().parse()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(auth, calls))
}

async fn run(auth: Auth, calls: u32) -> Result<()> {
    let store = Arc::new(SqliteStore::in_memory([7; 32])?);
    let policy = prepare(&store).await?;
    let router = serve(&store, auth);
    let body = json!({ "PolicyId": policy, "MaxResults": 100 }).to_string();
    let headers = signed(&body);
    for _ in 0..calls {
        let answer = send(&router, "POST", "/", &headers, body.clone()).await?;
        // Counted rather than parsed, which would cost more than the call.
        let accounts = answer.matches("\"MemberAccount\"").count();
        if accounts != 100 {
            return Err(format!("{accounts} accounts in the answer: {answer}").into());
        }
    }
    Ok(())
}

fn serve(store: &Arc<SqliteStore>, auth: Auth) -> Router {
    let settings = Settings {
        vault: Some(Arc::new(Vault::new(&SEALING_KEY))),
        ..Settings::new(auth, std::env::temp_dir())
    };
    let entropy = Arc::new(Counting(std::sync::atomic::AtomicU64::new(1)));
    router(App::new(store.clone(), Arc::new(Stopped), entropy, settings))
}

/// An organization, its administrator with a key, one policy, and a judgement of every account.
async fn prepare(store: &Arc<SqliteStore>) -> Result<String> {
    let router = serve(store, Auth::Open);
    let own = claimed("AKIAOPERATOR", "us-east-1", None);
    send(&router, "PUT", "/palisade/v1/organization", &own, organization().to_string()).await?;
    let associate = claimed(MANAGEMENT, "us-east-1", Some("AssociateAdminAccount"));
    send(&router, "POST", "/", &associate, json!({ "AdminAccount": ADMIN }).to_string()).await?;
    let put = claimed(ADMIN, "eu-west-1", Some("PutPolicy"));
    let answer = send(&router, "POST", "/", &put, policy().to_string()).await?;
    let answer: Value = serde_json::from_str(&answer)?;
    let id = answer.pointer("/Policy/PolicyId").and_then(Value::as_str).unwrap_or_default();
    let admin = AccountId::try_from(ADMIN)?;
    let entropy = Counting(std::sync::atomic::AtomicU64::new(1));
    let mut key = KeyRecord {
        access_key_id: ADMIN.to_owned(),
        secret: StoredSecret::Plain(String::new()),
        account: Some(admin),
        enabled: true,
        replaces: None,
        created_ms: NOW_MS,
        last_used_ms: None,
        name: None,
        role: KeyRole::Full,
        expires_ms: None,
        signed_out_ms: None,
    };
    key.secret = Vault::new(&SEALING_KEY).seal(&entropy, Holder::of(&key), SECRET)?;
    let event = Actor::local(String::new(), NOW_MS).event("CreateKey", Vec::new());
    store.commit_keys(store.keys_revision()?, &[KeyChange::Create(key)], &event)?;
    judge(store, &PolicyId::try_from(id)?)?;
    Ok(id.to_owned())
}

fn organization() -> Value {
    let account = |n: u64| json!({ "Id": (100_000_000_000 + n).to_string(), "Name": format!("account {n}"), "Status": "ACTIVE", "ParentId": "r-abcd" });
    json!({
        "Organization": { "Id": "o-palisade01", "ManagementAccountId": MANAGEMENT },
        "Roots": [{ "Id": "r-abcd" }],
        "OrganizationalUnits": [],
        "Accounts": (0..ACCOUNTS).map(account).collect::<Vec<_>>(),
    })
}

fn policy() -> Value {
    json!({ "Policy": {
        "PolicyName": "audit",
        "SecurityServicePolicyData": {
            "Type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "ManagedServiceData": "{\"type\":\"SECURITY_GROUPS_CONTENT_AUDIT\",\"preManagedOptions\":[{\"denyProtocolAllValue\":true}]}",
        },
        "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
    }})
}

/// What a worker would have found: every account judged, every third with violators.
fn judge(store: &SqliteStore, policy: &PolicyId) -> Result<()> {
    let region = Region::try_from("eu-west-1")?;
    let mut marks = Vec::new();
    for n in 0..ACCOUNTS {
        let account = AccountId::try_from((100_000_000_000 + n).to_string().as_str())?;
        let shard = ShardId { account, region: region.clone() };
        marks.push(Mark { shard, policy: Some(policy.clone()) });
    }
    store.mark(&marks, NOW_MS, None)?;
    let revision = store.control()?.policies.get(policy).map_or(0, |record| record.revision);
    let mut settlements = Vec::new();
    for (n, lease) in store.lease(NOW_MS, 60_000, marks.len())?.into_iter().enumerate() {
        let violator_count = if n % 3 == 0 { n as u64 + 1 } else { 0 };
        let entry = Entry {
            status: Some(if n % 3 == 0 { Status::NonCompliant } else { Status::Compliant }),
            violator_count,
            in_scope: 1_000,
            issues: BTreeMap::new(),
            since_ms: NOW_MS,
            policy_revision: revision,
        };
        let change = Change { entry, history: true, put: Vec::new(), removed: Vec::new() };
        let outcome = Outcome {
            policy: policy.clone(),
            revision,
            write: LedgerWrite::Change(change),
            references: BTreeSet::new(),
        };
        let (evaluated_ms, outcomes, revision) = (NOW_MS, vec![outcome], Some(lease.revision));
        settlements.push(Settlement {
            lease,
            evaluated_ms,
            outcomes,
            not_before_ms: None,
            revision,
        });
    }
    Ok(store.settle(&settlements)?)
}

/// What the SDKs send and sign.
fn signed(body: &str) -> Vec<(String, String)> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut headers: Vec<(String, String)> = [
        ("host", "fms.eu-west-1.example.com"),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "AWSFMS_20180101.ListComplianceStatus"),
    ]
    .map(owned)
    .into();
    let secret = Secret::new(SECRET);
    let signer = Signer {
        access_key_id: ADMIN,
        secret: &secret,
        session_token: None,
        region: "eu-west-1",
        service: "fms",
        now_ms: NOW_MS,
    };
    let payload = Payload::Bytes(body.as_bytes());
    let parts = RequestParts { method: "POST", path: "/", query: "", headers: &headers, payload };
    let added = sign(&signer, &parts);
    headers.extend(added);
    let unsigned = [
        ("user-agent", "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux lang/python#3.13"),
        ("accept-encoding", "identity"),
    ];
    headers.extend(unsigned.map(owned));
    headers
}

/// Headers that open authentication believes.
fn claimed(key: &str, region: &str, operation: Option<&str>) -> Vec<(String, String)> {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/fms/aws4_request, SignedHeaders=host, Signature=00"
    );
    let mut headers = vec![("authorization".to_owned(), authorization)];
    if let Some(operation) = operation {
        let json = "application/x-amz-json-1.1".to_owned();
        headers.push(("content-type".to_owned(), json));
        headers.push(("x-amz-target".to_owned(), format!("AWSFMS_20180101.{operation}")));
    }
    headers
}

async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: String,
) -> Result<String> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let response = router.clone().oneshot(request.body(Body::from(body))?).await?;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await?;
    let text = String::from_utf8(bytes.into())?;
    if status.is_success() {
        Ok(text)
    } else {
        Err(format!("{method} {path}: {status}: {text}").into())
    }
}
