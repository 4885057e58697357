"""`paddle-pose results`: tables of documents from records."""

import json
import shutil

import pytest
from cli_cases import ROOT, assert_one_error

from paddle_pose.cli import results
from paddle_pose.cli.result_tables import published_values
from paddle_pose.config import check_config
from paddle_pose.config_hash import config_hash
from paddle_pose.references import find

DOCUMENT = "before\n\n<!-- results:begin rows -->\n<!-- results:end -->\nafter\n"
REFERENCE = "mmpose_hourglass52_mpii_256x256"


def record_of(title="HRNet", mean=50.0, **changes):
    table = {
        "Head": {"@0.5": 80.0, "@0.1": 8.0, "AUC": 40.0},
        "Mean, 14 joints by count (ours)": {"@0.5": mean, "@0.1": 5.125, "AUC": 30.0},
    }
    row = {"order": 1, "title": title, "note": "some photos", "test": ""}
    content = {
        "form": 2,
        "row": {**row, **changes.pop("row", {})},
        "reference": None,
        "differences": [],
        "rules": "PCKh: so and so",
    }
    return {**content, "values": {"Head": 80.0, "Mean": mean, "Mean@0.1": 5.125}, "table": table, **changes}


@pytest.fixture
def checkout(tmp_path):
    """A folder with two records, a configuration that names a published row, and documents with empty tables."""
    for folder in ("results", "configs", "docs"):
        (tmp_path / folder).mkdir()
    write(tmp_path, "b", record_of(row={"order": 2, "test": "mirror"}, mean=60.0))
    write(tmp_path, "a", record_of(row={"test": "plain", "chinese": {"title": "网络", "note": "照片", "test": "无"}}))
    (tmp_path / "README.md").write_text(DOCUMENT + DOCUMENT.replace("rows", "published"))
    (tmp_path / "README_cn.md").write_text(DOCUMENT)
    (tmp_path / "docs/results.md").write_text(DOCUMENT.replace("rows", "joints b a"))
    config = (ROOT / "configs/hourglass/hg1_small_synthetic_96x96.yaml").read_text()
    shutil.copytree(ROOT / "configs/_base_", tmp_path / "configs/_base_")
    (tmp_path / "configs/hourglass").mkdir()
    (tmp_path / "configs/hourglass/mine.yaml").write_text(config)
    return tmp_path


def write(root, name, content):
    text = content if isinstance(content, str) else json.dumps(content)
    (root / f"results/{name}.json").write_text(text)


def table(path):
    return [line for line in path.read_text().splitlines() if line.startswith("|")]


def test_the_documents_here_agree_with_the_records(capsys):
    """If this fails: python -m paddle_pose.results"""
    assert results.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("path", sorted((ROOT / "results").glob("*.json")), ids=lambda path: path.stem)
def test_the_hash_of_each_record_here_is_that_of_its_configuration(path):
    """It fails if a default has changed that these runs were made with: their hash then means something else."""
    content = json.loads(path.read_text())
    if "checkpoint" not in content["scored"]:  # nothing was trained
        assert content["config_hash"] is None
        return
    assert config_hash(check_config(content["config"], str(path))) == content["config_hash"]


def test_a_line_for_each_title_and_note(checkout):
    assert results.main(["--root", str(checkout)]) == 0
    text = (checkout / "README.md").read_text()
    assert text.startswith("before\n\n<!-- results:begin rows -->\n\n| network |")
    assert text.endswith("<!-- results:end -->\nafter\n")
    links = "[json](results/a.json), [json](results/b.json)"
    assert f"| HRNet | some photos | PCKh@0.5 Mean 50.00 (plain); 60.00 (mirror) | {links} |" in text


def test_chinese_words_where_a_record_has_them(checkout):
    assert results.main(["--root", str(checkout)]) == 0
    head, _, first, second = table(checkout / "README_cn.md")
    assert head == "| 网络 | 数据 | PCK、PCKh 或 AP | 记录 |"
    assert first == "| 网络 | 照片 | PCKh@0.5 Mean 50.00 (无) | [json](results/a.json) |"
    assert second.startswith("| HRNet | some photos | ")


def test_joint_by_joint_in_the_order_that_is_asked_for(checkout):
    assert results.main(["--root", str(checkout)]) == 0
    lines = table(checkout / "docs/results.md")
    assert lines[0] == "| PCKh@0.5 | Head | Mean | Mean@0.1 | record |"
    assert lines[2] == "| HRNet, mirror | 80.00 | 60.00 | 5.12 | [json](../results/b.json) |"
    assert lines[4:] == [
        "| PCKh@0.1 | Head | Mean |",
        "|---|---|---|",
        "| HRNet, mirror | 8.00 | 5.12 |",
        "| HRNet, plain | 8.00 | 5.12 |",
    ]


def test_joints_of_coco(checkout):
    for name, test in (("a", "one scale"), ("b", "two")):
        part = {"rules": "AP by pycocotools", "values": {"AP": 70.0, "APL": None}}
        part["table"] = {"boxes": {"AP": 70.0, "APL": None}, "nose": {"AP": 71.0}, "left_knee": {"AP": None}}
        write(checkout, name, record_of(row={"test": test}, **part))
    assert results.main(["--root", str(checkout)]) == 0
    lines = table(checkout / "docs/results.md")
    assert lines[:3:2] == ["| AP | AP | APL | record |", "| HRNet, two | 70.00 |  | [json](../results/b.json) |"]
    assert lines[4] == "| AP of a joint alone | HRNet, two | HRNet, one scale |"
    assert lines[6:] == ["| nose | 71.00 | 71.00 |", "| left_knee |  |  |"]
    assert "| AP 70.00 (one scale); 70.00 (two) |" in (checkout / "README.md").read_text()


def test_published_rows_beside_ours(checkout, monkeypatch):
    from paddle_pose import config

    read = config.load_config
    named = {"reference": REFERENCE}
    monkeypatch.setattr(config, "load_config", lambda path: read(path).model_copy(update=named))
    write(checkout, "c", record_of("ours", 88.5, reference=REFERENCE, differences=["mirror test: no"]))
    (checkout / "docs/results.md").write_text(DOCUMENT.replace("rows", "joints a b c"))
    assert results.main(["--root", str(checkout)]) == 0
    last = table(checkout / "README.md")[-1]
    config_link = "[mine](configs/hourglass/mine.yaml)"
    ours = "Mean 88.50, Mean@0.1 5.12 (rules that differ: 1) [json](results/c.json)"
    assert last == f"| {find(REFERENCE).title} | {config_link} | Mean 88.9, Mean@0.1 31.7 | {ours} |"
    (checkout / "results/c.json").unlink()
    (checkout / "docs/results.md").write_text(DOCUMENT.replace("rows", "joints a b"))
    assert results.main(["--root", str(checkout)]) == 0
    assert table(checkout / "README.md")[-1].endswith("| Mean 88.9, Mean@0.1 31.7 | not run |")


def test_a_published_row_that_only_a_record_names_is_there(checkout):
    write(checkout, "a", record_of(reference="tompson_mpii_valid"))
    assert results.main(["--root", str(checkout)]) == 0
    last = table(checkout / "README.md")[-1]
    assert last.startswith(f"| {find('tompson_mpii_valid').title} |  | ")
    assert last.endswith("| Mean 50.00, Mean@0.1 5.12 [json](results/a.json) |")


def test_published_values_say_which_rule_they_are_by():
    assert published_values(find("hrnet_w32_mpii_256x256")).endswith("(at 0.11)")
    assert "(detector AP 56.4)" in published_values(find("hrnet_w32_coco_192x256"))


def test_check_writes_nothing_and_says_what_disagrees(checkout, capsys):
    before = (checkout / "README.md").read_text()
    assert results.main(["--root", str(checkout), "--check"]) == 1
    assert "README.md: the tables are not those of the records" in capsys.readouterr().out
    assert (checkout / "README.md").read_text() == before
    assert results.main(["--root", str(checkout)]) == 0
    assert results.main(["--root", str(checkout), "--check"]) == 0
    write(checkout, "b", record_of(row={"order": 2, "test": "mirror"}, mean=60.01))
    assert results.main(["--root", str(checkout), "--check"]) == 1


BAD_RECORDS = [
    ("not JSON {", r"a\.json: is no JSON"),
    (json.dumps(record_of()).replace("50.0", "NaN"), r"a\.json: is no JSON \(it has NaN"),
    ({"values": {"Mean": 1.0}, "table": {}}, r"a\.json: is no record of this version"),
    (record_of(mean=100.5), r"a\.json: a damaged record: Mean is 100\.5, not a percentage"),
    (record_of(mean="50"), "Mean is '50', not a percentage"),
    ({key: value for key, value in record_of().items() if key != "rules"}, "'rules' is missing"),
    (record_of(values={"Head": 1.0}), "it has neither Mean nor AP"),
    (record_of(table=[]), r"a\.json: a damaged record"),
    (record_of(table={}), r"a\.json: a damaged record"),
    (record_of(reference="mmpose_hourglass53"), r"results/a\.json: reference: no published row 'mmpose_hourglass53'"),
    (record_of(row={"title": "a | b"}), r"title is 'a \| b'"),
    (record_of(row={"order": "1"}), "row.order is '1'"),
    (record_of(row={"order": 2, "test": "mirror"}), r"b\.json: has the title, note and test of a\.json"),
    ("[" * 100_000, r"a\.json: is no JSON"),
]


@pytest.mark.parametrize(("content", "says"), BAD_RECORDS)
def test_a_bad_record_is_one_line(checkout, capsys, content, says):
    write(checkout, "a", content)
    assert results.main(["--root", str(checkout)]) == 2
    assert_one_error(capsys.readouterr(), says)
    assert "| network |" not in (checkout / "README.md").read_text()


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("no table", "results.md: no table"),
        ("<!-- results:begin joints a b -->\n", "one without end"),
        (DOCUMENT.replace("rows", "joints a b none"), "there is no results/none.json"),
        (DOCUMENT.replace("rows", "joints b"), "shows no joints of results/a.json"),
        (DOCUMENT.replace("rows", "graph"), "results:begin graph: write rows"),
    ],
)
def test_a_bad_document_is_one_line(checkout, capsys, document, says):
    (checkout / "docs/results.md").write_text(document)
    assert results.main(["--root", str(checkout)]) == 2
    assert_one_error(capsys.readouterr(), says)


def test_other_bad_input(checkout, capsys, tmp_path):
    (checkout / "README_cn.md").unlink()
    assert results.main(["--root", str(checkout)]) == 2
    assert_one_error(capsys.readouterr(), "README_cn.md: cannot be read")
    assert results.main(["--root", str(tmp_path / "nowhere")]) == 2
    assert_one_error(capsys.readouterr(), "has no folder results/")


@pytest.mark.parametrize("differences", ["mirror", ["a|b"], [3], ["<!-- results:end -->"]])
def test_differences_that_no_cell_can_hold(checkout, capsys, differences):
    write(checkout, "a", record_of("a", differences=differences))
    assert results.main(["--root", str(checkout)]) == 2
    assert "a damaged record: differences is" in capsys.readouterr().err


def test_a_document_that_is_no_text(checkout, capsys):
    (checkout / "README.md").write_bytes(b"\xff")
    assert results.main(["--root", str(checkout)]) == 2
    assert "README.md: is not UTF-8 text" in capsys.readouterr().err
