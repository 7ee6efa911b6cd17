//! A curve as text: base64 of its little-endian bytes. It is exact, and a fraction of what the
//! numbers would take in decimals.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(curve: &Option<Vec<f32>>, to: S) -> Result<S::Ok, S::Error> {
    let Some(curve) = curve else { return to.serialize_none() };
    let mut bytes = Vec::with_capacity(curve.len() * 4);
    curve.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    to.serialize_some(&BASE64_STANDARD.encode(bytes))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<f32>>, D::Error> {
    Ok(Option::<Floats>::deserialize(from)?.map(|floats| floats.0))
}

struct Floats(Vec<f32>);

impl<'de> Deserialize<'de> for Floats {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Floats;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a curve: base64 of 32-bit floats")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Floats, E> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|error| E::custom(format!("a curve: {error}")))?;
        let (values, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(E::custom(format!(
                "a curve of {} bytes, which is no whole number of 32-bit floats",
                bytes.len()
            )));
        }
        Ok(Floats(values.iter().map(|&value| f32::from_le_bytes(value)).collect()))
    }
}
