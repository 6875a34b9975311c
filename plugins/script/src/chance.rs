//! Chance. A node without capabilities has none: `Math.random()` gives the same numbers in every run, so that a run that is
//! computed again after a crash comes to the same end.

/// Fills a stretch of memory.
///
/// # Safety
/// The stretch is the caller's.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "the interface of getrandom's custom backend")]
unsafe extern "Rust" fn __getrandom_v03_custom(to: *mut u8, length: usize) -> Result<(), getrandom::Error> {
    for at in 0..length {
        // SAFETY: the caller's promise.
        unsafe { to.add(at).write(0x9e ^ at.to_le_bytes()[0].wrapping_mul(31)) };
    }
    Ok(())
}
