//! The little that a block explorer wants to know of a transaction.

use cascoin_l2_primitives::chain::AccountId;
use cascoin_l2_runtime::{RuntimeCall, UncheckedExtrinsic};
use codec::{Decode, Encode};
use frame_support::traits::GetCallMetadata;
use sp_runtime::{generic::Preamble, MultiAddress};

/// What can be told of an encoded transaction. Empty for one that this node's own
/// runtime version cannot read (a block made before or after an upgrade).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// `signed`, `general` (carries its own authorization) or `inherent`.
    pub kind: Option<&'static str>,
    /// Who signed it.
    pub signer: Option<AccountId>,
    /// Name of the pallet.
    pub pallet: Option<String>,
    /// Name of the call.
    pub call: Option<String>,
    /// Both as indices.
    pub index: Option<(u8, u8)>,
}

/// Reads an encoded transaction with this node's own runtime types.
pub fn describe(transaction: &[u8]) -> Described {
    let Ok(transaction) = UncheckedExtrinsic::decode(&mut &transaction[..]) else {
        return Described::default();
    };
    let (kind, signer) = match &transaction.preamble {
        Preamble::Bare(_) => ("inherent", None),
        Preamble::Signed(address, ..) => match address {
            MultiAddress::Id(account) => ("signed", Some(account.clone())),
            _ => ("signed", None),
        },
        Preamble::General(..) => ("general", None),
    };
    let call: &RuntimeCall = &transaction.function;
    let metadata = call.get_call_metadata();
    let encoded = call.encode();
    Described {
        kind: Some(kind),
        signer,
        pallet: Some(metadata.pallet_name.to_owned()),
        call: Some(metadata.function_name.to_owned()),
        index: encoded.first().copied().zip(encoded.get(1).copied()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::chain::OpaqueBlock;
    use proptest::prelude::*;
    use sp_runtime::traits::Block;

    #[test]
    fn a_transaction_is_read_as_a_block_stores_it() {
        let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![1, 2, 3] });
        let encoded = UncheckedExtrinsic::new_bare(call).encode();
        // Blocks hold it as opaque bytes; encoding those again must not change it.
        let opaque = <OpaqueBlock as Block>::Extrinsic::decode(&mut &encoded[..]).expect("bytes");
        assert_eq!(opaque.encode(), encoded);
        let described = describe(&opaque.encode());
        assert_eq!(described.kind, Some("inherent"));
        assert_eq!(described.signer, None);
        assert_eq!(described.pallet.as_deref(), Some("System"));
        assert_eq!(described.call.as_deref(), Some("remark"));
        assert_eq!(described.index, Some((0, 0)));
    }

    proptest! {
        #[test]
        fn unreadable_bytes_are_described_as_nothing_or_something(bytes: Vec<u8>) {
            let described = describe(&bytes);
            prop_assert_eq!(described.kind.is_some(), described.index.is_some());
        }
    }
}
