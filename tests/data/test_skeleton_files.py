"""Skeletons that users write in YAML, in a COCO category, or half here and half there."""

import json

import pytest

from paddle_pose.data.skeleton_files import complete
from paddle_pose.data.skeleton_settings import skeleton_from
from paddle_pose.errors import ConfigError, DataError

CORNERS = ["top_left", "top_right", "bottom_right", "bottom_left"]
WHERE = "dataset.skeleton"


def written(**keys):
    return skeleton_from({"joints": CORNERS, **keys}, WHERE)


def refused(**keys) -> str:
    with pytest.raises(ConfigError) as caught:
        written(**keys)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestYaml:
    def test_everything_is_used(self):
        skeleton = written(
            name="plate",
            mirror_pairs=[["top_left", "top_right"], ["bottom_left", "bottom_right"]],
            limbs=[["top_left", "top_right"]],
            sigmas=[0.02, 0.03, 0.04, 0.05],
            upper_body=["top_left", "top_right"],
        )
        assert skeleton.name == "plate"
        assert skeleton.joints == tuple(CORNERS)
        assert skeleton.mirror == (1, 0, 3, 2)
        assert skeleton.limb_pairs == ((0, 1),)
        assert skeleton.oks_sigmas == (0.02, 0.03, 0.04, 0.05)
        assert skeleton.upper_body_ids == (0, 1)
        assert list(skeleton.groups) == ["top", "bottom"]

    def test_joints_are_enough(self):
        skeleton = written()
        assert skeleton.name == "custom_4"
        assert skeleton.mirror_pairs is None
        assert skeleton.oks_sigmas is None

    def test_one_sigma_stands_for_all(self):
        assert written(sigmas=0.05).oks_sigmas == (0.05,) * 4
        assert written(sigmas=1).oks_sigmas == (1.0,) * 4

    def test_no_pairs(self):
        assert written(mirror_pairs=[]).mirror_pairs == ()

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"joints": []}, "skeleton.joints: there are none"),
            ({"joints": None}, "skeleton.joints: there are none"),
            ({"joints": ["a", " "]}, "skeleton.joints: a name is empty"),
            ({"joints": ["a", "b", "a"]}, "skeleton.joints: a is there twice"),
            ({"joints": ["a b", "a_b"]}, "skeleton.joints: a_b is there twice"),  # one name in reports
            ({"joints": [1, 2]}, "in quotes"),
            ({"joints": "corner"}, "a list of names"),
            ({"joints": ["left_a", "b"]}, "left_a has no partner right_a; mend the name, or give mirror_pairs"),
            (
                {"limbs": [["top_left", "middle"]]},
                "skeleton.limbs: there is no joint 'middle'; the joints are top_left",
            ),
            ({"limbs": [["top_left", "top_left"]]}, "skeleton.limbs: top_left is paired with itself"),
            ({"limbs": [[1, 2]]}, "a list of pairs of joint names"),
            ({"limbs": [["top_left"]]}, "a list of pairs of joint names"),
            ({"mirror_pairs": [["top_left", "middle"]]}, "skeleton.mirror_pairs: there is no joint 'middle'"),
            ({"mirror_pairs": [["top_left", "top_left"]]}, "skeleton.mirror_pairs: top_left is paired with itself"),
            (
                {"mirror_pairs": [["top_left", "top_right"], ["top_right", "bottom_left"]]},
                "skeleton.mirror_pairs: top_right is there twice",
            ),
            ({"mirror_pairs": False}, r"or \[\] if no joint has a partner"),
            ({"upper_body": ["head"]}, "skeleton.upper_body: there is no joint 'head'"),
            ({"sigmas": [0.1, 0.1]}, "skeleton.sigmas: 2 for 4 joints"),
            ({"sigmas": [0.1, 0.1, 0, 0.1]}, "skeleton.sigmas: 0 is not above 0"),
            ({"sigmas": -0.1}, "skeleton.sigmas: -0.1 is not above 0"),
            ({"sigmas": [0.1, 0.1, float("inf"), 0.1]}, "skeleton.sigmas="),
            ({"sigmas": float("nan")}, "skeleton.sigmas="),
            ({"sigmas": "wide"}, "one number for each joint"),
            ({"name": 5}, "write a text"),
            ({"flip_idx": [0]}, "skeleton.flip_idx: a skeleton has no such key; known: name, joints, mirror_pairs"),
        ],
    )
    def test_what_is_wrong_is_named(self, keys, said):
        with pytest.raises(ConfigError, match=said):
            written(**keys)
        assert refused(**keys).startswith("dataset.skeleton.")

    @pytest.mark.parametrize("value", ["file", ["top_left"], 4])
    def test_it_is_a_mapping(self, value):
        with pytest.raises(ConfigError, match="write `annotation`, or a mapping with `joints`"):
            skeleton_from(value, WHERE)


@pytest.fixture
def annotation(tmp_path):
    """Writes an annotation file with these categories, returns its path."""

    def write(*categories) -> str:
        path = tmp_path / "train.json"
        path.write_text(json.dumps({"images": [], "annotations": [], "categories": list(categories)}))
        return str(path)

    return write


def plate(**keys) -> dict:
    return {"id": 1, "name": "plate", "keypoints": CORNERS, **keys}


def whole(path, category="plate", **own):
    return skeleton_from(complete(own, path, category, WHERE), WHERE)


class TestCategory:
    def test_everything_is_used(self, annotation):
        limbs, sigmas = [[1, 2], [2, 3], [3, 4], [4, 1]], [0.02, 0.03, 0.04, 0.05]
        skeleton = whole(annotation(plate(skeleton=limbs, sigmas=sigmas, mirror_pairs=[[0, 1], [2, 3]])))
        assert skeleton.name == "plate_4"
        assert skeleton.joints == tuple(CORNERS)
        assert skeleton.limb_pairs == ((0, 1), (1, 2), (2, 3), (3, 0))
        assert skeleton.oks_sigmas == tuple(sigmas)
        assert skeleton.mirror == (1, 0, 3, 2)

    @pytest.mark.parametrize(
        "keys",
        [
            {"mirror_pairs": [["top_left", "top_right"], ["bottom_left", "bottom_right"]]},
            {"mirror_pairs": [[1, 0], [3, 2]]},
            {"flip_idx": [1, 0, 3, 2]},
        ],
    )
    def test_each_way_to_write_pairs(self, annotation, keys):
        assert whole(annotation(plate(**keys))).mirror == (1, 0, 3, 2)

    def test_no_joint_has_a_partner(self, annotation):
        assert whole(annotation(plate(mirror_pairs=[]))).mirror_pairs == ()
        assert whole(annotation(plate(flip_idx=[0, 1, 2, 3]))).mirror_pairs == ()
        assert whole(annotation(plate())).mirror_pairs is None

    def test_the_configuration_wins(self, annotation):
        path = annotation(plate(sigmas=0.5, mirror_pairs=[[0, 1]]))
        skeleton = whole(path, sigmas=0.05, mirror_pairs=[], name="sign")
        assert skeleton.oks_sigmas == (0.05,) * 4
        assert skeleton.mirror_pairs == ()
        assert skeleton.name == "sign"

    def test_the_configuration_mends_the_file(self, annotation):
        path = annotation(plate(keypoints=["left_a", "b"], sigmas=[1]))
        assert whole(path, sigmas=[1, 2], mirror_pairs=[["left_a", "b"]]).mirror == (1, 0)

    def test_which_category(self, annotation):
        path = annotation({"id": 2, "name": "car"}, plate(), {"id": 3, "name": "cup", "keypoints": ["rim", "foot"]})
        assert whole(path, "cup").joints == ("rim", "foot")
        assert whole(path).name == "plate_4"
        with pytest.raises(
            DataError, match="has no category named 'hand', it has car, plate, cup; set dataset.category"
        ):
            whole(path, "hand")
        with pytest.raises(DataError, match="has 2 categories named 'plate'"):
            whole(annotation(plate(), plate()))

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"keypoints": ["a", "a"]}, "joints: a is there twice"),
            ({"keypoints": [1, 2]}, "`keypoints` is not a list of names"),
            ({"keypoints": "tip"}, "`keypoints` is not a list of names"),
            ({"skeleton": [[0, 1]]}, "`skeleton` has 0; the positions of joints are 1 to 4 there"),
            ({"skeleton": [[1, 5]]}, "`skeleton` has 5"),
            ({"skeleton": [[1, 2, 3]]}, "`skeleton` is not a list of pairs"),
            ({"skeleton": {"a": 1}}, "`skeleton` is not a list of pairs"),
            ({"mirror_pairs": [[0, 4]]}, "`mirror_pairs` has 4; the positions of joints are 0 to 3 there"),
            ({"mirror_pairs": [[0, 1.5]]}, "`mirror_pairs` has 1.5"),
            ({"mirror_pairs": [["top_left", "middle"]]}, "mirror_pairs: there is no joint 'middle'"),
            ({"flip_idx": [1, 0, 3]}, "`flip_idx` is not a list of 4 positions"),
            ({"flip_idx": [1, 2, 3, 0]}, "that swaps pairs"),
            ({"sigmas": [0.1]}, "sigmas: 1 for 4 joints"),
            ({"sigmas": [0.1, 0.1, "x", 0.1]}, "neither a number nor a list"),
            ({"sigmas": float("nan")}, "neither a number nor a list"),
        ],
    )
    def test_what_is_wrong_is_named(self, annotation, keys, said):
        path = annotation(plate(**keys))
        with pytest.raises(DataError, match=said) as caught:
            whole(path)
        assert str(caught.value).startswith(f"{path}: category 'plate': ")
        assert "\n" not in str(caught.value)

    def test_what_the_user_wrote_is_the_users(self, annotation):
        with pytest.raises(ConfigError, match=r"dataset\.skeleton\.sigmas: 1 for 4 joints"):
            whole(annotation(plate()), sigmas=[0.1])

    def test_files_that_cannot_be_used(self, tmp_path):
        with pytest.raises(DataError, match=r"cannot read the joints \(No such file"):
            whole(str(tmp_path / "none.json"))
        path = tmp_path / "bad.json"
        for text, said in (
            ("{", "it is not JSON"),
            ("[]", "no list `categories`"),
            ("{}", "no list `categories`"),
            ('{"categories": [1]}', "no list `categories`"),
            ('{"categories": []}', "no category named 'plate', it has none"),
        ):
            path.write_text(text)
            with pytest.raises(DataError, match=said):
                whole(str(path))
