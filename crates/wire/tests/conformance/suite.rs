//! Where the vectors are, and how a run over many cases reports.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A file of the vectors: one of the repository's own, else one of others' suites.
pub fn load(name: &str) -> Option<Value> {
    let own = palisade_testkit::workspace().join("tests/data/conformance").join(name);
    let path = if own.is_file() {
        own
    } else {
        palisade_testkit::outside_data("PALISADE_CONFORMANCE", "conformance")?.join(name)
    };
    let text =
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("`{}`: {e}", path.display()));
    Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("`{}`: {e}", path.display())))
}

/// The cases of a file: the array itself or its `cases`.
pub fn cases(file: &Value) -> &Vec<Value> {
    file.as_array().or_else(|| file["cases"].as_array()).unwrap()
}

/// Runs every case and fails with the list of those that failed.
pub fn run(name: &str, mut case: impl FnMut(&Value) -> Result<(), String>) {
    let Some(file) = load(name) else { return };
    let mut failures = Vec::new();
    let all = cases(&file);
    for one in all {
        if let Err(reason) = case(one) {
            failures.push(format!("{}: {reason}", label(one)));
        }
    }
    assert!(!all.is_empty(), "`{name}` holds no case");
    assert!(
        failures.is_empty(),
        "{} of {} cases of `{name}` failed:\n{}",
        failures.len(),
        all.len(),
        failures.join("\n")
    );
}

pub fn label(case: &Value) -> String {
    let of = |key: &str| case[key].as_str().map(str::to_owned);
    of("id").or_else(|| of("name")).or_else(|| of("hex")).unwrap_or_else(|| case.to_string())
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Whether a case of Smithy's is about servers.
pub fn is_for_servers(case: &Value) -> bool {
    matches!(text(case, "appliesTo"), "server" | "both" | "")
}

pub fn base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_else(|e| panic!("`{text}`: {e}"))
}

pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// The bytes of a case: `base64`, `hex`, or `parts` repeated and joined.
pub fn bytes(case: &Value) -> Vec<u8> {
    if let Some(text) = case["base64"].as_str() {
        return base64(text);
    }
    if let Some(text) = case["hex"].as_str() {
        return hex(text);
    }
    let part = |part: &Value| {
        hex(part[0].as_str().unwrap()).repeat(usize::try_from(part[1].as_u64().unwrap()).unwrap())
    };
    case["parts"].as_array().unwrap().iter().flat_map(part).collect()
}

/// `[["Name", "value"], …]` or `{"Name": "value"}`.
pub fn headers(value: &Value) -> Vec<(String, String)> {
    let string = |v: &Value| v.as_str().unwrap().to_owned();
    match value {
        Value::Array(pairs) => pairs.iter().map(|p| (string(&p[0]), string(&p[1]))).collect(),
        Value::Object(map) => map.iter().map(|(n, v)| (n.clone(), string(v))).collect(),
        _ => Vec::new(),
    }
}

pub fn equal<T: PartialEq + std::fmt::Debug>(what: &str, ours: T, theirs: T) -> Result<(), String> {
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("{what}\n  ours   {ours:?}\n  wanted {theirs:?}"))
    }
}

/// JSON with every number a double, so that `1` and `1.0` are one.
pub fn with_doubles(value: &Value) -> Value {
    match value {
        Value::Number(number) => serde_json::json!(number.as_f64()),
        Value::Array(items) => items.iter().map(with_doubles).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), with_doubles(v))).collect(),
        other => other.clone(),
    }
}
