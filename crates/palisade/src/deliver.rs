//! Sends many files to the inventory, a few at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use serde_json::Value;

use crate::client::{Client, SENT_AT_ONCE_MAX};
use crate::failure::Failure;
use crate::files;

/// Sends every file and tells what came of it, in the order in which answers come, until `tell`
/// fails.
///
/// Files of one (account, Region) follow each other in the order given, so that what is new in each
/// does not depend on chance; what the server holds in the end would be the same in any order.
///
/// # Errors
/// What `tell` answers.
pub fn each(
    client: &Client,
    found: &[PathBuf],
    tell: impl FnMut(&Path, Result<Value, Failure>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    each_by(&|path| client.ingest(path, &files::origin(path)), found, tell)
}

fn each_by(
    send: &(dyn Fn(&Path) -> Result<Value, Failure> + Sync),
    found: &[PathBuf],
    mut tell: impl FnMut(&Path, Result<Value, Failure>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let streams = streams(found);
    let next = AtomicUsize::new(0);
    let (answers, answered) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..SENT_AT_ONCE_MAX.min(streams.len()) {
            let (answers, streams, next) = (answers.clone(), &streams, &next);
            scope.spawn(move || {
                while let Some(stream) = streams.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for path in stream {
                        // Nobody listens any more: the rest is not to be sent.
                        if answers.send((*path, send(path))).is_err() {
                            return;
                        }
                    }
                }
            });
        }
        drop(answers);
        let told = answered.iter().try_for_each(|(path, answer)| tell(path, answer));
        // What is under way is waited for, but nothing more is begun.
        drop(answered);
        told
    })
}

/// The files by whom their names say they are of; of nobody in particular are one stream as well.
fn streams(found: &[PathBuf]) -> Vec<Vec<&PathBuf>> {
    let mut streams: Vec<Vec<&PathBuf>> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for path in found {
        let name = files::name(path);
        let at = *known.entry(shard_in(&name).to_owned()).or_insert(streams.len());
        match streams.get_mut(at) {
            Some(stream) => stream.push(path),
            None => streams.push(vec![path]),
        }
    }
    streams
}

/// `ACCOUNT_Config_REGION` of a name that AWS Config gave; empty for any other.
fn shard_in(name: &str) -> &str {
    let mut words = name.split('_');
    let (account, kind, region) = (words.next(), words.next(), words.next());
    match (account, kind, region) {
        (Some(account), Some("Config"), Some(region)) => {
            let length = account.len() + "_Config_".len() + region.len();
            name.get(..length).unwrap_or_default()
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_under_way_at_one_time_and_no_more() {
        for count in [SENT_AT_ONCE_MAX - 1, SENT_AT_ONCE_MAX, SENT_AT_ONCE_MAX + 1] {
            let found: Vec<PathBuf> =
                (0..count).map(|n| format!("{n}_Config_eu-west-1_x.json").into()).collect();
            let (begun, under_way, most) =
                (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
            let send = |_: &Path| {
                begun.fetch_add(1, Ordering::SeqCst);
                let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                // Until as many are on their way as may be.
                while begun.load(Ordering::SeqCst) < count.min(SENT_AT_ONCE_MAX) {
                    std::thread::yield_now();
                }
                under_way.fetch_sub(1, Ordering::SeqCst);
                Ok(Value::Null)
            };
            let mut told = Vec::new();
            let all = each_by(&send, &found, |path, _| {
                told.push(path.to_owned());
                Ok(())
            });
            assert!(all.is_ok());
            told.sort();
            assert_eq!(told, found, "each is told once");
            assert_eq!(most.into_inner(), count.min(SENT_AT_ONCE_MAX), "{count}");
        }
    }

    #[test]
    fn what_the_teller_fails_with_is_the_end() {
        let found: Vec<PathBuf> = (0..100).map(|n| format!("{n:03}.json").into()).collect();
        let all =
            each_by(&|_| Ok(Value::Null), &found, |_, _| Err(Failure::Refused("no".to_owned())));
        assert!(matches!(all, Err(Failure::Refused(why)) if why == "no"));
    }

    #[test]
    fn files_of_one_account_and_region_follow_each_other() {
        let names = [
            "1_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_a.json",
            "x.json",
            "2_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_b.json",
            "1_Config_us-east-1_ConfigSnapshot_20260203T040506Z_c.json",
            "y_z.json",
            "1_Config_eu-west-1_ConfigSnapshot_20260204T040506Z_d.json.gz",
        ];
        let found: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        let streams = streams(&found);
        let at = |path: &&PathBuf| found.iter().position(|other| other == *path).unwrap();
        let order: Vec<Vec<usize>> =
            streams.iter().map(|stream| stream.iter().map(at).collect()).collect();
        assert_eq!(order, [vec![0, 5], vec![1, 4], vec![2], vec![3]]);
    }
}
