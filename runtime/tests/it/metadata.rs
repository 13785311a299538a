//! What clients learn about the runtime.

use crate::chain::Chain;
use cascoin_l2_runtime::{Runtime, RuntimeCall, TxExtension, VERSION};
use codec::Encode;
use frame_system::offchain::CreateAuthorizedTransaction;
use sp_core::storage::StateVersion;
use sp_runtime::traits::TransactionExtension;

#[test]
fn metadata_is_served_in_versions_14_to_16() {
    let mut chain = Chain::of("dev");
    chain.read(|| {
        for version in 14..=16 {
            assert!(Runtime::metadata_versions().contains(&version), "{version}");
            let metadata = Runtime::metadata_at_version(version).expect("it is listed");
            assert_eq!(metadata[..5], [b'm', b'e', b't', b'a', version as u8]);
        }
    });
}

/// Wallets sign what these add, in this order; a change breaks them all. Our own add
/// nothing, so that wallets need not know them.
#[test]
fn transactions_have_the_extensions_that_wallets_know() {
    for own in <TxExtension as TransactionExtension<RuntimeCall>>::metadata() {
        if ["RecordActivity", "NoteOutcome"].contains(&own.identifier) {
            let empty = |ty: &scale_info::MetaType| match ty.type_info().type_def {
                // What a phantom marks is not among the fields.
                scale_info::TypeDef::Composite(composite) => composite.fields.is_empty(),
                scale_info::TypeDef::Tuple(tuple) => tuple.fields.is_empty(),
                _ => false,
            };
            assert!(empty(&own.ty) && empty(&own.implicit), "{} adds something", own.identifier);
        }
    }
    let identifiers: Vec<_> = <TxExtension as TransactionExtension<RuntimeCall>>::metadata()
        .into_iter()
        .map(|extension| extension.identifier)
        .collect();
    assert_eq!(
        identifiers,
        [
            "AuthorizeCall",
            "CheckNonZeroSender",
            "CheckSpecVersion",
            "CheckTxVersion",
            "CheckGenesis",
            "CheckMortality",
            "CheckNonce",
            "CheckGas",
            "CheckWeight",
            "ChargeTransactionPayment",
            "CheckMetadataHash",
            "RecordActivity",
            "NoteOutcome",
            "WeightReclaim",
        ]
    );
}

/// A client that does not know an extension must lose nothing by ignoring it: all that
/// is in a transaction and in what is signed belongs to those that all clients know.
#[test]
fn no_other_extension_adds_a_byte() {
    type Relay = pallet_l1_relay::Call<Runtime>;
    let extension = <Runtime as CreateAuthorizedTransaction<Relay>>::create_extension();
    // Mortality, nonce, tip, and whether the metadata's hash is signed.
    assert_eq!(extension.encode(), [0, 0, 0, 0]);
    let mut chain = Chain::of("dev");
    chain.grow(vec![]);
    let implicit = chain.read(|| {
        TransactionExtension::<RuntimeCall>::implicit(&extension).expect("there is a genesis")
    });
    // Two versions, twice the genesis, no metadata hash.
    assert_eq!(implicit.encode().len(), 4 + 4 + 32 + 32 + 1);
}

#[test]
fn the_version_says_what_light_clients_rely_on() {
    assert_eq!(VERSION.spec_name, "cascoin-l2");
    assert_eq!(VERSION.state_version(), StateVersion::V1);
    assert_eq!(VERSION.extrinsics_root_state_version(), StateVersion::V0);
}

#[test]
fn addresses_have_the_generic_prefix() {
    use frame_support::traits::Get;
    let prefix: u16 = <Runtime as frame_system::Config>::SS58Prefix::get();
    assert_eq!(prefix, 42);
}
