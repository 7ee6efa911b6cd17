"""What a PyTorch checkpoint holds: its state dict, and the names that a network's tensors have in it. A part of convert_weights.py."""

import argparse
import pathlib
import pickletools
import re
import sys
import types
import warnings
import zipfile

# Old DenseNet checkpoints number the parts of a layer with a dot, which a module's name can't have.
OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12])\.(.*)$")

# What PyTorch's wrappers add to the names of what they wrap, at any place in them (VGG's example
# trains `features.module.0.weight`).
WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}

# The first and the last weight of each family, as torchvision names them: of tensors that have
# both, nothing needs to come off.
ENDS = [
    (r"conv1\.weight", r"fc\.weight"),
    (r"features\.0\.weight", r"classifier\.\d+\.weight"),
    (r"features\.conv0\.weight", r"classifier\.weight"),
    (r"Conv2d_1a_3x3\.conv\.weight", r"fc\.weight"),
]

# Parts of the families. Names that all begin with one lack the rest of their network; it isn't a
# prefix.
PARTS = re.compile(r"^(features|classifier|conv\d|bn\d|layer\d|fc|Conv2d_\w+|Mixed_\w+|AuxLogits)$")

# Counters, and what tools leave behind, at the end of a name.
COUNTERS = {"num_batches_tracked", "n_averaged", "total_ops", "total_params", "_extra_state"}

# What a training module keeps beside its network.
BESIDE = re.compile(r"^(train_|val_|valid_|test_)?(criterion|loss(_\w+)?|\w+_loss|metrics?|acc(uracy)?(_?top)?_?\d*|auroc|f1(_score)?|confmat|ece)$")

# Keys of checkpoints that hold weights, of those that hold averaged ones, and of what is no
# network's weights.
PLAIN = {"state_dict", "model", "model_state_dict", "model_state", "net", "net_state_dict", "network", "weights", "params", "module", "model_dict"}
AVERAGED = re.compile(r"(^|_)(ema|swa|averaged|avg)(_|$)")
TRAINING = re.compile(r"optim|sched|scaler|^loops$|callback|^rng|criterion|loss|metric")



def is_tensor(value) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def averaged(key: str) -> bool:
    return any(AVERAGED.search(part.lower()) for part in key.split("."))


def listed(names, most=4) -> str:
    names = sorted(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def plain_text(error) -> str:
    """The first line of a message, without terminal codes."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", str(error)).strip()
    return next(iter(text.splitlines()), "")[:200] or type(error).__name__


# Names.


def unwrapped(name: str) -> str:
    """A name without the wrappers in it."""
    *path, last = name.split(".")
    return ".".join([part for part in path if part not in WRAPPERS] + [last])


def whole(names) -> bool:
    """Whether these are the names of a family's network, from its first weight to its last."""
    has = lambda pattern: any(re.fullmatch(pattern, name) for name in names)  # noqa: E731
    return any(has(first) and has(last) for first, last in ENDS)


def shared_prefix(names) -> str:
    """What all names begin with, a part at a time, as far as it is no part of a family's network."""
    prefix = ""
    while True:
        rest = [name[len(prefix) :] for name in names]
        first = {name.partition(".")[0] for name in rest}
        if whole(rest) or len(first) != 1 or not all("." in name for name in rest):
            return prefix
        (part,) = first
        if PARTS.match(part) and not whole([name[len(part) + 1 :] for name in rest]):
            return prefix
        prefix += f"{part}."


def networks_in(names):
    """Prefixes under which a family's whole network lies."""
    firsts = [re.compile(rf"^(.*\.){first}$") for first, _ in ENDS]
    prefixes = {match[1] for name in names for first in firsts if (match := first.match(name))}
    return sorted(prefix for prefix in prefixes if whole([name[len(prefix) :] for name in names if name.startswith(prefix)]))


def cleaned(tensors, say, where="the checkpoint"):
    """A network's tensors by torchvision's names. What came off, and what was left out, is said."""
    named = {}
    for name, tensor in tensors.items():
        short = unwrapped(name)
        if short in named:
            sys.exit(f"{where}: {name} and another tensor would both be called {short}; it holds two networks, so choose one with --key")
        named[short] = tensor
    wrappers = {part for name in tensors for part in name.split(".")[:-1] if part in WRAPPERS}
    if wrappers:
        say(f"took off {listed(f'{part}.' for part in wrappers)}")
    counters = {name for name in named if name.rpartition(".")[2] in COUNTERS}
    odd = counters - {name for name in counters if name.endswith("num_batches_tracked")}
    others = {name for name, value in named.items() if not is_tensor(value)} - counters
    beside = {name for name in named if BESIDE.match(name.partition(".")[0])} - counters
    if odd | others | beside:
        say(f"left out, as no weights of a network: {listed(odd | others | beside)}")
    named = {name: value for name, value in named.items() if name not in counters | others | beside}
    if not named:
        sys.exit(f"{where}: holds no weights")
    prefix, found = shared_prefix(named), []
    if not prefix and not whole(named):
        found = networks_in(named)
        live = [prefix for prefix in found if not averaged(prefix)] or found
        if len(live) > 1:
            sys.exit(f"{where}: holds more than one network, under {listed(live)}; choose one with --key {live[0].rstrip('.')}")
        prefix = live[0] if live else ""
        for other in set(found) - {prefix}:
            say(f"left the network under {other}; --key {other.rstrip('.')} takes it")
    if prefix:
        rest = {name for name in named if not name.startswith((prefix, *found))}
        say(f"took off {prefix}")
        if rest:
            say(f"left out, as beside the network: {listed(rest)}")
        named = {name[len(prefix) :]: value for name, value in named.items() if name.startswith(prefix)}
    elif not whole(named):
        firsts = {name.partition(".")[0] for name in named}
        say(f"kept all names, which begin with {listed(firsts, 8)}: no prefix is shared by a whole network of a family")
    renamed = {}
    for name, tensor in named.items():
        old = OLD_DENSENET.match(name)
        name = f"{old[1]}{old[2]}.{old[3]}" if old else name
        if name in renamed:
            sys.exit(f"{where}: two tensors would be called {name}")
        renamed[name] = tensor
    return renamed


# Checkpoints.


def is_state_dict(value) -> bool:
    """Whether this is a mapping from names to tensors, perhaps with a few other values."""
    if not isinstance(value, dict) or not value or not all(isinstance(name, str) for name in value):
        return False
    tensors = [name for name, item in value.items() if is_tensor(item)]
    weights = [name for name in tensors if name.endswith((".weight", ".bias", ".running_mean"))]
    return bool(weights) or (len(tensors) == len(value) and any(len(item.shape) for item in value.values()))


def holders(value, path=()):
    """The places of all state dicts in a checkpoint, as keys in a row."""
    if is_state_dict(value):
        yield path
    elif isinstance(value, dict) and len(path) < 4:
        for key, item in value.items():
            if isinstance(key, str) and not TRAINING.search(key.lower()):
                yield from holders(item, (*path, key))


def at(loaded, key):
    """What lies under a key: a key, keys joined by dots, or a prefix of names."""
    if not isinstance(loaded, dict):
        return None
    if key in loaded:
        return loaded[key]
    for name, item in loaded.items():
        if isinstance(name, str) and key.startswith(f"{name}.") and (found := at(item, key[len(name) + 1 :])) is not None:
            return found
    under = {name[len(key) + 1 :]: item for name, item in loaded.items() if isinstance(name, str) and name.startswith(f"{key}.")}
    return under or None


def weights_of(loaded, key, say, where="the checkpoint"):
    """The state dict that a checkpoint holds: the one under `key`, else its plain weights. Which one is said, and what else there is."""
    keys = listed(map(str, loaded), 12) if isinstance(loaded, dict) else type(loaded).__name__
    if key is not None:
        found = at(loaded, key)
        if found is None:
            inside = [holder for holder in holders(loaded) if holder]
            found = next((under for holder in inside if (under := at(at(loaded, ".".join(holder)), key)) is not None), None)
        if found is None:
            sys.exit(f"{where}: has nothing under --key {key}; its keys are {keys}")
        say(f"took the weights under {key}")
        loaded, keys = found, f"under --key {key} " + (listed(map(str, found), 12) if isinstance(found, dict) else type(found).__name__)
    places = list(holders(loaded))
    if () in places:
        return loaded
    plain = [place for place in places if not averaged(".".join(place))]
    chosen = plain or places
    known = [place for place in chosen if place[0] in PLAIN]
    chosen = known if len(chosen) > 1 and known else chosen
    if not chosen:
        sys.exit(f"{where}: holds no state dict (a mapping from names to tensors); it has {keys}")
    dotted = [".".join(place) for place in places]
    if len(chosen) > 1:
        several = listed((".".join(place) for place in chosen), 12)
        sys.exit(f"{where}: holds more than one state dict: {several}; choose one with --key {'.'.join(chosen[0])}")
    taken = ".".join(chosen[0])
    say(f"took the weights under {taken}")
    for other in dotted:
        if other != taken:
            say(f"left the weights under {other}; --key {other} takes them")
    return at(loaded, taken)


def first_global(path):
    """The class of the object that a pickle holds, where it isn't a dict or a list. Nothing is unpickled."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            name = next((name for name in file.namelist() if name.endswith("data.pkl")), None)
            content = [file.read(name)] if name else []
    else:
        content = []
        with open(path, "rb") as file:
            try:
                for _ in range(4):  # magic number, protocol, system, object
                    start = file.tell()
                    for _ in pickletools.genops(file):
                        pass
                    end = file.tell()
                    file.seek(start)
                    content = [file.read(end - start)]
            except ValueError:
                pass  # a single pickle, or an end that is missing
    try:
        for stream in content:
            for code, argument, _ in pickletools.genops(stream):
                if code.name == "GLOBAL":
                    return argument.replace(" ", ".")
                # The older format wraps a module in a tuple: its class comes third.
                if code.name not in ("PROTO", "FRAME", "MARK", "BINUNICODE", "BINPUT"):
                    return None
    except ValueError:
        pass
    return None


def refusal(path, error) -> str:
    """Why PyTorch won't read a file, and what to do."""
    with open(path, "rb") as file:
        head = file.read(256)
    if not head:
        return "is empty"
    if head.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the file itself; run git lfs pull"
    if head.lstrip()[:1] == b"<":
        return "can't be read: it is a web page, not a checkpoint; download it again"
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")):
        return "can't be read: it is compressed; unpack it first"
    if head.startswith(b"\x89HDF"):
        return "can't be read: it is an HDF5 file (Keras?), not a checkpoint of PyTorch"
    if not head.startswith((b"PK", b"\x80")):
        return f"isn't a PyTorch checkpoint, neither in torch.save's format nor safetensors (it begins with {head[:8]!r})"
    reason = plain_text(error)
    unsafe = re.search(r"Unsupported (?:global|class|operand)[^\n]*?(?:GLOBAL )?([\w.]+\.[\w.]+)", str(error))
    if unsafe or "eights only load failed" in str(error):
        inside = unsafe[1] if unsafe else "what may run code"
        whole_object = first_global(path)
        what = f"is a whole pickled object ({whole_object}), not a state dict" if whole_object and "OrderedDict" not in whole_object else f"holds {inside} beside its weights"
        get = ".state_dict()" if whole_object and "OrderedDict" not in whole_object else '["state_dict"]'
        code = f'c = torch.load("{path.name}", map_location="cpu", weights_only=False); torch.save(c{get}, "weights.pth")'
        return f"{what}, and unpickling that may run code. Where you trust it and have its classes, run in Python: import torch; {code} and convert weights.pth"
    if head.startswith(b"PK") and not zipfile.is_zipfile(path):
        return "can't be read as a PyTorch checkpoint: the archive's end is missing; is it complete?"
    if isinstance(error, EOFError) or "unexpected EOF" in reason or "storage has wrong byte size" in reason:
        return "can't be read as a PyTorch checkpoint: it ends too early; is it complete?"
    return f"can't be read as a PyTorch checkpoint ({reason})"


def harmless():
    """What training scripts put beside weights, and that does nothing but hold values: arguments, paths, NumPy's numbers."""
    classes = [argparse.Namespace, types.SimpleNamespace, pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath]
    try:
        import numpy
    except ImportError:
        return classes
    scalar = numpy.float64(0).__reduce__()[0]
    classes += [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")] + [numpy.dtype]
    return classes + sorted({type(numpy.dtype(kind)) for kind in "?bhilBHILefd"}, key=str)


def load(path: pathlib.Path):
    """What a file holds, and a safetensors file's metadata."""
    import torch

    if not path.is_file():
        sys.exit(f"{path}: there is no such file")
    with open(path, "rb") as file:
        head = file.read(9)
    if path.suffix == ".safetensors" or (len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size):
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), "pt") as file:
                return {name: file.get_tensor(name).clone() for name in file.keys()}, dict(file.metadata() or {})
        except (SafetensorError, OSError) as error:
            sys.exit(f"{path}: can't be read as safetensors ({plain_text(error)})")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
        if any("/code/" in name for name in names) and any(name.endswith("constants.pkl") for name in names):
            sys.exit(f"{path}: is TorchScript, which needs no conversion: name it in a config with torchscript = \"{path.name}\"")
        if not any(name.endswith("data.pkl") for name in names):
            sys.exit(f"{path}: is an archive, but not one of torch.save ({listed(names)})")
    try:
        # weights_only: a .pth file is a pickle, and unpickling one from elsewhere would run what is
        # in it.
        with torch.serialization.safe_globals(harmless()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True), {}
    except Exception as error:  # whatever is wrong with a file from elsewhere, it is that file's fault
        sys.exit(f"{path}: {refusal(path, error)}")


def state_dict(path: pathlib.Path, key=None, say=print):
    """A file's tensors by name, and its metadata where it is safetensors."""
    loaded, metadata = load(path)
    return weights_of(loaded, key, say, path), metadata
