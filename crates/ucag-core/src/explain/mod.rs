//! Explainers: a pass in, signed maps in native units out.

pub mod cam;
pub mod controls;
pub mod gradient;
mod method;
pub mod perturbation;
mod registry;
pub mod relevance;
mod settings;

pub use self::method::{Entry, Explainer, ExtraPasses, Method, Role};
pub use self::registry::{METHODS, method};
pub use self::settings::{Setting, SettingKind, SettingValue, Settings};
