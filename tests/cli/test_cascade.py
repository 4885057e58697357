"""A cascade from one command: trained stage by stage, killed and resumed, scored, and what it says to wrong input."""

import json
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from cli_cases import (
    ROOT,
    assert_one_error,
    assert_same_state,
    eval_values,
    fingerprint,
    train,
    validate,
    write_config,
)

from paddle_pose.builder import build
from paddle_pose.cli import cascade_training
from paddle_pose.cli.cascade import stage_config
from paddle_pose.cli.preflight import check_output
from paddle_pose.config import load_config
from paddle_pose.data.prediction_files import read_predictions
from paddle_pose.engine.checkpoint import load_model, load_training_state
from paddle_pose.engine.trainer import Trainer

TRAIN, VALID = 16, 8
CONFIG = f"""
input_wh: [32, 32]
dataset: {{type: LSPET, root: nowhere, train_range: [0, {TRAIN}], valid_range: [{TRAIN}, {TRAIN + VALID}]}}
metric: {{type: PCK}}
network: {{type: DeepPose, variant: strided, width: 0.05, hidden: 64, dropout: 0.1}}
codec: {{type: Regression}}
loss: {{type: MSEJoints}}
augment: {{type: HRNet, scale: 0.1, rotation_deg: 10}}
optimizer: {{type: Adam, lr: 1.0e-3}}
schedule: {{type: constant}}
train: {{epochs: 1, batch_size: 8, workers: 1, ema_decay: 0.9, checkpoint_steps: 3, log_steps: 1000}}
valid: {{batch_size: 28}}
cascade:
  sigma: [2.0, 1.5]
  stages:
    - {{train: {{batch_size: 32}}, augment: null}}
    - {{input_wh: [40, 40], network: {{width: 0.04}}, train: {{batch_size: 64}}}}
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Folder of a small synthetic dataset in LSPET's form."""
    root = tmp_path_factory.mktemp("data") / "lspet"
    flags = ["--format=lspet", f"--root={root}", f"--train={TRAIN}", f"--valid={VALID}", "--image_size=96"]
    command = [sys.executable, "-m", "paddle_pose.synthetic", *flags, "--seed=3", "--workers=1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def whole(people, tmp_path_factory):
    """(folder, configuration) of a cascade that nothing disturbed; not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    config = write_config(folder, CONFIG)
    assert train(config, people, folder / "out") == 0
    return folder / "out", config


def listed(folder) -> list[dict]:
    return json.loads((folder / "cascade.json").read_text())["stages"]


def joints(folder, number, split, people=VALID) -> np.ndarray:
    return read_predictions(folder / f"stage{number}" / f"{split}_joints.npy", people, 14).joints_image


def state(folder, number) -> dict:
    (path,) = (folder / f"stage{number}").glob("*_training/training.pdstate")
    return load_training_state(path)


def assert_same_cascade(folder, other) -> None:
    assert listed(folder) == listed(other)
    for number in (1, 2, 3):
        assert_same_state(state(folder, number), state(other, number))
        np.testing.assert_array_equal(joints(folder, number, "valid"), joints(other, number, "valid"))


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("cascade_*.yaml")), ids=lambda path: path.stem)
def test_every_stage_of_a_shipped_configuration_builds(path):
    config = load_config(str(path))
    for number in range(1, len(config.cascade.stages) + 2):
        check_output(build(stage_config(config, number)))


class TestTraining:
    def test_leaves_a_run_for_each_stage_and_a_list_of_their_models(self, whole):
        folder, _ = whole
        models = [stage["model"] for stage in listed(folder)]
        sizes = ["32", "32", "40"]
        assert models == [f"stage{k}/{size}_best_model/model.pdparams" for k, size in enumerate(sizes, 1)]
        assert all((folder / model).is_file() for model in models)
        assert not (folder / "stage3" / "train_joints.npy").exists()  # nobody needs what the last one sees of them

    def test_a_later_stage_knows_the_errors_of_the_one_before(self, whole):
        folder, _ = whole
        configs = [load_model(folder / stage["model"])[1]["config"] for stage in listed(folder)]
        assert [config["joint_crops"] is None for config in configs] == [True, False, False]
        assert [config["cascade"] for config in configs] == [None] * 3
        means = [np.array(config["joint_crops"]["error_mean"]) for config in configs[1:]]
        assert means[0].shape == (14, 2)
        assert np.abs(means[0] - means[1]).max() > 1e-3
        assert [config["joint_crops"]["sigma"] for config in configs[1:]] == [2.0, 1.5]
        # and its own settings: those of the first, but for what its entry in `stages` says
        assert [config["augment"] is None for config in configs] == [False, True, False]
        assert [config["network"]["width"] for config in configs] == [0.05, 0.05, 0.04]
        assert [config["network"]["dropout"] for config in configs] == [0.1] * 3

    def test_a_stage_moves_joints_by_less_than_its_crops(self, whole):
        folder, _ = whole
        for number in (2, 3):
            moved = joints(folder, number, "valid") - joints(folder, number - 1, "valid")
            assert 0 < np.abs(moved).max() < 96

    def test_stages_are_compared_at_the_end(self, people, whole, capsys):
        folder, config = whole
        before = fingerprint(folder)
        assert train(config, people, folder, "--resume") == 0
        output = capsys.readouterr().out
        assert "=> cascade: stage" not in output  # nothing was left to do
        lines = [line for line in output.splitlines() if line.startswith("stage ")]
        assert [line[:12] for line in lines] == ["stage 1 of 3", "stage 2 of 3", "stage 3 of 3"]
        assert all("Mean@0.1" in line for line in lines)
        assert fingerprint(folder) == before


class TestResume:
    def test_killed_between_and_inside_stages_it_goes_on_to_the_same_weights(
        self, people, whole, tmp_path, monkeypatch, capsys
    ):
        other, config = whole
        run_train, step = cascade_training.train, Trainer.train_step

        def dies_before_stage_2(stage, arguments):
            if arguments.save_dir.endswith("stage2"):
                raise KeyboardInterrupt
            run_train(stage, arguments)

        def dies_in_stage_2(trainer, batches):
            if len(batches[0]) == 32 and trainer.progress.step == 4:
                raise KeyboardInterrupt
            return step(trainer, batches)

        with monkeypatch.context() as patched:
            patched.setattr(cascade_training, "train", dies_before_stage_2)
            assert train(config, people, tmp_path) == 130
        assert len(listed(tmp_path)) == 1
        first = fingerprint(tmp_path / "stage1")

        with monkeypatch.context() as patched:
            patched.setattr(Trainer, "train_step", dies_in_stage_2)
            assert train(config, people, tmp_path, "--resume") == 130
        assert len(listed(tmp_path)) == 1
        assert state(tmp_path, 2)["progress"]["step"] == 3

        capsys.readouterr()
        assert train(config, people, tmp_path, "--resume") == 0
        assert "resumed" in capsys.readouterr().out
        assert fingerprint(tmp_path / "stage1") == first
        assert_same_cascade(tmp_path, other)

    def test_a_finished_or_begun_cascade_is_not_overwritten_by_accident(self, people, whole, capsys):
        folder, config = whole
        before = fingerprint(folder)
        capsys.readouterr()
        assert train(config, people, folder) == 2
        assert_one_error(capsys.readouterr(), "holds a cascade", "--resume", "--overwrite")
        assert fingerprint(folder) == before


class TestFirstStageFromAFile:
    def test_any_model_of_whole_people_will_do(self, people, whole, tmp_path):
        folder, config = whole
        model = folder / listed(folder)[0]["model"]
        assert train(config, people, tmp_path, "--opts", f"cascade.stage1={model}") == 0
        assert not list((tmp_path / "stage1").glob("*_training"))
        assert (tmp_path / listed(tmp_path)[0]["model"]).resolve() == model.resolve()
        for number in (1, 2, 3):
            np.testing.assert_array_equal(joints(tmp_path, number, "valid"), joints(folder, number, "valid"))

    def test_a_later_stage_will_not(self, people, whole, tmp_path, capsys):
        folder, config = whole
        model = folder / listed(folder)[1]["model"]
        capsys.readouterr()
        assert train(config, people, tmp_path, "--opts", f"cascade.stage1={model}") == 2
        assert_one_error(capsys.readouterr(), "later stage of a cascade")

    def test_a_missing_one_is_named(self, people, whole, tmp_path, capsys):
        capsys.readouterr()
        assert train(whole[1], people, tmp_path / "out", "--opts", "cascade.stage1=gone.pdparams") == 2
        assert_one_error(capsys.readouterr(), "gone.pdparams", "no such file")


class TestEvaluation:
    def test_gives_the_numbers_of_training(self, whole, tmp_path, capsys):
        folder, _ = whole
        found, record = tmp_path / "found.npy", tmp_path / "record.json"
        flags = ["--pretrained_model", folder / "cascade.json", "--save_predictions", found, "--save_record", record]
        assert validate(*flags) == 0
        output = capsys.readouterr().out
        assert eval_values(output) == pytest.approx(listed(folder)[2]["values"])
        assert [line[:12] for line in output.splitlines() if line.startswith("stage ")] == [
            f"stage {number} of 3" for number in (1, 2, 3)
        ]
        assert json.loads(record.read_text())["scored"]["stages"] == [stage["values"] for stage in listed(folder)]
        np.testing.assert_allclose(read_predictions(found, VALID, 14).joints_image, joints(folder, 3, "valid"))

    def test_needs_no_files_but_the_models(self, whole, tmp_path, capsys):
        folder, _ = whole
        for stage in listed(folder):
            (tmp_path / stage["model"]).parent.mkdir(parents=True)
            shutil.copy(folder / stage["model"], tmp_path / stage["model"])
        shutil.copy(folder / "cascade.json", tmp_path)
        assert validate("--pretrained_model", tmp_path / "cascade.json") == 0
        assert eval_values(capsys.readouterr().out) == pytest.approx(listed(folder)[2]["values"])

    def test_one_stage_can_be_scored_by_itself(self, whole, tmp_path, capsys):
        """On what the one before it saw in training."""
        folder, _ = whole
        stage = listed(folder)[1]
        flags = ["--save_pictures", tmp_path, "--num_pictures", 2, "--save_record", tmp_path / "record.json"]
        assert validate("--pretrained_model", folder / stage["model"], *flags) == 0
        assert eval_values(capsys.readouterr().out) == pytest.approx(stage["values"])
        assert json.loads((tmp_path / "record.json").read_text())["people"] == VALID
        assert len(list(tmp_path.glob("0*.png"))) == 2


class TestWrongInput:
    """Found before anything is trained or written."""

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ("cascade.diameter_between=[left_shoulder, tail]", ["cascade.diameter_between", "two joints of lsp_14"]),
            ("cascade.sigma=[2, 0]", ["cascade.sigma", "greater than 0"]),
            ("cascade.sigma=[2]", ["cascade", "sigma .2.0. is for 1 stages, but 2 are listed"]),
            ("cascade.stages=[]", ["cascade.stages", "at least 1"]),
            ("cascade.stages=[{trian: {epochs: 1}}, {}]", ["cascade.stages.0.", "trian", "did you mean 'train'"]),
            ("cascade.stages=[{network: {widht: 1}}, {}]", ["stage 2 of the cascade", "widht", "did you mean 'width'"]),
            ("cascade.stages=[{input_wh: [1, 1]}, {}]", ["stage 2 of the cascade", "input_wh"]),
            ("cascade.stages=[{dataset: {root: x}}, {}]", ["cascade.stages.0.", "dataset", "same for all stages"]),
            ("cascade.stage=x", ["cascade.stage", "did you mean"]),
        ],
    )
    def test_in_the_configuration(self, people, whole, tmp_path, capsys, option, words):
        capsys.readouterr()
        assert train(whole[1], people, tmp_path / "out", "--opts", option) == 2
        assert_one_error(capsys.readouterr(), *words)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, ["no such file", "training with a `cascade`"]),
            ("{", ["not a list of a cascade's stages"]),
            ("[1]", ["not a list of a cascade's stages"]),
            ('{"stages": []}', ["not a list of a cascade's stages"]),
            ('{"stages": [{"model": "gone.pdparams"}]}', ["gone.pdparams", "no such file"]),
        ],
    )
    def test_in_the_list_of_stages(self, tmp_path, capsys, content, words):
        path = tmp_path / "cascade.json"
        if content is not None:
            path.write_text(content)
        assert validate("--pretrained_model", path) == 2
        assert_one_error(capsys.readouterr(), "cascade.json|gone", *words)

    def test_flags_that_a_cascade_has_no_use_for(self, whole, capsys):
        capsys.readouterr()
        path = whole[0] / "cascade.json"
        assert validate("--pretrained_model", path, "--image_size", 64) == 2
        assert_one_error(capsys.readouterr(), "--image_size", "own configurations")

    def test_a_stage_of_another_skeleton(self, whole, tmp_path, capsys):
        folder, _ = whole
        shutil.copytree(folder, tmp_path / "out")
        path = tmp_path / "out" / listed(folder)[1]["model"]
        content = pickle.loads(path.read_bytes())
        content["paddle_pose"] = content["paddle_pose"].replace("lsp_14", "mpii_16")
        path.write_bytes(pickle.dumps(content, protocol=4))
        capsys.readouterr()
        assert validate("--pretrained_model", tmp_path / "out" / "cascade.json") == 2
        assert_one_error(capsys.readouterr(), "trained on skeleton mpii_16", "lsp_14")
