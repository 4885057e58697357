"""A bright dot in a photo, a network that blurs crops into maps: the averaged peak must be the dot, at every scale."""

import cv2
import numpy as np
import paddle
import pytest
from paddle import nn

from paddle_pose import geometry
from paddle_pose.codecs.cpm import CPMHeatmap
from paddle_pose.codecs.gaussian import GaussianHeatmap
from paddle_pose.codecs.regression import Regression
from paddle_pose.data.crops import CropMaker
from paddle_pose.data.loader import Loader, evaluation_order
from paddle_pose.data.multi_scale import MultiScaleCrops
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.engine.multi_scale import ScaleAverage, crop_from_crop, resampler
from paddle_pose.engine.preprocess import Normaliser
from paddle_pose.errors import ConfigError
from paddle_pose.samples import Sample
from paddle_pose.skeletons import Skeleton

NORMALISE = Normaliser((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
PHOTO_WH, INPUT_WH, STRIDE = (240, 180), (256, 192), 8
SEVEN = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
# Red, green and blue dot of each person, centre and width of its region. The second's dots lie beyond the crop of
# scale 1.3 or on its edge; the last two regions leave the photo.
PEOPLE = (
    ([[100, 80], [131.3, 97.7], [90.6, 112.2]], (110.4, 95.3), 100.0),
    ([[67.2, 71.7], [166.0, 60.9], [118.5, 132.6]], (117.3, 96.6), 125.0),
    ([[21.4, 30.2], [45.9, 18.5], [12.7, 47.1]], (24.0, 33.0), 80.0),
    ([[230.1, 170.3], [203.2, 165.6], [226.5, 148.5]], (221.7, 160.1), 66.6),
)

INNER = [0, 2, 3]


class Dots:
    """The people above, each in a photo file of its own."""

    skeleton = Skeleton("dots", ("red", "green", "blue"), mirror_pairs=())

    def __init__(self, folder):
        self._folder = folder
        x, y = np.meshgrid(np.arange(PHOTO_WH[0]), np.arange(PHOTO_WH[1]))
        for index, (dots, _, _) in enumerate(PEOPLE):
            distances = [(x - dot[0]) ** 2 + (y - dot[1]) ** 2 for dot in dots]
            photo = np.stack([255 * np.exp(-d / (2 * 2.5**2)) for d in distances], -1)
            cv2.imwrite(str(folder / f"{index}.png"), np.rint(photo[..., ::-1]).astype(np.uint8))

    def __len__(self):
        return len(PEOPLE)

    def sample(self, index):
        dots, center, width = PEOPLE[index]
        size = np.array([width, 0.75 * width])
        everyone = np.ones(3, bool)
        return Sample(
            index, f"{self._folder}/{index}.png", np.array(dots, float), everyone, everyone, np.array(center), size
        )

    def cell_image(self):
        """(N,) photo pixels of one cell in the crop of scale 1."""
        return np.array([width / INPUT_WH[0] * STRIDE for _, _, width in PEOPLE])


@pytest.fixture(scope="module")
def dots(tmp_path_factory):
    return Dots(tmp_path_factory.mktemp("dots"))


def true_joints():
    return np.array([dots for dots, _, _ in PEOPLE], float)


class Blur(nn.Layer):
    """Crops (B, 3, H, W) -> maps (B, 3, h, w): a wide blur, read where the cells of a codec lie in the crop."""

    def __init__(self, first_crop, spacing_crop):
        super().__init__()
        self.sizes = []
        self.first, self.spacing = first_crop, spacing_crop

    def forward(self, images):
        self.sizes.append(tuple(images.shape))
        down, across = (self._taps(n, s) for n, s in zip(images.shape[2:], self.spacing[::-1]))
        maps = paddle.matmul(paddle.matmul(down, images), across, transpose_y=True)
        return [maps / float(maps.numpy().max())]

    def _taps(self, length, spacing):
        cells = self.first + spacing * np.arange(length // STRIDE)
        taps = np.exp(-((cells[:, None] - np.arange(length)) ** 2) / (2 * 11.0**2))
        return paddle.to_tensor(taps.astype("float32"))


def case(name):
    """A codec, and the network whose maps it decodes."""
    if name == "cpm":
        return CPMHeatmap((0, 1, 2), INPUT_WH, STRIDE, background=False), Blur(3.5, (8, 8))
    if name == "msra":
        return GaussianHeatmap((0, 1, 2), INPUT_WH, STRIDE, 1.5, "unbiased", "dark"), Blur(0.0, (8, 8))
    codec = GaussianHeatmap((0, 1, 2), INPUT_WH, STRIDE, 1.5, "udp", "udp")
    return codec, Blur(0.0, (255 / 31, 191 / 23))


def errors(dots, codec, network, scales, mirror_test=False, workers=0):
    """(N, 3) distance of found and true dots, in cells of the crop of scale 1."""
    make_crop = MultiScaleCrops(dots, INPUT_WH, codec.pixel_centres, scales)
    batches = Loader(make_crop, workers, 0).batches(evaluation_order(len(dots), 3))
    found = Evaluator(codec, NORMALISE, mirror_test, scales).predict(network, batches, len(dots), 3)
    return np.linalg.norm(found.joints_image - true_joints(), axis=-1) / dots.cell_image()[:, None]


@pytest.mark.parametrize("scales", [SEVEN, (0.7,), (1.3,), (0.8, 1.2), (1.0, 1.1)])
@pytest.mark.parametrize("name", ["msra", "cpm", "udp"])
def test_the_dot_is_found_within_a_tenth_of_a_cell(dots, name, scales):
    codec, network = case(name)
    far = errors(dots, codec, network, scales)
    assert far[INNER].max() < 0.1
    if scales != (1.3,):  # the one crop that there is does not hold the second's dots
        assert far[1].max() < 0.25  # its maps at 1.2 and 1.3 end there, or show what is left of a cut dot
    assert network.sizes[0] == (3, 3, INPUT_WH[1], INPUT_WH[0])
    assert len(network.sizes) == 2 * len(scales)


@pytest.mark.parametrize("scale", [0.7, 1.3])
@pytest.mark.parametrize(("name", "of_the_other"), [("msra", "cpm"), ("cpm", "msra")])
def test_a_wrong_place_of_the_cells_would_be_seen(dots, name, of_the_other, scale, monkeypatch):
    """Cells that are taken to be half a cell off move the peak by a third of that at these scales."""
    codec, network = case(name)
    wrong = case(of_the_other)[0].map_from_crop
    monkeypatch.setattr(type(codec), "map_from_crop", wrong)
    assert np.median(errors(dots, codec, network, (scale,))[INNER]) > 0.12


def test_a_wrong_centre_would_be_seen(dots, monkeypatch):
    import paddle_pose.engine.multi_scale as engine

    def about_the_corner(scale, input_wh, pixel_centres):
        return np.array([[scale, 0, 0], [0, scale, 0.0]])

    monkeypatch.setattr(engine, "crop_from_crop", about_the_corner)
    codec, network = case("msra")
    assert np.median(errors(dots, codec, network, (0.8,))) > 0.5


def test_mirrored_maps_are_averaged_before_they_are_resampled(dots):
    codec, network = case("udp")  # whose mirrored crops fit exactly
    assert errors(dots, codec, network, (0.8, 1.0, 1.2), mirror_test=True).max() < 0.1
    assert len(network.sizes) == 12


def test_workers_change_nothing(dots):
    codec, network = case("msra")
    assert np.array_equal(*(errors(dots, codec, network, SEVEN, workers=n) for n in (0, 2)))


@pytest.mark.parametrize("name", ["msra", "cpm", "udp"])
def test_scale_one_is_the_plain_test_to_the_last_bit(dots, name):
    codec, network = case(name)
    make_crop = CropMaker(dots, INPUT_WH, codec.pixel_centres)
    found = [
        Evaluator(codec, NORMALISE, True, *scales).predict(
            network, Loader(make_crop, 0, 0).batches(evaluation_order(4, 4)), 4, 3
        )
        for scales in ((), ((1.0,),))
    ]
    assert np.array_equal(found[0].joints_image, found[1].joints_image)
    assert np.array_equal(found[0].scores, found[1].scores)
    batch = next(Loader(make_crop, 0, 0).batches([np.arange(4)]))
    output = network(NORMALISE(batch.images, batch.color_gain))[-1]
    mirrored = codec.mirror(network(paddle.flip(NORMALISE(batch.images, batch.color_gain), axis=[3]))[-1])
    joints, scores = codec.decode((output + mirrored) * 0.5)
    np.testing.assert_allclose(found[0].scores, scores.numpy(), atol=1e-6)


def test_one_photo_is_read_once_and_its_crops_are_the_plain_ones(dots, monkeypatch):
    import paddle_pose.data.photos as photos

    monkeypatch.setattr(photos, "read_content", counted := Counted(photos.read_content))
    stack = MultiScaleCrops(dots, INPUT_WH, False, (1.3, 1.0, 0.7))(1, None)
    assert counted.calls == 1
    plain = CropMaker(dots, INPUT_WH, False)(1, None)
    assert stack.image.shape == (3 * INPUT_WH[1], INPUT_WH[0], 3)
    middle = stack.image[INPUT_WH[1] : 2 * INPUT_WH[1]].astype(int)
    assert np.abs(middle - plain.image).max() <= 1
    for attribute in ("crop_from_image", "joints_crop", "weight", "color_gain"):
        assert np.array_equal(getattr(stack, attribute), getattr(plain, attribute)), attribute


class Counted:
    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *arguments):
        self.calls += 1
        return self.function(*arguments)


def test_the_mean_is_over_the_scales_whose_crop_holds_a_cell():
    codec = GaussianHeatmap((0,), (32, 32), 4)
    mean = ScaleAverage(codec, (32, 32))
    for scale, value in ((1.0, 0.2), (2.0, 0.8)):
        mean.add(scale, paddle.full([1, 1, 8, 8], value))
    maps = (mean._total / paddle.to_tensor(np.maximum(mean._count, 1))).numpy()[0, 0]
    # At twice the size cell i is at 2 i - 4: cells 2 to 5 are in that crop.
    expected = np.full((8, 8), 0.2)
    expected[2:6, 2:6] = 0.5
    np.testing.assert_allclose(maps, expected, atol=1e-6)


def test_no_crop_holds_the_border_and_nothing_is_nan():
    codec = GaussianHeatmap((0,), (32, 32), 4)
    mean = ScaleAverage(codec, (32, 32))
    mean.add(2.0, paddle.full([1, 1, 8, 8], 0.3))
    joints, scores = mean.decode()
    assert np.isfinite(joints.numpy()).all()
    assert scores.item() == pytest.approx(0.3)


@pytest.mark.parametrize("target", ["box", "mmpose"])
@pytest.mark.parametrize("width", [2, 4])
def test_coordinates_are_brought_back_and_averaged(target, width):
    """A regressor that sees each joint where it is: at every scale the same joint of the photo."""
    codec = Regression((0, 1), (40, 30), target, sigma=width == 4)
    joints_crop = np.array([[[11.0, 7.0], [33.0, 20.5]]])
    mean = ScaleAverage(codec, (40, 30))
    for scale, sigma in ((0.8, 0.1), (1.2, 0.3)):
        scaled = geometry.apply(crop_from_crop(scale, (40, 30), codec.pixel_centres), joints_crop)
        output = (scaled - codec._shift) / codec._scale
        output = np.concatenate([output, np.full_like(output, sigma)], -1)[..., :width]
        mean.add(scale, paddle.to_tensor(output.astype("float32")))
    joints, scores = mean.decode()
    np.testing.assert_allclose(joints.numpy(), joints_crop, atol=1e-4)
    np.testing.assert_allclose(scores.numpy(), 1.0 if width == 2 else 0.8, atol=1e-6)


def test_maps_of_an_unknown_place_are_refused():
    class Unplaced:
        pixel_centres = False

    with pytest.raises(ConfigError, match=r"valid.test_scales: Unplaced cannot average its maps; use \[1.0\]"):
        ScaleAverage(Unplaced(), (32, 32)).add(0.8, paddle.zeros([1, 1, 8, 8]))


def test_resampling_by_nothing_is_the_identity():
    matrix, held = resampler(9, 1.0, 0.0)
    assert np.array_equal(matrix, np.eye(9))
    assert held.all()


def test_resampling_is_exact_for_a_parabola():
    matrix, held = resampler(12, 0.7, 1.65)
    place = 0.7 * np.arange(12) + 1.65
    assert held.all()
    np.testing.assert_allclose((matrix @ np.arange(12.0) ** 2)[:-1], (place**2)[:-1], atol=1e-9)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


def test_codecs_say_where_their_cells_are():
    assert np.array_equal(
        geometry.apply(CPMHeatmap((0,), (32, 32), 8).map_from_crop, np.array([[3.5, 11.5]])), [[0.0, 1.0]]
    )
    udp = GaussianHeatmap((0,), (32, 24), 4, target="udp").map_from_crop
    np.testing.assert_allclose(geometry.apply(udp, np.array([[0.0, 0.0], [31, 23]])), [[0, 0], [7, 5]], atol=1e-6)
