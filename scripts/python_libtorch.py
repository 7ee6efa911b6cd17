"""Finds the libtorch of the PyTorch that this Python has, and links it.

    python_libtorch.py find VERSION [--cuda]      one line: version and kind, then the folder; or the reason why not
    python_libtorch.py link OUT                   OUT/include and OUT/lib as links to its CPU part

PyTorch isn't imported: what it is, its files say.
"""

import importlib.util
import pathlib
import sys

LIBRARIES = ["libc10.so", "libtorch_cpu.so", "libgomp.so.1"]


def package() -> pathlib.Path:
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        sys.exit(f"{sys.executable} has no PyTorch")
    return pathlib.Path(spec.origin).parent


def facts(torch: pathlib.Path) -> dict:
    said = {}
    try:
        exec((torch / "version.py").read_text(), said)
        return {name: said[name] for name in ("__version__", "cuda")}
    except (OSError, KeyError, SyntaxError) as error:
        sys.exit(f"{torch}/version.py doesn't say which PyTorch that is: {error!r}")


def library(torch: pathlib.Path, name: str) -> pathlib.Path:
    """The library's file, in the package or among NVIDIA's beside it."""
    found = [torch / "lib" / name, *sorted((torch.parent / "nvidia").rglob(name))]
    for path in found:
        if path.exists():
            return path
    sys.exit(f"{torch}/lib has no {name}")


def needed(torch: pathlib.Path) -> list:
    """Names of the CPU part's libraries; that of a CUDA build names two of CUDA's."""
    cuda = facts(torch)["cuda"]
    return LIBRARIES + ([f"{name}.so.{cuda.split('.')[0]}" for name in ("libcudart", "libcupti")] if cuda else [])


def find(version: str, cuda: bool) -> None:
    torch = package()
    known = facts(torch)
    if (known["__version__"] or "").split("+")[0] != version:
        sys.exit(f"{torch} is PyTorch {known['__version__']}, not {version}")
    if cuda and not known["cuda"]:
        sys.exit(f"{torch} is PyTorch for CPUs, without CUDA")
    if not (torch / "include" / "torch").is_dir():
        sys.exit(f"{torch} has no C++ headers")
    libraries = [library(torch, name) for name in needed(torch)]
    # The mark that g++'s present ABI leaves in the names of functions that take a std::string.
    if b"__cxx11" not in libraries[0].read_bytes():
        sys.exit(f"{torch} is built with the C++ ABI of before 2015, which can't be linked here")
    kind = f"CUDA {known['cuda']}" if known["cuda"] else "CPU"
    print(f"PyTorch {known['__version__']} ({kind}) in {torch}")


def link(out: pathlib.Path) -> None:
    torch = package()
    (out / "lib").mkdir(parents=True)
    (out / "include").symlink_to(torch / "include")
    for name in needed(torch):
        (out / "lib" / name).symlink_to(library(torch, name))
    # As in unpack_libtorch.py: the linker asks for -ltorch.
    (out / "lib" / "libtorch.so").symlink_to("libtorch_cpu.so")


if __name__ == "__main__":
    if len(sys.argv) in (3, 4) and sys.argv[1] == "find" and sys.argv[3:] in ([], ["--cuda"]):
        find(sys.argv[2], "--cuda" in sys.argv)
    elif len(sys.argv) == 3 and sys.argv[1] == "link":
        link(pathlib.Path(sys.argv[2]))
    else:
        sys.exit(__doc__)
