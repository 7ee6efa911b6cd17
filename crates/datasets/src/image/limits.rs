//! Limits of the images that are decoded: a damaged header must not take memory for nothing.

/// Largest image that is decoded, in pixels: the limit at which Pillow warns of a decompression
/// bomb.
pub const MAX_PIXELS: u64 = 89_478_485;
/// Longest side that is decoded: JPEG's own limit.
pub const MAX_SIDE: u32 = 65_535;
/// Bytes that a PNG's colour profile and texts may be unpacked to, beyond the file's own length;
/// profiles of cameras have a few KiB, of printers up to 4 MiB.
pub(crate) const MAX_EXTRAS: u64 = 16 << 20;
/// Largest ratio of deflate. A file that claims to unpack to more is damaged, and would take memory
/// for nothing.
pub(crate) const DEFLATE_RATIO: u64 = 1032;

/// Refuses sizes that would take more memory than any photo of a data set does.
pub(crate) fn check_size(width: u32, height: u32) -> std::result::Result<(), String> {
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width.max(height) > MAX_SIDE {
        return Err(format!(
            "is {width} × {height} pixels; at most {MAX_PIXELS} pixels and {MAX_SIDE} a side are decoded"
        ));
    }
    Ok(())
}

/// Refuses a PNG whose header says a size that no photo has, or that can't be in so many bytes.
pub(crate) fn check_png(bytes: &[u8], width: u32, height: u32) -> std::result::Result<(), String> {
    check_size(width, height)?;
    // Depth and colour type of the header, before the decoder expands a transparent value to an
    // alpha channel.
    let (depth, samples) = (u64::from(bytes[24]), [1, 1, 3, 1, 2, 1, 4][usize::from(bytes[25]).min(6)]);
    if u64::from(width) * u64::from(height) * depth * samples / 8 > DEFLATE_RATIO * bytes.len() as u64 {
        return Err(format!(
            "is a truncated PNG: {} bytes can't hold {width} × {height} pixels; copy it again",
            bytes.len()
        ));
    }
    Ok(())
}
