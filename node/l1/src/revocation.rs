//! The revocation of a sequencer's session keys, as a transaction says it (R30.5).
//!
//! L1 enforces nothing of it. What counts is who signed the first input over all outputs
//! ([`signer`](crate::signer)); whether that is the key that the account named is L2's to
//! judge. The first revocation of a transaction counts, and no other: relay policy lets
//! no second one through.

use crate::{block::BlockTransaction, signer::first_signer};
use cascoin_l2_primitives::l1::revocation::Revocation;
use sp_core::H160;

/// The position of the output, who revokes, and what it says; `None` where nothing is
/// revoked or nobody is proven to have signed it.
///
/// The costly part, a signature, is only looked at where there is a message.
pub fn revocation(transaction: &BlockTransaction) -> Option<(u32, H160, Revocation)> {
    let (vout, revocation) = transaction
        .outputs()
        .find_map(|(outpoint, output)| Some((outpoint.vout, Revocation::read(output.script)?)))?;
    if transaction.is_coinbase() {
        return None;
    }
    Some((vout, first_signer(transaction.raw())?, revocation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::builder::{block, signer, trust, Form, Trust};
    use bitcoin::secp256k1::Secp256k1;
    use cascoin_l2_primitives::l1::signed_message::key_hash;

    fn said() -> Revocation {
        Revocation { chain_id: 3, account: [7; 32].into() }
    }

    /// A transaction that says it, among other things.
    fn transaction() -> Trust {
        Trust { before: Some(said().script()), ..trust(1, 5, &signer()) }
    }

    fn read(raw: Vec<u8>) -> Option<(u32, H160, Revocation)> {
        let block = block(&[raw]);
        let mut all = block.transactions().filter_map(|one| revocation(&one));
        let first = all.next();
        assert_eq!(all.next(), None);
        first
    }

    #[test]
    fn r30_5_who_signed_the_first_input_revokes() {
        let key = H160(key_hash(&signer().public_key(&Secp256k1::new()).serialize()));
        for form in [Form::Legacy, Form::Nested] {
            let raw = transaction().signed_as(form, 1);
            assert_eq!(read(raw), Some((0, key, said())));
        }
        let behind = Trust { burn: Some(said().script()), ..trust(1, 5, &signer()) };
        assert_eq!(read(behind.signed()), Some((2, key, said())));
    }

    #[test]
    fn what_nobody_signed_revokes_nothing() {
        assert_eq!(read(transaction().unsigned()), None);
        assert_eq!(read(transaction().signed_as(Form::Native, 1)), None);
        assert_eq!(read(transaction().signed_as(Form::Legacy, 0x81)), None);
        assert_eq!(read(trust(1, 5, &signer()).signed()), None);
    }

    #[test]
    fn the_first_of_a_transaction_counts() {
        let other = Revocation { account: [8; 32].into(), ..said() };
        let both = Trust { burn: Some(other.script()), ..transaction() };
        assert_eq!(read(both.signed()).map(|(vout, _, said)| (vout, said)), Some((0, said())));
    }
}
