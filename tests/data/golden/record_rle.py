"""Records mmpose's RLE loss in float64, for tests/losses/test_rle.py. Needs torch.

    python tests/data/golden/record_rle.py CHECKOUT

CHECKOUT is one of open-mmlab/mmpose at 759b39c. Written into mmpose_rle.npz beside this file: `shapes` (JSON) of the
flow's weights, which follow from a rule (tests/networks/golden.py), raw `output` (B, K, 4) with sigmas before their
sigmoid, `target`, `weight`, and the results: `loss`, `output_grad`, `flow_names`, `flow_grad_norms`, and `log_prob` of
the flow at `points`.
"""

import json
import pathlib
import sys
import types

import numpy as np
import torch
from stand_ins import load_file, stand_in_for_mmcv

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
from networks import golden  # noqa: E402  (tests/networks/golden.py)


def load_loss(checkout: pathlib.Path) -> type:
    stand_in_for_mmcv()
    for name in ("mmpose.datasets", "mmpose.datasets.datasets", "mmpose.models.utils", "mmpose.models.losses"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    sys.modules["mmpose.datasets.datasets.utils"] = types.ModuleType("utils")
    sys.modules["mmpose.datasets.datasets.utils"].parse_pose_metainfo = None
    sys.modules["mmpose.registry"].MODELS.register_module = lambda *_: lambda cls: cls
    load_file("mmpose.models.utils.realnvp", checkout / "mmpose/models/utils/realnvp.py")
    name = "mmpose.models.losses.regression_loss"
    return load_file(name, checkout / "mmpose/models/losses/regression_loss.py").RLELoss


def main(checkout: str) -> None:
    loss_of = load_loss(pathlib.Path(checkout))(use_target_weight=True)
    constants = {key: value for key, value in loss_of.state_dict().items() if key.split(".")[1] not in "st"}
    shapes = {key: list(v.shape) for key, v in loss_of.state_dict().items() if key not in constants}
    weights = golden.weights(shapes, seed=0)
    loss_of.load_state_dict({**{k: torch.from_numpy(v) for k, v in weights.items()}, **constants})
    loss_of.double()
    rng = np.random.RandomState(3)
    output, target = rng.standard_normal((3, 5, 4)), rng.standard_normal((3, 5, 2))
    weight, points = (rng.uniform(size=(3, 5)) < 0.7).astype(float), rng.standard_normal((7, 2)) * 2
    raw = torch.from_numpy(output).requires_grad_()
    loss = loss_of(raw[..., :2], raw[..., 2:], torch.from_numpy(target), torch.from_numpy(weight)[..., None])
    loss.backward()
    norms = {key: p.grad.norm().item() for key, p in loss_of.named_parameters()}
    np.savez_compressed(
        HERE / "mmpose_rle.npz",
        shapes=json.dumps(shapes),
        output=output,
        target=target,
        weight=weight,
        loss=loss.item(),
        output_grad=raw.grad.numpy(),
        flow_names=list(norms),
        flow_grad_norms=list(norms.values()),
        points=points,
        log_prob=loss_of.flow_model.log_prob(torch.from_numpy(points)).detach().numpy(),
    )
    print(loss.item(), len(norms))


if __name__ == "__main__":
    main(sys.argv[1])
