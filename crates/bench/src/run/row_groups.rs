//! Groups of a table's rows that share their passes through the network.

use ucag_core::protocol::MapProtocol;

use crate::config::{Method, Variant};

/// Position of a row in the table of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowIndex(pub(crate) usize);

/// Rows that see the same image, or the same views of it.
pub(crate) struct RowGroup<'a> {
    /// True if they see views.
    pub(crate) ucag: bool,
    /// The protocol of one of them.
    pub(crate) protocol: &'a MapProtocol,
    /// Their methods, each once.
    pub(crate) methods: Vec<&'a Method>,
    /// The rows, and their methods' positions in `methods`.
    pub(crate) rows: Vec<(RowIndex, usize)>,
}

/// Groups these rows of a table.
pub(crate) fn row_groups<'a>(table: &[(&'a Method, &'a Variant)], rows: &[RowIndex]) -> Vec<RowGroup<'a>> {
    let mut row_groups: Vec<RowGroup<'a>> = Vec::new();
    for &row in rows {
        let (method, Variant { ucag, protocol, .. }) = table[row.0];
        let protocol = &protocol.maps;
        let same = |group: &RowGroup<'_>| {
            group.ucag == *ucag
                && if *ucag { group.protocol.has_views_of(protocol) } else { group.protocol.has_image_of(protocol) }
        };
        let index = row_groups.iter().position(same).unwrap_or_else(|| {
            row_groups.push(RowGroup { ucag: *ucag, protocol, methods: Vec::new(), rows: Vec::new() });
            row_groups.len() - 1
        });
        let group = &mut row_groups[index];
        let known = group.methods.iter().position(|known| std::ptr::eq(*known, method)).unwrap_or_else(|| {
            group.methods.push(method);
            group.methods.len() - 1
        });
        group.rows.push((row, known));
    }
    row_groups
}
