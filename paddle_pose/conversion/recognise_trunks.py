"""Keys and shapes of photo classifiers -> which trunk of ours they hold. None: it is not that one."""

from typing import Optional

from paddle_pose.conversion.recognise_networks import hrnet_options, resnet_depth
from paddle_pose.conversion.recognised import Recognised, Shapes, has

ALEXNET = {0: 64, 3: 192, 6: 384, 8: 256, 10: 256}  # place of a convolution -> its channels
VGG19 = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)  # places of the convolutions
ALEXNET_CONFIGS = ("deeppose/alexnet_torchvision_lspet_224x224.yaml",)
VGG19_CONFIGS = ("openpose/vgg19_coco_368x368_source.yaml",)


def alexnet(shapes: Shapes) -> Optional[Recognised]:
    """AlexNet of torchvision."""
    places = {int(key.split(".")[1]): shape[0] for key, shape in shapes.items() if _is_feature(key, shape)}
    if places != ALEXNET:
        return None
    return Recognised("torchvision's AlexNet", "DeepPose", {"variant": "torchvision"}, None, ALEXNET_CONFIGS)


def vgg19(shapes: Shapes) -> Optional[Recognised]:
    """VGG-19 of torchvision without batch normalisation, of which OpenPose has the first ten convolutions."""
    places = tuple(int(key.split(".")[1]) for key, shape in shapes.items() if _is_feature(key, shape))
    return Recognised("torchvision's VGG-19", "OpenPose", {}, None, VGG19_CONFIGS) if places == VGG19 else None


def resnet(shapes: Shapes) -> Optional[Recognised]:
    """ResNets of torchvision and timm, and of mmpretrain, with which mmpose begins."""
    for trunk, source in (("", "torchvision's"), ("backbone.", "mmpretrain's")):
        depth = resnet_depth(shapes, trunk)
        if depth and not any(".deconv_layers." in key for key in shapes):  # SimpleBaseline is no classifier
            configs = (f"deeppose/res{depth}_mpii_256x256.yaml", f"deeppose/res{depth}_coco_192x256.yaml")
            return Recognised(f"{source} ResNet-{depth}", "ResNetRegression", {"depth": depth}, None, configs)
    return None


def hrnet_imagenet(shapes: Shapes) -> Optional[Recognised]:
    """The authors' and timm's HRNets for ImageNet, and those files as mmpose has them."""
    if not has(shapes, "classifier.weight", 2) and "incre_modules.0.0.conv1.weight" not in shapes:
        return None
    if "stage2.0.branches.0.0.conv1.weight" not in shapes:
        return None
    options = hrnet_options(shapes)
    configs = (f"hrnet/w{options['width']}_mpii_256x256.yaml", f"hrnet/w{options['width']}_coco_192x256.yaml")
    return Recognised("HRNet, ImageNet (official / timm)", "HRNet", options, None, configs)


def _is_feature(key: str, shape: tuple[int, ...]) -> bool:
    return key.startswith("features.") and key.endswith(".weight") and len(shape) == 4 and key.count(".") == 2


TRUNKS = (alexnet, vgg19, hrnet_imagenet, resnet)
