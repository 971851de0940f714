//! A short way from the stored form to an item, for the types that judging reads most. Whatever is
//! not as this version writes it, and what is rare, gives `None` and goes the long way through serde,
//! which decides; so both must agree on what they take, and a test compares them.

use ipnet::{Ipv4Net, Ipv6Net};

use super::{Body, Item, ItemKey, Permission, SecurityGroup, Tags, UntoldOfGroup, Version};
use crate::ident::AccountId;

/// The item of this key from what stands behind the layout byte of [`super::encode::ITEM_LAYOUT`].
pub(super) fn item(key: impl Fn() -> ItemKey, bytes: &[u8]) -> Option<Item> {
    let mut stored = Stored(bytes);
    let state = stored.option(Stored::number)?;
    let version = Version { state, captured_ms: stored.signed()? };
    let name = stored.option(Stored::boxed)?;
    let arn = stored.option(Stored::boxed)?;
    let tags = stored.option(Stored::tags)?;
    let body = stored.body()?;
    // A later state without a configuration is rare.
    (stored.byte()? == NONE && stored.0.is_empty()).then_some(())?;
    Some(Item { key: key(), version, name, arn, tags, body, unseen_since: None, told_beside: None })
}

const NONE: u8 = 0;
const SOME: u8 = 1;

/// What is left to be read of an item, in postcard.
struct Stored<'b>(&'b [u8]);

impl<'b> Stored<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn octets<const COUNT: usize>(&mut self) -> Option<[u8; COUNT]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// Seven bits a byte, the lowest first; of 63 bits at most.
    fn number(&mut self) -> Option<u64> {
        self.number_in(9)
    }

    /// The same in so many bytes at most: a narrower number is not told in more than it may take.
    #[inline(always)]
    fn number_in(&mut self, bytes_max: usize) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7).take(bytes_max) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// The sign in the lowest bit.
    fn signed(&mut self) -> Option<i64> {
        self.number().map(signed)
    }

    fn port(&mut self) -> Option<i32> {
        i32::try_from(signed(self.number_in(5)?)).ok()
    }

    fn text(&mut self) -> Option<&'b str> {
        let count = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.bytes(count)?).ok()
    }

    fn tags(&mut self) -> Option<Tags> {
        let pairs = self.list(|stored| Some((stored.boxed()?, stored.boxed()?)))?;
        Some(pairs.into_iter().collect())
    }

    fn boxed(&mut self) -> Option<Box<str>> {
        self.text().map(Box::from)
    }

    fn option<T>(&mut self, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            NONE => Some(None),
            SOME => take(self).map(Some),
            _ => None,
        }
    }

    fn list<T>(&mut self, take: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.number()?).ok()?;
        // Every element takes a byte at least.
        let mut all = Vec::with_capacity(count.min(self.0.len()));
        for _ in 0..count {
            all.push(take(self)?);
        }
        Some(all)
    }

    /// By the numbers of `body.rs`.
    fn body(&mut self) -> Option<Body> {
        let from = self.0;
        match self.byte()? {
            0 => Some(Body::Deleted),
            1 => Some(Body::Unseen),
            2 => Some(Body::Unwanted),
            3 => self.group().map(Body::SecurityGroup),
            _ => {
                let (body, rest) = postcard::take_from_bytes(from).ok()?;
                self.0 = rest;
                Some(body)
            }
        }
    }

    fn group(&mut self) -> Option<SecurityGroup> {
        Some(SecurityGroup {
            group_name: self.boxed()?,
            vpc: self.option(Stored::boxed)?,
            owner: self.option(|stored| AccountId::try_from(stored.text()?).ok())?,
            ingress: self.list(Stored::permission)?,
            egress: self.list(Stored::permission)?,
            untold: UntoldOfGroup { ingress: self.flag()?, egress: self.flag()? },
        })
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn permission(&mut self) -> Option<Permission> {
        Some(Permission {
            protocol: self.option(Stored::byte)?,
            from_port: self.option(Stored::port)?,
            to_port: self.option(Stored::port)?,
            ipv4: self.list(|stored| {
                let [a, b, c, d, length] = stored.octets()?;
                Ipv4Net::new([a, b, c, d].into(), length).ok()
            })?,
            ipv6: self.list(|stored| {
                let address: [u8; 16] = stored.octets()?;
                Ipv6Net::new(address.into(), stored.byte()?).ok()
            })?,
            prefix_lists: self.list(Stored::boxed)?,
            groups: self.list(|stored| Some((stored.option(Stored::boxed)?, stored.boxed()?)))?,
        })
    }
}

fn signed(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ (number & 1).cast_signed().wrapping_neg()
}

#[cfg(test)]
mod tests;
