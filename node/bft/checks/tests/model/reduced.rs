//! The model that is explored to the end.
//!
//! Its steps are the *effective* ones: a node hears a whole quorum of equal votes, or a proposal
//! with its proof of lock, or a timer, a built block, a late verdict, a crash; single deliveries
//! that change nothing yet are left out. And states are told apart by what matters
//! ([`World::projection`]), not by which messages each core has stored.
//!
//! # Why nothing is lost
//!
//! * *Deliveries that have no effect can wait.* Sent messages stay available and a delivery touches
//!   one node only, so one that triggers no rule commutes with all that follows, up to the delivery
//!   (to the same node) with which it completes a condition. The rules look at the stored messages
//!   in three ways only: a quorum of equal votes of one round and kind; the round's proposal with
//!   its proof of lock; and counts that start timers or skip rounds.
//! * *Timers fire at any time* here, whether started or not. So the counts that start them do not
//!   matter, and a round skip, which does what the precommit timer of the rounds before does,
//!   is the timer's step.
//! * *What a core has stored beyond the projection does not matter*, since it can hear all of it
//!   again, and rules are monotone in stored votes. Of an equivocator's votes those for a block
//!   that f + 1 others back always count, so hearing the honest votes first makes any quorum.
//! * *Verdicts* follow the question at once, but for those asked on a restart, which can stay
//!   open, and come alone or after a quorum of votes (a certificate goes before the re-proposal
//!   that the verdict also allows). A late verdict on a proposal or a polka is a late delivery of
//!   it. An "untimely" one is a propose timer, and is left out.
//!
//! `unreduced.rs` makes none of these assumptions, and checks that whatever it comes across has
//! the projection of a state found here.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
};

use cascoin_bft::*;
use stateright::{Model, Property};

use super::{
    node::{Broken, Effects, Node},
    setting::{Setting, H, V, W},
    world::World,
};

/// A world that is told apart by its projection.
#[derive(Clone, Debug)]
pub struct Folded {
    pub world: World,
    projection: u64,
}

impl Folded {
    pub fn new(setting: &Setting, world: World) -> Self {
        Self { projection: world.projection(setting), world }
    }
}

impl PartialEq for Folded {
    fn eq(&self, other: &Self) -> bool {
        self.projection == other.projection
    }
}

impl Hash for Folded {
    fn hash<S: Hasher>(&self, state: &mut S) {
        self.projection.hash(state);
    }
}

/// What happens to one node, and what becomes of it.
#[derive(Clone)]
pub struct Action {
    event: Event,
    step: Step,
}

/// A node after an event.
#[derive(Clone)]
struct Step {
    /// The node crashed after this many durable effects, and came back.
    crash_after: Option<u8>,
    next: Arc<Node>,
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        let key = |action: &Self| (action.event, action.step.crash_after);
        key(self) == key(other) && self.step.next == other.step.next
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.step.next.me.0, self.event)?;
        self.step.crash_after.map_or(Ok(()), |most| write!(f, ", crash after {most} effects"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Event {
    Built(BlockId),
    Timeout(TimeoutKind),
    /// The proposal, and before it its proof of lock if these prevoted for it.
    Proposal(Proposal, Voters),
    /// Equal votes of these, and at once the answers to what a restart asked, or not.
    Votes(Round, VoteKind, Option<BlockId>, Voters, bool),
    /// A crash between two steps; whether questions of the restart are answered at once.
    Restart {
        answered: bool,
    },
    /// The answers to what a restart asked.
    Answers,
}

/// A set of voters, by bits; honest ones come first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Voters(u16);

impl FromIterator<SequencerIndex> for Voters {
    fn from_iter<I: IntoIterator<Item = SequencerIndex>>(voters: I) -> Self {
        Self(voters.into_iter().fold(0, |bits, voter| bits | 1 << voter.0))
    }
}

impl Voters {
    fn votes(self, kind: VoteKind, round: Round, block: Option<BlockId>) -> Vec<Input> {
        let voters = (0..16).filter(|bit| self.0 >> bit & 1 == 1).map(SequencerIndex);
        voters.map(|voter| Input::Vote(Vote { kind, height: H, round, block, voter })).collect()
    }
}

/// The exploration of a setting.
pub struct Reduced {
    setting: Setting,
    lies: Vec<Proposal>,
    /// The projections of all states come across, for `unreduced`.
    found: Mutex<HashSet<u64>>,
    /// All nodes come across, and what events make of them: worlds are many, nodes are few.
    nodes: Mutex<HashSet<Arc<Node>>>,
    steps: Vec<Mutex<HashMap<(usize, Event), Arc<[Step]>>>>,
}

impl Reduced {
    pub fn new(setting: Setting) -> Self {
        Self {
            lies: setting.lies(),
            setting,
            found: Mutex::default(),
            nodes: Mutex::default(),
            steps: (0..64).map(|_| Mutex::default()).collect(),
        }
    }

    /// The projections of all states explored.
    pub fn found(&self) -> HashSet<u64> {
        self.found.lock().unwrap().clone()
    }

    /// How many states of single nodes there are.
    pub fn node_states(&self) -> usize {
        self.nodes.lock().unwrap().len()
    }

    /// One node of all that are equal.
    fn unique(&self, mut node: Node) -> Arc<Node> {
        // Of no use here.
        (node.timers, node.building, node.restarts) = Default::default();
        let node = Arc::new(node.projected());
        let mut nodes = self.nodes.lock().unwrap();
        if let Some(known) = nodes.get(&node) {
            return Arc::clone(known);
        }
        nodes.insert(Arc::clone(&node));
        node
    }

    /// Voters of a quorum of equal votes, if there are that many: liars first to fill it up, or
    /// only where honest ones lack.
    fn quorum(
        &self,
        world: &World,
        (round, kind, block): (Round, VoteKind, Option<BlockId>),
        liars_first: bool,
    ) -> Option<Voters> {
        let quorum = self.setting.quorum();
        let liars = usize::from(self.setting.sequencers - self.setting.honest);
        let wanted = if liars_first { quorum.checked_sub(liars)? } else { quorum };
        let honest = world.voters(round, kind, block).take(wanted).collect::<Vec<_>>();
        let lacking = quorum - honest.len();
        let voters = honest.into_iter().chain(self.setting.liars().take(lacking));
        (lacking <= liars).then(|| voters.collect())
    }

    fn events(&self, world: &World, this: &Node) -> Vec<Event> {
        let setting = &self.setting;
        let (round, step) = (this.core.round(), this.core.step());
        let mut events = Vec::new();
        if this.disk.decision.is_some() {
            return events;
        }
        if step == cascoin_bft::Step::Propose && setting.leader(round) == this.me {
            events.extend([V, W].map(Event::Built));
        }
        events.extend([TimeoutKind::Propose, TimeoutKind::Prevote].map(Event::Timeout));
        if !setting.is_last(round) {
            events.push(Event::Timeout(TimeoutKind::Precommit));
        }
        let made = world.nodes.iter().flat_map(|node| node.disk.proposals.values());
        for proposal in made.chain(&self.lies).filter(|proposal| proposal.round == round) {
            let proof = proposal.valid_round.and_then(|valid_round| {
                let votes = (valid_round, VoteKind::Prevote, Some(proposal.block));
                self.quorum(world, votes, false)
            });
            events.push(Event::Proposal(*proposal, proof.unwrap_or_default()));
        }
        let open = this.questions.iter().any(|question| question.on_restart);
        let mut votes = |round, kind, block, liars_first| {
            let quorum = self.quorum(world, (round, kind, block), liars_first);
            let votes = |voters, answered| Event::Votes(round, kind, block, voters, answered);
            events.extend(quorum.map(|voters| votes(voters, false)));
            events.extend(quorum.filter(|_| open).map(|voters| votes(voters, true)));
        };
        for block in Setting::choices() {
            // Prevotes act in their own round, or as a proof of lock.
            votes(round, VoteKind::Prevote, block, false);
            for round in setting.rounds() {
                votes(round, VoteKind::Precommit, block, false);
                votes(round, VoteKind::Precommit, block, true);
            }
        }
        if open {
            events.push(Event::Answers);
        }
        if setting.may_crash(this.me) {
            events.extend([true, false].map(|answered| Event::Restart { answered }));
        }
        events
    }

    /// What can become of the node by the event; nothing if that changes nothing that matters.
    /// (What had no effect is not kept: it could only stand in the way of other steps.)
    fn steps(&self, this: &Arc<Node>, event: Event) -> Arc<[Step]> {
        // Nodes in worlds are unique and never dropped, so the address names the node.
        let address = Arc::as_ptr(this) as usize;
        let shard = &self.steps[(address >> 6) % self.steps.len()];
        if let Some(known) = shard.lock().unwrap().get(&(address, event)) {
            return Arc::clone(known);
        }
        let mut steps = Vec::new();
        let mut push = |next: Node, crash_after| {
            let next = self.unique(next);
            if next.projections != this.projections {
                steps.push(Step { crash_after, next });
            }
        };
        let (next, effects) = self.apply(this, event, Effects::all());
        push(next, None);
        for most in (1..effects).filter(|_| self.setting.may_crash(this.me)) {
            let (mut next, _) = self.apply(this, event, Effects::only(most));
            next.restart(&self.setting);
            push(next.clone(), Some(most));
            next.answer(&self.setting, &mut Effects::all(), true);
            push(next, Some(most));
        }
        let steps = Arc::<[Step]>::from(steps);
        shard.lock().unwrap().insert((address, event), Arc::clone(&steps));
        steps
    }

    /// The node after the event, and the durable effects that took.
    fn apply(&self, this: &Node, event: Event, mut effects: Effects) -> (Node, u8) {
        let setting = &self.setting;
        let mut node = this.clone();
        let round = node.core.round();
        let inputs = match event {
            Event::Built(block) => vec![Input::Built { height: H, round, block }],
            Event::Timeout(kind) => vec![Input::Timeout(Timeout { height: H, round, kind })],
            Event::Proposal(proposal, proof) => {
                let round = proposal.valid_round.unwrap_or_default();
                let mut inputs = proof.votes(VoteKind::Prevote, round, Some(proposal.block));
                inputs.push(Input::Proposal(proposal));
                inputs
            }
            Event::Votes(round, kind, block, voters, _) => voters.votes(kind, round, block),
            Event::Restart { answered } => {
                node.restart(setting);
                if answered {
                    node.answer(setting, &mut effects, true);
                }
                vec![]
            }
            Event::Answers => {
                node.answer(setting, &mut effects, true);
                vec![]
            }
        };
        let mut inputs = inputs.into_iter();
        let mut lives = |input| {
            node.apply(setting, input, &mut effects) && node.answer(setting, &mut effects, false)
        };
        let lived = inputs.all(&mut lives);
        if lived && matches!(event, Event::Votes(_, _, _, _, true)) {
            node.answer(setting, &mut effects, true);
        }
        (node, effects.done)
    }
}

impl Model for Reduced {
    type State = Folded;
    type Action = Action;

    fn init_states(&self) -> Vec<Folded> {
        let nodes = World::new(&self.setting).nodes;
        let nodes = nodes.iter().map(|node| self.unique(Node::clone(node))).collect();
        vec![Folded::new(&self.setting, World { nodes })]
    }

    fn actions(&self, state: &Folded, actions: &mut Vec<Action>) {
        self.found.lock().unwrap().insert(state.projection);
        for node in &state.world.nodes {
            for event in self.events(&state.world, node) {
                let steps = self.steps(node, event);
                actions.extend(steps.iter().map(|step| Action { event, step: step.clone() }));
            }
        }
    }

    fn next_state(&self, state: &Folded, action: Action) -> Option<Folded> {
        Some(Folded::new(&self.setting, state.world.with(&self.setting, action.step.next)))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("agreement", |_, s: &Folded| s.world.agrees()),
            Property::always("validity", |m: &Self, s: &Folded| s.world.is_valid(&m.setting)),
            Property::always("certificate validity", |_, s: &Folded| {
                s.world.never(Broken::Certificate)
            }),
            Property::always("no self-equivocation", |_, s: &Folded| {
                s.world.never(Broken::SelfEquivocation)
            }),
            Property::always("lock before precommit", |_, s: &Folded| {
                s.world.never(Broken::PrecommitWithoutLock)
            }),
            Property::always("no false accusation", |_, s: &Folded| {
                s.world.never(Broken::FalseAccusation)
            }),
            Property::sometimes("all decide in round 0", |_, s: &Folded| {
                s.world.all_decided() && s.world.decisions().all(|(round, _)| round.0 == 0)
            }),
            Property::sometimes("all decide in round 1", |_, s: &Folded| {
                s.world.all_decided() && s.world.decisions().all(|(round, _)| round.0 == 1)
            }),
            Property::sometimes("a lock is overruled", |_, s: &Folded| {
                s.world.a_lock_was_overruled()
            }),
        ]
    }
}
