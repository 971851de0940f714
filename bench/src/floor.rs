//! The parse floor: the least work that can answer the two questions. It finds type, account and
//! Region of every item and the facts of the questions; it checks nothing, keeps nothing and would
//! believe any file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use wide::u8x16;

use crate::fleet::{AUDIT_GROUP, Truth, WEB_ACL_POLICY};

/// Answers both questions from plain or compressed snapshots.
///
/// # Panics
/// When a file is not what the fleet's generator wrote.
pub fn answer<'p>(files: impl IntoIterator<Item = &'p Path>) -> Truth {
    let mut truth = Truth::new();
    let mut text = Vec::new();
    for path in files {
        crate::load(path, &mut text);
        let (key, found) = answer_text(&text);
        truth.insert(key, found);
    }
    truth
}

/// Answers from one snapshot's text.
pub fn answer_text(text: &[u8]) -> ((String, String), [u64; 2]) {
    let mut seen = Seen::default();
    items(text, |item| seen.item(item));
    ((seen.account.to_owned(), seen.region.to_owned()), [seen.open, seen.bare()])
}

/// The raw values of an item that the questions need.
#[derive(Default)]
struct Fields<'t> {
    account: &'t str,
    region: &'t str,
    resource_type: &'t str,
    id: &'t str,
    name: &'t str,
    configuration: &'t [u8],
    supplementary: &'t [u8],
}

#[derive(Default)]
struct Seen<'t> {
    account: &'t str,
    region: &'t str,
    items: u64,
    open: u64,
    /// The web ACL of every load balancer.
    balancers: Vec<String>,
    acls: BTreeMap<&'t str, &'t str>,
    types: BTreeSet<&'t str>,
}

impl<'t> Seen<'t> {
    fn item(&mut self, item: &Fields<'t>) {
        self.items += 1;
        self.account = item.account;
        if item.region != "global" {
            self.region = item.region;
        }
        match item.resource_type {
            "AWS::EC2::SecurityGroup" if item.id != AUDIT_GROUP => {
                let group: Group<'_> = serde_json::from_slice(item.configuration).expect("a group");
                self.open += u64::from(group.rules.iter().any(Rule::is_open));
            }
            "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
                let more: Supplementary<'_> =
                    serde_json::from_slice(item.supplementary).expect("attributes");
                let acl = more.attributes.iter().find(|one| one.key == "waf.web_acl_id");
                self.balancers.push(acl.map(|one| one.value.to_owned()).unwrap_or_default());
            }
            "AWS::WAFv2::WebACL" => {
                self.acls.insert(item.id, item.name);
            }
            other => {
                self.types.insert(other);
            }
        }
    }

    fn bare(&self) -> u64 {
        let own = format!("FMManagedWebACLV2-{WEB_ACL_POLICY}-");
        let is_bare =
            |acl: &&String| !self.acls.get(acl.as_str()).is_some_and(|name| name.starts_with(&own));
        self.balancers.iter().filter(is_bare).count() as u64
    }
}

#[derive(Deserialize)]
struct Group<'t> {
    #[serde(borrow, rename = "ipPermissions")]
    rules: Vec<Rule<'t>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'t> {
    from_port: Option<i64>,
    to_port: Option<i64>,
    ip_protocol: &'t str,
    #[serde(borrow)]
    ip_ranges: Vec<&'t str>,
}

impl Rule<'_> {
    /// Whether it opens ssh or rdp to everyone, the rules of the audit group.
    fn is_open(&self) -> bool {
        let (from, to) = (self.from_port.unwrap_or(0), self.to_port.unwrap_or(65_535));
        let ports = [22, 3389].iter().any(|port| (from..=to).contains(port));
        // Every peer overlaps that of the audit group, which is everyone.
        matches!(self.ip_protocol, "tcp" | "-1") && ports && !self.ip_ranges.is_empty()
    }
}

#[derive(Deserialize)]
struct Supplementary<'t> {
    #[serde(borrow, rename = "LoadBalancerAttributes")]
    attributes: Vec<Attribute<'t>>,
}

#[derive(Deserialize)]
struct Attribute<'t> {
    key: &'t str,
    value: &'t str,
}

/// Quotes and brackets of 64 bytes outside of strings, as bits.
struct Scan<'t> {
    text: &'t [u8],
    base: usize,
    quotes: u64,
    brackets: u64,
    in_text: u64,
    escaped: u64,
}

impl Scan<'_> {
    fn next(&mut self, shallow: bool) -> usize {
        loop {
            let bits = if shallow { self.quotes | self.brackets } else { self.brackets };
            if bits != 0 {
                let bit = bits & bits.wrapping_neg();
                let below = bit | (bit - 1);
                self.quotes &= !below;
                self.brackets &= !below;
                return self.base - 64 + bits.trailing_zeros() as usize;
            }
            let mut block = [b' '; 64];
            match self.text[self.base..].first_chunk::<64>() {
                Some(full) => block = *full,
                None => {
                    let rest = &self.text[self.base..];
                    block[..rest.len()].copy_from_slice(rest);
                }
            }
            self.load(&block);
        }
    }

    fn load(&mut self, block: &[u8; 64]) {
        let (mut quotes, mut slashes, mut brackets) = (0_u64, 0_u64, 0_u64);
        for (n, sixteen) in block.as_chunks::<16>().0.iter().enumerate() {
            let sixteen = u8x16::new(*sixteen);
            let is = |byte: u8| sixteen.simd_eq(u8x16::splat(byte));
            let lower = sixteen | u8x16::splat(0x20);
            let either = lower.simd_eq(u8x16::splat(b'{')) | lower.simd_eq(u8x16::splat(b'}'));
            let bits = |mask: u8x16| u64::from(mask.to_bitmask()) << (16 * n);
            quotes |= bits(is(b'"'));
            slashes |= bits(is(b'\\'));
            brackets |= bits(either);
        }
        if slashes != 0 || self.escaped != 0 {
            const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
            let escaping = slashes & !self.escaped;
            let follows = escaping << 1 | self.escaped;
            let (runs, overflow) = (escaping & ODD & !follows).overflowing_add(escaping);
            self.escaped = u64::from(overflow);
            quotes &= !((!ODD ^ (runs << 1)) & follows);
        }
        let mut inside = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.in_text;
        self.in_text = 0_u64.wrapping_sub(inside >> 63);
        self.quotes = quotes;
        self.brackets = brackets & !inside;
        self.base += 64;
    }
}

fn items<'t>(text: &'t [u8], mut take: impl FnMut(&Fields<'t>)) {
    let head = b"\"configurationItems\":[";
    let start = text.windows(head.len()).position(|window| window == head).expect("a snapshot")
        + head.len();
    let mut scan = Scan { text, base: start, quotes: 0, brackets: 0, in_text: 0, escaped: 0 };
    loop {
        let open = scan.next(true);
        if text[open] == b']' {
            return;
        }
        take(&item(text, &mut scan));
    }
}

fn item<'t>(text: &'t [u8], scan: &mut Scan<'t>) -> Fields<'t> {
    let mut fields = Fields::default();
    loop {
        let at = scan.next(true);
        if text[at] == b'}' {
            return fields;
        }
        let end = scan.next(true);
        let key = &text[at + 1..end];
        let from = end + 2;
        let value = match text[from] {
            b'"' => {
                scan.next(true);
                let end = scan.next(true);
                &text[from + 1..end]
            }
            b'{' | b'[' => {
                scan.next(true);
                let mut depth = 1;
                let mut end = from;
                while depth > 0 {
                    end = scan.next(false);
                    // Opening brackets have bit 1 set and bit 2 clear, closing ones the other way.
                    if matches!(text[end], b'{' | b'[') {
                        depth += 1;
                    } else {
                        depth -= 1;
                    }
                }
                &text[from..=end]
            }
            _ => continue,
        };
        let told = |value: &'t [u8]| std::str::from_utf8(value).expect("UTF-8");
        match key {
            b"awsAccountId" => fields.account = told(value),
            b"awsRegion" => fields.region = told(value),
            b"resourceType" => fields.resource_type = told(value),
            b"resourceId" => fields.id = told(value),
            b"resourceName" => fields.name = told(value),
            b"configuration" => fields.configuration = value,
            b"supplementaryConfiguration" => fields.supplementary = value,
            _ => {}
        }
    }
}
