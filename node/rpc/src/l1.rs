//! What the methods need of L1: this node's own view of it, and its wallet.
//!
//! Nothing here is agreed on by the network. Another node with another L1 node
//! may see more or less of the burns that are not applied yet.

use cascoin_l1::{
    burn::{self, BurnError, SentBurn, UnconfirmedBurn, UnsignedBurn},
    follower::{CatchUp, ForkFromAttested, L1Status},
    forced_block::{self, ForcedInBlock, ForcedInBlockError},
    forced_tx::{self, ForcedOrder, ForcedTxError, SentForced},
    inclusion::{self, InclusionError},
    registration_tx::{self, RegistrationOrder, SentRegistration},
    stake_tx::{self, ReleasedStake, SentStake, StakeOrder, StakeTxError, UnsignedStake},
    ClientConfig, FollowerHandle, L1Client, L1Error, SeenBurn,
};
use cascoin_l2_primitives::l1::{burn::BurnPayload, inclusion::InclusionProof, L1Hash, OutPoint};
use parking_lot::Mutex;
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// This node's L1 node, as the follower saw it last. Without its address and the
/// words of its errors, which are the operator's business (they are in the log).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct L1Summary {
    /// Whether the last look at it succeeded.
    pub connected: bool,
    /// Kind of the last look's error.
    pub error: Option<&'static str>,
    /// Whether it is behind its own network.
    pub syncing: bool,
    /// Height of its tip; `None` before the first answer.
    pub tip_height: Option<u32>,
    /// Highest block deep enough to be voted for.
    pub readable_height: Option<u32>,
    /// Blocks that it is behind another L1 node of this operator, which showed
    /// `tip_height` before.
    pub blocks_behind: Option<u32>,
    /// Set while many of its blocks are still to be read.
    pub catch_up: Option<CatchUp>,
    /// Set while it contradicts what the sequencers attested.
    pub fork: Option<ForkFromAttested>,
}

impl From<L1Status> for L1Summary {
    fn from(status: L1Status) -> Self {
        Self {
            connected: status.connected,
            error: status.error_name,
            syncing: status.syncing,
            tip_height: status.tip_height,
            readable_height: status.readable_height,
            blocks_behind: status.blocks_behind,
            catch_up: status.catch_up,
            fork: status.fork,
        }
    }
}

/// L1 as the methods use it. `unconfirmed` and those that make transactions or proofs ask
/// the L1 node and block.
pub trait L1Access: Send + Sync + 'static {
    /// How the L1 node is doing.
    fn summary(&self) -> L1Summary;
    /// The marked outputs of one transaction, by position.
    fn seen(&self, txid: L1Hash) -> Vec<SeenBurn>;
    /// All marked outputs that L2 has not applied yet, or not long ago.
    fn recent(&self) -> Vec<SeenBurn>;
    /// The marked outputs of a transaction that waits in the L1 node's mempool;
    /// none if it is not there, L1 does not answer, or it is being asked already.
    fn unconfirmed(&self, txid: L1Hash) -> Vec<UnconfirmedBurn>;
    /// Looks at L1 now, and sends again what this node has to say of it and is not on
    /// chain yet.
    fn retry(&self);
    /// Makes a transaction of the L1 wallet that burns what the payload says.
    ///
    /// # Errors
    /// [`BurnError`].
    fn create_burn(&self, payload: &BurnPayload) -> Result<UnsignedBurn, BurnError>;
    /// Checks, signs and sends a burn for the chain `chain_id`.
    ///
    /// # Errors
    /// [`BurnError`].
    fn send_burn(&self, raw: &[u8], chain_id: u32) -> Result<SentBurn, BurnError>;
    /// Makes a transaction of the L1 wallet that locks stake.
    ///
    /// # Errors
    /// [`StakeTxError`].
    fn create_stake(&self, order: &StakeOrder) -> Result<UnsignedStake, StakeTxError>;
    /// Checks, signs and sends one for the chain `chain_id`.
    ///
    /// # Errors
    /// [`StakeTxError`].
    fn send_stake(&self, raw: &[u8], chain_id: u32) -> Result<SentStake, StakeTxError>;
    /// Gets back what a transaction of the L1 wallet locked.
    ///
    /// # Errors
    /// [`StakeTxError`].
    fn release_stake(&self, txid: L1Hash) -> Result<ReleasedStake, StakeTxError>;
    /// Puts a transaction of the layer 2 on L1, by two transactions of the L1 wallet.
    ///
    /// # Errors
    /// [`ForcedTxError`].
    fn force(&self, order: &ForcedOrder) -> Result<SentForced, ForcedTxError>;
    /// How deep and how old a forced transaction of the chain `chain_id` is, which the L1
    /// node reads from a whole block.
    ///
    /// # Errors
    /// [`ForcedInBlockError`].
    fn forced_in_block(
        &self,
        block: &L1Hash,
        txid: &L1Hash,
        chain_id: u32,
    ) -> Result<ForcedInBlock, ForcedInBlockError>;
    /// An output of the L1 wallet that a registration can begin with.
    ///
    /// # Errors
    /// [`StakeTxError`].
    fn registration_seed(&self) -> Result<OutPoint, StakeTxError>;
    /// Makes, signs and sends a transaction of the L1 wallet that registers a chain.
    ///
    /// # Errors
    /// [`StakeTxError`].
    fn register_chain(&self, order: &RegistrationOrder) -> Result<SentRegistration, StakeTxError>;
    /// Proves that a transaction is in a block, which the L1 node reads as a whole.
    ///
    /// # Errors
    /// [`InclusionError`].
    fn inclusion(&self, txid: &L1Hash, block: &L1Hash) -> Result<InclusionProof, InclusionError>;
}

/// The L1 node of this node's operator.
#[derive(Clone)]
pub struct L1Node {
    /// Asks it. Its time-outs and attempts decide how long a call may take.
    client: L1Client,
    /// Follows it.
    follower: FollowerHandle,
    /// Asks for what anybody may want to know: short, and one call at a time, so
    /// that callers cannot fill the L1 node's queue and starve the follower.
    public: Arc<Mutex<L1Client>>,
}

/// How long a call may take that anybody can cause.
const PUBLIC_TIMEOUT: Duration = Duration::from_secs(2);

impl L1Node {
    /// The node behind `config`, followed by `follower`.
    ///
    /// # Errors
    /// [`L1Error`] where the configuration is wrong.
    pub fn new(config: ClientConfig, follower: FollowerHandle) -> Result<Self, L1Error> {
        let public = ClientConfig { timeout: PUBLIC_TIMEOUT, attempts: 1, ..config.clone() };
        Ok(Self {
            client: L1Client::new(config)?,
            follower,
            public: Arc::new(Mutex::new(L1Client::new(public)?)),
        })
    }
}

impl L1Access for L1Node {
    fn summary(&self) -> L1Summary {
        self.follower.status().into()
    }

    fn seen(&self, txid: L1Hash) -> Vec<SeenBurn> {
        self.follower.seen_burns(&txid)
    }

    fn recent(&self) -> Vec<SeenBurn> {
        self.follower.recent_burns()
    }

    fn unconfirmed(&self, txid: L1Hash) -> Vec<UnconfirmedBurn> {
        let Some(client) = self.public.try_lock() else { return Vec::new() };
        burn::unconfirmed(&client, txid)
            .inspect_err(|error| log::debug!(target: "l2::rpc", "L1's mempool: {error}"))
            .unwrap_or_default()
    }

    fn retry(&self) {
        self.follower.retry();
    }

    fn create_burn(&self, payload: &BurnPayload) -> Result<UnsignedBurn, BurnError> {
        burn::create(&self.client, payload)
    }

    fn send_burn(&self, raw: &[u8], chain_id: u32) -> Result<SentBurn, BurnError> {
        burn::sign_and_send(&self.client, raw, chain_id)
    }

    fn create_stake(&self, order: &StakeOrder) -> Result<UnsignedStake, StakeTxError> {
        stake_tx::create(&self.client, order)
    }

    fn send_stake(&self, raw: &[u8], chain_id: u32) -> Result<SentStake, StakeTxError> {
        stake_tx::sign_and_send(&self.client, raw, chain_id)
    }

    fn release_stake(&self, txid: L1Hash) -> Result<ReleasedStake, StakeTxError> {
        stake_tx::release(&self.client, txid)
    }

    fn force(&self, order: &ForcedOrder) -> Result<SentForced, ForcedTxError> {
        forced_tx::send(&self.client, order)
    }

    fn forced_in_block(
        &self,
        block: &L1Hash,
        txid: &L1Hash,
        chain_id: u32,
    ) -> Result<ForcedInBlock, ForcedInBlockError> {
        forced_block::find(&self.client, block, txid, chain_id)
    }

    fn registration_seed(&self) -> Result<OutPoint, StakeTxError> {
        registration_tx::seed(&self.client)
    }

    fn register_chain(&self, order: &RegistrationOrder) -> Result<SentRegistration, StakeTxError> {
        registration_tx::register(&self.client, order)
    }

    fn inclusion(&self, txid: &L1Hash, block: &L1Hash) -> Result<InclusionProof, InclusionError> {
        inclusion::prove(&self.client, txid, block)
    }
}
