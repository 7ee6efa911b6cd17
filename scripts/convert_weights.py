"""Turns PyTorch weights into the safetensors files that this project reads, and prints their SHA-256.

    pip install torch torchvision safetensors      # wherever you have PyTorch; this project itself doesn't need it
    python3 scripts/convert_weights.py torchvision resnet50 densenet121 inception_v3     # downloads, into data/weights/
    python3 scripts/convert_weights.py file resnet50.pth data/weights/resnet50.safetensors
    python3 scripts/convert_weights.py torchray vgg16_voc-b050e8c3.pth.tar data/weights/vgg16_voc07.safetensors

`torchvision` fetches the IMAGENET1K_V1 weights, which the published numbers are made with (V2 weights score differently).
`file` takes any state dict, or a checkpoint that holds one under `state_dict` or `model`; names may begin with `module.`
(DataParallel), and DenseNet's old names (`norm.1`) are brought up to date.
`torchray` takes the VGG-16 and ResNet-50 that TorchRay fine-tuned on VOC and COCO. They come from Caffe: names differ, colours are in the order blue,
green, red, and so do normalisation and pooling, which the file then says.
"""

import argparse
import hashlib
import pathlib
import pickle
import re
import sys

# Old DenseNet checkpoints number the parts of a layer with a dot, which a module's name can't have.
OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12])\.(.*)$")


def rename(name: str) -> str:
    name = re.sub(r"^module\.", "", name)
    old = OLD_DENSENET.match(name)
    return f"{old[1]}{old[2]}.{old[3]}" if old else name


def state_dict(path: pathlib.Path):
    import torch

    if not path.is_file():
        sys.exit(f"{path}: there is no such file")
    try:
        # weights_only: a .pth file is a pickle, and unpickling one from elsewhere would run what is in it.
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        sys.exit(f"{path}: can't be read as a PyTorch checkpoint; is it complete? ({reason})")
    for key in ("state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not all(hasattr(value, "shape") for value in loaded.values()):
        sys.exit(f"{path}: holds no state dict (a mapping from names to tensors)")
    return loaded


# VGG's fully connected layers, which are numbered without the dropout layers between them.
TORCHRAY_VGG = {"classifier.2": "classifier.3", "classifier.4": "classifier.6"}


def from_torchray(path: pathlib.Path):
    """torchvision's names and colour order for a checkpoint of TorchRay's, and what the file must say of it."""
    tensors = state_dict(path)
    vgg = any(name.startswith("features.") for name in tensors)
    converted = {}
    for name, tensor in tensors.items():
        if vgg:
            layer, _, part = name.rpartition(".")
            name = f"{TORCHRAY_VGG.get(layer, layer)}.{part}"
            if name.startswith("classifier.") and part == "weight":
                tensor = tensor.reshape(tensor.shape[0], -1)
        else:
            # Batch norm is two layers in Caffe: `bn1.0.running_mean` and `bn1.1.weight` belong to one `bn1`.
            name = re.sub(r"(bn\d|downsample\.\d)\.[01]\.", r"\1.", name)
        if name in converted:
            sys.exit(f"{path}: two tensors would be called {name}; is it a checkpoint of TorchRay's?")
        converted[name] = tensor
    # What torchvision's own checkpoints lack: turning round their colours would go unnoticed.
    telling = "classifier.4.weight" if vgg else "conv1.bias"
    if telling not in tensors:
        sys.exit(f"{path}: is neither a VGG-16 nor a ResNet-50 of TorchRay's (there is no {telling})")
    stem = "features.0.weight" if vgg else "conv1.weight"
    if stem not in converted:
        sys.exit(f"{path}: has no {stem}")
    converted[stem] = converted[stem][:, [2, 1, 0]]
    return converted, {"source": path.name, "preprocessing": "caffe", "max_pool": "ceil"}


def save(tensors, out: pathlib.Path, metadata) -> None:
    import torch
    from safetensors.torch import save_file

    wanted = {
        rename(name): tensor.detach().to(torch.float32).contiguous()
        for name, tensor in tensors.items()
        if not name.endswith("num_batches_tracked")
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(wanted, str(out), metadata=metadata)
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    print(f"{out}  {len(wanted)} tensors  sha256 {digest}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    fetch = commands.add_parser("torchvision", help="torchvision's pretrained weights, by name")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="for instance resnet50, densenet121, inception_v3, vgg16")
    fetch.add_argument("--out", type=pathlib.Path, default=pathlib.Path("data/weights"), help="folder (default: data/weights)")
    convert = commands.add_parser("file", help="a .pth file of your own")
    convert.add_argument("source", type=pathlib.Path)
    convert.add_argument("out", type=pathlib.Path)
    convert.add_argument("--input-size", type=int, help="side in pixels that the network was trained at, if not its family's")
    convert.add_argument(
        "--transform-input", action="store_true", help="Inception only: the network re-normalises its input, as torchvision's pretrained one does"
    )
    torchray = commands.add_parser("torchray", help="a checkpoint of TorchRay's, for the pointing games")
    torchray.add_argument("source", type=pathlib.Path)
    torchray.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.command == "torchray":
        tensors, metadata = from_torchray(arguments.source)
        save(tensors, arguments.out, metadata)
        return
    if arguments.command == "torchvision":
        import torchvision

        for name in arguments.names:
            model = torchvision.models.get_model(name, weights="IMAGENET1K_V1")
            metadata = {"source": f"torchvision {name} IMAGENET1K_V1"}
            if hasattr(model, "transform_input"):
                metadata["transform_input"] = "true" if model.transform_input else "false"
            save(model.state_dict(), arguments.out / f"{name}.safetensors", metadata)
        return
    metadata = {"source": arguments.source.name}
    if arguments.input_size:
        metadata["input_size"] = str(arguments.input_size)
    tensors = state_dict(arguments.source)
    if any(name.endswith("Mixed_7c.branch1x1.conv.weight") for name in tensors):
        metadata["transform_input"] = "true" if arguments.transform_input else "false"
    save(tensors, arguments.out, metadata)


if __name__ == "__main__":
    main()
