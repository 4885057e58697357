"""What Predictor finds is what val.py scores: the same photos, the same regions, the same joints."""

import numpy as np
import pytest
from prediction_cases import HOURGLASS, UDP, WHOLE, write_json, write_model

from paddle_pose import Predictor
from paddle_pose.builder_data import build_dataset
from paddle_pose.cli import val
from paddle_pose.config import check_config
from paddle_pose.data.photos import read_photo
from paddle_pose.engine.checkpoint import load_model
from paddle_pose.frames import Frame

# Batches hold other crops than val.py's; a library may then add in another order. The last bit of a float32 map value
# near 1, 6e-8, moves a joint between cells by far less than this (pixels of the photo, 128 wide).
ROUNDING = 1e-3


def evaluated(model, root, tmp_path, *more) -> np.ndarray:
    """(N, K, 3) x, y and score that val.py finds, in the dataset's order."""
    out = tmp_path / "evaluated.npy"
    arguments = [
        "--pretrained_model",
        model,
        "--dataset_root",
        root,
        "--save_predictions",
        out,
        "--device",
        "cpu",
        *more,
    ]
    assert val.main([str(argument) for argument in arguments]) == 0
    return np.load(out)


def dataset_of(model, root):
    config = load_model(model)[1]["config"]
    config["dataset"]["root"] = str(root)
    return build_dataset(check_config(config, "here"), "valid")


@pytest.mark.parametrize("mirror_test", [False, True])
@pytest.mark.parametrize("recipe", [HOURGLASS, UDP], ids=["hrnet's geometry", "udp"])
def test_boxes_of_coco(recipe, mirror_test, synthetic_coco, tmp_path):
    model = write_model(tmp_path / "model.pdparams", recipe, valid={"mirror_test": mirror_test})
    wanted = evaluated(model, synthetic_coco, tmp_path)
    people = dataset_of(model, synthetic_coco)
    image_ids = people.truth().coco.image_ids
    samples = [people.sample(index) for index in range(len(people))]
    boxes = [np.concatenate([s.center_image_xy - s.size_image_wh / 2.5, s.size_image_wh / 1.25]) for s in samples]
    entries = [
        {"image_id": int(image_id), "category_id": 1, "bbox": box.tolist(), "score": 0.7}
        for image_id, box in zip(image_ids, boxes)
    ]
    predictor = Predictor(
        model, boxes=write_json(tmp_path / "boxes.json", entries), mirror_test=mirror_test, device="cpu", batch_size=3
    )
    paths = dict.fromkeys(sample.image_path for sample in samples)
    found = {}
    for frame, poses in predictor.stream(Frame(path, 0, read_photo(path)) for path in paths):
        assert (np.diff(poses.people.scores) <= 0).all()
        for row, box in enumerate(poses.boxes_image):
            found[(frame.source, *np.round(box, 3))] = poses.people.joints_xy[row], poses.people.joint_scores[row]
            above = poses.people.joint_scores[row][poses.people.joint_scores[row] > 0.2]
            assert poses.people.scores[row] == pytest.approx(0.7 * above.mean() if len(above) else 0.0)
    assert len(found) == len(people) > 8
    keys = [(sample.image_path, *np.round(box, 3)) for sample, box in zip(samples, boxes)]
    joints = np.array([found[key][0] for key in keys])
    scores = np.array([found[key][1] for key in keys])
    np.testing.assert_allclose(joints, wanted[..., :2], atol=ROUNDING)
    np.testing.assert_allclose(scores, wanted[..., 2], atol=1e-5)


def test_one_person_in_the_whole_photo(tmp_path):
    root = tmp_path / "lspet"
    flags = ["--format=lspet", f"--root={root}", "--train=8", "--valid=8", "--image_size=96", "--seed=2", "--workers=1"]
    from paddle_pose.synthetic.command import main

    assert main(flags) == 0
    model = write_model(tmp_path / "model.pdparams", WHOLE)
    wanted = evaluated(model, root, tmp_path)
    people = dataset_of(model, root)
    predictor = Predictor(model, device="cpu")
    found = [predictor(read_photo(people.sample(index).image_path)) for index in range(len(people))]
    joints = np.array([poses.people.joints_xy[0] for poses in found])
    np.testing.assert_allclose(joints, wanted[..., :2], atol=ROUNDING)
    assert [len(poses) for poses in found] == [1] * 8
    np.testing.assert_array_equal(found[0].boxes_image, [[-0.5, -0.5, *people.sample(0).size_image_wh]])
