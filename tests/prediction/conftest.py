"""Models, a detector and photos for the tests of predict.py."""

import cv2
import pytest
from detector_cases import export
from prediction_cases import HOURGLASS, OPENPOSE, photo, write_model
from test_finders import CENTRES


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        name: write_model(folder / f"{name}.pdparams", recipe)
        for name, recipe in (("one", HOURGLASS), ("everybody", OPENPOSE), ("centres", CENTRES))
    }


@pytest.fixture(scope="session")
def detector(tmp_path_factory):
    return export(tmp_path_factory.mktemp("detector"))


@pytest.fixture
def photos(tmp_path):
    """A folder of three photos, of which the second is damaged."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2, 10):
        cv2.imwrite(str(folder / f"{number}.png"), photo(number)[..., ::-1])
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:100])
    return folder
