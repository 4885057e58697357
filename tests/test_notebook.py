"""docs/aistudio.ipynb is run as it stands, on rendered people and with a tiny network."""

import json
import re
import tarfile
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "docs" / "aistudio.ipynb"
nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel: pip install nbclient ipykernel")
pytest.importorskip("ipykernel", reason="needs nbclient and ipykernel: pip install nbclient ipykernel")


def test_it_runs_to_the_eval_line(tmp_path, monkeypatch):
    import nbformat

    monkeypatch.setenv("SMALL_FOLDER", str(tmp_path))
    monkeypatch.delenv("SMALL", raising=False)
    notebook = nbformat.read(PATH, as_version=4)
    folder = {"metadata": {"path": str(PATH.parent)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder).execute()

    text = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    line = next(line for line in text.splitlines() if line.startswith("[EVAL] "))
    assert re.fullmatch(r"\[EVAL\] Ankle=\S+ Elbow=\S+ Head=\S+ Hip=\S+ Knee=\S+ Mean=\S+ Mean@0.1=\S+ .*", line)
    with tarfile.open(tmp_path / "result.tar.gz") as archive:
        names = set(archive.getnames())
    assert names == {"record.json", "model.pdparams", "curves.png", "config.yaml", "train.log"}
    record = json.loads((tmp_path / "output" / "record.json").read_text())
    assert f"Mean={record['values']['Mean']}" in line


def test_outputs_are_not_kept():
    cells = json.loads(PATH.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 6
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_its_recipe_is_there():
    """The branch that the test above does not take."""
    root = PATH.parents[1]
    source = "".join("".join(cell["source"]) for cell in json.loads(PATH.read_text(encoding="utf-8"))["cells"])
    for size in (256, 384):
        assert (root / f"scripts/train_hourglass52_mpii_{size}x{size}.sh").is_file()
    assert "scripts/train_hourglass52_mpii_{IMAGE_SIZE}x{IMAGE_SIZE}.sh" in source
    assert (root / "scripts/prepare_mpii.py").is_file()
