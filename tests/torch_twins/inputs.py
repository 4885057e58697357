"""What a network is fed, drawn once more without our code: normalised crops and targets, numpy in float64.

Of one batch: crops (B, H, W, 3) uint8, colour gain (B, 3), joints (B, K, 2) in crop pixels, labels (B, K). Each
function of targets returns them with their weights, as a codec's `encode` does.
"""

import numpy as np

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
IMAGENET_STD = np.array([0.229, 0.224, 0.225])


def normalised(crops, color_gain):
    """(B, 3, H, W)."""
    pixels = np.minimum(crops * color_gain[:, None, None, :].astype("f8"), 255)
    return ((pixels / 255 - IMAGENET_MEAN) / IMAGENET_STD).transpose(0, 3, 1, 2)


def heatmaps(joints, labels, wh, sigma=2.0, stride=4):
    """DARK's Gaussians around the unrounded joint; one that is 3 sigma off the map is not looked for."""
    cells = joints / stride
    size = np.array(wh) // stride
    weight = labels * np.all((cells - 3 * sigma < size) & (cells + 3 * sigma + 1 >= 0), -1)
    return _gaussians(cells, size, sigma) * (weight[..., None, None] > 0), weight


def belief_maps(joints, labels, wh, sigma=7.0, stride=8):
    """CPM's bumps, cut below 1 % (ln 100 = 4.6052), and the background; LSP photos have one labelled person."""
    size = np.array(wh) // stride
    maps = _gaussians((joints - (stride - 1) / 2) / stride, size, sigma / stride)
    maps = np.where(maps >= np.exp(-4.6052), maps, 0) * (labels[..., None, None] > 0)
    maps = np.concatenate([maps, 1 - maps.max(1, keepdims=True)], 1)
    return np.stack([maps, maps], 1), labels


def box_coordinates(joints, labels, wh):
    """DeepPose, Eq. 1, times two: -1 is the first pixel, +1 the last; outside there is nothing to find."""
    last = np.array(wh) - 1
    weight = labels * np.all((joints >= 0) & (joints <= last), -1)
    return np.where(weight[..., None] > 0, joints / last * 2 - 1, 0), weight


def _gaussians(centres, size, sigma):
    """(B, K, 2) in cells -> (B, K, h, w)."""
    down, across = np.mgrid[: size[1], : size[0]]
    x, y = centres[..., 0, None, None], centres[..., 1, None, None]
    return np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * sigma**2))
