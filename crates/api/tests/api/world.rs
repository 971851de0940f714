//! A small organization behind a router, and what tests say to it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use palisade_api::audit::Actor;
use palisade_api::vault::{Holder, Vault};
use palisade_api::{App, Auth, Clock, Entropy, Settings, router};
use palisade_core::evaluate::{
    DependentService, Finding, Mismatch, NarrowPeer, NarrowRule, NearMiss, RuleAction, RuleRemedy,
    SecurityGroupFinding, Status, Violation, ViolationReason,
};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::ledger::{Change, Entry, ViolatorRow};
use palisade_store::sqlite::SqliteStore;
use palisade_store::{
    Control, KeyChange, KeyRecord, KeyRole, Keys, Ledger, LedgerWrite, Mark, Outcome, Settlement,
    StoredSecret, Work,
};
use palisade_testkit::Rng;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// The organization's management account.
pub const MANAGEMENT: &str = "100000000000";
/// The default administrator.
pub const ADMIN: &str = "111111111111";
/// Members: two in the unit Prod, one directly below the root.
pub const MEMBER: &str = "222222222222";
pub const OTHER: &str = "333333333333";
pub const LONER: &str = "444444444444";
/// A suspended member.
pub const SUSPENDED: &str = "555555555555";
/// Not in the organization.
pub const STRANGER: &str = "999999999999";
pub const PROD: &str = "ou-abcd-prod0001";
pub const HOME: &str = "us-east-1";
pub const REGION: &str = "eu-west-1";
/// What the secrets of keys are sealed under.
pub const SEALING_KEY: [u8; 32] = [9; 32];
/// 2026-01-01T00:00:00Z
pub const NOW_MS: i64 = 1_767_225_600_000;

pub struct StoppedClock(AtomicI64);

impl StoppedClock {
    pub fn at(now_ms: i64) -> StoppedClock {
        StoppedClock(AtomicI64::new(now_ms))
    }

    pub fn now(&self) -> i64 {
        self.now_ms()
    }

    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for StoppedClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub struct Seeded(Mutex<Rng>);

impl Seeded {
    pub fn new(seed: u64) -> Seeded {
        Seeded(Mutex::new(Rng::with_seed(seed)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        self.0.lock().unwrap().fill(bytes);
        Ok(())
    }
}

pub struct World {
    pub app: Arc<App>,
    pub store: Arc<SqliteStore>,
    pub clock: Arc<StoppedClock>,
    pub router: Router,
    pub spool: Arc<tempfile::TempDir>,
}

/// That the description of an endpoint has every answer that it gives, and what the answer names.
#[track_caller]
fn is_described(method: &str, path: &str, answer: &Answer) {
    let document: Value =
        serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
    let path = path.split('?').next().unwrap();
    let fits = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template.zip(path).all(|(part, found)| part.starts_with('{') || part == found)
    };
    let paths = document["paths"].as_object().unwrap();
    let found = paths.iter().find(|(template, _)| fits(template));
    let Some(endpoint) = found.and_then(|(_, methods)| methods.get(method.to_lowercase())) else {
        assert!([404, 405, 400].contains(&answer.status), "{method} {path} is not described");
        return;
    };
    let described = &endpoint["responses"][answer.status.to_string()];
    assert!(described.is_object(), "{method} {path} does not describe {}", answer.status);
    if let Some(named) = described["$ref"].as_str() {
        let named = document.pointer(named.trim_start_matches('#'));
        assert!(named.is_some(), "{described}");
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Every answer of an operation keeps the model: an output its required members, patterns,
    /// lengths and enums; an exception is one that the operation has, or one that AWS answers to
    /// any operation.
    #[track_caller]
    fn is_as_modelled(&self, operation: &str) {
        use palisade_wire::{Dialect, Operation, Protocol, TABLE, check, decode_value};
        let Some(operation) = Operation::from_name(operation) else { return };
        if self.status != 200 {
            let (kind, message) = self.fault();
            let general = [
                "AccessDeniedException",
                "InvalidSignatureException",
                "SerializationException",
                "ThrottlingException",
                "UnrecognizedClientException",
                "ValidationException",
            ];
            let modelled = operation.errors().iter().any(|error| error.name() == kind);
            let known = modelled || general.contains(&kind.as_str()) || self.status >= 500;
            assert!(known, "{} has no {kind}: {message}", operation.name());
            return;
        }
        let Some(shape) = operation.output_shape() else {
            assert_eq!(self.text, "", "{} has no output", operation.name());
            return;
        };
        let value = decode_value(&TABLE, shape, Protocol::Json, self.text.as_bytes()).unwrap();
        let broken = check(&TABLE, shape, &value, Dialect::Coral);
        let name = operation.name();
        assert!(broken.is_empty(), "{name}: {}: {}", broken.message(Dialect::Coral), self.text);
    }

    /// The output of an operation that succeeded.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        if self.text.is_empty() { json!({}) } else { self.json() }
    }

    /// The exception's name and message.
    #[track_caller]
    pub fn fault(&self) -> (String, String) {
        assert_ne!(self.status, 200, "{self:?}");
        let body = self.json();
        (body["__type"].as_str().unwrap().into(), body["Message"].as_str().unwrap().into())
    }

    #[track_caller]
    pub fn refuses(&self, kind: &str, fragment: &str) {
        let (found, message) = self.fault();
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(fragment), "`{fragment}` is not in `{message}`");
        assert_eq!(self.headers["x-amzn-errortype"], kind);
    }

    /// Status, code and message of one of Palisade's own endpoints.
    #[track_caller]
    pub fn own_refuses(&self, status: u16, code: &str, fragment: &str) {
        let body = self.json();
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(body["error"]["code"], code, "{message}");
        assert!(message.contains(fragment), "`{fragment}` is not in `{message}`");
    }
}

pub fn organization() -> Value {
    json!({
        "Organization": { "Id": "o-palisade01", "ManagementAccountId": MANAGEMENT },
        "Roots": [{ "Id": "r-abcd" }],
        "OrganizationalUnits": [
            { "Id": "ou-abcd-top00001", "Name": "Top", "ParentId": "r-abcd" },
            { "Id": PROD, "Name": "Prod", "ParentId": "ou-abcd-top00001" },
        ],
        "Accounts": [
            { "Id": MANAGEMENT, "Name": "management", "Status": "ACTIVE", "ParentId": "r-abcd" },
            { "Id": ADMIN, "Name": "security", "Status": "ACTIVE", "ParentId": "r-abcd" },
            { "Id": MEMBER, "Name": "shop", "Status": "ACTIVE", "ParentId": PROD },
            { "Id": OTHER, "Name": "bank", "Status": "ACTIVE", "ParentId": PROD },
            { "Id": LONER, "Name": "lab", "Status": "PENDING_CLOSURE", "ParentId": "r-abcd" },
            { "Id": SUSPENDED, "Name": "old", "Status": "SUSPENDED", "ParentId": PROD },
        ],
    })
}

/// A content audit that PutPolicy accepts.
pub fn audit(name: &str) -> Value {
    json!({
        "PolicyName": name,
        "SecurityServicePolicyData": {
            "Type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "ManagedServiceData": "{\"type\":\"SECURITY_GROUPS_CONTENT_AUDIT\",\"preManagedOptions\":[{\"denyProtocolAllValue\":true}]}",
        },
        "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
    })
}

impl World {
    /// Nothing applied yet.
    pub fn empty() -> World {
        World::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Settings)) -> World {
        let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
        let clock = Arc::new(StoppedClock(AtomicI64::new(NOW_MS)));
        let spool = Arc::new(tempfile::tempdir().unwrap());
        let mut settings = Settings::new(Auth::Open, spool.path().into());
        settings.vault = Some(Arc::new(Vault::new(&SEALING_KEY)));
        change(&mut settings);
        let entropy = Arc::new(Seeded::new(1));
        let app = App::new(store.clone(), clock.clone(), entropy, settings);
        World { router: router(app.clone()), app, store, clock, spool }
    }

    /// Another server over the same store, as a second process would be.
    pub fn twin(&self) -> World {
        self.twin_with(|_| {})
    }

    pub fn twin_with(&self, change: impl FnOnce(&mut Settings)) -> World {
        let spool = Arc::new(tempfile::tempdir().unwrap());
        let mut settings = Settings::new(Auth::Open, spool.path().into());
        settings.vault = Some(Arc::new(Vault::new(&SEALING_KEY)));
        change(&mut settings);
        let entropy = Arc::new(Seeded::new(2));
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let app = App::new(store.clone(), clock.clone(), entropy, settings);
        World { router: router(app.clone()), app, store, clock, spool }
    }

    /// Keeps a key whose secret is `secret of ID`.
    pub fn keep_key(&self, id: &str, account_id: Option<&str>) {
        let account = account_id.map(account);
        let vault = Vault::new(&SEALING_KEY);
        let secret = format!("secret of {id}");
        let mut key = KeyRecord {
            access_key_id: id.to_owned(),
            secret: StoredSecret::Plain(String::new()),
            account,
            enabled: true,
            replaces: None,
            created_ms: self.clock.now_ms(),
            last_used_ms: None,
            name: None,
            role: KeyRole::Full,
            expires_ms: None,
            signed_out_ms: None,
        };
        key.secret = vault.seal(&Seeded::new(9), Holder::of(&key), &secret).unwrap();
        let event = Actor::local(String::new(), self.clock.now_ms()).event("CreateKey", Vec::new());
        let revision = self.store.keys_revision().unwrap();
        self.store.commit_keys(revision, &[KeyChange::Create(key)], &event).unwrap();
    }

    /// The same server once more.
    pub fn copy(&self) -> World {
        World {
            app: self.app.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            router: self.router.clone(),
            spool: self.spool.clone(),
        }
    }

    /// The organization without an administrator.
    pub async fn organized() -> World {
        let world = World::empty();
        world.apply(&organization()).await.ok();
        world
    }

    /// The organization with its default administrator.
    pub async fn new() -> World {
        World::settled(|_| {}).await
    }

    pub async fn settled(change: impl FnOnce(&mut Settings)) -> World {
        let world = World::with(change);
        world.apply(&organization()).await.ok();
        let input = json!({ "AdminAccount": ADMIN });
        world.call(MANAGEMENT, HOME, "AssociateAdminAccount", input).await.ok();
        world
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// One operation in JSON, by the account or key of this name.
    pub async fn call(&self, key: &str, region: &str, operation: &str, input: Value) -> Answer {
        let request = Request::post("/")
            .header("host", "localhost")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSFMS_20180101.{operation}"))
            .header("authorization", authorization(key, region))
            .body(Body::from(input.to_string()))
            .unwrap();
        let answer = self.send(request).await;
        answer.is_as_modelled(operation);
        answer
    }

    /// One operation of the default administrator in the usual Region.
    pub async fn admin(&self, operation: &str, input: Value) -> Answer {
        self.call(ADMIN, REGION, operation, input).await
    }

    /// One of Palisade's own endpoints, by the operator.
    pub async fn own(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.own_as("AKIAOPERATOR", method, path, body).await
    }

    pub async fn own_as(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", authorization(key, HOME))
            .body(body.into())
            .unwrap();
        let answer = self.send(request).await;
        is_described(method, path, &answer);
        answer
    }

    pub async fn apply(&self, organization: &Value) -> Answer {
        self.own("PUT", "/palisade/v1/organization", organization.to_string()).await
    }

    /// Puts a policy as the default administrator and answers it.
    pub async fn put(&self, policy: Value) -> Value {
        self.admin("PutPolicy", json!({ "Policy": policy })).await.ok()["Policy"].clone()
    }

    /// Puts a content audit and answers its id.
    pub async fn put_audit(&self, name: &str) -> String {
        self.put(audit(name)).await["PolicyId"].as_str().unwrap().to_owned()
    }

    /// An audit of one account.
    pub async fn put_audit_of(&self, name: &str, account: &str) -> String {
        let mut policy = audit(name);
        policy["IncludeMap"] = json!({ "ACCOUNT": [account] });
        self.put(policy).await["PolicyId"].as_str().unwrap().to_owned()
    }

    /// Puts a policy once more, so that it has another revision.
    pub async fn change_policy(&self, id: &str) {
        let answer = self.admin("GetPolicy", json!({ "PolicyId": id })).await.ok();
        self.put(answer["Policy"].clone()).await;
    }

    /// Every page of a list, entry by entry.
    pub async fn pages(
        &self,
        operation: &str,
        input: Value,
        member: &str,
        size: i32,
    ) -> Vec<Value> {
        let mut found = Vec::new();
        let mut input = input;
        input["MaxResults"] = json!(size);
        loop {
            let page = self.admin(operation, input.clone()).await.ok();
            let entries = page[member].as_array().unwrap();
            assert!(entries.len() <= usize::try_from(size).unwrap());
            found.extend(entries.iter().cloned());
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => return found,
            }
        }
    }

    /// Writes what a worker would have found of an account under a policy.
    pub fn judge(&self, policy: &str, account: &str, found: Found) {
        let (policy, account) =
            (PolicyId::try_from(policy).unwrap(), AccountId::try_from(account).unwrap());
        let record = self.store.control().unwrap().policies[&policy].clone();
        let shard = ShardId { account: account.clone(), region: record.region.clone() };
        let mark = Mark { shard: shard.clone(), policy: Some(policy.clone()) };
        self.store.mark(&[mark], self.clock.now_ms(), None).unwrap();
        let leases = self.store.lease(self.clock.now_ms(), 60_000, 10_000).unwrap();
        let lease = leases.into_iter().find(|lease| lease.shard == shard).unwrap();
        let now_ms = self.clock.now_ms();
        let before = self.store.violators(&policy, &account, None, usize::MAX).unwrap();
        let change = found.change(record.revision, now_ms, before);
        let outcome = Outcome {
            policy,
            revision: record.revision,
            write: LedgerWrite::Change(change),
            references: BTreeSet::new(),
        };
        self.store
            .settle(&[Settlement {
                revision: Some(lease.revision),
                lease,
                evaluated_ms: now_ms,
                outcomes: vec![outcome],
                not_before_ms: None,
            }])
            .unwrap();
    }
}

pub fn authorization(key: &str, region: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/fms/aws4_request, SignedHeaders=host, Signature=00"
    )
}

/// What a worker found of one account.
#[derive(Default)]
pub struct Found {
    pub violators: usize,
    pub issue: Option<&'static str>,
}

impl Found {
    pub fn nothing() -> Found {
        Found::default()
    }

    pub fn violators(violators: usize) -> Found {
        Found { violators, issue: None }
    }

    pub fn issue(text: &'static str) -> Found {
        Found { violators: 0, issue: Some(text) }
    }

    fn change(self, policy_revision: u64, now_ms: i64, before: Vec<ViolatorRow>) -> Change {
        let status = match (self.violators, self.issue) {
            (0, None) => Some(Status::Compliant),
            (0, Some(_)) => None,
            _ => Some(Status::NonCompliant),
        };
        let issues = self.issue.map(|text| (DependentService::Config, text.to_owned()));
        let put: Vec<ViolatorRow> = (0..self.violators).map(|n| row(n, now_ms)).collect();
        let kept: BTreeSet<&ResourceId> = put.iter().map(|row| &row.id).collect();
        let removed = before
            .iter()
            .filter(|row| !kept.contains(&row.id))
            .map(|row| (row.resource_type.clone(), row.id.clone()))
            .collect();
        Change {
            entry: Entry {
                status,
                violator_count: self.violators as u64,
                in_scope: 1_000,
                issues: issues.into_iter().collect(),
                since_ms: now_ms,
                policy_revision,
            },
            history: true,
            put,
            removed,
        }
    }
}

fn row(n: usize, since_ms: i64) -> ViolatorRow {
    let id = format!("sg-{n:05}");
    ViolatorRow {
        resource_type: ResourceType::SECURITY_GROUP,
        id: ResourceId::try_from(id.as_str()).unwrap(),
        violations: vec![Violation {
            reason: ViolationReason::ResourceViolatesAuditSecurityGroup,
            finding: Finding::SecurityGroups(SecurityGroupFinding::SecurityGroupRule {
                group: id.into(),
                direction: palisade_core::evaluate::Direction::Ingress,
                rule: "all protocols from 0.0.0.0/0".into(),
                against: "denyProtocolAllValue".into(),
                near_misses: vec![NearMiss {
                    group: "sg-audit".into(),
                    rule: "tcp 443 from 0.0.0.0/0".into(),
                    reasons: vec![Mismatch::Protocol],
                }],
                remedies: remedies(),
                lookalike: false,
            }),
        }],
        since_ms,
        captured_ms: None,
    }
}

/// The rule narrowed, then removed.
fn remedies() -> Vec<RuleRemedy> {
    let narrow = NarrowRule {
        rule: "tcp 443 from 0.0.0.0/0".into(),
        protocol: "tcp".into(),
        from_port: Some(443),
        to_port: Some(443),
        peer: NarrowPeer::Ipv4("0.0.0.0/0".into()),
    };
    vec![
        RuleRemedy { action: RuleAction::Modify(narrow), is_default: true },
        RuleRemedy { action: RuleAction::Remove, is_default: false },
    ]
}

pub fn region(text: &str) -> Region {
    Region::try_from(text).unwrap()
}

pub fn account(text: &str) -> AccountId {
    AccountId::try_from(text).unwrap()
}
