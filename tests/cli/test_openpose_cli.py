"""Bottom-up by the commands: from photos to AP with a network that knows everything, and with one that learns a bit."""

import concurrent.futures
import contextlib
import io
import json
import math
import re
import shutil
import threading
from pathlib import Path

import numpy as np
import paddle
import pytest
from cli_cases import assert_one_error, best_model, eval_values, train, validate, write_config

import paddle_pose
from paddle_pose import geometry
from paddle_pose.builder import build, build_people_estimator
from paddle_pose.builder_data import build_dataset, build_metric
from paddle_pose.cli.photo_scorer import PhotoScorer, _gathered
from paddle_pose.config import load_config
from paddle_pose.data.photos import read_photo
from paddle_pose.engine.logger import Logger
from paddle_pose.errors import CheckpointError, ConfigError
from paddle_pose.samples import FoundPeople
from paddle_pose.skeletons import COCO_17

RECIPE = """
input_wh: [64, 64]
dataset: {type: COCOPhotos, root: nowhere}
metric: {type: COCOKeypoints}
normalise: {mean: [0, 0, 0], std: [1, 1, 1], border: [128, 128, 128]}
network: {type: OpenPose, stages: 1, widths: [4, 4, 4, 4], convs: [1, 1, 1, 1], width: 4, refining_kernel: 3,
  batch_norm: true, initial_std: null}
codec: {type: PartAffinity, sigma_crop: 5.0, limb_width_crop: 6.0,
  grouping: {peak_threshold: 0.02, min_score: 0.01, sample_ratio: 0.0, sample_threshold: -1}}
loss: {type: PartAffinityLoss}
optimizer: {type: Adam, lr: 1.0e-2}
schedule: {type: constant}
train: {epochs: 1, batch_size: 4, workers: 2, log_steps: 1000}
valid: {batch_size: 4, mirror_test: false, best: AP, photo_side: 96}
seed: 5
"""
# joint by joint in the test below, whatever the grouping's thresholds are
KNOWING = {"codec": {"sigma_crop": 7.0, "limb_width_crop": 8.0, "grouping": {"min_parts": 1, "min_score": 0.0}}}


@pytest.fixture(scope="module")
def run(synthetic_coco, tmp_path_factory):
    """(folder, configuration, what the command printed) of a finished run."""
    folder = tmp_path_factory.mktemp("openpose")
    config = write_config(folder, RECIPE)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert train(config, synthetic_coco, folder / "out") == 0
    return folder / "out", config, printed.getvalue()


class Knowing(paddle.nn.Layer):
    """Draws perfect maps of the photos of a dataset, which it knows by their pixels, mirrored ones too."""

    stride = 8

    def __init__(self, parts, dataset):
        super().__init__()
        self._config, self._mirror, self._known = parts.config, parts.skeleton.mirror, {}
        pyramid = build_people_estimator(parts).pyramid
        for index in range(len(dataset)):
            for level in pyramid(read_photo(dataset.image_path(index))):
                self._known[level.image.tobytes()] = dataset.sample(index), level, False
                self._known[level.image[:, ::-1].tobytes()] = dataset.sample(index), level, True

    def forward(self, images):
        pixels = np.rint(images.numpy().transpose(0, 2, 3, 1) * 255).astype(np.uint8)
        return [paddle.concat([self._maps(*self._known[image.tobytes()]) for image in pixels])]

    def _maps(self, sample, level, mirrored):
        joints = np.concatenate([sample.joints_image[None], sample.others_image])
        labelled = np.concatenate([sample.labelled[None], sample.others_labelled])
        joints = geometry.apply(level.input_from_image, joints)
        height, width = level.image.shape[:2]
        if mirrored:
            joints, labelled = joints[:, list(self._mirror)], labelled[:, list(self._mirror)]
            joints[..., 0] = width - 1 - joints[..., 0]
        codec = build(self._config.model_copy(update={"input_wh": (width, height)})).codec
        joints, labelled = paddle.to_tensor(joints.astype(np.float32)), paddle.to_tensor(labelled.astype(np.float32))
        return codec.encode(joints[:1], labelled[:1], (joints[None, 1:], labelled[None, 1:]))[0]


@pytest.mark.parametrize(
    "valid",
    [{}, {"test_scales": [0.75, 1.0, 1.25], "mirror_test": True}, {"photo_fit": "longer"}],
    ids=["one scale", "scales and mirror", "longer side"],
)
def test_a_network_that_knows_everything_finds_everybody(synthetic_coco, tmp_path, valid):
    options = {**KNOWING, "valid": {"photo_side": 320, **valid}, "dataset": {"root": str(synthetic_coco)}}
    parts = build(load_config(str(write_config(tmp_path, RECIPE)), (), options))
    dataset = build_dataset(parts.config, "valid")
    scorer = PhotoScorer(parts, dataset, (0, 1), Logger(None))
    people, predictions = scorer.predict(Knowing(parts, dataset))
    report = build_metric(parts.config)(predictions, people.truth())
    assert re.match(r"people found bottom-up, no boxes, scale", report.condition)
    whole = with_a_neck(dataset)
    for image_id, joints_image, labelled in whole:
        found = predictions.joints_image[people.truth().coco.image_ids == image_id]
        errors = np.linalg.norm(found - joints_image, axis=-1)[:, labelled].max(axis=1)
        assert errors.min() < 1.6  # half a cell
    # The others fall apart: two of 17 have no neck, because they are half out of their photos.
    assert report.values["AP"] > 100 * (len(whole) - 1) / 17
    assert len(whole) == 15


def with_a_neck(dataset):
    """(photo, joints, labels) of the people with both shoulders, as annotated."""
    order = [dataset.skeleton.index(joint) for joint in COCO_17.joints]
    neck, found = dataset.skeleton.index("neck"), []
    for index in range(len(dataset)):
        sample = dataset.sample(index)
        people = [(sample.joints_image, sample.labelled), *zip(sample.others_image, sample.others_labelled)]
        found += [(dataset.photo_ids[index], joints[order], seen[order]) for joints, seen in people if seen[neck]]
    return found


def test_what_two_processes_found_is_put_together_on_both(monkeypatch):
    def found(photo, count):
        return FoundPeople(np.full((count, 2, 2), photo + 0.5), np.full((count, 2), photo), np.arange(count) + 0.25)

    mine = [{0: found(0, 2), 2: found(2, 0), 4: found(4, 1)}, {1: found(1, 0), 3: found(3, 3)}]
    mine[0][0].joints_xy[1, 0] = np.nan
    meeting, shares = threading.Barrier(2), {}

    def summed(array):
        shares[threading.get_ident()] = array
        meeting.wait(10)
        total = sum(shares.values())
        meeting.wait(10)
        return total

    monkeypatch.setattr("paddle_pose.engine.distributed.sum_over_processes", summed)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda people: _gathered(people, 5, 2), mine))
    for rows, joints_image, joint_scores, scores in both:
        assert rows.tolist() == [0, 0, 3, 3, 3, 4]
        assert np.isnan(joints_image[1, 0]).all()
        assert joints_image[:, 1, 0].tolist() == [0.5, 0.5, 3.5, 3.5, 3.5, 4.5]
        assert joint_scores[:, 0].tolist() == [0, 0, 3, 3, 3, 4]
        assert scores.tolist() == [0.25, 1.25, 0.25, 1.25, 2.25, 0.25]


def test_training_validates_on_whole_photos(run):
    lines = run[2].splitlines()
    assert any(re.fullmatch(r"found \d+ people in 12 photos; annotated with keypoints: \d+", line) for line in lines)
    how = r"people found bottom-up, no boxes, scale 1"
    assert any(re.match(rf"\[VALID\] epoch: 1, AP: \d+\.\d{{4}} \({how}\), new best", line) for line in lines)
    assert any(re.match(rf"{how}( +(\d+\.\d\d|-)){{10}}$", line) for line in lines)


def evaluated(capsys, *arguments) -> tuple[dict, str]:
    assert validate(*arguments) == 0
    output = capsys.readouterr().out
    return eval_values(output), output


def test_results_file_record_and_pictures(run, synthetic_coco, tmp_path, capsys):
    files = {"predictions": tmp_path / "r.json", "record": tmp_path / "record.json", "pictures": tmp_path / "drawn"}
    save = [part for name, path in files.items() for part in (f"--save_{name}", path)]
    options = ["--opts", "valid.test_scales=[0.5,1]", "valid.mirror_test=true"]
    values, output = evaluated(capsys, "--pretrained_model", best_model(run[0]), *save, *options)
    how = "people found bottom-up, no boxes, scales 0.5, 1 with mirror"
    assert sum(how in line for line in output.splitlines()) >= 3  # protocol, table, rules
    poses = json.loads(files["predictions"].read_text())
    assert f"found {len(poses)} people in 12 photos" in output
    assert all(len(pose["keypoints"]) == 51 and math.isfinite(sum(pose["keypoints"])) for pose in poses)
    record = json.loads(files["record"].read_text())
    assert how in record["rules"]
    assert record["scored"]["test_scales"] == [0.5, 1.0]
    assert record["scored"]["photo_side"] == 96
    drawn = sorted(path.name for path in files["pictures"].iterdir())
    assert len(drawn) == 13  # photos, not people, and the sheet
    counts = [int(re.fullmatch(r"\d{5}_\d{12}_(\d+)_found\.png", name)[1]) for name in drawn[:-1]]
    assert sum(counts) == len(poses)
    common = ["--config", run[1], "--dataset_root", synthetic_coco]
    again, output = evaluated(capsys, "--predictions", files["predictions"], *common)
    assert all(again[name] == value or math.isnan(value) for name, value in values.items())
    assert "poses of r.json" in output


def test_nobody_found_is_a_score_of_0(run, tmp_path, capsys):
    options = ["--opts", "codec.grouping.peak_threshold=1000"]
    saved = ["--save_predictions", tmp_path / "r.json", "--save_pictures", tmp_path / "drawn"]
    values, output = evaluated(capsys, "--pretrained_model", best_model(run[0]), *saved, *options)
    assert "found 0 people in 12 photos" in output
    assert values["AP"] == 0
    assert json.loads((tmp_path / "r.json").read_text()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--boxes", "b.json"], ["--boxes", "without boxes"]),
        (["--save_predictions", "r.npy"], [r"--save_predictions r\.npy", r"\.json"]),
        (["--opts", "valid.test_scales=[]"], ["valid.test_scales"]),
        (["--opts", "valid.photo_fit=wide"], ["valid.photo_fit", "'shorter', 'height' or 'longer'"]),
        (["--opts", "valid.photo_side=0"], ["valid.photo_side=0"]),
        (["--opts", "packed.valid=p.pack"], ["p.pack"]),
    ],
    ids=lambda value: value[-1],
)
def test_wrong_flags_are_one_line(run, capsys, arguments, words):
    assert validate("--pretrained_model", best_model(run[0]), *arguments) == 2
    assert_one_error(capsys.readouterr(), *words)


def test_there_is_no_baseline(run, synthetic_coco, capsys):
    assert validate("--baseline", "--config", run[1], "--dataset_root", synthetic_coco) == 2
    assert_one_error(capsys.readouterr(), "--baseline", "regions")


@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_photo_that_cannot_be_read_is_named(run, synthetic_coco, tmp_path, capsys, damage):
    root = Path(shutil.copytree(synthetic_coco, tmp_path / "data"))
    photo = sorted((root / "val2017").iterdir())[5]
    content = photo.read_bytes()
    photo.unlink() if damage == "missing" else photo.write_bytes(content[: len(content) // 2])
    assert validate("--pretrained_model", best_model(run[0]), "--dataset_root", root) == 2
    assert_one_error(capsys.readouterr(), photo.name, damage)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["codec={type: PartAffinity}", "dataset={type: COCO}"], ["PartAffinity", "dataset.type=COCOPhotos"]),
        (
            ["network={type: StackedHourglass}", "codec={type: GaussianHeatmap}", "loss={type: JointsMSE}"],
            ["GaussianHeatmap", "COCO"],
        ),
    ],
    ids=["PartAffinity on COCO", "GaussianHeatmap on COCOPhotos"],
)
def test_codec_and_dataset_that_do_not_fit(run, synthetic_coco, tmp_path, capsys, options, words):
    network = ["network.width=4", "network.depth=2", "network.stacks=1"] if "Hourglass" in options[0] else []
    assert train(run[1], synthetic_coco, tmp_path / "out", "--opts", *options, *network) == 2
    assert_one_error(capsys.readouterr(), *words)


class TestLoadPeopleEstimator:
    def test_a_photo_gives_its_people(self, run):
        estimator = paddle_pose.load_people_estimator(str(best_model(run[0])), scales=(0.5, 1.0), mirror_test=True)
        photo = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
        found = estimator(photo)
        assert found.joints_xy.shape[1:] == (len(estimator.skeleton), 2)
        inside = (found.joints_xy >= 0) & (found.joints_xy <= (89, 69))
        assert np.all(inside | np.isnan(found.joints_xy))
        assert [index for index, _ in estimator.many([photo])] == [0]

    def test_its_settings_are_those_of_the_checkpoint_unless_given(self, run):
        path = str(best_model(run[0]))
        pyramid = paddle_pose.load_people_estimator(path).pyramid
        assert (pyramid.side, pyramid.fit, pyramid.scales) == (96, "shorter", (1.0,))
        assert paddle_pose.load_people_estimator(path, side=64).pyramid.side == 64

    def test_wrong_settings_and_wrong_files(self, run, tmp_path):
        with pytest.raises(ConfigError, match=r"valid\.test_scales"):
            paddle_pose.load_people_estimator(str(best_model(run[0])), scales=(100.0,))
        (tmp_path / "no.pdparams").write_bytes(b"no model")
        with pytest.raises(CheckpointError, match=r"no\.pdparams"):
            paddle_pose.load_people_estimator(str(tmp_path / "no.pdparams"))


def test_a_model_of_one_person_is_refused(synthetic_mpii, tmp_path, capsys):
    from cli_cases import SHORT

    assert train(write_config(tmp_path), synthetic_mpii, tmp_path / "out", "--opts", *SHORT) == 0
    with pytest.raises(ConfigError, match="GaussianHeatmap does not find everybody in a photo"):
        paddle_pose.load_people_estimator(str(best_model(tmp_path / "out")))
