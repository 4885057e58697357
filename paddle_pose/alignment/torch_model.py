"""A PyTorch model before it is recorded: weights, precision, and what cannot be compared switched off."""

import numpy as np
import torch
from torch import nn

from paddle_pose.alignment import rules
from paddle_pose.alignment.setup import OWN, RULE
from paddle_pose.errors import UserError

STATISTICS = ("running_mean", "running_var")
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


def fill(model: nn.Module, weights: str, seed: int) -> dict[str, np.ndarray]:
    """Gives the model its weights; returns them by name, statistics included.

    Args:
        model: as it was built.
        weights: RULE, OWN, or a checkpoint that fits.
        seed: of the rule.

    Raises:
        UserError: the checkpoint does not fit, or is more than weights.
    """
    if weights not in (RULE, OWN):
        _load_checkpoint(model, weights)
    entries = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    names = [key for key in entries if isinstance(entries[key], nn.Parameter) or key.endswith(STATISTICS)]
    if weights == RULE:
        state = {key: rules.fill(key, entries[key].shape, seed) for key in names}
        model.load_state_dict({**model.state_dict(), **{key: torch.from_numpy(a) for key, a in state.items()}})
        return state
    return {key: entries[key].detach().cpu().numpy().copy() for key in names}


def _load_checkpoint(model: nn.Module, path: str) -> None:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(content.get("state_dict", content))
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"--weights {path}: does not fit the model or cannot be read safely: {reason}") from None


def switch_dropout_off(model: nn.Module) -> int:
    """Random numbers of two frameworks cannot agree; returns the number of layers."""
    layers = [layer for layer in model.modules() if isinstance(layer, _DROPOUTS) and layer.p > 0]
    for layer in layers:
        layer.p = 0.0
    return len(layers)


def make_double(model: nn.Module) -> None:
    """The model in float64."""
    model.double()
    for layer in model.modules():
        if isinstance(layer, _NORMS):
            layer.eps = float(np.float32(layer.eps))  # Paddle keeps it in float32, for float64 maps too


def start_again(model: nn.Module, state: dict[str, np.ndarray], relative: float) -> None:
    """Gives a trained model its first weights again, each changed by a normal draw times `relative` of itself."""
    dtype = str(next(model.parameters()).dtype).rpartition(".")[2]
    nudged = {key: rules.nudged(array.astype(dtype), key, relative) for key, array in state.items()}
    model.load_state_dict({**model.state_dict(), **{key: torch.from_numpy(a) for key, a in nudged.items()}})
