//! What is left of a rule when it is held inside another or kept out of it, and which one rule, if
//! any, would pass in a violating rule's place (semantics §5.5 remediation: the intersection with
//! what is allowed where that is one rule, else removal).

use std::mem::discriminant;

use ipnet::{Ipv4Net, Ipv6Net};

use super::finding::{Mismatch, NarrowPeer, NarrowRule, RuleAction, RuleRemedy};
use super::opening::{Opening, Peer, Ports, protocol_name};
use super::prefix_lists::Answer;

impl<'a> Opening<'a> {
    /// What both open, as one rule; `None` when that is nothing.
    pub fn common(&self, other: &Opening<'_>) -> Option<Opening<'a>> {
        if !self.overlaps(other).is_yes() {
            return None;
        }
        let peer = if self.peer.lies_inside(&other.peer).is_yes() {
            self.peer
        } else {
            match (self.peer, other.peer) {
                (Peer::V4(_), Peer::V4(theirs)) => Peer::V4(theirs),
                (Peer::V6(_), Peer::V6(theirs)) => Peer::V6(theirs),
                _ => return None,
            }
        };
        let ports = self.ports.common(other.ports)?;
        Some(Opening { protocol: self.protocol.or(other.protocol), ports, peer, ..*self })
    }

    /// What this opens and `other` does not, as rules; `None` when no one rule, or two with other
    /// ports, can say it.
    pub fn without(&self, other: &Opening<'_>) -> Option<Vec<Opening<'a>>> {
        match self.overlaps(other) {
            Answer::No => return Some(vec![*self]),
            Answer::Unknown => return None,
            Answer::Yes if self.lies_inside(other).is_yes() => return Some(Vec::new()),
            Answer::Yes => {}
        }
        let protocol_inside = other.protocol.is_none() || self.protocol == other.protocol;
        let ports_inside = self.ports.lie_inside(other.ports);
        let peer_inside = self.peer.lies_inside(&other.peer).is_yes();
        match (protocol_inside, ports_inside, peer_inside) {
            (true, true, false) => {
                let peer = self.peer.other_half(&other.peer)?;
                Some(vec![Opening { peer, ..*self }])
            }
            (true, false, true) => {
                let left = self.ports.without(other.ports)?.into_iter();
                Some(left.map(|ports| Opening { ports, ..*self }).collect())
            }
            _ => None,
        }
    }

    /// In what this goes beyond `other`, ascending; nothing when it lies inside it. Ports of two
    /// protocols are compared where both have ports, or both types.
    pub fn mismatches(&self, other: &Opening<'_>) -> Vec<Mismatch> {
        let mut found = Vec::new();
        if self.direction != other.direction {
            found.push(Mismatch::Direction);
        }
        let other_protocol = other.protocol.is_some() && other.protocol != self.protocol;
        if other_protocol {
            found.push(Mismatch::Protocol);
        }
        let alike = discriminant(&self.ports) == discriminant(&other.ports);
        if !self.ports.lie_inside(other.ports) && (alike || !other_protocol) {
            found.push(Mismatch::Ports);
        }
        if !self.peer.lies_inside(&other.peer).is_yes() {
            found.push(match (&self.peer, &other.peer) {
                (Peer::V4(_), Peer::V4(_)) | (Peer::V6(_), Peer::V6(_)) => Mismatch::Cidr,
                _ => Mismatch::Peer,
            });
        }
        found
    }
}

impl Ports {
    fn common(self, other: Ports) -> Option<Ports> {
        match (self, other) {
            (ports, Ports::All) | (Ports::All, ports) => Some(ports),
            (Ports::Range(first, last), Ports::Range(from, to)) => {
                let (first, last) = (first.max(from), last.min(to));
                (first <= last).then_some(Ports::Range(first, last))
            }
            (Ports::Icmp(kind, code), Ports::Icmp(kinds, codes)) => {
                Some(Ports::Icmp(kind.or(kinds), code.or(codes)))
            }
            _ => None,
        }
    }

    /// The up to two ranges beside another one. Of ICMP's types all but one are no rule.
    fn without(self, other: Ports) -> Option<Vec<Ports>> {
        let (Ports::Range(first, last), Ports::Range(from, to)) = (self, other) else {
            return None;
        };
        let below = from.checked_sub(1).map(|end| (first, end.min(last)));
        let above = to.checked_add(1).map(|start| (start.max(first), last));
        let left = below.into_iter().chain(above).filter(|(first, last)| first <= last);
        Some(left.map(|(first, last)| Ports::Range(first, last)).collect())
    }
}

impl<'a> Peer<'a> {
    /// What is left of a range when one of its halves is taken away; `None` for anything less,
    /// which is more than one range.
    fn other_half(&self, taken: &Peer<'_>) -> Option<Peer<'a>> {
        match (self, taken) {
            (Peer::V4(whole), Peer::V4(taken)) => {
                let halves = whole.subnets(whole.prefix_len().checked_add(1)?).ok()?;
                other_of::<Ipv4Net>(halves, taken).map(Peer::V4)
            }
            (Peer::V6(whole), Peer::V6(taken)) => {
                let halves = whole.subnets(whole.prefix_len().checked_add(1)?).ok()?;
                other_of::<Ipv6Net>(halves, taken).map(Peer::V6)
            }
            _ => None,
        }
    }
}

fn other_of<N: PartialEq>(halves: impl Iterator<Item = N>, taken: &N) -> Option<N> {
    let (mut other, mut found) = (None, false);
    for half in halves {
        if half == *taken {
            found = true;
        } else {
            other = Some(half);
        }
    }
    other.filter(|_| found)
}

/// What is left of an opening when several others are taken away; `None` when rules cannot say it.
pub(super) fn left_of<'a, 'b>(
    whole: &Opening<'a>,
    taken: impl Iterator<Item = &'b Opening<'b>>,
) -> Option<Vec<Opening<'a>>> {
    let mut left = vec![*whole];
    for other in taken {
        let mut pieces = Vec::new();
        for piece in &left {
            pieces.extend(piece.without(other)?);
        }
        left = pieces;
    }
    Some(left)
}

/// The remedies of a rule that would pass as each of `candidates`: the widest of them if there is
/// one that holds all others, then removal.
pub(super) fn remedies(mut candidates: Vec<Opening<'_>>) -> Vec<RuleRemedy> {
    candidates.sort_unstable();
    candidates.dedup();
    let widest = candidates
        .iter()
        .find(|widest| candidates.iter().all(|candidate| candidate.lies_inside(widest).is_yes()))
        .and_then(narrow);
    let is_default = widest.is_none();
    let modify =
        widest.map(|narrow| RuleRemedy { action: RuleAction::Modify(narrow), is_default: true });
    let remove = RuleRemedy { action: RuleAction::Remove, is_default };
    modify.into_iter().chain([remove]).collect()
}

fn narrow(opening: &Opening<'_>) -> Option<NarrowRule> {
    let protocol = match opening.protocol {
        None => "-1".into(),
        Some(number) => protocol_name(number).map_or_else(|| number.to_string(), str::to_owned),
    };
    let (from_port, to_port) = match opening.ports {
        Ports::All => (None, None),
        Ports::Range(first, last) => (Some(first), Some(last)),
        Ports::Icmp(kind, code) => (kind.map(u16::from), code.map(u16::from)),
    };
    let peer = match opening.peer {
        Peer::V4(range) => NarrowPeer::Ipv4(range.to_string().into()),
        Peer::V6(range) => NarrowPeer::Ipv6(range.to_string().into()),
        Peer::PrefixList(list) => NarrowPeer::PrefixList(list.id.into()),
        Peer::Group(..) => return None,
    };
    let rule = opening.to_string().into();
    Some(NarrowRule { rule, protocol: protocol.into(), from_port, to_port, peer })
}

#[cfg(test)]
mod tests;
