//! Golden files: reference tensors with an index that says what each is. Shared by every crate's
//! `golden` test.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "two `golden` and one `all` use a part each")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor};
use ucag_core::network::{Checkpoint, FAMILIES, Network, Stated};

/// One line of the index.
#[derive(Debug, Clone)]
pub struct Entry {
    pub file: String,
    pub key: String,
    pub reference: String,
    pub layer: Option<String>,
    pub class: Option<usize>,
    pub tolerance: Option<f64>,
    /// The key whose float64 run this is.
    pub float64_run_of: Option<String>,
    /// Set where the reference itself gave values that aren't finite.
    pub nonfinite: bool,
    pub note: String,
    /// True if only every second row and column of the result is kept.
    pub thinned: bool,
}

/// The outcome of an entry.
pub enum Verdict {
    /// Compared: ours, which must be within the entry's tolerance.
    Ours(Tensor),
    /// Compared: ours, and the same in float64. Where float32 has rounded the reference itself
    /// farther than the entry's tolerance, four times as far will do.
    Rounded(Tensor, Tensor),
    /// Not compared, for a reason.
    NotCovered(&'static str),
}

/// A folder of golden files.
pub struct Golden {
    pub folder: PathBuf,
    pub entries: Vec<Entry>,
    files: RefCell<BTreeMap<String, Rc<BTreeMap<String, Tensor>>>>,
    networks: RefCell<BTreeMap<(String, bool, Twin), Rc<Network>>>,
    /// The file of which networks are read.
    twin: Cell<Twin>,
}

/// A file that holds a network of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Twin {
    /// `net_NAME.safetensors`.
    Safetensors,
    /// `net_NAME.onnx`.
    Onnx,
    /// `net_NAME_folded.onnx`, in which batch normalization is part of the convolutions.
    Folded,
}

impl Golden {
    /// `UCAG_GOLDEN`, else the reference folder beside the project, else the fixtures that the
    /// project carries.
    pub fn open() -> Self {
        Self::open_folder(named_folder().unwrap_or_else(|| own_folder("golden")))
    }

    /// As [`Golden::open`]; where `UCAG_GOLDEN` names none, both folders that there are: of the
    /// paper's networks, and of others.
    pub fn open_all() -> Vec<Self> {
        let folders =
            named_folder().map_or_else(|| ["golden", "golden2"].map(own_folder).into(), |folder| vec![folder]);
        folders.into_iter().map(Self::open_folder).collect()
    }

    fn open_folder(folder: PathBuf) -> Self {
        let path = folder.join("index.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        // Python writes NaN where JSON has no word for it.
        let index: serde_json::Value =
            serde_json::from_str(&text.replace(": NaN", ": null")).expect("index.json is JSON");
        let entry = |value: &serde_json::Value| {
            let text = |key: &str| value[key].as_str().map(str::to_owned);
            Entry {
                file: text("file").expect("an entry has a file").trim_end_matches(".safetensors").to_owned(),
                key: text("key").expect("an entry has a key"),
                reference: text("ref").unwrap_or_default(),
                layer: text("layer"),
                class: value["cls"].as_u64().map(|class| class as usize),
                tolerance: value["tol"].as_f64(),
                float64_run_of: text("float64_run_of"),
                note: text("note").unwrap_or_default(),
                thinned: text("kept").is_some_and(|kept| kept == "every second row and column"),
                nonfinite: value["nonfinite"].as_u64().is_some_and(|count| count > 0),
            }
        };
        let mut entries: Vec<Entry> =
            index["tensors"].as_array().expect("the index lists tensors").iter().map(entry).collect();
        // A float64 run is kept as its entry is.
        let thinned: Vec<String> =
            entries.iter().filter(|e| e.thinned).map(|e| format!("{}/{}", e.file, e.key)).collect();
        for entry in &mut entries {
            let run_of = entry.float64_run_of.as_ref().map(|key| format!("{}/{key}", entry.file));
            entry.thinned |= run_of.is_some_and(|key| thinned.contains(&key));
        }
        Self {
            folder,
            entries,
            files: RefCell::default(),
            networks: RefCell::default(),
            twin: Cell::new(Twin::Safetensors),
        }
    }

    fn file(&self, name: &str) -> Rc<BTreeMap<String, Tensor>> {
        let load = || {
            let path = self.folder.join(format!("{name}.safetensors"));
            let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let file = SafeTensors::deserialize(&bytes).expect("golden files are safetensors");
            let tensor = |(key, view): (String, safetensors::tensor::TensorView<'_>)| {
                let shape: Vec<i64> = view.shape().iter().map(|&side| side as i64).collect();
                let kind = match view.dtype() {
                    Dtype::F64 => Kind::Double,
                    Dtype::F32 => Kind::Float,
                    Dtype::F16 => Kind::Half,
                    Dtype::I64 => Kind::Int64,
                    Dtype::I32 => Kind::Int,
                    Dtype::U8 => Kind::Uint8,
                    Dtype::BOOL => Kind::Bool,
                    other => panic!("{key} is {other:?}"),
                };
                let tensor = Tensor::from_data_size(view.data(), &shape, kind);
                (key, if kind == Kind::Half { tensor.to_kind(Kind::Float) } else { tensor })
            };
            Rc::new(file.tensors().into_iter().map(tensor).collect())
        };
        self.files.borrow_mut().entry(name.to_owned()).or_insert_with(load).clone()
    }

    /// Returns what the index notes of a tensor.
    pub fn note(&self, file: &str, key: &str) -> &str {
        let entry = self.entries.iter().find(|entry| entry.file == file && entry.key == key);
        entry.map(|entry| entry.note.as_str()).unwrap_or_default()
    }

    /// Returns whether there is such a tensor.
    pub fn has(&self, file: &str, key: &str) -> bool {
        self.file(file).contains_key(key)
    }

    /// A tensor, with half precision widened.
    pub fn tensor(&self, file: &str, key: &str) -> Tensor {
        self.file(file).get(key).unwrap_or_else(|| panic!("{file} has no {key}")).shallow_clone()
    }

    /// The network of a name, from the file that is being read.
    pub fn network(&self, name: &str, double: bool) -> Rc<Network> {
        let twin = self.twin.get();
        let load = || match twin {
            Twin::Safetensors => Rc::new(self.network_with(name, double, |_, tensor| tensor.shallow_clone())),
            _ => {
                let path = self.twin_path(name, twin);
                let network = Network::onnx(&path, &Stated::default()).unwrap_or_else(|e| panic!("{e}"));
                let kind = if double { Kind::Double } else { Kind::Float };
                Rc::new(network.in_kind(kind).expect("weights have another type"))
            }
        };
        self.networks.borrow_mut().entry((name.to_owned(), double, twin)).or_insert_with(load).clone()
    }

    fn twin_path(&self, name: &str, twin: Twin) -> PathBuf {
        let ending = match twin {
            Twin::Safetensors => ".safetensors",
            Twin::Onnx => ".onnx",
            Twin::Folded => "_folded.onnx",
        };
        self.folder.join(format!("net_{name}{ending}"))
    }

    /// Returns whether an entry's network, if it is of one, can be read.
    pub fn reads(&self, entry: &Entry) -> bool {
        let groups = ["in_", "cam_", "backprop_"];
        let name = groups.iter().find_map(|group| entry.file.strip_prefix(group));
        name.is_none_or(|name| self.twin.get() != Twin::Safetensors || family_of(name).is_some())
    }

    /// Returns the files to check an entry with: those of its network, or any one where it has
    /// none.
    fn twins(&self, entry: &Entry) -> Vec<Twin> {
        let name = match entry.file.split_once('_') {
            Some((_, name)) => name,
            None => entry.key.split('/').next().unwrap_or_default(),
        };
        let exists = |twin: &Twin| match twin {
            Twin::Safetensors => family_of(name).is_some(),
            twin => self.twin_path(name, *twin).exists(),
        };
        let twins: Vec<Twin> = [Twin::Safetensors, Twin::Onnx, Twin::Folded].into_iter().filter(exists).collect();
        if twins.is_empty() { vec![Twin::Safetensors] } else { twins }
    }

    /// The same with each tensor as `change` gives it.
    pub fn network_with(&self, name: &str, double: bool, change: impl Fn(&str, &Tensor) -> Tensor) -> Network {
        let family = family_of(name).unwrap_or_else(|| panic!("no family for network {name}"));
        let kind = if double { Kind::Double } else { Kind::Float };
        let tensors = self.file(&format!("net_{name}"));
        let tensors = tensors.iter().map(|(key, tensor)| (key.clone(), change(key, tensor).to_kind(kind)));
        let checkpoint = Checkpoint::from_tensors(name, tensors);
        Network::from_checkpoint(family, &checkpoint).unwrap_or_else(|e| panic!("{e}"))
    }

    /// Walks the index, checks or counts every entry, prints the closing line, and ends the process
    /// with 1 where something failed.
    #[allow(clippy::print_stdout, reason = "the count is what is asked for")]
    pub fn judge(&self, crate_name: &str, verdict: impl Fn(&Entry) -> Verdict) {
        let (mut checked, mut failed) = (0, Vec::new());
        let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
        let pairs = self.entries.iter().flat_map(|entry| self.twins(entry).into_iter().map(move |twin| (entry, twin)));
        for (entry, twin) in pairs {
            self.twin.set(twin);
            let stated = || entry.tolerance.expect("a checked entry states a tolerance");
            let (ours, tolerance) = match verdict(entry) {
                Verdict::Ours(ours) => (ours, stated()),
                Verdict::Rounded(ours, exact) => {
                    (ours, stated().max(4.0 * off(&self.tensor(&entry.file, &entry.key), &exact)))
                }
                Verdict::NotCovered(reason) => {
                    *reasons.entry(reason).or_default() += 1;
                    continue;
                }
            };
            checked += 1;
            let golden = self.tensor(&entry.file, &entry.key);
            let ours = if entry.thinned { ours.slice(-2, None, None, 2).slice(-1, None, None, 2) } else { ours };
            if let Err(problem) = close(&ours, &golden, tolerance) {
                failed.push(format!("{}/{} of {twin:?}: {problem}", entry.file, entry.key));
            }
        }
        println!("golden files of {crate_name}: {}", self.folder.display());
        for (reason, count) in &reasons {
            println!("  not covered, {count}: {reason}");
        }
        for failure in &failed {
            println!("  FAILED {failure}");
        }
        let not_covered: usize = reasons.values().sum();
        println!("golden: {checked} checked, {not_covered} not covered, {} failed", failed.len());
        assert!(checked > 0, "nothing was checked");
        if !failed.is_empty() {
            std::process::exit(1);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `UCAG_GOLDEN`. Tests run in their crate's folder; a relative path is meant from the project's.
fn named_folder() -> Option<PathBuf> {
    std::env::var_os("UCAG_GOLDEN").map(|folder| root().join(folder))
}

/// The reference folder beside the project, else the fixtures.
fn own_folder(name: &str) -> PathBuf {
    let beside = root().join("../shared/reference").join(name);
    match beside.join("index.json").exists() {
        true => beside,
        false => root().join("crates/ucag-core/tests/fixtures").join(name),
    }
}

/// The family that a network's name begins with.
pub fn family_of(name: &str) -> Option<&'static str> {
    let stem: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
    let is_meant = |id: &str| id.replace('_', "") == stem || (id.starts_with(&stem) && !id.ends_with("_lite"));
    FAMILIES.iter().map(|family| family.id).find(|id| !stem.is_empty() && is_meant(id))
}

/// `max|a - b| <= tolerance * max|b|`, after dropping leading sides of one; NaN and infinities are
/// where the reference has them.
///
/// A reference that is NaN throughout divided 0 by 0 when it brought a constant map to [0, 1]: ours
/// must be degenerate then, too.
pub fn close(ours: &Tensor, golden: &Tensor, tolerance: f64) -> Result<(), String> {
    let trimmed = |x: &Tensor| -> Tensor {
        let size = x.size();
        let first = size.iter().position(|&side| side != 1).unwrap_or(size.len());
        x.to_kind(Kind::Double).reshape(&size[first..])
    };
    let (ours, golden) = (trimmed(ours), trimmed(golden));
    if ours.size() != golden.size() {
        return Err(format!("shape {:?}, reference {:?}", ours.size(), golden.size()));
    }
    let count = |places: &Tensor| places.sum(Kind::Int64).int64_value(&[]);
    let values = golden.numel() as i64;
    let [our_nan, their_nan] = [&ours, &golden].map(|x| count(&x.isnan()));
    if their_nan == values && our_nan < values {
        // One number alone can't be told from a constant.
        let [low, high] = [ours.min(), ours.max()].map(|x| x.double_value(&[]));
        let degenerate = values > 1 && low == high;
        return if degenerate { Ok(()) } else { Err(format!("NaN throughout, but ours goes from {low} to {high}")) };
    }
    let same_nan = ours.isnan().logical_and(&golden.isnan());
    if [our_nan, their_nan] != [count(&same_nan); 2] {
        let both = count(&same_nan);
        return Err(format!("NaN in {our_nan} of {values} places, reference in {their_nan}, {both} of them the same"));
    }
    let same = same_nan.logical_or(&ours.eq_tensor(&golden));
    let zero = |x: &Tensor| x.masked_fill(&same.logical_and(&golden.isfinite().logical_not()), 0.0);
    let (ours, golden) = (zero(&ours), zero(&golden));
    let difference = (&ours - &golden).abs().max().double_value(&[]);
    let scale = golden.abs().max().double_value(&[]);
    if difference.is_finite() && difference <= tolerance * scale {
        return Ok(());
    }
    Err(format!("off by {:.3e} of the largest magnitude, tolerance {tolerance:.1e}", difference / scale))
}

/// Largest difference, of the largest magnitude of `exact`; leading sides of one don't matter.
/// Where both are NaN or zero throughout there is none.
pub fn off(x: &Tensor, exact: &Tensor) -> f64 {
    let (x, exact) = (x.to_kind(Kind::Double).flatten(0, -1), exact.to_kind(Kind::Double).flatten(0, -1));
    let same = x.eq_tensor(&exact).logical_or(&x.isnan().logical_and(&exact.isnan()));
    let difference = (x - &exact).abs().masked_fill(&same, 0.0).max().double_value(&[]);
    if difference == 0.0 { 0.0 } else { difference / exact.abs().max().double_value(&[]) }
}

/// Every node's output, one operation after the other as the network has them: what all short cuts
/// are checked against.
pub fn one_by_one(network: &Network, views: &Tensor) -> Vec<Tensor> {
    let mut values = vec![views.shallow_clone()];
    let sized = network.sized(&views.size()).expect("the network takes views of this size");
    for (id, node) in network.graph.nodes().iter().enumerate().skip(1) {
        let inputs: Vec<&Tensor> = node.inputs.iter().map(|&input| &values[input]).collect();
        let op = sized.get(&id).unwrap_or(&node.op);
        values.push(op.apply(&inputs).expect("the network takes the views"));
    }
    values
}

/// The number behind `label` in a reference's description: `n=6` and `n 6` alike.
pub fn number_after(text: &str, label: &str) -> Option<f64> {
    let at = text.match_indices(label).find(|(at, _)| {
        let before = text[..*at].chars().next_back();
        let after = text[at + label.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && matches!(after, Some(' ' | '='))
    })?;
    let rest = &text[at.0 + label.len() + 1..];
    let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.parse().ok()
}
