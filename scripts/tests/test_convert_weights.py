"""Checks the conversion of small checkpoints, TorchRay's among them, where PyTorch and safetensors are installed; elsewhere it says that it is skipped.

    python3 scripts/tests/test_convert_weights.py
"""

import argparse
import contextlib
import io
import pathlib
import sys
import tempfile

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file
except ImportError as error:
    print(f"skipped, as there is no PyTorch or no safetensors ({error})")
    sys.exit(0)

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import convert_weights  # noqa: E402


def script(*arguments):
    """The script's exit status, and what it said."""
    said, status = io.StringIO(), 0
    sys.argv = ["convert_weights.py", *map(str, arguments)]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            convert_weights.main()
        except SystemExit as stop:
            status = 1
            print(stop)
    return status, said.getvalue()


def numbers(*shape):
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).view(shape)


def convert(folder, tensors):
    """The script's exit status, what it said, and what it wrote."""
    source, out = folder / "made.pth.tar", folder / "made.safetensors"
    out.unlink(missing_ok=True)
    # The published files are older than torch's present format.
    torch.save(tensors, source, _use_new_zipfile_serialization=False)
    return *script("torchray", source, out), out


def check_vgg(folder):
    made = {"features.0.weight": numbers(4, 3, 3, 3), "features.0.bias": numbers(4), "features.2.weight": numbers(4, 4, 3, 3)}
    made |= {"classifier.0.weight": numbers(5, 4, 7, 7), "classifier.0.bias": numbers(5)}
    made |= {"classifier.2.weight": numbers(5, 5, 1, 1), "classifier.4.weight": numbers(2, 5) + 0.5, "classifier.4.bias": numbers(2)}
    status, said, out = convert(folder, made)
    assert status == 0, said
    got = load_file(out)
    assert sorted(got) == [
        "classifier.0.bias",
        "classifier.0.weight",
        "classifier.3.weight",
        "classifier.6.bias",
        "classifier.6.weight",
        "features.0.bias",
        "features.0.weight",
        "features.2.weight",
    ]
    for rgb, bgr in enumerate([2, 1, 0]):
        assert torch.equal(got["features.0.weight"][:, rgb], made["features.0.weight"][:, bgr])
    assert torch.equal(got["features.2.weight"], made["features.2.weight"])
    assert got["classifier.0.weight"].shape == (5, 4 * 7 * 7) and got["classifier.3.weight"].shape == (5, 5)
    # Channel, then row, then column: as flattening has them.
    assert got["classifier.0.weight"][2, 3 * 49 + 6 * 7 + 1] == made["classifier.0.weight"][2, 3, 6, 1]
    assert torch.equal(got["classifier.6.weight"], made["classifier.4.weight"])
    with safe_open(out, "pt") as file:
        assert file.metadata() == {"source": "made.pth.tar", "preprocessing": "caffe", "max_pool": "ceil"}


def check_resnet(folder):
    made = {"conv1.weight": numbers(4, 3, 7, 7), "conv1.bias": numbers(4), "fc.weight": numbers(2, 8), "layer1.0.conv1.weight": numbers(4, 4, 1, 1)}
    made["layer1.0.downsample.0.weight"] = numbers(8, 4, 1, 1)
    norms = ["bn1", "layer1.0.bn1", "layer1.0.bn3", "layer1.0.downsample.1"]
    for shift, norm in enumerate(norms):
        for part, index in [("running_mean", 0), ("running_var", 0), ("num_batches_tracked", 0), ("weight", 1), ("bias", 1)]:
            made[f"{norm}.{index}.{part}"] = numbers(4) + shift + len(part)
    status, said, out = convert(folder, made)
    assert status == 0, said
    got = load_file(out)
    expected = {name for name in made if name.startswith(("conv", "fc", "layer1.0.conv"))} | {"layer1.0.downsample.0.weight"}
    assert set(got) == expected | {f"{norm}.{part}" for norm in norms for part in ["running_mean", "running_var", "weight", "bias"]}
    assert torch.equal(got["layer1.0.bn3.running_var"], made["layer1.0.bn3.0.running_var"])
    assert torch.equal(got["layer1.0.downsample.1.weight"], made["layer1.0.downsample.1.1.weight"])
    for rgb, bgr in enumerate([2, 1, 0]):
        assert torch.equal(got["conv1.weight"][:, rgb], made["conv1.weight"][:, bgr])


def check_refusals(folder):
    refused = [
        ({"features.0.weight": numbers(4, 3, 3, 3), "classifier.6.weight": numbers(2, 5)}, "there is no classifier.4.weight"),
        ({"conv1.weight": numbers(4, 3, 7, 7)}, "there is no conv1.bias"),
        ({"conv1.bias": numbers(4), "bn1.0.weight": numbers(4), "bn1.1.weight": numbers(4)}, "two tensors would be called bn1.weight"),
        ([1, 2], "holds no state dict"),
    ]
    for tensors, problem in refused:
        status, said, out = convert(folder, tensors)
        assert status == 1 and problem in said, said
        assert not out.exists()
    for name, content, problem in [("none", None, "there is no such file"), ("empty", b"", "is empty"), ("text", b"<html>", "can't be read")]:
        source = folder / name
        if content is not None:
            source.write_bytes(content)
        status, said = script("torchray", source, folder / "out")
        assert status == 1 and problem in said, said


def small():
    """The names that a ResNet's tensors have, with few numbers."""
    shapes = {"conv1.weight": (4, 3, 7, 7), "bn1.weight": (4,), "bn1.running_mean": (4,), "fc.weight": (2, 4), "fc.bias": (2,)}
    return {name: numbers(*shape) / 7 for name, shape in shapes.items()}


def file(folder, made, *options, name="made.pth", how=torch.save, **settings):
    """As `convert`, for a checkpoint of any kind."""
    source, out = folder / name, folder / "made.safetensors"
    out.unlink(missing_ok=True)
    how(made, source, **settings)
    status, said = script("file", source, out, *options)
    assert "\x1b" not in said and "Warning" not in said, said
    return status, said, out


class Other(dict):
    """A class that no other program has."""


def check_files(folder):
    """Every way to keep the same weights gives the same weights."""
    state = small()
    counters = {"bn1.num_batches_tracked": torch.tensor(3)}
    beside = {"args": argparse.Namespace(lr=0.1, out=pathlib.Path("runs")), "epoch": 3, "optimizer": {"state": {0: {"exp_avg": numbers(3)}}}}
    prefixed = {f"module.{name}": tensor for name, tensor in (state | counters).items()}
    made = [
        (state, "sha256"),
        ({"model": prefixed, "model_ema": prefixed | {"n_averaged": torch.tensor(1)}} | beside, "--key model_ema takes them"),
        ({name: torch.nn.Parameter(tensor) for name, tensor in state.items()}, "sha256"),
        ({name: tensor.double() for name, tensor in state.items()}, "sha256"),
        ({name: tensor.to_sparse() for name, tensor in state.items()}, "sha256"),
        ({name: tensor.t().contiguous().t() if tensor.dim() == 2 else tensor for name, tensor in state.items()}, "sha256"),
    ]
    for settings in ({}, {"_use_new_zipfile_serialization": False}):
        for checkpoint, part in made:
            status, said, out = file(folder, checkpoint, **settings)
            assert status == 0 and part in said, said
            got = load_file(out)
            assert set(got) == set(state) and all(torch.equal(got[name], state[name]) for name in state), said
    whole = numbers(8)
    _, said, out = file(folder, state | {"bn1.weight": whole[:4], "bn1.running_mean": whole[:4], "fc.bias": whole[2:4]})
    assert torch.equal(load_file(out)["fc.bias"], whole[2:4]), said
    for kind in (torch.float16, torch.bfloat16):
        _, said, out = file(folder, {name: tensor.to(kind) for name, tensor in state.items()})
        assert torch.equal(load_file(out)["conv1.weight"], state["conv1.weight"].to(kind).float()), said
    prefixed = {f"model.{name}": tensor for name, tensor in state.items()}
    status, said, out = file(folder, prefixed, "--stem", "cifar", name="a.safetensors", how=save_file, metadata={"input_size": "32"})
    assert status == 0 and "took off model." in said, said
    with safe_open(out, "pt") as opened:
        assert opened.metadata() == {"source": "a.safetensors", "input_size": "32", "stem": "cifar"}
    # A file may take the place of its source.
    status, said = script("file", out, out, "--mean", "0.5", "--std", "0.25")
    assert status == 0, said
    with safe_open(out, "pt") as opened:
        assert opened.metadata() == {"source": "made.safetensors", "input_size": "32", "stem": "cifar", "mean": "0.5", "std": "0.25"}
    assert not list(folder.glob("*.partial"))


def check_files_that_are_none(folder):
    state = small()
    module = torch.nn.Linear(2, 2)
    cases = [
        ({"state_dict": state, "config": Other()}, "holds __main__.Other beside its weights"),
        (module, "is a whole pickled object (torch.nn.modules.linear.Linear)"),
        (state | {"fc.weight": torch.quantize_per_tensor(state["fc.weight"], 0.1, 0, torch.qint8)}, "fc.weight is quantized"),
        (state | {"fc.weight": state["fc.weight"].to(torch.complex64)}, "fc.weight is complex64"),
        (state | {"fc.weight": state["fc.weight"].to(torch.int8)}, "fc.weight is int8"),
    ]
    for settings in ({}, {"_use_new_zipfile_serialization": False}):
        for checkpoint, part in cases:
            status, said, out = file(folder, checkpoint, **settings)
            assert status == 1 and part in said and "complete" not in said and not out.exists(), said
    status, said, _ = file(folder, torch.jit.script(module), how=torch.jit.save)
    assert status == 1 and 'torchscript = "made.pth"' in said, said
    cut = lambda made, path, **settings: (torch.save(made, path, **settings), path.write_bytes(path.read_bytes()[:1500]))  # noqa: E731
    for settings in ({}, {"_use_new_zipfile_serialization": False}):
        status, said, _ = file(folder, state, how=cut, **settings)
        assert status == 1 and "is it complete?" in said, said


if __name__ == "__main__":
    for check in (check_vgg, check_resnet, check_refusals, check_files, check_files_that_are_none):
        with tempfile.TemporaryDirectory() as folder:
            check(pathlib.Path(folder))
        print(f"{check.__name__}: ok")
