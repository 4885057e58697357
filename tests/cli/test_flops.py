"""`paddle-pose flops`."""

import subprocess
import sys

import pytest
from cli_cases import ROOT

from paddle_pose.cli import flops

SMALL, LARGER = "configs/hourglass/hg1_small_synthetic_96x96.yaml", "configs/hrnet/w18_small_mpii_256x256.yaml"


def test_a_line_for_each_configuration_and_the_convention(capsys):
    assert flops.main(["--config", SMALL, LARGER]) == 0
    title, first, second, *rules = capsys.readouterr().out.splitlines()
    assert title.split() == ["configuration", "w", "x", "h", "parameters", "/", "M", "GMACs", "GiMACs"]
    assert first.split() == [SMALL, "96x96", "0.331", "0.119", "0.111"]
    assert second.split() == [LARGER, "256x256", "1.285", "0.761", "0.709"]
    assert rules[0].startswith("GMACs = multiply-accumulates of convolutions and fully connected layers / 1e9, batch 1")
    assert "HRNet's paper and README print GiMACs" in rules[1]


def test_another_size(capsys):
    """MACs of a network of convolutions grow with the area, parameters do not."""
    assert flops.main(["--config", SMALL, "--image_size", "192"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[1:4] == ["192x192", "0.331", f"{4 * 0.1194:.3f}"]


def test_configurations_of_one_network_share_a_line(capsys):
    assert flops.main(["--config", SMALL, SMALL, LARGER]) == 0
    assert f"{SMALL} and 1 more " in capsys.readouterr().out


def test_the_table_of_all_leaves_out_what_nobody_published():
    names = [path.name for path in flops.published_sizes()]
    assert {"w32_mpii_256x256.yaml", "hourglass52_mpii_256x256.yaml", "w18_small_mpii_256x256.yaml"} <= set(names)
    assert not [name for name in names if "synthetic" in name or name.startswith(("small_", "mpii", "hand_21"))]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--config", "nowhere.yaml"], "nowhere.yaml: cannot read the configuration"),
        (["--config", SMALL, "--image_size", "70"], "[70, 70] is not a multiple"),
        (["--config", SMALL, "--image_size", "-4"], "--image_size -4"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, says):
    assert flops.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert says in error


def test_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "paddle_pose.flops", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0
    assert "--image_size" in done.stdout
