"""A drawn square is found where it is, once, through crop, network, peaks and back to the photo."""

import cv2
import numpy as np
import paddle

from paddle_pose.codecs.person_centre import PersonCentreHeatmap
from paddle_pose.data.crops import CropMaker
from paddle_pose.data.loader import Loader
from paddle_pose.data.person_centres import WholePhotos
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.engine.people_finder import PeopleFinder, without_doubles
from paddle_pose.engine.preprocess import Normaliser

INPUT_WH = (128, 128)


class Reader(paddle.nn.Layer):
    """Stands for a trained network: knows the photos' people by their number of grey levels in the corner."""

    def __init__(self, codec, people_crop):
        super().__init__()
        self._codec, self._people_crop = codec, people_crop

    def forward(self, images):
        number = int(images[0, 0].max() * 255 + 0.5) - 100
        people = paddle.to_tensor(self._people_crop[number])
        weight = paddle.ones(people.shape[:2]).unsqueeze(0)
        target, _ = self._codec.encode(people[:1], weight[:, 0], (people[1:].unsqueeze(0), weight[:, 1:]))
        return [target[:, 1]]


def person(x, y, size):
    return [[x, y], [x, y - size / 2]]


def test_people_come_back_in_photo_pixels(tmp_path):
    codec = PersonCentreHeatmap((0, 1), INPUT_WH, 8)
    wanted = [[(60.0, 80.0, 100.0), (190.0, 100.0, 70.0)], [(120.0, 60.0, 90.0), (121.0, 61.0, 92.0)]]
    paths = []
    for number in range(2):
        paths.append(str(tmp_path / f"{number}.png"))
        cv2.imwrite(paths[-1], np.full((160, 240, 3), 100 + number, np.uint8))  # 240 wide: crops are 0.533 of it
    make_crop = CropMaker(WholePhotos(paths), INPUT_WH, pixel_centres=False)
    crop_from_image = make_crop(0, np.random.default_rng(0)).crop_from_image
    people_crop = [
        np.array([person(*(crop_from_image @ (x, y, 1)), size * 128 / 240) for x, y, size in people], np.float32)
        for people in wanted
    ]
    evaluator = Evaluator(codec, Normaliser((0.0,) * 3, (1.0,) * 3), mirror_test=False)
    network = Reader(codec, people_crop)
    found = list(PeopleFinder(codec, evaluator).find(network, Loader(make_crop, 0, 0).batches([[0], [1]])))
    assert [index for index, _, _ in found] == [0, 1]
    squares = found[0][1][np.argsort(found[0][1][:, 0])]
    np.testing.assert_allclose(squares, wanted[0], atol=3)  # 0.2 cells of 15 photo pixels
    assert len(found[1][1]) == 1  # two in one place are one
    assert (found[0][2] > 0.5).all()


def test_doubles_are_those_that_overlap_a_surer_one():
    squares = np.array([[50, 50, 40], [52, 50, 40], [50, 88, 40], [50, 50, 20], [70, 50, 40]], float)
    # of the first the second shares 0.9, the third 2 of 40 rows, the fourth (inside) a quarter, the fifth a third
    assert without_doubles(squares, 0.5).tolist() == [0, 2, 3, 4]
    assert without_doubles(squares, 0.3).tolist() == [0, 2, 3]
    assert without_doubles(squares[:0], 0.5).tolist() == []
