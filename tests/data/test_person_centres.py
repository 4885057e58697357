import os

import numpy as np
import pytest

from paddle_pose.data.mpii import MPII
from paddle_pose.data.person_centres import PersonCentres, WholePhotos
from paddle_pose.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def both(synthetic_mpii):
    """The people, and the photos with their centres."""
    return MPII(str(synthetic_mpii), "train"), PersonCentres({"type": "MPII"}, str(synthetic_mpii), "train")


def test_every_photo_with_people_comes_once_with_all_of_them(both):
    people, photos = both
    assert len(photos) == photos.num_images == people.num_images
    seen = []
    for index in range(len(photos)):
        sample = photos.sample(index)
        everybody = np.concatenate([sample.joints_image[None], sample.others_image])
        assert sample.labelled.all()
        assert sample.others_labelled.all()
        np.testing.assert_array_equal(everybody, photos.truth().everybody[index])
        seen += everybody[:, 0].tolist()
    assert sorted(seen) == sorted(people.people.center_image_xy.tolist())


def test_a_person_is_the_middle_and_the_upper_edge_of_its_square(both):
    people, photos = both
    centre, edge = photos.sample(0).joints_image
    row = people.people_of_photo(0)[0]
    np.testing.assert_array_equal(centre, people.people.center_image_xy[row])
    np.testing.assert_allclose(centre - edge, [0, people.people.size_image_wh[row].max() / 2])


def test_the_region_is_the_photo(both):
    sample = both[1].sample(0)
    width, height = sample.size_image_wh
    assert max(width, height) == 128
    np.testing.assert_array_equal(sample.center_image_xy, [(width - 1) / 2, (height - 1) / 2])


def test_photos_of_nobody(both):
    path = both[1].image_path(0)
    sample = WholePhotos([path]).sample(0)
    assert not sample.labelled.any()
    assert sample.others_image.shape == (0, 2, 2)
    np.testing.assert_array_equal(sample.size_image_wh, both[1].sample(0).size_image_wh)


def test_missing_photos_are_told_of(both, tmp_path):
    photos = both[1]
    assert os.path.isfile(photos.image_path(0))
    photos.check_photos()
    folder = photos.people_dataset.photo_folder
    photos.people_dataset.photo_folder = str(tmp_path)
    try:
        with pytest.raises(DataError, match="photos are missing"):
            photos.check_photos()
    finally:
        photos.people_dataset.photo_folder = folder


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({}, "dataset.of needs a type"),
        ({"type": "MPI"}, "did you mean 'MPII'"),
        ({"type": "PersonCentres"}, "PersonCentres does not hold people"),
        ({"type": "MPII", "colour": 1}, "MPII does not take these settings .*colour"),
    ],
)
def test_a_wrong_section_is_refused_in_one_line(of, message, synthetic_mpii):
    with pytest.raises(ConfigError, match=message) as error:
        PersonCentres(of, str(synthetic_mpii), "train")
    assert "\n" not in str(error.value)
