//! The sample keeps its promises.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;

const NOW_MS: i64 = 1_770_100_000_000;

fn files(seed: u64) -> (BTreeMap<PathBuf, Vec<u8>>, Census) {
    let mut files = BTreeMap::new();
    let census = generate(Extent { seed, ..Extent::default() }, NOW_MS, |file| {
        assert!(files.insert(file.path.clone(), file.bytes).is_none(), "{:?} twice", file.path);
        Ok(())
    })
    .unwrap();
    (files, census)
}

fn digest(files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<u8> {
    let mut hash = Sha256::new();
    for (path, bytes) in files {
        hash.update(path.to_str().unwrap());
        hash.update(bytes);
    }
    hash.finalize().to_vec()
}

#[test]
fn a_seed_gives_the_same_bytes() {
    let (first, _) = files(SEED);
    let (second, _) = files(SEED);
    assert_eq!(digest(&first), digest(&second));
    let (other, _) = files(SEED + 1);
    assert_ne!(digest(&first), digest(&other));
}

#[test]
fn it_is_as_large_as_promised() {
    let (files, census) = files(SEED);
    assert!(census.accounts >= 40, "{census:?}");
    assert!((9_500..=11_500).contains(&census.items), "{census:?}");
    assert_eq!(
        census.snapshots,
        (census.accounts - 1) * REGIONS.len(),
        "one account is unheard of"
    );
    assert_eq!(files.len(), census.snapshots + 1 + policies::all().len());
}

#[test]
fn snapshots_are_named_and_built_as_delivered() {
    let (files, _) = files(SEED);
    let admin = account_id("security-tooling").unwrap();
    let (path, bytes) = files
        .iter()
        .find(|(path, _)| path.to_str().unwrap().contains(&format!("{admin}/Config/eu-west-1/")))
        .unwrap();
    let path = path.to_str().unwrap();
    assert!(path.starts_with(&format!(
        "AWSLogs/{admin}/Config/eu-west-1/2026/2/3/ConfigSnapshot/{admin}_Config_eu-west-1_ConfigSnapshot_20260203T054140Z_"
    )), "{path}");
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    assert!(!text.contains('\n'), "one line, no newline at its end");
    assert!(text.starts_with(r#"{"fileVersion":"1.0","configSnapshotId":""#), "{}", &text[..80]);
    let value: Value = serde_json::from_str(&text).unwrap();
    let taken = "2026-02-03T05:41:40";
    for item in value["configurationItems"].as_array().unwrap() {
        assert!(item["configurationItemCaptureTime"].as_str().unwrap() < taken, "{item}");
        assert_eq!(item["awsAccountId"], Value::from(admin.as_str()));
    }
}

/// Whoever makes a small organization judges it by the policies beside it.
#[test]
fn policies_name_accounts_of_the_organization_alone() {
    for size in 1..=48 {
        let present: Vec<String> = (0..size).map(company::nth_account_id).collect();
        for (name, policy) in policies::all() {
            let Some(put) = policies::about(policy, &present) else { continue };
            for map in ["IncludeMap", "ExcludeMap"] {
                let named = put["Policy"][map]["ACCOUNT"].as_array().into_iter().flatten();
                let strange: Vec<_> =
                    named.filter(|id| !present.iter().any(|one| **id == **one)).collect();
                assert!(strange.is_empty(), "{size} {name}: {strange:?}");
            }
        }
    }
    let all: Vec<String> = (0..48).map(company::nth_account_id).collect();
    assert!(
        policies::all().into_iter().all(|(_, put)| policies::about(put.clone(), &all) == Some(put))
    );
    assert_eq!(
        policies::all().into_iter().filter_map(|(_, put)| policies::about(put, &[])).count(),
        8
    );
}
