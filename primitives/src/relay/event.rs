//! What L1 tells L2.

use crate::l1::{burn, OutPoint};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// One event of an L1 block, in the order of its outputs.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum L1Event {
    /// An output marked `L2BURN`. Whether it is valid is judged on L2
    /// ([`burn::judge`]), so that the reason for a rejection is on record.
    #[codec(index = 0)]
    Burn {
        /// The output.
        outpoint: OutPoint,
        /// Its value in L1 units: what it destroys.
        value: u64,
        /// Its payload, cut after [`burn::MAX_KEPT_PAYLOAD`] bytes.
        payload: BoundedVec<u8, ConstU32<{ burn::MAX_KEPT_PAYLOAD }>>,
    },
}
