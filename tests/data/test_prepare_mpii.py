import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from paddle_pose.data import mpii_official
from paddle_pose.data.mpii import MPII, OFFICIAL_COUNTS
from paddle_pose.errors import DataError

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = os.environ.get("PADDLE_POSE_DATA", "")
ANNOT = os.path.join(DATA, "mpii", "annot")
real_data = pytest.mark.skipif(
    not (DATA and os.path.isdir(ANNOT)),
    reason="needs MPII annotations: set PADDLE_POSE_DATA to the folder that holds mpii/annot",
)
EMPTY = np.zeros((0, 0))


def structs(items):
    """Dicts of the same keys -> MATLAB struct array 1 x n."""
    array = np.empty((1, len(items)), [(key, object) for key in items[0]])
    for place, item in enumerate(items):
        array[0, place] = tuple(item.values())
    return array


def points(joints, is_visible=1):
    """{id: (x, y)} -> annopoints; `is_visible` None: the field is absent."""
    seen = {} if is_visible is None else {"is_visible": is_visible}
    return structs([{"point": structs([{"x": x, "y": y, "id": k, **seen} for k, (x, y) in joints.items()])}])


def rect(joints, center=(594, 257), scale=3.0207, **changes):
    """One person; the head box is given in small unsigned integers, as MATLAB may store it."""
    base = {"x1": np.uint8(200), "y1": np.uint8(100), "x2": np.uint8(190), "y2": np.uint8(140)}
    position = structs([{"x": np.int16(center[0]), "y": np.int16(center[1])}])
    return {**base, "annopoints": points(joints), "scale": scale, "objpos": position, **changes}


def photo(name, rects, fields=None):
    rects = [{key: one[key] for key in fields or one} for one in rects]
    return {
        "image": structs([{"name": name}]),
        "annorect": structs(rects) if rects else EMPTY,
        "vididx": EMPTY,
    }


def release(path, photos, is_train=None):
    struct = {
        "annolist": structs(photos),
        "img_train": np.array([is_train or [1] * len(photos)], np.uint8),
        "version": "12",
        "single_person": EMPTY,
        "act": EMPTY,
        "video_list": EMPTY,
    }
    savemat(path, {"RELEASE": structs([struct])})
    return str(path)


ALL = {k: (10.0 * k + 1, 637.0204 - k) for k in range(16)}


@pytest.fixture
def validation(tmp_path, monkeypatch):
    """Makes the given (photo, centre) the validation people."""

    def choose(*people):
        keys = [mpii_official.validation_key(name, np.array(center, float)) for name, center in people]
        np.array(keys, ">u4").tofile(tmp_path / "validation.bin")
        monkeypatch.setattr(mpii_official, "VALIDATION_FILE", str(tmp_path / "validation.bin"))

    return choose


def test_a_person_becomes_hrnets_record(tmp_path):
    some = {k: ALL[k] for k in (9, 0, 3)}
    people, unusable = mpii_official.read_release(release(tmp_path / "m.mat", [photo("a.jpg", [rect(some)])]))
    assert unusable == 0
    assert len(people) == 1
    joints = [[-1.0, -1.0]] * 16
    joints[0], joints[3], joints[9] = [1.0, 637.02], [31.0, 634.02], [91.0, 628.02]
    visible = [1 if k in some else 0 for k in range(16)]
    expected = {
        "joints_vis": visible,
        "joints": joints,
        "image": "a.jpg",
        "scale": 3.021,
        "center": [594.0, 257.0],
    }
    assert people[0].record() == expected
    assert list(people[0].record()) == ["joints_vis", "joints", "image", "scale", "center"]
    assert json.loads(json.dumps(people[0].record())) == expected
    np.testing.assert_array_equal(people[0].head_box, [[200, 100], [190, 140]])
    assert people[0].head_box.dtype == np.float64


@pytest.mark.parametrize("is_visible", [1, 0, "1", "0", EMPTY, None, np.uint8(0)])
def test_is_visible_does_not_matter(tmp_path, is_visible):
    one = rect(ALL, annopoints=points(ALL, is_visible))
    people, _ = mpii_official.read_release(release(tmp_path / "m.mat", [photo("a.jpg", [one])]))
    assert people[0].labelled.all()


def test_mixed_quirks_of_the_release(tmp_path):
    whole, box_only = rect(ALL), ("x1", "y1", "x2", "y2")
    photos = [
        photo("nobody.jpg", []),
        photo("boxes.jpg", [whole, whole], box_only),
        photo("some.jpg", [rect(ALL, annopoints=EMPTY), rect({5: (7, 8)}), rect(ALL, scale=EMPTY)]),
        photo("no_position.jpg", [rect(ALL, objpos=EMPTY)]),
        photo("no_scale.jpg", [whole], (*box_only, "annopoints", "objpos")),
        photo("one.jpg", [whole]),
        photo("test.jpg", [whole]),
    ]
    path = release(tmp_path / "m.mat", photos, [1, 1, 1, 1, 1, 1, 0])
    people, unusable = mpii_official.read_release(path)
    assert [(person.photo_name, int(person.labelled.sum())) for person in people] == [
        ("some.jpg", 1),
        ("one.jpg", 16),
    ]
    assert unusable == 3


def test_the_split_is_by_person_and_keeps_the_rest_of_its_photos_out(tmp_path, validation):
    photos = [
        photo("t.jpg", [rect(ALL, (1, 2)), rect(ALL, (3, 4))]),
        photo("v.jpg", [rect(ALL, (5, 6)), rect(ALL, (7, 8))]),
        photo("w.jpg", [rect(ALL, (5, 6))]),
    ]
    validation(("w.jpg", (5, 6)), ("v.jpg", (7, 8)))
    people, _ = mpii_official.read_release(release(tmp_path / "m.mat", photos))
    parts = mpii_official.split(people)
    assert [(p.photo_name, *p.center_xy) for p in parts["train"]] == [("t.jpg", 1, 2), ("t.jpg", 3, 4)]
    assert [(p.photo_name, *p.center_xy) for p in parts["valid"]] == [("w.jpg", 5, 6), ("v.jpg", 7, 8)]
    assert mpii_official.counts_of(parts) == {"train": (1, 2), "valid": (2, 2)}


def test_what_is_written_is_what_the_dataset_reads(tmp_path, validation):
    half = {k: ALL[k] for k in range(8)}
    photos = [photo("t.jpg", [rect(ALL)]), photo("v.jpg", [rect(half)])]
    validation(("v.jpg", (594, 257)))
    parts = mpii_official.split(mpii_official.read_release(release(tmp_path / "m.mat", photos))[0])
    paths = mpii_official.write_annotations(parts, str(tmp_path / "annot"))
    assert sorted(os.listdir(tmp_path / "annot")) == sorted(os.path.basename(path) for path in paths)
    assert sorted(os.listdir(tmp_path / "annot")) == ["gt_valid.mat", "train.json", "valid.json"]
    valid, truth = MPII(str(tmp_path), "valid"), MPII(str(tmp_path), "valid").truth()
    np.testing.assert_array_equal(truth.labelled, valid.people.labelled)
    np.testing.assert_allclose(truth.joints_image[0, :8], valid.people.joints_image[0, :8], atol=0.0005)
    np.testing.assert_allclose(truth.head_size_image, [0.6 * np.hypot(10, 40)])
    assert MPII(str(tmp_path), "train").sample(0).joints_image[2].tolist() == [20.0, 634.02]
    mat = loadmat(tmp_path / "annot" / "gt_valid.mat")
    # As HRNet's evaluate looks joints up
    assert np.where(mat["dataset_joints"] == "head")[1][0] == 9
    assert np.where(mat["dataset_joints"] == "lwri")[1][0] == 15
    assert mat["pos_gt_src"][12].tolist() == [[0.0], [0.0]]


def test_bad_releases_are_named(tmp_path):
    path = tmp_path / "m.mat"
    with pytest.raises(DataError, match=r"m\.mat is missing; take mpii_human_pose"):
        mpii_official.read_release(str(path))
    savemat(path, {"other": 1})
    with pytest.raises(DataError, match="no struct RELEASE"):
        mpii_official.read_release(str(path))
    release(path, [photo("a.jpg", [rect(ALL)])], [1, 1])
    with pytest.raises(DataError, match="1 photos but img_train 2"):
        mpii_official.read_release(str(path))
    for joint in (16, -1):
        release(path, [photo("a.jpg", [rect({joint: (1, 2)})])])
        with pytest.raises(DataError, match=rf"a person of a\.jpg cannot be read \(joint id {joint}\)"):
            mpii_official.read_release(str(path))
    release(path, [photo("a.jpg", [rect(ALL)], ("annopoints", "scale", "objpos"))])
    with pytest.raises(DataError, match=r"a person of a\.jpg cannot be read"):
        mpii_official.read_release(str(path))


def run(*arguments):
    command = [sys.executable, str(REPOSITORY / "scripts" / "prepare_mpii.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


def test_the_command_fails_on_other_counts_and_marks_its_files(tmp_path):
    mat = release(tmp_path / "m.mat", [photo("a.jpg", [rect(ALL)])])
    done = run("--mat", mat, "--dataset_root", str(tmp_path / "mpii"))
    assert (done.returncode, done.stderr) == (1, "")
    assert "=> train: 1 photos, 1 people: FAIL, expected 14679 photos, 22246 people" in done.stdout
    assert "=> valid: 0 photos, 0 people: FAIL, expected 2729 photos, 2958 people" in done.stdout
    names = ["gt_valid.mat.unchecked", "train.json.unchecked", "valid.json.unchecked"]
    assert sorted(os.listdir(tmp_path / "mpii" / "annot")) == names


def test_the_command_passes_on_the_expected_counts(tmp_path, validation, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))
    import prepare_mpii

    validation(("v.jpg", (594, 257)))
    mat = release(tmp_path / "m.mat", [photo("t.jpg", [rect(ALL)]), photo("v.jpg", [rect(ALL)])])
    counts = {"train": (1, 1), "valid": (1, 1)}
    monkeypatch.setattr(mpii_official, "OFFICIAL_COUNTS", counts)
    arguments = ["--mat", mat, "--dataset_root", str(tmp_path / "mpii")]
    assert prepare_mpii.main(arguments) == 0
    assert capsys.readouterr().out.count("PASS") == 2
    assert len(MPII(str(tmp_path / "mpii"), "valid")) == 1
    assert prepare_mpii.main(arguments) == 2
    assert "exists already" in capsys.readouterr().err


def test_wrong_input_is_one_line_and_exit_code_2(tmp_path):
    done = run("--mat", str(tmp_path / "none.mat"), "--dataset_root", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("error: annotation file")
    assert done.stderr.count("\n") == 1


def test_the_stored_split_has_the_published_counts():
    keys = np.fromfile(mpii_official.VALIDATION_FILE, ">u4").reshape(-1, 2)
    assert (len(np.unique(keys[:, 0])), len(keys)) == OFFICIAL_COUNTS["valid"]
    assert tuple(keys[0]) == mpii_official.validation_key("005808361.jpg", np.array([966.0, 340.0]))


def person_of(record, head_box=((0.0, 0.0), (1.0, 1.0))):
    labelled = np.array(record["joints_vis"]) > 0
    center = np.array(record["center"])
    return mpii_official.Person(
        record["image"], np.array(record["joints"]), labelled, center, record["scale"], np.array(head_box)
    )


@real_data
def test_the_stored_split_is_that_of_the_published_files():
    published = {}
    for name in ("train", "valid"):
        with open(os.path.join(ANNOT, f"{name}.json"), encoding="utf-8") as file:
            published[name] = json.load(file)
    mixed = [person_of(record) for record in published["valid"][::-1] + published["train"]]
    parts = mpii_official.split(mixed)
    assert mpii_official.counts_of(parts) == OFFICIAL_COUNTS
    assert [person.record() for person in parts["valid"]] == published["valid"]
    assert [person.photo_name for person in parts["train"]] == [one["image"] for one in published["train"]]


@real_data
def test_published_people_survive_the_way_through_the_official_form(tmp_path):
    with open(os.path.join(ANNOT, "valid.json"), encoding="utf-8") as file:
        published = json.load(file)[:120]
    mat = loadmat(os.path.join(ANNOT, "gt_valid.mat"))
    boxes = mat["headboxes_src"][..., :120]
    photos = []
    for place, one in enumerate(published):
        joints = {k: point for k, point in enumerate(one["joints"]) if one["joints_vis"][k]}
        corners = dict(zip(("x1", "y1", "x2", "y2"), boxes[..., place].ravel().tolist()))
        photos.append(photo(one["image"], [rect(joints, one["center"], one["scale"], **corners)]))
    people, _ = mpii_official.read_release(release(tmp_path / "m.mat", photos))
    valid = mpii_official.split(people)["valid"]
    assert [person.record() for person in valid] == published
    truth = mpii_official.ground_truth(valid)
    np.testing.assert_array_equal(truth["jnt_missing"], mat["jnt_missing"][..., :120])
    np.testing.assert_allclose(truth["pos_gt_src"], mat["pos_gt_src"][..., :120], atol=0.001)
    np.testing.assert_allclose(truth["headboxes_src"], boxes)
    assert truth["jnt_missing"].dtype == mat["jnt_missing"].dtype
    names = [str(name[0]) for name in mat["dataset_joints"][0]]
    assert truth["dataset_joints"][0].tolist() == names
