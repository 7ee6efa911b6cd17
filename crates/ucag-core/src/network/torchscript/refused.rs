//! Descriptions of a TorchScript module's output or refusal, with the remedy.

use tch::{IValue, Kind, TchError, Tensor};

/// Advice for a module that gives something else than one tensor.
const ONE: &str = "wrap the model so that forward gives the logits alone";

/// The line of libtorch's message that says what happened: its tracebacks fill pages.
pub(super) fn short(error: &TchError) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let raised = lines.iter().rfind(|line| line.starts_with("RuntimeError:") || line.contains("Error: "));
    let line = raised.or(lines.first()).copied().unwrap_or("no reason given");
    line.chars().take(200).collect()
}

/// A file that libtorch won't load.
pub(super) fn unread(error: &TchError) -> String {
    let (text, short) = (error.to_string(), short(error));
    if ["Unknown builtin op", "Unknown type name", "Schema not found"].iter().any(|says| text.contains(says)) {
        return format!("uses an operation that this libtorch doesn't have ({short}); save the model without it");
    }
    format!(
        "isn't TorchScript; save a module with torch.jit.script(model.eval()).save(…), or torch.jit.trace ({short})"
    )
}

/// A batch of this size that the module, whose parameters are of these kinds, doesn't take.
pub(super) fn batch(size: &[i64], kinds: &[Kind], error: &TchError) -> String {
    let (text, short) = (error.to_string(), short(error));
    let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    let refuses = format!("refuses a batch of {size:?} ({short})");
    if says(&["when training"]) {
        return format!(
            "{refuses}: it was saved in training mode. Call model.eval() before torch.jit.trace or torch.jit.script, and save it again"
        );
    }
    if says(&["channels, but got"]) {
        return format!(
            "{refuses}: it takes images of another number of channels; for grey ones, state mean and std with one number each"
        );
    }
    if says(&["same dtype", "should be the same", "expected scalar type", "must have the same type"]) {
        let other = kinds.iter().find(|kind| **kind != Kind::Float);
        let weights =
            other.map_or_else(|| "weights of another type".to_owned(), |kind| format!("{} weights", word(*kind)));
        return format!(
            "has {weights} and refuses images, which are float32 ({short}); call model.float() before it is traced or scripted, and save it again"
        );
    }
    if says(&["cuda", "CUDA", "same device", "MPS", "mps"]) {
        return format!(
            "computes on a device that it was traced on ({short}); trace or script it on the processor (model.cpu(), inputs too) and save it again, or run it with --device cuda:0"
        );
    }
    format!(
        "{refuses}; script it so that the number of images is free, and their size, or choose input_size and [ucag] alpha so that views are of its size"
    )
}

/// A tensor that is no logits for `images` images; nothing where it can be.
pub(super) fn tensor(given: &Tensor, images: i64) -> Option<String> {
    let size = given.size();
    if !matches!(size[..], [count, classes] if count == images && classes > 0) {
        return Some(format!("gives {size:?} for {images} images; it must give their logits, [{images}, classes]"));
    }
    let kind = word(given.kind());
    match given.kind() {
        Kind::Float | Kind::Double => None,
        Kind::Half | Kind::BFloat16 => Some(format!(
            "gives {kind} logits, which are rounded to three digits; call model.float() before it is traced or scripted, and save it again"
        )),
        Kind::ComplexHalf | Kind::ComplexFloat | Kind::ComplexDouble => {
            Some(format!("gives {kind} numbers, which have no order; let forward give real logits"))
        }
        _ => Some(format!(
            "gives whole numbers ({kind}), so classes or counts; let forward give the logits from before argmax or rounding"
        )),
    }
}

/// Returns what isn't one tensor.
pub(super) fn value(given: &IValue, images: i64) -> String {
    let found = place(given, images);
    let advice = found.map_or_else(String::new, |place| format!(", for instance: return self.model(x){place}"));
    format!("gives {}, not one tensor of logits; {ONE}{advice}", describe(given, 0))
}

/// A value in words, without end only where it is short.
fn describe(value: &IValue, depth: usize) -> String {
    const MOST: usize = 4;
    let all = |values: Vec<String>| {
        let more = if values.len() > MOST { ", …" } else { "" };
        values[..values.len().min(MOST)].join(", ") + more
    };
    let each = |values: &[IValue]| match depth {
        0 | 1 => all(values.iter().map(|value| describe(value, depth + 1)).collect()),
        _ => "…".to_owned(),
    };
    match value {
        IValue::None => "None".into(),
        IValue::Tensor(tensor) => sized(tensor),
        IValue::Tuple(values) => format!("a tuple ({})", each(values)),
        IValue::GenericList(values) => format!("a list [{}]", each(values)),
        IValue::TensorList(tensors) => format!("a list [{}]", all(tensors.iter().map(sized).collect())),
        IValue::GenericDict(_) if depth > 1 => "a dict {…}".into(),
        IValue::GenericDict(pairs) => {
            let pair = |(key, value): &(IValue, IValue)| format!("{}: {}", key_of(key), describe(value, depth + 1));
            format!("a dict {{{}}}", all(pairs.iter().map(pair).collect()))
        }
        IValue::Double(_) | IValue::Int(_) | IValue::Bool(_) => "a single number".into(),
        IValue::String(_) | IValue::StringList(_) => "text".into(),
        IValue::IntList(_) | IValue::DoubleList(_) | IValue::BoolList(_) => "a list of numbers".into(),
        IValue::Object(_) => "an object of a class of its own".into(),
        _ => "something else".into(),
    }
}

fn sized(tensor: &Tensor) -> String {
    format!("a tensor {:?}", tensor.size())
}

/// A dict's key as Python writes it.
fn key_of(key: &IValue) -> String {
    match key {
        IValue::String(key) => format!("\"{key}\""),
        IValue::Int(key) => key.to_string(),
        _ => "a key".into(),
    }
}

/// Returns the place of the first tensor in a value that can be logits, as Python has it:
/// `["logits"]`.
fn place(value: &IValue, images: i64) -> Option<String> {
    let fits = |given: &Tensor| tensor(given, images).is_none();
    let among = |values: &[IValue]| {
        values.iter().enumerate().find_map(|(at, value)| Some(format!("[{at}]{}", place(value, images)?)))
    };
    match value {
        IValue::Tensor(tensor) => fits(tensor).then(String::new),
        IValue::Tuple(values) | IValue::GenericList(values) => among(values),
        IValue::TensorList(tensors) => tensors.iter().position(fits).map(|at| format!("[{at}]")),
        IValue::GenericDict(pairs) => {
            pairs.iter().find_map(|(key, value)| Some(format!("[{}]{}", key_of(key), place(value, images)?)))
        }
        _ => None,
    }
}

/// PyTorch's name of a kind of number.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Half => "float16",
        Kind::BFloat16 => "bfloat16",
        Kind::Float => "float32",
        Kind::Double => "float64",
        Kind::Int64 => "int64",
        Kind::Int => "int32",
        Kind::Int16 => "int16",
        Kind::Int8 => "int8",
        Kind::Uint8 => "uint8",
        Kind::Bool => "bool",
        Kind::ComplexHalf | Kind::ComplexFloat | Kind::ComplexDouble => "complex",
        _ => "other",
    }
}
