"""Checks how convert_weights.py finds a network's tensors in a checkpoint, and what it states of it: with stand-ins for tensors, without PyTorch.

    python3 scripts/tests/test_checkpoints.py
"""

import argparse
import io
import contextlib
import pathlib
import pickle
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import checkpoints  # noqa: E402
import convert_weights  # noqa: E402

RESNET = ["conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer1.0.downsample.0.weight", "fc.weight", "fc.bias"]
VGG = ["features.0.weight", "features.0.bias", "features.3.weight", "classifier.0.weight", "classifier.6.weight"]
DENSENET = ["features.conv0.weight", "features.denseblock1.denselayer1.norm1.weight", "features.norm5.bias", "classifier.weight"]
INCEPTION = ["Conv2d_1a_3x3.conv.weight", "Mixed_5b.branch1x1.conv.weight", "AuxLogits.fc.weight", "fc.weight"]
SQUEEZENET = ["features.0.weight", "features.3.squeeze.weight", "classifier.1.weight"]
FAMILIES = [RESNET, VGG, DENSENET, INCEPTION, SQUEEZENET]


class Stand:
    """What of a tensor is looked at before it is converted."""

    def __init__(self, *shape):
        self.shape, self.dtype = shape or (3, 4), "float32"


def tensors(names, prefix=""):
    return {prefix + name: Stand() for name in names}


def cleaned(made):
    said = []
    return sorted(checkpoints.cleaned(made, said.append)), said


def found(made, key=None):
    said = []
    return sorted(checkpoints.weights_of(made, key, said.append)), said


def stopped(call, *parts):
    try:
        call()
    except SystemExit as error:
        for part in parts:
            assert part in str(error), f"'{part}' in: {error}"
        return
    raise AssertionError("it was taken")


def check_prefixes():
    """Whatever all names share comes off, and is named; a family's own parts don't."""
    prefixes = ["module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.", "model.module.", "module.model._orig_mod.net.", "backbone.", "a.b.c."]
    for family in FAMILIES:
        assert cleaned(tensors(family)) == (sorted(family), [])
        for prefix in prefixes:
            names, said = cleaned(tensors(family, prefix))
            assert names == sorted(family), (prefix, names)
            text = " ".join(said)
            assert all(f"{part}." in text for part in prefix.split(".") if part), (prefix, said)
    # Inside of names: DataParallel around features, compiled layers.
    inner = {name.replace("features.", "features.module."): Stand() for name in VGG}
    assert cleaned(inner) == (sorted(VGG), ["took off module."])
    inner = {name.replace("layer1.", "layer1._orig_mod."): Stand() for name in RESNET}
    assert cleaned(inner) == (sorted(RESNET), ["took off _orig_mod."])
    # What all names share of a network without its classifier is no prefix.
    features = [name for name in VGG if name.startswith("features.")]
    names, said = cleaned(tensors(features))
    assert names == sorted(features) and "kept all names" in said[0], said
    # A wrapper that is called as a part of a family is.
    assert cleaned(tensors(RESNET, "features."))[0] == sorted(RESNET)


def check_what_is_beside():
    beside = ["criterion.weight", "train_acc.tp", "val_f1.state"]
    names, said = cleaned(tensors(RESNET, "model.") | tensors(beside))
    assert names == sorted(RESNET), names
    assert all(name in " ".join(said) for name in ["criterion.weight", "train_acc.tp", "val_f1.state", "took off model."]), said
    names, said = cleaned(tensors(RESNET, "module.") | {"n_averaged": Stand()})
    assert names == sorted(RESNET) and "n_averaged" in " ".join(said)
    names, said = cleaned(tensors(RESNET) | {"epoch": 3, "total_ops": Stand(), "bn1.num_batches_tracked": Stand()})
    assert names == sorted(RESNET) and said == ["left out, as no weights of a network: epoch, total_ops"], said
    # A second, averaged network stays behind, and is named.
    names, said = cleaned(tensors(RESNET, "model.") | tensors(RESNET, "ema_model.module."))
    assert names == sorted(RESNET) and any("--key ema_model takes it" in line for line in said), said
    stopped(lambda: cleaned(tensors(RESNET, "student.") | tensors(RESNET, "teacher.")), "student., teacher.", "--key student")
    # Names that would collide.
    stopped(lambda: cleaned(tensors(RESNET) | tensors(RESNET, "module.")), "would both be called", "--key")
    # A head elsewhere is part of the network: nothing is guessed.
    split = tensors(RESNET[:4], "encoder.") | tensors(["head.weight"])
    names, said = cleaned(split)
    assert names == sorted(split) and "begin with encoder, head" in said[0], said
    old = {"module.features.conv0.weight": Stand(), "module.features.denseblock1.denselayer1.norm.1.weight": Stand(), "module.classifier.weight": Stand()}
    assert cleaned(old)[0] == ["classifier.weight", "features.conv0.weight", "features.denseblock1.denselayer1.norm1.weight"]


def check_keys():
    """Weights are found under any key; where there are several, the plain ones, and what was left is named."""
    weights, names = tensors(RESNET), sorted(RESNET)
    assert found(weights) == (names, [])
    for key in ["state_dict", "model", "model_state_dict", "net", "network", "params", "ema", "whatever"]:
        made = {key: weights, "epoch": 3, "optimizer": {"state": {0: {"exp_avg": Stand()}}}, "args": argparse.Namespace(lr=1)}
        assert found(made) == (names, [f"took the weights under {key}"]), key
    assert found({"model": {"state_dict": weights}})[1] == ["took the weights under model.state_dict"]
    averaged = tensors(VGG)
    for plain, ema in [("model", "model_ema"), ("state_dict", "state_dict_ema"), ("params", "params_ema"), ("net", "ema"), ("x", "ema_y")]:
        got, said = found({ema: averaged, plain: weights})
        assert got == names and said[0] == f"took the weights under {plain}" and f"--key {ema} takes them" in said[1], said
        assert found({ema: averaged, plain: weights}, ema)[0] == sorted(VGG)
    assert found({"state_dict": weights, "memory": {"queue": Stand()}})[0] == names
    assert found({"state_dict": weights, "class_weight": Stand()})[0] == names
    assert found({"state_dict": tensors(RESNET, "ema_model."), "epoch": 1}, "ema_model")[0] == names
    stopped(lambda: found({"model": weights, "net": averaged}), "model, net", "--key model")
    stopped(lambda: found({"generator": weights, "discriminator": averaged}), "discriminator, generator", "--key generator")
    stopped(lambda: found({"epoch": 3, "lr": 0.1}), "holds no state dict", "epoch, lr")
    stopped(lambda: found({"model": weights}, "nett"), "nothing under --key nett", "its keys are model")
    stopped(lambda: found([1, 2]), "holds no state dict", "list")


def check_refusals(folder):
    def says(content, error, *parts, no=()):
        path = folder / "x.pth"
        path.write_bytes(content)
        text = checkpoints.refusal(path, error)
        assert all(part in text for part in parts) and not any(part in text for part in no), text
        assert "\x1b" not in text and "\n" not in text, text

    codes = "Weights only load failed. \x1b[1mdo those steps\x1b[0m\n\tWeightsUnpickler error: Unsupported global: GLOBAL omegaconf.DictConfig was not an allowed"
    dictionary, whole = pickle.dumps({"a": 1}, 2), pickle.dumps(argparse.ArgumentParser, 2)
    says(dictionary, RuntimeError(codes), "holds omegaconf.DictConfig beside its weights", "weights_only=False", '["state_dict"]', no=["complete"])
    says(whole, RuntimeError(codes), "is a whole pickled object (argparse.ArgumentParser)", ".state_dict()", no=["complete", "beside"])
    says(b"PK\x03\x04cut", RuntimeError("failed finding central directory"), "is it complete?")
    says(dictionary, EOFError("Ran out of input"), "is it complete?")
    says(b"", EOFError(), "is empty", no=["complete"])
    says(b"<!DOCTYPE html>", ValueError(), "web page", no=["complete"])
    says(b"version https://git-lfs.github.com/spec/v1", ValueError(), "git lfs pull")
    says(b"\x1f\x8b\x08", ValueError(), "unpack it")
    says(b"text", KeyError(101), "isn't a PyTorch checkpoint", no=["complete"])
    says(dictionary, RuntimeError("\x1b[31mInvalid magic number\x1b[0m"), "(Invalid magic number)", no=["complete"])


def check_statements():
    def given(*options, names=RESNET, kept=None, classes=10, stem=(7, 7)):
        arguments = convert_weights.parser().parse_args(convert_weights.spelt_out(["file", *options, "a.pth", "out"]))
        assert (str(arguments.source), str(arguments.out)) == ("a.pth", "out")
        made = {name: Stand(classes, 8) if name == "fc.weight" else Stand(64, 3, *stem) for name in names}
        said = []
        return convert_weights.metadata_of(arguments, made, kept or {}, said.append), said

    def refused(*options, part):
        error = io.StringIO()
        with contextlib.redirect_stderr(error):
            try:
                given(*options)
            except SystemExit as stop:
                assert part in error.getvalue() + str(stop), (part, error.getvalue(), stop)
                return
        raise AssertionError(f"{options} was taken")

    assert given() == ({"source": "a.pth"}, [])
    stated, said = given("--stem", "cifar", "--mean", "0.4914, .4822,0.4465", "--std", "0.247,0.2435,0.2616", "--input-size", "32", stem=(3, 3))
    assert stated == {"source": "a.pth", "stem": "cifar", "mean": "0.4914,.4822,0.4465", "std": "0.247,0.2435,0.2616", "input_size": "32"} and not said
    stated, said = given(stem=(3, 3))
    assert "stem" not in stated and "--stem cifar" in said[0], said
    assert given("--mean", "0.5", "--std", "0.25")[0]["mean"] == "0.5"
    # Inception: nothing is written that isn't stated.
    for classes, rule in [(1000, "true"), (10, "false")]:
        stated, said = given(names=INCEPTION, classes=classes)
        assert "transform_input" not in stated and f"takes it for {rule}, as it has {classes} classes" in said[0], said
    for options, value in [(["--transform-input"], "true"), (["--transform-input", "true"], "true"), (["--transform-input", "false"], "false"), (["--transform-input=false"], "false")]:
        stated, said = given(*options, names=INCEPTION)
        assert stated["transform_input"] == value and not said, (options, stated)
    # A safetensors file keeps what it said of itself.
    stated, _ = given("--input-size", "64", kept={"format": "pt", "stem": "cifar", "input_size": "32", "source": "b"}, stem=(3, 3))
    assert stated == {"source": "a.pth", "stem": "cifar", "input_size": "64"}
    grey = ["--mean", "0.5", "--std", "0.5"]
    assert "preprocessing" not in given(*grey, kept={"preprocessing": "imagenet"})[0]
    try:
        given(*grey, kept={"preprocessing": "caffe"})
        raise AssertionError("Caffe's colors have a mean")
    except SystemExit as stop:
        assert "leave out --mean" in str(stop)
    refused("--mean", "0.5,0.5,0.5", part="state both")
    refused("--mean", "0.5", "--std", "0.2,0.2,0.2", part="as many numbers")
    refused("--mean", "123.7,116.8,103.9", "--std", "58,57,57", part="divide")
    refused("--mean", "0.5,0.5", "--std", "0.5,0.5", part="expected three decimals")
    refused("--mean", "nan,0,0", "--std", "1,1,1", part="expected three decimals")
    refused("--mean", "0,0,0", "--std", "0,1,1", part="pixels are in [0, 1]")
    refused("--stem", "cifer", part="invalid choice")
    refused("--input-size", "0", part="expected pixels")
    refused("--transform-input", part="is no Inception")


if __name__ == "__main__":
    for check in (check_prefixes, check_what_is_beside, check_keys, check_statements):
        check()
        print(f"{check.__name__}: ok")
    with tempfile.TemporaryDirectory() as folder:
        check_refusals(pathlib.Path(folder))
    print("check_refusals: ok")
