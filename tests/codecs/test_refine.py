"""The batched peak refinements against plain loops over single maps (numpy and OpenCV)."""

import cv2
import numpy as np
import paddle
import pytest

from paddle_pose.codecs import blur
from paddle_pose.codecs.gaussian import GaussianHeatmap

H, W = 24, 18


def maps_with_peaks_everywhere():
    """(B, K, H, W): a blob on every second cell, borders and corners included, a ridge, and empty maps.

    Again with peaks about where UDP (0.001) and DARK (1e-10) clip, after scaling back to the old maximum.
    """
    rng = np.random.default_rng(0)
    y, x = np.indices((H, W))
    centres = [(cx + a, cy + b) for cx in range(0, W, 2) for cy in range(0, H, 2) for a, b in [rng.random(2)]]
    blobs = [np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 8) for cx, cy in centres]
    maps = np.array(blobs) + 0.02 * rng.standard_normal((len(blobs), H, W))
    ridge = 65 * np.exp(-((x - 8) ** 2) / 800 - (y - 12.3) ** 2 / 0.5)  # flat in x once clipped to UDP's 50
    edges = [ridge, -1 - rng.random((H, W)), np.zeros((H, W)), np.full((H, W), 0.5)]
    return np.concatenate([maps, 0.0011 * maps, 1.1e-10 * maps, edges]).astype("float32").reshape(-1, 4, H, W)


@pytest.fixture(params=["as on a CPU", "as on a GPU"])
def device(request, monkeypatch):
    """By NumPy on the tensor's memory, or by Paddle's operations."""
    if request.param == "as on a GPU":
        monkeypatch.setattr("paddle_pose.codecs.flat_maps.host_view", lambda maps: None)


def decode(maps, refine):
    """Joints (B, K, 2) in cells, and scores, by the codec under test."""
    codec = GaussianHeatmap(range(4), (W * 4, H * 4), 4, refine=refine)
    joints, scores = codec.decode(paddle.to_tensor(maps))
    return joints.numpy() / 4, scores.numpy()


def loop(maps, step):
    """The same, one map after the other; `step(map, x, y)` -> (dx, dy)."""
    joints = np.zeros((*maps.shape[:2], 2))
    for b, k in np.ndindex(*maps.shape[:2]):
        y, x = np.unravel_index(maps[b, k].argmax(), (H, W))
        if maps[b, k, y, x] > 0:
            joints[b, k] = np.add((x, y), step(maps[b, k], x, y))
    return joints


def quarter_step(m, x, y):
    if not (1 < x < W - 1 and 1 < y < H - 1):
        return 0, 0
    return 0.25 * np.sign(m[y, x + 1] - m[y, x - 1]), 0.25 * np.sign(m[y + 1, x] - m[y - 1, x])


def blurred(m):
    soft = cv2.GaussianBlur(m.astype("float64"), (11, 11), 0, borderType=cv2.BORDER_CONSTANT)
    return soft * m.max() / soft.max()


def dark_step(m, x, y):
    if not (1 < x < W - 2 and 1 < y < H - 2):
        return 0, 0
    m = np.log(np.maximum(blurred(m), 1e-10))
    gradient = [(m[y, x + 1] - m[y, x - 1]) / 2, (m[y + 1, x] - m[y - 1, x]) / 2]
    dxx = (m[y, x + 2] - 2 * m[y, x] + m[y, x - 2]) / 4
    dyy = (m[y + 2, x] - 2 * m[y, x] + m[y - 2, x]) / 4
    dxy = (m[y + 1, x + 1] - m[y - 1, x + 1] - m[y + 1, x - 1] + m[y - 1, x - 1]) / 4
    return -np.linalg.solve([[dxx, dxy], [dxy, dyy]], gradient) if dxx * dyy != dxy * dxy else (0, 0)


def udp_step(m, x, y):
    m = np.pad(np.log(np.clip(blurred(m), 0.001, 50)), 1, mode="edge")
    x, y = x + 1, y + 1
    gradient = [(m[y, x + 1] - m[y, x - 1]) / 2, (m[y + 1, x] - m[y - 1, x]) / 2]
    dxx = m[y, x + 1] - 2 * m[y, x] + m[y, x - 1]
    dyy = m[y + 1, x] - 2 * m[y, x] + m[y - 1, x]
    sides = m[y, x + 1] + m[y + 1, x] + m[y, x - 1] + m[y - 1, x]
    dxy = (m[y + 1, x + 1] + m[y - 1, x - 1] + 2 * m[y, x] - sides) / 2
    hessian = np.array([[dxx, dxy], [dxy, dyy]]) + np.finfo(np.float32).eps * np.eye(2)
    return -np.linalg.solve(hessian, gradient)


@pytest.mark.parametrize(
    ("refine", "step", "off"),
    [
        ("argmax", lambda m, x, y: (0, 0), 0),
        ("quarter", quarter_step, 0),
        ("dark", dark_step, 1e-4),
        ("udp", udp_step, 1e-4),
    ],
)
@pytest.mark.usefixtures("device")
def test_equals_a_loop(refine, step, off):
    maps = maps_with_peaks_everywhere()
    joints, scores = decode(maps, refine)
    np.testing.assert_allclose(joints, loop(maps, step), atol=off)
    np.testing.assert_array_equal(scores, maps.max((2, 3)))


def odd_maps():
    """NaN and infinities at the peak, beside it and far from it; ties; noise; zeros."""
    rng = np.random.default_rng(1)
    maps = rng.standard_normal((4, 4, H, W)).astype("float32")
    maps[0, 0, 3, 4], maps[0, 1, 0, 0], maps[0, 2], maps[0, 3, -1, -1] = np.nan, np.nan, np.nan, -np.inf
    maps[1, 0, 3, 4], maps[1, 1, 5:8, 5:8], maps[1, 2], maps[1, 3] = np.inf, np.inf, np.inf, -np.inf
    maps[2] = np.floor(maps[2])
    maps[3, :3] = np.array([0, -0.0, 1e30])[:, None, None]
    return maps


@pytest.mark.parametrize("refine", ["argmax", "quarter", "dark", "udp"])
@pytest.mark.parametrize("maps", [maps_with_peaks_everywhere(), odd_maps()], ids=["peaks", "odd"])
def test_a_cpu_and_a_gpu_find_the_same(refine, maps, monkeypatch):
    """To the last bit without a blur; blurred maps differ by the rounding of float64, in float32 seldom seen."""
    joints, scores = decode(maps, refine)
    monkeypatch.setattr("paddle_pose.codecs.flat_maps.host_view", lambda maps: None)
    other, other_scores = decode(maps, refine)
    np.testing.assert_allclose(joints, other, rtol=1e-6, atol=1e-6 if refine in ("dark", "udp") else 0)
    np.testing.assert_array_equal(scores, other_scores)


@pytest.mark.parametrize("refine", ["dark", "udp"])
def test_on_a_cpu_only_maps_that_may_be_clipped_are_blurred_as_a_whole(refine, monkeypatch):
    whole, blurred_whole = [], blur._all_blurred
    monkeypatch.setattr(blur, "_all_blurred", lambda maps, *more: whole.append(maps) or blurred_whole(maps, *more))
    y, x = np.indices((H, W))
    clear = np.exp(-((x - 8.3) ** 2 + (y - 9.6) ** 2) / 8).astype("float32")
    maps = np.broadcast_to(clear, (2, 4, H, W)).copy()
    maps[1, 2:] = 0
    np.testing.assert_allclose(decode(maps, refine)[0][0], [[8.3, 9.6]] * 4, atol=0.02)
    assert [len(one[0]) for one in whole] == [2]
    np.testing.assert_array_equal(whole[0][0], maps[1, 2:])


@pytest.mark.parametrize("refine", ["dark", "udp"])
def test_it_does_not_matter_how_many_maps_are_blurred_at_once(refine, monkeypatch):
    maps = maps_with_peaks_everywhere()
    many = decode(maps, refine)[0]
    monkeypatch.setattr(blur, "_MAPS_AT_ONCE", 3)
    np.testing.assert_array_equal(decode(maps, refine)[0], many)


@pytest.mark.parametrize("refine", ["argmax", "quarter", "dark", "udp"])
@pytest.mark.usefixtures("device")
def test_a_map_without_a_positive_value_is_0_0_and_keeps_its_score(refine):
    """HRNet's rule; the last three maps are all negative, all zero, flat."""
    joints, scores = decode(maps_with_peaks_everywhere(), refine)
    assert joints[-1, 1:3].tolist() == [[0, 0], [0, 0]]
    assert scores[-1, 1] < -1
    assert scores[-1, 2:].tolist() == [0, 0.5]


def test_the_first_of_equal_peaks_is_taken():
    maps = np.zeros((1, 4, H, W), "float32")
    maps[0, :, 5, 7] = maps[0, :, 5, 9] = maps[0, :, 6, 3] = 1
    assert decode(maps, "argmax")[0][0].tolist() == [[7, 5]] * 4
