"""The environment before paddle starts, devices, threads and seeds."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest

import paddle_pose
from paddle_pose import runtime
from paddle_pose.errors import UserError

ROOT = Path(__file__).parents[1]
AVX512 = "avx512f avx512dq avx512bw avx512vl avx512cd"
VARIABLES = ("MKL_DEBUG_CPU_TYPE", "KMP_BLOCKTIME", "GLOG_minloglevel")


def cpuinfo(vendor: str, flags: str) -> str:
    core = f"processor\t: 0\nvendor_id\t: {vendor}\nmodel name\t: X: Y\nflags\t\t: fpu sse4_2 {flags}\nbugs\t\t:\n"
    return core + "\n" + core.replace("processor\t: 0", "processor\t: 1")


@pytest.mark.parametrize(
    ("vendor", "flags", "path"),
    [
        ("AuthenticAMD", f"avx2 fma {AVX512}", "7"),
        ("AuthenticAMD", "avx2 fma", "5"),
        ("AuthenticAMD", "avx2 fma avx512f", "5"),  # not the whole of AVX-512
        ("AuthenticAMD", "avx", ""),
        ("AuthenticAMD", "avx2", ""),
        ("GenuineIntel", f"avx2 fma {AVX512}", ""),
        ("HygonGenuine", "avx2 fma", ""),
    ],
)
def test_the_path_of_mkl(vendor, flags, path):
    assert runtime._mkl_code_path(cpuinfo(vendor, flags)) == path


@pytest.mark.parametrize("text", ["", "\n\n", "Processor: ARMv8\nFeatures: fp asimd\n", "no colon here"])
def test_cpus_that_are_not_x86(text):
    assert runtime._mkl_code_path(text) == ""


def test_mkl_is_told_only_what_the_cpu_can_do(monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that one that was not there is taken away again at the end
        monkeypatch.delenv(name)
    for facts, expected in ((cpuinfo("AuthenticAMD", "avx2 fma"), "5"), (cpuinfo("GenuineIntel", "avx2 fma"), None)):
        os.environ.pop("MKL_DEBUG_CPU_TYPE", None)
        monkeypatch.setattr(runtime, "_cpu_facts", lambda facts=facts: facts)
        runtime.prepare_environment()
        assert os.environ.get("MKL_DEBUG_CPU_TYPE") == expected
    assert [os.environ[name] for name in VARIABLES[1:]] == ["5", "2"]


def python(code: str, **environment: str) -> str:
    """Output of a new process that has no variable of ours but these."""
    kept = {name: value for name, value in os.environ.items() if name not in (*VARIABLES, "OMP_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={**kept, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_variables_of_the_user_win():
    shown = f"import os, paddle_pose; print(*(os.environ.get(name) for name in {VARIABLES}))"
    own = dict.fromkeys(VARIABLES, "3")
    assert python(shown, **own) == "3 3 3"
    assert python(shown).split()[1:] == ["5", "2"]


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("paddle", "cv2", "scipy", "pydantic", "yaml")
    code = f"import paddle_pose, sys; print([name for name in {heavy} if name in sys.modules], paddle_pose.__version__)"
    assert python(code).startswith("[] ")


def test_the_heavy_names_come_when_they_are_asked_for():
    code = "import paddle_pose, sys; paddle_pose.load_network; print('paddle' in sys.modules)"
    assert python(code) == "True"
    with pytest.raises(AttributeError, match="no_such_name"):
        paddle_pose.no_such_name  # noqa: B018


def test_zlib_works_after_paddle():
    """Paddle 2.6.2 exports another zlib; numpy.random needs Python's own when it is imported."""
    code = (
        "import paddle_pose, paddle, zlib, numpy.random; print(zlib.decompress(zlib.compress(b'x' * 99)) == b'x' * 99)"
    )
    assert python(code) == "True"


def test_build_can_be_called_again():
    """The function is called build, so no module of the package may be: importing it would take the name."""
    call = "try:\n    paddle_pose.build(5)\nexcept AttributeError as error:\n    print(error)\n"
    said = python("import paddle_pose\n" + call + call).splitlines()
    assert said == ["'int' object has no attribute 'dataset'"] * 2


THREADS = """
import paddle_pose
from paddle_pose import runtime
import paddle
calls = []
paddle.base.core.set_num_threads = calls.append
runtime.choose_device("cpu")
print(calls, runtime.usable_cores())
"""


def test_all_cores_work_unless_the_user_says_otherwise():
    """Paddle itself starts with one thread."""
    calls, cores = python(THREADS).rsplit(" ", 1)
    assert calls == f"[{cores}]"
    assert python(THREADS, OMP_NUM_THREADS="1").startswith("[] ")


class TestDevice:
    @pytest.fixture(autouse=True)
    def _keep(self, monkeypatch):
        monkeypatch.setattr(runtime, "_user_threads", "1")  # leave the threads of this process alone
        monkeypatch.delenv("FLAGS_selected_gpus", raising=False)
        before = paddle.device.get_device()
        yield
        paddle.set_device(before)

    def test_cpu(self):
        assert runtime.choose_device("cpu") == "cpu"
        assert paddle.device.get_device() == "cpu"

    @pytest.mark.parametrize("name", ["tpu", "", "gpu:", "gpu:x", "gpu:-1", "GPU", "cpu:0", "gpu:0,1"])
    def test_a_name_that_is_not_understood(self, name):
        message = refused(name)
        assert f"--device {name}" in message
        assert "use auto, cpu, gpu or gpu:0" in message

    @pytest.mark.skipif(paddle.is_compiled_with_cuda(), reason="a GPU build of Paddle")
    @pytest.mark.parametrize("name", ["gpu", "gpu:0", "gpu:7"])
    def test_a_gpu_on_a_cpu_build(self, name):
        assert "CPU build" in refused(name)

    @pytest.mark.skipif(paddle.is_compiled_with_cuda(), reason="a GPU build of Paddle")
    def test_auto_on_a_cpu_build(self):
        assert runtime.choose_device("auto") == "cpu"

    def test_a_number_that_is_too_high(self, monkeypatch):
        pretend_gpus(monkeypatch, 2)
        assert "only 2 GPU(s)" in refused("gpu:2")

    def test_a_gpu_build_without_a_gpu(self, monkeypatch):
        pretend_gpus(monkeypatch, 0)
        assert "only 0 GPU(s)" in refused("gpu")
        assert runtime.choose_device("auto") == "cpu"

    def test_each_process_of_a_launch_takes_its_own(self, monkeypatch):
        chosen = pretend_gpus(monkeypatch, 4)
        monkeypatch.setenv("FLAGS_selected_gpus", "3")
        assert runtime.choose_device("gpu") == "gpu:3"
        assert chosen == ["gpu:3"]

    def test_a_gpu_that_this_build_cannot_run_on(self, monkeypatch):
        """No kernels for its compute capability: the first operation throws, `auto` takes the CPU and says so."""
        pretend_gpus(monkeypatch, 1)

        def no_kernel(shape):
            raise RuntimeError("no kernel image is available")

        monkeypatch.setattr(paddle, "ones", no_kernel)
        with pytest.warns(UserWarning, match="no kernel image"):
            assert runtime.choose_device("auto") == "cpu"


def refused(name: str) -> str:
    with pytest.raises(UserError) as caught:
        runtime.choose_device(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pretend_gpus(monkeypatch, count: int) -> list[str]:
    """A GPU build with so many GPUs; returns the list of devices that get chosen."""
    chosen: list[str] = []
    monkeypatch.setattr(paddle, "is_compiled_with_cuda", lambda: True)
    monkeypatch.setattr(paddle.device.cuda, "device_count", lambda: count)
    monkeypatch.setattr(paddle, "set_device", chosen.append)
    return chosen


def test_seeds():
    def drawn():
        return [float(paddle.rand([])), float(np.random.rand())]  # noqa: NPY002

    runtime.seed_everything(3)
    first = drawn()
    assert drawn() != first
    runtime.seed_everything(3)
    assert drawn() == first
    runtime.seed_everything(2**32 - 1)  # the largest that a configuration may hold


def test_a_step_has_its_own_seed():
    def drawn(seed, step):
        runtime.seed_step(seed, step)
        return float(paddle.rand([]))

    assert drawn(1, 2) == drawn(1, 2)
    assert len({drawn(*key) for key in ((1, 2), (1, 3), (2, 2), (0, 0))}) == 4
    drawn(2**32 - 1, 10**7)


class TestTuningOfGpuTraining:
    """Calls are noted, not made: a CPU build does not know the flag."""

    @pytest.fixture
    def calls(self, monkeypatch):
        noted = []
        monkeypatch.delenv("FLAGS_cudnn_exhaustive_search", raising=False)
        monkeypatch.setattr(paddle, "set_flags", noted.append)
        monkeypatch.setattr(paddle.incubate.autotune, "set_config", noted.append)
        return noted

    def test_a_gpu_searches_and_lays_out_as_asked(self, calls):
        runtime.tune_gpu_training("gpu:0", channels_last=False)
        assert calls == [{"FLAGS_cudnn_exhaustive_search": True}]
        runtime.tune_gpu_training("gpu:0", channels_last=True)
        assert calls[2:] == [{"layout": {"enable": True}}]

    def test_the_users_variable_wins(self, calls, monkeypatch):
        monkeypatch.setenv("FLAGS_cudnn_exhaustive_search", "0")
        runtime.tune_gpu_training("gpu:0", channels_last=False)
        assert calls == []

    def test_a_cpu_is_left_alone(self, calls):
        runtime.tune_gpu_training("cpu", channels_last=True)
        assert calls == []


FAULTS = """
import resource
import paddle_pose
from paddle_pose import runtime
import paddle
runtime.keep_freed_memory(runtime.choose_device("cpu", 1))
maps = paddle.ones([4, 64, 128, 128])
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    paddle.nn.functional.relu(maps)
before = faults()
for _ in range(10):
    paddle.nn.functional.relu(maps)
print(faults() - before, 10 * 4 * maps.size // resource.getpagesize())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc of glibc")
def test_freed_memory_is_not_mapped_again():
    mapped, pages = map(int, python(FAULTS).split())
    assert mapped < pages / 10
    mapped, pages = map(int, python(FAULTS, MALLOC_MMAP_THRESHOLD_="1000000").split())  # the user's word
    assert mapped >= pages
