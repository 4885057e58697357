"""A network that gives the encoded maps of the true joints: what comes back must be the true joints of the photo."""

import numpy as np
import paddle
import pytest
from engine_cases import MIRROR, NUM_JOINTS, SIZE, TinyNet, filled, make_batch, make_codec
from paddle import nn

from paddle_pose.data.loader import Loader, evaluation_order
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.engine.preprocess import Normaliser
from paddle_pose.samples import Crop

NORMALISE = Normaliser((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
PEOPLE = 7


class Seer(nn.Layer):
    """Reads the joints that `painted` wrote into the first pixels of a crop, and draws their maps.

    A mirrored crop has them at the end of the first row: joints are mirrored as a mirror would show them.
    """

    def __init__(self, codec):
        super().__init__()
        self.codec, self.calls, self.modes = codec, [], []

    def forward(self, images):
        pixels = np.rint(images.numpy()[:, :, 0] * 255)  # (B, 3, W): the first row
        mirrored = bool((pixels[:, 0, -1] == 255).all() and (pixels[:, 2, -1] == 255).all())
        self.calls.append(mirrored)
        self.modes.append(self.training)
        row = pixels[:, :, ::-1] if mirrored else pixels
        joints = np.stack([row[:, 0, 1 : NUM_JOINTS + 1], row[:, 1, 1 : NUM_JOINTS + 1]], axis=-1) / 8
        if mirrored:
            joints[..., 0] = self.codec.input_wh[0] - 1 - joints[..., 0]
            joints = joints[:, list(MIRROR)]
        joints = paddle.to_tensor(joints.astype("float32"))
        return [self.codec.encode(joints, paddle.ones(joints.shape[:2]))[0]]


def painted(index, rng=None) -> Crop:
    """A crop that holds its own joints, in eighths of a pixel."""
    draw = np.random.default_rng((5, index))
    joints = draw.integers(8 * 4, 8 * (SIZE - 5), (NUM_JOINTS, 2))
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[0, 0] = 255
    image[0, 1 : NUM_JOINTS + 1, :2] = joints
    angle = draw.uniform(0, 6)
    turn = 0.5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Crop(
        image=image,
        joints_crop=(joints / 8).astype(np.float32),
        weight=np.ones(NUM_JOINTS, np.float32),
        crop_from_image=np.hstack([turn, draw.uniform(-50, 50, (2, 1))]),
        color_gain=np.ones(3, np.float32),
    )


class Painted:
    def __len__(self):
        return PEOPLE

    def __call__(self, index, rng):
        return painted(index)


def truth_image():
    """Joints in the photo: the crop's matrix solved, person by person."""
    joints = []
    for index in range(PEOPLE):
        crop = painted(index)
        matrix, shift = crop.crop_from_image[:, :2], crop.crop_from_image[:, 2]
        joints.append([np.linalg.solve(matrix, joint - shift) for joint in crop.joints_crop.astype(float)])
    return np.array(joints)


# Udp maps are drawn and mirrored without loss, so the mirrored output adds the same map once more.
@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("mirror_test", [False, True])
def test_true_maps_come_back_as_true_joints_of_the_photo(mirror_test, workers):
    codec = make_codec(target="udp", refine="udp", sigma_map=1.0, blur_kernel=3)
    network = Seer(codec)
    network.train()
    counts = []
    found = Evaluator(codec, NORMALISE, mirror_test).predict(
        network,
        Loader(Painted(), workers, 0).batches(evaluation_order(PEOPLE, 3)),
        PEOPLE,
        NUM_JOINTS,
        counts.append,
    )
    # A crop pixel is two photo pixels. The peak is interpolated between cells of 4 crop pixels; a tenth of a cell.
    np.testing.assert_allclose(found.joints_image, truth_image(), atol=0.8)
    assert np.abs(found.joints_image - truth_image()).mean() < 0.2
    assert found.scores.shape == (PEOPLE, NUM_JOINTS)
    assert (found.scores > 0.8).all()
    assert counts == [3, 3, 1]
    assert network.calls == ([False, True] * 3 if mirror_test else [False] * 3)
    assert not any(network.modes)
    assert network.training


def test_the_mirrored_output_counts_half():
    codec = make_codec(target="udp", refine="argmax")

    class OneSided(nn.Layer):
        calls = 0

        def forward(self, images):
            OneSided.calls += 1
            maps = np.zeros((1, NUM_JOINTS, 8, 8), "float32")
            if OneSided.calls == 1:
                maps[0, 0, 2, 6] = 0.5
            else:
                maps[0, 1, 3, 2] = 0.9  # un-mirrored: joint 0, column 7 - 2
            return [paddle.to_tensor(maps)]

    joints, scores = Evaluator(codec, NORMALISE, True).decode(OneSided(), make_batch([0]))
    assert scores[0, 0] == pytest.approx(0.45)  # half of 0.9
    np.testing.assert_allclose(joints[0, 0], np.array([5, 3]) * 31 / 7, rtol=1e-5)


def test_batch_norm_uses_and_keeps_its_running_statistics():
    network = filled(TinyNet(batch_norm=True))
    network.eval()
    codec = make_codec()
    evaluator = Evaluator(codec, NORMALISE, False)
    network.train()
    before = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}

    def joints(batch_size):
        batches = (make_batch(rows) for rows in evaluation_order(PEOPLE, batch_size))
        return evaluator.predict(network, batches, PEOPLE, NUM_JOINTS).joints_image

    np.testing.assert_allclose(joints(7), joints(1), atol=1e-3)  # with batch statistics these would differ widely
    assert network.training
    assert network.bn.training
    for name, tensor in network.state_dict().items():
        assert np.array_equal(tensor.numpy(), before[name]), name


def test_the_mode_is_restored_when_a_photo_is_bad():
    def batches():
        yield make_batch([0])
        raise ValueError("bad photo")

    network = filled(TinyNet())
    network.train()
    with pytest.raises(ValueError, match="bad photo"):
        Evaluator(make_codec(), NORMALISE, False).predict(network, batches(), 2, NUM_JOINTS)
    assert network.training
