import pytest
from synthetic_cases import IMAGE_SIZE, SEED, TRAIN, VALID, WRITERS


@pytest.fixture(scope="session")
def datasets(tmp_path_factory):
    """Folder of each format's dataset, made on first use."""
    made = {}

    def get(name: str):
        if name not in made:
            made[name] = tmp_path_factory.mktemp("synthetic") / name
            assert WRITERS[name](str(made[name]), TRAIN, VALID, SEED, IMAGE_SIZE)
        return made[name]

    return get
