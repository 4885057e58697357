import os

import numpy as np
import pytest
from scipy.io import loadmat
from synthetic_cases import IMAGE_SIZE, SEED, TRAIN, VALID

from paddle_pose.data.lsp import LSP, LSPET
from paddle_pose.skeletons import LSP_14
from paddle_pose.synthetic.scene import photo_rng, render_photo

COUNT = TRAIN + VALID


def main_person(index, whole):
    _, people = render_photo(photo_rng(SEED, index), IMAGE_SIZE, whole)
    return people[-1].of(LSP_14)


@pytest.mark.parametrize(("name", "pattern"), [("lsp", "im{:04d}.jpg"), ("lspet", "im{:05d}.jpg")])
def test_photos_are_numbered_from_one(datasets, name, pattern):
    assert sorted(os.listdir(datasets(name) / "images")) == [pattern.format(i + 1) for i in range(COUNT)]


def test_lsp_form(datasets):
    joints = loadmat(datasets("lsp") / "joints.mat")["joints"]
    assert joints.shape == (3, 14, COUNT)
    for index in (0, 7, COUNT - 1):
        joints_image, labelled, visible = main_person(index, whole=True)
        assert labelled.all()
        np.testing.assert_allclose(joints[:2, :, index].T, joints_image + 1, atol=1e-3)
        np.testing.assert_array_equal(joints[2, :, index] == 1, ~visible)
    assert 0 < joints[2].mean() < 0.4


def test_lspet_form(datasets):
    joints = loadmat(datasets("lspet") / "joints.mat")["joints"]
    assert joints.shape == (14, 3, COUNT)
    for index in (0, 7, COUNT - 1):
        joints_image, _, visible = main_person(index, whole=False)
        np.testing.assert_array_equal(joints[:, 2, index] == 1, visible)
        np.testing.assert_allclose(joints[visible, :2, index], joints_image[visible] + 1, atol=1e-3)
        assert (joints[~visible, :, index] == 0).all()
    assert 0.6 < joints[:, 2].mean() < 1


@pytest.mark.parametrize(("name", "dataset"), [("lsp", LSP), ("lspet", LSPET)])
def test_the_real_loaders_read_them(datasets, name, dataset):
    root = str(datasets(name))
    ranges = {"train_range": (0, TRAIN), "valid_range": (TRAIN, COUNT)}
    assert len(dataset(root, "train", **ranges)) == TRAIN
    valid = dataset(root, "valid", **ranges)
    assert len(valid) == VALID
    joints_image, _, visible = main_person(TRAIN + 2, whole=name == "lsp")
    sample = valid.sample(2)
    np.testing.assert_array_equal(sample.visible, visible)
    np.testing.assert_allclose(sample.joints_image[visible], joints_image[visible], atol=1e-3)
