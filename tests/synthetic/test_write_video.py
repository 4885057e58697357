"""The made video: equal by seed, limbs of constant length, truth that fits the pixels, people who stay and cross."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from paddle_pose.errors import DataError
from paddle_pose.media.videos import VideoSource
from paddle_pose.skeletons import COCO_17
from paddle_pose.synthetic import write_video as module
from paddle_pose.synthetic.clip import Clip, ClipRecipe
from paddle_pose.synthetic.command import main, parse_args
from paddle_pose.synthetic.write_video import write_video

RECIPE = ClipRecipe(seconds=1.0, people=2, seed=3, image_size=96, frame_rate=10)
LONG = ClipRecipe(seconds=10.0, people=3, seed=0, image_size=192)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    assert write_video(str(path), RECIPE)
    return path


def test_frames_and_truth_fit_together(made):
    source, truth = VideoSource(made), json.loads(made.with_suffix(".json").read_text())
    frames = list(source)
    assert (len(frames), source.frame_rate) == (10, 10.0)
    assert truth["info"]["frame_rate"] == 10
    assert [(i["id"], i["frame_index"], i["time_s"]) for i in truth["images"]] == [
        (n + 1, n, n / 10) for n in range(10)
    ]
    assert truth["categories"][0]["keypoints"] == list(COCO_17.joints)
    assert {(a["image_id"], a["person_id"]) for a in truth["annotations"]} == {
        (n, p) for n in range(1, 11) for p in (1, 2)
    }
    assert all((image["height"], image["width"]) == frames[0].image.shape[:2] == (72, 96) for image in truth["images"])
    for annotation in truth["annotations"]:
        keypoints = np.reshape(annotation["keypoints"], (17, 3))
        visible = keypoints[keypoints[:, 2] == 2, :2]
        left, top, width, height = annotation["bbox"]
        assert len(visible) > 3
        assert (visible >= (left - 1, top - 1)).all()
        assert (visible <= (left + width, top + height)).all()


def test_the_file_shows_what_was_rendered(made):
    rendered = Clip(RECIPE).frame(7)[0].astype(float)
    shown = [frame.image.astype(float) for frame in VideoSource(made)]
    errors = [np.abs(image - rendered).mean() for image in shown]
    assert int(np.argmin(errors)) == 7
    assert errors[7] < 8  # grey levels: what the codec costs


def test_the_same_seed_gives_the_same_frames_and_another_does_not():
    one, again, other = (Clip(replace(RECIPE, seed=seed)).frame(4) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one[0], again[0])
    assert (one[0] != other[0]).mean() > 0.5


def test_limbs_keep_their_lengths_and_nobody_jumps_or_leaves():
    clip = Clip(LONG)
    bodies = [clip.bodies(index) for index in range(0, LONG.num_frames, 3)]
    for number in range(3):
        points = {name: np.array([frame[number].points[name] for frame in bodies]) for name in bodies[0][0].points}
        for a, b in (("left_hip", "left_knee"), ("right_shoulder", "right_elbow"), ("pelvis", "thorax")):
            lengths = np.linalg.norm(points[a] - points[b], axis=1)
            np.testing.assert_allclose(lengths, lengths[0], rtol=1e-9)
        steps = np.linalg.norm(np.diff(points["pelvis"][:, :2], axis=0), axis=1)
        assert steps.max() < 0.15 * bodies[0][number].height  # in 0.12 s: below 1.25 heights a second
        assert (points["pelvis"][:, 0] > 0).all()
        assert (points["pelvis"][:, 0] < LONG.image_hw[1]).all()
        feet = np.max([points[f"{side}_toe"][:, 1] for side in ("left", "right")], axis=0)
        assert feet.max() < LONG.image_hw[0]


@pytest.mark.parametrize("seed", range(4))
def test_people_cross_but_nobody_is_hidden_for_long(seed):
    clip = Clip(replace(LONG, seed=seed))
    middles = np.array(
        [[body.points["pelvis"][0] / body.height for body in clip.bodies(i)] for i in range(0, LONG.num_frames, 5)]
    )
    apart = np.abs(middles[:, [0, 0, 1]] - middles[:, [1, 2, 2]])
    order = np.diff(np.sign(middles[:, [0, 0, 1]] - middles[:, [1, 2, 2]]), axis=0)
    assert (order != 0).sum() >= 3
    near = (apart < 0.15).any(axis=1)  # heights: the one behind is covered for the most part
    longest = max(len(run) for run in "".join("x" if each else " " for each in near).split(" "))
    assert longest * 0.2 <= 0.8


def test_one_person_walks_to_and_fro():
    clip = Clip(ClipRecipe(seconds=8, people=1, seed=1, image_size=96))
    x = [clip.bodies(index)[0].points["pelvis"][0] for index in range(0, 200, 10)]
    assert np.ptp(x) > 20


def test_the_same_again_does_nothing_and_other_arguments_are_refused(made):
    before = made.read_bytes()
    assert not write_video(str(made), RECIPE)
    for other in (replace(RECIPE, seed=9), replace(RECIPE, people=1), replace(RECIPE, seconds=2.0)):
        with pytest.raises(DataError, match="not made with these arguments"):
            write_video(str(made), other)
    assert made.read_bytes() == before


def test_a_foreign_file_is_left_alone(tmp_path, capsys):
    (tmp_path / "clip.mp4").write_text("mine")
    assert main(["--format", "video", "--root", str(tmp_path / "clip.mp4"), "--seconds", "1"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert os.listdir(tmp_path) == ["clip.mp4"]
    assert main(["--format", "video", "--root", str(tmp_path / "clip.avi"), "--seconds", "1"]) == 2
    assert main(["--format", "video", "--root", str(tmp_path / "x.mp4"), "--seconds", "0.001"]) == 2
    assert os.listdir(tmp_path) == ["clip.mp4"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch, stop):
    def interrupted(clip, progress):
        yield clip.frame(0)[0], []
        raise stop

    monkeypatch.setattr(module, "_frames", interrupted)
    with pytest.raises(stop):
        write_video(str(tmp_path / "clip.mp4"), RECIPE)
    assert os.listdir(tmp_path) == []


def test_the_command_says_what_it_did(tmp_path, capsys):
    words = [
        "--format",
        "video",
        "--root",
        str(tmp_path / "new" / "clip.mp4"),
        "--seconds",
        "0.2",
        "--image_size",
        "64",
    ]
    assert main(words) == 0
    assert "wrote 5 frames with 3 people" in capsys.readouterr().out
    assert main(words) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert sorted(os.listdir(tmp_path / "new")) == ["clip.json", "clip.mp4"]


@pytest.mark.parametrize(("flag", "value"), [("--seconds", "nan"), ("--people", "9"), ("--frame_rate", "0")])
def test_bad_arguments_end_with_code_2_and_name_the_flag(flag, value, capsys):
    with pytest.raises(SystemExit) as stop:
        parse_args(["--format", "video", "--root", "nowhere.mp4", flag, value])
    assert stop.value.code == 2
    assert flag in capsys.readouterr().err
