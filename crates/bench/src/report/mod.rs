//! What people look at after a run: tables, curves, plots and a gallery.
