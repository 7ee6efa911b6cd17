//! Build script of the crates whose programs and tests use libtorch: how they find it when they
//! run.

#![allow(clippy::print_stdout, reason = "that is how a build script speaks to cargo")]

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    // Without it, torch-sys has looked elsewhere or said what is missing.
    let Some(libtorch) = std::env::var_os("LIBTORCH") else { return };
    let lib = Path::new(&libtorch).join("lib");
    println!("cargo::rerun-if-changed={}", lib.display());
    let link = |argument: &str| println!("cargo::rustc-link-arg={argument}");
    // Wherever the target directory is.
    link(&format!("-Wl,-rpath,{}", lib.display()));
    // Nothing here calls the CUDA part by name, so that a linker would leave it out; it makes
    // itself known to libtorch when it is loaded.
    if lib.join("libtorch_cuda.so").exists() {
        for argument in
            ["-Wl,--push-state,--no-as-needed", &format!("-L{}", lib.display()), "-ltorch_cuda", "-Wl,--pop-state"]
        {
            link(argument);
        }
    }
}
