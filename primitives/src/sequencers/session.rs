//! How the sequencers of a session took part in it, on the way to whoever rewards it.

use crate::chain::AccountId;
use sp_runtime::Weight;

/// How much of a session a sequencer was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionUptime {
    /// The sequencer.
    pub account: AccountId,
    /// Share of the session's blocks that it signed, in thousandths, rounded down.
    pub uptime_permille: u16,
}

/// Told of each session once, when all of its blocks are judged: with the first block
/// of the next session, which says who signed the last one. `()` does not care.
pub trait OnSessionJudged {
    /// The session is over; these are the sequencers that signed it, by index. Its
    /// offences are told before. Returns the weight of what followed.
    fn on_session_judged(uptimes: &[SessionUptime]) -> Weight;

    /// Upper bound of that weight.
    fn max_judgement_weight() -> Weight;
}

impl OnSessionJudged for () {
    fn on_session_judged(_: &[SessionUptime]) -> Weight {
        Weight::zero()
    }

    fn max_judgement_weight() -> Weight {
        Weight::zero()
    }
}
