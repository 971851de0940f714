//! The IAM policy of the role that reads: exactly what the table's reading calls need.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::call::Access;
use crate::calls;

/// The actions that the calls of one kind need, sorted.
pub fn actions(access: Access) -> BTreeSet<&'static str> {
    calls::all().filter(|call| call.access == access).flat_map(|call| call.iam).copied().collect()
}

/// The policy that allows every reading call of the table and nothing else. None of these calls can be bound to a
/// resource that is known before it was listed.
pub fn read() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "PalisadeRead",
            "Effect": "Allow",
            "Action": actions(Access::Read),
            "Resource": "*",
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_reading_calls_and_no_other() {
        let policy = read();
        let named: BTreeSet<&str> = policy["Statement"][0]["Action"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| action.as_str().unwrap())
            .collect();
        for call in calls::all() {
            for action in call.iam {
                let belongs = call.access == Access::Read
                    || calls::all()
                        .any(|other| other.access == Access::Read && other.iam.contains(action));
                assert_eq!(named.contains(action), belongs, "{}", call.name());
            }
        }
        let needed = calls::all().flat_map(|call| call.iam).collect::<BTreeSet<_>>();
        assert!(named.iter().all(|action| needed.contains(action)));
        for writing in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sts:AssumeRole"] {
            assert!(!named.contains(writing), "{writing}");
        }
        assert!(!named.iter().any(|action| action.contains('*')));
    }
}
