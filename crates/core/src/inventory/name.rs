//! What the name of a delivered file says of it (formats §5).

use crate::ident::{AccountId, Region, ResourceType, ShardId};

use super::read::file_name_ms;
use super::region::region_named;

/// Which kind a file's name says it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Snapshot,
    History,
    Change,
}

/// What a delivered file's name says, or the key of its object in S3.
#[derive(Debug, Default)]
pub(super) struct NameFacts {
    pub kind: Option<Kind>,
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    /// The one type that a history or a change is about.
    pub resource_type: Option<ResourceType>,
    /// The first time behind the kind: the moment of a snapshot.
    pub moment_ms: Option<i64>,
    /// The last time in it: the end of what a history tells.
    pub latest_ms: Option<i64>,
}

impl NameFacts {
    pub fn of(name: &str) -> NameFacts {
        const KINDS: [(&str, Kind); 3] = [
            ("ConfigSnapshot", Kind::Snapshot),
            ("ConfigHistory", Kind::History),
            ("ChangeNotification", Kind::Change),
        ];
        // The last mention: folders carry the names of kinds as well, and may be named anything.
        let last = KINDS
            .iter()
            .filter_map(|(word, kind)| Some((name.rfind(word)?, *word, *kind)))
            .max_by_key(|(at, _, _)| *at);
        let Some((at, word, kind)) = last else {
            let (account, region) = by_folder(name);
            return NameFacts { account, region, ..NameFacts::default() };
        };
        let before = name.get(..at).unwrap_or_default();
        let after = name.get(at + word.len()..).unwrap_or_default();
        let file = before.rsplit('/').next().unwrap_or_default();
        let (account, region) = match file.split('_').collect::<Vec<_>>().as_slice() {
            [account, "Config", region, ""] => (account_of(account), region_of(region)),
            _ => by_folder(name),
        };
        let words = || after.strip_prefix('_').into_iter().flat_map(|rest| rest.split('_'));
        let of_type = kind != Kind::Snapshot;
        NameFacts {
            kind: Some(kind),
            account,
            region,
            resource_type: words()
                .next()
                .filter(|word| of_type && word.contains("::"))
                .and_then(|word| ResourceType::try_from(word).ok()),
            moment_ms: words().next().and_then(file_name_ms),
            latest_ms: words().filter_map(file_name_ms).max(),
        }
    }

    /// The shard of which it is, where both account and Region are told.
    pub fn shard(&self) -> Option<ShardId> {
        Some(ShardId { account: self.account.clone()?, region: self.region.clone()? })
    }

    /// Whether it says that the file is a snapshot.
    pub fn is_snapshot(&self) -> bool {
        self.kind == Some(Kind::Snapshot)
    }
}

/// `…/<account>/Config/<region>/…`
fn by_folder(name: &str) -> (Option<AccountId>, Option<Region>) {
    let folders: Vec<&str> = name.split('/').collect();
    let found = folders.windows(3).rev().find_map(|three| match three {
        [account, "Config", region] => Some((account_of(account)?, region_of(region))),
        _ => None,
    });
    found.map_or((None, None), |(account, region)| (Some(account), region))
}

fn account_of(text: &str) -> Option<AccountId> {
    AccountId::try_from(text).ok()
}

/// The Region in a name; oversized items of `global` resources are in a folder of that name.
fn region_of(text: &str) -> Option<Region> {
    match text {
        "global" => Some(Region::home_of_global()),
        _ => region_named(text).ok().filter(|region| region.as_str().contains('-')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> String {
        let facts = NameFacts::of(name);
        let text = |known: Option<String>| known.unwrap_or_else(|| "-".to_owned());
        [
            text(facts.account.map(|account| account.to_string())),
            text(facts.region.map(|region| region.to_string())),
            text(facts.resource_type.map(|one| one.to_string())),
            text(facts.moment_ms.map(|ms| ms.to_string())),
            text(facts.latest_ms.map(|ms| ms.to_string())),
        ]
        .join(" ")
    }

    #[test]
    fn a_name_tells_account_region_type_and_times() {
        let moment = "1770091506000";
        for (name, wanted) in [
            (
                "1_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_u.json.gz",
                format!("1 eu-west-1 - {moment} {moment}"),
            ),
            (
                "1_Config_eu-west-1_ConfigHistory_aws::ec2::securitygroup_20260203T040505Z_20260203T040506Z_1.json",
                format!("1 eu-west-1 AWS::EC2::SecurityGroup - {moment}"),
            ),
            (
                "AWSLogs/1/Config/global/2026/2/3/OversizedChangeNotification/AWS::WAFv2::WebACL/x/1_Config_global_ChangeNotification_AWS::WAFv2::WebACL_x_20260203T040506Z_1.json.gz",
                format!("1 us-east-1 AWS::WAFv2::WebACL - {moment}"),
            ),
            ("o/AWSLogs/o-1/1/Config/eu-west-1/x.json", "1 eu-west-1 - - -".to_owned()),
            ("1/Config/x.json", "1 - - - -".to_owned()),
            ("Config/eu-west-1/x.json", "- - - - -".to_owned()),
            ("x.json", "- - - - -".to_owned()),
        ] {
            assert_eq!(told(name), wanted, "{name}");
        }
    }
}
