"""Names find classes; a wrong name gets a hint."""

import sys

import pytest

from paddle_pose.errors import ConfigError
from paddle_pose.registry import DATASETS, METRICS, Registry


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two modules, each of which registers a class in the registry that it returns."""
    folder = tmp_path / "zoo_for_tests"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from paddle_pose.registry import Registry\nANIMALS = Registry('zoo_for_tests')\n"
    )
    for name in ("Lion", "Tiger"):
        (folder / f"{name.lower()}.py").write_text(
            f"from zoo_for_tests import ANIMALS\n\n@ANIMALS.register('{name}')\nclass {name}:\n    pass\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.startswith("zoo_for_tests")]:
        del sys.modules[name]


@pytest.mark.usefixtures("package")
def test_a_new_file_is_found_without_an_edit():
    from zoo_for_tests import ANIMALS

    assert "zoo_for_tests.lion" not in sys.modules  # not before someone asks
    assert ANIMALS["Lion"].__module__ == "zoo_for_tests.lion"
    assert ANIMALS.names() == ["Lion", "Tiger"]
    assert ANIMALS["Lion"] is ANIMALS["Lion"]


@pytest.mark.usefixtures("package")
def test_a_wrong_name():
    from zoo_for_tests import ANIMALS

    with pytest.raises(ConfigError, match="unknown type 'Tigre' in zoo_for_tests; did you mean 'Tiger'"):
        ANIMALS["Tigre"]
    with pytest.raises(ConfigError, match="known: Lion, Tiger"):
        ANIMALS["???"]


def test_a_name_can_be_taken_once():
    registry = Registry("paddle_pose.errors")
    registry.register("A")(int)
    with pytest.raises(ValueError, match="'A' is taken"):
        registry.register("A")(float)
    assert registry["A"] is int


def test_register_hands_the_class_back():
    assert Registry("paddle_pose.errors").register("A")(int) is int


def test_a_module_can_hold_the_entries():
    """A registry may stand for one file."""
    registry = Registry("paddle_pose.errors")
    assert registry.names() == []


def test_shipped_names():
    assert {"MPII", "LSP", "LSPET", "FLIC"} <= set(DATASETS.names())
    assert {"PCKh", "PCK", "PCP"} <= set(METRICS.names())
    assert not {"HRNet", "MMPose"} & set(DATASETS.names())  # augmentations of the same package
