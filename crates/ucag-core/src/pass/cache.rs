//! Values that are computed once a pass and kept by name.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::{Error, Result};

/// Values that are computed once and kept, by name.
#[derive(Debug, Default)]
pub struct Cache(RefCell<BTreeMap<String, Rc<dyn Any>>>);

impl Cache {
    /// Returns the value kept under `key`; where there is none yet, keeps what `make` returns.
    ///
    /// # Errors
    /// As `make`, or where another type was kept under this key.
    pub fn cached<T: 'static>(&self, key: &str, make: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        let known = self.0.borrow().get(key).map(Rc::clone);
        let kept = match known {
            Some(kept) => kept,
            None => {
                let made: Rc<dyn Any> = Rc::new(make()?);
                self.0.borrow_mut().insert(key.to_owned(), Rc::clone(&made));
                made
            }
        };
        kept.downcast().map_err(|_| Error::Internal("two explainers keep different types under one key"))
    }
}
