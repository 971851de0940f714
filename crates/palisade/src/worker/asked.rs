//! Which policies a shard is judged under.

use std::sync::Arc;

use palisade_api::ControlView;
use palisade_core::ident::Region;
use palisade_core::policy::Policy;
use palisade_store::Due;

pub use palisade_api::judging::Asked;

/// The policies of a Region that such marks name.
pub fn policies_of<'v>(
    view: &'v ControlView,
    region: &Region,
    dues: &[&Due],
) -> Vec<&'v Arc<Policy>> {
    let is_named = |policy: &Policy| {
        dues.iter().any(|due| match due {
            Due::Shard | Due::Changes => true,
            Due::Policy(id) => *id == policy.id,
        })
    };
    view.policies().filter(|policy| policy.region == *region && is_named(policy)).collect()
}
