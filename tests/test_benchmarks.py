"""Benchmarks do not rot: each answers --help, the quick ones run, and one run makes one table of them."""

import argparse
import importlib
import re
import sys
from functools import partial
from pathlib import Path

import paddle
import pytest

from benchmarks import __main__ as all_in_one
from benchmarks.comparison import HEADER, Comparison, print_table

FOLDER = Path(all_in_one.__file__).parent
COMMANDS = sorted(path.stem for path in FOLDER.glob("*.py") if "ArgumentParser(" in path.read_text())
PARTS = sorted({path.stem for path in FOLDER.glob("*.py")} - {*COMMANDS, "__init__"})


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch):
    """Benchmarks set the number of threads and where to import from as they are imported, each for its process."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_tells_what_it_measures(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"benchmarks.{name}").main()
    assert ended.value.code == 0
    assert "show this help" in capsys.readouterr().out


@pytest.mark.parametrize("name", PARTS)
def test_what_they_share_can_be_imported(name):
    if name == "torch_twin":
        pytest.importorskip("torch")
    importlib.import_module(f"benchmarks.{name}")


@pytest.mark.parametrize(
    ("compared", "row"),
    [
        (Comparison("a", 2.0, 8.0, "numpy", 0.3), "| a | 2 ms | numpy 8 ms | 0.25 | 0.3 | met |"),
        (Comparison("a", 2.0, 8.0, "numpy", 0.2), "| a | 2 ms | numpy 8 ms | 0.25 | 0.2 | **missed** |"),
        (Comparison("a", 2.0, 8.0, "numpy"), "| a | 2 ms | numpy 8 ms | 0.25 |  |  |"),
        (Comparison("a", 2.5, limit=2.5, unit="s"), "| a | 2.5 s |  |  | 2.5 s | met |"),
        (Comparison("a", 2.6, limit=2.5, unit="s"), "| a | 2.6 s |  |  | 2.5 s | **missed** |"),
        (Comparison("a", 1234.0), "| a | 1234 ms |  |  |  |  |"),
    ],
)
def test_a_row(compared, row):
    assert compared.row == row


def test_rows_are_found_in_what_is_printed(capsys):
    rows = [Comparison("a", 1.0), Comparison("b", 2.0)]
    print("| no table |")
    print_table(rows)
    print("words after it")
    print_table(rows[:1])
    printed = capsys.readouterr().out
    assert all_in_one.table_rows(printed) == [rows[0].row, rows[1].row, rows[0].row]
    assert all_in_one.table_rows("killed before its table\n") == []


@pytest.mark.parametrize(
    ("name", "words", "what"),
    [
        ("codecs", ["--people", "2", "--turns", "1"], "maps to joints, quarter"),
        ("grouping", ["--people", "2", "--repeat", "1"], "2 people from maps, by the clock"),
    ],
)
def test_a_quick_one_runs(name, words, what, capfd):
    rows, code = all_in_one.run(name, words)
    printed = capfd.readouterr()
    assert code == 0, printed.err
    assert any(row.startswith(f"| {what} | ") for row in rows)
    assert all(row in printed.out for row in rows)


def test_data_path(monkeypatch, capsys):
    from benchmarks import data_path, people_720

    monkeypatch.setattr(people_720, "rendered_people", partial(people_720.rendered_people, count=2))
    monkeypatch.setattr(data_path, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(sys, "argv", ["data_path", "--samples", "2", "--turns", "1"])
    data_path.main()
    rows = all_in_one.table_rows(capsys.readouterr().out)
    assert len(rows) == 4 + 4 * 4 + 1 + 4  # ways, their parts, the device's share, waits
    assert "JointsDataset" in rows[0]


def test_loading_many_people():
    from benchmarks import scale

    rows = scale.rows_of_load(*scale.measured_load(20))
    assert [row.what for row in rows] == ["load 20 people, time", "load 20 people, memory"]


def test_a_command_is_timed_and_its_failure_is_said():
    from benchmarks import start_up

    seconds, mebibytes = start_up.once(["-c", "pass"])
    assert 0 < seconds < 10
    assert 1 < mebibytes < 1000
    with pytest.raises(SystemExit, match="no such thing"):
        start_up.once(["-c", "raise SystemExit('no such thing')"])


SMALL_STEP = {"batch": 2, "side": 64, "threads": 1}


def test_a_training_step():
    from benchmarks import step_trainers

    step, reset = step_trainers.paddle_trainer("HRNet-W32", argparse.Namespace(**SMALL_STEP))
    losses = [step(), step()]
    reset()
    assert step() == pytest.approx(losses[0], rel=1e-5)
    assert losses[1] != losses[0]


def test_two_processes_share_a_training_step():
    from benchmarks.training_step import engine_of

    pair = engine_of("pair", "HRNet-W32", argparse.Namespace(**{**SMALL_STEP, "threads": 2}))
    losses, again = (pair.ask("losses 2")["losses"] for _ in range(2))
    assert pair.ask("steps 1")["seconds"] > 0
    pair.end()
    assert again == pytest.approx(losses, rel=1e-3)
    assert losses[1] != losses[0]


def test_losses_beside_those_of_rounding(capsys):
    from benchmarks import training_step

    class Engine:
        def __init__(self, **answers):
            self.ask = lambda line: {"losses": answers[line.split()[0]]}

    usual = [1.0, 0.5, 0.25]
    engines = {"ours": Engine(losses=[1.0, 0.5, 0.26]), training_step.PLAIN: Engine(losses=usual, nudged=usual)}
    training_step.print_losses("A network", engines, 3)
    _, ours, nudged = capsys.readouterr().out.splitlines()
    assert ours == "  ours: 4.0e-02 apart at most, 0.0e+00 in the median; the first 2 within 0.0001"
    assert nudged.endswith("the first 3 within 0.0001")


@pytest.mark.skipif(not paddle.__version__.startswith("3"), reason="needs Paddle 3")
def test_operations_of_the_training_floor():
    """Of HRNet-W32: 293 convolutions, 292 batch norms, 28 upsamplings; one of each runs."""
    from benchmarks import training_floor

    facts = training_floor.paddle_facts(argparse.Namespace(**SMALL_STEP, networks=["HRNet-W32"]))
    counts = dict.fromkeys(training_floor.NAMES, 0)
    for operation, count in facts["operations"]:
        counts[operation["kind"]] += count
    assert counts == {"conv": 293, "norm": 292, "relu": 261, "sum": 162, "upsampling": 28}
    for kind in counts:
        operation = next(operation for operation, _ in facts["operations"] if operation["kind"] == kind)
        ways = training_floor.paddle_ways(**operation)
        assert all(training_floor.median_seconds(work, 1) > 0 for work in ways.values())


def test_the_limit_of_the_laptop_is_for_the_faster_export():
    from benchmarks.laptop import rows_of

    turns = {
        name: [{"wall_ms": ms}] for name, ms in {"eager": 9.0, "paddle": 5.0, "onnxruntime": 4.0, "torch": 8.0}.items()
    }
    assert [row.row for row in rows_of("net", turns)] == [
        "| exported net, paddle | 5 ms | PyTorch 8 ms | 0.62 |  |  |",
        "| exported net, onnxruntime | 4 ms | PyTorch 8 ms | 0.50 | 0.8 | met |",
    ]
    del turns["torch"], turns["onnxruntime"]
    assert [row.row for row in rows_of("net", turns)] == ["| exported net, paddle | 5 ms |  |  |  |  |"]


class TestAllInOne:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """Benchmarks of our own."""
        (tmp_path / "benchmarks").mkdir()
        table = f"print('''words\n\n{HEADER}\n{Comparison('a', 1.0).row}''')\n"
        (tmp_path / "benchmarks" / "good.py").write_text(f"import sys\n{table}print(sys.argv[1:])\n")
        (tmp_path / "benchmarks" / "bad.py").write_text(f"{table}raise SystemExit(3)\n")
        monkeypatch.setattr(all_in_one, "ROOT", tmp_path)
        monkeypatch.setattr(all_in_one, "BENCHMARKS", {"bad": [], "good": ["--turns", "2"], "grouping": []})
        monkeypatch.setattr(all_in_one, "OPTIONAL", {"good": ["no-such-package", "numpy"]})
        return tmp_path

    def test_one_table_and_why_rows_are_missing(self, folder, monkeypatch, capfd):
        target = folder / "new" / "table.md"
        monkeypatch.setattr(sys, "argv", ["all", "--save", str(target), "--tensorboy", "peers"])
        assert all_in_one.main() == 1
        saved, printed = target.read_text(), capfd.readouterr().out
        assert printed.endswith(saved)
        assert "words\n" in printed
        assert "['--turns', '2']" in printed
        head, table, notes = saved.split("\n\n")
        assert re.search(r" cores, load .*; \d{4}-\d\d-\d\d \d\d:\d\d; Paddle \d.*, torch .*, onnxruntime ", head)
        assert table == "\n".join([HEADER, *[Comparison("a", 1.0).row] * 2])
        assert notes.splitlines()[:-1] == [
            "- bad: **failed** with exit code 3; its words are above",
            "- good: without no-such-package, which pip installs",
            "- grouping: not beside the code that --lightweight name",
            "- grouping: **failed** with exit code 1; its words are above",
        ]

    def test_only_what_is_picked(self, folder, monkeypatch, capfd):
        monkeypatch.setattr(sys, "argv", ["all", "--only", "good"])
        assert all_in_one.main() == 0
        assert "failed" not in capfd.readouterr().out

    def test_every_one_is_there_and_has_the_flags(self, monkeypatch, capsys):
        given = argparse.Namespace(tensorboy=Path("a"), lightweight=None)
        for name, words in all_in_one.BENCHMARKS.items():
            monkeypatch.setattr(sys, "argv", [name, "--help"])
            with pytest.raises(SystemExit):
                importlib.import_module(f"benchmarks.{name}").main()
            told, known = [*words, *all_in_one.words_of(name, given, "models")], capsys.readouterr().out
            assert all(f"[{word}" in known for word in told if word.startswith("--")), name
        assert set(all_in_one.OPTIONAL) <= set(all_in_one.BENCHMARKS)
