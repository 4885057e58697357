"""Train, validate, score files of predictions: the commands as users run them, and whether their numbers agree."""

import json
import re

import cv2
import numpy as np
import paddle
import pytest
from cli_cases import CONFIG, best_model, eval_values, rows_of, run_python, state_of, train, validate, write_config

from paddle_pose import load_network
from paddle_pose.engine.checkpoint import load_model

# as the recipe of the other tests, but long and plain enough that some joints are found
EPOCHS, VALIDATIONS = 12, 3
RECIPE = (
    CONFIG.replace("epochs: 2, batch_size: 2, accumulate: 2", "epochs: 12, batch_size: 4")
    .replace("lr: 2.0e-3", "lr: 5.0e-3")
    .replace("scale: 0.25, rotation_deg: 30", "scale: 0.1, rotation_deg: 0")
    .replace("ema_decay: 0.9", "ema_decay: 0.8")
    .replace("valid: {", "valid: {every_epochs: 4, ")
)
LINE = re.compile(
    r"\[TRAIN\] epoch: \d+/12, iter: \d+/\d+, loss: \d+\.\d{6}, lr: \d\.\d{3}e[-+]\d\d, "
    r"avg_reader_cost: \d+\.\d{4} sec, avg_batch_cost: \d+\.\d{4} sec, avg_samples: 4\.0, "
    r"avg_ips: \d+\.\d images/sec, eta: \d+:\d\d:\d\d"
)


@pytest.fixture(scope="module")
def run(synthetic_mpii, tmp_path_factory):
    """(folder, configuration, what the command printed) of a finished run."""
    import contextlib
    import io

    folder = tmp_path_factory.mktemp("smoke")
    config = write_config(folder, RECIPE)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert train(config, synthetic_mpii, folder / "out") == 0
    return folder / "out", config, printed.getvalue()


def counts(root) -> tuple[list[int], list[int]]:
    people = [json.loads((root / "annot" / f"{split}.json").read_text()) for split in ("train", "valid")]
    return [len({person["image"] for person in split}) for split in people], [len(split) for split in people]


def test_training_prints_counts_lines_and_where_the_model_is(run, synthetic_mpii):
    photos, people = counts(synthetic_mpii)
    assert re.findall(r"^=> num_images: (\d+)$", run[2], re.M) == [str(n) for n in photos]
    assert re.findall(r"^=> load (\d+) samples$", run[2], re.M) == [str(n) for n in people]
    lines = [line for line in run[2].splitlines() if line.startswith("[TRAIN]")]
    assert len(lines) == state_of(run[0])["progress"]["step"]
    assert all(LINE.fullmatch(line) for line in lines)
    assert run[2].count("[EVAL] ") == VALIDATIONS
    assert str(best_model(run[0])) in run[2].splitlines()[-1]
    assert (run[0] / "64_training" / "train.log").read_text().splitlines() == run[2].splitlines()[4:]


def test_the_network_learns_and_rows_parse(run):
    rows = rows_of(run[0])
    losses = [row["train/loss"] for row in rows if "train/loss" in row]
    assert np.mean(losses[-5:]) < 0.7 * losses[0]
    assert set(rows[0]) == {
        "step",
        *(f"train/{name}" for name in ("epoch", "loss", "lr", "reader_seconds", "batch_seconds", "images_per_second")),
    }
    valid = [row for row in rows if "valid/Mean" in row]
    assert len(valid) == VALIDATIONS
    assert all(np.isfinite(value) for value in valid[-1].values())


def test_the_best_model_is_that_of_the_best_epoch(run):
    values = [row["valid/Mean"] for row in rows_of(run[0]) if "valid/Mean" in row]
    assert min(values) < max(values)  # or the choice means nothing
    facts = load_model(best_model(run[0]))[1]
    progress = state_of(run[0])["progress"]
    assert progress["best"] == max(values)
    assert facts["epoch"] == progress["best_epoch"] == EPOCHS // VALIDATIONS * (1 + int(np.argmax(values)))
    assert facts["values"]["Mean"] == max(values)
    assert facts["skeleton"] == load_network(str(best_model(run[0]))).skeleton.name


@pytest.fixture(scope="module")
def evaluated(run):
    """(folder with predictions and pictures, [EVAL] values) of val.py without --config."""
    import contextlib
    import io

    folder = run[0].parent / "evaluated"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        more = ["--save_predictions", folder / "p.json", "--save_pictures", folder / "pictures", "--num_pictures", 3]
        assert validate("--pretrained_model", best_model(run[0]), *more) == 0
    return folder, printed.getvalue()


def test_val_gives_the_value_that_training_saw(run, evaluated, synthetic_mpii):
    photos, people = counts(synthetic_mpii)
    lines = evaluated[1].splitlines()
    assert lines[:2] == [f"=> num_images: {photos[1]}", f"=> load {people[1]} samples"]
    assert any("Shoulder" in line for line in lines[2:-1])
    assert eval_values(evaluated[1]) == load_model(best_model(run[0]))[1]["values"]


def test_val_of_the_training_state_gives_the_last_epoch(run, capsys):
    assert validate("--pretrained_model", run[0] / "64_training" / "training.pdstate") == 0
    last = [row for row in rows_of(run[0]) if "valid/Mean" in row][-1]
    values = eval_values(capsys.readouterr().out)
    assert values == {name[6:]: value for name, value in last.items() if name not in ("step", "valid/spread")}


def test_the_mirror_test_changes_the_numbers(run, evaluated, capsys):
    assert validate("--pretrained_model", best_model(run[0]), "--opts", "valid.mirror_test=false") == 0
    assert eval_values(capsys.readouterr().out) != eval_values(evaluated[1])


def test_pictures_can_be_read(evaluated, synthetic_mpii):
    pictures = sorted((evaluated[0] / "pictures").iterdir())
    assert [path.name for path in pictures][-1] == "sheet.png"
    assert len(pictures) == 4
    for path in pictures[:-1]:
        photo = cv2.imread(str(synthetic_mpii / "images" / f"{path.stem.split('_')[1]}.jpg"))
        picture = cv2.imread(str(path))
        assert picture.shape == photo.shape
        assert (picture != photo).any()
    assert cv2.imread(str(pictures[-1])).any()


@pytest.mark.parametrize("suffix", ["json", "npy", "mat"])
def test_a_file_of_predictions_gives_the_same_numbers(run, evaluated, synthetic_mpii, tmp_path, capsys, suffix):
    file = evaluated[0] / "p.json"
    common = ["--config", run[1], "--dataset_root", synthetic_mpii]
    if suffix != "json":
        file = tmp_path / f"p.{suffix}"
        assert validate("--predictions", evaluated[0] / "p.json", "--save_predictions", file, *common) == 0
        capsys.readouterr()
    assert validate("--predictions", file, *common) == 0
    assert eval_values(capsys.readouterr().out) == pytest.approx(eval_values(evaluated[1]), abs=1e-9)


def test_a_checkpoint_is_a_network_in_one_line_of_python(run):
    first, second = load_network(str(best_model(run[0]))), load_network(str(best_model(run[0])))
    images = paddle.to_tensor(np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype("float32"))
    assert not first.training
    assert np.array_equal(first(images)[-1].numpy(), second(images)[-1].numpy())
    assert len(first.skeleton) == 16
    assert first.config.seed == 5


def test_another_image_size_is_another_folder(run, synthetic_mpii, tmp_path, capsys):
    more = ["--image_size", 32, "--opts", "train.epochs=1", "train.log_steps=1000", "valid.mirror_test=false"]
    assert train(run[1], synthetic_mpii, tmp_path, "--pretrained_model", best_model(run[0]), *more) == 0
    model = tmp_path / "32_best_model" / "model.pdparams"
    assert [row for row in (tmp_path / "32_training" / "metrics.jsonl").read_text().splitlines() if "train/loss" in row]
    capsys.readouterr()
    assert validate("--pretrained_model", model, "--image_size", 32) == 0
    assert eval_values(capsys.readouterr().out) == load_model(model)[1]["values"]


def test_settings_for_gpus_are_named_and_ignored_on_a_cpu(run, synthetic_mpii, tmp_path, capsys):
    common = ["train.epochs=1", "train.log_steps=1000"]
    for_gpus = ["train.amp=O1", "train.sync_bn=true", "train.channels_last=true"]
    assert train(run[1], synthetic_mpii, tmp_path / "a", "--opts", *common, *for_gpus) == 0
    captured = capsys.readouterr()
    assert "train.sync_bn needs a GPU and is ignored on cpu" in captured.out
    assert "train.channels_last needs a GPU and is ignored on cpu" in captured.out
    assert "train.amp=O1 needs a GPU and is ignored on cpu" in captured.out
    assert captured.err == ""
    assert train(run[1], synthetic_mpii, tmp_path / "b", "--opts", *common) == 0
    assert "needs a GPU" not in capsys.readouterr().out
    with_them, without = state_of(tmp_path / "a")["network"], state_of(tmp_path / "b")["network"]
    assert all(np.array_equal(with_them[name], without[name]) for name in without)


def test_traced_training_gives_the_model_of_eager_training(run, synthetic_mpii, tmp_path, capsys):
    common = ["train.epochs=1", "optimizer.type=SGD", "optimizer.lr=0.01"]
    assert train(run[1], synthetic_mpii, tmp_path / "a", "--opts", *common, "train.to_static=true") == 0
    assert capsys.readouterr().err == ""
    assert train(run[1], synthetic_mpii, tmp_path / "b", "--opts", *common) == 0
    traced, eager = state_of(tmp_path / "a")["network"], state_of(tmp_path / "b")["network"]
    for name in eager:
        np.testing.assert_allclose(traced[name], eager[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_visualdl_is_written(run, synthetic_mpii, tmp_path):
    pytest.importorskip("visualdl", reason="VisualDL is not installed")
    from visualdl import LogReader

    assert train(run[1], synthetic_mpii, tmp_path, "--use_vdl", "--opts", "train.epochs=1") == 0
    (file,) = (tmp_path / "64_training" / "vdl").iterdir()
    tags = LogReader(file_path=str(file)).get_tags()
    assert {"train/loss", "train/lr", "valid/Mean"} <= set(tags["scalar"])
    assert {"train/annotated", "valid/annotated", "valid/predicted", "valid/heatmaps"} <= set(tags["image"])


def test_the_scripts_answer_help_without_paddle(tmp_path):
    for script in ("train", "val"):
        code = f"from paddle_pose.cli.{script} import parser; parser().format_help()"
        done = run_python("-c", f"{code}; import sys; print('paddle' in sys.modules)", cwd=tmp_path)
        assert done.stdout.strip() == "False"
