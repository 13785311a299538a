//! Accounts whose coins one wallet has spent together on L1 count as one entity's (R22.2).
//!
//! Anybody reports an L1 transaction that two keys signed, with the proof that it was mined
//! ([`CommonInputsProof`]); the chain checks it alone. The accounts are those that hold the
//! keys: that have proven their addresses at any time, so that linking another address
//! later does not help, or whose own key it is. Both must sequence or want to.
//!
//! Who held two keys at once held them for good, so a cluster does not end by itself, and
//! it is transitive: whoever is in a cluster with two is one with both. What follows is
//! mild: its accounts share the seats and the weight of one entity (R22.3). Nothing is
//! taken from them.
//!
//! Nobody is framed by others: every account in a cluster has signed. Who was tricked into
//! signing a transaction with somebody else can ask governance, which
//! [lifts](Pallet::lift_common_inputs) it and the transaction with it.

use crate::{
    links::Groups,
    pallet::{
        ActiveSequencers, Candidates, Clusters, Config, Elected, Error, LiftedTransactions,
        Members, Pallet,
    },
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{common_inputs::CommonInputsProof, signed_message::key_hash, L1Hash},
    relay::L1Chance,
    reputation::L1AddressProvider,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{ensure, BoundedVec};
use scale_info::TypeInfo;
use sp_core::{ecdsa, ConstU32, H160};
use sp_io::crypto::secp256k1_ecdsa_recover_compressed;
use sp_runtime::{traits::IdentifyAccount, MultiSigner};

/// Accounts in clusters. More than can sequence or be candidates at once, so that there is
/// always one to forget that does neither.
pub const MAX_CLUSTERED: u32 = 512;
/// Transactions that governance has lifted; older ones are in blocks that are forgotten, or
/// soon will be.
pub const MAX_LIFTED: u32 = 64;

/// An account that is one wallet's with others.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Clustered {
    /// The account.
    pub account: AccountId,
    /// All with this number are one wallet's.
    pub cluster: u32,
}

/// All accounts in clusters, the one that came first first.
pub type ClusterList = BoundedVec<Clustered, ConstU32<MAX_CLUSTERED>>;

fn cluster_of(list: &[Clustered], account: &AccountId) -> Option<u32> {
    list.iter().find(|one| one.account == *account).map(|one| one.cluster)
}

/// Makes two accounts, and all that are in clusters with them, one wallet's. Of those that
/// `matters` says nothing for the first are forgotten, where there is no room; there MUST be
/// fewer than [`MAX_CLUSTERED`] others.
pub(crate) fn join(
    list: &mut ClusterList,
    first: &AccountId,
    second: &AccountId,
    matters: impl Fn(&AccountId) -> bool,
) {
    let known = [first, second].map(|account| cluster_of(list, account));
    let cluster = match known {
        [Some(one), Some(other)] => one.min(other),
        [Some(one), None] | [None, Some(one)] => one,
        [None, None] => {
            let used: BTreeSet<u32> = list.iter().map(|one| one.cluster).collect();
            // There are more numbers than accounts.
            (0..=MAX_CLUSTERED).find(|number| !used.contains(number)).unwrap_or(MAX_CLUSTERED)
        }
    };
    for one in list.iter_mut().filter(|one| known.contains(&Some(one.cluster))) {
        one.cluster = cluster;
    }
    for (account, known) in [first, second].into_iter().zip(known) {
        if known.is_some() {
            continue;
        }
        if list.is_full() {
            let free = |one: &Clustered| {
                one.account != *first && one.account != *second && !matters(&one.account)
            };
            if let Some(place) = list.iter().position(free) {
                list.remove(place);
            }
        }
        let _ = list.try_push(Clustered { account: account.clone(), cluster });
    }
}

/// Takes an account out of its cluster, and the last one of it, too. Returns whether it was
/// in one.
pub(crate) fn leave(list: &mut ClusterList, account: &AccountId) -> bool {
    let Some(cluster) = cluster_of(list, account) else { return false };
    list.retain(|one| one.account != *account);
    if list.iter().filter(|one| one.cluster == cluster).count() == 1 {
        list.retain(|one| one.cluster != cluster);
    }
    true
}

/// Entities that are one wallet's, by the name of the smallest account among them.
#[derive(Debug, Default)]
pub(crate) struct Wallets(BTreeMap<AccountId, AccountId>);

impl Wallets {
    /// Of pairs: whoever is connected by any number of them is one.
    pub(crate) fn of(pairs: impl IntoIterator<Item = (AccountId, AccountId)>) -> Self {
        // Each names a smaller one of its own, the smallest nobody.
        let mut smaller: BTreeMap<AccountId, AccountId> = BTreeMap::new();
        for (one, other) in pairs {
            let ends = [&one, &other].map(|account| smallest(&smaller, account).clone());
            let [first, second] = &ends;
            let name = first.min(second).clone();
            // The pair itself, too, so that ways stay short where all are paired with one.
            for account in ends.into_iter().chain([one, other]) {
                if account != name {
                    smaller.insert(account, name.clone());
                }
            }
        }
        let mut names: BTreeMap<AccountId, AccountId> = BTreeMap::new();
        // In their order, so that whom they name is named already.
        for (account, next) in smaller {
            let name = names.get(&next).cloned().unwrap_or(next);
            names.insert(account, name);
        }
        Self(names)
    }

    /// The one that an entity is part of; itself, if it is none's.
    pub(crate) fn name(&self, entity: AccountId) -> AccountId {
        self.0.get(&entity).cloned().unwrap_or(entity)
    }
}

fn smallest<'a>(
    smaller: &'a BTreeMap<AccountId, AccountId>,
    account: &'a AccountId,
) -> &'a AccountId {
    let mut smallest = account;
    // It shrinks with each step, so this ends.
    while let Some(next) = smaller.get(smallest) {
        smallest = next;
    }
    smallest
}

/// Who is one entity, by all that is known: what accounts declare, their wallets on L1, and
/// links.
pub(crate) struct KnownEntities {
    wallets: Wallets,
    groups: Groups,
}

impl KnownEntities {
    /// The name of an entity that an account [declares](Pallet::entity_of).
    pub(crate) fn name(&self, declared: AccountId) -> AccountId {
        self.groups.name(self.wallets.name(declared))
    }
}

impl<T: Config> Pallet<T> {
    /// The entities of some accounts; each by the name of one of its accounts.
    pub fn entities(accounts: &[AccountId]) -> Vec<AccountId> {
        let known = Self::known_entities();
        accounts.iter().map(|account| known.name(Self::entity_of(account))).collect()
    }

    pub(crate) fn known_entities() -> KnownEntities {
        let wallets = Self::wallets();
        let groups = Self::groups(&wallets);
        KnownEntities { wallets, groups }
    }

    /// What common inputs make one, with whom its accounts declare to belong to: a
    /// controller that stands behind one of a cluster is one with the cluster.
    pub(crate) fn wallets() -> Wallets {
        let mut firsts: BTreeMap<u32, AccountId> = BTreeMap::new();
        let mut pairs = Vec::new();
        for Clustered { account, cluster } in Clusters::<T>::get() {
            let first = firsts.entry(cluster).or_insert_with(|| account.clone());
            pairs.push((first.clone(), account.clone()));
            pairs.push((Self::entity_of(&account), account));
        }
        Wallets::of(pairs)
    }

    /// Names the entities of the set in force anew.
    pub(crate) fn name_entities() {
        let known = Self::known_entities();
        ActiveSequencers::<T>::mutate(|active| {
            for one in active.iter_mut() {
                one.entity = known.name(Self::entity_of(&one.account));
            }
        });
    }

    pub(crate) fn do_report_common_inputs(
        first: &AccountId,
        second: &AccountId,
        proof: &CommonInputsProof,
    ) -> Result<L1Hash, Error<T>> {
        ensure!(first != second, Error::<T>::NoPair);
        ensure!([first, second].into_iter().all(Self::stands), Error::<T>::NotASequencer);
        let mut clusters = Clusters::<T>::get();
        let of = |account: &AccountId| cluster_of(&clusters, account);
        ensure!(of(first).is_none() || of(first) != of(second), Error::<T>::KnownAlready);
        let inclusion = &proof.inclusion;
        let txid = inclusion.txid();
        ensure!(!LiftedTransactions::<T>::get().contains(&txid), Error::<T>::Lifted);
        let applied = T::Chance::hash_at(inclusion.height);
        ensure!(applied == Some(inclusion.block()), Error::<T>::UnknownL1Block);
        let recover = |signature: &[u8; 65], digest: &[u8; 32]| {
            secp256k1_ecdsa_recover_compressed(signature, digest).ok()
        };
        let keys = proof.check(recover).map_err(|_| Error::<T>::NotProven)?;
        let mut pairs = [first, second].into_iter().zip(&keys);
        let theirs = pairs.all(|(account, spend)| Self::holds_key(account, &spend.key));
        ensure!(theirs, Error::<T>::NotTheirKeys);
        let members = Self::appointed_or_seated();
        join(&mut clusters, first, second, |account| {
            members.contains(account) || Candidates::<T>::contains_key(account)
        });
        Clusters::<T>::put(clusters);
        Ok(txid)
    }

    pub(crate) fn do_lift_common_inputs(account: &AccountId, txid: L1Hash) -> Result<(), Error<T>> {
        Clusters::<T>::try_mutate(|clusters| {
            leave(clusters, account).then_some(()).ok_or(Error::<T>::NotClustered)
        })?;
        LiftedTransactions::<T>::mutate(|lifted| {
            if lifted.contains(&txid) {
                return;
            }
            if lifted.is_full() {
                lifted.remove(0);
            }
            let _ = lifted.try_push(txid);
        });
        Ok(())
    }

    /// Whether an account holds a key of L1, as far as the chain knows: it has proven the
    /// key's address at some time, or it is the key's own account.
    pub fn holds_key(account: &AccountId, key: &ecdsa::Public) -> bool {
        MultiSigner::Ecdsa(*key).into_account() == *account
            || T::L1Addresses::has_proven(account, &H160(key_hash(&key.0)))
    }

    /// Whether an account sequences, or wants to.
    fn stands(account: &AccountId) -> bool {
        Candidates::<T>::contains_key(account) || Self::appointed_or_seated().contains(account)
    }

    /// Members, the elected, and the set in force.
    fn appointed_or_seated() -> BTreeSet<AccountId> {
        let members = Members::<T>::get().into_iter().chain(Elected::<T>::get());
        let members = members.map(|member| member.account);
        let active = ActiveSequencers::<T>::get().into_iter().map(|active| active.account);
        members.chain(active).collect()
    }
}
