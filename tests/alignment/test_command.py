"""The command on the example of docs/alignment.md, against its recording, and against PyTorch where it is installed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from alignment import sixth

from paddle_pose.alignment import reprod_files
from paddle_pose.cli.align import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def recording(tmp_path):
    """A copy of the committed recording, to be written beside and spoilt."""
    return shutil.copytree(sixth.RECORDING, tmp_path / "recording")


def compare(folder, *flags):
    """Exit code and JSON of a comparison; the default --save is beside the recording."""
    code = main(["--recording", str(folder), "--device", "cpu", *flags])
    return code, json.loads((folder.parent / "alignment.json").read_text())


def columns(text):
    """Rung, what is compared, and verdict of each line: what does not depend on the machine."""
    lines = [
        line
        for line in text.splitlines()
        if line.split(" ")[0] in ("forward", "metric", "loss", "backward", "training")
    ]
    return [(line[:50].rstrip(), next(w for w in ("pass", "FAIL", "skipped") if f"  {w}" in line)) for line in lines]


def test_the_right_network_passes_as_documented(recording, tmp_path, capsys):
    code, found = compare(recording, "--network", sixth.write(tmp_path))
    assert code == 0
    assert len(columns(sixth.PRINTED)) == 9
    assert columns(capsys.readouterr().out) == columns(sixth.PRINTED)
    assert found["failed"] == []
    assert found["setup"]["optimizer"] == "Adam"
    assert found["setup"]["recorded_by"]["torch"]
    assert "shapes" not in found["setup"]
    assert found["made_by"]["commit"]
    assert found["made_by"]["device"] == "cpu"
    first = found["rows"][0]
    assert list(first) == ["rung", "compared", "largest", "mean", "threshold", "verdict", "note"]
    assert first["compared"] == "1 output, float32"
    assert 0 < first["mean"] < first["largest"] < 1e-6


@pytest.mark.parametrize("what", list(sixth.WRONG))
def test_a_wrong_network_fails_where_it_is_wrong(what, recording, tmp_path):
    right, wrong, rungs = sixth.WRONG[what]
    code, found = compare(recording, "--network", sixth.write(tmp_path, right, wrong))
    assert code == 1
    assert found["failed"][0] == (rungs or ["forward"])[0]
    if rungs is not None:
        assert found["failed"] == rungs


def test_inverted_momentum_shows_only_after_training(recording, tmp_path):
    _, found = compare(recording, "--network", sixth.write(tmp_path, *sixth.WRONG["momentum"][:2]))
    wrong = [row["compared"].split(",")[0] for row in found["rows"] if row["verdict"] == "FAIL"]
    assert wrong == ["output in eval mode after step 1", "output in eval mode after step 5"]


def test_a_wrong_factor_of_the_loss(recording, tmp_path):
    network = sixth.write(tmp_path)
    code, found = compare(recording, "--network", network, "--loss", f"{tmp_path / 'losses.py'}:half")
    assert code == 1
    assert found["failed"] == ["loss", "backward", "training"]
    assert next(row for row in found["rows"] if row["rung"] == "loss")["largest"] == pytest.approx(0.5)


def test_chosen_rungs_and_thresholds(recording, tmp_path):
    network = sixth.write(tmp_path)
    code, found = compare(recording, "--network", network, "--rungs", "loss,forward", "--threshold", "forward=1e-9")
    assert [row["rung"] for row in found["rows"]] == ["forward", "forward", "loss"]
    assert code == 1  # float32 differs by more
    assert [row["verdict"] for row in found["rows"]] == ["FAIL", "pass", "pass"]


def test_our_arrays_are_what_reprod_log_loads(recording, tmp_path):
    """`ReprodDiffHelper.load_info` is np.load(...).tolist(); it wants the same names on both sides."""
    code, _ = compare(recording, "--network", sixth.write(tmp_path), "--save_arrays", str(tmp_path / "ours"))
    assert code == 0
    for name in ("forward", "loss", "backward", "train"):
        ours = np.load(tmp_path / "ours" / f"{name}_paddle.npy", allow_pickle=True).tolist()
        theirs = np.load(recording / f"{name}_ref.npy", allow_pickle=True).tolist()
        assert sorted(ours) == sorted(theirs)
        for key, array in theirs.items():
            np.testing.assert_allclose(ours[key], array, rtol=1e-4, atol=1e-6)


def test_files_of_the_guide_without_a_setup(recording, tmp_path):
    """Images, target, outputs and loss by other names, and our weights as a checkpoint."""
    import paddle

    from paddle_pose.alignment.climbing import load
    from paddle_pose.alignment.objects import find_object
    from paddle_pose.alignment.rules import EVALUATION
    from paddle_pose.alignment.setup import read_setup

    network, setup, theirs = sixth.write(tmp_path), read_setup(recording), tmp_path / "theirs"
    theirs.mkdir()
    ours = find_object(network, "--network")()
    load(ours, setup, recording)
    paddle.save(ours.state_dict(), str(tmp_path / "sixth.pdparams"))
    np.save(theirs / "fake_data.npy", setup.images(EVALUATION).astype("float32"))
    np.save(theirs / "fake_label.npy", setup.targets([(2, 4, 4, 6)])[0].astype("float32"))
    np.save(theirs / "forward_torch.npy", {"logits": reprod_files.read(recording / "forward_ref.npy")["output_0"]})
    np.save(theirs / "loss_pytorch.npy", {"loss": reprod_files.read(recording / "loss_ref.npy")["loss"]})
    flags = ("--network", network, "--pretrained_model", str(tmp_path / "sixth.pdparams"))
    code, found = compare(theirs, *flags)
    assert code == 0
    verdicts = {row["rung"]: row["verdict"] for row in found["rows"]}
    assert verdicts == {
        "forward": "pass", "metric": "skipped", "loss": "pass", "backward": "skipped", "training": "skipped",
    }  # fmt: skip
    two = sixth.write(tmp_path, "stem(images))]", "stem(images))] * 2")  # the only array is the last output
    assert compare(theirs, "--network", two, *flags[2:], "--rungs", "forward")[0] == 0
    np.save(theirs / "forward_torch.npy", {"logits": np.zeros((2, 4, 4, 6), "float32")})
    assert compare(theirs, *flags)[0] == 1


@pytest.mark.parametrize("flags", [("--double",), (), ("--weights", "own", "--optimizer", "Momentum")])
def test_live_beside_pytorch(flags, tmp_path):
    pytest.importorskip("torch")
    network = sixth.write(tmp_path)
    command = ["--torch", f"{tmp_path / 'sixth_torch.py'}:Sixth", "--input_wh", "24", "16", "--steps", "3", *flags]
    code, found = compare(tmp_path / "kept", "--network", network, *command)
    assert code == 0, found["rows"]
    assert found["setup"]["dtype"] == ("float64" if flags == ("--double",) else "float32")
    wrong = sixth.write(tmp_path, *sixth.WRONG["momentum"][:2])
    assert compare(tmp_path / "kept", "--network", wrong)[1]["failed"] == ["training"]


def test_recording_needs_no_paddle(tmp_path):
    pytest.importorskip("torch")
    sixth.write(tmp_path)
    lines = "import sys; sys.modules['paddle'] = None; from paddle_pose.cli.align import main; sys.exit(main())"
    flags = ["record", "--torch", "sixth_torch.py:Sixth", "--out", "new", "--input_wh", "24", "16", "--steps", "5"]
    done = subprocess.run(
        [sys.executable, "-c", lines, *flags, "--double"],
        capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in ("forward", "loss", "backward", "train"):
        new, old = (reprod_files.read(folder / f"{name}_ref.npy") for folder in (tmp_path / "new", sixth.RECORDING))
        assert list(new) == list(old)
        for key, array in old.items():
            np.testing.assert_allclose(new[key], array, rtol=1e-4, atol=1e-6, err_msg=key)


def test_help_imports_nothing_heavy():
    command = [sys.executable, "-X", "importtime", "-m", "paddle_pose.align"]
    for words in (["--help"], ["record", "--help"], ["table", "--help"]):
        done = subprocess.run([*command, *words], capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0
        imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
        assert "paddle_pose" in imported
        assert not imported & {"paddle", "torch", "yaml", "pydantic", "cv2"}


def test_values_of_the_references_own_evaluator(recording, tmp_path):
    """metric_ref.npy beside a record of val.py --save_record."""
    network, record = sixth.write(tmp_path), tmp_path / "results.json"
    np.save(recording / "metric_ref.npy", {"Mean": 88.9, "Mean@0.1": 31.7})
    flags = ("--network", network, "--rungs", "metric", "--metric_record", str(record))
    for mean, verdict in ((88.9, "pass"), (88.7, "FAIL")):
        record.write_text(json.dumps({"values": {"Mean": mean, "Mean@0.1": 31.7, "Head": None}}))
        code, found = compare(recording, *flags)
        assert code == (verdict == "FAIL")
        assert [row["verdict"] for row in found["rows"]] == ["skipped", verdict]
        assert found["rows"][1]["compared"] == "2 values of the reference's own evaluator"
