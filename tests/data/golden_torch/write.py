"""Wrote the files of this folder: `python tests/data/golden_torch/write.py` where PyTorch is installed (it was 2.13).

A checkpoint as trainers write it, in the zip form and in the legacy form: weights of several dtypes and layouts, and
beside them an optimizer and objects of classes that a reader without PyTorch does not know.
"""

import argparse
import collections
import datetime
import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "conversion"), str(HERE.parents[2])]

from torch_cases import golden_arrays  # noqa: E402


class History:
    """As mmengine's HistoryBuffer: pickled by its class, with numpy arrays and a bound method in its state."""

    def __init__(self):
        self.log, self.methods = np.arange(3.0), {"mean": History.mean}

    def mean(self):
        return self.log.mean()


def state_dict() -> collections.OrderedDict:
    """`golden_arrays` as tensors, several of them views of one storage."""
    state = collections.OrderedDict((name, torch.tensor(array)) for name, array in golden_arrays().items())
    base = state["layer.weight"]
    state["layer.bias"] = base[0, 0]
    state["bfloat16.weight"] = state["bfloat16.weight"].bfloat16()
    state["transposed.weight"] = base[0].T
    state["offset.weight"] = base[1, 1:, 2:]
    state["expanded.weight"] = base[0, 0].expand(3, 4)
    state["parameter.weight"] = torch.nn.Parameter(base[0].clone())
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    return state


def content() -> dict:
    weight = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = torch.optim.SGD([weight], 0.1, momentum=0.9)
    weight.sum().backward()
    optimizer.step()
    return {
        "state_dict": state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5]).state_dict(),
        "epoch": 3,
        "meta": {
            "args": argparse.Namespace(lr=0.1, path=Path("runs")),
            "time": datetime.datetime(2020, 1, 2),
            "names": {"a", "b"},
            "found": collections.defaultdict(list, a=[1]),
            "best": np.float64(0.5),
            "table": np.arange(6).reshape(2, 3),
            "texts": np.array(["one", "two"]),
            "objects": np.array([None, "x"], dtype=object),
            "history": History(),
            "device": torch.device("cuda", 1),
            "dtype": torch.float16,
            "shape": torch.Size([2, 3]),
        },
    }


if __name__ == "__main__":
    torch.save(content(), HERE / "zip.pth")
    torch.save(content(), HERE / "legacy.pth", _use_new_zipfile_serialization=False)
