"""Our names of layers -> those of the programs that users of a PyTorch model have: the other way round.

A style is a program's naming: a function of our name of an entry (with PyTorch's of batch statistics) and of the
network. `networks.*.reference_name` stays the one authority: torch_state.py sends every name
that is made here back through it.
"""

import re
from collections.abc import Callable
from typing import Any

from paddle_pose.networks.hourglass import BEARPAW_BRANCHES
from paddle_pose.networks.name_map import Names, renamed

PARTS = (("skip", "up1"), ("down", "low1"), ("inner", "low2"), ("up", "low3"))  # of an hourglass: ours, elsewhere
NESTED: Names = [(rf"\.{ours}(?=\.)", f".{theirs}") for ours, theirs in PARTS]
SHORTCUT: Names = [(r"\.shortcut\.conv\.", ".downsample.0."), (r"\.shortcut\.bn\.", ".downsample.1.")]
CONV_OR_BN = {"conv": "0", "bn": "1"}


def _bearpaw(name: str, network: Any) -> str:
    """Levels of an hourglass are counted from its bottom, where branch 3 is."""
    found = re.match(r"hourglasses\.(\d+)\.((?:inner\.)*)(?:(skip|down|up)\.)?", name)
    if found:
        stack, inners, branch = found[1], found[2].count("inner"), found[3]
        level = network.depth - 1 - inners if branch else 0
        name = f"hg.{stack}.hg.{level}.{BEARPAW_BRANCHES.index(branch or 'inner')}.0.{name[found.end() :]}"
    return renamed(name, _BEARPAW)


_BEARPAW: Names = [
    (r"^stem\.0\.conv\.", "conv1."),
    (r"^stem\.0\.bn\.", "bn1."),
    (r"^stem\.1\.", "layer1.0."),
    (r"^stem\.3\.", "layer2.0."),
    (r"^stem\.4\.", "layer3.0."),
    (r"^features\.(\d+)\.0\.", r"res.\1.0."),
    (r"^features\.(\d+)\.1\.conv\.", r"fc.\1.0."),
    (r"^features\.(\d+)\.1\.bn\.", r"fc.\1.1."),
    (r"^to_maps\.", "score."),
    (r"^from_features\.", "fc_."),
    (r"^from_maps\.", "score_."),
    (r"\.shortcut\.", ".downsample.0."),
]
_PRINCETON: Names = [
    (r"\.(conv[123])\.", r".\1.conv."),
    (r"\.shortcut\.", ".skip_layer.conv."),
    *NESTED,
    (r"^stem\.", "pre."),
    (r"^hourglasses\.(\d+)\.", r"hgs.\1.0."),
    (r"^to_maps\.(\d+)\.", r"outs.\1.conv."),
    (r"^from_features\.(\d+)\.", r"merge_features.\1.conv.conv."),
    (r"^from_maps\.(\d+)\.", r"merge_preds.\1.conv.conv."),
]
_HOURGLASS52: Names = [
    *NESTED,
    *SHORTCUT,
    (r"^stem\.0\.", "backbone.stem.0."),
    (r"^stem\.1\.", "backbone.stem.1.0."),
    (r"^hourglasses\.", "backbone.hourglass_modules."),
    (r"^features\.", "backbone.out_convs."),
    (r"^from_input\.", "backbone.conv1x1s."),
    (r"^from_features\.", "backbone.remap_convs."),
    (r"^between\.", "backbone.inters."),
    (r"^to_maps\.", "head.multi_final_layers."),
]
_HRNET: Names = [
    *SHORTCUT,
    (r"^stem\.([01])\.(conv|bn)\.", lambda found: f"{found[2]}{int(found[1]) + 1}."),
    (r"^stage1\.", "layer1."),
    (r"^narrow\.(conv|bn)\.", lambda found: f"transition1.0.{CONV_OR_BN[found[1]]}."),
    (
        r"^new_branches\.(\d)\.(conv|bn)\.",
        lambda found: f"transition{int(found[1]) + 1}.{int(found[1]) + 1}.0.{CONV_OR_BN[found[2]]}.",
    ),
    (r"^stages\.(\d)\.", lambda found: f"stage{int(found[1]) + 2}."),
    (
        r"\.exchange\.paths\.(\d\.\d(?:\.\d)?)\.(conv|bn)\.",
        lambda found: f".fuse_layers.{found[1]}.{CONV_OR_BN[found[2]]}.",
    ),
    (r"^to_maps\.", "final_layer."),
]
_MMPOSE_HRNET: Names = [*_HRNET, (r"^(?!final_layer)", "backbone."), (r"^final_layer\.", "head.final_layer.")]
_MMPOSE_CPM: Names = [
    (r"^stages\.(\d+)\.convs\.3\.", r"backbone.out_convs.\1.0."),
    (r"^stages\.(\d+)\.convs\.", r"backbone.cpm_stages.\1.model."),
    (r"^stages\.(\d+)\.from_image\.", r"backbone.middle_conv.\1.0."),
    (r"^stages\.(\d+)\.to_maps\.", r"backbone.out_convs.\1.1.conv."),
    (r"^stage1\.9\.", "backbone.stem.9.conv."),
    (r"^stage1\.", "backbone.stem."),
    (r"^features\.", "backbone.middle."),
]
_MMPOSE_RESNET: Names = [
    *SHORTCUT,
    (r"^trunk\.stem\.0\.conv\.", "backbone.conv1."),
    (r"^trunk\.stem\.0\.bn\.", "backbone.bn1."),
    (r"^trunk\.groups\.(\d)\.", lambda found: f"backbone.layer{int(found[1]) + 1}."),
    (r"^to_joints\.", "head.fc."),
    (r"^flow\.scale\.", "head.loss_module.flow_model.s."),
    (r"^flow\.shift\.", "head.loss_module.flow_model.t."),
]
_UP_TO_0: Names = [(r"^head\.loss_module\.", "keypoint_head.loss."), (r"^head\.", "keypoint_head.")]
_VGG19 = (("0", "2"), ("5", "7"), ("10", "12", "14", "16"), ("19", "21"))  # places of the convolutions of each block
_TENSORBOY: Names = [
    (r"^vgg\.(\d)\.(\d)\.", lambda found: f"model0.{_VGG19[int(found[1])][int(found[2])]}."),
    (r"^narrow\.([01])\.", lambda found: f"model0.{23 + 2 * int(found[1])}."),
    (
        r"^(affinity|confidence)\.(\d)\.convs\.(\d)\.",
        lambda found: f"model{int(found[2]) + 1}_{1 + (found[1] == 'confidence')}.{2 * int(found[3])}.",
    ),
]
_ALEXNET: Names = [
    (r"^features\.convs\.(\d)\.", lambda found: f"features.{(0, 3, 6, 8, 10)[int(found[1])]}."),
    (r"^fc1\.", "classifier.1."),
    (r"^fc2\.", "classifier.4."),
    (r"^to_joints\.", "classifier.6."),
]


def _by(names: Names) -> Callable[[str, Any], str]:
    return lambda name, network: renamed(name, names)


STYLES: dict[str, dict[str, Callable[[str, Any], str]]] = {  # network -> style -> names; the first is the default
    "StackedHourglass": {"bearpaw": _bearpaw},
    "PrincetonHourglass": {"princeton": _by(_PRINCETON)},
    "Hourglass52": {"mmpose1": _by(_HOURGLASS52), "mmpose0": _by([*_HOURGLASS52, *_UP_TO_0])},
    "HRNet": {
        "official": _by(_HRNET),
        "mmpose1": _by(_MMPOSE_HRNET),
        "mmpose0": _by([*_MMPOSE_HRNET, *_UP_TO_0]),
    },
    "MMPoseCPM": {"mmpose1": _by(_MMPOSE_CPM), "mmpose0": _by(_MMPOSE_CPM)},
    "ResNetRegression": {"mmpose1": _by(_MMPOSE_RESNET), "mmpose0": _by([*_MMPOSE_RESNET, *_UP_TO_0])},
    "OpenPose": {"tensorboy": _by(_TENSORBOY)},
    "DeepPose": {"torchvision": _by(_ALEXNET)},
}


def styles_of(network: Any) -> dict[str, Callable[[str, Any], str]]:
    """Namings in which a public program has this very network, and last `own`: the names it has here."""
    kind = type(network).__name__
    known = dict(STYLES.get(kind, {}))
    if kind == "OpenPose" and not _is_released(network):
        known = {}
    if kind == "DeepPose" and network.variant != "torchvision":
        known = {}
    return {**known, "own": lambda name, network: name}


def _is_released(network: Any) -> bool:
    """Whether an OpenPose has the released network's blocks, without batch normalisation."""
    blocks = [len(block) for block in network.vgg]
    return blocks == [len(block) for block in _VGG19] and not any(".bn." in name for name in network.state_dict())
