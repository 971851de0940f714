//! What somebody is to do something about before anything fails, each with what to do in one sentence.

use jiff::Timestamp;
use palisade_api::key_use::KeyUse;
use palisade_api::keys;
use palisade_core::organization::Organization;
use palisade_store::KeyRecord;

use super::page::Page;
use crate::report::{Age, to_seconds};
use crate::system::Room;

/// Age of inventory, seconds, from which it is told of: the age that counts as stale by default.
pub(super) const STALE_SECS: f64 = 36.0 * 60.0 * 60.0;
/// Room on a disk below which it is told of: 1 GiB.
const ROOM_MIN: f64 = 1024.0 * 1024.0 * 1024.0;
/// Seconds that two clocks may differ. Signatures are believed five minutes each way.
const CLOCK_SECS: i64 = 60;
/// Seconds before its end from which on a certificate is told of: 14 days.
const CERTIFICATE_SECS: f64 = 14.0 * 86_400.0;
/// Keys that are named.
const NAMED_MAX: usize = 3;

/// Lines of a report, each a name and what was found, and what was looked at for what to do.
pub(crate) type Looked = (Vec<(String, String)>, Vec<Finding>);

/// What was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Finding {
    /// What.
    pub check: &'static str,
    /// How it is.
    pub found: String,
    /// What to do; `None`: nothing.
    pub fix: Option<String>,
}

impl Finding {
    /// Whether both tell of the same: a store's keys one by one, and how many they are; a disk.
    pub fn is_about(&self, other: &Finding) -> bool {
        let subject = |check: &'static str| if check.contains("keys") { "keys" } else { check };
        subject(self.check) == subject(other.check)
            && (self.check != "disk" || other.found.ends_with("store"))
    }

    fn new(check: &'static str, found: impl Into<String>, fix: Option<&str>) -> Finding {
        Finding { check, found: found.into(), fix: fix.map(str::to_owned) }
    }
}

/// The keys of a store.
pub(crate) fn keys(
    all: &[KeyRecord],
    organization: Option<&Organization>,
    now_ms: i64,
) -> Vec<Finding> {
    let of = |state: KeyUse| {
        all.iter().filter(move |key| KeyUse::of(key, now_ms) == state).collect::<Vec<_>>()
    };
    let outside: Vec<&KeyRecord> =
        all.iter().filter(|key| keys::outside(key, organization).is_some()).collect();
    let told = [
        (
            "keys expiring",
            of(KeyUse::Expiring),
            "make what takes their place with `palisade keys rotate`, and hand it out before then",
        ),
        ("keys expired", of(KeyUse::Expired), "delete them with `palisade keys delete`"),
        (
            "keys unused",
            of(KeyUse::Unused),
            "nobody called with them for 90 days: disable them with `palisade keys disable`, and delete them \
             when nobody misses them",
        ),
        (
            "keys outside",
            outside,
            "their accounts are not in the organization: bring a newer file with `palisade organization \
             apply`, or delete them",
        ),
    ];
    let told = told.into_iter().filter(|(_, keys, _)| !keys.is_empty());
    let mut findings: Vec<Finding> =
        told.map(|(check, keys, fix)| Finding::new(check, named(&keys), Some(fix))).collect();
    if findings.is_empty() && !all.is_empty() {
        findings.push(Finding::new(
            "keys in use",
            "none expires within 14 days or is unused",
            None,
        ));
    }
    findings
}

/// The first of some keys, with their names and ends.
fn named(keys: &[&KeyRecord]) -> String {
    let name = |key: &&KeyRecord| {
        let name = key.name.as_deref().map(|name| format!(" `{name}`")).unwrap_or_default();
        let end = key.expires_ms.and_then(|end| Timestamp::from_millisecond(end).ok());
        let end = end.map(|end| format!(" until {}", to_seconds(&end.to_string())));
        let end = end.unwrap_or_default();
        format!("{}{name}{end}", key.access_key_id)
    };
    let first: Vec<String> = keys.iter().take(NAMED_MAX).map(name).collect();
    let more = keys.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// The room on the disk of a store.
pub(crate) fn disk(room: Option<Room>) -> Option<Finding> {
    let Room { bytes, free_bytes } = room?;
    Some(of_disk("store", free_bytes as f64, bytes as f64))
}

fn of_disk(of: &str, free: f64, all: f64) -> Finding {
    let gibibytes = |bytes: f64| bytes / ROOM_MIN;
    let found = format!(
        "{:.1} GiB of {:.1} GiB are left on the disk of the {of}",
        gibibytes(free),
        gibibytes(all)
    );
    let fix = "make room on it: below 1 MiB nothing is acknowledged";
    Finding::new("disk", found, (free < ROOM_MIN).then_some(fix))
}

/// The difference of a server's clock to ours, seconds; above 0 it is ahead.
pub(crate) fn clock(ahead_secs: Option<i64>) -> Option<Finding> {
    let ahead = ahead_secs?;
    let found = match ahead {
        -1..=1 => "the server's and ours agree".to_owned(),
        2.. => format!("the server's is {ahead} s ahead of ours"),
        _ => format!("the server's is {} s behind ours", ahead.saturating_abs()),
    };
    let fix = "set both by NTP: signatures are believed for five minutes each way";
    let is_off = ahead.saturating_abs() > CLOCK_SECS;
    Some(Finding::new("clock", found, is_off.then_some(fix)))
}

/// What a server's page tells.
pub(super) fn of_page(page: &Page) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        [coverage(page), staleness(page), certificate(page)].into_iter().flatten().collect();
    for (labels, free) in page.labelled("palisade_disk_free_bytes") {
        let of = labels.get("of").map_or("store", String::as_str);
        let all = page.told_one("palisade_disk_bytes", "of", of);
        findings.extend(all.map(|all| of_disk(of, free, all)));
    }
    findings.extend(keys_told(page));
    findings
}

/// Accounts that policies are about, by the age of their inventory.
fn coverage(page: &Page) -> Option<Finding> {
    let sum = |inventory: &str| {
        let all = page.labelled("palisade_region_accounts");
        let of = |labels: &std::collections::BTreeMap<String, String>| {
            labels.get("inventory").is_some_and(|it| it == inventory)
        };
        all.filter(|(labels, _)| of(labels)).map(|(_, count)| count).sum::<f64>()
    };
    page.labelled("palisade_region_accounts").next()?;
    let (fresh, stale, none) = (sum("fresh"), sum("stale"), sum("none"));
    let found = format!(
        "{fresh} of {} accounts and Regions that policies are about are fresh, {stale} stale, {none} were \
         never told of",
        fresh + stale + none
    );
    let fix = "`palisade compliance --status unknown` names them, `palisade sources` tells what is read; see to \
               what delivers their inventory";
    Some(Finding::new("coverage", found, (stale + none > 0.0).then_some(fix)))
}

/// Policies that are judged by stale inventory.
fn staleness(page: &Page) -> Option<Finding> {
    let ages: Vec<f64> =
        page.labelled("palisade_policy_inventory_age_seconds").map(|(_, age)| age).collect();
    let oldest = ages.iter().copied().reduce(f64::max)?;
    let stale = ages.iter().filter(|age| **age >= STALE_SECS).count();
    let found = format!(
        "{stale} of {} policies are judged by stale inventory; the oldest is {} old",
        ages.len(),
        Age::words(oldest)
    );
    let fix =
        "deliver newer inventory of the accounts that `palisade compliance --status unknown` names";
    Some(Finding::new("staleness", found, (stale > 0).then_some(fix)))
}

fn certificate(page: &Page) -> Option<Finding> {
    let left = page.told("palisade_certificate_expires_seconds")?;
    let found = match left > 0.0 {
        true => format!("the server's is good for {} more", Age::words(left)),
        false => format!("the server's is no longer good since {}", Age::words(-left)),
    };
    let fix = "write the files of --tls-cert and --tls-key anew: they are read again by themselves";
    Some(Finding::new("certificate", found, (left < CERTIFICATE_SECS).then_some(fix)))
}

/// Keys as a page tells of them, which names none.
fn keys_told(page: &Page) -> Option<Finding> {
    let of = |state: KeyUse| page.told_one("palisade_keys", "state", state.name());
    let counts: Option<Vec<(KeyUse, f64)>> =
        KeyUse::ALL.into_iter().map(|state| Some((state, of(state)?))).collect();
    let counts = counts?;
    let told: Vec<String> =
        counts.iter().map(|(state, count)| format!("{count} {}", state.name())).collect();
    let is_due = |state: KeyUse| match state {
        KeyUse::Expiring | KeyUse::Expired | KeyUse::Unused => true,
        KeyUse::Working | KeyUse::Disabled => false,
    };
    let due = counts.iter().any(|(state, count)| is_due(*state) && *count > 0.0);
    let fix = "`palisade keys list` tells which: `keys rotate` what expires, `keys delete` what has expired or \
               nobody uses";
    Some(Finding::new("access keys", told.join(", "), due.then_some(fix)))
}

#[cfg(test)]
mod tests {
    use palisade_core::ident::AccountId;
    use palisade_store::{KeyRole, StoredSecret};

    use super::*;

    const DAY_MS: i64 = 86_400_000;
    const NOW_MS: i64 = 1_000 * DAY_MS;

    fn key(id: &str) -> KeyRecord {
        KeyRecord {
            access_key_id: id.to_owned(),
            secret: StoredSecret::Plain(String::new()),
            account: None,
            enabled: true,
            replaces: None,
            created_ms: NOW_MS,
            last_used_ms: None,
            name: None,
            role: KeyRole::Full,
            expires_ms: None,
            signed_out_ms: None,
        }
    }

    fn told(keys: &[KeyRecord]) -> Vec<(&'static str, String)> {
        let found = super::keys(keys, None, NOW_MS);
        found.into_iter().map(|finding| (finding.check, finding.found)).collect()
    }

    #[test]
    fn keys_are_told_of_from_the_second_on_that_matters() {
        let ends = |ms: i64| KeyRecord { expires_ms: Some(NOW_MS + ms), ..key("A") };
        let used =
            |ms: i64| KeyRecord { last_used_ms: Some(NOW_MS - ms), created_ms: 0, ..key("A") };
        for (key, check) in [
            (key("A"), "keys in use"),
            (ends(14 * DAY_MS + 1), "keys in use"),
            (ends(14 * DAY_MS), "keys expiring"),
            (ends(1), "keys expiring"),
            (ends(0), "keys expired"),
            (ends(-1), "keys expired"),
            (used(90 * DAY_MS - 1), "keys in use"),
            (used(90 * DAY_MS), "keys unused"),
            (KeyRecord { created_ms: NOW_MS - 90 * DAY_MS, ..key("A") }, "keys unused"),
            (KeyRecord { enabled: false, ..ends(1) }, "keys in use"),
            (KeyRecord { enabled: false, ..ends(0) }, "keys expired"),
        ] {
            let found = told(std::slice::from_ref(&key));
            assert_eq!(
                found.iter().map(|(check, _)| *check).collect::<Vec<_>>(),
                [check],
                "{key:?}"
            );
        }
        assert!(told(&[]).is_empty());
    }

    #[test]
    fn keys_are_named_to_the_limit() {
        let ids = ["A", "B", "C", "D"];
        let end = Some(NOW_MS + DAY_MS);
        let keys = ids.map(|id| KeyRecord {
            expires_ms: end,
            name: (id == "A").then(|| "ci".to_owned()),
            ..key(id)
        });
        let until = "until 1972-09-28T00:00:00Z";
        let expected = format!("A `ci` {until}, B {until}, C {until} and 1 more");
        assert_eq!(told(&keys), [("keys expiring", expected)]);
        assert!(!told(&keys[..3])[0].1.contains("more"));
    }

    #[test]
    fn keys_of_accounts_outside_the_organization_are_told_of() {
        let text = r#"{"Organization": {"Id": "o-example01", "ManagementAccountId": "111111111111"},
            "Roots": [{"Id": "r-root"}], "OrganizationalUnits": [],
            "Accounts": [{"Id": "111111111111", "Name": "m", "Status": "ACTIVE", "ParentId": "r-root"}]}"#;
        let organization = Organization::parse(text.as_bytes()).unwrap();
        let of = |id: &str| KeyRecord { account: AccountId::try_from(id).ok(), ..key("A") };
        let checks = |id: &str| super::keys(&[of(id)], Some(&organization), NOW_MS)[0].check;
        assert_eq!(checks("111111111111"), "keys in use");
        assert_eq!(checks("222222222222"), "keys outside");
    }

    #[test]
    fn what_a_page_tells_has_a_fix_where_something_is_to_be_done() {
        let gib = 1024_u64.pow(3);
        for (line, check, found, is_due) in [
            (
                "palisade_region_accounts{region=\"x\",inventory=\"fresh\"} 3",
                "coverage",
                "3 of 3",
                false,
            ),
            (
                "palisade_region_accounts{region=\"x\",inventory=\"stale\"} 1",
                "coverage",
                "1 stale",
                true,
            ),
            (
                "palisade_region_accounts{region=\"x\",inventory=\"none\"} 1",
                "coverage",
                "1 were never",
                true,
            ),
            (
                "palisade_policy_inventory_age_seconds{policy=\"p\"} 129599",
                "staleness",
                "0 of 1",
                false,
            ),
            (
                "palisade_policy_inventory_age_seconds{policy=\"p\"} 129600",
                "staleness",
                "1 of 1",
                true,
            ),
            ("palisade_certificate_expires_seconds 1209600", "certificate", "14 d more", false),
            ("palisade_certificate_expires_seconds 1209599", "certificate", "more", true),
            ("palisade_certificate_expires_seconds -60", "certificate", "no longer good", true),
        ] {
            let findings = of_page(&Page::parse(line));
            let [finding] = &findings[..] else { panic!("{line}: {findings:?}") };
            assert_eq!((finding.check, finding.fix.is_some()), (check, is_due), "{line}");
            assert!(finding.found.contains(found), "{line}: {}", finding.found);
        }
        for (free, is_due) in [(gib, false), (gib - 1, true)] {
            let page = format!(
                "palisade_disk_free_bytes{{of=\"spool\"}} {free}\npalisade_disk_bytes{{of=\"spool\"}} {}\n",
                4 * gib
            );
            let findings = of_page(&Page::parse(&page));
            assert_eq!(findings[0].fix.is_some(), is_due);
            assert!(findings[0].found.ends_with("of 4.0 GiB are left on the disk of the spool"));
            let room = Room { bytes: 4 * gib, free_bytes: free };
            assert_eq!(disk(Some(room)).unwrap().fix.is_some(), is_due);
        }
        let states = |due: u64| {
            let of = |state: KeyUse| {
                let count = if state == KeyUse::Expiring { due } else { 0 };
                format!("palisade_keys{{state=\"{}\"}} {count}\n", state.name())
            };
            of_page(&Page::parse(&KeyUse::ALL.map(of).concat()))
        };
        assert_eq!(states(0)[0].fix, None);
        assert!(states(1)[0].fix.is_some() && states(1)[0].found.contains("1 expiring"));
        assert!(of_page(&Page::parse("palisade_work 1\n")).is_empty(), "not told is not none");
    }

    #[test]
    fn clocks_may_differ_by_a_minute() {
        for (ahead, found, is_due) in [
            (0, "agree", false),
            (60, "60 s ahead", false),
            (61, "61 s ahead", true),
            (-60, "60 s behind", false),
            (-61, "61 s behind", true),
        ] {
            let finding = clock(Some(ahead)).unwrap();
            assert!(finding.found.contains(found), "{}", finding.found);
            assert_eq!(finding.fix.is_some(), is_due, "{ahead}");
        }
        assert_eq!(clock(None), None);
    }
}
