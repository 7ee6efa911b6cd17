//! Which rows of a table share their passes through the network.

use ucag_core::protocol::Protocol;

use crate::config::{Method, Variant};

/// Rows that see the same image, or the same views of it.
pub(crate) struct Share<'a> {
    /// Whether they see views.
    pub(crate) ucag: bool,
    /// A protocol that says which.
    pub(crate) protocol: &'a Protocol,
    /// Their methods, each once.
    pub(crate) methods: Vec<&'a Method>,
    /// The rows, and their methods as places among `methods`.
    pub(crate) rows: Vec<(usize, usize)>,
}

/// Groups these rows of a table.
pub(crate) fn shares<'a>(table: &[(&'a Method, &'a Variant)], rows: &[usize]) -> Vec<Share<'a>> {
    let mut shares: Vec<Share<'a>> = Vec::new();
    for &row in rows {
        let (method, Variant { ucag, protocol, .. }) = table[row];
        let same = |share: &Share<'_>| {
            share.ucag == *ucag
                && if *ucag { share.protocol.has_views_of(protocol) } else { share.protocol.has_image_of(protocol) }
        };
        let place = shares.iter().position(same).unwrap_or_else(|| {
            shares.push(Share { ucag: *ucag, protocol, methods: Vec::new(), rows: Vec::new() });
            shares.len() - 1
        });
        let share = &mut shares[place];
        let known = share.methods.iter().position(|known| std::ptr::eq(*known, method)).unwrap_or_else(|| {
            share.methods.push(method);
            share.methods.len() - 1
        });
        share.rows.push((row, known));
    }
    shares
}
