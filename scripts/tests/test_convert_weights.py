"""Checks the conversion of TorchRay's checkpoints on small ones with their names, where PyTorch and safetensors are installed.

    python3 scripts/tests/test_convert_weights.py
"""

import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import load_file

SCRIPT = pathlib.Path(__file__).parents[1] / "convert_weights.py"


def numbers(*shape):
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).view(shape)


def convert(folder, tensors):
    """The script's exit status, what it said, and what it wrote."""
    source, out = folder / "made.pth.tar", folder / "made.safetensors"
    out.unlink(missing_ok=True)
    # The published files are older than torch's present format.
    torch.save(tensors, source, _use_new_zipfile_serialization=False)
    done = subprocess.run([sys.executable, SCRIPT, "torchray", source, out], capture_output=True, text=True)
    return done.returncode, done.stderr, out


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
        assert status == 1 and problem in said and "Traceback" not in said, said
        assert not out.exists()
    for name, content, problem in [("none", None, "there is no such file"), ("empty", b"", "can't be read"), ("text", b"<html>", "can't be read")]:
        source = folder / name
        if content is not None:
            source.write_bytes(content)
        done = subprocess.run([sys.executable, SCRIPT, "torchray", source, folder / "out"], capture_output=True, text=True)
        assert done.returncode == 1 and problem in done.stderr and "Traceback" not in done.stderr, done.stderr


if __name__ == "__main__":
    for check in (check_vgg, check_resnet, check_refusals):
        with tempfile.TemporaryDirectory() as folder:
            check(pathlib.Path(folder))
        print(f"{check.__name__}: ok")
