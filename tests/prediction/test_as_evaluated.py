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
from paddle_pose.synthetic.command import main as render

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


@pytest.mark.parametrize(("recipe", "mirror_test"), [(HOURGLASS, True), (UDP, False)], ids=["hrnet's geometry", "udp"])
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


@pytest.fixture(scope="module")
def lspet(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "lspet"
    flags = ["--format=lspet", f"--root={root}", "--train=8", "--valid=8", "--image_size=96", "--seed=2", "--workers=1"]
    assert render(flags) == 0
    return root


def test_one_person_in_the_whole_photo(lspet, tmp_path):
    model = write_model(tmp_path / "model.pdparams", WHOLE)
    wanted = evaluated(model, lspet, tmp_path)
    people = dataset_of(model, lspet)
    predictor = Predictor(model, device="cpu")
    found = [predictor(read_photo(people.sample(index).image_path)) for index in range(len(people))]
    joints = np.array([poses.people.joints_xy[0] for poses in found])
    np.testing.assert_allclose(joints, wanted[..., :2], atol=ROUNDING)
    assert [len(poses) for poses in found] == [1] * 8
    np.testing.assert_array_equal(found[0].boxes_image, [[-0.5, -0.5, *people.sample(0).size_image_wh]])


def test_a_cascade(lspet, tmp_path):
    section = {
        **{"sigma": 1.5, "diameter_between": ["left_shoulder", "right_hip"]},
        **{"train_joints": "none.npy", "valid_joints": "none.npy"},
        **{"error_mean": [[0.0, 0.0]] * 14, "error_covariance": [[[0.0, 0.0], [0.0, 0.0]]] * 14},
    }
    write_model(tmp_path / "one.pdparams", WHOLE)
    write_model(tmp_path / "two.pdparams", WHOLE.replace("width: 16", "width: 12"), joint_crops=section)
    stages = [{"model": "one.pdparams", "values": {}}, {"model": "two.pdparams", "values": {}}]
    model = write_json(tmp_path / "cascade.json", {"stages": stages})
    wanted = evaluated(model, lspet, tmp_path)
    people = dataset_of(tmp_path / "one.pdparams", lspet)
    frames = [Frame(f"{k}", 0, read_photo(people.sample(k).image_path)) for k in range(len(people))]
    found = [poses for _, poses in Predictor(model, device="cpu", batch_size=3).stream(frames)]
    np.testing.assert_allclose([poses.people.joints_xy[0] for poses in found], wanted[..., :2], atol=ROUNDING)
    np.testing.assert_allclose([poses.people.joint_scores[0] for poses in found], wanted[..., 2], atol=1e-5)
    first = Predictor(tmp_path / "one.pdparams", device="cpu")(frames[0].image)
    assert np.abs(first.people.joints_xy - found[0].people.joints_xy).max() > 1  # the second stage does something
    assert len(Predictor(model, device="cpu")(frames[0].image, [])) == 0
