"""Two processes of Paddle's launcher on the CPU against one."""

import os
import subprocess
import sys
from pathlib import Path

import launched
import numpy as np
import pytest
from engine_cases import TinyNet, arrays, assert_close_arrays, assert_same_arrays, filled

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the two processes found."""
    folder = tmp_path_factory.mktemp("launch")
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "MKL_DEBUG_CPU_TYPE", "GLOG_minloglevel", "LD_LIBRARY_PATH")
    environment = {name: os.environ[name] for name in kept if name in os.environ}  # the launcher logs all of it
    environment["PYTHONPATH"] = str(HERE.parents[1])
    launch = ["-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--log_dir", str(folder / "logs")]
    done = subprocess.run(
        [sys.executable, *launch, str(HERE / "launched.py"), str(folder)],
        env=environment,
        cwd=folder,
        capture_output=True,
        timeout=240,
    )
    logs = "\n".join(path.read_text() for path in (folder / "logs").glob("workerlog.*"))
    assert done.returncode == 0, logs[-3000:]
    return [dict(np.load(folder / f"{rank}.npz")) for rank in range(2)]


def weights(found: dict, of: str) -> dict[str, np.ndarray]:
    prefix = f"{of}/"
    return {name[len(prefix) :]: array for name, array in found.items() if name.startswith(prefix)}


@pytest.mark.parametrize("accumulate", [1, 2])
def test_training_is_that_of_one_process_with_the_whole_batch(results, accumulate):
    first, second = (weights(found, f"accumulate {accumulate}") for found in results)
    assert_same_arrays(first, second)
    whole = launched.train(rank=0, ranks=1, people=8, batch=4, accumulate=1)  # 2 steps of 4 people either way
    if accumulate == 1:
        assert_close_arrays(first, whole, rtol=1e-5, atol=1e-6)
    # batches of 1 in 2 processes, 2 of them a step: the same people in another order of the epoch's permutation
    again = launched.train(rank=0, ranks=1, people=8, batch=2, accumulate=2)
    assert_close_arrays(again, whole, rtol=1e-5, atol=1e-6)
    assert_close_arrays(first, again, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_traced_training_is_that_of_eager_training(results, accumulate):
    first, second = (weights(found, f"traced {accumulate}") for found in results)
    assert_same_arrays(first, second)
    assert_close_arrays(first, weights(results[0], f"accumulate {accumulate}"), rtol=1e-5, atol=1e-6)


def test_a_part_that_is_thawed_learns_from_all_processes(results):
    alone = launched.thawed(rank=0, ranks=1, batch=4, accumulate=1)
    for accumulate in (1, 2):
        first, second = (weights(found, f"thawed {accumulate}") for found in results)
        assert_same_arrays(first, second)
        again = launched.thawed(rank=0, ranks=1, batch=2, accumulate=2) if accumulate == 2 else alone
        assert_close_arrays(first, again, rtol=1e-4, atol=1e-6)
    start = arrays(filled(TinyNet()))
    assert np.abs(start["first.weight"] - alone["first.weight"]).max() > 1e-3


def test_the_validation_loss_is_that_of_one_process(results):
    alone = launched.validation_loss(rank=0, ranks=1)
    assert [float(found["validation_loss"]) for found in results] == pytest.approx([alone, alone], rel=1e-6)


def test_an_odd_number_of_people_is_evaluated_as_by_one_process(results):
    alone = launched.predict(rank=0, ranks=1)
    for found in results:
        np.testing.assert_allclose(found["predictions"], alone, rtol=1e-6, atol=1e-6)
    assert (alone[..., 2] != 0).all()


def test_sums_and_copies(results):
    for found in results:
        assert found["sum"].tolist() == [2.0, 1.0]
        assert found["copied"].tolist() == [0.0] * 3


@pytest.mark.parametrize("averaged", [False, True])
def test_all_processes_validate_the_model_that_is_saved(results, averaged):
    """Each has seen other people, and has other running statistics; those of the first are saved."""
    own = [weights(found, f"own {averaged}") for found in results]
    assert not np.array_equal(own[0]["bn._mean"], own[1]["bn._mean"])
    for found in results:
        assert_same_arrays(weights(found, f"validated {averaged}"), own[0])


def test_all_processes_stop_after_the_same_step(results):
    assert [int(found["stopped_after"]) for found in results] == [5, 5]


def test_the_first_waits_for_the_second(results):
    for found in results:
        assert (found["waited"] >= 0.49).all()
