"""What HRNet's `lib/dataset/JointsDataset.py` does for a training sample, written anew: the same steps in its order.

One record (a dict of lists and small arrays) -> normalised image (3, H, W) float32, targets (K, h, w), weights (K, 1).
Tensors of torch are numpy arrays here: `ToTensor` and `Normalize` are the same passes over the pixels.
"""

import copy

import cv2
import numpy as np

MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
STD = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)
SCALE, ROTATION_DEG, ROTATION_CHANCE, MIRROR_CHANCE = 0.25, 30.0, 0.6, 0.5


class JointsDataset:
    """The people of one of our datasets, as records; `[k]` makes a sample.

    Args:
        dataset: the people.
        input_wh: crop width and height.
        map_wh: width and height of the targets.
        sigma_map: of a target's bump.
    """

    def __init__(self, dataset, input_wh=(256, 256), map_wh=(64, 64), sigma_map: float = 2.0) -> None:
        self._pairs = [(a, b) for a, b in enumerate(dataset.skeleton.mirror) if a < b]
        self._records = [_record(dataset.sample(person)) for person in range(len(dataset))]
        self._rng = np.random.default_rng(0)
        self._input_wh, self._map_wh, self._sigma = np.array(input_wh), np.array(map_wh), sigma_map

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
        record = copy.deepcopy(self._records[index])
        pixels = cv2.imread(record["image"], cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        joints, visible = record["joints"], record["visible"]
        center, side, angle = self._drawn(record["center"], record["side"])
        if self._rng.random() <= MIRROR_CHANCE:
            pixels = pixels[:, ::-1, :]  # a view, which OpenCV has to copy
            joints, visible = self._mirrored(joints, visible, pixels.shape[1])
            center[0] = pixels.shape[1] - center[0] - 1
        matrix = self._matrix(center, side, angle)
        crop = cv2.warpAffine(pixels, matrix, tuple(self._input_wh.tolist()), flags=cv2.INTER_LINEAR)
        image = _normalised(crop)
        for k in range(len(joints)):
            if visible[k, 0] > 0:
                joints[k, :2] = matrix @ np.array([joints[k, 0], joints[k, 1], 1.0])
        target, weight = self._target(joints, visible)
        record.update(joints=joints, visible=visible, center=center, side=side, rotation=angle)
        return image, target, weight, record

    def _drawn(self, center: np.ndarray, side: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        side = side * np.clip(self._rng.standard_normal() * SCALE + 1, 1 - SCALE, 1 + SCALE)
        angle = np.clip(self._rng.standard_normal() * ROTATION_DEG, -2 * ROTATION_DEG, 2 * ROTATION_DEG)
        return center, side, angle if self._rng.random() <= ROTATION_CHANCE else 0.0

    def _mirrored(self, joints: np.ndarray, visible: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
        joints[:, 0] = width - joints[:, 0] - 1
        for a, b in self._pairs:
            joints[a], joints[b] = joints[b].copy(), joints[a].copy()
            visible[a], visible[b] = visible[b].copy(), visible[a].copy()
        return joints * visible, visible

    def _matrix(self, center: np.ndarray, side: np.ndarray, angle_deg: float) -> np.ndarray:
        """crop_from_image (2, 3) from three pairs of points."""
        width, height = self._input_wh
        turn = np.deg2rad(angle_deg)
        up = np.array([np.sin(turn), -np.cos(turn)]) * side[0] / 2
        source, target = np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32)
        source[0], source[1] = center, center + up
        target[0], target[1] = (width / 2, height / 2), (width / 2, height / 2 - width / 2)
        for points in (source, target):
            leg = points[0] - points[1]
            points[2] = points[1] + np.array([-leg[1], leg[0]])
        return cv2.getAffineTransform(source, target)

    def _target(self, joints: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(K, h, w) float32 bumps, drawn joint by joint within 3 sigma of the cell; (K, 1) weights."""
        weight = visible[:, :1].astype(np.float32)
        target = np.zeros((len(joints), self._map_wh[1], self._map_wh[0]), np.float32)
        reach, stride = self._sigma * 3, self._input_wh / self._map_wh
        for k in range(len(joints)):
            x, y = int(joints[k][0] / stride[0] + 0.5), int(joints[k][1] / stride[1] + 0.5)
            low, high = (int(x - reach), int(y - reach)), (int(x + reach + 1), int(y + reach + 1))
            if low[0] >= self._map_wh[0] or low[1] >= self._map_wh[1] or high[0] < 0 or high[1] < 0:
                weight[k] = 0
            elif weight[k] > 0.5:
                self._draw(target[k], low, high)
        return target, weight

    def _draw(self, target: np.ndarray, low: tuple[int, int], high: tuple[int, int]) -> None:
        steps = np.arange(0, 6 * self._sigma + 1, 1, np.float32)
        middle = len(steps) // 2
        bump = np.exp(-((steps - middle) ** 2 + (steps[:, None] - middle) ** 2) / (2 * self._sigma**2))
        columns = max(0, low[0]), min(high[0], int(self._map_wh[0]))
        rows = max(0, low[1]), min(high[1], int(self._map_wh[1]))
        target[rows[0] : rows[1], columns[0] : columns[1]] = bump[
            rows[0] - low[1] : rows[1] - low[1], columns[0] - low[0] : columns[1] - low[0]
        ]


def collated(samples: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A batch of samples."""
    return tuple(np.stack([sample[part] for sample in samples]) for part in range(3))


def _record(sample) -> dict:
    joints = np.zeros((len(sample.labelled), 3))
    joints[:, :2] = np.where(sample.labelled[:, None], sample.joints_image, 0.0)
    visible = np.zeros((len(sample.labelled), 3))
    visible[:, :2] = sample.labelled[:, None]
    side = np.full(2, sample.size_image_wh.max())
    center = sample.center_image_xy.copy()
    return {"image": sample.image_path, "center": center, "side": side, "joints": joints, "visible": visible}


def _normalised(crop: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [0, 1], less the mean, by the deviation: four passes."""
    image = np.ascontiguousarray(crop.transpose(2, 0, 1)).astype(np.float32)
    image /= 255
    image -= MEAN
    image /= STD
    return image
