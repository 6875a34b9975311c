//! Random numbers of the machine, fit for secrets, with the feature `random`. The manifest has to say `random = true` and the
//! workflow to grant it; a node type that asks is not pure, and each attempt draws others.
//!
//! In cases (`windflow plugins test`, `windflow test`) they are the same each time. Natively, too: what a test draws is no
//! secret.

/// So many bytes. The host gives no more than 1 MiB at once; more is drawn piece by piece.
#[must_use]
pub fn bytes(count: usize) -> Vec<u8> {
    const AT_ONCE: usize = 1 << 20;
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        all.extend(source::bytes((count - all.len()).min(AT_ONCE)));
    }
    all
}

/// A number; each is as likely as any other.
#[must_use]
pub fn number() -> u64 {
    source::number()
}

#[cfg(target_arch = "wasm32")]
mod source {
    use wasip2::random::random;

    pub(super) fn bytes(count: usize) -> Vec<u8> {
        random::get_random_bytes(count as u64)
    }

    pub(super) fn number() -> u64 {
        random::get_random_u64()
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod source {
    use std::cell::Cell;

    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn bytes(count: usize) -> Vec<u8> {
        let mut all: Vec<u8> = (0..count.div_ceil(8)).flat_map(|_| number().to_le_bytes()).collect();
        all.truncate(count);
        all
    }

    /// SplitMix64: well spread, and easily foreseen.
    pub(super) fn number() -> u64 {
        let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        STATE.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn as_many_are_drawn_as_were_asked_for() {
        for count in [0, 1, 8, 9, (1 << 20) + 3] {
            assert_eq!(super::bytes(count).len(), count);
        }
        let drawn: HashSet<u64> = (0..1000).map(|_| super::number()).collect();
        assert_eq!(drawn.len(), 1000);
    }
}
