"""A user's own joints, the whole way: annotation file and YAML -> training -> numbers -> a network without the files.

21 joints of hands, named in the YAML file; 4 corners of plates, named in the annotation file.
"""

import contextlib
import io
import json
import re
import shutil

import paddle
import pytest
from cli_cases import assert_one_error, best_model, eval_values, train, validate, write_config
from custom_cases import HAND, PLATE, hand_joints, plate_joints, write_dataset

from paddle_pose import load_network
from paddle_pose.builder import build, load_into
from paddle_pose.builder_data import build_dataset, resolve_skeleton, skeleton_of
from paddle_pose.config import check_config
from paddle_pose.engine.checkpoint import load_model
from paddle_pose.errors import CheckpointError, ConfigError, DataError
from paddle_pose.skeletons import COCO_17

FILES = {
    "train_annotations": "train.json",
    "valid_annotations": "valid.json",
    "train_photos": "train",
    "valid_photos": "valid",
}
HAND_SKELETON = {
    "name": "hand_21",
    "joints": HAND,
    "limbs": [[HAND[0], HAND[k]] if k % 4 == 1 else [HAND[k - 1], HAND[k]] for k in range(1, 21)],
    "mirror_pairs": [],
    "sigmas": 0.05,
}
HAND_CATEGORY = {"id": 7, "name": "hand", "keypoints": HAND}
PLATE_CATEGORY = {
    "id": 1,
    "name": "plate",
    "keypoints": PLATE,
    "skeleton": [[1, 2], [2, 3], [3, 4], [4, 1]],
    "sigmas": [0.05, 0.05, 0.06, 0.06],
    "flip_idx": [1, 0, 3, 2],
}


def settings(skeleton, category: str, root="nowhere", **sections) -> dict:
    """A configuration of a tiny network; `skeleton` None: the key is absent."""
    written = {} if skeleton is None else {"skeleton": skeleton}
    return {
        "input_wh": [64, 64],
        "dataset": {"type": "COCO", "root": str(root), "category": category, **FILES, **written},
        "metric": {"type": "COCOKeypoints"},
        "network": {"type": "StackedHourglass", "stacks": 1, "width": 16, "depth": 2},
        "codec": {"type": "GaussianHeatmap", "sigma_map": 1.5, "target": "unbiased", "refine": "dark"},
        "augment": {"type": "HRNet", "scale": 0.1, "rotation_deg": 0},
        "optimizer": {"type": "Adam", "lr": 1.0e-2},
        "schedule": {"type": "cosine", "warmup_steps": 3},
        "train": {"epochs": 2, "batch_size": 4, "workers": 0, "log_steps": 1000},
        "valid": {"batch_size": 8, "every_epochs": 100, "best": "AP"},
        **sections,
    }


def config_of(*arguments, **sections):
    return check_config(settings(*arguments, **sections), "here")


@pytest.fixture(scope="module")
def plates(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("plates"), PLATE_CATEGORY, plate_joints, train=16, valid=8)


@pytest.fixture(scope="module")
def hands(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("hands"), HAND_CATEGORY, hand_joints, train=12, valid=6)


class TestSettings:
    def test_without_the_key_it_is_coco(self):
        assert skeleton_of(config_of(None, "person")) is COCO_17
        config = config_of(None, "person")
        assert resolve_skeleton(config) == config

    def test_joints_in_yaml_need_no_file(self):
        config = config_of(HAND_SKELETON, "hand")
        assert resolve_skeleton(config) == config
        skeleton = skeleton_of(config)
        assert (skeleton.name, len(skeleton), skeleton.oks_sigmas[20]) == ("hand_21", 21, 0.05)

    def test_joints_of_the_file_are_written_out(self, plates):
        config = resolve_skeleton(config_of("annotation", "plate", plates))
        assert config.dataset.arguments["skeleton"]["joints"] == PLATE
        moved = config.model_copy(update={"dataset": config.dataset.model_copy(update={"root": "nowhere"})})
        assert resolve_skeleton(moved) == moved
        assert skeleton_of(moved).mirror == (1, 0, 3, 2)
        assert skeleton_of(moved).oks_sigmas == (0.05, 0.05, 0.06, 0.06)

    def test_yaml_completes_the_file(self, plates):
        config = resolve_skeleton(config_of({"sigmas": 0.1, "mirror_pairs": []}, "plate", plates))
        skeleton = skeleton_of(config)
        assert skeleton.joints == tuple(PLATE)
        assert (skeleton.mirror, skeleton.oks_sigmas) == ((0, 1, 2, 3), (0.1,) * 4)
        assert len(skeleton.limbs) == 4

    def test_the_dataset_gets_the_joints(self, plates):
        config = resolve_skeleton(config_of("annotation", "plate", plates))
        dataset = build_dataset(config, "valid")
        assert dataset.skeleton == skeleton_of(config)
        assert dataset.sample(0).joints_image.shape == (4, 2)

    def test_python_users_are_told_to_resolve(self, plates):
        for written in ("annotation", {"sigmas": 0.1}):
            with pytest.raises(ConfigError, match="resolve_skeleton reads them"):
                skeleton_of(config_of(written, "plate", plates))

    def test_a_dataset_with_its_own_joints(self):
        for written in ("annotation", HAND_SKELETON):
            config = config_of(None, "x", dataset={"type": "MPII", "root": "nowhere", "skeleton": written})
            with pytest.raises(ConfigError, match=r"dataset\.skeleton: MPII has joints of its own \(mpii_16\)"):
                build(resolve_skeleton(config))

    @pytest.mark.parametrize(
        ("written", "said"),
        [("anotation", "write `annotation`, or a mapping"), ({"joints": ["a", "a"]}, r"skeleton\.joints: a is there")],
    )
    def test_what_is_wrong_is_named(self, written, said):
        with pytest.raises(ConfigError, match=said):
            build(resolve_skeleton(config_of(written, "plate")))

    def test_the_file_is_missing(self):
        with pytest.raises(DataError, match=r"nowhere/train\.json: cannot read the joints"):
            resolve_skeleton(config_of("annotation", "plate"))
        config = config_of("annotation", "plate", dataset={"type": "COCO", "skeleton": "annotation"})
        with pytest.raises(ConfigError, match=r"dataset\.root is missing"):
            resolve_skeleton(config)


class TestMissing:
    """What a setting needs and the skeleton does not have."""

    joints = {"joints": PLATE}

    @pytest.mark.parametrize(
        ("mirror_probability", "mirror_test", "asked"),
        [
            (0.5, True, r"augment\.mirror_probability and valid\.mirror_test: "),
            (0.5, False, r"^augment\.mirror_probability: "),
            (0.0, True, r"^valid\.mirror_test: "),
        ],
    )
    def test_mirror_pairs(self, mirror_probability, mirror_test, asked):
        sections = {
            "augment": {"type": "HRNet", "mirror_probability": mirror_probability},
            "valid": {"mirror_test": mirror_test},
        }
        with pytest.raises(
            ConfigError, match=asked + r"nobody says .* of custom_4 .*mirror_pairs, or \[\] there if no"
        ):
            build(config_of(self.joints, "plate", **sections))
        build(config_of({**self.joints, "mirror_pairs": []}, "plate", **sections))

    def test_mirror_pairs_are_not_needed_where_nothing_is_mirrored(self):
        sections = {"augment": {"type": "HRNet", "mirror_probability": 0}, "valid": {"mirror_test": False}}
        assert build(config_of(self.joints, "plate", **sections)).skeleton.mirror_pairs is None
        build(config_of(self.joints, "plate", augment=None, valid={"mirror_test": False}))

    def test_an_upper_body(self):
        whole = {**self.joints, "mirror_pairs": []}
        for kind in ("HRNet", "MMPose"):
            augment = {"type": kind, "half_body_probability": 0.3}
            with pytest.raises(ConfigError, match="custom_4 has no upper body; name its joints"):
                build(config_of(whole, "plate", augment=augment))
            build(config_of({**whole, "upper_body": PLATE[:2]}, "plate", augment=augment))

    def test_sigmas(self, plates, tmp_path, capsys):
        """Not before AP is to be computed, and before hours of training."""
        text = json.dumps(settings({**self.joints, "mirror_pairs": []}, "plate", plates))
        assert train(write_config(tmp_path, text), plates, tmp_path / "out") == 2
        assert_one_error(capsys.readouterr(), "custom_4", r"dataset\.skeleton\.sigmas", "0.05", "compar")
        assert not (tmp_path / "out").exists()

    def test_an_area_of_0(self, plates, tmp_path, capsys):
        root = tmp_path / "plates"
        shutil.copytree(plates, root)
        content = json.loads((root / "valid.json").read_text())
        content["annotations"][3]["area"] = 0
        (root / "valid.json").write_text(json.dumps(content))
        config = write_config(tmp_path, json.dumps(settings("annotation", "plate")))
        assert train(config, root, tmp_path / "out") == 2
        assert_one_error(capsys.readouterr(), r"valid\.json", "annotation 4", "area 0")


def run(folder, root, *arguments, epochs: int):
    """(checkpoint, what training printed); the data are moved to another place afterwards."""
    config = write_config(folder, json.dumps(settings(*arguments)))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert train(config, root, folder / "out", "--opts", f"train.epochs={epochs}") == 0
    return best_model(folder / "out"), printed.getvalue()


@pytest.fixture(scope="module")
def plate_run(plates, tmp_path_factory):
    return run(tmp_path_factory.mktemp("plate_run"), plates, "annotation", "plate", epochs=40)


@pytest.fixture(scope="module")
def hand_run(hands, tmp_path_factory):
    return run(tmp_path_factory.mktemp("hand_run"), hands, HAND_SKELETON, "hand", epochs=2)


def test_val_prints_the_value_of_training_with_the_users_joints(plate_run, plates, capsys):
    assert validate("--pretrained_model", plate_run[0]) == 0
    printed = capsys.readouterr().out
    values = eval_values(printed)
    assert values == pytest.approx(load_model(plate_run[0])[1]["values"], abs=1e-9, nan_ok=True)
    assert values["AP"] > 30
    assert "ground-truth boxes" in printed
    assert "OKS sigmas of plate_4: 0.05 to 0.06; " in printed
    for joint in PLATE:
        assert re.search(rf"^{joint} ", printed, re.M), joint


def test_pck_needs_two_joints_and_no_sigmas(plate_run, capsys):
    more = [
        "metric.type=PCK",
        "metric.length_between=[corner_nw, corner_se]",
        "metric.threshold=0.1",
        "valid.best=Mean",
    ]
    assert validate("--pretrained_model", plate_run[0], "--opts", *more) == 0
    values = eval_values(capsys.readouterr().out)
    assert set(values) == {"corner_nw/corner_ne", "corner_se/corner_sw", "Mean", "Mean@0.1"}
    assert values["Mean"] > 50
    assert validate("--pretrained_model", plate_run[0], "--opts", "metric.type=PCK") == 2
    assert_one_error(capsys.readouterr(), "length_between must name two joints of plate_4")


def test_every_joint_of_a_hand_has_a_row(hand_run, capsys):
    assert validate("--pretrained_model", hand_run[0]) == 0
    printed = capsys.readouterr().out
    for joint in HAND:
        assert re.search(rf"^{joint} ", printed, re.M), joint
    assert "OKS sigmas of hand_21: 0.05 for every joint; " in printed
    assert "AP" in eval_values(printed)


def test_the_network_loads_without_the_files(plate_run, plates, hand_run, tmp_path):
    away = tmp_path / "away"
    plates.rename(away)
    try:
        network = load_network(str(plate_run[0]))
    finally:
        away.rename(plates)
    assert network.skeleton.joints == tuple(PLATE)
    assert network.skeleton.mirror == (1, 0, 3, 2)
    assert network.skeleton.limb_pairs == ((0, 1), (1, 2), (2, 3), (3, 0))
    assert tuple(network(paddle.zeros([1, 3, 64, 64]))[-1].shape) == (1, 4, 16, 16)
    assert len(load_network(str(hand_run[0])).skeleton) == 21


def test_val_takes_another_root_and_writes_pictures(plate_run, plates, tmp_path, capsys):
    """The annotations of training are not needed any more, nor is the place where they were."""
    root = tmp_path / "elsewhere"
    shutil.copytree(plates, root)
    (root / "train.json").unlink()
    more = ["--dataset_root", root, "--save_pictures", tmp_path / "pictures", "--num_pictures", 2]
    assert validate("--pretrained_model", plate_run[0], *more) == 0
    capsys.readouterr()
    assert (tmp_path / "pictures" / "sheet.png").is_file()


def test_a_checkpoint_of_other_joints_is_refused(plate_run):
    """Of the same name and number, in another order."""
    written = {"name": "plate_4", "joints": PLATE[::-1], "mirror_pairs": []}
    with pytest.raises(CheckpointError, match="trained on joints .*corner_nw.*, the dataset has"):
        load_into(build(config_of(written, "plate")), plate_run[0])


def test_a_file_of_other_joints_is_refused(plate_run, hands, capsys):
    assert validate("--pretrained_model", plate_run[0], "--dataset_root", hands) == 2
    assert_one_error(capsys.readouterr(), r"valid\.json", "category")
