//! Trust edges and bonded votes of a transaction (spec: cascoin-l1.md 2.2).
//!
//! L1 enforces nothing of them, so only what the block itself proves counts: who signed
//! ([`signer`](crate::signer)), and that the second output is locked for about
//! [`BOND_BLOCKS`](cascoin_l2_primitives::l1::cvm::BOND_BLOCKS) and worth what the payload
//! claims. Anything else is passed over, by the same rule on every node.

use crate::{
    block::{BlockTransaction, Output},
    signer::first_signer,
};
use cascoin_l2_primitives::{
    l1::cvm::{is_container, TrustPayload, BOND_VOUT},
    relay::TrustStatement,
};
use sp_core::H160;

/// The statement of a transaction in a block at `height`, and the position of its
/// output. The first CVM output decides, whatever it is, as on L1.
///
/// The costly part, a signature, is only looked at where coins are locked.
pub fn statement(transaction: &BlockTransaction, height: u32) -> Option<(u32, TrustStatement)> {
    let (outpoint, output) =
        transaction.outputs().find(|(_, output)| is_container(output.script))?;
    let payload = TrustPayload::read(output.script)?;
    let (_, Output { value, script }) = transaction.outputs().nth(BOND_VOUT)?;
    if transaction.is_coinbase()
        || value == 0
        || value < payload.bond
        || !payload.locks_bond(script, height)
    {
        return None;
    }
    let speaker = first_signer(transaction.raw())?;
    let TrustPayload { kind, to, weight, .. } = payload;
    Some((outpoint.vout, TrustStatement { kind, speaker, subject: H160(to), weight, bond: value }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::builder::{block, signer, trust, Form, Trust, TRUST_HEIGHT};
    use bitcoin::secp256k1::Secp256k1;
    use cascoin_l2_primitives::l1::{
        address::L1Address, cvm::bond_script, cvm::TrustKind, signed_message::key_hash,
    };

    fn read_at(height: u32, said: &Trust) -> Option<TrustStatement> {
        let block = block(&[said.signed()]);
        let mut statements =
            block.transactions().filter_map(|transaction| statement(&transaction, height));
        let first = statements.next();
        assert_eq!(statements.next(), None);
        first.map(|(_, statement)| statement)
    }

    fn read(said: &Trust) -> Option<TrustStatement> {
        read_at(TRUST_HEIGHT, said)
    }

    #[test]
    fn r10_1_a_statement_is_what_the_signer_says_and_the_output_locks() {
        let mut said = trust(1, 1_500, &signer());
        said.value = 2_000;
        let speaker = H160(key_hash(&signer().public_key(&Secp256k1::new()).serialize()));
        assert_ne!(said.payload.from, speaker.0, "the payload names another");
        let expected = TrustStatement {
            kind: TrustKind::Edge,
            speaker,
            subject: H160(said.payload.to),
            weight: said.payload.weight,
            bond: 2_000,
        };
        assert_eq!(read(&said), Some(expected));
        said.payload.kind = TrustKind::Vote;
        assert_eq!(read(&said), Some(TrustStatement { kind: TrustKind::Vote, ..expected }));
    }

    /// The block proves the witness, so the witness can prove the speaker.
    #[test]
    fn a_nested_witness_in_a_block_names_its_key() {
        let said = trust(1, 1_500, &signer());
        let block = block(&[said.signed_as(Form::Nested, 1)]);
        let mut speakers = block
            .transactions()
            .filter_map(|transaction| Some(statement(&transaction, TRUST_HEIGHT)?.1.speaker));
        let key = H160(key_hash(&signer().public_key(&Secp256k1::new()).serialize()));
        assert_eq!((speakers.next(), speakers.next()), (Some(key), None));
    }

    #[test]
    fn without_a_bond_it_is_nothing() {
        let good = trust(1, 1_500, &signer());
        let changed = |change: &dyn Fn(&mut Trust)| {
            let mut said = good.clone();
            change(&mut said);
            read(&said)
        };
        assert!(read(&good).is_some());
        assert_eq!(changed(&|said| said.value = 1_499), None);
        assert_eq!(changed(&|said| (said.value, said.payload.bond) = (0, 0)), None);
        // To its owner, who can spend it at once; to the right key, but not for long.
        let free = L1Address::PublicKeyHash(good.payload.from).script();
        assert_eq!(changed(&|said| said.bond = free.clone()), None);
        let soon = bond_script(&good.payload.from, TRUST_HEIGHT + 10);
        assert_eq!(changed(&|said| said.bond = soon.clone()), None);
        assert_eq!(read_at(TRUST_HEIGHT + 1_000, &good), None);
        assert_eq!(read_at(TRUST_HEIGHT - 1, &good), None);
    }

    #[test]
    fn the_first_cvm_output_decides() {
        let mut said = trust(1, 1_500, &signer());
        let other = b"\x6a\x04CVM1\x01\x01\x01\x00".to_vec();
        said.before = Some(other.clone());
        // The bond is in its place, between the two.
        assert_eq!(read(&said), None);
        said.before = Some(vec![0x51]);
        assert!(read(&said).is_some());
        said.before = None;
        said.burn = Some(other);
        assert!(read(&said).is_some());
    }
}
