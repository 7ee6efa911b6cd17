//! `--set key.path=value`: writes a value into a config's tree before it is read, with the same
//! checks as if it stood in the file.

use super::error::Origin;
use super::toml_tree::{Node, Table, Value, parse};

/// Most keys in a path, which is more than twice what a config has; each is a table in a table.
const DEEPEST: usize = 16;

/// Splits `key.path=value`. The value is TOML where it can be, else a string: paths and names need
/// no quotes.
///
/// # Errors
/// Where there is no `=`, a key is empty or there are too many, or a value that starts like an
/// array, a table or a quoted string doesn't end like one.
pub(super) fn split<'a>(argument: &'a str, origin: &Origin) -> Result<(&'a str, Node), String> {
    let (path, text) = argument.split_once('=').ok_or("expected KEY=VALUE, for instance dataset.limit=10")?;
    let path = path.trim();
    if path.split('.').any(str::is_empty) {
        return Err("a key is empty; expected KEY=VALUE, for instance dataset.limit=10".into());
    }
    let keys = path.split('.').count();
    if keys > DEEPEST {
        return Err(format!("the path has {keys} keys; expected at most {DEEPEST}, as in method.0.id"));
    }
    let parsed = parse(&format!("value = {text}"), &|_| origin.clone());
    match parsed {
        // A second key would be a line break in the argument.
        Ok(mut table) if table.len() == 1 => {
            if let Some(node) = table.remove("value") {
                return Ok((path, node));
            }
        }
        Err((_, problem)) if text.trim_start().starts_with(['[', '{', '"', '\'']) => {
            return Err(format!("the value isn't TOML: {problem}"));
        }
        _ => {}
    }
    Ok((path, Node { origin: origin.clone(), value: Value::String(text.to_owned()) }))
}

/// Writes `node` at `path`, making tables on the way. A number indexes into an array, from 0; `*`
/// stands for each of its entries.
///
/// # Errors
/// Where the path leads into something that has no keys, or beyond an array's end.
pub(super) fn write(table: &mut Table, path: &str, node: Node) -> Result<(), String> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let Some(rest) = rest else {
        table.insert(key.to_owned(), node);
        return Ok(());
    };
    let empty = || Node { origin: node.origin.clone(), value: Value::Table(Table::new()) };
    let next = table.entry(key.to_owned()).or_insert_with(empty);
    // `protocol = "official"` is short for a table with that base.
    if key == "protocol" && matches!(next.value, Value::String(_)) {
        let base = Node { origin: next.origin.clone(), value: next.value.clone() };
        next.value = Value::Table(Table::from([("base".to_owned(), base)]));
    }
    descend(next, key, rest, node)
}

fn descend(into: &mut Node, name: &str, path: &str, node: Node) -> Result<(), String> {
    match &mut into.value {
        Value::Table(table) => write(table, path, node),
        Value::Array(elements) => {
            let (index, rest) = path.split_once('.').map_or((path, None), |(index, rest)| (index, Some(rest)));
            if let ("*", Some(rest)) = (index, rest) {
                return elements.iter_mut().try_for_each(|element| descend(element, index, rest, node.clone()));
            }
            let count = elements.len();
            let element = index.parse().ok().and_then(|index: usize| elements.get_mut(index)).ok_or_else(|| {
                let last = count.saturating_sub(1);
                format!("'{index}' is none of the {count} entries of '{name}', which are numbered 0 to {last}")
            })?;
            match rest {
                None => *element = node,
                Some(rest) => descend(element, index, rest, node)?,
            }
            Ok(())
        }
        other => Err(format!("'{name}' is {}, which has no keys", other.describe())),
    }
}
