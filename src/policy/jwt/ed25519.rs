//! Ed25519 keys with which anybody can sign.

/// The encodings of the eight points of small order, as the `x` of a key: each coordinate with either sign, and those
/// that RFC 8032 (section 5.1.3) does not decode, but others do. A signature that fits such a key can be made without
/// knowing anything, for some of them one that fits every text (<https://eprint.iacr.org/2020/1244>, table 1).
const SMALL_ORDER: [&str; 14] = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", // order 4
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
    "7f_______________________________________38", // the same beyond the prime
    "7f________________________________________8",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", // order 1
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
    "7v_______________________________________38", // the same beyond the prime
    "7v________________________________________8",
    "7P_______________________________________38", // order 2
    "7P________________________________________8",
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU", // order 8
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU",
    "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o", // order 8
    "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o",
];

/// Whether a public key, in base64url without padding, is a point of small order.
pub fn is_of_small_order(x: &str) -> bool {
    SMALL_ORDER.contains(&x)
}

#[cfg(test)]
mod tests {
    use super::*;

    use base64ct::{Base64UrlUnpadded, Encoding};
    use ring::signature::{ED25519, UnparsedPublicKey};

    #[test]
    fn the_table_has_each_point_once_as_it_is_written() {
        let decoded: std::collections::BTreeSet<_> =
            SMALL_ORDER.iter().map(|x| Base64UrlUnpadded::decode_vec(x).unwrap()).collect();
        assert_eq!(decoded.len(), SMALL_ORDER.len());
        assert!(decoded.iter().all(|bytes| bytes.len() == 32));
        assert!(!is_of_small_order("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    }

    #[test]
    fn a_key_of_small_order_checks_nothing() {
        // The point of order 1 for a key and for R, and zero for S: it fits whatever is signed.
        let one = Base64UrlUnpadded::decode_vec(SMALL_ORDER[4]).unwrap();
        let signature = [one.clone(), vec![0; 32]].concat();
        for text in ["a", "b"] {
            assert!(UnparsedPublicKey::new(&ED25519, &one).verify(text.as_bytes(), &signature).is_ok());
        }
    }
}
