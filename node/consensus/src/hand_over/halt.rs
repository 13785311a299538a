//! Where this node stops following: the last block that it takes.
//!
//! Operators who want to leave a set that makes blocks and does not apply L1 need one last
//! block in common. They agree on a height that is still to come, and each tells its node. A
//! hand-over that comes into force from there lifts it, and so does one that is accepted where the
//! node is; one from further below, which a node comes by on its way, does not.

use cascoin_l2_primitives::chain::BlockNumber;
use codec::{Decode, Encode};
use parking_lot::RwLock;
use sc_client_api::AuxStore;
use std::sync::Arc;

/// Where it is stored; nothing is, as long as the node follows.
pub(crate) const KEY: &[u8] = b"cascoin-l2/halt/1";

/// The last block that a node takes, if any is. Clones are the same.
#[derive(Clone, Default)]
pub struct Halt(Arc<RwLock<Option<BlockNumber>>>);

impl Halt {
    /// What is stored.
    ///
    /// # Errors
    /// The database failed, or it cannot be read.
    pub(crate) fn load(store: &impl AuxStore) -> sp_blockchain::Result<Self> {
        let stored = store.get_aux(KEY)?;
        let height = stored.map(|bytes| BlockNumber::decode(&mut &bytes[..])).transpose();
        let height = height.map_err(|error| {
            sp_blockchain::Error::Backend(format!("the stored halt is damaged: {error}"))
        })?;
        Ok(Self(Arc::new(RwLock::new(height))))
    }

    /// Its height.
    pub fn height(&self) -> Option<BlockNumber> {
        *self.0.read()
    }

    /// Sets or lifts it, on disk first.
    pub(crate) fn set(
        &self,
        store: &impl AuxStore,
        height: Option<BlockNumber>,
    ) -> sp_blockchain::Result<()> {
        match height {
            Some(height) => store.insert_aux(&[(KEY, &height.encode()[..])], &[])?,
            None => store.insert_aux(&[], &[KEY])?,
        }
        self.lifted_or_set(height);
        Ok(())
    }

    /// The same, once it is stored.
    pub(crate) fn lifted_or_set(&self, height: Option<BlockNumber>) {
        *self.0.write() = height;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::chain::OpaqueBlock;
    use sc_client_api::in_mem::Blockchain;

    /// R17.6: where a node stops outlasts the process, and so does that it follows again.
    #[test]
    fn r17_6_where_a_node_stops_outlasts_the_process() {
        let database = Blockchain::<OpaqueBlock>::new();
        let halt = Halt::load(&database).unwrap();
        assert_eq!(halt.height(), None);
        halt.set(&database, Some(7)).unwrap();
        for halt in [halt, Halt::load(&database).unwrap()] {
            assert_eq!(halt.height(), Some(7));
        }
        let halt = Halt::load(&database).unwrap();
        halt.set(&database, None).unwrap();
        for halt in [halt, Halt::load(&database).unwrap()] {
            assert_eq!(halt.height(), None);
        }
        database.insert_aux(&[(KEY, &[1u8, 2][..])], &[]).unwrap();
        assert!(Halt::load(&database).is_err());
    }
}
