"""A finished run that tests of commands share."""

import pytest
from cli_cases import SHORT, train, write_config


@pytest.fixture(scope="session")
def run(synthetic_mpii, tmp_path_factory):
    """(folder, configuration) of a finished run of one epoch; not to be changed."""
    folder = tmp_path_factory.mktemp("finished_run")
    config = write_config(folder)
    assert train(config, synthetic_mpii, folder / "out", "--opts", *SHORT) == 0
    return folder / "out", config
