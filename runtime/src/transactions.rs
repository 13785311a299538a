//! The shape of transactions.
//!
//! Extensions that wallets know stand in the order of the SDK's own runtimes. Our own
//! add nothing to what is signed nor to what is sent, so a wallet that does not know
//! them makes the same transactions as one that does (Polkadot.js warns of them).

use crate::{Address, Runtime, RuntimeCall, Signature};
use frame_system::offchain::{
    CreateAuthorizedTransaction, CreateBare, CreateTransaction, CreateTransactionBase,
};
use sp_runtime::generic::{self, Era};

/// What is checked and charged around each transaction, in this order.
pub type TxExtension = (
    frame_system::AuthorizeCall<Runtime>,
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    pallet_reputation::RecordActivity<Runtime>,
    frame_system::WeightReclaim<Runtime>,
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
        (
            frame_system::AuthorizeCall::new(),
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            frame_system::CheckEra::from(Era::Immortal),
            frame_system::CheckNonce::from(0),
            frame_system::CheckWeight::new(),
            pallet_transaction_payment::ChargeTransactionPayment::from(0),
            frame_metadata_hash_extension::CheckMetadataHash::new(false),
            pallet_reputation::RecordActivity::new(),
            frame_system::WeightReclaim::new(),
        )
    }
}
