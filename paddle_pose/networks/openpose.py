"""OpenPose: affinity fields along limbs and confidence maps of parts, of everybody in a photo, stage after stage.

Cao, Simon, Wei, Sheikh. Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields. CVPR 2017, Sec. 2.1, 2.2.
Reference code: ZheC/Realtime_Multi-Person_Pose_Estimation, `model/_trained_COCO/pose_deploy.prototxt` (the authors',
Caffe), and tensorboy/pytorch_Realtime_Multi-Person_Pose_Estimation, `lib/network/rtpose_vgg.py`.

Letters: B batch, S stages, K parts (joints), L limbs, F features, C maps (2L + K + 1), H W input, h w map (1/8).

Differs from the paper, the first two as all released code
    - Two more 3x3 convolutions narrow VGG-19's 512 features to 128; the paper has its first ten layers only.
    - One more map, the last, is high where no part is. Sec. 2.2 of the paper has one map for each part and no other.
    - Any width, blocks, kernel and number of stages, spread of the initial weights, and batch normalisation for narrow
      networks; the defaults are the released network.

Not built: the later network (TPAMI 2019; BODY_25), whose stages have 3x3 convolutions in dense blocks and refine the
fields before the confidence maps; other trunks than VGG-19's layers (tensorboy has a MobileNet and others).
"""

import re
from collections.abc import Sequence
from typing import Optional

import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import POSE_MACHINE_STD, Conv2D, check_multiple, draw_pose_machine, same_conv
from paddle_pose.networks.name_map import renamed
from paddle_pose.registry import NETWORKS

VGG19_CONVS = (2, 2, 4, 4, 4)  # in each block, between two poolings; the last six are not used here


class Branch(nn.Layer):
    """Convolutions with ReLU between them; the last one's outputs are maps.

    Args:
        channels: of the input and after each convolution.
        kernels: sides of the convolutions, all odd; maps keep their size.
        batch_norm: normalise before each ReLU.
    """

    def __init__(self, channels: Sequence[int], kernels: Sequence[int], batch_norm: bool) -> None:
        super().__init__()
        hidden = [same_conv(*pair, kernel, batch_norm) for pair, kernel in zip(zip(channels, channels[1:-1]), kernels)]
        last = Conv2D(channels[-2], channels[-1], kernels[-1], padding=kernels[-1] // 2)
        self.convs = nn.LayerList([*hidden, last])

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, channels[0], h, w) -> (B, channels[-1], h, w)."""
        for conv in self.convs[:-1]:
            x = F.relu(conv(x))
        return self.convs[-1](x)


@NETWORKS.register("OpenPose")
class OpenPose(nn.Layer):
    """The two-branch network of the paper on the first ten convolutions of VGG-19.

    Channels of a stage's output: x and y of each limb's field, in the order of `skeleton.limbs`, then the confidence
    of each part, then that of the background.

    Args:
        num_joints: K.
        num_limbs: L.
        stages: S, each with maps of its own and each supervised.
        widths: channels of the trunk's blocks. Between two blocks maps are halved, so that four of them make
            `stride` 8, three make it 4.
        convs: 3x3 convolutions in each block.
        width: F, features that the stages see; also the channels inside them.
        refining_kernel: side of the five large convolutions of each stage >= 2.
        initial_std: spread of the normal draw of all weights, as released; none: sqrt(2 / fan-in) (He et al.,
            ICCV 2015), which narrower networks need, but as released for the convolutions that end in maps.
        batch_norm: normalise after each convolution but those that end in maps; the released network has none.
    """

    beyond_trunk = ("narrow.", "affinity.", "confidence.")  # what VGG-19 does not have

    def __init__(
        self,
        num_joints: int,
        num_limbs: int,
        stages: int = 6,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        convs: tuple[int, ...] = (2, 2, 4, 2),
        width: int = 128,
        refining_kernel: int = 7,
        initial_std: Optional[float] = POSE_MACHINE_STD,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        if stages < 1 or width < 1 or refining_kernel < 1 or refining_kernel % 2 == 0:
            raise ConfigError(
                f"OpenPose stages={stages}, width={width}, refining_kernel={refining_kernel}:"
                " each must be at least 1, the kernel odd"
            )
        if len(widths) != len(convs) or min((1, *widths, *convs)) < 1 or not widths:
            raise ConfigError(
                f"OpenPose widths={list(widths)}, convs={list(convs)}: one of both for each block, at least 1"
            )
        if num_limbs < 1:  # Paddle 2 fails at a convolution of no channels
            raise ConfigError("OpenPose: the skeleton has no limbs, so nothing joins its joints to people; name some")
        self.stride = 2 ** (len(widths) - 1)
        self.vgg = nn.LayerList(
            [_block(before, after, count, batch_norm) for before, after, count in zip((3, *widths), widths, convs)]
        )
        self.narrow = nn.LayerList(
            [same_conv(widths[-1], 2 * width, 3, batch_norm), same_conv(2 * width, width, 3, batch_norm)]
        )
        maps = 2 * num_limbs, num_joints + 1
        self.affinity, self.confidence = (
            _branches(width, sum(maps), own, stages, refining_kernel, batch_norm) for own in maps
        )
        self.head = tuple(  # the ends of the branches, and what sees maps
            f"{name}.{stage}.convs.{i}."
            for name in ("affinity", "confidence")
            for stage in range(stages)
            for i in ((0, 6) if stage else (4,))
        )
        draw_pose_machine(self, {branch.convs[-1] for branch in (*self.affinity, *self.confidence)}, initial_std)

    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """(B, 3, H, W) normalised images of any size that `stride` divides -> S times (B, C, H/8, W/8)."""
        check_multiple(images, self.stride)
        features = self._features(images)
        stages = []
        for affinity, confidence in zip(self.affinity, self.confidence):
            x = paddle.concat([stages[-1], features], axis=1) if stages else features  # (B, C + F, h, w) from stage 2
            stages.append(paddle.concat([affinity(x), confidence(x)], axis=1))
        return stages

    def _features(self, images: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) -> (B, F, h, w), not negative."""
        x = images
        for i, block in enumerate(self.vgg):
            x = F.max_pool2d(x, 2, 2) if i else x
            for conv in block:
                x = F.relu(conv(x))
        for conv in self.narrow:
            x = F.relu(conv(x))
        return x

    def reference_name(self, key: str) -> Optional[str]:
        """Our name of what a public checkpoint calls `key`; None for what VGG-19 has beyond ours.

        Three kinds are known. How photos must be prepared is not in the file, and the wrong way raises no error.

        - The authors' Caffe weights as arrays by the name of their layer, `conv1_1.weight` and `conv1_1.bias`, in no
          other form: BGR, x / 256 - 0.5 with x in 0...255, and grey (128) around the photo.
        - tensorboy's (`model0.0.weight`). Its `pose_model.pth` is the Caffe network again. What its own code trains
          has RGB and the statistics of ImageNet, and the fields of the 10th and 14th limb go from shoulder to eye;
          elsewhere, and in our skeleton, they go from shoulder to ear.
        - torchvision's VGG-19 (`features.0.weight`), for `convert_state(..., trunk_only=True)`: RGB, ImageNet.

        Channels are in the order of `OPENPOSE_18` in the first two.
        """
        vgg19 = re.fullmatch(r"features\.(\d+)\.(weight|bias)", key)
        if vgg19 and int(vgg19[1]) in _TORCHVISION:
            ours = f"{_TORCHVISION[int(vgg19[1])]}.{vgg19[2]}"
            return ours if ours in self.state_dict() else None
        return None if key.startswith("classifier.") else renamed(key, _REFERENCE_NAMES)


def _vgg19_positions() -> dict[int, str]:
    """Place in torchvision's VGG-19, where each convolution has a ReLU behind it and each block a pooling -> name."""
    names, place = {}, 0
    for block, count in enumerate(VGG19_CONVS):
        for i in range(count):
            names[place + 2 * i] = f"vgg.{block}.{i}"
        place += 2 * count + 1
    return names


_TORCHVISION = _vgg19_positions()
_TENSORBOY = {**_TORCHVISION, 23: "narrow.0", 25: "narrow.1"}  # block 4 has but two convolutions before these
_BRANCHES = {"1": "affinity", "2": "confidence"}
_REFERENCE_NAMES = (
    (r"^model0\.(\d+)\.", lambda found: f"{_TENSORBOY.get(int(found[1]), found[0][:-1])}."),
    (
        r"^model([1-9])_([12])\.(\d*[02468])\.",
        lambda found: f"{_BRANCHES[found[2]]}.{int(found[1]) - 1}.convs.{int(found[3]) // 2}.",
    ),
    (r"^conv4_([34])_CPM\.", lambda found: f"narrow.{int(found[1]) - 3}."),
    (r"^conv([1-4])_([1-4])\.", lambda found: f"vgg.{int(found[1]) - 1}.{int(found[2]) - 1}."),
    (r"^conv5_([1-5])_CPM_L([12])\.", lambda found: f"{_BRANCHES[found[2]]}.0.convs.{int(found[1]) - 1}."),
    (
        r"^Mconv([1-7])_stage([2-9])_L([12])\.",
        lambda found: f"{_BRANCHES[found[3]]}.{int(found[2]) - 1}.convs.{int(found[1]) - 1}.",
    ),
)


def _block(before: int, after: int, count: int, batch_norm: bool) -> nn.LayerList:
    """Convolutions of one of the trunk's blocks."""
    return nn.LayerList([same_conv(after if i else before, after, 3, batch_norm) for i in range(count)])


def _branches(width: int, both: int, own: int, stages: int, kernel: int, batch_norm: bool) -> nn.LayerList:
    """One branch of all stages: `own` maps each, from F features and, after the first, `both` branches' maps."""
    first = Branch((*[width] * 4, 4 * width, own), (3, 3, 3, 1, 1), batch_norm)
    kernels = (*[kernel] * 5, 1, 1)
    later = [Branch((both + width, *[width] * 6, own), kernels, batch_norm) for _ in range(stages - 1)]
    return nn.LayerList([first, *later])
