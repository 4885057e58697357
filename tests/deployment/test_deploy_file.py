"""deploy.yaml: what is written is read again, and what is damaged ends in one line."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import yaml

from paddle_pose import builder, geometry
from paddle_pose.config import load_config
from paddle_pose.deployment.deploy_file import DEPLOY_FILE, read_deploy_file, read_description, write_description
from paddle_pose.deployment.description import describe
from paddle_pose.errors import CheckpointError

ONE, EVERYBODY = ("joints", "scores"), ("maps",)
CONFIGS = {
    "hourglass/hg1_small_synthetic_96x96.yaml": ONE,
    "hrnet/small_coco_overfit_96x128.yaml": ONE,  # udp: pixel centres
    "deeppose/small_synthetic_96x96.yaml": (*ONE, "maps"),
    "custom/hand_21_128x128.yaml": ONE,  # joints of a user
    "openpose/small_synthetic_group_128x128.yaml": EVERYBODY,
}


def of(name, mirror_test=False):
    return describe(builder.build(load_config(f"configs/{name}")), CONFIGS[name], mirror_test)


@pytest.fixture
def written(tmp_path):
    """A folder with a good file, and a function that changes its mapping."""
    write_description(tmp_path, of("hrnet/small_coco_overfit_96x128.yaml"))

    def change(edit):
        path = tmp_path / DEPLOY_FILE
        mapping = yaml.safe_load(path.read_text())
        edit(mapping)
        path.write_text(yaml.safe_dump(mapping))
        return tmp_path

    return change


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_written_is_read(name, tmp_path):
    description = of(name, mirror_test=True)
    write_description(tmp_path, description, {"source": {"checkpoint": "model.pdparams"}})
    assert read_description(tmp_path) == description
    assert read_deploy_file(tmp_path).facts == {"source": {"checkpoint": "model.pdparams"}}
    assert [path.name for path in tmp_path.iterdir()] == [DEPLOY_FILE]


@pytest.mark.parametrize("pixel_centres", [False, True])
def test_the_words_are_the_crop_that_is_cut(pixel_centres, tmp_path):
    description = dataclasses.replace(of("hrnet/small_coco_overfit_96x128.yaml"), pixel_centres=pixel_centres)
    write_description(tmp_path, description)
    text = " ".join(read_deploy_file(tmp_path).words["input"])
    matrix = geometry.crop_matrix(np.array([30.0, 50.0]), 200.0, 0.0, description.input_wh, False, pixel_centres)
    less = 1 if pixel_centres else 0
    assert f"{96 - less} / bw" in text
    assert np.isclose(matrix[0, 0], (96 - less) / 200)
    half = (96 - less) / 2, (128 - less) / 2
    assert f"s (x - cx) + {half[0]:g}, s (y - cy) + {half[1]:g}" in text
    assert np.allclose(geometry.apply(matrix, np.array([[30.0, 50.0]])), [half])


def edited(*keys, value):
    def edit(mapping):
        for key in keys[:-1]:
            mapping = mapping[key]
        if value is None:
            del mapping[keys[-1]]
        else:
            mapping[keys[-1]] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (edited("form", value=2), "newer"),
        (edited("form", value="one"), "form"),
        (edited("finds", value="nobody"), "finds"),
        (edited("input", "wh", value=[0, 64]), "input.wh"),
        (edited("input", "wh", value=None), "input.wh"),
        (edited("input", "color_order", value="BGR"), "input.color_order"),
        (edited("crop", "border", value=[0, 0, 300]), "crop.border"),
        (edited("crop", "padding", value=float("inf")), "crop.padding"),
        (edited("outputs", value=[]), "outputs"),
        (edited("outputs", value=["joints", "joints"]), "twice"),
        (edited("outputs", value=["joints", "secrets"]), "outputs"),
        (edited("outputs", value=["scores", "joints"]), "where finds is one, they are ['joints', 'scores', 'maps']"),
        (edited("outputs", value=["maps"]), "where finds is one"),
        (edited("finds", value="everybody"), "where finds is everybody, they are ['maps']"),
        (edited("skeleton", "joints", value=["nose", "nose"]), "nose is there twice"),
        (edited("skeleton", "limbs", value=[["nose", "tail"]]), "tail"),
        (edited("skeleton", "sigmas", value=[0.1]), "sigmas"),
        (edited("skeleton", "groups", value={"Tail": ["tail"]}), "tail"),
        (edited("skeleton", "redundant_limbs", value=[["nose", "left_wrist"]]), "redundant_limbs"),
        (edited("stride", value=4), "unknown key 'stride'"),
        (edited("network", value=None), "'network' is missing"),
        (edited("config", "train", value={"epochs": -1}), "epochs"),
    ],
)
def test_a_wrong_value_ends_in_one_line_with_its_key(written, edit, said):
    folder = written(edit)
    with pytest.raises(CheckpointError) as caught:
        read_description(folder)
    assert said in str(caught.value)
    assert DEPLOY_FILE in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"- 1\n- 2\n", "list"),
        (b"", "NoneType"),
        (b"a: [1\n", "YAML"),
        (b"\xff\xfe\x00", "YAML"),
        (b"[" * 3000, "YAML"),
        (b"!!python/object/apply:os.getcwd []", "YAML"),
        (b"form: 2001-99-99", "YAML"),
    ],
)
def test_damaged_files(content, said, tmp_path):
    (tmp_path / DEPLOY_FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match=said):
        read_description(tmp_path)


def test_folders_that_hold_no_model(tmp_path):
    with pytest.raises(CheckpointError, match="no such folder"):
        read_description(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="it has no deploy.yaml"):
        read_description(tmp_path)
    (tmp_path / DEPLOY_FILE).mkdir()
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_description(tmp_path)


def test_reading_needs_no_paddle():
    code = "import sys, paddle_pose.deployment.deploy_file; sys.exit('paddle' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
