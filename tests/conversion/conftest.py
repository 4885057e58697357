"""A checkpoint of PyTorch for the tests of the command."""

import pytest
from convert_cases import bearpaw, entries_of

from paddle_pose.conversion.torch_writer import write_torch


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "hg.pth"
    write_torch(path, entries_of(bearpaw()))
    return path
