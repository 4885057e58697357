"""Keys and shapes of whole pose networks -> which they are. One function for each naming; None: it is not that one."""

import re
from typing import Any, Optional

from paddle_pose.conversion.recognised import Recognised, Shapes, count, has

MPII, COCO = 16, 17
DATA = {MPII: "mpii", COCO: "coco"}
BY_JOINTS = {MPII: "mpii_256x256", COCO: "coco_192x256"}  # smallest published size of a data set
MODULES = [1, 4, 3]  # of HRNet's stages 2 to 4, unless it is one of the small ones
EXTRAS_UNKNOWN = (
    "the file does not say whether it was trained at another size, with DARK or UDP; if so, give that --config"
)
CAFFE_COLOURS = (
    "taken for the authors' Caffe weights (BGR, x / 256 - 0.5); for weights that tensorboy's own code trained give "
    "--config configs/openpose/vgg19_coco_368x368_source.yaml"
)


def bearpaw(shapes: Shapes) -> Optional[Recognised]:
    """bearpaw/pytorch-pose and anibali/pytorch-stacked-hourglass."""
    if not (has(shapes, "score.0.weight", 4) and has(shapes, "hg.0.hg.0.0.0.conv1.weight", 4)):
        return None
    joints, width = shapes["score.0.weight"][:2]
    stacks, depth = count(shapes, r"score\.(\d+)\.weight"), count(shapes, r"hg\.0\.hg\.(\d+)\.")
    options = {"stacks": stacks, "width": width, "depth": depth}
    configs = (f"hourglass/{'hg8' if stacks == 8 else 'hg2'}_mpii_256x256.yaml",) if joints == MPII else ()
    return Recognised("bearpaw / anibali", "StackedHourglass", options, joints, configs)


def princeton(shapes: Shapes) -> Optional[Recognised]:
    """princeton-vl/pytorch_stacked_hourglass."""
    if not (has(shapes, "outs.0.conv.weight", 4) and has(shapes, "hgs.0.0.up1.conv1.conv.weight", 4)):
        return None
    joints, width = shapes["outs.0.conv.weight"][:2]
    levels = [re.match(r"hgs\.0\.0((?:\.low2)*)\.", key) for key in shapes]
    options = {
        "stacks": count(shapes, r"outs\.(\d+)\.conv\.weight"),
        "width": width,
        "depth": max(found[1].count("low2") for found in levels if found),
    }
    name = f"hourglass/princeton_hg{options['stacks']}_mpii_256x256.yaml"
    configs = (name, "hourglass/princeton_hg8_mpii_256x256.yaml") if joints == MPII else ()
    return Recognised("princeton-vl", "PrincetonHourglass", options, joints, configs)


def mmpose_hourglass52(shapes: Shapes) -> Optional[Recognised]:
    """open-mmlab/mmpose, HourglassNet."""
    head = next((h for h in ("head", "keypoint_head") if f"{h}.multi_final_layers.0.weight" in shapes), None)
    if head is None or count(shapes, r"backbone\.hourglass_modules\.(\d+)\.") == 0:
        return None
    stacks = count(shapes, rf"{head}\.multi_final_layers\.(\d+)\.")
    joints, stem = (
        shapes[f"{head}.multi_final_layers.0.weight"][0],
        "hourglass52" if stacks == 1 else f"hourglass52x{stacks}",
    )
    configs = (f"hourglass/{stem}_{DATA[joints]}_256x256.yaml",) if joints in DATA else ()
    return Recognised(_mmpose(head), "Hourglass52", {"stacks": stacks}, joints, configs)


def hrnet(shapes: Shapes) -> Optional[Recognised]:
    """leoxiaobin/deep-high-resolution-net.pytorch and mmpose, both as pose networks."""
    heads = (f"{head}final_layer.weight" for head in ("", "head.", "keypoint_head."))
    final = next((key for key in heads if has(shapes, key, 4)), None)
    trunk = "" if final == "final_layer.weight" else "backbone."
    if final is None or f"{trunk}stage2.0.branches.0.0.conv1.weight" not in shapes:
        return None
    options, joints = hrnet_options(shapes, trunk), shapes[final][0]
    width = "w18_small" if options["modules"] != MODULES else "w48" if options["width"] == 48 else "w32"
    stem = f"hrnet/{width}_{BY_JOINTS.get(joints)}"
    configs = (f"{stem}_mmpose.yaml", f"{stem}.yaml") if trunk else (f"{stem}.yaml",)
    source = _mmpose(final.split(".")[0]) if trunk else "HRNet, official"
    return Recognised(source, "HRNet", options, joints, configs if joints in BY_JOINTS else (), EXTRAS_UNKNOWN)


def hrnet_options(shapes: Shapes, trunk: str = "") -> dict[str, Any]:
    """Arguments of `HRNet` from keys that begin with `trunk`."""
    t = re.escape(trunk)
    stages = count(shapes, rf"{t}stage(\d+)\.")
    return {
        "width": shapes[f"{trunk}transition1.0.0.weight"][0],
        "modules": [count(shapes, rf"{t}stage{stage}\.(\d+)\.") for stage in range(2, stages + 2)],
        "blocks": count(shapes, rf"{t}stage2\.0\.branches\.0\.(\d+)\."),
        "bottlenecks": count(shapes, rf"{t}layer1\.(\d+)\."),
        "bottleneck_width": shapes[f"{trunk}layer1.0.conv1.weight"][0],
    }


def mmpose_cpm(shapes: Shapes) -> Optional[Recognised]:
    """open-mmlab/mmpose, CPM; its head has no weights, so its version does not show."""
    last = "backbone.stem.9.conv.weight"
    if not has(shapes, last, 4):
        return None
    joints, stages = shapes[last][0], 1 + count(shapes, r"backbone\.out_convs\.(\d+)\.")
    sizes = {MPII: "mpii_368x368", COCO: "coco_192x256"}
    configs = (f"cpm/mmpose_cpm_{sizes[joints]}.yaml",) if joints in sizes else ()
    return Recognised("mmpose", "MMPoseCPM", {"stages": stages}, joints, configs)


def mmpose_regression(shapes: Shapes) -> Optional[Recognised]:
    """open-mmlab/mmpose, ResNet with RegressionHead or RLEHead."""
    head = next((h for h in ("head", "keypoint_head") if has(shapes, f"{h}.fc.weight", 2)), None)
    depth = resnet_depth(shapes, "backbone.")
    outputs = shapes[f"{head}.fc.weight"][0] if head else 0
    if not depth or head is None or outputs == 1000:
        return None
    sigma = any(".flow_model." in key for key in shapes)
    joints, kind = outputs // (4 if sigma else 2), "_rle" if sigma else ""
    configs = (f"deeppose/res{depth}{kind}_{BY_JOINTS[joints]}.yaml",) if joints in BY_JOINTS else ()
    return Recognised(_mmpose(head), "ResNetRegression", {"depth": depth, "sigma": sigma}, joints, configs)


def resnet_depth(shapes: Shapes, trunk: str) -> int:
    """18, 34, 50, 101, 152, or 0 where it is no ResNet of these."""
    blocks = tuple(count(shapes, rf"{re.escape(trunk)}layer{group}\.(\d+)\.") for group in (1, 2, 3, 4))
    is_plain = f"{trunk}layer1.0.conv3.weight" not in shapes
    return RESNETS.get((is_plain, *blocks), 0) if has(shapes, f"{trunk}conv1.weight", 4) else 0


RESNETS = {
    (True, 2, 2, 2, 2): 18,
    (True, 3, 4, 6, 3): 34,
    (False, 3, 4, 6, 3): 50,
    (False, 3, 4, 23, 3): 101,
    (False, 3, 8, 36, 3): 152,
}


def openpose(shapes: Shapes) -> Optional[Recognised]:
    """The names of tensorboy's program, or those of Caffe's layers as other programs keep them."""
    names = ("model1_1.8", "model1_2.8", "model2_1.0", r"model(\d)_1\.", "tensorboy")
    if "model1_1.8.weight" not in shapes:
        names = ("conv5_5_CPM_L1", "conv5_5_CPM_L2", "Mconv1_stage2_L1", r"Mconv7_stage(\d)_L1", "CMU's Caffe layers")
    affinity, confidence, refining, stage, source = names
    if not (has(shapes, f"{affinity}.weight", 4) and has(shapes, f"{confidence}.weight", 4)):
        return None
    options = {"stages": count(shapes, stage) + (source != "tensorboy"), "width": shapes[f"{affinity}.weight"][1] // 4}
    if f"{refining}.weight" in shapes:
        options["refining_kernel"] = shapes[f"{refining}.weight"][2]
    joints = shapes[f"{confidence}.weight"][0] - 1
    configs = ("openpose/vgg19_coco_368x368_cmu.yaml",) if joints == 18 else ()
    note = CAFFE_COLOURS if source == "tensorboy" else ""
    return Recognised(source, "OpenPose", options, joints, configs, note)


def _mmpose(head: str) -> str:
    return "mmpose 1.x" if head == "head" else "mmpose 0.x"


NETWORKS = (bearpaw, princeton, mmpose_hourglass52, hrnet, mmpose_cpm, mmpose_regression, openpose)
