//! The deposit in a vault that a transaction makes
//! ([`cascoin_l2_primitives::l1::deposit`], R4.1).
//!
//! Everything is seen from the block alone: coins in output [`DEPOSIT_VOUT`] that pay to a
//! witness script hash, and a message that says whose they are. Whether that is the vault's
//! script is L2's to judge, which knows the vault. Nobody needs to have signed: who pays in
//! says to whom it is credited.

use crate::block::BlockTransaction;
use cascoin_l2_primitives::{
    l1::{
        deposit::{witness_script_hash, DEPOSIT_VOUT},
        envelope::{Message, MessageKind},
    },
    relay::L1Event,
};
use sp_core::bounded::BoundedVec;

/// What a transaction deposits. The first readable message of this kind decides. New coins
/// cannot be spent for a while, so a coinbase deposits nothing.
pub fn deposit(transaction: &BlockTransaction<'_>) -> Option<L1Event> {
    if transaction.is_coinbase() {
        return None;
    }
    let (outpoint, output) = transaction.outputs().nth(DEPOSIT_VOUT)?;
    let script = witness_script_hash(output.script).filter(|_| output.value > 0)?;
    let is_ours = |message: &Message<'_>| message.kind == MessageKind::VaultDeposit;
    let message = transaction
        .outputs()
        .find_map(|(_, output)| Message::read(output.script)?.ok().filter(|read| is_ours(read)))?;
    Some(L1Event::VaultDeposit {
        outpoint,
        chain_id: message.chain_id,
        value: output.value,
        script,
        // The envelope holds no more than fits.
        body: BoundedVec::truncate_from(message.body.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        block::{builder, Transaction},
        events::events,
    };
    use cascoin_l2_primitives::l1::{
        address::L1Address,
        burn::{BurnPayload, Recipient},
        deposit::{body, script},
        stake::StakePayload,
        OutPoint,
    };

    const CHAIN: u32 = 3;
    const VAULT: [u8; 32] = [0x55; 32];

    fn recipient(seed: u8) -> Recipient {
        Recipient::Account([seed; 32].into())
    }

    fn pays(hash: [u8; 32]) -> Vec<u8> {
        L1Address::WitnessScriptHash(hash).script()
    }

    fn read(outputs: &[(u64, Vec<u8>)]) -> Vec<L1Event> {
        events(&builder::block(&[builder::transaction(1, outputs)]), 1)
    }

    #[test]
    fn r4_1_a_deposit_is_seen_from_the_block_alone() {
        let outputs = [(0, script(&recipient(7), CHAIN)), (900, pays(VAULT))];
        let raw = builder::transaction(1, &outputs);
        let expected = L1Event::VaultDeposit {
            outpoint: OutPoint {
                txid: Transaction::read(&raw).expect("built right").txid,
                vout: 1,
            },
            chain_id: CHAIN,
            value: 900,
            script: VAULT,
            body: body(&recipient(7)).to_vec().try_into().expect("it fits"),
        };
        assert_eq!(read(&outputs), [expected.clone()]);
        // The message may stand behind the coins.
        let turned = [(5, vec![0x51]), (900, pays(VAULT)), (0, script(&recipient(7), CHAIN))];
        assert!(matches!(read(&turned)[..], [L1Event::VaultDeposit { value: 900, .. }]));
    }

    #[test]
    fn what_holds_nothing_or_says_nothing_is_no_deposit() {
        let said = script(&recipient(7), CHAIN);
        assert!(read(&[(0, said.clone()), (0, pays(VAULT))]).is_empty(), "no coins");
        assert!(read(&[(0, said.clone()), (5, vec![0x51]), (9, pays(VAULT))]).is_empty());
        assert!(read(&[(0, said.clone())]).is_empty(), "no output 1");
        assert!(read(&[(0, vec![0x51]), (9, pays(VAULT))]).is_empty(), "no message");
        let key_hash = L1Address::WitnessPublicKeyHash([5; 20]).script();
        assert!(read(&[(0, said.clone()), (9, key_hash)]).is_empty(), "no script hash");
        let mined = builder::coinbase_paying(b"cb", &[(0, said), (9, pays(VAULT))]);
        let raw = builder::raw_block(&[mined]);
        let hash = cascoin_l2_primitives::l1::L1Hash::of(&raw[..crate::block::HEADER_LEN]);
        let block = crate::block::Block::read(raw, &hash).expect("built right");
        assert!(events(&block, 1).is_empty(), "new coins");
    }

    /// They carry coins, so L2 hears of them and says why it credits nothing.
    #[test]
    fn r4_1_what_l2_will_reject_is_delivered_all_the_same() {
        let message = Message { kind: MessageKind::VaultDeposit, chain_id: 9, body: &[1] };
        let odd = message.script().expect("it fits");
        let events = read(&[(0, odd), (9, pays([1; 32]))]);
        assert!(
            matches!(&events[..], [L1Event::VaultDeposit { chain_id: 9, script, body, .. }]
                if *script == [1; 32] && body[..] == [1]),
            "{events:?}"
        );
    }

    #[test]
    fn the_first_message_decides_and_messages_of_other_kinds_do_not() {
        let stake = StakePayload { account: [3; 32].into(), unlock: 9_000, owner: [2; 20] };
        let burn = BurnPayload { chain_id: CHAIN, recipient: recipient(1), amount: 4 }.script();
        let events = read(&[
            (0, stake.script(CHAIN)),
            (9, pays(VAULT)),
            (0, script(&recipient(1), CHAIN)),
            (0, script(&recipient(2), CHAIN)),
            (4, burn),
        ]);
        assert!(
            matches!(&events[..], [L1Event::VaultDeposit { body: said, .. }, L1Event::Burn { .. }]
                if said[..] == body(&recipient(1))[..]),
            "{events:?}"
        );
    }
}
