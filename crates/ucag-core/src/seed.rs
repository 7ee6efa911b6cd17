//! Seeds of explainers that draw random numbers.

/// Origin of an explainer's random numbers. It names the views, not the call, so that results don't
/// depend on the order of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seed {
    /// Of the image.
    pub image: u64,
    /// Of the first view; the others' follow on from it. 0 is the whole image.
    pub view: u64,
}

/// The offset basis of 64-bit FNV-1a.
pub const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// Continues a 64-bit FNV-1a hash over more bytes.
pub fn fnv1a(hash: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
