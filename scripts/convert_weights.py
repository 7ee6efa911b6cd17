"""Turns PyTorch weights into the safetensors files that this project reads, and prints their SHA-256.

    pip install torch torchvision safetensors      # wherever you have PyTorch; this project itself doesn't need it
    python3 scripts/convert_weights.py torchvision resnet50 densenet121 inception_v3     # downloads, into data/weights/
    python3 scripts/convert_weights.py file resnet50.pth data/weights/resnet50.safetensors
    python3 scripts/convert_weights.py torchray vgg16_voc-b050e8c3.pth.tar data/weights/vgg16_voc07.safetensors

`torchvision` fetches the IMAGENET1K_V1 weights, which the published numbers are made with (V2 weights score differently).
`file` takes a state dict, a checkpoint that holds one under any key, or a safetensors file. What it takes, and what it leaves out, it says: plain weights
rather than averaged ones (EMA), unless --key names them; a prefix that the names share (`module.`, `_orig_mod.`, `model.`, any other) comes off; DenseNet's
old names (`norm.1`) are brought up to date. What a checkpoint doesn't say of its network (stem, mean and std, input size, Inception's transform_input),
options state.
`torchray` takes the VGG-16 and ResNet-50 that TorchRay fine-tuned on VOC and COCO. They come from Caffe: names differ, colours are in the order blue,
green, red, and so do normalisation and pooling, which the file then says.
"""

import argparse
import hashlib
import os
import pathlib
import re
import sys

from checkpoints import cleaned, state_dict

# VGG's fully connected layers, which are numbered without the dropout layers between them.
TORCHRAY_VGG = {"classifier.2": "classifier.3", "classifier.4": "classifier.6"}


def from_torchray(path: pathlib.Path):
    """torchvision's names and colour order for a checkpoint of TorchRay's, and what the file must say of it."""
    tensors, _ = state_dict(path)
    vgg = any(name.startswith("features.") for name in tensors)
    converted = {}
    for name, tensor in tensors.items():
        if vgg:
            layer, _, part = name.rpartition(".")
            name = f"{TORCHRAY_VGG.get(layer, layer)}.{part}"
            if name.startswith("classifier.") and part == "weight":
                tensor = tensor.reshape(tensor.shape[0], -1)
        else:
            # Batch norm is two layers in Caffe: `bn1.0.running_mean` and `bn1.1.weight` belong to
            # one `bn1`.
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


def single(name: str, tensor, where):
    """A tensor of its own memory in single precision."""
    import torch

    problem = None
    if getattr(tensor, "is_meta", False):
        problem = "has no values (it is on the meta device)"
    elif getattr(tensor, "is_quantized", False):
        problem = f"is quantized ({tensor.dtype}); convert the network from before its quantization"
    elif tensor.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        problem = f"is {str(tensor.dtype).removeprefix('torch.')}; weights are float16, bfloat16, float32 or float64"
    if problem:
        sys.exit(f"{where}: {name} {problem}")
    dense = tensor.detach().to_dense() if tensor.layout != torch.strided else tensor.detach()
    # Tied weights share their memory, which a safetensors file can't.
    return dense.to(torch.float32).contiguous().clone()


def save(tensors, out: pathlib.Path, metadata, where) -> None:
    from safetensors.torch import save_file

    wanted = {name: single(name, tensor, where) for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.name}.partial")
    try:
        save_file(wanted, str(partial), metadata=metadata)
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    print(f"{out}  {len(wanted)} tensors  sha256 {digest}")


# What is stated of a network.

DECIMAL = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
LARGEST_INPUT = 1 << 14

def colours(text: str, low: float, high: float) -> str:
    """One or three decimals, as they were given."""
    numbers = [number.strip() for number in text.split(",")]
    if len(numbers) not in (1, 3) or not all(DECIMAL.match(number) for number in numbers):
        raise argparse.ArgumentTypeError(f"'{text}': expected three decimals for red, green and blue, such as 0.5,0.5,0.5, or one for grey")
    if not all(low <= float(number) <= high and (low == 0.0 or float(number) > 0.0) for number in numbers):
        raise argparse.ArgumentTypeError(f"'{text}': pixels are in [0, 1], so this is from {low:g} to {high:g}; divide numbers for 0 to 255 by 255")
    return ",".join(numbers)


def mean(text: str) -> str:
    return colours(text, 0.0, 1.0)


def deviation(text: str) -> str:
    return colours(text, 1e-6, 1.0)


def side(text: str) -> str:
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_INPUT:
        raise argparse.ArgumentTypeError(f"'{text}': expected pixels from 1 to {LARGEST_INPUT}")
    return str(int(text))


STATED = ("input_size", "stem", "mean", "std", "transform_input")


def metadata_of(arguments, tensors, kept, say):
    """What the file says of its network: what a safetensors source said, and what the options state."""
    where = arguments.source
    metadata = {key: value for key, value in kept.items() if key != "format"} | {"source": where.name}
    stated = {key: value for key in STATED if (value := getattr(arguments, key)) is not None}
    inception, residual = "Conv2d_1a_3x3.conv.weight" in tensors, {"conv1.weight", "features.conv0.weight"} & set(tensors)
    if "transform_input" in stated and not inception:
        sys.exit(f"{where}: is no Inception v3 (no Conv2d_1a_3x3.conv.weight), and --transform-input is Inception's only")
    if "stem" in stated and not residual:
        sys.exit(f"{where}: has neither conv1.weight nor features.conv0.weight, and --stem is for ResNets and DenseNets")
    if ("mean" in stated) != ("std" in stated):
        sys.exit("--mean and --std: state both, or neither")
    if "mean" in stated and len(stated["mean"].split(",")) != len(stated["std"].split(",")):
        sys.exit("--mean and --std: expected as many numbers in one as in the other")
    if "mean" in stated and metadata.pop("preprocessing", "imagenet") != "imagenet":
        sys.exit(f"{where}: says preprocessing = caffe, which is a mean and std of its own; leave out --mean and --std")
    metadata |= stated
    if inception and "transform_input" not in metadata and "fc.weight" in tensors:
        classes = tensors["fc.weight"].shape[0]
        say(
            f"the checkpoint doesn't say if the network re-normalises its input (transform_input). The program takes it for {str(classes == 1000).lower()}, as it has {classes} classes "
            "(true for 1000, as torchvision's pretrained one has; else false). --transform-input true|false states it"
        )
    for stem in residual:
        if "stem" not in metadata and tuple(tensors[stem].shape[2:]) == (3, 3):
            say(f"{stem} is 3 × 3, and the checkpoint doesn't say its stride. --stem cifar (stride 1), cifar-pool (stride 1, max pool) or imagenet (stride 2, max pool) states it, and --input-size its input")
    return metadata


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    fetch = commands.add_parser("torchvision", help="torchvision's pretrained weights, by name")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="for instance resnet50, densenet121, inception_v3, vgg16")
    fetch.add_argument("--out", type=pathlib.Path, default=pathlib.Path("data/weights"), help="folder (default: data/weights)")
    convert = commands.add_parser("file", help="a .pth file of your own")
    convert.add_argument("source", type=pathlib.Path)
    convert.add_argument("out", type=pathlib.Path)
    convert.add_argument("--key", metavar="NAME", help="where in the checkpoint the weights are, for instance model_ema; a.b for b in a")
    convert.add_argument("--input-size", type=side, metavar="PIXELS", help="side that the network was trained at, if not its family's")
    convert.add_argument(
        "--stem",
        choices=["cifar", "cifar-pool", "imagenet"],
        help="ResNet and DenseNet: stride 1; stride 1 and max pool; stride 2 and max pool, as torchvision's",
    )
    convert.add_argument("--mean", type=mean, metavar="R,G,B", help="what is subtracted from pixels in [0, 1], for instance 0.5,0.5,0.5 (default: ImageNet's)")
    convert.add_argument("--std", type=deviation, metavar="R,G,B", help="what the rest is divided by, for instance 0.5,0.5,0.5 (default: ImageNet's)")
    convert.add_argument(
        "--transform-input",
        choices=["true", "false"],
        help="Inception only: whether the network re-normalises its input, as torchvision's pretrained one does; alone: true",
    )
    torchray = commands.add_parser("torchray", help="a checkpoint of TorchRay's, for the pointing games")
    torchray.add_argument("source", type=pathlib.Path)
    torchray.add_argument("out", type=pathlib.Path)
    return parser


def spelt_out(argv):
    """The arguments with the value of a bare --transform-input."""
    value = lambda place: argv[place + 1 : place + 2]  # noqa: E731
    bare = lambda place: argv[place] == "--transform-input" and value(place) not in (["true"], ["false"])  # noqa: E731
    return ["--transform-input=true" if bare(place) else argument for place, argument in enumerate(argv)]


def main() -> None:
    arguments = parser().parse_args(spelt_out(sys.argv[1:]))
    if arguments.command == "torchray":
        tensors, metadata = from_torchray(arguments.source)
        save(tensors, arguments.out, metadata, arguments.source)
        return
    if arguments.command == "torchvision":
        import torchvision

        for name in arguments.names:
            model = torchvision.models.get_model(name, weights="IMAGENET1K_V1")
            metadata = {"source": f"torchvision {name} IMAGENET1K_V1"}
            if hasattr(model, "transform_input"):
                metadata["transform_input"] = "true" if model.transform_input else "false"
            save(model.state_dict(), arguments.out / f"{name}.safetensors", metadata, name)
        return

    def say(text):
        print(f"{arguments.source}: {text}")

    tensors, kept = state_dict(arguments.source, arguments.key, say)
    tensors = cleaned(tensors, say, arguments.source)
    save(tensors, arguments.out, metadata_of(arguments, tensors, kept, say), arguments.source)


if __name__ == "__main__":
    main()
