//! How policies about security groups name groups.

use super::Refusal;
use super::shape::Shape::{Object, Text};
use super::shape::{Node, Shape};
use crate::ident::ResourceId;

/// The id of a security group.
pub(super) const GROUP_ID: Shape = Object(&[("id", Text)]);

/// The id in `{"id":"sg-…"}`. AWS's own sample has stray blanks around it.
pub(super) fn group_id(group: &Node<'_>) -> Result<ResourceId, Refusal> {
    let node = group.get("id");
    let id = node.text().unwrap_or_default().trim();
    if id.is_empty() {
        return Err(node.refuse("is missing; give the id of a security group, `sg-…`"));
    }
    ResourceId::try_from(id).map_err(|error| node.refuse(error))
}
