//! Burns on a real L1: built, funded, signed, sent, mined.

use crate::{funded, payload, CHAIN};
use cascoin_l1::{
    burn::{self, BurnError},
    testing::Litecoind,
    L1Error,
};
use cascoin_l2_primitives::l1::{
    amount::{format_amount, parse_amount},
    burn::{BurnPayload, BurnRejection},
};

#[test]
fn a_burn_destroys_exactly_its_amount() {
    let node = funded();
    let client = node.client();
    let decimals = client.params().decimals;
    let amount = parse_amount("1.23456789", decimals).expect("eight decimals") as u64;
    let before = client.balance().expect("a balance");

    let unsigned = burn::create(&client, &payload(amount)).expect("funded");
    assert_eq!(unsigned.burn.payload, payload(amount));
    assert_eq!((unsigned.burn.vout, unsigned.burn.value), (0, amount));
    assert!(unsigned.fee > 0 && unsigned.fee < burn::fee_limit(client.params()));
    let again = burn::check(&unsigned.raw, client.params(), CHAIN);
    assert_eq!(again.as_ref(), Ok(&unsigned.burn));

    let sent = burn::sign_and_send(&client, &unsigned.raw, CHAIN).expect("accepted");
    assert_eq!(sent.burn, unsigned.burn);
    let spent = u128::from(before - client.balance().expect("a balance"));
    assert_eq!(
        format_amount(spent, decimals),
        format_amount(u128::from(amount + unsigned.fee), decimals)
    );

    let waiting = burn::unconfirmed(&client, sent.txid).expect("an answer");
    let marked = BurnPayload::decode(&waiting[0].payload).expect("a payload");
    assert_eq!((waiting.len(), waiting[0].value, marked), (1, amount, payload(amount)));

    // What the node reads of it after mining is what we meant.
    let raw = client.raw_transaction(&sent.txid).expect("in the mempool");
    assert_eq!(client.send_raw_transaction(&raw), Ok(sent.txid), "sent already");
    let hash = node.mine(1).expect("mined")[0];
    assert_eq!(client.send_raw_transaction(&raw), Ok(sent.txid), "mined already");
    assert_eq!(burn::unconfirmed(&client, sent.txid), Ok(Vec::new()), "it is in a block");
    let block = client.block(&hash).expect("a block");
    let on_chain: Vec<_> = block
        .outputs()
        .filter(|(outpoint, _)| outpoint.txid == sent.txid)
        .map(|(_, output)| (output.value, output.script.to_vec()))
        .collect();
    assert_eq!(on_chain[0], (amount, payload(amount).script()));
    // A signed burn is sent as it is; this one is spent.
    let again = burn::sign_and_send(&client, &raw, CHAIN);
    assert!(matches!(again, Ok(_) | Err(BurnError::NotSigned)), "{again:?}");
}

#[test]
fn a_burn_that_would_lose_coins_never_reaches_l1() {
    let node = funded();
    let client = node.client();
    let send = |raw: &[u8]| burn::sign_and_send(&client, raw, CHAIN);
    let elsewhere = BurnPayload { chain_id: CHAIN + 1, ..payload(1_000) };
    let unsigned = burn::create(&client, &elsewhere).expect("good for that chain");
    assert_eq!(send(&unsigned.raw), Err(BurnError::Rejected(BurnRejection::WrongChain)));
    let zero = node.signed(&[(0, payload(1_000).script())]).expect("signed");
    assert_eq!(send(&zero), Err(BurnError::Rejected(BurnRejection::ZeroValue)));
    let differs = node.signed(&[(999, payload(1_000).script())]).expect("signed");
    assert_eq!(send(&differs), Err(BurnError::AmountMismatch { value: 999, encoded: 1_000 }));
    let pool: Vec<String> = client.query("getrawmempool", vec![]).expect("an answer");
    assert!(pool.is_empty());
}

#[test]
fn an_empty_wallet_and_impossible_amounts_are_told() {
    let node = Litecoind::start().expect("litecoind starts");
    node.mine(1).expect("mined");
    let client = node.client();
    let poor = burn::create(&client, &payload(1_000));
    assert!(matches!(poor, Err(BurnError::InsufficientFunds(_))), "{poor:?}");
    assert_eq!(burn::create(&client, &payload(0)), Err(BurnError::BadAmount(0)));
    let most = client.params().max_money + 1;
    assert_eq!(burn::create(&client, &payload(most)), Err(BurnError::BadAmount(most)));
}

#[test]
fn what_l1_refuses_is_told_in_its_words() {
    let node = funded();
    // 81 bytes of data are more than relay policy lets through.
    let long = [&[0x6a, 0x4c, 81][..], b"L2BURN", &[0; 75]].concat();
    match node.burn_raw(&long, 1_000) {
        Err(cascoin_l1::testing::TestingError::L1(L1Error::Rpc { message, .. })) => {
            assert!(message.contains("scriptpubkey"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}
