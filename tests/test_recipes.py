"""scripts/train_*.sh: what they would run, for one GPU and for four, and that docs/recipes.md says the same."""

import os
import re
import runpy
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from paddle_pose import references
from paddle_pose.builder_training import learning_rate
from paddle_pose.cli import train as train_command
from paddle_pose.cli import val as val_command
from paddle_pose.cli.comparison import circumstances
from paddle_pose.cli.options import read_config
from paddle_pose.config import load_config
from paddle_pose.errors import ConfigError
from paddle_pose.references.rules import incomparable

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "scripts").glob("train_*.sh"))
CONFIGS = [path for path in sorted((ROOT / "configs").rglob("*.yaml")) if path.parent.name != "_base_"]
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
ENVIRONMENT["PATH"] = f"{Path(sys.executable).parent}:{ENVIRONMENT['PATH']}"  # the scripts' `python` is this one


class Somebody:
    """A dataset that knows nobody."""

    protocol, num_images = "", 0

    def __len__(self):
        return 0


def config_of(script: Path) -> str:
    found = re.findall(r"train_recipe (configs/\S+)", script.read_text())
    assert len(found) == 1, script
    return found[0]


@pytest.fixture(scope="session")
def quick_python(tmp_path_factory, monkeypatch_session):
    """A folder with a `python` that answers as scripts/recipe.py does, without 112 starts of Python."""
    folder = tmp_path_factory.mktemp("bin")
    tell = runpy.run_path(str(ROOT / "scripts" / "recipe.py"))["main"]
    for script in SCRIPTS:
        for gpus in (0, 4):
            answer = folder / f"{gpus}_{Path(config_of(script)).name}"
            with open(answer, "w") as file:
                monkeypatch_session.setattr("sys.stdout", file)
                assert tell([str(gpus), "--config", config_of(script)]) == 0
                monkeypatch_session.undo()
    python = folder / "python"
    python.write_text(f'#!/bin/bash\ncat "{folder}/$2_$(basename "$4")"\n')
    python.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def monkeypatch_session():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield patch


def commands(script: Path, *arguments, path="", **environment) -> tuple[list[list[str]], list[str]]:
    """The commands that a script prints, as words, and its notes."""
    environment = {**ENVIRONMENT, "DRY_RUN": "1", **environment}
    environment["PATH"] = f"{path}:{environment['PATH']}"
    line = ["bash", str(script), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, cwd="/", timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    said = [line.removeprefix("note: ") for line in lines if line.startswith("note: ")]
    return [shlex.split(line)[1:] for line in lines if line.startswith("+")], said


@cache
def loaded(path: str):
    return load_config(str(ROOT / path))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
@pytest.mark.parametrize("gpus", ["", "0,1,2,3"])
def test_what_would_run_parses_and_keeps_the_samples_of_a_step(script, gpus, quick_python, monkeypatch):
    monkeypatch.chdir(ROOT)
    (train, valid), notes = commands(script, path=quick_python, GPUS=gpus)
    assert train[0] == valid[0] == "python"
    before = train.index("train.py")
    launched = ["-m", "paddle.distributed.launch", "--gpus", gpus, "--log_dir"]
    assert train[1:before][:5] == (launched if gpus else [])

    flags = train_command.parser().parse_args(train[before + 1 :])
    config, published = read_config(flags, "train"), loaded(config_of(script))
    processes = len(gpus.split(",")) if gpus else 1
    step = config.train.batch_size * config.train.accumulate * processes
    wanted = published.train.batch_size * published.train.accumulate
    if published.train.accumulate % processes == 0:
        assert step == wanted == published.optimizer.base_batch
        assert learning_rate(config, processes) == published.optimizer.lr
        assert not [note for note in notes if "a step has" in note]
    else:
        assert learning_rate(config, processes) == pytest.approx(published.optimizer.lr * step / wanted)
        assert [
            note
            for note in notes
            if f"= {step} samples on these GPUs, not the published {wanted}; the learning" in note
        ]

    scored = val_command.parser().parse_args(valid[2:])
    assert scored.pretrained_model == f"{flags.save_dir}/{config.size_name}_best_model/model.pdparams"
    assert flags.save_dir == f"output/{Path(config_of(script)).stem}"
    assert scored.save_record == f"{flags.save_dir}/{Path(config_of(script)).stem}.json"


def test_what_the_environment_asks_for_reaches_both_commands(tmp_path):
    """With the real scripts/recipe.py, and a folder whose name has a blank."""
    script = ROOT / "scripts" / "train_hrnet_w32_coco_192x256.sh"
    given = {"DATA": "my data", "SAVE_DIR": str(tmp_path), "PRETRAINED": "w.pdparams", "BOXES": "b.json", "GPUS": "2"}
    (train, valid), notes = commands(script, "--resume", "--opts", "train.epochs=3", **given)
    flags = train_command.parser().parse_args(train[2:])
    assert (flags.dataset_root, flags.save_dir, flags.pretrained_model) == ("my data", str(tmp_path), "w.pdparams")
    assert (flags.device, flags.resume, flags.opts) == ("gpu:2", True, ["train.epochs=3"])
    scored = val_command.parser().parse_args(valid[2:])
    assert (scored.dataset_root, scored.boxes, scored.device) == ("my data", "b.json", "gpu:2")
    assert notes == []


def test_where_a_published_number_starts_from_is_said_unless_it_is_given():
    script = ROOT / "scripts" / "train_hrnet_w32_coco_192x256.sh"
    assert "from a trunk trained on ImageNet, this run from scratch" in commands(script)[1][0]
    assert commands(script, "--pretrained_model", "w.pdparams")[1] == []


def test_samples_that_cannot_be_shared_out_are_said():
    script = ROOT / "scripts" / "train_hourglass52_mpii_256x256.sh"
    (train, _), notes = commands(script, GPUS="0,1,2")
    assert train[-1] == "train.accumulate=2"
    assert notes == [
        "a step has 64 x 2 x 3 = 384 samples on these GPUs, not the published 512; "
        "the learning rate follows (optimizer.base_batch)"
    ]
    unscaled = commands(script, "--opts", "optimizer.base_batch=null", GPUS="0,1,2")[1]
    assert unscaled[0].endswith("the learning rate stays as it is written")


def test_a_wrong_setting_is_one_line_and_nothing_runs():
    script = ROOT / "scripts" / "train_hg2_mpii_256x256.sh"
    line = ["bash", str(script), "--opts", "train.epoch=3"]
    done = subprocess.run(line, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert done.returncode != 0
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "did you mean 'epochs'?" in done.stderr


def test_a_script_trains_and_evaluates(synthetic_mpii, tmp_path):
    """In full, but for a tiny network on rendered people."""
    small = ["network.type=StackedHourglass", "network.stacks=1", "network.width=8", "network.depth=2"]
    small += [
        "train.epochs=1",
        "train.batch_size=2",
        "train.accumulate=2",
        "train.workers=0",
        "valid.mirror_test=false",
    ]
    line = ["bash", str(ROOT / "scripts" / "train_hourglass52_mpii_256x256.sh")]
    line += ["--device", "cpu", "--image_size", "64", "--opts", *small]
    environment = {**ENVIRONMENT, "DATA": str(synthetic_mpii), "SAVE_DIR": str(tmp_path)}
    done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "here 2 x 2 x 1 = 4: 3.90625e-06" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("[EVAL] Ankle=")
    assert (tmp_path / "hourglass52_mpii_256x256.json").is_file()


class TestPublishedRows:
    def test_every_configuration_of_a_published_row_has_its_script(self):
        """Those of a test alone (`_test_`) are trained by the script of another."""
        trained = [config_of(script) for script in SCRIPTS]
        assert len(set(trained)) == len(trained)
        named = [str(path.relative_to(ROOT)) for path in CONFIGS if loaded(str(path.relative_to(ROOT))).reference]
        assert sorted(set(named) - set(trained)) == [path for path in sorted(named) if "_test_" in path]

    @pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
    def test_a_script_says_which_row_and_what_it_costs(self, script):
        config = loaded(config_of(script))
        header = script.read_text().split("\n. ")[0]
        said = re.search(r"^# Published: (\w+)\. Cost: ", header, re.MULTILINE)
        assert (said[1] if said else None) == config.reference
        assert f"GPUS=0,1,2,3 bash scripts/{script.name}" in header
        assert os.access(script, os.X_OK)
        comment = (ROOT / config_of(script)).read_text().split("\n_base_")[0].replace("\n# ", " ")
        published = re.search(r"# (Published: .* Cost: .*\.)$", header, re.MULTILINE)[1]
        assert f"{published} Ours: not run." in comment

    def test_recipes_without_a_comparable_row_say_so(self):
        without = [script for script in SCRIPTS if loaded(config_of(script)).reference is None]
        assert all("# Published: nothing" in script.read_text() for script in without)

    @pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
    def test_a_row_is_of_the_people_that_the_recipe_is_scored_on(self, script):
        config = loaded(config_of(script))
        if config.reference is not None:
            assert incomparable(references.find(config.reference), circumstances(config, Somebody())) == ""

    def test_every_recipe_has_a_base(self):
        """Else it would not be the published one on another number of GPUs."""
        assert [s.name for s in SCRIPTS if loaded(config_of(s)).optimizer.base_batch is None] == []


def rows_of_the_document() -> dict[str, list[str]]:
    """Script -> cells of its line in docs/recipes.md."""
    lines = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "(../scripts/train_" in line]
    return {re.search(r"\(\.\./(scripts/\S+)\)", row[2])[1]: row for row in rows}


class TestDocument:
    def test_every_script_is_in_it_once(self):
        assert sorted(rows_of_the_document()) == [str(script.relative_to(ROOT)) for script in SCRIPTS]
        text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
        assert text.count("(../scripts/train_") == len(SCRIPTS)

    @pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
    def test_its_numbers_are_the_configurations(self, script):
        path = config_of(script)
        config = loaded(path)
        row = rows_of_the_document()[str(script.relative_to(ROOT))]
        train = config.train
        assert row[0] == (f"`{config.reference}`" if config.reference else "none comparable")
        assert row[1] == f"[{Path(path).stem}](../{path})"
        assert row[3:6] == [
            f"{train.batch_size} x {train.accumulate} = {train.batch_size * train.accumulate}",
            f"{config.optimizer.lr:g}",
            str(train.epochs),
        ]
        cost = re.search(r"Cost: (.*?)\.$", script.read_text(), re.MULTILINE)[1]
        assert row[7] == cost
        trunk = re.search(r'TRUNK="a? ?(.*?)"', script.read_text())
        assert row[6] == (trunk[1] if trunk else "scratch")

    def test_the_example_is_what_the_rule_gives(self):
        text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
        for line in re.findall(r"^\| (\d+) GPUs? \| (\d+) x (\d+) x \1 = (\d+) \| ([\d.e-]+) \|", text, re.MULTILINE):
            gpus, batch, accumulate, step, rate = line
            options = (f"train.batch_size={batch}", f"train.accumulate={accumulate}")
            config = load_config(str(ROOT / "configs/hourglass/hourglass52_mpii_256x256.yaml"), options)
            assert int(batch) * int(accumulate) * int(gpus) == int(step)
            assert f"{learning_rate(config, int(gpus)):g}" == rate
        assert len(re.findall(r"^\| \d+ GPUs? \|", text, re.MULTILINE)) >= 4


def test_there_are_no_settings_that_nobody_reads():
    with pytest.raises(ConfigError, match="base_batch"):
        load_config(str(ROOT / config_of(SCRIPTS[0])), ("optimizer.base_batc=3",))


def test_accumulation_that_the_user_asks_for_is_divided_too():
    flags = ["--batch_size", "32", "--opts", "train.accumulate=16"]
    train = commands(ROOT / "scripts" / "train_hourglass52_mpii_256x256.sh", *flags, GPUS="0,1,2,3")[0][0]
    parsed = train_command.parser().parse_args(train[train.index("train.py") + 1 :])
    assert read_config(parsed, "train").train.accumulate == 4


@pytest.mark.parametrize("gpus", ["0 1", "a", "0,,1", ",", "gpu:0"])
def test_gpus_that_are_no_numbers(gpus):
    line = ["bash", str(SCRIPTS[0])]
    done = subprocess.run(line, capture_output=True, text=True, env={**ENVIRONMENT, "GPUS": gpus, "DRY_RUN": "1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: GPUS={gpus}: write numbers with commas between, e.g. GPUS=0,1,2,3\n"


@pytest.mark.parametrize("value", ["true", "10000000000000000000000", "'64'", "0", "64.0"])
def test_a_base_batch_that_is_no_number_of_samples(value):
    path = str(ROOT / "configs/hourglass/hg2_mpii_256x256.yaml")
    with pytest.raises(ConfigError, match=r"optimizer\.base_batch="):
        load_config(path, (f"optimizer.base_batch={value}",))


@pytest.mark.parametrize(
    ("flags", "instead"),
    [(["--save_dir", "x"], "SAVE_DIR=DIR"), (["--dataset_root=x"], "DATA=DIR"), (["--config", "x"], "another script")],
)
def test_flags_that_would_make_val_look_elsewhere(flags, instead):
    line = ["bash", str(SCRIPTS[0]), *flags]
    done = subprocess.run(line, capture_output=True, text=True, env={**ENVIRONMENT, "DRY_RUN": "1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: that flag would reach train.py only, not val.py; use {instead} in its place\n"
