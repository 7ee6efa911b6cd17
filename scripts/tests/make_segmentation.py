"""Makes crates/metrics/tests/fixtures/segmentation.json: what scikit-learn says of rankings and of small segmentations.

    pip install scikit-learn==1.9.1 numpy
    python3 scripts/tests/make_segmentation.py

`rankings`: scores, which of them are positive, and their average precision. `images`: a map, its labels (1 object, 0 background, -1 not labelled),
and for each threshold accuracy, the Jaccard index of background and of object, and the average precision of both channels; also that of the map's
values brought to [0, 1]. Arithmetic on maps is numpy's in single precision.
"""

import json
import pathlib
import warnings

import numpy as np
from sklearn.metrics import accuracy_score, average_precision_score, jaccard_score

OUT = pathlib.Path(__file__).parents[2] / "crates/metrics/tests/fixtures/segmentation.json"
rng = np.random.default_rng(4276)


def ranking(name, scores, positive):
    scores = np.asarray(scores, dtype=np.float32)
    positive = np.asarray(positive, dtype=int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nothing is positive
        precision = average_precision_score(positive, scores)
    return {"name": name, "scores": scores.tolist(), "positive": (positive == 1).tolist(), "precision": float(precision)}


def rankings():
    yield ranking("distinct", rng.permutation(40), rng.integers(0, 2, 40))
    yield ranking("soft", rng.random(200), rng.random(200) < 0.2)
    yield ranking("soft and right", (mask := rng.random(100) < 0.5) * 0.3 + rng.random(100), mask)
    yield ranking("few ties", rng.integers(0, 30, 100), rng.integers(0, 2, 100))
    yield ranking("many ties", rng.integers(0, 3, 100), rng.integers(0, 2, 100))
    yield ranking("zeros and ones", rng.integers(0, 2, 60), rng.integers(0, 2, 60))
    yield ranking("all tied", np.full(30, 0.25), rng.integers(0, 2, 30))
    yield ranking("negative scores", rng.normal(0, 5, 50), rng.integers(0, 2, 50))
    yield ranking("both zeros", [0.0, -0.0, 0.0, -0.0, 1.0], [1, 0, 0, 1, 0])
    yield ranking("all positive", rng.random(20), np.ones(20))
    yield ranking("none positive", rng.random(20), np.zeros(20))
    yield ranking("one positive, last", np.arange(20), np.arange(20) == 0)
    yield ranking("one positive, first", np.arange(20), np.arange(20) == 19)
    yield ranking("one", [0.5], [1])


def channels(background, object_, labels):
    """The two channels of the labelled pixels, and which is right."""
    here = labels >= 0
    scores = np.stack([background[here], object_[here]])
    return scores, np.stack([labels[here] == 0, labels[here] == 1]).astype(int)


def precision(background, object_, labels):
    scores, right = channels(background, object_, labels)
    return float(average_precision_score(right.ravel(), scores.ravel()))


def image(name, values, labels):
    values = np.asarray(values, dtype=np.float32)
    labels = np.asarray(labels, dtype=int)
    with np.errstate(invalid="ignore"):
        unit = (values - values.min()) / (values.max() - values.min())
    assert unit.dtype == np.float32
    answer = {"name": name, "map": [None if np.isnan(v) else float(v) for v in values], "labels": labels.tolist()}
    for key, scored, bound in [("zero", values, np.float32(0)), ("mean", unit, unit.mean())]:
        background, object_ = (scored <= bound).astype(np.float32), (scored > bound).astype(np.float32)
        taken = (object_ > background).astype(int)
        here = labels >= 0
        answer[key] = {
            "accuracy": float(accuracy_score(labels[here], taken[here])),
            "jaccard": jaccard_score(labels[here], taken[here], labels=[0, 1], average=None, zero_division=0).tolist(),
            "precision": precision(background, object_, labels),
        }
    answer["soft"] = precision(np.nan_to_num(1 - unit), np.nan_to_num(unit), labels)
    return answer


def images():
    some = lambda n=64: rng.integers(0, 2, n)
    yield image("signed", rng.normal(0, 1, 64), some())
    yield image("good", (labels := some()) + rng.normal(-0.5, 0.5, 64), labels)
    yield image("coarse", np.round(rng.normal(0, 1.5, 64)), some())
    yield image("not all labelled", rng.normal(0.3, 1, 64), rng.integers(-1, 2, 64))
    yield image("background only", rng.normal(0, 1, 64), np.zeros(64))
    yield image("object only", rng.normal(0, 1, 64), np.ones(64))
    yield image("nothing above zero", -rng.random(64) - 0.1, some())
    yield image("everything above zero", rng.random(64) + 0.1, some())
    yield image("zeros", np.zeros(64), some())
    yield image("constant", np.full(64, 0.7), some())
    yield image("nothing is a number", np.full(64, np.nan), some())


OUT.parent.mkdir(exist_ok=True)
OUT.write_text(json.dumps({"rankings": list(rankings()), "images": list(images())}, separators=(",", ":")) + "\n")
