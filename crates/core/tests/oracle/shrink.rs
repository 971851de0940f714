//! Makes a case that shows a difference as small as it gets, for people to read.

use serde_json::Value;

/// What tells whose an item is, and what a file.
const KEPT: [&str; 21] = [
    "name",
    "awsAccountId",
    "awsRegion",
    "resourceType",
    "resourceId",
    "configurationItemCaptureTime",
    "configurationItemStatus",
    "configSnapshotId",
    // What is not told is another matter than what is not there.
    "ipPermissions",
    "ipPermissionsEgress",
    "groups",
    "groupName",
    "vpcId",
    "securityGroups",
    "networkInterfaces",
    "networkInterfaceId",
    "relationships",
    "tags",
    "state",
    "ManagedByFirewallManager",
    "RetrofittedByFirewallManager",
];

/// Leaves out what can be left out of a case while `differs` still holds of it.
pub fn shrink(case: &Value, differs: impl Fn(&Value) -> bool) -> Value {
    let mut smallest = case.clone();
    let mut tries = 0;
    loop {
        let mut progress = false;
        for pointer in places(&smallest) {
            // Core knows the contents of AWS's own lists without being told, and what makes an item
            // readable stays: else the smallest case would be about something else.
            let last = pointer.rsplit('/').next().unwrap_or_default();
            if pointer.starts_with("/lists") || KEPT.contains(&last) {
                continue;
            }
            let mut smaller = smallest.clone();
            if !remove(&mut smaller, &pointer) {
                continue;
            }
            tries += 1;
            if tries > 20_000 {
                return smallest;
            }
            if differs(&smaller) {
                smallest = smaller;
                progress = true;
            }
        }
        if !progress {
            return smallest;
        }
    }
}

/// Every place that something stands at, the larger pieces first, later elements before earlier.
fn places(value: &Value) -> Vec<String> {
    let mut found = vec![];
    let mut queue = std::collections::VecDeque::from([(String::new(), value)]);
    while let Some((pointer, value)) = queue.pop_front() {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    let step = key.replace('~', "~0").replace('/', "~1");
                    found.push(format!("{pointer}/{step}"));
                    queue.push_back((format!("{pointer}/{step}"), inner));
                }
            }
            Value::Array(elements) => {
                for (at, inner) in elements.iter().enumerate().rev() {
                    found.push(format!("{pointer}/{at}"));
                    queue.push_back((format!("{pointer}/{at}"), inner));
                }
            }
            _ => {}
        }
    }
    found
}

fn remove(value: &mut Value, pointer: &str) -> bool {
    let Some((parent, step)) = pointer.rsplit_once('/') else { return false };
    let step = step.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => map.remove(&step).is_some(),
        Some(Value::Array(elements)) => match step.parse::<usize>() {
            Ok(at) if at < elements.len() => {
                elements.remove(at);
                true
            }
            _ => false,
        },
        _ => false,
    }
}
