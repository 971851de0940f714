//! The contract.

use crate::contract::{Bed, contract_suite};
use crate::{MemoryStore, Store};

struct InMemory(MemoryStore);

impl InMemory {
    fn new() -> InMemory {
        InMemory(MemoryStore::new([7; 32]))
    }
}

impl Bed for InMemory {
    fn store(&self) -> &dyn Store {
        &self.0
    }

    fn reopen(&mut self) -> bool {
        false
    }
}

contract_suite!(InMemory::new);

#[test]
fn what_fails_or_panics_leaves_nothing() {
    use crate::Control as _;
    use crate::engine::Engine as _;
    use crate::rules::rows::StoreRow as _;

    let store = MemoryStore::new([7; 32]);
    let failed = store.write(|rows| {
        rows.put_control_revision(9)?;
        Err::<(), _>(crate::StoreError::Conflict)
    });
    assert!(failed.is_err());
    assert_eq!(store.control_revision().unwrap(), 0);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.write(|rows| -> crate::Result<()> {
            rows.put_control_revision(9)?;
            panic!("in a transaction")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(store.control_revision().unwrap(), 0);
}
