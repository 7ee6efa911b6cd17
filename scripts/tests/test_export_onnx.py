"""Checks export_onnx.py on a small network, where PyTorch and its exporter are installed.

    python3 scripts/tests/test_export_onnx.py
"""

import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import onnx
    import onnxscript  # noqa: F401
    import torch  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

SCRIPT = pathlib.Path(__file__).parents[1] / "export_onnx.py"
NETWORK = """
import torch

def make():
    torch.manual_seed(1)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, padding=1, bias=False), torch.nn.BatchNorm2d(4), torch.nn.SiLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 5))

def number():
    return 3
"""


def export(folder, *arguments):
    command = [sys.executable, "-B", str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def a_network_is_exported_with_its_facts(folder):
    done = export(folder, "small:make", "--out", "small.onnx", "--input-size", "32", "--mean", "0.5", "0.5", "0.5", "--std", "0.25", "0.25", "0.25")
    assert done.returncode == 0, done.stdout + done.stderr
    model = onnx.load(folder / "small.onnx")
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert facts == {"input_size": "32", "mean": "0.5,0.5,0.5", "std": "0.25,0.25,0.25"}, facts
    assert any(node.op_type == "BatchNormalization" for node in model.graph.node)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [0, 3, 0, 0], dims


def what_is_no_network_is_refused(folder):
    for arguments, words in [
        (["small:number"], "expected a torch.nn.Module"),
        (["small:absent"], "can't be had"),
        (["small"], "expected torchvision NAME, timm NAME or module:function"),
    ]:
        done = export(folder, *arguments, "--out", "x.onnx")
        assert done.returncode != 0 and words in done.stderr, done.stderr
        assert not (folder / "x.onnx").exists()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        (pathlib.Path(name) / "small.py").write_text(NETWORK)
        for check in (a_network_is_exported_with_its_facts, what_is_no_network_is_refused):
            check(pathlib.Path(name))
            print(f"{check.__name__}: ok")
