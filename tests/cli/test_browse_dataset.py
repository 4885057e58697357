"""scripts/browse_dataset.py: pictures of samples as the network sees them."""

import os
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest
from cli_cases import CONFIG, ROOT, assert_one_error, write_config

from paddle_pose.cli.browse_dataset import describe_view, main
from paddle_pose.data.augment import View
from paddle_pose.data.crops import view_matrix

PLAIN = View(np.array([50.0, 40.0]), np.array([100.0, 100.0]))
SEEN = {
    "as in evaluation": {},
    "mirrored": {"mirrored": True},
    "turned +20 deg": {"angle_deg": 20.0},
    "turned -35 deg": {"angle_deg": -35.0},
    "mirrored, turned +20 deg": {"angle_deg": 20.0, "mirrored": True},
    "region x 1.25": {"size_image_wh": np.array([125.0, 125.0])},
    "moved -10 %, +5 %": {"center_image_xy": np.array([60.0, 35.0])},
}


@pytest.mark.parametrize("pixel_centres", [False, True])
@pytest.mark.parametrize("said", SEEN)
def test_what_augmentation_did(said, pixel_centres):
    facts = {"center_image_xy": PLAIN.center_image_xy, "size_image_wh": PLAIN.size_image_wh, **SEEN[said]}
    plain, seen = (view_matrix(view, (64, 64), pixel_centres) for view in (PLAIN, View(**facts)))
    assert describe_view(seen, plain, PLAIN.center_image_xy, (64, 64), np.ones(3)) == said
    assert describe_view(seen, plain, PLAIN.center_image_xy, (64, 64), np.array([1.1, 1, 0.9])).endswith(
        "colours x 1.10 1.00 0.90"
    )


def browse(dataset, folder, text=CONFIG, *more) -> int:
    config = write_config(folder, text)
    flags = ["--config", config, "--dataset_root", dataset, "--save_dir", folder / "out", "--device", "cpu", *more]
    return main([str(flag) for flag in flags])


def test_a_row_for_each_epoch_and_a_sheet(synthetic_mpii, tmp_path, capsys):
    assert browse(synthetic_mpii, tmp_path, CONFIG, "--num_samples", 3, "--epochs", 2) == 0
    names = sorted(os.listdir(tmp_path / "out"))
    assert len(names) == 4
    assert names[-1] == "sheet.png"
    assert all(re.fullmatch(r"\d{6}_\w+\.png", name) for name in names[:-1])
    picture = cv2.imread(str(tmp_path / "out" / names[0]))
    assert picture.shape == (2 * 256, 2 * 256, 3)  # crops of 64 four times as large; crop and heatmaps; two epochs
    assert (picture[:256] != picture[256:]).any()  # another draw
    assert cv2.imread(str(tmp_path / "out" / "sheet.png")).shape == (2 * 256, 4 * 256, 3)
    out = capsys.readouterr().out
    assert len(re.findall(r"^\d{6}_\w+: \w+\.jpg, epoch [12]: .*colours x", out, re.M)) == 6


def test_the_plain_split_and_a_regressor(synthetic_mpii, tmp_path, capsys):
    config = ROOT / "configs" / "deeppose" / "small_synthetic_96x96.yaml"
    flags = ["--config", config, "--dataset_root", synthetic_mpii, "--save_dir", tmp_path, "--split", "valid"]
    assert main([str(flag) for flag in [*flags, "--num_samples", 1]]) == 0
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (288, 288, 3)  # joints only
    assert "epoch 1: as in evaluation" in capsys.readouterr().out


def test_fields_of_a_bottom_up_codec(synthetic_coco, tmp_path):
    config = ROOT / "configs" / "openpose" / "small_synthetic_group_128x128.yaml"
    flags = ["--config", config, "--dataset_root", synthetic_coco, "--save_dir", tmp_path, "--num_samples", 1]
    assert main([str(flag) for flag in flags]) == 0
    height, width = cv2.imread(str(tmp_path / "sheet.png")).shape[:2]
    assert width == 3 * height  # crop, parts, limbs


def test_wrong_input_is_one_line(synthetic_mpii, tmp_path, capsys):
    assert browse(tmp_path / "nowhere", tmp_path) == 2
    assert_one_error(capsys.readouterr(), "nowhere")
    (tmp_path / "out").write_text("")
    assert browse(synthetic_mpii, tmp_path) == 2
    assert_one_error(capsys.readouterr(), "choose another folder")


def test_the_script_answers_without_anything_heavy():
    command = [sys.executable, "-X", "importtime", ROOT / "scripts" / "browse_dataset.py", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert "--epochs" in done.stdout
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert not imported & {"paddle", "cv2", "scipy", "matplotlib", "pydantic", "yaml"}


@pytest.mark.parametrize(("background", "bright"), [(False, True), (True, False)])
def test_the_map_of_the_background_is_not_shown(background, bright):
    from types import SimpleNamespace

    from paddle_pose.cli.photo_pictures import draw_maps

    maps = np.zeros((1, 3, 4, 4), np.float32)
    maps[:, -1] = 1.0
    parts = SimpleNamespace(codec=SimpleNamespace(background=background))
    picture = draw_maps(np.zeros((1, 8, 8, 3), np.uint8), maps, parts)["heatmaps"][0]
    assert (picture[..., 0] > picture[..., 2]).all() == bright  # red is high, blue is low
    assert draw_maps(np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 3, 2)), parts) == {}
