//! Random draws that are the same on every machine and with every release of `rand`.

use std::ops::RangeInclusive;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A colour: red, green and blue in 0 to 255.
pub(super) type Colour = [f32; 3];

/// A stream of draws.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    /// Stream `stream`'s draws for scene `index`: ChaCha's key is the two numbers, so no two
    /// streams share a scene.
    pub(super) fn new(stream: u64, index: u64) -> Self {
        let mut key = *b"ucag mini scenes................";
        key[16..24].copy_from_slice(&stream.to_le_bytes());
        key[24..].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number in 0 to 1, less than 1, with 24 random bits.
    pub(super) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// A number between the two.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A whole number of the range; all are equally likely to within 2⁻³² of the range's length.
    pub(super) fn whole(&mut self, range: RangeInclusive<u32>) -> u32 {
        let length = u64::from(range.end() - range.start()) + 1;
        range.start() + ((u64::from(self.0.next_u32()) * length) >> 32) as u32
    }

    /// True with probability `share`.
    pub(super) fn chance(&mut self, share: f32) -> bool {
        self.unit() < share
    }

    /// One of `options`.
    ///
    /// # Panics
    /// Where there is none.
    pub(super) fn one_of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.whole(0..=options.len() as u32 - 1) as usize]
    }

    /// A direction, as its cosine and sine; from a point in the disc, since sines differ between
    /// maths libraries.
    pub(super) fn direction(&mut self) -> (f32, f32) {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let square = x * x + y * y;
            if (0.01..1.0).contains(&square) {
                let length = square.sqrt();
                return (x / length, y / length);
            }
        }
    }

    /// A colour of any hue whose luminance (Rec. 601) lies in the range, in 0 to 1.
    pub(super) fn colour(&mut self, low: f32, high: f32) -> Colour {
        let colour = [self.unit(), self.unit(), self.unit()];
        let luminance = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
        let wanted = self.between(low, high);
        if luminance > wanted {
            return colour.map(|part| 255.0 * part * wanted / luminance); // towards black
        }
        let white = (wanted - luminance) / (1.0 - luminance);
        colour.map(|part| 255.0 * (part + (1.0 - part) * white))
    }

    /// Random bytes.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}
