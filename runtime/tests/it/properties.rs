//! Ledger properties that the runtime as a whole must have.

use crate::chain::{transfer, Chain};
use cascoin_l2_runtime::UncheckedExtrinsic;
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};

const PEOPLE: [Sr25519Keyring; 6] = [Alice, Bob, Charlie, Dave, Eve, Ferdie];

#[derive(Clone, Debug)]
struct Payment {
    from: usize,
    to: usize,
    value: u128,
    tip: u128,
    /// Some are sent with a nonce that does not fit, and must change nothing.
    stale: bool,
}

fn payment() -> impl Strategy<Value = Payment> {
    let amount = prop_oneof![0u128..10_000, 0u128..200_000_000_000, Just(u128::MAX)];
    (0..PEOPLE.len(), 0..PEOPLE.len(), amount, 0u128..5_000, prop::bool::weighted(0.1))
        .prop_map(|(from, to, value, tip, stale)| Payment { from, to, value, tip, stale })
}

fn sign_all(chain: &mut Chain, payments: &[Payment]) -> Vec<UncheckedExtrinsic> {
    let mut nonces = [0; PEOPLE.len()];
    payments
        .iter()
        .map(|payment| {
            let nonce = if payment.stale { 1_000_000 } else { nonces[payment.from] };
            nonces[payment.from] += u32::from(!payment.stale);
            let call = transfer(PEOPLE[payment.to], payment.value);
            chain.sign(PEOPLE[payment.from], nonce, payment.tip, call)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// P1: the same transactions from the same state give the same root, on the
    /// node that builds the blocks, on one that executes them, and in a second
    /// run. A root that depended on anything else would differ or make the
    /// execution panic.
    #[test]
    fn p1_state_root_is_a_function_of_the_transactions(
        blocks in prop::collection::vec(prop::collection::vec(payment(), 0..8), 1..4),
    ) {
        let mut signer = Chain::of("local");
        let payments = blocks.concat();
        let mut transactions = sign_all(&mut signer, &payments).into_iter();
        let bodies: Vec<Vec<_>> = blocks
            .iter()
            .map(|block| transactions.by_ref().take(block.len()).collect())
            .collect();

        let run = |chain: &mut Chain| {
            bodies.iter().map(|body| chain.grow(body.clone()).0).collect::<Vec<_>>()
        };
        let (mut first, mut second) = (Chain::of("local"), Chain::of("local"));
        let built = run(&mut first);
        prop_assert_eq!(&built, &run(&mut second));

        let mut follower = Chain::of("local");
        for block in built {
            follower.execute(block);
        }
        prop_assert_eq!(follower.head, first.head.clone());
        prop_assert_eq!(follower.ext.backend.root(), first.ext.backend.root());
        prop_assert_eq!(first.ext.backend.root(), &first.head.state_root);
    }
}
