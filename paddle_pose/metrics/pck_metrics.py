"""PCKh (MPII) and PCK (LSP, LSPET, FLIC) as metrics; the arithmetic is in pck.py.

Checked against published predictions: Tompson et al. on MPII (Mean 82.3367), Convolutional Pose Machines on
LSP (PCK@0.2 90.500) and on FLIC (elbow 97.589, wrist 95.030).

Differs from other code, on purpose:
- `Mean@0.1` is at 0.10. HRNet, Simple Baselines and PaddleDetection print the value at 0.11 under that name;
  it is the column `@0.11` here.
- <= everywhere, as in HRNet; mmpose 1.x, bearpaw and princeton-vl use <.
- FLIC's length comes from the truth; Convolutional Pose Machines' own script takes it from the prediction.
"""

from collections.abc import Sequence

import numpy as np

from paddle_pose.errors import ConfigError, DataError
from paddle_pose.metrics import pck
from paddle_pose.registry import METRICS
from paddle_pose.samples import Predictions, Report, Truth
from paddle_pose.skeletons import Skeleton

# Not in PCKh's Mean: HRNet lib/dataset/mpii.py masks [6:8].
_NOT_IN_MEAN = ("pelvis", "thorax")
_Curves = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


def _hits(
    predictions: Predictions, truth: Truth, yardstick: pck.Yardstick, last_percent: int
) -> tuple[np.ndarray, np.ndarray]:
    """(T, K) numbers of correct joints at the thresholds t / 100, and (K,) numbers of those that count."""
    labelled = np.asarray(truth.labelled, bool) & yardstick.counted[:, None]
    errors = pck.normalised_errors(predictions.joints_image, truth.joints_image, yardstick.length_image)
    return pck.hit_curve(errors, labelled, last_percent), labelled.sum(axis=0)


def _columns(series: np.ndarray, percents: Sequence[int], auc_percent: int) -> dict[str, float]:
    """Table row of a (T,) curve over thresholds t / 100: its value at some, its mean up to one."""
    row = {f"@{percent / 100:g}": float(series[percent]) for percent in percents}
    return {**row, "AUC": float(np.mean(series[: auc_percent + 1]))}


def _values(groups: dict[str, np.ndarray], mean: np.ndarray, percent: int) -> dict[str, float]:
    """What the `[EVAL]` line prints, from curves over thresholds t / 100."""
    values = {name: float(series[percent]) for name, series in groups.items()}
    return {**values, "Mean": float(mean[percent]), "Mean@0.1": float(mean[10])}


@METRICS.register("PCKh")
class PCKh:
    """PCKh@0.5: distance <= 0.5 x head size, where a dataset gives 0.6 x the diagonal of the head box.

    A person whose head size is not above zero stays in the counts and misses every joint.
    Groups are plain means of their joints; Mean pools all joints but pelvis and thorax (upper neck included).

    Args:
        skeleton: of both predictions and truth.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self._in_mean = [k for k, joint in enumerate(skeleton.joints) if joint not in _NOT_IN_MEAN]

    def value_names(self) -> tuple[str, ...]:
        """The groups, Mean, Mean@0.1."""
        return (*self.skeleton.groups, "Mean", "Mean@0.1")

    def check(self, truth: Truth) -> None:
        """DataError unless the truth has head sizes."""
        if truth.head_size_image is None:
            raise DataError("PCKh needs head sizes, and this ground truth has none: use the metric PCK")

    def __call__(self, predictions: Predictions, truth: Truth) -> Report:
        """Values in percent, with the rival means by name in the rows."""
        groups, means = self.curves(predictions, truth, 50)
        rows = {name: _columns(series, (50, 10, 11), 50) for name, series in {**groups, **means}.items()}
        ours = next(iter(means.values()))
        return Report(_values(groups, ours, 50), rows, self._rules(truth))

    def yardstick(self, truth: Truth) -> pck.Yardstick:
        """Half of a head size."""
        self.check(truth)
        everybody = np.ones(len(truth.labelled), bool)
        return pck.Yardstick(np.asarray(truth.head_size_image), everybody, 0.5, "head size")

    def curves(self, predictions: Predictions, truth: Truth, last_percent: int) -> _Curves:
        """Percent at thresholds 0.00, 0.01, ... last_percent / 100, each (T,), by name: groups; means, ours first."""
        pck.check_people(predictions, truth, self.skeleton)
        hits, counts = _hits(predictions, truth, self.yardstick(truth), last_percent)
        return pck.group_percents(self.skeleton, pck.percent(hits, counts)), self._means(hits, counts)

    def _means(self, hits: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Name -> (51,) curve of each mean in use; ours first."""
        some, every = self._in_mean, len(self.skeleton)
        plain = pck.plain_mean(pck.percent(hits, counts)[:, some])
        return {
            f"Mean, {len(some)} joints by count (ours, HRNet, mmpose)": pck.pooled_percent(hits[:, some], counts[some]),
            f"Mean, {len(some)} joints unweighted (bearpaw)": plain,
            f"Mean, {every} joints by count (princeton)": pck.pooled_percent(hits, counts),
        }

    def _rules(self, truth: Truth) -> str:
        no_head = int((~(np.asarray(truth.head_size_image) > 0)).sum())
        return (
            "PCKh: distance / head size <= 0.5 (inclusive), head size = 0.6 x diagonal of the head box; "
            f"Mean = hits / labelled joints, all together, of {len(self._in_mean)} joints "
            "(not pelvis, not thorax); Mean@0.1 the same at 0.10; Shoulder to Ankle = plain mean of left and "
            "right; @0.11 = what HRNet calls Mean@0.1; AUC = mean over the thresholds 0.00, 0.01, ... 0.50; "
            f"{len(truth.labelled)} people" + (f", {no_head} without a head size: all missed" if no_head else "")
        )


@METRICS.register("PCK")
class PCK:
    """PCK: distance <= threshold x the length between two joints of the truth (LSP, LSPET, FLIC: the torso).

    The usual rules: torso ("left_shoulder", "right_hip") at 0.2; ("right_shoulder", "left_hip") is the other
    diagonal; ("neck", "head_top") at 0.5 is head-normalised. Person- or observer-centric is not a choice made
    here: it is a property of the labels. A person without that length (an end is not labelled, or both ends
    are one point) is not counted, and the report says how many there are.
    Groups are plain means of left and right; Mean pools all joints.

    Args:
        skeleton: of both predictions and truth.
        length_between: the two joints, by name.
        threshold: a whole number of hundredths, 0.01 or more; inclusive.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        length_between: Sequence[str] = ("left_shoulder", "right_hip"),
        threshold: float = 0.2,
    ) -> None:
        unknown = [joint for joint in length_between if joint not in skeleton.joints]
        if unknown or len(set(length_between)) != 2:
            raise ConfigError(
                f"PCK: length_between must name two joints of {skeleton.name}, got {list(length_between)}"
            )
        self._percent = round(threshold * 100)
        if self._percent < 1 or abs(threshold * 100 - self._percent) > 1e-6:
            raise ConfigError(f"PCK: threshold must be a whole number of hundredths, as 0.2, got {threshold}")
        self.skeleton = skeleton
        self.length_between = tuple(length_between)

    def value_names(self) -> tuple[str, ...]:
        """The groups, Mean, Mean@0.1."""
        return (*self.skeleton.groups, "Mean", "Mean@0.1")

    def check(self, truth: Truth) -> None:
        """DataError unless somebody is labelled."""
        pck.check_labels(truth)

    def __call__(self, predictions: Predictions, truth: Truth) -> Report:
        """Values in percent; `Mean@0.1` at 0.10, whatever the threshold."""
        groups, means = self.curves(predictions, truth, max(self._percent, 10))
        percents = (self._percent, 10)
        rows = {name: _columns(series, percents, self._percent) for name, series in {**groups, **means}.items()}
        ours = next(iter(means.values()))
        return Report(_values(groups, ours, self._percent), rows, self._rules(self.yardstick(truth).counted))

    def yardstick(self, truth: Truth) -> pck.Yardstick:
        """The length between the two joints; those who have it are counted."""
        ends = [self.skeleton.index(joint) for joint in self.length_between]
        length = pck.distances(truth.joints_image[:, ends[0]], truth.joints_image[:, ends[1]])
        counted = np.asarray(truth.labelled, bool)[:, ends].all(axis=1) & (length > 0)
        return pck.Yardstick(length, counted, self._percent / 100, " to ".join(self.length_between))

    def curves(self, predictions: Predictions, truth: Truth, last_percent: int) -> _Curves:
        """Percent at thresholds 0.00, 0.01, ... last_percent / 100, each (T,), by name: groups; means, ours first."""
        pck.check_people(predictions, truth, self.skeleton)
        hits, counts = _hits(predictions, truth, self.yardstick(truth), last_percent)
        joints, every = pck.percent(hits, counts), len(self.skeleton)
        means = {
            f"Mean, {every} joints by count (ours)": pck.pooled_percent(hits, counts),
            f"Mean, {every} joints unweighted": pck.plain_mean(joints),
        }
        return pck.group_percents(self.skeleton, joints), means

    def _rules(self, counted: np.ndarray) -> str:
        lost = int((~counted).sum())
        threshold, (a, b) = f"{self._percent / 100:g}", self.length_between
        return (
            f"PCK: distance / length <= {threshold} (inclusive), length = true {a} to {b}; "
            f"Mean = hits / labelled joints, all together, of {len(self.skeleton)} joints; "
            "Mean@0.1 the same at 0.10; Shoulder, Elbow, ... = plain mean of left and right; "
            f"AUC = mean over the thresholds 0.00, 0.01, ... {self._percent / 100:.2f}; left and right "
            "(the person's own or the observer's) as in the labels; "
            f"{int(counted.sum())} people" + (f", {lost} not counted: no such length" if lost else "")
        )
