use palisade_wire::sigv4::Secret;
use serde_json::json;

use super::*;

#[test]
fn sts_answers_are_read_whole_or_not_at_all() {
    let whole = json!({"Credentials": {
        "AccessKeyId": "ASIA1", "SecretAccessKey": "hidden", "SessionToken": "hidden", "Expiration": "2026-11-30T12:00:00Z",
    }});
    let keys = Keys::of_sts(&whole).unwrap();
    assert_eq!((&*keys.access_key_id, keys.expires_ms), ("ASIA1", Some(1_796_040_000_000)));
    for name in ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] {
        for value in [json!(null), json!(""), json!(7)] {
            let mut broken = whole.clone();
            broken["Credentials"][name] = value;
            let failure = Keys::of_sts(&broken).unwrap_err();
            assert_eq!(&*failure.message, format!("the answer has no `Credentials/{name}`"));
        }
    }
    assert!(Keys::of_sts(&json!({})).is_err());
}

#[test]
fn keys_are_good_until_shortly_before_their_end() {
    let keys = |expires_ms| Keys {
        access_key_id: "A".into(),
        secret: Secret::new("hidden"),
        session_token: None,
        expires_ms,
    };
    let found = |expires_ms| Found::Keys { keys: keys(expires_ms), at: Duration::from_secs(100) };
    let is_good =
        |found: &Found, wall_ms, secs| found.good(wall_ms, Duration::from_secs(secs)).is_some();
    let ends = found(Some(1_000_000));
    assert!(is_good(&ends, 1_000_000 - 300_001, 100));
    assert!(!is_good(&ends, 1_000_000 - 300_000, 100));
    assert!(ends.usable(999_999).is_some());
    assert!(ends.usable(1_000_000).is_none());
    let lasting = found(None);
    assert!(is_good(&lasting, i64::MAX, 399));
    assert!(!is_good(&lasting, 0, 400));
    assert!(lasting.usable(0).is_none(), "a source that fails now is heard");
    assert!(!is_good(&Found::Nothing, 0, 0));
}
