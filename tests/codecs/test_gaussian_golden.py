"""GaussianHeatmap against targets and decodings recorded from HRNet and mmpose (data/golden_codecs)."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import paddle
import pytest

from paddle_pose import geometry
from paddle_pose.codecs.gaussian import GaussianHeatmap

GOLDEN = Path(__file__).parents[1] / "data" / "golden_codecs"
MMPOSE = {
    "msra": {"target": "msra", "refine": "quarter"},
    "msra_unbiased": {"target": "unbiased", "refine": "dark"},
    "udp": {"target": "udp", "refine": "udp"},
}


@pytest.fixture(scope="module")
def mmpose():
    return np.load(GOLDEN / "codecs_mmpose.npz")


@pytest.fixture(scope="module")
def mpii():
    return np.load(GOLDEN / "mpii_crops_hrnet.npz")


def codec(name):
    return GaussianHeatmap(range(17), (192, 256), 4, **MMPOSE[name])


@pytest.mark.parametrize("name", MMPOSE)
def test_targets_of_mmpose(mmpose, name):
    maps, weight = codec(name).encode(*(paddle.to_tensor(mmpose[k]) for k in ("keypoints_crop", "visible")))
    golden = mmpose[f"{name}_heatmaps"]
    ours = maps.numpy()[0] if len(golden) == 17 else maps.numpy()[0, mmpose["joints"]]
    np.testing.assert_allclose(ours, golden, atol=1.2e-7)  # one rounding of a number below 1
    np.testing.assert_array_equal(weight.numpy(), mmpose[f"{name}_weights"])


@pytest.mark.parametrize("name", MMPOSE)
def test_decodings_of_mmpose(mmpose, name):
    joints, scores = codec(name).decode(paddle.to_tensor(mmpose[f"{name}_decode_input"][None]))
    golden = mmpose[f"{name}_decoded"].copy()
    if name == "udp":
        # mmpose 1.x multiplies by W / (w - 1) where its encoding divides by (W - 1) / (w - 1).
        golden *= np.array([191 / 192, 255 / 256])
    if name == "msra":
        # mmpose 1.x tests the border per axis and moves these two border peaks in y; 0.x and HRNet do not.
        golden[0, [0, 3], 1] += [1, -1]
    np.testing.assert_allclose(joints.numpy(), golden, atol=1e-3)
    np.testing.assert_array_equal(scores.numpy(), mmpose[f"{name}_scores"])


def test_decodings_of_hrnet():
    """Maps -> photo pixels, a map without a positive value included; photo coordinates in float32 there."""
    golden = np.load(GOLDEN / "decode_hrnet.npz")
    one = GaussianHeatmap(range(8), (256, 256), 4)
    joints, scores = one.decode(paddle.to_tensor(golden["heatmaps"]))
    matrix = geometry.crop_matrix(golden["center"][0], 200 * golden["scale"][0, 0], 0, (256, 256))
    joints_image = geometry.apply(geometry.invert(matrix), joints.numpy()[0].astype(float))
    np.testing.assert_allclose(joints_image, golden["joints_image"][0], atol=1e-3)
    np.testing.assert_array_equal(scores.numpy(), golden["score"])
    assert golden["score"].min() < 0


def test_targets_of_hrnet_on_mpii(mpii):
    """HRNet leaves unlabelled joints at (0, 0) untransformed; its weights before drawing are not recorded."""
    joints = mpii["joints_crop"].astype("float32")
    labelled = (joints != 0).any(-1).astype("float32")
    one = GaussianHeatmap(range(16), (256, 256), 4)
    maps, weight = one.encode(paddle.to_tensor(joints), paddle.to_tensor(labelled))
    np.testing.assert_allclose(maps.numpy(), mpii["target_sigma2"], atol=1.2e-7)
    np.testing.assert_array_equal(weight.numpy(), mpii["weight"])


def people(root, name):
    """Entries of both MPII annotation files for one photo."""
    files = (json.loads((root / "annot" / f"{part}.json").read_text()) for part in ("valid", "train"))
    return [entry for entries in files for entry in entries if entry["image"] == name]


@pytest.mark.skipif("PADDLE_POSE_DATA" not in os.environ, reason="PADDLE_POSE_DATA names no folder with mpii/")
class TestPhotos:
    @pytest.fixture(scope="class")
    def root(self):
        return Path(os.environ["PADDLE_POSE_DATA"]) / "mpii"

    def matrix(self, mpii, i):
        x, y, scale, angle = mpii["center_scale_rot"][i]
        return geometry.crop_matrix((x, y), 200 * scale, angle, (256, 256))

    def test_crops_of_hrnet(self, mpii, root):
        """OpenCV 4 and 5 differ by rounding: 2 grey levels, 0.1 on average."""
        for i, name in enumerate(mpii["image"]):
            photo = cv2.cvtColor(cv2.imread(str(root / "images" / name)), cv2.COLOR_BGR2RGB)
            crop = geometry.warp(photo, self.matrix(mpii, i), (256, 256))[mpii["rows"]].astype(int)
            off = np.abs(crop - mpii["crop_rows_rgb"][i])
            assert (off.max() <= 2, off.mean() < 0.1) == (True, True), (name, off.max(), off.mean())

    def test_joints_of_hrnet(self, mpii, root):
        """The person is the one whose centre is the recorded one: x - 1, and y + 15 scale - 1."""
        for i, name in enumerate(mpii["image"]):
            x, y, _, _ = mpii["center_scale_rot"][i]
            (person,) = (
                p
                for p in people(root, name)
                if np.allclose([p["center"][0] - 1, p["center"][1] + 15 * p["scale"] - 1], [x, y], atol=1e-3)
            )
            joints = geometry.apply(self.matrix(mpii, i), np.array(person["joints"], float) - 1)
            seen = np.array(person["joints_vis"]) > 0
            np.testing.assert_allclose(joints[seen], mpii["joints_crop"][i][seen], atol=1e-3)
