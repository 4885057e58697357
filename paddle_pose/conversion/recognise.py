"""Which network, and of which program, a PyTorch checkpoint is: by its keys and shapes alone."""

from paddle_pose.conversion.recognise_networks import NETWORKS
from paddle_pose.conversion.recognise_trunks import TRUNKS
from paddle_pose.conversion.recognised import Recognised, Shapes
from paddle_pose.conversion.unwrap import SHOWN
from paddle_pose.errors import CheckpointError

KNOWN = (
    "mmpose 0.x and 1.x (Hourglass-52, HRNet, CPM, ResNet regression and RLE), HRNet official, bearpaw / anibali, "
    "princeton-vl, tensorboy and Caffe's layers (OpenPose); trunks: AlexNet, VGG-19, ResNet, HRNet of ImageNet"
)
LOOKS_LIKE = (  # part of a key -> what has it; the first that fits
    ("deconv_layers.", "SimpleBaseline or HigherHRNet (deconvolutions), which is none of the five networks here"),
    ("final_layers.", "HigherHRNet, which is none of the five networks here"),
    ("features.1.running_mean", "VGG with batch normalisation; OpenPose needs torchvision's plain vgg19"),
    ("features.24.weight", "VGG of other than 19 layers; OpenPose needs torchvision's plain vgg19"),
    ("patch_embed.", "a vision transformer, which is none of the five networks here"),
    ("rpn.", "a detector"),
)


def recognise(shapes: Shapes) -> Recognised:
    """The network whose keys and shapes these are.

    Raises:
        CheckpointError: none that is known; says what it looks like and what is known.
    """
    for recogniser in (*NETWORKS, *TRUNKS):
        found = recogniser(shapes)
        if found is not None:
            return found
    raise _unknown(shapes)


def _unknown(shapes: Shapes) -> CheckpointError:
    looks = next((what for part, what in LOOKS_LIKE if any(part in f".{key}" for key in shapes)), "")
    keys = ", ".join(list(shapes)[:SHOWN])
    return CheckpointError(
        f"no known network: {len(shapes)} entries, {keys}, ...{'; it looks like ' + looks if looks else ''}. "
        f"Known: {KNOWN}. A file of ours under our own names needs --config"
    )
