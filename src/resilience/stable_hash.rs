//! A hash that is the same in every isolate, build and year: what is decided by it is decided alike
//! everywhere, without anyone being asked.
//!
//! FNV-1a in 64 bits (draft-eastlake-fnv), whose weak high bits the finalizer of MurmurHash3
//! (`fmix64`, A. Appleby) then mixes. Not for secrets: who knows a key can compute its hash.

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The hash of some bytes.
pub fn hash(bytes: &[u8]) -> u64 {
    mix(fnv_1a(bytes))
}

/// The hash of two hashes, of which either decides: of a key and a name, say.
pub fn joined(one: u64, other: u64) -> u64 {
    mix(one.rotate_left(32) ^ other)
}

/// A hash as a number of [0, 1).
pub fn unit(hash: u64) -> f64 {
    // As many bits as a double holds.
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_pinned() {
        // The first three are test vectors of FNV-1a. Another value here sends callers elsewhere.
        let table = [
            ("", 0xcbf2_9ce4_8422_2325, 0xefd0_1f60_ba99_2926),
            ("a", 0xaf63_dc4c_8601_ec8c, 0x82a2_a958_a9be_ce5b),
            ("foobar", 0x8594_4171_f739_67e8, 0x2c22_1949_22d1_672b),
        ];
        for (text, fnv, mixed) in table {
            assert_eq!((fnv_1a(text.as_bytes()), hash(text.as_bytes())), (fnv, mixed), "of {text:?}");
        }
        assert_eq!(joined(hash(b"a"), hash(b"foobar")), 0xa32f_a5b8_88f9_3064);
        assert_ne!(joined(hash(b"a"), hash(b"b")), joined(hash(b"b"), hash(b"a")));
    }

    #[test]
    fn units_are_spread_evenly() {
        assert_eq!([unit(0), unit(1 << 63)], [0.0, 0.5]);
        assert!(unit(u64::MAX) < 1.0);
        // Keys that differ by little, as callers' do: chi-squared over 100 bins, 99.9% below 149.
        for name in ["user-", "tenant/000000", ""] {
            let mut bins = [0_i64; 100];
            for key in 0..100_000 {
                bins[(unit(hash(format!("{name}{key}").as_bytes())) * 100.0) as usize] += 1;
            }
            let chi_squared: i64 = bins.iter().map(|count| (count - 1_000).pow(2)).sum::<i64>() / 1_000;
            assert!(chi_squared < 149, "{chi_squared} of {name}");
        }
    }
}
