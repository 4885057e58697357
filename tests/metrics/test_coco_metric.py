"""AP and AR: against pycocotools called directly, and the steps before it by hand."""

import contextlib
import io
import json
import math
import os
from dataclasses import replace

import numpy as np
import pytest
from coco_cases import ARM_3, FILE, box_entry, content, write_dataset, write_list
from pycocotools.coco import COCO as PycocotoolsCOCO
from pycocotools.cocoeval import COCOeval

from paddle_pose.data.coco import COCO
from paddle_pose.data.coco_results import write_poses
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.metrics import coco_scores
from paddle_pose.metrics.coco_metric import COCOKeypoints
from paddle_pose.metrics.report import eval_line, format_table
from paddle_pose.samples import Predictions
from paddle_pose.skeletons import COCO_17, LSP_14

DATA = os.path.join(os.environ.get("PADDLE_POSE_DATA", ""), "coco")
REAL_FILE = os.path.join(DATA, "annotations", "person_keypoints_train2017.json")
needs_photos = pytest.mark.skipif(
    "PADDLE_POSE_DATA" not in os.environ or not os.path.isfile(REAL_FILE),
    reason="needs coco: set PADDLE_POSE_DATA to the folder that holds coco/",
)


def plain_pycocotools(annotation_file, results_file, sigmas=None) -> np.ndarray:
    """The ten numbers of pycocotools' own script, in percent, NaN for -1."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = PycocotoolsCOCO(str(annotation_file))
        evaluation = COCOeval(truth, truth.loadRes(str(results_file)), "keypoints")
        if sigmas is not None:
            evaluation.params.kpt_oks_sigmas = np.array(sigmas)
        evaluation.params.catIds = [1]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.where(evaluation.stats < 0, np.nan, 100 * evaluation.stats)


def arm(root, file=FILE, **arguments):
    return COCO(str(write_dataset(root, file)), "valid", skeleton=ARM_3, **arguments)


def metric(**arguments):
    return COCOKeypoints(ARM_3, (96, 128), **arguments)


def perfect(dataset) -> Predictions:
    """The truth, and the middle of the box for joints that are not labelled."""
    people = dataset.people
    joints = np.where(people.labelled[..., None], people.joints_image, people.center_image_xy[:, None])
    return Predictions(joints, np.ones(joints.shape[:2], np.float32))


def jittered(dataset, pixels, seed=0) -> Predictions:
    rng = np.random.default_rng(seed)
    joints = perfect(dataset).joints_image
    return Predictions(joints + rng.normal(0, pixels, joints.shape), rng.random(joints.shape[:2]).astype(np.float32))


def test_the_truth_as_predictions_is_perfect(tmp_path):
    dataset = arm(tmp_path)
    report = metric()(perfect(dataset), dataset.truth())
    assert set(report.values) == set(metric().value_names())
    assert [report.values[name] for name in ("AP", "AP50", "AP75", "APM", "AR", "ARM")] == [100.0] * 6
    assert {joint: report.rows[joint]["AP"] for joint in ARM_3.joints} == dict.fromkeys(ARM_3.joints, 100.0)


@pytest.mark.parametrize(
    ("sigmas", "words"),
    [((0.05, 0.1, 0.1), "sigmas of arm_3: 0.05 to 0.1;"), ((0.05,) * 3, "sigmas of arm_3: 0.05 for every joint;")],
)
def test_the_rules_name_the_sigmas(tmp_path, sigmas, words):
    dataset = arm(tmp_path)
    found = COCOKeypoints(replace(ARM_3, oks_sigmas=sigmas), (96, 128))
    assert words in found(perfect(dataset), dataset.truth()).rules


def test_a_size_that_nobody_has_is_no_number_and_said(tmp_path):
    """Issue 1524 of mmpose: AP(M) = -1. Areas here: 2,575 / 6,000 / 1,660 pixels, none above 96^2."""
    dataset = arm(tmp_path)
    report = metric()(perfect(dataset), dataset.truth())
    assert math.isnan(report.values["APL"])
    assert math.isnan(report.values["ARL"])
    assert "no large person (area above 96^2 pixels): APL, ARL do not exist" in report.rules
    assert "no medium" not in report.rules
    assert "APL=nan" in eval_line(report)
    assert "-" in format_table(report).splitlines()[1].split()


@pytest.mark.parametrize("pixels", [1, 4, 9])
def test_the_numbers_are_those_of_pycocotools(tmp_path, pixels):
    dataset = arm(tmp_path)
    predictions, truth = jittered(dataset, pixels), dataset.truth()
    found = metric(nms="none")
    write_poses(tmp_path / "r.json", found.poses(predictions, truth), 1)
    theirs = plain_pycocotools(
        tmp_path / "annotations" / "person_keypoints_val2017.json", tmp_path / "r.json", ARM_3.oks_sigmas
    )
    ours = found(predictions, truth).values
    np.testing.assert_array_equal([ours[name] for name in coco_scores.NAMES], theirs)


def test_an_annotation_of_id_0_counts(tmp_path):
    """pycocotools alone takes a match with id 0 for a miss."""
    file = content()
    file["annotations"][0]["id"] = 0
    dataset = arm(tmp_path, file)
    assert metric()(perfect(dataset), dataset.truth()).values["AP"] == 100.0


def test_photos_without_detections_are_missed(tmp_path):
    """Two of three people are on photo 7; a detector that saw nothing on photo 3 cannot reach more than 2/3."""
    dataset = arm(
        tmp_path,
        boxes=str(write_list(tmp_path / "b.json", [box_entry(7, [0, 20, 50, 80]), box_entry(7, [100, 10, 41, 81])])),
    )
    whole = arm(tmp_path)
    report = metric()(Predictions(perfect(whole).joints_image[:2], np.ones((2, 3), np.float32)), dataset.truth())
    assert report.values["AR"] == pytest.approx(200 / 3)
    assert report.values["AP"] == pytest.approx(100 * 67 / 101)  # recall 0, 0.01, ... 0.66 of 101 points
    assert report.condition == "boxes of b.json (2 of them, score >= 0)"
    assert report.condition in report.rules
    assert report.condition in report.rows


def test_poses_are_rescored_by_hand(tmp_path):
    dataset = arm(tmp_path, boxes=str(write_list(tmp_path / "b.json", [box_entry(7, [0, 20, 50, 80], 0.5)])))
    predictions = Predictions(np.zeros((1, 3, 2)), np.array([[0.1, 0.4, 0.8]], np.float32))
    assert metric().poses(predictions, dataset.truth()).scores == pytest.approx([0.5 * 0.6])
    assert metric(joint_score_above=0.5).poses(predictions, dataset.truth()).scores == pytest.approx([0.5 * 0.8])


def test_double_finds_go_photo_by_photo(tmp_path):
    entries = [
        box_entry(7, [0, 20, 50, 80], 0.5),
        box_entry(7, [1, 20, 50, 80], 0.6),
        box_entry(3, [0, 20, 50, 80], 0.4),
    ]
    dataset = arm(tmp_path, boxes=str(write_list(tmp_path / "b.json", entries)))
    predictions = Predictions(np.full((3, 3, 2), 9.0), np.ones((3, 3), np.float32))
    poses = metric().poses(predictions, dataset.truth())
    assert poses.image_ids.tolist() == [3, 7]
    assert poses.scores == pytest.approx([0.4, 0.6])
    assert len(metric(nms="none").poses(predictions, dataset.truth()).scores) == 3
    assert metric(nms="soft_oks").poses(predictions, dataset.truth()).scores == pytest.approx([0.4, 0.6, 0.5])


def test_suppression_divides_by_the_padded_box_of_the_inputs_aspect(tmp_path):
    """Boxes 30 x 80: 75 x 100 padded and at 3:4. One joint moved by d: OKS of the pose = (2 + exp(-d^2 / 300)) / 3."""
    entries = [box_entry(7, [0, 0, 30, 80], 0.5), box_entry(7, [0, 0, 30, 80], 0.6)]
    dataset = arm(tmp_path, boxes=str(write_list(tmp_path / "b.json", entries)))
    limit = math.sqrt(-2 * (2 * ARM_3.oks_sigmas[1]) ** 2 * 75 * 100 * math.log(3 * 0.9 - 2))
    for distance, kept in ((0.999 * limit, 1), (1.001 * limit, 2)):
        joints = np.zeros((2, 3, 2))
        joints[1, 1, 0] = distance
        poses = metric().poses(Predictions(joints, np.ones((2, 3), np.float32)), dataset.truth())
        assert len(poses.scores) == kept


def test_a_joint_that_is_no_number_is_a_miss(tmp_path):
    """NaN alone would be a hit in pycocotools."""
    dataset = arm(tmp_path)
    joints = np.full((3, 3, 2), np.nan)
    report = metric()(Predictions(joints, np.ones((3, 3), np.float32)), dataset.truth())
    assert report.values["AP"] == 0.0
    assert "9 joints are not finite numbers" in report.rules
    poses = metric().poses(Predictions(joints, np.full((3, 3), np.inf, np.float32)), dataset.truth())
    assert not poses.keypoints_image.any()
    assert not poses.scores.any()


def test_results_that_are_final_are_scored_as_they_are(tmp_path):
    dataset = arm(tmp_path)
    first = metric()(jittered(dataset, 3), dataset.truth())
    write_poses(tmp_path / "r.json", metric().poses(jittered(dataset, 3), dataset.truth()), 1)
    again, predictions = dataset.with_poses(tmp_path / "r.json")
    second = metric()(predictions, again.truth())
    np.testing.assert_array_equal(list(second.values.values()), list(first.values.values()))
    assert second.condition == "poses of r.json"
    assert "nothing left out" in second.rules


def test_the_ap_of_a_joint_sees_that_joint_alone(tmp_path):
    """Everybody's left hand is far off: its AP is 0, the head's 100, and the whole pose's something between."""
    dataset = arm(tmp_path)
    joints = perfect(dataset).joints_image
    joints[:, 1] += 500.0
    report = metric()(Predictions(joints, np.ones((3, 3), np.float32)), dataset.truth())
    assert [report.rows[joint]["AP"] for joint in ARM_3.joints] == [100.0, 0.0, 100.0]
    assert report.values["AP50"] > 0
    assert report.values["AP75"] < 100.0
    assert list(metric(per_joint=False)(Predictions(joints, np.ones((3, 3), np.float32)), dataset.truth()).rows) == [
        "ground-truth boxes"
    ]


def test_a_joint_that_nobody_has_has_no_ap(tmp_path):
    """In this file two people have a right hand, the third has not; without those two nobody has."""
    file = content(annotations=FILE["annotations"][:1])
    dataset = arm(tmp_path, file)
    assert math.isnan(metric()(perfect(dataset), dataset.truth()).rows["right_hand"]["AP"])


def test_without_annotations_nothing_is_scored_but_poses_can_be_written(tmp_path):
    file = content()
    del file["annotations"]
    dataset = arm(tmp_path, file, boxes=str(write_list(tmp_path / "b.json", [box_entry(7, [0, 20, 50, 80])])))
    report = metric()(Predictions(np.ones((1, 3, 2)), np.ones((1, 3), np.float32)), dataset.truth())
    assert all(math.isnan(value) for value in report.values.values())
    assert "nothing can be scored" in report.rules


def test_what_does_not_fit_is_refused(tmp_path):
    truth = arm(tmp_path).truth()
    with pytest.raises(DataError, match="predictions of 2 x 3 joints, but there are 3 boxes of 3"):
        metric()(Predictions(np.zeros((2, 3, 2)), np.zeros((2, 3), np.float32)), truth)
    with pytest.raises(DataError, match=r"dataset\.type=COCO"):
        metric().check(replace(truth, coco=None))
    with pytest.raises(DataError, match="has 3 joints, but coco_17 has 17"):
        COCOKeypoints(COCO_17, (96, 128)).check(truth)
    with pytest.raises(ConfigError, match="lsp_14 has no OKS sigmas"):
        COCOKeypoints(LSP_14, (96, 128))
    with pytest.raises(ConfigError, match="2 OKS sigmas for 3 joints"):
        COCOKeypoints(replace(ARM_3, oks_sigmas=(0.1, 0.1)), (96, 128))
    with pytest.raises(ConfigError, match="nms_threshold=0"):
        metric(nms_threshold=0.0)


def test_nothing_is_printed(tmp_path, capsys):
    dataset = arm(tmp_path)
    metric()(perfect(dataset), dataset.truth())
    assert capsys.readouterr().out == ""


@needs_photos
def test_real_truth_as_predictions_is_perfect():
    dataset = COCO(DATA, "train")
    report = COCOKeypoints(COCO_17, (192, 256))(perfect(dataset), dataset.truth())
    assert set(report.values.values()) == {100.0}
    # A pose's guess for a joint without a label can take that joint of a neighbour: not all of them are 100.
    assert min(report.rows[joint]["AP"] for joint in COCO_17.joints) > 96


@needs_photos
@pytest.mark.parametrize("pixels", [2, 5, 10])
def test_real_jittered_truth_gives_what_pycocotools_gives(tmp_path, pixels):
    """Without NMS; the results file is written here, entry by entry, from the predictions."""
    dataset = COCO(DATA, "train")
    predictions = jittered(dataset, pixels, seed=pixels)
    scores = np.where(predictions.scores > 0.2, predictions.scores, np.nan)
    with np.errstate(all="ignore"):
        means = np.nan_to_num(np.nanmean(scores.astype(np.float64), axis=1))
    entries = [
        {
            "image_id": int(image_id),
            "category_id": 1,
            "score": score,
            "keypoints": np.column_stack([joints, [1] * 17]).ravel().tolist(),
        }
        for image_id, score, joints in zip(dataset.truth().coco.image_ids, means.tolist(), predictions.joints_image)
    ]
    (tmp_path / "r.json").write_text(json.dumps(entries))
    report = COCOKeypoints(COCO_17, (192, 256), nms="none", per_joint=False)(predictions, dataset.truth())
    theirs = plain_pycocotools(REAL_FILE, tmp_path / "r.json")
    np.testing.assert_array_equal([report.values[name] for name in coco_scores.NAMES], theirs)
    assert 1 < report.values["AP"] < 99
