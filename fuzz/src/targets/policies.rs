//! Policies: ManagedServiceData of every type, and whole policy files.

use palisade_core::policy::{
    Document, Identity, Policy, PolicyFile, PolicyType, Refusal, echo, parse,
};
use palisade_wire::{Kind, TABLE};

/// ManagedServiceData of the type at this place of `PolicyType::ALL`.
pub fn service_data<const PLACE: usize>(input: &[u8]) -> bool {
    let policy_type = PolicyType::ALL[PLACE];
    let Ok(data) = std::str::from_utf8(input) else { return false };
    let mut document = Document {
        policy_name: "p".into(),
        resource_type: policy_type.resource_types()[0].as_str().into(),
        ..Document::default()
    };
    document.security_service_policy_data.policy_type = policy_type.as_str().into();
    document.security_service_policy_data.managed_service_data = Some(data.to_owned());
    if policy_type == PolicyType::NetworkAclCommon {
        let option = r#"{"NetworkAclCommonPolicy":{"NetworkAclEntrySet":{
            "ForceRemediateForFirstEntries":true,"ForceRemediateForLastEntries":false,
            "FirstEntries":[{"Protocol":"-1","RuleAction":"deny","Egress":false,"CidrBlock":"10.0.0.0/8"}]}}}"#;
        document.security_service_policy_data.policy_option = serde_json::from_str(option).unwrap();
    }
    if policy_type == PolicyType::ImportNetworkFirewall {
        document.resource_set_ids = Some(vec!["AbCdEfGhIjKlMnOpQrStUv".into()]);
    }
    let holds = answered_as_sent(&document);
    if holds {
        let echoed = echo(&document);
        let data = echoed.security_service_policy_data.managed_service_data.unwrap();
        let value: serde_json::Value = match data.as_str() {
            "" => return true,
            data => serde_json::from_str(data).unwrap(),
        };
        assert_eq!(value["type"], policy_type.as_str());
    }
    holds
}

/// Policy files as users keep them, PolicyOption and scope included.
pub fn policy_files(input: &[u8]) -> bool {
    match PolicyFile::parse(input) {
        Ok(file) => {
            let holds = answered_as_sent(&file.policy);
            let text = serde_json::to_vec(&file.policy).unwrap();
            assert_eq!(PolicyFile::parse(&text).unwrap().policy, file.policy);
            holds
        }
        Err(refusal) => {
            assert!(!refusal.message.is_empty());
            false
        }
    }
}

/// What we answer for a policy is answered again the same, and is the same policy when it is sent
/// back; whether it is one.
fn answered_as_sent(document: &Document) -> bool {
    let echoed = echo(document);
    assert_eq!(echo(&echoed), echoed, "an answer is its own answer");
    match parsed(document) {
        Ok(policy) => {
            assert_eq!(parsed(&echoed).as_ref(), Ok(&policy), "the answer is the same policy");
            if acceptable(document) {
                assert!(acceptable(&echoed), "the answer can be sent: {echoed:?}");
            }
            true
        }
        Err(refusal) => {
            assert!(!refusal.message.is_empty());
            assert!(refusal.message.len() < 4_000, "{} bytes of refusal", refusal.message.len());
            false
        }
    }
}

fn parsed(document: &Document) -> Result<Policy, Refusal> {
    let identity = Identity {
        id: "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111".parse().unwrap(),
        owner: "111111111111".parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        revision: 1,
        former_names: Vec::new(),
    };
    parse(document, identity)
}

/// Whether ManagedServiceData keeps to the model's pattern.
fn acceptable(document: &Document) -> bool {
    let (_, shape) = TABLE.find("ManagedServiceData").unwrap();
    assert!(matches!(shape.kind, Kind::String));
    let pattern = shape.constraints.pattern.unwrap();
    let data = document.security_service_policy_data.managed_service_data.as_deref();
    data.is_none_or(|data| pattern.matches(data))
}
