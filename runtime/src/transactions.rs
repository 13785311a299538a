//! The shape of transactions.
//!
//! Extensions that wallets know stand in the order of the SDK's own runtimes. One that
//! they do not know is taken to have no effect on what is signed, as Polkadot.js says when
//! it meets one; so our own have neither a payload nor implicit data.
//!
//! `CheckRate` is to wallets `CheckNonce`, which it contains, and `ChargeFees` is
//! `ChargeTransactionPayment`: same names, same bytes.

use crate::{Address, Balance, Nonce, Runtime, RuntimeCall, Signature};
use frame_system::offchain::{
    CreateAuthorizedTransaction, CreateBare, CreateTransaction, CreateTransactionBase,
};
use sp_runtime::generic::{self, Era};

/// Charges the fee. To wallets it is the payment pallet's `ChargeTransactionPayment`.
pub type ChargeFees = pallet_rewards::ChargeFees<Runtime>;

/// What is checked and charged around each transaction, in this order. A tuple has at
/// most 12 members; one more goes into a tuple inside, which changes nothing outside.
pub type TxExtension = (
    frame_system::AuthorizeCall<Runtime>,
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    pallet_rate_limit::CheckRate<Runtime>,
    pallet_rate_limit::CheckGas<Runtime>,
    frame_system::CheckWeight<Runtime>,
    ChargeFees,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    (
        pallet_reputation::RecordActivity<Runtime>,
        pallet_recovery::NoteOutcome<Runtime>,
        frame_system::WeightReclaim<Runtime>,
    ),
);

/// A transaction as it stands in a block.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// What a wallet signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

impl<LocalCall> CreateTransactionBase<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    type Extrinsic = UncheckedExtrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<LocalCall> CreateTransaction<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    type Extension = TxExtension;

    fn create_transaction(call: RuntimeCall, extension: TxExtension) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_transaction(call, extension)
    }
}

impl<LocalCall> CreateBare<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_bare(call)
    }
}

/// For calls that carry their own authorisation (relay votes and pages): nobody
/// signs the transaction and nobody pays.
impl<LocalCall> CreateAuthorizedTransaction<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    fn create_extension() -> TxExtension {
        extension(0, 0)
    }
}

/// The extensions of a transaction that is valid for ever, with this nonce and tip.
pub(crate) fn extension(nonce: Nonce, tip: Balance) -> TxExtension {
    (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        pallet_rate_limit::CheckRate::from(nonce),
        pallet_rate_limit::CheckGas::new(),
        frame_system::CheckWeight::new(),
        ChargeFees::from(tip),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        (
            pallet_reputation::RecordActivity::new(),
            pallet_recovery::NoteOutcome::new(),
            frame_system::WeightReclaim::new(),
        ),
    )
}

/// The tip of a transaction with these extensions.
pub(crate) fn tip_of(extension: &TxExtension) -> Balance {
    extension.9.tip()
}
