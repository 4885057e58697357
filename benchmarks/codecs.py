"""Time from maps to joints and from joints to maps, beside public NumPy code with its loops over people and joints.

Decoding stands beside the same decoding of HRNet or mmpose, see `numpy_decoding.py`; drawing beside that of Simple
Baselines and the official HRNet, `lib/dataset/JointsDataset.py` (a patch for each joint), written anew here.

    python -m benchmarks.codecs

First both must say the same; then they take turns.
"""

import argparse
import os
import statistics
import time
from functools import partial

from benchmarks.comparison import Comparison, print_table

os.environ.setdefault("OMP_NUM_THREADS", "1")

INPUT, STRIDE, SIGMA = 256, 4, 2.0
CELLS = INPUT // STRIDE
LIMIT = 0.2  # of the time of the numpy way


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--people", type=int, default=64)
    flags.add_argument("--joints", type=int, default=16)
    flags.add_argument("--turns", type=int, default=30)
    arguments = flags.parse_args()

    from paddle_pose import runtime

    runtime.prepare_environment()
    import cv2
    import paddle

    cv2.setNumThreads(1)
    runtime.choose_device("cpu", 1)
    print(
        f"{arguments.people} people, {arguments.joints} maps of {CELLS}x{CELLS}, 1 thread, Paddle {paddle.__version__}"
    )
    scene = Scene(arguments.people, arguments.joints)
    print_table([*decoding_rows(scene, arguments.turns), drawing_row(scene, arguments.turns)])


class Scene:
    """B people in photos, their joints, and maps with noise as a network gives them."""

    def __init__(self, people: int, joints: int) -> None:
        import numpy as np
        import paddle

        from paddle_pose import geometry
        from paddle_pose.codecs.flat_maps import host_view

        rng = np.random.default_rng(0)
        self.mirror = tuple(range(joints))
        self.centers, self.widths = rng.uniform(200, 800, (people, 2)), rng.uniform(100, 600, people)
        self.crop_from_image = np.stack(
            [geometry.crop_matrix(center, width, 0, (INPUT,) * 2) for center, width in zip(self.centers, self.widths)]
        )
        self.joints_crop = rng.uniform(-20, INPUT + 20, (people, joints, 2)).astype(np.float32)
        drawn = drawn_in_a_loop(self.joints_crop, np.ones((people, joints)))[0]
        self.output = paddle.to_tensor(drawn + 0.02 * rng.standard_normal(drawn.shape).astype(np.float32))
        self.maps = host_view(self.output)  # the same memory, so that both find it equally warm in the cache

    def codec(self, refine: str = "quarter"):
        """Ours."""
        from paddle_pose.codecs.gaussian import GaussianHeatmap

        return GaussianHeatmap(self.mirror, (INPUT,) * 2, STRIDE, SIGMA, refine=refine)

    def decoded(self, codec):
        """Joints (B, K, 2) in photo pixels, as the evaluator gets them."""
        from paddle_pose import geometry

        joints_crop, scores = codec.decode(self.output)
        return geometry.apply(geometry.invert(self.crop_from_image), joints_crop.numpy()), scores.numpy()

    def decoded_in_a_loop(self, refine: str):
        """The same the NumPy way."""
        from benchmarks import numpy_decoding

        return numpy_decoding.decode(self.maps, self.centers, self.widths, refine)

    def drawn(self):
        """Target maps and weights."""
        import paddle

        return self.codec().encode(paddle.to_tensor(self.joints_crop), paddle.ones(self.joints_crop.shape[:2]))


def decoding_rows(scene: Scene, turns: int) -> list[Comparison]:
    rows = []
    for refine, beside, limit in (
        ("quarter", "quarter", LIMIT),
        ("argmax", "quarter", None),
        ("dark", "dark", None),
        ("udp", "udp", None),
    ):
        ways = partial(scene.decoded, scene.codec(refine)), partial(scene.decoded_in_a_loop, beside)
        if refine == beside:
            check_same(refine, *(way() for way in ways))
        rows.append(Comparison(f"maps to joints, {refine}", *in_turns(*ways, turns), f"numpy, {beside}", limit))
    return rows


def check_same(refine: str, ours, other) -> None:
    """Joints (B, K, 2) in photo pixels and scores (B, K) of both; the NumPy way blurs in float32."""
    import numpy as np

    apart = np.abs(ours[0] - other[0])
    if refine == "quarter":
        np.testing.assert_array_less(apart, 2e-3)
    print(f"{refine}: joints at most {apart.max():.1g} photo pixels apart, 99 % of them {np.quantile(apart, 0.99):.1g}")
    np.testing.assert_array_equal(ours[1], other[1])


def drawing_row(scene: Scene, turns: int) -> Comparison:
    import numpy as np

    def numpy_way():
        return drawn_in_a_loop(scene.joints_crop, np.ones(scene.joints_crop.shape[:2]))

    for ours, other in zip(scene.drawn(), numpy_way()):
        np.testing.assert_allclose(ours.numpy(), other, rtol=0, atol=1e-6)
    return Comparison("joints to maps", *in_turns(scene.drawn, numpy_way, turns), "numpy")


def in_turns(ours, other, turns: int) -> tuple[float, float]:
    """Median milliseconds of both, after two turns that warm things up; a busy machine is equally busy for both."""
    times = ([], [])
    for _ in range(turns + 2):
        for way, seconds in zip((ours, other), times):
            begun = time.perf_counter()
            way()
            seconds.append(time.perf_counter() - begun)
    return tuple(1000 * statistics.median(seconds[2:]) for seconds in times)


def drawn_in_a_loop(joints_crop, weight):
    """The numpy way: maps (B, K, h, w) and weights (B, K) from joints (B, K, 2), a patch for each joint."""
    import numpy as np

    people, joints = weight.shape
    weight, drawn = weight.astype(np.float32), []
    reach = int(3 * SIGMA)
    for person in range(people):
        maps = np.zeros((joints, CELLS, CELLS), np.float32)
        for joint in range(joints):
            x, y = (int(pixel / STRIDE + 0.5) for pixel in joints_crop[person, joint])
            left, top, right, bottom = x - reach, y - reach, x + reach + 1, y + reach + 1
            if left >= CELLS or top >= CELLS or right < 0 or bottom < 0:
                weight[person, joint] = 0
                continue
            along = np.arange(0, 2 * reach + 1, 1, np.float32)
            bump = np.exp(-((along - reach) ** 2 + (along[:, None] - reach) ** 2) / (2 * SIGMA**2))
            rows, columns = slice(max(0, top), min(bottom, CELLS)), slice(max(0, left), min(right, CELLS))
            if weight[person, joint] > 0.5:
                patch = bump[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
                maps[joint, rows, columns] = patch
        drawn.append(maps)
    return np.stack(drawn), weight


if __name__ == "__main__":
    main()
