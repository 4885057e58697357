"""LSP and LSPET as one dataset, on made-up files."""

import os

import numpy as np
import pytest
from scipy.io import savemat

from paddle_pose.data.lsp_and_lspet import LSPAndLSPET
from paddle_pose.errors import DataError
from paddle_pose.registry import DATASETS

DATA = os.environ.get("PADDLE_POSE_DATA", "")
SMALL = {"train_range": [0, 2], "valid_range": [2, 4]}


def people(count, first_x, flag):
    """(N, 14, 3): person i has joint k at 1-based (first_x + 10 i + k, 2 k + 1)."""
    joints = np.zeros((count, 14, 3))
    joints[..., 0] = first_x + 10 * np.arange(count)[:, None] + np.arange(14)
    joints[..., 1] = 2 * np.arange(14) + 1
    joints[..., 2] = flag
    return joints


@pytest.fixture
def root(tmp_path):
    """Four people in lsp/, three in lspet/; the observer-centric labels of LSP are 500 pixels away."""
    extended = people(3, 101, 1)
    extended[1, 6] = [-250.0, -100.0, 0]
    files = {
        "lsp/joints_PC.mat": people(4, 1, 0).transpose(2, 1, 0),
        "lsp/joints.mat": people(4, 501, 0).transpose(2, 1, 0),
        "lspet/joints.mat": extended.transpose(1, 2, 0),
    }
    for name, joints in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        savemat(tmp_path / name, {"joints": joints})
    return tmp_path


def test_the_extension_comes_first_then_the_training_rows_of_lsp(root):
    train = LSPAndLSPET(str(root), "train", **SMALL)
    names = [os.path.relpath(train.sample(k).image_path, root) for k in range(len(train))]
    assert names[:3] == [f"lspet/images/im0000{k}.jpg" for k in (1, 2, 3)]
    assert names[3:] == [f"lsp/images/im000{k}.jpg" for k in (1, 2)]
    assert (len(train), train.num_images) == (5, 5)
    assert [train.sample(k).joints_image[0, 0] for k in range(5)] == [100.0, 110.0, 120.0, 0.0, 10.0]


def test_the_test_people_are_lsps_alone_and_person_centric(root):
    valid = LSPAndLSPET(str(root), "valid", **SMALL)
    assert [os.path.relpath(valid.sample(k).image_path, root) for k in range(len(valid))] == [
        "lsp/images/im0003.jpg",
        "lsp/images/im0004.jpg",
    ]
    np.testing.assert_array_equal(valid.truth().joints_image[:, 0, 0], [20.0, 30.0])
    observer = LSPAndLSPET(str(root), "valid", joints_file="joints.mat", **SMALL)
    np.testing.assert_array_equal(observer.truth().joints_image[:, 0, 0], [520.0, 530.0])


def test_the_third_row_keeps_the_meaning_of_each_file(root):
    train = LSPAndLSPET(str(root), "train", **SMALL)
    assert np.flatnonzero(~train.sample(1).labelled).tolist() == [6]  # 0 in LSPET: not labelled
    assert train.sample(3).labelled.all()  # 0 in LSP: not occluded


def test_padding_is_that_of_both(root):
    train = LSPAndLSPET(str(root), "train", padding=2.0, **SMALL)
    for index in (0, 4):  # the joints span 13 x 26 pixels
        np.testing.assert_array_equal(train.sample(index).size_image_wh, [26.0, 52.0])


def test_the_report_says_who_was_seen(root):
    assert LSPAndLSPET(str(root), "train", **SMALL).protocol == (
        "LSPET train, photos 1-3 of joints.mat, box of the labelled joints x 1.25; "
        "LSP train, photos 1-2 of joints_PC.mat, box of the labelled joints x 1.25"
    )
    assert LSPAndLSPET(str(root), "valid", **SMALL).protocol.startswith("LSP valid, photos 3-4 of joints_PC.mat")


def test_the_photos_of_both_are_looked_for(root):
    for name in ("lsp/images/im0001.jpg", "lspet/images/im00002.jpg"):
        (root / name).parent.mkdir()
        (root / name).touch()
    with pytest.raises(DataError, match=r"holds 2 of 5 \(not there: lsp/images/im0002\.jpg, lspet/images/im00001"):
        LSPAndLSPET(str(root), "train", **SMALL).check_photos()


@pytest.mark.parametrize("missing", ["lsp", "lspet"])
def test_a_dataset_that_is_not_there_is_named(root, missing):
    os.rename(root / missing, root / "elsewhere")
    with pytest.raises(DataError, match=rf"{missing} is not a folder"):
        LSPAndLSPET(str(root), "train", **SMALL)
    moved = LSPAndLSPET(str(root), "train", **SMALL, **{f"{missing}_folder": "elsewhere"})
    assert len(moved) == 5


def test_ranges_that_share_people_are_refused(root):
    with pytest.raises(DataError, match="share people"):
        LSPAndLSPET(str(root), "train", train_range=[0, 3], valid_range=[2, 4])


def test_it_goes_by_its_name():
    assert DATASETS["LSPAndLSPET"] is LSPAndLSPET


@pytest.mark.skipif(
    not all(os.path.isfile(os.path.join(DATA, name)) for name in ("lsp/joints_PC.mat", "lspet/joints.mat")),
    reason="needs LSP and LSPET: set PADDLE_POSE_DATA to the folder that holds lsp/ and lspet/",
)
def test_on_the_real_files():
    lspet = DATASETS["LSPET"](os.path.join(DATA, "lspet"), "train")
    train, valid = (LSPAndLSPET(DATA, split) for split in ("train", "valid"))
    assert (len(train), len(valid)) == (len(lspet) + 1000, 1000)
    lsp = DATASETS["LSP"](os.path.join(DATA, "lsp"), "valid", joints_file="joints_PC.mat")
    np.testing.assert_array_equal(valid.truth().joints_image, lsp.truth().joints_image)
