//! The state of the model: honest nodes, and with them the network.
//!
//! The network is the set of all messages ever sent. It needs no state of its own: the honest part
//! is what the nodes' logs hold, the Byzantine part is everything a Byzantine node can say, from
//! the start. Delivery is a choice and takes nothing out of the set, so loss, delay, reordering,
//! duplication, partitions and Byzantine favouritism are all in it.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::Arc,
};

use cascoin_bft::*;

use super::{
    node::{Broken, Node},
    setting::Setting,
};

#[derive(Clone, Debug)]
pub struct World {
    /// Behind `Arc` because a step changes one of them.
    pub nodes: Vec<Arc<Node>>,
}

impl World {
    pub fn new(setting: &Setting) -> Self {
        let honest = (0..setting.honest).map(SequencerIndex);
        Self { nodes: honest.map(|me| Arc::new(Node::new(setting, me).projected())).collect() }
    }

    /// The world after a node changed, with its certificate judged if it has just decided.
    pub fn with(&self, setting: &Setting, mut node: Arc<Node>) -> Self {
        if node.disk.decision.is_some() && !self.certifies(setting, &node) {
            Arc::make_mut(&mut node).broken.insert(Broken::Certificate);
            node = Arc::new(Node::clone(&node).projected());
        }
        let mut nodes = self.nodes.clone();
        let place = usize::from(node.me.0);
        nodes[place] = node;
        Self { nodes }
    }

    /// Whether all honest signers of the node's decision really cast that precommit.
    fn certifies(&self, setting: &Setting, node: &Node) -> bool {
        let Some((round, block)) = node.disk.decision else { return true };
        let cast = |signer: &SequencerIndex| {
            let disk = match &self.nodes[usize::from(signer.0)] {
                _ if *signer == node.me => &node.disk,
                peer => &peer.disk,
            };
            disk.votes.get(&(round, VoteKind::Precommit)) == Some(&Some(block))
        };
        node.signers.iter().filter(|signer| setting.is_honest(**signer)).all(cast)
    }

    /// Who among the honest sent this vote.
    pub fn voters(
        &self,
        round: Round,
        kind: VoteKind,
        block: Option<BlockId>,
    ) -> impl Iterator<Item = SequencerIndex> + '_ {
        self.nodes
            .iter()
            .filter(move |node| node.disk.votes.get(&(round, kind)) == Some(&block))
            .map(|node| node.me)
    }

    /// Every proposal that can be heard.
    pub fn proposals(&self, setting: &Setting) -> Vec<Proposal> {
        let honest = self.nodes.iter().flat_map(|node| node.disk.proposals.values().copied());
        honest.chain(setting.lies()).collect()
    }

    // ---- what must hold ---------------------------------------------------------------------

    pub fn decisions(&self) -> impl Iterator<Item = (Round, BlockId)> + '_ {
        self.nodes.iter().filter_map(|node| node.disk.decision)
    }

    /// No two honest nodes decide different blocks.
    pub fn agrees(&self) -> bool {
        let mut blocks = self.decisions().map(|(_, block)| block);
        let first = blocks.next();
        blocks.all(|block| Some(block) == first)
    }

    /// Only blocks that are valid and that somebody proposed are voted for, locked or decided.
    pub fn is_valid(&self, setting: &Setting) -> bool {
        let proposed =
            |block: BlockId| self.proposals(setting).iter().any(|proposal| proposal.block == block);
        let locked = self.nodes.iter().filter_map(|node| node.core.locked());
        let voted = self.nodes.iter().flat_map(|node| node.disk.votes.values().flatten().copied());
        let mut blocks = self.decisions().chain(locked).map(|(_, block)| block).chain(voted);
        blocks.all(|block| Setting::is_valid(block) && proposed(block))
    }

    pub fn never(&self, rule: Broken) -> bool {
        !self.nodes.iter().any(|node| node.broken.contains(&rule))
    }

    pub fn all_decided(&self) -> bool {
        self.nodes.iter().all(|node| node.disk.decision.is_some())
    }

    /// Somebody is locked on one block and another block is decided.
    pub fn a_lock_was_overruled(&self) -> bool {
        let decided = self.decisions().map(|(_, block)| block).collect::<Vec<_>>();
        let mut locks = self.nodes.iter().filter_map(|node| node.disk.lock);
        locks.any(|(_, block)| decided.iter().any(|other| *other != block))
    }

    // ---- which states are the same ----------------------------------------------------------

    /// The state but for what `reduced` shows not to matter, as one number.
    ///
    /// Two symmetries are divided out: honest nodes that lead no round are interchangeable, and so
    /// are the two good blocks.
    pub fn projection(&self, setting: &Setting) -> u64 {
        [0, 1].map(|naming| self.named(setting, naming)).into_iter().min().unwrap_or_default()
    }

    fn named(&self, setting: &Setting, naming: usize) -> u64 {
        let leads = |node: &&Arc<Node>| setting.leaders.contains(&node.me.0);
        let hash = |node: &Arc<Node>| node.projections[naming];
        let leaders = self.nodes.iter().filter(leads).map(hash).collect::<Vec<_>>();
        let mut others =
            self.nodes.iter().filter(|node| !leads(node)).map(hash).collect::<Vec<_>>();
        others.sort_unstable();
        let mut hasher = DefaultHasher::new();
        (leaders, others).hash(&mut hasher);
        hasher.finish()
    }
}
