//! Tensors of a file.

use std::fmt::Display;

use half::{bf16, f16};
use prost::bytes::Bytes;

use super::data_type::DataType;
use super::external::External;
use super::proto::TensorProto;

/// Axes beyond which a tensor can't be a network's.
const MOST_AXES: usize = 8;

/// A tensor's shape and values, the last axis fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length of each axis; none is negative.
    pub shape: Vec<i64>,
    /// As many values as the shape says.
    pub values: Values,
}

/// Values of a tensor. Values of half precision are widened to float32, and all whole numbers to 64
/// bits.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// `FLOAT`, `FLOAT16` and `BFLOAT16`.
    F32(Vec<f32>),
    /// `DOUBLE`.
    F64(Vec<f64>),
    /// Whole numbers, with and without sign.
    I64(Vec<i64>),
    /// Truth values.
    Bool(Vec<bool>),
}

impl Values {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Array {
    /// Reads a tensor, from beside the model if it is kept there.
    ///
    /// # Errors
    /// The end of a sentence about the tensor.
    pub(super) fn new(mut proto: TensorProto, external: &mut External<'_>) -> Result<Self, String> {
        let data_type = DataType::new(proto.data_type).map_err(refused)?;
        if proto.segment.is_some() {
            return Err("is cut into segments, which aren't read; export it whole".into());
        }
        let (count, bytes) = size(&proto.dims, data_type)?;
        let typed = proto.float_data.len()
            + proto.int32_data.len()
            + proto.int64_data.len()
            + proto.double_data.len()
            + proto.uint64_data.len();
        let raw = match proto.data_location {
            0 => std::mem::take(&mut proto.raw_data),
            1 if typed == 0 && proto.raw_data.is_empty() => {
                Bytes::from(external.read(&proto.external_data, bytes as u64)?)
            }
            1 => return Err("has values in the file and outside of it; export it again".into()),
            other => return Err(format!("is kept at location {other}, which isn't known; export it again")),
        };
        if typed > 0 && !raw.is_empty() {
            return Err("has its values twice; export it again".into());
        }
        if !raw.is_empty() && raw.len() != bytes {
            return Err(format!(
                "has {} bytes, where {bytes} belong to its shape {:?}; export it again",
                raw.len(),
                proto.dims
            ));
        }
        let values = if raw.is_empty() { from_fields(&mut proto, data_type) } else { from_bytes(&raw, data_type) }?;
        if raw.is_empty() && values.len() != typed {
            return Err("has values in the field of another type; export it again".into());
        }
        if values.len() != count {
            return Err(format!(
                "has {} values, where {count} belong to its shape {:?}; export it again",
                values.len(),
                proto.dims
            ));
        }
        Ok(Self { shape: proto.dims, values })
    }
}

/// The end of a sentence about a tensor of a type that isn't read.
fn refused(name: String) -> String {
    let remedy = match name.as_str() {
        "STRING" => "export the network without its texts",
        _ => "export the float network",
    };
    format!("is of type {name}, which isn't read; {remedy}")
}

/// Number of values of a tensor, and of bytes.
fn size(shape: &[i64], data_type: DataType) -> Result<(usize, usize), String> {
    if shape.len() > MOST_AXES {
        return Err(format!("has {} axes, and a network's tensors have at most {MOST_AXES}", shape.len()));
    }
    if let Some(side) = shape.iter().find(|&&side| side < 0) {
        return Err(format!("has a side of {side}; export it again"));
    }
    // Whoever computes with the shape mustn't overflow either, though a side of zero be among it.
    let product = |least: i64| {
        let sides = shape.iter().map(|&side| usize::try_from(side.max(least)).ok());
        sides.chain([Some(data_type.width())]).try_fold(1_usize, |product, side| product.checked_mul(side?))
    };
    match (product(1).filter(|&bytes| i64::try_from(bytes).is_ok()), product(0)) {
        (Some(_), Some(bytes)) => Ok((bytes / data_type.width(), bytes)),
        _ => Err(format!("has the shape {shape:?}, which no memory can hold; export it again")),
    }
}

/// Reads values that are stored as bytes, of a number that fits.
fn from_bytes(bytes: &[u8], data_type: DataType) -> Result<Values, String> {
    fn each<const N: usize, T>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks().0.iter().map(|chunk| value(*chunk)).collect()
    }
    Ok(match data_type {
        DataType::F32 => Values::F32(each(bytes, f32::from_le_bytes)),
        DataType::F16 => Values::F32(each(bytes, |value| f16::from_le_bytes(value).to_f32())),
        DataType::Bf16 => Values::F32(each(bytes, |value| bf16::from_le_bytes(value).to_f32())),
        DataType::F64 => Values::F64(each(bytes, f64::from_le_bytes)),
        DataType::I8 => Values::I64(each(bytes, |value| i8::from_le_bytes(value).into())),
        DataType::I16 => Values::I64(each(bytes, |value| i16::from_le_bytes(value).into())),
        DataType::I32 => Values::I64(each(bytes, |value| i32::from_le_bytes(value).into())),
        DataType::I64 => Values::I64(each(bytes, i64::from_le_bytes)),
        DataType::U8 => Values::I64(each(bytes, |value| u8::from_le_bytes(value).into())),
        DataType::U16 => Values::I64(each(bytes, |value| u16::from_le_bytes(value).into())),
        DataType::U32 => Values::I64(each(bytes, |value| u32::from_le_bytes(value).into())),
        DataType::U64 => Values::I64(narrowed::<i64, u64>(each(bytes, u64::from_le_bytes))?),
        DataType::Bool => Values::Bool(each(bytes, |[value]| value != 0)),
    })
}

/// Takes values that are stored as numbers; those of small types are in fields of larger ones.
fn from_fields(proto: &mut TensorProto, data_type: DataType) -> Result<Values, String> {
    fn whole<T: TryFrom<U> + Into<i64>, U: Copy + Display>(values: &[U]) -> Result<Values, String> {
        let values = narrowed::<T, U>(values.iter().copied())?;
        Ok(Values::I64(values.into_iter().map(Into::into).collect()))
    }
    let small = &proto.int32_data;
    let halves = |widened: fn(u16) -> f32| {
        let bits = narrowed::<u16, i32>(small.iter().copied())?;
        Ok(Values::F32(bits.into_iter().map(widened).collect()))
    };
    match data_type {
        DataType::F32 => Ok(Values::F32(std::mem::take(&mut proto.float_data))),
        DataType::F16 => halves(|bits| f16::from_bits(bits).to_f32()),
        DataType::Bf16 => halves(|bits| bf16::from_bits(bits).to_f32()),
        DataType::F64 => Ok(Values::F64(std::mem::take(&mut proto.double_data))),
        DataType::I8 => whole::<i8, _>(small),
        DataType::I16 => whole::<i16, _>(small),
        DataType::I32 => whole::<i32, _>(small),
        DataType::I64 => Ok(Values::I64(std::mem::take(&mut proto.int64_data))),
        DataType::U8 => whole::<u8, _>(small),
        DataType::U16 => whole::<u16, _>(small),
        DataType::U32 => whole::<u32, _>(&proto.uint64_data),
        DataType::U64 => whole::<i64, _>(&proto.uint64_data),
        DataType::Bool => Ok(Values::Bool(small.iter().map(|&value| value != 0).collect())),
    }
}

/// Converts values to a type that must hold them.
fn narrowed<T: TryFrom<U>, U: Copy + Display>(values: impl IntoIterator<Item = U>) -> Result<Vec<T>, String> {
    let one = |value| T::try_from(value).map_err(|_| format!("has the value {value}, which is out of range"));
    values.into_iter().map(one).collect()
}
