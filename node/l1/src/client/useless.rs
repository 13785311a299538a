//! Counts answers of a node that are answers, but of no use.

use super::{code, L1Error};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// After so many useless answers in a row to one method, the next node is asked:
/// one may be an accident on the way, and blocks are all that the follower lives on.
pub const MAX_USELESS_ANSWERS: u32 = 3;

/// The methods that give what every node of the chain must have.
const METHODS: [&str; 2] = ["getblock", "getblockheader"];

/// Useless answers in a row, by method: a node without its old blocks still has
/// all headers, and a good answer to one says nothing of the other.
#[derive(Default)]
pub(super) struct Useless(Mutex<BTreeMap<&'static str, u32>>);

impl Useless {
    /// Takes note of an answer to `method`; true if it is one too many, and
    /// counting begins anew.
    pub(super) fn counts_to_the_limit(&self, method: &str, error: Option<&L1Error>) -> bool {
        let Some(method) = METHODS.into_iter().find(|known| *known == method) else { return false };
        let mut counts = self.0.lock();
        let count = counts.entry(method).or_default();
        *count = if error.is_some_and(is_useless) { *count + 1 } else { 0 };
        let reached = *count >= MAX_USELESS_ANSWERS;
        if reached {
            *count = 0;
        }
        reached
    }
}

/// Whether a node without a fault would have answered better. That it does not
/// know a hash (code −5) is a good answer: anybody may ask for any hash.
fn is_useless(error: &L1Error) -> bool {
    matches!(error, L1Error::BadReply { .. } | L1Error::Rpc { code: code::MISC_ERROR, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i32) -> L1Error {
        L1Error::Rpc { method: "getblock".into(), code, message: "no".into() }
    }

    #[test]
    fn useless_answers_count_in_a_row_and_by_method() {
        let useless = Useless::default();
        let pruned = refused(code::MISC_ERROR);
        let damaged = L1Error::bad_reply("getblock", "another block");
        let block = |error| useless.counts_to_the_limit("getblock", error);
        for _ in 0..3 {
            assert!(!block(Some(&pruned)));
            assert!(!block(Some(&damaged)));
            assert!(!useless.counts_to_the_limit("getblockheader", None), "says nothing of blocks");
            assert!(block(Some(&pruned)), "the third in a row; then it begins anew");
        }
        assert!(!block(Some(&pruned)) && !block(Some(&pruned)));
        assert!(!block(None), "a good one breaks the row");
        assert!(!block(Some(&pruned)) && !block(Some(&pruned)));
        assert!(!block(Some(&refused(code::INVALID_ADDRESS_OR_KEY))), "nor is this useless");
    }

    #[test]
    fn other_methods_do_not_count() {
        let useless = Useless::default();
        for _ in 0..10 {
            let reply = L1Error::bad_reply("getblockcount", "not a number");
            assert!(!useless.counts_to_the_limit("getblockcount", Some(&reply)));
        }
    }
}
