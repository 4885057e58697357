"""An exported model gives the people that its checkpoint gives, through Predictor and through predict.py."""

import dataclasses
import json

import numpy as np
import pytest
from prediction_cases import DEEPPOSE, HOURGLASS, OPENPOSE, UDP, photo, write_model

from paddle_pose import Predictor, builder, skeletons, zoo
from paddle_pose.builder import load_parts
from paddle_pose.cli import predict as command
from paddle_pose.config import load_config
from paddle_pose.deployment.deploy_file import write_description
from paddle_pose.deployment.deployed_model import DeployedModel
from paddle_pose.deployment.description import describe
from paddle_pose.deployment.exporting import export
from paddle_pose.errors import ConfigError, UserError
from paddle_pose.frames import Frame
from paddle_pose.prediction.opening import exported_from_bundled

HG_CONFIG = "configs/hourglass/hg1_small_synthetic_96x96.yaml"


def exported(model, folder, raw=True):
    export(load_parts(str(model)), folder, raw=raw)
    return folder


@pytest.mark.parametrize(
    "recipe", [HOURGLASS, UDP, DEEPPOSE, OPENPOSE], ids=["hourglass", "udp", "deeppose", "everybody"]
)
def test_the_same_people(recipe, tmp_path):
    model = write_model(tmp_path / "model.pdparams", recipe)
    folder = exported(model, tmp_path / "exported")
    boxes = None if recipe is OPENPOSE else [[10, 5, 60, 70], [50, 20, 40, 60], [-5, -5, 30, 90]]
    keep_maps = recipe is not DEEPPOSE
    eager = Predictor(model, device="cpu", batch_size=2, keep_maps=keep_maps)
    deployed = Predictor(model_dir=folder, device="cpu", batch_size=2, keep_maps=keep_maps)
    assert deployed.skeleton == eager.skeleton
    for image in (photo(4, 150, 90), photo(5, 90, 130)):
        wanted, found = eager(image, boxes), deployed(image, boxes)
        assert len(found) == len(wanted) > 1
        np.testing.assert_allclose(found.people.joints_xy, wanted.people.joints_xy, atol=0.01)
        np.testing.assert_allclose(found.people.scores, wanted.people.scores, atol=1e-4)
        if keep_maps:
            np.testing.assert_allclose(found.maps.joints, wanted.maps.joints, atol=1e-4)
            np.testing.assert_array_equal(found.maps.image_from_map, wanted.maps.image_from_map)


class OfSixteenJoints:
    """A static model that gives joints and scores of a crop."""

    device, input_names, output_names = "cpu", ("images",), ("a", "b")

    def __call__(self, inputs):
        return [np.zeros((len(inputs["images"]), 16, 2)), np.zeros((len(inputs["images"]), 16))]


def test_a_deploy_file_of_another_model(tmp_path):
    description = describe(builder.build(load_config(HG_CONFIG)), ("joints", "scores"), False)
    images = np.zeros((2, *description.input_wh[::-1], 3), np.uint8)
    deployed = DeployedModel(description, OfSixteenJoints(), "paddle", "folder")
    assert deployed(images)["scores"].shape == (2, 16)
    fewer = dataclasses.replace(description, skeleton=skeletons.COCO_17)
    with pytest.raises(UserError, match="deploy.yaml names 17 joints: it is of another model"):
        DeployedModel(fewer, OfSixteenJoints(), "paddle", "folder")(images)


def test_by_the_command(tmp_path, capsys):
    import cv2

    model = write_model(tmp_path / "model.pdparams", HOURGLASS)
    folder = exported(model, tmp_path / "exported", raw=False)
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), photo(number))
    for flag, value in (("--pretrained_model", model), ("--model_dir", folder)):
        arguments = ["--input", tmp_path / "?.png", flag, value, "--save_dir", tmp_path / flag, "--device", "cpu"]
        assert command.main([str(argument) for argument in arguments]) == 0
        assert capsys.readouterr().out.startswith("3 photos, 3 people, ")
    flags = ("--pretrained_model", "--model_dir")
    eager, deployed = (json.loads((tmp_path / flag / "coco_results.json").read_text()) for flag in flags)
    for wanted, found in zip(eager, deployed):
        np.testing.assert_allclose(found["keypoints"], wanted["keypoints"], atol=0.01)
    arguments = ["--input", tmp_path / "0.png", "--model_dir", folder, "--overlay", "heatmaps", "--save_dir", tmp_path]
    assert command.main([str(argument) for argument in arguments]) == 2
    assert "exported without its maps; export it again with --raw" in capsys.readouterr().err


def test_one_that_was_made_of_a_bundled_model_is_known(tmp_path):
    description = describe(builder.build(load_config(HG_CONFIG)), ("joints", "scores"), False)
    for digest, known in ((zoo.find(zoo.DEFAULT_MODEL).sha256, True), ("0" * 64, False)):
        write_description(tmp_path, description, {"source": {"sha256": digest}})
        assert exported_from_bundled(tmp_path) is known
    write_description(tmp_path, description)
    assert not exported_from_bundled(tmp_path)


def test_the_mirror_test_is_built_in_or_not(tmp_path):
    folder = exported(write_model(tmp_path / "model.pdparams", HOURGLASS), tmp_path / "exported")
    with pytest.raises(ConfigError, match="exported without the mirror test; export it again with --mirror_test"):
        Predictor(model_dir=folder, mirror_test=True)


def test_frames_of_a_stream(tmp_path):
    model = write_model(tmp_path / "model.pdparams", OPENPOSE)
    deployed = Predictor(model_dir=exported(model, tmp_path / "exported"), device="cpu", batch_size=3)
    frames = [Frame("v.mp4", k, photo(k, 90 + 30 * (k % 2), 90), k / 25) for k in range(5)]
    found = list(deployed.stream(frames))
    assert [frame.index for frame, _ in found] == list(range(5))
    for frame, poses in found:
        np.testing.assert_allclose(poses.people.joints_xy, deployed(frame.image).people.joints_xy, atol=1e-3)
