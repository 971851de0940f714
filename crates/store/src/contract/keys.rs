//! Facts about access keys.

use crate::{
    AuditEvent, CallerKind, KeyChange, KeyRecord, KeyRole, Store, StoreError, StoredSecret,
};

use super::Bed;
use super::facts::*;

pub fn key(name: &str, created_ms: i64) -> KeyRecord {
    KeyRecord {
        access_key_id: name.to_owned(),
        secret: StoredSecret::Sealed { under: "k1".to_owned(), text: format!("s-{name}") },
        account: (created_ms > 1).then(|| account(1)),
        enabled: true,
        replaces: None,
        created_ms,
        last_used_ms: None,
        name: None,
        role: KeyRole::Full,
        expires_ms: None,
        signed_out_ms: None,
    }
}

pub fn event(operation: &str, at_ms: i64) -> AuditEvent {
    AuditEvent {
        at_ms,
        request_id: format!("r-{at_ms}"),
        access_key_id: None,
        key_name: None,
        caller: CallerKind::Operator,
        account: None,
        region: "us-east-1".to_owned(),
        operation: operation.to_owned(),
        changes: Vec::new(),
    }
}

pub fn change_keys(store: &dyn Store, changes: &[KeyChange]) -> crate::Result<u64> {
    store.commit_keys(store.keys_revision()?, changes, &event("ChangeKeys", 1))
}

fn named(key: &KeyRecord) -> String {
    key.access_key_id.clone()
}

pub fn keys_are_kept_in_order_of_creation(bed: &mut impl Bed) {
    let store = bed.store();
    let rotated = KeyRecord { replaces: Some("c".to_owned()), ..key("b", 2) };
    for key in [key("c", 1), rotated.clone(), key("a", 2)] {
        change_keys(store, &[KeyChange::Create(key)]).unwrap();
    }
    assert_eq!(store.keys().unwrap(), [key("c", 1), key("a", 2), rotated.clone()]);
    assert_eq!(store.key("b").unwrap(), Some(rotated));
    assert!(store.key("B").unwrap().is_none(), "ids are told apart by letter case");
}

pub fn a_key_keeps_its_name_its_role_and_its_end(bed: &mut impl Bed) {
    let store = bed.store();
    let name = |text: &str| Some(text.to_owned());
    let kept = [
        KeyRecord { name: name("ci-pipeline"), expires_ms: Some(i64::MAX), ..key("a", 1) },
        KeyRecord { role: KeyRole::Reader, expires_ms: Some(0), ..key("b", 2) },
        KeyRecord { name: name("Prüfer 监"), role: KeyRole::Reader, ..key("c", 3) },
    ];
    let made: Vec<KeyChange> = kept.iter().cloned().map(KeyChange::Create).collect();
    change_keys(store, &made).unwrap();
    assert_eq!(store.keys().unwrap(), kept);
    for key in kept {
        let id = &key.access_key_id;
        let disabled = KeyChange::Enable { access_key_id: id.clone(), enabled: false };
        change_keys(store, &[disabled]).unwrap();
        assert_eq!(store.key(id).unwrap(), Some(KeyRecord { enabled: false, ..key }));
    }
}

pub fn who_signs_out_everywhere_stays_so_whatever_moment_comes_later(bed: &mut impl Bed) {
    let store = bed.store();
    change_keys(store, &[KeyChange::Create(key("a", 1)), KeyChange::Create(key("b", 2))]).unwrap();
    let out = |at_ms| KeyChange::SignOut { access_key_id: "a".to_owned(), at_ms };
    for (at_ms, kept) in [(5, 5), (9, 9), (7, 9)] {
        change_keys(store, &[out(at_ms)]).unwrap();
        let signed_out_ms = Some(kept);
        assert_eq!(store.key("a").unwrap(), Some(KeyRecord { signed_out_ms, ..key("a", 1) }));
    }
    assert_eq!(store.key("b").unwrap(), Some(key("b", 2)), "another key");
    let gone = KeyChange::SignOut { access_key_id: "c".to_owned(), at_ms: 1 };
    assert!(matches!(change_keys(store, &[gone]), Err(StoreError::Conflict)));
}

pub fn keys_are_disabled_sealed_anew_and_removed(bed: &mut impl Bed) {
    let store = bed.store();
    let plain = KeyRecord { secret: StoredSecret::Plain("old".to_owned()), ..key("a", 1) };
    let changes = [KeyChange::Create(plain), KeyChange::Create(key("b", 2))];
    change_keys(store, &changes).unwrap();
    let (access_key_id, enabled) = ("a".to_owned(), false);
    let secret = StoredSecret::Sealed { under: "k2".to_owned(), text: "new".to_owned() };
    let changes = [
        KeyChange::Enable { access_key_id: access_key_id.clone(), enabled },
        KeyChange::Seal { access_key_id, secret: secret.clone() },
        KeyChange::Remove("b".to_owned()),
    ];
    change_keys(store, &changes).unwrap();
    assert_eq!(store.keys().unwrap(), [KeyRecord { secret, enabled, ..key("a", 1) }]);
    let access_key_id = "a".to_owned();
    change_keys(store, &[KeyChange::Enable { access_key_id, enabled: true }]).unwrap();
    assert!(store.key("a").unwrap().unwrap().enabled);
}

pub fn a_change_of_keys_is_made_whole_at_its_revision_or_not_at_all(bed: &mut impl Bed) {
    let store = bed.store();
    change_keys(store, &[KeyChange::Create(key("a", 1))]).unwrap();
    let revision = store.keys_revision().unwrap();
    let control = store.control_revision().unwrap();
    let no = |access_key_id: &str| access_key_id.to_owned();
    let fresh = KeyChange::Create(key("b", 2));
    for (at, second) in [
        (revision - 1, KeyChange::Create(key("c", 3))),
        (revision + 1, KeyChange::Create(key("c", 3))),
        (revision, KeyChange::Create(key("a", 3))),
        (revision, KeyChange::Remove(no("x"))),
        (revision, KeyChange::Enable { access_key_id: no("x"), enabled: true }),
        (
            revision,
            KeyChange::Seal { access_key_id: no("x"), secret: StoredSecret::Plain(no("y")) },
        ),
    ] {
        let answer = store.commit_keys(at, &[fresh.clone(), second.clone()], &event("No", 9));
        assert!(matches!(answer, Err(StoreError::Conflict)), "{second:?}: {answer:?}");
    }
    assert_eq!(store.keys().unwrap().iter().map(named).collect::<Vec<_>>(), ["a"]);
    assert_eq!(store.keys_revision().unwrap(), revision);
    let told = store.audit(&Default::default(), 9).unwrap();
    assert!(told.iter().all(|row| row.event.operation != "No"), "{told:?}");
    assert_eq!(store.commit_keys(revision, &[fresh], &event("Yes", 9)).unwrap(), revision + 1);
    assert_eq!(store.control_revision().unwrap(), control, "keys are no control state");
    let told = store.audit(&Default::default(), 9).unwrap();
    assert_eq!(told[0].event, event("Yes", 9));
}

pub fn the_last_use_of_a_key_only_moves_forward(bed: &mut impl Bed) {
    let store = bed.store();
    let changes = [KeyChange::Create(key("a", 1)), KeyChange::Create(key("b", 2))];
    change_keys(store, &changes).unwrap();
    let revision = store.keys_revision().unwrap();
    let used = |name: &str, at_ms| (name.to_owned(), at_ms);
    store.used_keys(&[used("a", 50), used("gone", 50)]).unwrap();
    store.used_keys(&[used("a", 40)]).unwrap();
    let told: Vec<_> = store.keys().unwrap().iter().map(|key| key.last_used_ms).collect();
    assert_eq!(told, [Some(50), None]);
    store.used_keys(&[used("a", 60), used("b", 7)]).unwrap();
    let told: Vec<_> = store.keys().unwrap().iter().map(|key| key.last_used_ms).collect();
    assert_eq!(told, [Some(60), Some(7)]);
    assert_eq!(store.keys_revision().unwrap(), revision, "uses decide nothing");
}

pub fn the_sealing_key_is_remembered_at_the_revision_it_was_decided_on(bed: &mut impl Bed) {
    let store = bed.store();
    assert_eq!(store.sealed_under().unwrap(), None, "no sealing key was used yet");
    let revision = store.keys_revision().unwrap();
    let under = |name: &str| [KeyChange::SealUnder(name.to_owned())];
    store.commit_keys(revision, &under("k1"), &event("SealKeys", 1)).unwrap();
    let late = store.commit_keys(revision, &under("k2"), &event("SealKeys", 2));
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    assert_eq!(store.sealed_under().unwrap().as_deref(), Some("k1"));
    change_keys(store, &under("k2")).unwrap();
    assert_eq!(store.sealed_under().unwrap().as_deref(), Some("k2"));
}
