import json
import logging

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from paddle_pose.data.prediction_files import read_predictions, write_predictions
from paddle_pose.errors import DataError
from paddle_pose.samples import Predictions
from paddle_pose.skeletons import LSP_14, MPII_16

PEOPLE, JOINTS = 5, 16
SUFFIXES = [".mat", ".npy", ".json"]


@pytest.fixture
def joints():
    return np.random.default_rng(0).uniform(0, 1900, (PEOPLE, JOINTS, 2))


@pytest.fixture
def scores():
    return np.random.default_rng(1).random((PEOPLE, JOINTS)).astype(np.float32)


def read(path):
    return read_predictions(path, PEOPLE, JOINTS, MPII_16)


def refused(path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message[len(f"{path}: ") :]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_reads_back(tmp_path, joints, scores, suffix):
    path = tmp_path / f"preds{suffix}"
    write_predictions(path, Predictions(joints, scores), MPII_16)
    found = read(path)
    # 1-based files cost one addition and one subtraction near 2000: 2 * 2**-43 < 1e-12.
    np.testing.assert_allclose(found.joints_image, joints, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found.scores, scores)
    assert found.joints_image.dtype == np.float64
    assert found.scores.dtype == np.float32
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_mat_is_1_based_as_hrnets_pred_mat(tmp_path, joints, scores):
    write_predictions(tmp_path / "pred.mat", Predictions(joints, scores))
    np.testing.assert_array_equal(loadmat(tmp_path / "pred.mat")["preds"], joints + 1.0)


def test_hrnets_pred_mat_is_read(tmp_path):
    preds = np.full((PEOPLE, JOINTS, 2), 101.0)
    savemat(tmp_path / "pred.mat", {"preds": preds})
    found = read(tmp_path / "pred.mat")
    assert (found.joints_image == 100.0).all()
    assert (found.scores == 1.0).all()


@pytest.mark.parametrize("people", [1, PEOPLE])
def test_pos_pred_src_is_read_with_its_own_axes(tmp_path, joints, people):
    columns = (joints[:people] + 1).transpose(1, 2, 0)
    # MATLAB saves (K, 2, 1) as (K, 2).
    savemat(tmp_path / "detections.mat", {"pos_pred_src": columns[..., 0] if people == 1 else columns})
    found = read_predictions(tmp_path / "detections.mat", people, JOINTS)
    np.testing.assert_allclose(found.joints_image, joints[:people], rtol=0, atol=1e-12)


def test_bytes_do_not_wrap_at_zero(tmp_path):
    savemat(tmp_path / "pred.mat", {"preds": np.zeros((PEOPLE, JOINTS, 2), np.uint8)})
    assert (read(tmp_path / "pred.mat").joints_image == -1.0).all()


def test_npy_is_0_based_with_or_without_scores(tmp_path, joints, scores):
    np.save(tmp_path / "a.npy", joints)
    np.save(tmp_path / "b.npy", np.concatenate([joints, scores[..., None]], axis=-1))
    np.testing.assert_array_equal(read(tmp_path / "a.npy").joints_image, joints)
    assert (read(tmp_path / "a.npy").scores == 1.0).all()
    np.testing.assert_array_equal(read(tmp_path / "b.npy").joints_image, joints)
    np.testing.assert_array_equal(read(tmp_path / "b.npy").scores, scores)


@pytest.mark.parametrize("index_base", [0, 1])
def test_json_states_its_index_base(tmp_path, joints, index_base):
    path = tmp_path / "preds.json"
    path.write_text(json.dumps({"index_base": index_base, "joints": joints.tolist()}))
    np.testing.assert_array_equal(read(path).joints_image, joints - index_base)


def test_json_bare_list_is_0_based(tmp_path, joints):
    path = tmp_path / "preds.json"
    path.write_text(json.dumps(joints.tolist()))
    np.testing.assert_array_equal(read(path).joints_image, joints)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_unknown_coordinates_are_kept_and_warned_of(tmp_path, joints, scores, suffix, caplog):
    joints[0, 3], joints[4, 5, 1] = np.nan, np.nan
    path = tmp_path / f"preds{suffix}"
    write_predictions(path, Predictions(joints, scores))
    with caplog.at_level(logging.WARNING):
        found = read(path)
    assert np.isnan(found.joints_image).sum() == 3
    assert caplog.messages == [f"{path}: 2 joints are not finite numbers: scored as misses"]


def test_json_file_is_strict_json(tmp_path, joints, scores):
    joints[0, 0] = np.nan, np.inf
    write_predictions(tmp_path / "preds.json", Predictions(joints, scores))
    content = json.loads((tmp_path / "preds.json").read_text(), parse_constant=pytest.fail)
    assert content["joints"][0][0] == [None, None]
    assert content["index_base"] == 0


def test_no_such_file(tmp_path):
    assert refused(tmp_path / "preds.mat") == "no such file"


def test_unknown_suffix(tmp_path):
    assert refused(tmp_path / "preds.pkl") == "predictions are read from .mat, .npy, .json, not from '.pkl'"
    with pytest.raises(DataError, match="written to .mat, .npy, .json, not to '.txt'"):
        write_predictions(tmp_path / "preds.txt", Predictions(np.zeros((1, 1, 2)), np.zeros((1, 1))))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x93NUMPY", b"\xff" * 300])
def test_damaged_file(tmp_path, suffix, content):
    path = tmp_path / f"preds{suffix}"
    path.write_bytes(content)
    assert "not a readable" in refused(path)


def test_truncated_file(tmp_path, joints, scores):
    for suffix in SUFFIXES:
        path = tmp_path / f"preds{suffix}"
        write_predictions(path, Predictions(joints, scores))
        path.write_bytes(path.read_bytes()[:500])
        assert "not a readable" in refused(path)


def test_npy_with_objects_is_not_unpickled(tmp_path):
    np.save(tmp_path / "preds.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "not a readable .npy array of numbers" in refused(tmp_path / "preds.npy")


def test_mat_without_predictions_lists_its_keys(tmp_path):
    savemat(tmp_path / "pred.mat", {"boxes": np.ones(3), "names": np.ones(3)})
    assert refused(tmp_path / "pred.mat").endswith("it has boxes, names")


def test_json_with_a_misspelt_key_lists_its_keys(tmp_path, joints):
    (tmp_path / "preds.json").write_text(json.dumps({"index": 1, "joints": joints.tolist()}))
    assert refused(tmp_path / "preds.json").endswith("it has index, joints")
    (tmp_path / "preds.json").write_text("3")
    assert refused(tmp_path / "preds.json").endswith("it has int")


def test_json_index_base_is_0_or_1(tmp_path, joints):
    (tmp_path / "preds.json").write_text(json.dumps({"index_base": 2, "joints": joints.tolist()}))
    assert refused(tmp_path / "preds.json") == "'index_base' must be 0 or 1, not 2"


def test_ragged_json(tmp_path):
    (tmp_path / "preds.json").write_text("[[[1, 2], [3]]]")
    assert refused(tmp_path / "preds.json") == "joints are not a full array of numbers"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((9, 16, 2), "9 predictions, but the ground truth has 5 people: wrong split?"),
        ((5, 14, 2), "14 joints a person, but the dataset has 16: wrong dataset?"),
        ((5, 16, 4), "joints of shape (5, 16, 4), not (5, 16, 2) or (5, 16, 3)"),
        ((16, 2), "joints of shape (16, 2), not (5, 16, 2) or (5, 16, 3)"),
    ],
)
def test_wrong_shapes(tmp_path, shape, message):
    np.save(tmp_path / "preds.npy", np.zeros(shape))
    assert refused(tmp_path / "preds.npy") == message


def test_scores_of_another_shape(tmp_path, joints):
    savemat(tmp_path / "preds.mat", {"preds": joints, "scores": np.ones((5, 3))})
    assert refused(tmp_path / "preds.mat") == "scores of shape (5, 3), but joints of shape (5, 16, 2)"


def test_text_is_not_coordinates(tmp_path):
    np.save(tmp_path / "preds.npy", np.full((5, 16, 2), "1"))
    assert refused(tmp_path / "preds.npy") == "joints are not a full array of numbers"


def test_joints_of_another_skeleton(tmp_path, joints, scores):
    write_predictions(tmp_path / "preds.json", Predictions(joints, scores), LSP_14)
    assert refused(tmp_path / "preds.json") == "joints of lsp_14, but the dataset has mpii_16"


def test_missing_folders_are_made(tmp_path, joints, scores):
    write_predictions(tmp_path / "a" / "b" / "preds.npy", Predictions(joints, scores))
    np.testing.assert_array_equal(read(tmp_path / "a" / "b" / "preds.npy").joints_image, joints)


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, joints, scores, monkeypatch):
    path = tmp_path / "preds.npy"
    write_predictions(path, Predictions(joints, scores))

    def disk_full(file, *args, **options):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", disk_full)
    with pytest.raises(DataError, match="cannot be written .No space left on device"):
        write_predictions(path, Predictions(joints + 1, scores))
    np.testing.assert_array_equal(read(path).joints_image, joints)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_folder_that_is_a_file_cannot_be_written_into(tmp_path, joints, scores):
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_predictions(tmp_path / "taken" / "preds.npy", Predictions(joints, scores))
