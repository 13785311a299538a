//! The Tendermint core of Cascoin L2: a pure state machine that decides one block a height.
//!
//! No clock, no I/O, no signatures, no randomness: [`Core::apply`] takes an [`Input`] and returns
//! the [`Output`]s to be done, in order. The caller owns keys, disk, network, timers, execution.
//! The same inputs give the same outputs on every machine, and the state is `Clone + Eq + Hash`, so
//! it can be simulated and model-checked. No input makes it panic.
//!
//! # Protocol
//!
//! Algorithm 1 of [arXiv:1807.04938](https://arxiv.org/abs/1807.04938); the line numbers in the
//! code are the paper's. `n` sequencers, each with one vote, of which `f = ⌊(n − 1)/3⌋`
//! ([`max_faulty`]) may be Byzantine; a quorum is `⌊2n/3⌋ + 1` ([`quorum`]). A *polka* is a quorum
//! of prevotes for one block in one round; it proves a lock.
//!
//! State of a height: round, step, `locked` and `valid` (each a round and a block).
//!
//! ### On entering a round
//! * Step propose; start the propose timer (the leader too: building may fail).
//! * The leader proposes `valid` with its round as the proof of lock, else has a block built and
//!   proposes that.
//!
//! ### On the leader's proposal, in step propose
//! * A first proposal (no `valid_round`): prevote it if it is valid and timely, and not at odds
//!   with the lock; else prevote nil.
//! * A re-proposal: once its polka is here, prevote it if it is valid and the lock is not later
//!   than the polka, or on the same block; else prevote nil.
//!
//! ### On prevotes of this round
//! * A polka for a valid block: it becomes `valid`; in step prevote also `locked`, and is
//!   precommitted.
//! * A quorum for nil, in step prevote: precommit nil.
//! * A quorum that does not agree, in step prevote: start the prevote timer.
//!
//! ### On precommits
//! * A quorum for a valid block, in any round: decide.
//! * A quorum of this round that does not agree: start the precommit timer; with a wait of 1 ms if
//!   nil has a quorum of both prevotes and precommits.
//!
//! ### On messages of higher rounds
//! * f + 1 senders in higher rounds: enter the highest round that all of them reached.
//!
//! ### On a timer of this round
//! * Propose, in step propose: prevote nil. Prevote, in step prevote: precommit nil. Precommit:
//!   enter the next round.
//!
//! After each input the rules run to a fixpoint, so none shadows another.
//!
//! # Where it departs from the paper
//!
//! * **Blocks go by hash.** The paper decides and locks on the proposal message and a quorum. Here
//!   the quorum is enough, once the caller has the block (fetched by hash if need be) and found it
//!   valid. That is safe because the block id commits to all of the block and its leader's seal,
//!   validity does not depend on the round, and a quorum for it holds f + 1 honest voters who did
//!   have a proposal (or a quorum that goes back to such). Lemmas about agreement speak of votes
//!   only. It keeps a node that missed one message from having to wait.
//! * **Verdicts are asynchronous.** A rule that needs one waits; the timers bound the wait. A first
//!   proposal must also be timely; a polka or certificate shows that honest nodes found it so.
//! * **Round skips count senders of any higher round**, by the highest round seen of each, rather
//!   than of one round. An honest sender is among any f + 1, so the round was really reached.
//!   Messages more than [`LOOK_AHEAD_ROUNDS`] ahead are not kept, but count for the skip, so a node
//!   cut off for long catches up and then hears the votes again by rebroadcast.
//! * **An equivocator's votes all count** for the block they name, within bounds (see `votes.rs`).
//! * **A round that can only fail is not waited for.** A quorum of nil precommits leaves no block a
//!   quorum, and a quorum of nil prevotes leaves no polka, which is all that waiting could show a
//!   later leader. So the precommit timer is then as short as a timer can be, in the first `n`
//!   rounds. The rules stay the paper's; only the length of one wait differs. A silent leader costs
//!   the propose wait and the delay of its peers' votes, and the peers stay together, because the
//!   two quorums that one of them saw reach the others too. It is judged once, when the timer
//!   starts: where precommits that do not agree come first, as a liar's can, the whole wait holds.
//! * The last representable round is not left.
//!
//! # Why two blocks are never decided at one height
//!
//! Two quorums share at least `2q − n ≥ f + 1` sequencers, so an honest one, and an honest one
//! votes once per round and kind.
//! * *One round*: two quorums of precommits for different blocks would share an honest double
//!   voter. The same holds for polkas, so at most one block is lockable in a round.
//! * *Later rounds*: if `v` is decided in round `r`, f + 1 honest nodes at least are locked on it in
//!   `r`. Suppose a round above `r` had a polka for `w ≠ v`, and take the first. It holds an honest
//!   node locked on `v` since `r` or later (its lock moves only with polkas, and those in between
//!   are for `v`). It prevoted `w` only on a polka for `w` in a round not before its lock, hence
//!   above `r` and before the first one (or in `r` itself): contradiction. So later rounds have
//!   polkas for `v` only, and precommits need polkas.
//!
//! Rounds entered by skips or timers do not matter to this; votes for nil never do.
//!
//! # Crashes
//!
//! The argument needs two things to outlast a crash: votes (one per round and kind) and the lock.
//! Hence the order of outputs: [`Output::Lock`] comes before its precommit, and the caller makes
//! lock, vote and proposal durable before anything leaves the node. [`Recovery`] gives them back;
//! the node resumes in its highest recorded round, at the step its votes there imply. Own votes
//! that the log lost but a peer shows bind as well.
//!
//! Liveness needs two things of the caller:
//! * **Rebroadcast** of all of [`Core::votes`] and [`Core::proposals`] of the height, old rounds
//!   included: the paper's gossip assumption.
//! * **The polka behind a lock must be durable** with it (peers' votes in [`Recovery::votes`]).
//!   Else this can happen: the only node to see the Byzantine vote of a polka locks, crashes, and
//!   comes back with a lock that nobody can prove. Its re-proposals wait for the proof, its peers'
//!   proposals meet its lock, and the Byzantine node stays silent. (The simulator found it.)
//!
//! And every [`Output::Validate`] is owed an answer. A node that cannot judge (an internal error)
//! may answer [`Verdict::Untimely`] to a first proposal: it votes nil and asks again if a quorum
//! disagrees.
//!
//! # Bounds
//!
//! Per height: one proposal per round; per round, kind and voter two votes and those for blocks with
//! f + 1 voters; one highest round per voter. Rounds kept reach [`LOOK_AHEAD_ROUNDS`] above the
//! current one, which no f voters can raise.
//!
//! # Layout
//!
//! [`types`] and [`timeouts`] are the words; [`schedule`] says who leads; [`Input`] and [`Output`]
//! are the contract; [`state`] handles inputs, `rules` holds the rules, `recovery` the restart; the
//! keepers (`votes`, `proposals`, `verdicts`, `rounds_seen`) remember.

mod io;
mod proposals;
mod recovery;
mod rounds_seen;
mod rules;
pub mod schedule;
pub mod state;
pub mod timeouts;
pub mod types;
mod verdicts;
mod votes;

pub use io::*;
pub use schedule::*;
pub use state::{Core, Step, LOOK_AHEAD_ROUNDS};
pub use timeouts::*;
pub use types::*;
pub use verdicts::Verdict;
