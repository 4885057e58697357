"""What several folders of tests share: a small synthetic dataset in MPII's files."""

import pytest

SYNTHETIC_TRAIN, SYNTHETIC_VALID = 24, 12  # photos; one to four people in each


@pytest.fixture(scope="session")
def synthetic_mpii(tmp_path_factory):
    """Folder of a small rendered dataset in MPII's file format; read it, never write into it."""
    from paddle_pose.synthetic.write_mpii import write_mpii

    root = tmp_path_factory.mktemp("data") / "synthetic_mpii"
    assert write_mpii(str(root), SYNTHETIC_TRAIN, SYNTHETIC_VALID, seed=3, image_size=128)
    return root
