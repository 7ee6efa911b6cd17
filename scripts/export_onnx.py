#!/usr/bin/env python3
"""Exports a classifier from PyTorch to ONNX, with the names of its layers, for `onnx = "…"` in a config.

    pip install torch onnx onnxscript               # and torchvision or timm, for their networks
    python3 scripts/export_onnx.py torchvision mobilenet_v2 --out data/weights/mobilenet_v2.onnx
    python3 scripts/export_onnx.py timm convnext_tiny.fb_in1k --out data/weights/convnext_tiny.onnx
    python3 scripts/export_onnx.py my_package.my_module:make_network --out data/weights/mine.onnx --mean 0.5 0.5 0.5 --std 0.5 0.5 0.5

`torchvision` and `timm` take a name of their own, with pretrained weights unless --weights or --random-weights says otherwise. `module:function` calls a
function without arguments that returns a torch.nn.Module; the current folder is on its path. --weights loads a state dict into the network.

Batch, height and width of the input stay free where the network allows it, which UCAG needs: its views are larger than the image. Where PyTorch can't trace
the network that way, only the batch does, and this says so. Batch normalization is kept, so that its layers can be looked at.

The file's metadata says input_size, mean, std and class_names. Before the file is kept, its logits are compared with PyTorch's.
"""

import argparse
import difflib
import importlib
import os
import pathlib
import sys
import tempfile

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# Largest difference of logits, of the largest logit.
TOLERANCE = 1e-3
OPSET = 20


def needed(name: str):
    """A package, or the command that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        sys.exit(f"{name} is needed ({error}): pip install {name}")


def nearest(name: str, known) -> str:
    close = difflib.get_close_matches(name, known, 3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def from_torchvision(name: str, pretrained: bool):
    """A network of torchvision's, and what its weights say of the input."""
    models = needed("torchvision").models
    known = models.list_models(module=models)
    if name not in known:
        sys.exit(f"torchvision has no classifier {name}{nearest(name, known)}")
    arguments = {"init_weights": True} if name in ("googlenet", "inception_v3") and not pretrained else {}
    weights = models.get_model_weights(name).DEFAULT
    try:
        weights = models.get_model_weights(name).IMAGENET1K_V1
    except AttributeError:
        pass
    network = models.get_model(name, weights=weights if pretrained else None, **arguments)
    transform = weights.transforms()
    facts = {"mean": transform.mean, "std": transform.std, "input_size": transform.crop_size[0]}
    if pretrained:
        facts["class_names"] = weights.meta["categories"]
        facts["source"] = f"torchvision {name}, {weights}"
    return network, facts


def from_timm(name: str, pretrained: bool):
    """A network of timm's, and what its configuration says of the input."""
    timm = needed("timm")
    known = timm.list_models()
    if name.split(".")[0] not in known:
        sys.exit(f"timm has no network {name}{nearest(name, known)}")
    network = timm.create_model(name, pretrained=pretrained)
    config = timm.data.resolve_model_data_config(network)
    facts = {"mean": config["mean"], "std": config["std"], "input_size": config["input_size"][-1]}
    if pretrained:
        facts["source"] = f"timm {name}"
    return network, facts


def from_function(path: str):
    """The network that a function returns."""
    module, _, function = path.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        make = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        sys.exit(f"{path}: can't be had ({error})")
    network = make()
    if not isinstance(network, needed("torch").nn.Module):
        sys.exit(f"{path}: returns {type(network).__name__}, expected a torch.nn.Module")
    return network, {}


def load(network, path: pathlib.Path) -> None:
    """Loads a state dict, which must be the network's."""
    from checkpoints import state_dict, unwrapped

    tensors = {unwrapped(name): tensor for name, tensor in state_dict(path)[0].items()}
    own = network.state_dict()
    missing = [name for name in own if name not in tensors and not name.endswith("num_batches_tracked")]
    extra = [name for name in tensors if name not in own]
    if missing or extra:
        sys.exit(f"{path}: isn't of this network: {len(missing)} tensors are missing ({', '.join(missing[:3])}), {len(extra)} have no place ({', '.join(extra[:3])})")
    network.load_state_dict(tensors, strict=False)


def randomize(network, seed: int) -> None:
    """Random weights of a size that keeps activations in range; batch normalization isn't the identity."""
    torch = needed("torch")
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.Linear) and not bool(module.weight.any()):
            torch.nn.init.normal_(module.weight, 0, 0.02)
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.running_var is not None:
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.8, 1.2)
            if module.weight is not None:
                torch.nn.init.uniform_(module.weight, 0.8, 1.2)
                torch.nn.init.normal_(module.bias, 0, 0.1)


def export(network, side: int, path: pathlib.Path, fixed: bool) -> bool:
    """Writes the file. Returns whether the sides of its input are free."""
    torch = needed("torch")
    needed("onnxscript")
    images = torch.randn(2, 3, side, side)
    batch = torch.export.Dim.DYNAMIC
    for free in [False] if fixed else [True, False]:
        shapes = {0: batch, 2: batch, 3: batch} if free else {0: batch}
        try:
            # Sides that differ, so that they aren't taken for one.
            example = torch.randn(2, 3, side, side + 32) if free else images
            torch.onnx.export(
                network, (example,), str(path), dynamo=True, opset_version=OPSET, optimize=False, dynamic_shapes=(shapes,), external_data=False, verbose=False
            )
            if free and not sides_are_free(path):
                raise ValueError("the tracer made them constants")
            if free and not (difference := largest_difference(network, path, [(3, 3, side + 64, side + 32)])) <= TOLERANCE:
                raise ValueError(f"for another size than the traced one, logits differ by {difference:.1e}")
            return free
        except Exception as error:  # The exporter raises anything.
            if not free:
                sys.exit(f"can't be exported: {brief(error)}")
            print(f"sides of the input can't stay free ({brief(error)})")
    raise AssertionError


def brief(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"


def sides_are_free(path: pathlib.Path) -> bool:
    dims = needed("onnx").load(str(path), load_external_data=False).graph.input[0].type.tensor_type.shape.dim
    return not dims[2].dim_value and not dims[3].dim_value


def annotate(path: pathlib.Path, facts: dict, has_norms: bool) -> None:
    """Writes the metadata, and checks that batch normalization was kept."""
    onnx = needed("onnx")
    model = onnx.load(str(path))
    if has_norms and not any(node.op_type == "BatchNormalization" for node in model.graph.node):
        sys.exit("the exporter has left no batch normalization; use another version of PyTorch (2.11 is known to do)")
    for key, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model, full_check=False)
    onnx.save(model, str(path))


def largest_difference(network, path: pathlib.Path, sizes) -> float:
    """The largest difference between the file's logits and PyTorch's, of the largest logit."""
    torch = needed("torch")
    try:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(str(path))
    name = needed("onnx").load(str(path), load_external_data=False).graph.input[0].name
    worst = 0.0
    for size in sizes:
        images = torch.randn(*size)
        with torch.no_grad():
            expected = network(images)
        found = torch.from_numpy(session.run(None, {name: images.numpy()})[0])
        if found.shape != expected.shape:
            sys.exit(f"the file gives logits of shape {tuple(found.shape)} for {size}, and PyTorch {tuple(expected.shape)}")
        if not bool(expected.abs().max() > 0):
            sys.exit("PyTorch's logits are all zero or aren't numbers; load trained weights")
        difference = float((found - expected).abs().max() / expected.abs().max())
        worst = difference if difference != difference else max(worst, difference)
    return worst


def numbers(values) -> str:
    return ",".join(f"{value:.10g}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="torchvision, timm, or module:function")
    parser.add_argument("name", nargs="?", help="the network's name, with torchvision and timm")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="the file to write, .onnx")
    parser.add_argument("--weights", type=pathlib.Path, help="a checkpoint of the network's state dict")
    parser.add_argument("--random-weights", action="store_true", help="no pretrained weights, for tests")
    parser.add_argument("--seed", type=int, default=0, help="of random weights")
    parser.add_argument("--input-size", type=int, help="side of the input in pixels")
    parser.add_argument("--mean", nargs=3, type=float, help="subtracted from red, green and blue in [0, 1]")
    parser.add_argument("--std", nargs=3, type=float, help="what they are divided by then")
    parser.add_argument("--classes", type=pathlib.Path, help="names of the classes, one a line")
    parser.add_argument("--fixed-size", action="store_true", help="fix height and width of the input")
    arguments = parser.parse_args()
    torch = needed("torch")
    needed("onnx")
    torch.manual_seed(arguments.seed)
    pretrained = not (arguments.random_weights or arguments.weights)
    named = {"torchvision": from_torchvision, "timm": from_timm}.get(arguments.source)
    if named and not arguments.name:
        parser.error(f"{arguments.source} needs a network's name")
    if not named and ":" not in arguments.source:
        parser.error("expected torchvision NAME, timm NAME or module:function")
    network, facts = named(arguments.name, pretrained) if named else from_function(arguments.source)
    if arguments.weights:
        load(network, arguments.weights)
    if arguments.random_weights:
        randomize(network, arguments.seed)
    network = network.eval()
    if arguments.mean and arguments.std:
        facts["mean"], facts["std"] = arguments.mean, arguments.std
    elif "mean" not in facts:
        print("nothing says mean and std: the file says ImageNet's; --mean and --std say others")
        facts["mean"], facts["std"] = IMAGENET
    side = arguments.input_size or facts.get("input_size") or 224
    if not arguments.input_size and "input_size" not in facts:
        print(f"nothing says the input's size: the file says {side}; --input-size says another")
    names = arguments.classes.read_text().split("\n") if arguments.classes else facts.get("class_names")
    metadata = {"input_size": str(side), "mean": numbers(facts["mean"]), "std": numbers(facts["std"])}
    if names:
        metadata["class_names"] = "\n".join(name for name in names if name)
    if "source" in facts:
        metadata["source"] = facts["source"]
    has_norms = any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.out.parent) as folder:
        path = pathlib.Path(folder) / "network.onnx"
        free = export(network, side, path, arguments.fixed_size)
        annotate(path, metadata, has_norms)
        sizes = [(2, 3, side, side), (3, 3, side, side)] + ([(3, 3, side + 64, side + 32)] if free else [])
        difference = largest_difference(network, path, sizes)
        sides = "height and width free" if free else f"fixed at {side} × {side}"
        parameters = sum(parameter.numel() for parameter in network.parameters())
        print(f"{arguments.name or arguments.source}: {parameters:,} parameters, batch free, {sides}")
        print(f"logits differ from PyTorch's by {difference:.1e} of the largest, on {len(sizes)} batches")
        if not difference <= TOLERANCE:
            sys.exit(f"that is more than {TOLERANCE}: the file isn't kept")
        path.replace(arguments.out)
    print(f"wrote {arguments.out} ({arguments.out.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
