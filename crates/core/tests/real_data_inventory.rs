//! Every published file of real configuration data goes through the reader (`../shared/real-data`,
//! or the folder that `PALISADE_REAL_DATA` names).

#![expect(clippy::unwrap_used, reason = "tests may, and so may what they share")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use palisade_core::ident::ResourceType;
use palisade_core::inventory::{
    Body, Delivery, DeliveryError, DeliveryReader, ShardBuilder, decode_item, encode_item,
};

fn folder() -> Option<PathBuf> {
    palisade_testkit::outside_data("PALISADE_REAL_DATA", "real-data")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "tests read their data")]
fn bytes_of(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

/// Reads a file in chunks of the given size.
fn read(path: &Path, chunk: usize) -> Result<Delivery, DeliveryError> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut reader = DeliveryReader::new(name);
    for bytes in bytes_of(path).chunks(chunk) {
        reader.push(bytes)?;
    }
    reader.finish()
}

#[test]
fn real_data_every_file_is_read_or_refused_with_a_reason() {
    let Some(folder) = folder() else { return };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    assert!(paths.len() > 100, "only {} files", paths.len());
    let mut totals: BTreeMap<&str, [u64; 5]> = BTreeMap::new();
    for path in &paths {
        let shown = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        let total = totals.entry(shown.split('/').next().unwrap()).or_default();
        total[0] += 1;
        let whole = read(path, usize::MAX);
        assert_eq!(whole, read(path, 7), "{shown}: chunks make no difference");
        match whole {
            Ok(delivery) => {
                println!(
                    "{shown}: {} items, {} quarantined, {} ignored{}",
                    delivery.observations.len(),
                    delivery.quarantined.len(),
                    delivery.ignored,
                    if delivery.snapshot.is_some() { ", snapshot" } else { "" },
                );
                total[1] += delivery.observations.len() as u64;
                total[2] += delivery.quarantined.len() as u64;
                total[3] += delivery.ignored;
                for bad in &delivery.quarantined {
                    println!("    {} {:?}: {}", bad.index, bad.resource_id, bad.reason);
                    assert!(!bad.reason.is_empty(), "{shown}");
                }
                for observation in &delivery.observations {
                    let item = &observation.item;
                    assert_eq!(decode_item(&item.key, &encode_item(item)).as_ref(), Ok(item));
                }
            }
            Err(error) => {
                println!("{shown}: refused: {error}");
                assert!(!error.to_string().is_empty());
                total[4] += 1;
            }
        }
    }
    for (kind, [files, items, quarantined, ignored, refused]) in totals {
        println!(
            "{kind}: {files} files, {items} items, {quarantined} quarantined, {ignored} ignored, {refused} refused"
        );
    }
}

#[test]
fn real_data_delivered_files_are_accepted_wholly() {
    let Some(folder) = folder() else { return };
    let mut paths = Vec::new();
    files(&folder.join("assembled"), &mut paths);
    let index = String::from_utf8(bytes_of(&folder.join("assembled/INDEX.tsv"))).unwrap();
    let mut snapshots = 0;
    for path in &paths {
        let shown = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        let row =
            index.lines().find(|line| line.starts_with(shown)).unwrap_or_else(|| panic!("{shown}"));
        let items: usize = row.split('\t').nth(1).unwrap().parse().unwrap();
        let delivery = read(path, 4096).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(delivery.quarantined, [], "{shown}");
        assert_eq!(delivery.observations.len(), items, "{shown}");
        assert_eq!(delivery.snapshot.is_some(), shown.contains("ConfigSnapshot"), "{shown}");
        let Some(facts) = delivery.snapshot else { continue };
        snapshots += 1;
        let shard = facts.shard.clone().unwrap_or_else(|| panic!("{shown}: no shard"));
        let mut builder = ShardBuilder::new(shard.clone());
        builder.accept_snapshot();
        for (covered, types) in &facts.covers {
            assert_eq!(*covered, shard, "{shown}");
            types.iter().for_each(|one| builder.mark(one.clone(), facts.moment_ms));
        }
        for (held, types) in &facts.holds {
            assert_eq!(*held, shard, "{shown}");
            types.iter().for_each(|one| builder.contain(one.clone()));
        }
        for observation in delivery.observations {
            builder.observe(observation, Some(facts.moment_ms));
        }
        let sealed = builder.seal();
        assert_eq!(sealed.items.values().map(BTreeMap::len).sum::<usize>(), items, "{shown}");
        let holds = sealed.of_type(&ResourceType::SECURITY_GROUP).next().is_some();
        assert_eq!(
            sealed.knows(&ResourceType::SECURITY_GROUP),
            holds,
            "{shown}: none has a recorder"
        );
    }
    assert_eq!(
        snapshots,
        paths.iter().filter(|path| path.to_str().unwrap().contains("_ConfigSnapshot_")).count()
    );
}

#[test]
fn real_data_wanted_types_have_typed_bodies() {
    let Some(folder) = folder() else { return };
    for (file, wanted) in [
        ("config-item/AWS_EC2_SecurityGroup.json", "SecurityGroup("),
        ("config-item/AWS_EC2_Instance.json", "Instance("),
        ("config-item/AWS_ElasticLoadBalancingV2_LoadBalancer.json", "LoadBalancer("),
        ("config-item/AWS_ApiGateway_Stage.json", "ApiStage("),
        ("config-item/AWS_Shield_Protection.json", "Protection("),
        ("config-item/AWS_IAM_Role.json", "Unwanted"),
        ("config-notification/go-awsconfig.eni.json", "NetworkInterface("),
        ("config-notification/manageiq.AWS_EC2_SecurityGroup_DELETE.json", "Deleted"),
        ("config-notification/awsConfigRuleOversizedConfiguration.json", "Unseen"),
        (
            "config-api/test_sg_config_diff__config.GetResourceConfigHistory_1.json",
            "SecurityGroup(",
        ),
    ] {
        let delivery =
            read(&folder.join(file), 1000).unwrap_or_else(|error| panic!("{file}: {error}"));
        let first: &Body =
            &delivery.observations.first().unwrap_or_else(|| panic!("{file}")).item.body;
        assert!(format!("{first:?}").starts_with(wanted), "{file}: {first:?}");
    }
}
