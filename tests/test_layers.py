"""Imports point one way only, and what must start fast does not import paddle."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "paddle_pose"
ROWS = [  # low to high
    {"errors", "version", "pickled_values"},
    {"safe_unpickler", "atomic_files", "digests", "opencv_messages", "user_cache"},
    {"registry", "skeletons", "runtime", "safe_pickle", "safetensor_files", "config_sections", "shapes", "environment"},
    {"coco_samples", "pose_colors", "video_files"},
    {"samples", "references"},
    {"interfaces", "geometry", "frames"},
    {"data", "codecs", "metrics", "networks", "losses", "synthetic"},
    {"engine", "config", "viewer", "curves", "conversion", "complexity", "media", "tracking"},
    {"builder_data", "config_hash", "config_of_checkpoint", "outputs"},
    {"builder"},
    {"builder_training", "builder_conversion", "deployment"},
    {"zoo"},
    {"alignment", "prediction", "reports"},
    {"web"},
    {"cli"},
    {"__main__", "flops", "results", "convert", "align", "plot_log", "demo", "predict"},
]
ROW = {name: row for row, names in enumerate(ROWS) for name in names}
WITHOUT_PADDLE = (
    *("errors", "version", "pickled_values", "safe_unpickler", "atomic_files", "registry", "skeletons", "runtime"),
    *("safe_pickle", "safetensor_files", "config_sections", "shapes", "coco_samples", "references", "samples"),
    *(
        "interfaces",
        "geometry",
        "data",
        "metrics",
        "synthetic",
        "config",
        "viewer",
        "curves",
        "builder_data",
        "pose_colors",
    ),
    *("conversion.checkpoint_files", "conversion.torch_reader", "conversion.torch_pickle", "conversion.torch_writer"),
    *("cli.main", "cli.options", "cli.train", "cli.val", "cli.evaluation", "cli.comparison", "cli.standing"),
    *("environment", "config_hash", "digests", "zoo", "cli.zoo", "flops", "results", "cli.flops", "cli.results"),
    *("convert", "cli.convert", "predict", "cli.predict"),
    *("frames", "media", "tracking", "outputs", "video_files", "reports"),
    *("cli.plot_log", "cli.report_page", "cli.browse_dataset"),
    *("cli.align", "cli.align_record"),
    *(f"alignment.{name}" for name in ("objects", "reprod_files", "rules", "rungs", "setup", "report")),
)
FILES = sorted(ROOT.rglob("*.py"))


def module_name(path: Path) -> str:
    """`engine.trainer` for paddle_pose/engine/trainer.py; `` for the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> list[str]:
    """Dotted names of all that a syntax tree imports, at any depth."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def own_targets(tree: ast.AST) -> set[str]:
    """First names under paddle_pose of what is imported."""
    own = (name.split(".") for name in imports(tree) if name.split(".")[0] == "paddle_pose")
    return {parts[1] if len(parts) > 1 else "" for parts in own}


def upward(here: str, tree: ast.AST) -> list[str]:
    return sorted(target for target in own_targets(tree) if target != here and ROW.get(target, 99) >= ROW[here])


def test_every_module_has_a_row():
    tops = {module_name(path).split(".")[0] for path in FILES} - {""}
    assert tops <= set(ROW), f"give these a row in ROWS: {sorted(tops - set(ROW))}"
    assert set(ROW) <= tops, f"these rows are of no module: {sorted(set(ROW) - tops)}"


def test_no_two_test_modules_have_one_name():
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"pytest imports one of these only: {twice}"


def test_imports_only_point_down():
    wrong = []
    for path in FILES:
        # a `__main__.py` is a command, wherever it lies
        here = "__main__" if path.name == "__main__.py" else module_name(path).split(".")[0]
        if here:
            wrong += [f"{path.name} of {here} imports {name}" for name in upward(here, ast.parse(path.read_text()))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("here", "line", "wrong"),
    [
        ("data", "from paddle_pose.data.photos import read_photo", []),
        ("data", "from paddle_pose import geometry", []),
        ("data", "from paddle_pose.codecs.gaussian import GaussianHeatmap", ["codecs"]),  # the same row
        ("geometry", "def f():\n    import paddle_pose.builder", ["builder"]),  # upward, and not at the top
        ("engine", "from paddle_pose import config", ["config"]),
        ("samples", "import paddle_pose.unheard_of", ["unheard_of"]),
    ],
)
def test_the_check_sees_what_it_should(here, line, wrong):
    assert upward(here, ast.parse(line)) == wrong


def test_the_package_itself_imports_only_what_is_light():
    assert own_targets(ast.parse((ROOT / "__init__.py").read_text())) == {"runtime", "version"}


def test_there_is_no_utils():
    names = {part for path in FILES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert not names & {"utils", "util", "helpers", "common", "misc"}


def light_modules() -> list[str]:
    names = [module_name(path) for path in FILES if path.name != "__main__.py"]
    return [n for n in names if any(n == light or n.startswith(light + ".") for light in WITHOUT_PADDLE)]


def test_light_modules_import_no_paddle():
    """Imported for real, in one new process, so that what they import in turn counts too."""
    names = light_modules()
    assert {"data.loader", "metrics.pck", "viewer", "cli.options"} <= set(names)
    lines = [
        "import importlib, sys",
        f"for name in {names}:",
        "    importlib.import_module('paddle_pose.' + name)",
        "    assert 'paddle' not in sys.modules, name + ' imports paddle'",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, cwd=ROOT.parent)
    assert done.returncode == 0, done.stderr
