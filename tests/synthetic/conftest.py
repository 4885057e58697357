import pytest
from synthetic_cases import RECIPE, WRITERS


@pytest.fixture(scope="session")
def datasets(tmp_path_factory):
    """Folder of each format's dataset, made on first use."""
    made = {}

    def get(name: str):
        if name not in made:
            made[name] = tmp_path_factory.mktemp("synthetic") / name
            assert WRITERS[name](str(made[name]), RECIPE)
        return made[name]

    return get
