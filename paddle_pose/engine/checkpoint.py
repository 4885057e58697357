"""Files of a run: written to a temporary file and renamed, read without executing anything in them.

A model file (`model.pdparams`) is a flat dict of arrays, as `paddle.load` and `set_state_dict` know it, with
one string more: key `paddle_pose` holds JSON with the configuration and the skeleton. A model file that ends in
`.safetensors` holds the same, its JSON among that format's metadata. A training state (`training.pdstate`) holds
all that a run needs to go on.
"""

import json
import os
import pickle
from pathlib import Path
from typing import Any, Optional

import numpy as np
import paddle

from paddle_pose import safe_pickle, safetensor_files
from paddle_pose.atomic_files import written_beside
from paddle_pose.errors import CheckpointError

_META = "paddle_pose"
_PADDLE_EXTRAS = ("StructuredToParameterName@@",)
ZIP_START, LEGACY_MAGIC = b"PK\x03\x04", b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # how files of torch.save begin
_STATE_PARTS = {
    "network": dict,
    "ema": (dict, type(None)),
    "optimizer": dict,
    "scaler": dict,
    "schedule": dict,
    "progress": dict,
    "meta": dict,
}


def save_atomically(content: Any, path: Path) -> None:
    """Pickles plain containers and arrays; a failure leaves the old file and no half-written one.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written.
    """
    with written_beside(path) as temporary, open(temporary, "wb") as file:
        pickle.dump(content, file, protocol=4)


def to_arrays(state: dict[str, Any]) -> dict[str, np.ndarray]:
    """Tensors of a `state_dict` as arrays; half precision widened to float32."""
    arrays = {}
    for name, tensor in state.items():
        half = tensor.dtype in (paddle.float16, paddle.bfloat16)
        arrays[name] = (tensor.astype("float32") if half else tensor).numpy()
    return arrays


def save_model(path: Path, weights: dict[str, np.ndarray], meta: dict) -> None:
    """Writes a model file.

    Args:
        path: the file; the suffix `.safetensors` decides for that format.
        weights: parameter name -> array.
        meta: JSON-able facts: `config`, `skeleton`, and what the model scored.
    """
    if _is_safetensors(path):
        safetensor_files.write(path, weights, {_META: json.dumps(meta)})
    else:
        save_atomically({**weights, _META: json.dumps(meta)}, path)


def load_model(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Reads a model file or a training state: weights (averaged ones if the run kept an average) and facts.

    A file of another program that is a flat dict of arrays is read too; its facts are empty.
    """
    content = _load(path)
    if "progress" in content and "network" in content:
        state = _checked_state(content, path)
        return state["ema"] or state["network"], state["meta"]
    content = {name: value for name, value in content.items() if name not in _PADDLE_EXTRAS}
    meta = _read_meta(content.pop(_META, "{}"), path)
    _check_arrays(content, "the file", path)
    return content, meta


def safetensors_facts(path: Path) -> dict:
    """The facts of a model file in the form of safetensors, as of `load_model`, without reading its arrays."""
    return _read_meta(safetensor_files.read_texts(path).get(_META, "{}"), path)


def load_training_state(path: Path) -> dict:
    """Reads a training state as `Trainer.state` made it."""
    return _checked_state(_load(path), path)


def load_weights(network: paddle.nn.Layer, weights: dict[str, np.ndarray], path: Path) -> None:
    """Puts weights into a network; every name and shape must fit.

    Raises:
        CheckpointError: names what does not fit; the network is then unchanged.
    """
    problem = _first_mismatch(network, weights)
    if problem:
        kind = type(network).__name__
        raise CheckpointError(
            f"{path}: not a checkpoint of this {kind}: {problem}; check --config and --pretrained_model"
        )
    own = network.state_dict()
    network.set_state_dict({name: paddle.to_tensor(weights[name]).astype(own[name].dtype) for name in own})


def _first_mismatch(network: paddle.nn.Layer, weights: dict[str, np.ndarray]) -> Optional[str]:
    own = network.state_dict()
    for name, tensor in own.items():
        if name not in weights:
            return f"it has no {name!r}"
        if list(weights[name].shape) != list(tensor.shape):
            return f"{name!r} has shape {list(weights[name].shape)}, the network needs {list(tensor.shape)}"
        if not np.isfinite(np.asarray(weights[name], np.float32)).all():
            return f"{name!r} holds numbers that are not finite"
    extra = sorted(set(weights) - set(own))
    return f"it has {extra[0]!r}, which the network does not know" if extra else None


def _checked_state(content: dict, path: Path) -> dict:
    """A training state, or CheckpointError if a part is missing or of another kind."""
    missing = set(_STATE_PARTS) - set(content)
    if missing:
        raise CheckpointError(f"{path}: not a training state (no {min(missing)!r}); --resume needs training.pdstate")
    for name, kind in _STATE_PARTS.items():
        if not isinstance(content[name], kind):
            raise CheckpointError(f"{path}: damaged: {name!r} is a {type(content[name]).__name__}")
    for name in ("network", "ema", "optimizer"):
        _check_arrays(content[name] or {}, name, path)
    if content["ema"] and set(content["ema"]) != set(content["network"]):
        raise CheckpointError(f"{path}: damaged: averaged weights of another network")
    _checked_meta(content["meta"], path)
    return content


def _check_arrays(entries: dict, part: str, path: Path) -> None:
    for name, value in entries.items():
        if not isinstance(name, str) or not isinstance(value, np.ndarray):
            raise CheckpointError(f"{path}: entry {name!r} of {part} is not an array; this holds no network weights")


def _read_meta(text: Any, path: Path) -> dict:
    try:
        meta = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise CheckpointError(f"{path}: the entry {_META!r} is not JSON; the file is damaged") from None
    return _checked_meta(meta, path)


def _checked_meta(meta: Any, path: Path) -> dict:
    """The facts of a file; a program that wrote none has left them empty."""
    known = isinstance(meta, dict) and isinstance(meta.get("config", {}), dict)
    if not known or not isinstance(meta.get("skeleton", ""), str):
        raise CheckpointError(f"{path}: what the file says of its configuration is damaged")
    return meta


def _is_safetensors(path: Path) -> bool:
    return Path(path).suffix.lower() == ".safetensors"


def _load(path: Path) -> dict:
    if not os.path.isfile(path):
        raise CheckpointError(f"{path}: no such file; check the path of the checkpoint")
    if _is_safetensors(path):
        arrays, texts = safetensor_files.read(path)
        return {**arrays, _META: texts.get(_META, "{}")}
    with open(path, "rb") as file:
        start = file.read(32)
    if start.startswith(ZIP_START) or LEGACY_MAGIC in start:
        raise CheckpointError(f"{path}: is a PyTorch checkpoint; first: paddle-pose convert {path} model.pdparams")
    content = safe_pickle.load(path)
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, not a dict of arrays")
    return content
