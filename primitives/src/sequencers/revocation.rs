//! The key with which a sequencer's session keys are revoked on L1 (R30.5), and how it
//! changes: pure.
//!
//! The first key counts at once. Whoever steals the account could name another one
//! before its owner notices; so a change takes a while, in which the old key still
//! counts. Its owner sees the change coming, and revoking takes it back.

use crate::chain::BlockNumber;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H160;

/// The revocation key of an account.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct RevocationKey {
    /// HASH160 of a compressed secp256k1 key; `None` if there is none.
    pub key: Option<H160>,
    /// What it changes to.
    pub change: Option<RevocationKeyChange>,
}

/// A change to come, or one that has come and is not written down yet.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct RevocationKeyChange {
    /// The key afterwards; `None` for none.
    pub key: Option<H160>,
    /// The first block in which it counts.
    pub from: BlockNumber,
}

impl RevocationKey {
    /// How it stands in block `now`.
    pub fn at(self, now: BlockNumber) -> Self {
        match self.change {
            Some(change) if change.from <= now => Self { key: change.key, change: None },
            _ => self,
        }
    }

    /// How it stands after its account has named `key` in block `now`, where a change
    /// takes `delay` blocks: at once if there is no key, later if there is one. Naming
    /// the key that counts takes a change back.
    pub fn named(self, key: Option<H160>, now: BlockNumber, delay: BlockNumber) -> Self {
        let current = self.at(now).key;
        if current.is_none() || current == key {
            return Self { key, change: None };
        }
        let change = RevocationKeyChange { key, from: now.saturating_add(delay) };
        Self { key: current, change: Some(change) }
    }

    /// Without the change that was to come.
    pub fn kept(self, now: BlockNumber) -> Self {
        Self { change: None, ..self.at(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OWN: Option<H160> = Some(H160([1; 20]));
    const THIEFS: Option<H160> = Some(H160([2; 20]));

    #[test]
    fn r30_5_the_first_key_counts_at_once_and_another_one_later() {
        let named = RevocationKey::default().named(OWN, 10, 100);
        assert_eq!(named, RevocationKey { key: OWN, change: None });
        let changed = named.named(THIEFS, 20, 100);
        assert_eq!(changed.at(119).key, OWN);
        assert_eq!(changed.at(120), RevocationKey { key: THIEFS, change: None });
        let removed = named.named(None, 20, 100);
        assert_eq!((removed.at(119).key, removed.at(120).key), (OWN, None));
        assert_eq!(removed.at(120), RevocationKey::default());
    }

    #[test]
    fn r30_5_a_change_is_taken_back_by_its_owner_and_begins_anew_with_each_naming() {
        let changed = RevocationKey::default().named(OWN, 10, 100).named(THIEFS, 20, 100);
        assert_eq!(changed.named(OWN, 119, 100), RevocationKey { key: OWN, change: None });
        assert_eq!(changed.kept(119), RevocationKey { key: OWN, change: None });
        // Too late.
        assert_eq!(changed.kept(120).key, THIEFS);
        assert_eq!(changed.named(None, 100, 100).at(199).key, OWN);
    }

    proptest! {
        /// Whatever is named when: once there is a key, it counts for as many blocks as a
        /// change takes after the account first named another one.
        #[test]
        fn r30_5_no_naming_shortens_the_time_of_the_key_that_counts(
            names in prop::collection::vec((0u8..4, 0u32..60), 1..20),
            delay in 1u32..100,
        ) {
            let (mut now, mut standing) = (0u32, RevocationKey::default());
            // Since when another key than the one that counts has been asked for.
            let mut asked: Option<u32> = None;
            for (name, passes) in names {
                for _ in 0..passes {
                    let before = standing.at(now).key;
                    now += 1;
                    if standing.at(now).key != before {
                        let since = asked.take().expect("nothing changes unasked");
                        prop_assert!(before.is_none() || now >= since + delay);
                    }
                }
                let before = standing.at(now).key;
                let key = (name > 0).then(|| H160([name; 20]));
                standing = standing.named(key, now, delay);
                let after = standing.at(now).key;
                prop_assert!(before.is_none() || after == before, "a key that counts went at once");
                match standing.change {
                    Some(_) if asked.is_none() => asked = Some(now),
                    Some(_) => (),
                    None => asked = None,
                }
            }
        }
    }
}
