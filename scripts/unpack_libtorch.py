"""Unpacks a CPU libtorch from the wheels in WHEELS into the folder OUT: `include/` and `lib/`.

The wheel is a CUDA build. torch-sys links libtorch_cuda.so wherever it sees one, and that needs the whole CUDA
stack to load; so only the CPU libraries are taken, with the two CUDA runtime libraries that libtorch_cpu.so names.
"""

import pathlib
import shutil
import sys
import zipfile

LIBRARIES = {"libc10.so", "libtorch_cpu.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13"}


def main(wheels: pathlib.Path, out: pathlib.Path) -> None:
    missing = set(LIBRARIES)
    (out / "lib").mkdir(parents=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                path = pathlib.PurePosixPath(member)
                if path.parent.name == "lib" and path.name in missing:
                    target = out / "lib" / path.name
                    missing.discard(path.name)
                elif member.startswith("torch/include/") and not member.endswith("/"):
                    target = out / path.relative_to("torch")
                else:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
    if missing:
        sys.exit(f"unpack_libtorch: the wheels in {wheels} hold no {', '.join(sorted(missing))}")
    # The linker asks for -ltorch; in a CPU build that is libtorch_cpu and nothing else.
    (out / "lib" / "libtorch.so").symlink_to("libtorch_cpu.so")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
