//! Encodings of curves, points and signatures.

use sp_core::ecdsa;

/// edwards25519 as an object identifier (1.3.101.112).
pub(crate) const EDWARDS_OID: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
/// edwards25519 by its name, which some tokens want instead.
pub(crate) const EDWARDS_NAME: &[u8] = b"\x13\x0cedwards25519";
/// secp256k1 as an object identifier (1.3.132.0.10).
pub(crate) const SECP256K1_OID: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];

/// Half of the order of secp256k1: the largest `s` that everybody accepts.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];
/// The order of secp256k1.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// The ed25519 key in a CKA_EC_POINT: a DER OCTET STRING, or plain as some tokens write it.
pub(crate) fn ed25519_point(point: &[u8]) -> Option<Vec<u8>> {
    let plain = match point {
        [0x04, 0x20, rest @ ..] if rest.len() == 32 => rest,
        plain => plain,
    };
    (plain.len() == 32).then(|| plain.to_vec())
}

/// The compressed secp256k1 key in a CKA_EC_POINT.
pub(crate) fn secp256k1_point(point: &[u8]) -> Option<Vec<u8>> {
    let plain = match point {
        [0x04, 0x41, rest @ ..] if rest.len() == 65 => rest,
        plain => plain,
    };
    let [0x04, coordinates @ ..] = plain else { return None };
    if coordinates.len() != 64 {
        return None;
    }
    let (x, y) = coordinates.split_at(32);
    let parity = 2 + (y.last()? & 1);
    Some(std::iter::once(parity).chain(x.iter().copied()).collect())
}

/// A signature that tells its key, from one that does not (`r ‖ s`): with the lower of the two
/// possible `s`, and the recovery id found by trying. `None`: it is not of this key.
pub(crate) fn recoverable(
    raw: &[u8; 64],
    public: &ecdsa::Public,
    hash: &[u8; 32],
) -> Option<ecdsa::Signature> {
    let mut bytes = [0; 65];
    bytes[..64].copy_from_slice(raw);
    if raw[32..] > HALF_ORDER[..] {
        bytes[32..64].copy_from_slice(&negated(&raw[32..])?);
    }
    (0..4).find_map(|id| {
        bytes[64] = id;
        let signature = ecdsa::Signature::from_raw(bytes);
        (signature.recover_prehashed(hash)? == *public).then_some(signature)
    })
}

/// `order − s`.
fn negated(s: &[u8]) -> Option<[u8; 32]> {
    let mut result = [0; 32];
    let mut borrow = 0;
    for index in (0..32).rev() {
        let difference =
            i16::from(ORDER[index]).checked_sub(i16::from(*s.get(index)?))?.checked_sub(borrow)?;
        borrow = i16::from(difference < 0);
        result[index] = u8::try_from(difference.rem_euclid(256)).ok()?;
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::{ed25519, Pair};

    #[test]
    fn points_are_read_plain_and_wrapped() {
        let key = ed25519::Pair::from_string("//Point", None).unwrap().public().0.to_vec();
        let wrapped = [&[0x04, 0x20][..], &key].concat();
        assert_eq!(ed25519_point(&key), Some(key.clone()));
        assert_eq!(ed25519_point(&wrapped), Some(key));
        assert_eq!(ed25519_point(&[1; 33]), None);
        // The generator of secp256k1.
        let x = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        let y = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
        let plain = hex::decode(format!("04{x}{y}")).unwrap();
        let compressed = hex::decode(format!("02{x}")).unwrap();
        assert_eq!(secp256k1_point(&plain), Some(compressed.clone()));
        assert_eq!(secp256k1_point(&[&[0x04, 0x41][..], &plain].concat()), Some(compressed));
        assert_eq!(secp256k1_point(&plain[..64]), None);
    }

    #[test]
    fn both_forms_of_a_signature_become_the_same() {
        for index in 0..32u8 {
            let pair = ecdsa::Pair::from_seed(&[index + 1; 32]);
            let hash = [index; 32];
            let signature = pair.sign_prehashed(&hash);
            let mut low = [0; 64];
            low.copy_from_slice(&signature.0[..64]);
            let mut high = low;
            high[32..].copy_from_slice(&negated(&low[32..]).unwrap());
            assert_eq!(recoverable(&low, &pair.public(), &hash), Some(signature));
            assert_eq!(recoverable(&high, &pair.public(), &hash), Some(signature));
            let other = ecdsa::Pair::from_seed(&[99; 32]).public();
            assert_eq!(recoverable(&low, &other, &hash), None);
        }
    }
}
