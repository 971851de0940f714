//! The parse floor: the least work that can answer the two questions. It finds type, account and
//! Region of every item and the facts of the questions; it checks nothing, keeps nothing and would
//! believe any file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use fearless_simd::{Level, Simd, prelude::*, u8x32, u8x64};
use flate2::read::MultiGzDecoder;

use crate::fleet::{AUDIT_GROUP, Truth, WEB_ACL_POLICY};

/// Bytes that are read in one go: they are still in the processor's own cache when they are parsed.
const CHUNK: usize = 128 * 1024;

/// Answers both questions from plain or compressed snapshots.
///
/// # Panics
/// When a file is not what the fleet's generator wrote.
pub fn answer<'p>(files: impl IntoIterator<Item = &'p Path>) -> Truth {
    let mut truth = Truth::new();
    let mut text = Vec::new();
    let mut masks = Box::default();
    for path in files {
        let file = File::open(path).expect("a snapshot");
        let seen = if path.extension().is_some_and(|suffix| suffix == "gz") {
            answer_file(MultiGzDecoder::new(file), &mut text, &mut masks)
        } else {
            answer_file(file, &mut text, &mut masks)
        };
        truth.insert((text_of(&seen.account), text_of(&seen.region)), [seen.open, seen.bare()]);
    }
    truth
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).expect("UTF-8")
}

/// Answers from one snapshot, piece by piece; an item that is cut waits at the start of the buffer.
fn answer_file(mut file: impl Read, text: &mut Vec<u8>, masks: &mut Masks) -> Seen {
    let mut seen = Seen::default();
    let mut length = 0;
    let mut begun = false;
    loop {
        if text.len() < length + CHUNK {
            text.resize(length + CHUNK, 0);
        }
        let read = file.read(&mut text[length..length + CHUNK]).expect("a readable file");
        length += read;
        let mut from = 0;
        if !begun {
            let head = b"\"configurationItems\":[";
            let found = text[..length].windows(head.len()).position(|window| window == head);
            from = found.expect("a snapshot") + head.len();
            begun = true;
        }
        let (taken, ended) = items(&text[..length], from, masks, &mut seen);
        if ended {
            return seen;
        }
        assert!(read > 0, "a whole snapshot");
        text.copy_within(taken..length, 0);
        length -= taken;
    }
}

/// The raw values of an item that the questions need.
#[derive(Clone, Copy, Default)]
struct Fields<'t> {
    values: [&'t [u8]; 7],
}

const ACCOUNT: usize = 0;
const REGION: usize = 1;
const TYPE: usize = 2;
const ID: usize = 3;
const NAME: usize = 4;
const CONFIGURATION: usize = 5;
const SUPPLEMENTARY: usize = 6;

#[derive(Default)]
struct Seen {
    account: Vec<u8>,
    region: Vec<u8>,
    items: u64,
    open: u64,
    /// The web ACL of every load balancer.
    balancers: Vec<Vec<u8>>,
    acls: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Seen {
    fn item(&mut self, item: &Fields<'_>) {
        self.items += 1;
        if self.account != item.values[ACCOUNT] {
            item.values[ACCOUNT].clone_into(&mut self.account);
        }
        if self.region != item.values[REGION] && item.values[REGION] != b"global" {
            item.values[REGION].clone_into(&mut self.region);
        }
        match item.values[TYPE] {
            b"AWS::EC2::SecurityGroup" if item.values[ID] != AUDIT_GROUP.as_bytes() => {
                self.open += u64::from(is_open(item.values[CONFIGURATION]));
            }
            b"AWS::ElasticLoadBalancingV2::LoadBalancer" => {
                self.balancers.push(web_acl(item.values[SUPPLEMENTARY]).to_owned());
            }
            b"AWS::WAFv2::WebACL" => {
                self.acls.insert(item.values[ID].to_owned(), item.values[NAME].to_owned());
            }
            _ => {}
        }
    }

    fn bare(&self) -> u64 {
        let own = format!("FMManagedWebACLV2-{WEB_ACL_POLICY}-");
        let is_bare = |acl: &&Vec<u8>| {
            !self.acls.get(*acl).is_some_and(|name| name.starts_with(own.as_bytes()))
        };
        self.balancers.iter().filter(is_bare).count() as u64
    }
}

/// Whether a group opens ssh or rdp to everyone, the rules of the audit group.
fn is_open(configuration: &[u8]) -> bool {
    let mut open = false;
    Cursor { text: configuration, at: 0 }.object(|key, body| {
        if key != b"ipPermissions" {
            return body.skip();
        }
        body.list(|rule| {
            let (mut from, mut to) = (0, 65_535);
            let (mut protocol, mut ranges): (&[u8], &[u8]) = (b"", b"[]");
            rule.object(|key, rule| {
                let start = rule.at;
                rule.skip();
                let value = &rule.text[start..rule.at];
                match key {
                    b"fromPort" => from = number(value).unwrap_or(from),
                    b"toPort" => to = number(value).unwrap_or(to),
                    b"ipProtocol" => protocol = value,
                    b"ipRanges" => ranges = value,
                    _ => {}
                }
            });
            let ports = [22, 3389].iter().any(|port| (from..=to).contains(port));
            // Every peer overlaps that of the audit group, which is everyone.
            open |= matches!(protocol, b"\"tcp\"" | b"\"-1\"") && ports && ranges != b"[]";
        });
    });
    open
}

fn number(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// The web ACL among a load balancer's attributes; empty for none.
fn web_acl(supplementary: &[u8]) -> &[u8] {
    let mut acl: &[u8] = b"";
    Cursor { text: supplementary, at: 0 }.object(|key, body| {
        if key != b"LoadBalancerAttributes" {
            return body.skip();
        }
        body.list(|attribute| {
            let (mut name, mut value): (&[u8], &[u8]) = (b"", b"");
            attribute.object(|key, attribute| {
                if key == b"key" {
                    name = attribute.string();
                } else if key == b"value" {
                    value = attribute.string();
                } else {
                    attribute.skip();
                }
            });
            if name == b"waf.web_acl_id" {
                acl = value;
            }
        });
    });
    acl
}

/// Reads compact JSON, its strings without escapes, value by value.
struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Cursor<'t> {
    fn string(&mut self) -> &'t [u8] {
        let from = self.at + 1;
        let length = self.text[from..].iter().position(|byte| *byte == b'"').expect("a quote");
        self.at = from + length + 1;
        &self.text[from..from + length]
    }

    fn skip(&mut self) {
        let mut depth = 0;
        loop {
            match self.text[self.at] {
                b'"' => {
                    self.string();
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ => {
                    self.at += 1;
                    if depth > 0 || !matches!(self.text[self.at], b',' | b'}' | b']') {
                        continue;
                    }
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn object(&mut self, mut take: impl FnMut(&'t [u8], &mut Self)) {
        self.at += 1;
        while self.text[self.at] != b'}' {
            self.at += usize::from(self.text[self.at] == b',');
            let key = self.string();
            self.at += 1;
            take(key, self);
        }
        self.at += 1;
    }

    fn list(&mut self, mut take: impl FnMut(&mut Self)) {
        self.at += 1;
        while self.text[self.at] != b']' {
            self.at += usize::from(self.text[self.at] == b',');
            take(self);
        }
        self.at += 1;
    }
}

/// Blocks of 64 bytes that are looked at in one go.
const BLOCKS: usize = 64;

/// Quotes and brackets of some blocks, those inside of strings left out, as bits.
struct Masks {
    quotes: [u64; BLOCKS + 1],
    opens: [u64; BLOCKS],
    closes: [u64; BLOCKS],
}

impl Default for Masks {
    fn default() -> Self {
        Masks { quotes: [0; BLOCKS + 1], opens: [0; BLOCKS], closes: [0; BLOCKS] }
    }
}

/// Where in a text the masks are.
struct Scan<'t, 'm, S> {
    simd: S,
    text: &'t [u8],
    masks: &'m mut Masks,
    start: usize,
    count: usize,
    next: usize,
    in_text: u64,
    escaped: u64,
}

impl<S: Simd> Scan<'_, '_, S> {
    #[inline(always)]
    fn refill(&mut self) -> Option<()> {
        self.simd.vectorize(
            #[inline(always)]
            || self.look(),
        )
    }

    #[inline(always)]
    fn look(&mut self) -> Option<()> {
        let rest = self.text.get(self.next..)?;
        let (full, last) = rest.as_chunks::<64>();
        let (mut in_text, mut escaped, mut count) = (self.in_text, self.escaped, 0);
        let masks = self.masks.quotes.iter_mut().zip(&mut self.masks.opens);
        for (block, ((quotes, opens), closes)) in full.iter().zip(masks.zip(&mut self.masks.closes))
        {
            let block = u8x64::load_array_ref(self.simd, block);
            (*quotes, *opens, *closes) = tokens(block, &mut in_text, &mut escaped);
            count += 1;
        }
        if count < BLOCKS && !last.is_empty() {
            let mut block = [b' '; 64];
            block[..last.len()].copy_from_slice(last);
            let block = u8x64::load_array_ref(self.simd, &block);
            let (quotes, opens, closes) = tokens(block, &mut in_text, &mut escaped);
            self.masks.quotes[count] = quotes;
            self.masks.opens[count] = opens;
            self.masks.closes[count] = closes;
            count += 1;
        }
        self.masks.quotes[count] = 0;
        (self.in_text, self.escaped) = (in_text, escaped);
        (self.start, self.count) = (self.next, count);
        self.next += count * 64;
        (count > 0).then_some(())
    }

    #[inline(always)]
    fn block(&mut self, at: usize) -> Option<usize> {
        while at >= self.start + self.count * 64 {
            self.refill()?;
        }
        Some((at - self.start) / 64)
    }

    /// The end of the string whose inside begins here.
    #[inline(always)]
    fn string_end(&mut self, from: usize) -> Option<usize> {
        let mut block = self.block(from)?;
        let shift = from % 64;
        let shift = (shift + 64 - self.start % 64) % 64;
        let quotes = self.masks.quotes[block] >> shift;
        let near = quotes | self.masks.quotes[block + 1] << 1 << (63 - shift);
        if near != 0 {
            return Some(from + near.trailing_zeros() as usize);
        }
        loop {
            block += 1;
            if block >= self.count {
                self.refill()?;
                block = 0;
            }
            let quotes = self.masks.quotes[block];
            if quotes != 0 {
                return Some(self.start + block * 64 + quotes.trailing_zeros() as usize);
            }
        }
    }

    /// Behind the value with brackets that begins here.
    #[inline(always)]
    fn brackets_end(&mut self, from: usize) -> Option<usize> {
        let mut block = self.block(from)?;
        let mut mask = u64::MAX << ((from - self.start) % 64);
        let mut depth = 0_u32;
        loop {
            let (opens, closes) = (self.masks.opens[block] & mask, self.masks.closes[block] & mask);
            let (up, down) = (opens.count_ones(), closes.count_ones());
            if depth > down {
                depth = depth + up - down;
            } else {
                let mut left = opens | closes;
                while left != 0 {
                    let lowest = left & left.wrapping_neg();
                    left ^= lowest;
                    if opens & lowest != 0 {
                        depth += 1;
                        continue;
                    }
                    depth -= 1;
                    if depth == 0 {
                        return Some(
                            self.start + block * 64 + lowest.trailing_zeros() as usize + 1,
                        );
                    }
                }
            }
            mask = u64::MAX;
            block += 1;
            if block >= self.count {
                self.refill()?;
                block = 0;
            }
        }
    }
}

#[inline(always)]
fn tokens<S: Simd>(block: u8x64<S>, in_text: &mut u64, escaped: &mut u64) -> (u64, u64, u64) {
    let mut quotes = block.simd_eq(b'"').to_bitmask();
    let slashes = block.simd_eq(b'\\').to_bitmask();
    if slashes | *escaped != 0 {
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        let escaping = slashes & !*escaped;
        let follows = escaping << 1 | *escaped;
        let (runs, overflow) = (escaping & ODD & !follows).overflowing_add(escaping);
        *escaped = u64::from(overflow);
        quotes &= !((!ODD ^ (runs << 1)) & follows);
    }
    let mut inside = quotes;
    for shift in [1, 2, 4, 8, 16, 32] {
        inside ^= inside << shift;
    }
    inside ^= *in_text;
    *in_text = 0_u64.wrapping_sub(inside >> 63);
    let lower = block | 0x20;
    let opens = lower.simd_eq(b'{').to_bitmask() & !inside;
    (quotes, opens, lower.simd_eq(b'}').to_bitmask() & !inside)
}

/// A key as Config writes it, and which value of [`Fields`] it names.
struct Known {
    text: [u8; 32],
    length: usize,
    mask: u64,
    field: Option<usize>,
}

const fn known(key: &str, field: Option<usize>) -> Known {
    let mut text = [0; 32];
    let mut at = 0;
    while at < key.len() {
        text[at + 1] = key.as_bytes()[at];
        at += 1;
    }
    text[0] = b'"';
    text[at + 1] = b'"';
    text[at + 2] = b':';
    Known { text, length: at + 3, mask: (1 << (at + 3)) - 1, field }
}

/// In the order in which Config writes them.
static KNOWN: [Known; 18] = [
    known("relatedEvents", None),
    known("relationships", None),
    known("configuration", Some(CONFIGURATION)),
    known("supplementaryConfiguration", Some(SUPPLEMENTARY)),
    known("tags", None),
    known("configurationItemVersion", None),
    known("configurationItemCaptureTime", None),
    known("configurationStateId", None),
    known("awsAccountId", Some(ACCOUNT)),
    known("configurationItemStatus", None),
    known("resourceType", Some(TYPE)),
    known("resourceId", Some(ID)),
    known("resourceName", Some(NAME)),
    known("ARN", None),
    known("awsRegion", Some(REGION)),
    known("availabilityZone", None),
    known("configurationStateMd5Hash", None),
    known("resourceCreationTime", None),
];

/// Takes the items from a place on; where the first that is cut begins, or that there are no more.
fn items(text: &[u8], from: usize, masks: &mut Masks, seen: &mut Seen) -> (usize, bool) {
    let level = Level::new();
    fearless_simd::dispatch!(level, simd => all_items(simd, text, from, masks, seen))
}

#[inline(always)]
fn all_items<S: Simd>(
    simd: S,
    text: &[u8],
    from: usize,
    masks: &mut Masks,
    seen: &mut Seen,
) -> (usize, bool) {
    let (start, count, next) = (from, 0, from);
    let mut scan = Scan { simd, text, masks, start, count, next, in_text: 0, escaped: 0 };
    let mut at = from;
    loop {
        let begin = at;
        match text.get(at) {
            Some(b',') => at += 1,
            Some(b']') => return (at, true),
            _ => {}
        }
        match item(simd, text, &mut scan, at) {
            Some((fields, end)) => {
                seen.item(&fields);
                at = end;
            }
            None => return (begin, false),
        }
    }
}

#[inline(always)]
fn item<'t, S: Simd>(
    simd: S,
    text: &'t [u8],
    scan: &mut Scan<'t, '_, S>,
    from: usize,
) -> Option<(Fields<'t>, usize)> {
    let mut fields = Fields::default();
    let mut at = from;
    let mut likely = 0;
    // Its opening bracket, and afterwards the commas.
    while *text.get(at)? != b'}' {
        at += 1;
        let field = match text.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
            Some(start) => {
                let start = u8x32::load_array_ref(simd, start);
                loop {
                    // A key that is none of these breaks off here.
                    let known = KNOWN.get(likely).expect("a key of an item, in its order");
                    likely += 1;
                    let text = u8x32::load_array_ref(simd, &known.text);
                    if start.simd_eq(text).to_bitmask() & known.mask == known.mask {
                        at += known.length;
                        break known.field;
                    }
                }
            }
            None => return None,
        };
        let end = match *text.get(at)? {
            b'"' => {
                let from = at + 1;
                let end = scan.string_end(from)?;
                at = end + 1;
                (from, end)
            }
            b'{' | b'[' => {
                let from = at;
                at = scan.brackets_end(from)?;
                (from, at)
            }
            _ => {
                let from = at;
                while !matches!(*text.get(at)?, b',' | b'}') {
                    at += 1;
                }
                (from, at)
            }
        };
        if let Some(field) = field {
            fields.values[field] = &text[end.0..end.1];
        }
    }
    Some((fields, at + 1))
}
