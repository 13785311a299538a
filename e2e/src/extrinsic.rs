//! Signed transactions, built from the runtime's own types.

use crate::{
    error::{Error, Result},
    rpc::RpcClient,
};
use cascoin_l2_primitives::chain::{AccountId, Balance, Nonce};
use cascoin_l2_runtime::{ChargeFees, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic};
use codec::Encode;
use serde_json::{json, Value};
use sp_core::{ecdsa, sr25519, Pair, H256};
use sp_runtime::{
    generic::Era, traits::IdentifyAccount, MultiAddress, MultiSignature, MultiSigner,
};

/// What every signature on a chain covers besides the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningContext {
    /// The chain.
    pub genesis: H256,
    /// Of its runtime.
    pub spec_version: u32,
    /// Of its runtime.
    pub transaction_version: u32,
}

impl SigningContext {
    /// Asks a node.
    ///
    /// # Errors
    /// [`Error::Rpc`], [`Error::Transport`]; [`Error::Other`] if the answer is
    /// not what Substrate gives.
    pub fn of(rpc: &RpcClient) -> Result<Self> {
        let genesis = hash(&rpc.call("chain_getBlockHash", json!([0]))?)?;
        let version = rpc.call("state_getRuntimeVersion", json!([]))?;
        let field = |name: &str| {
            version[name]
                .as_u64()
                .and_then(|value| u32::try_from(value).ok())
                .ok_or_else(|| Error::other(format!("no {name} in {version}")))
        };
        Ok(Self {
            genesis,
            spec_version: field("specVersion")?,
            transaction_version: field("transactionVersion")?,
        })
    }

    /// Signs `call`; the transaction never expires.
    pub fn sign(
        &self,
        call: RuntimeCall,
        signer: &sr25519::Pair,
        nonce: Nonce,
    ) -> UncheckedExtrinsic {
        let by = |payload: &[u8]| MultiSignature::Sr25519(signer.sign(payload));
        self.sign_by(call, account(signer), nonce, by)
    }

    /// As [`Self::sign`], with a key of L1's kind ([`key_account`]).
    pub fn sign_with_key(
        &self,
        call: RuntimeCall,
        signer: &ecdsa::Pair,
        nonce: Nonce,
    ) -> UncheckedExtrinsic {
        let by = |payload: &[u8]| MultiSignature::Ecdsa(signer.sign(payload));
        self.sign_by(call, key_account(signer), nonce, by)
    }

    fn sign_by(
        &self,
        call: RuntimeCall,
        signer: AccountId,
        nonce: Nonce,
        by: impl FnOnce(&[u8]) -> MultiSignature,
    ) -> UncheckedExtrinsic {
        let extension: TxExtension = (
            frame_system::AuthorizeCall::new(),
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            frame_system::CheckEra::from(Era::Immortal),
            pallet_rate_limit::CheckRate::from(nonce),
            pallet_rate_limit::CheckGas::new(),
            frame_system::CheckWeight::new(),
            ChargeFees::from(0),
            frame_metadata_hash_extension::CheckMetadataHash::new(false),
            (
                pallet_reputation::RecordActivity::new(),
                pallet_recovery::NoteOutcome::new(),
                frame_system::WeightReclaim::new(),
            ),
        );
        let implicit = (
            (),
            (),
            self.spec_version,
            self.transaction_version,
            self.genesis,
            self.genesis,
            (),
            (),
            (),
            (),
            None,
            ((), (), ()),
        );
        let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
        let signature = payload.using_encoded(by);
        UncheckedExtrinsic::new_signed(call, MultiAddress::Id(signer), signature, extension)
    }
}

/// The sr25519 pair of a development derivation path such as `//Demo`.
///
/// # Errors
/// [`Error::Other`] if the path is malformed.
pub fn dev_pair(path: &str) -> Result<sr25519::Pair> {
    sr25519::Pair::from_string(path, None)
        .map_err(|error| Error::other(format!("{path}: {error:?}")))
}

/// A pair's account.
pub fn account(pair: &sr25519::Pair) -> AccountId {
    MultiSigner::Sr25519(pair.public()).into_account()
}

/// The account of a key of L1's kind.
pub fn key_account(pair: &ecdsa::Pair) -> AccountId {
    MultiSigner::Ecdsa(pair.public()).into_account()
}

/// The call that sends `amount` units to `to`.
pub fn transfer(to: &AccountId, amount: Balance) -> RuntimeCall {
    RuntimeCall::Balances(pallet_balances::Call::transfer_allow_death {
        dest: MultiAddress::Id(to.clone()),
        value: amount,
    })
}

/// A transaction as nodes take it.
pub fn hex(extrinsic: &UncheckedExtrinsic) -> String {
    format!("0x{}", hex::encode(extrinsic.encode()))
}

/// Submits a transaction; its hash.
///
/// # Errors
/// [`Error::Rpc`] if the pool refuses it, [`Error::Transport`].
pub fn submit(rpc: &RpcClient, extrinsic: &UncheckedExtrinsic) -> Result<H256> {
    hash(&rpc.call("author_submitExtrinsic", json!([hex(extrinsic)]))?)
}

/// The nonce of an account's next transaction, the pool's included.
///
/// # Errors
/// [`Error::Rpc`], [`Error::Transport`].
pub fn next_nonce(rpc: &RpcClient, of: &AccountId) -> Result<Nonce> {
    let nonce = rpc.call("system_accountNextIndex", json!([of.to_string()]))?;
    nonce
        .as_u64()
        .and_then(|nonce| Nonce::try_from(nonce).ok())
        .ok_or_else(|| Error::other(format!("not a nonce: {nonce}")))
}

/// A 32-byte hash as nodes print it.
///
/// # Errors
/// [`Error::Other`] if it is none.
pub fn hash(value: &Value) -> Result<H256> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::other(format!("not a block hash: {value}")))
}
