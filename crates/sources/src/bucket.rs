//! Deliveries in a bucket: each object once, the newest first, a bounded number of keys in memory.

use std::collections::{BTreeSet, HashSet};

use palisade_aws::{CallError, Client, Step, Target, calls};
use serde_json::{Map, Value, json};

use crate::item::text;
use crate::message::Object;

/// Keys that one walk of a bucket keeps to be read; of more the newest come first, and the others with the next walk.
pub const KEYS_MAX: usize = 100_000;

/// Bytes of an object that is read.
pub const OBJECT_SIZE_MAX: usize = 256 * 1024 * 1024;

/// Objects that are remembered as read. When there are more, all are forgotten and read again, which changes nothing.
pub const REMEMBERED_MAX: usize = 8_000_000;

/// A bucket below a prefix.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    target: Target,
    name: String,
    prefix: String,
}

/// An object that a walk found.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Waiting {
    /// When it was written, as S3 tells it: texts of one form, which sort by time.
    pub written: String,
    /// Its key.
    pub key: String,
    /// What tells one content from another.
    pub etag: String,
}

/// What was read before, by key and content.
#[derive(Debug, Default)]
pub struct Remembered(HashSet<u128>);

impl Remembered {
    /// Whether this object was read.
    pub fn has(&self, one: &Waiting) -> bool {
        self.0.contains(&digest(one))
    }

    /// It was.
    pub fn add(&mut self, one: &Waiting) {
        if self.0.len() >= REMEMBERED_MAX {
            self.0.clear();
        }
        self.0.insert(digest(one));
    }
}

/// 128 bits of FNV-1a: what is taken for read by a collision is read by its queue, or with its next content.
fn digest(one: &Waiting) -> u128 {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    let mut digest: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
    for byte in one.key.bytes().chain([0]).chain(one.etag.bytes()) {
        digest = (digest ^ u128::from(byte)).wrapping_mul(PRIME);
    }
    digest
}

/// What a walk came to.
#[derive(Debug, Default)]
pub struct Walk {
    /// The newest first; at most [`KEYS_MAX`].
    pub waiting: Vec<Waiting>,
    /// Whether there are more that were not read.
    pub more: bool,
}

impl Bucket {
    /// A bucket, asked as this target.
    pub fn new(client: Client, target: Target, name: String, prefix: String) -> Bucket {
        Bucket { client, target, name, prefix }
    }

    /// Whether an object that a message tells is one of these.
    pub fn has(&self, object: &Object) -> bool {
        object.bucket == self.name && object.key.starts_with(&self.prefix)
    }

    /// Walks through all keys to the last page, and keeps those that are not remembered.
    ///
    /// # Errors
    /// When a page fails: what it and later ones have is not known then.
    pub async fn walk(&self, remembered: &Remembered, keys_max: usize) -> Result<Walk, CallError> {
        let call = &calls::LIST_OBJECTS;
        let parameters = json!({"Bucket": self.name, "prefix": self.prefix});
        let mut listing = self.client.list(&self.target, call, members(parameters));
        let mut waiting = BTreeSet::new();
        let mut more = false;
        while let Step::Page(page) = listing.next().await? {
            for one in &page.items {
                let Some(one) = read(one) else { continue };
                if !remembered.has(&one) {
                    waiting.insert(one);
                }
                if waiting.len() > keys_max {
                    waiting.pop_first();
                    more = true;
                }
            }
        }
        Ok(Walk { waiting: waiting.into_iter().rev().collect(), more })
    }

    /// The content of an object.
    ///
    /// # Errors
    /// When it cannot be read to its end, or has more than [`OBJECT_SIZE_MAX`] bytes.
    pub async fn content(&self, key: &str, version: Option<&str>) -> Result<Vec<u8>, CallError> {
        fetched(&self.client, &self.target, &self.name, key, version).await
    }
}

/// The content of an object in whatever bucket.
///
/// # Errors
/// As [`Bucket::content`].
pub async fn fetched(
    client: &Client,
    target: &Target,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Vec<u8>, CallError> {
    let mut parameters = members(json!({"Bucket": bucket, "Key": key}));
    if let Some(version) = version {
        parameters.insert("versionId".to_owned(), version.into());
    }
    let call = client.fetch(target, &calls::GET_OBJECT, &parameters, OBJECT_SIZE_MAX);
    call.await.map(|blob| blob.body)
}

/// A key that is worth reading: folders and the file by which AWS Config checks that it may write are not.
fn read(one: &Value) -> Option<Waiting> {
    let key = text(one, "Key").ok()?;
    let is_file = !key.ends_with('/') && !key.ends_with("ConfigWritabilityCheckFile");
    is_file.then(|| Waiting {
        written: text(one, "LastModified").unwrap_or_default(),
        etag: text(one, "ETag").unwrap_or_default(),
        key,
    })
}

fn members(parameters: Value) -> Map<String, Value> {
    match parameters {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(key: &str, etag: &str) -> Waiting {
        Waiting { written: "2026".to_owned(), key: key.to_owned(), etag: etag.to_owned() }
    }

    #[test]
    fn an_object_is_another_by_its_key_or_its_content() {
        let mut remembered = Remembered::default();
        remembered.add(&waiting("a", "1"));
        for (key, etag, known) in [("a", "1", true), ("a", "2", false), ("b", "1", false)] {
            assert_eq!(remembered.has(&waiting(key, etag)), known, "{key} {etag}");
        }
        let later = Waiting { written: "2027".to_owned(), ..waiting("a", "1") };
        assert!(remembered.has(&later), "written again with the same content");
        assert!(!remembered.has(&waiting("a\0", "1")));
    }

    #[test]
    fn folders_and_checks_are_no_files() {
        for (key, is_file) in [
            ("AWSLogs/1/Config/x.json.gz", true),
            ("AWSLogs/1/Config/", false),
            ("AWSLogs/1/Config/ConfigWritabilityCheckFile", false),
        ] {
            let one = json!({"Key": key, "LastModified": "x", "ETag": "e"});
            assert_eq!(read(&one).is_some(), is_file, "{key}");
        }
    }
}
