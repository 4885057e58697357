"""Process set-up: environment before paddle is imported, threads, device, seeds.

Nothing here imports paddle at module level, so `--help` stays fast. A variable that the user has set wins.
"""

import ctypes
import os
import random
import warnings
import zlib  # noqa: F401  before paddle: 2.6.2 exports a zlib of its own, with which Python's, loaded later, crashes
from typing import Optional

from paddle_pose.errors import UserError

_AVX512 = {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"}
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h
_user_threads = os.environ.get("OMP_NUM_THREADS")  # read now: paddle writes this variable when it is imported


def prepare_environment() -> None:
    """Sets what paddle reads when it starts; has an effect until paddle's first operation."""
    import numpy.random  # noqa: F401 (Paddle 2.6 with numpy 2.4 crashes if this comes after paddle)

    path = _mkl_code_path(_cpu_facts())
    if path:
        os.environ.setdefault("MKL_DEBUG_CPU_TYPE", path)
    # Milliseconds that threads wait awake: waking one takes longer than a short operation
    os.environ.setdefault("KMP_BLOCKTIME", "5")
    os.environ.setdefault("GLOG_minloglevel", "2")
    warnings.filterwarnings("ignore", message="No ccache found")
    warnings.filterwarnings("ignore", message="Value do not have 'place' interface")  # of Paddle's own tracing
    warnings.filterwarnings("ignore", message="When training, we now always track global mean and variance")


def _cpu_facts() -> str:
    """What Linux says of the CPU; empty elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _cpu(cpuinfo: str) -> tuple[dict[str, str], set[str]]:
    """Facts about the first core, and what it can do."""
    lines = cpuinfo.split("\n\n")[0].splitlines()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return facts, set(facts.get("flags", "").split())


def cpu_flags() -> set[str]:
    """What the first core can do, in Linux's words, such as `avx512_bf16`; empty elsewhere."""
    return _cpu(_cpu_facts())[1]


def _mkl_code_path(cpuinfo: str) -> str:
    """MKL runs its SSE path on AMD CPUs unless told: '7' is AVX-512, '5' AVX2, '' leaves other CPUs alone."""
    facts, flags = _cpu(cpuinfo)
    if facts.get("vendor_id") != "AuthenticAMD":
        return ""
    if flags >= _AVX512:
        return "7"
    return "5" if {"avx2", "fma"} <= flags else ""


def usable_cores() -> int:
    """CPU cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_threads() -> int:
    """CPU threads unless a flag says otherwise: OMP_NUM_THREADS of the user, else one for each core."""
    return int(_user_threads) if _user_threads and _user_threads.isdigit() else usable_cores()


def choose_device(name: str, cpu_threads: Optional[int] = None) -> str:
    """Selects where tensors live, and the number of CPU threads.

    Args:
        name: `auto`, `cpu`, `gpu` or `gpu:i`. `auto` is a GPU if this build of Paddle can run on the one
            that is there, else the CPU. Under `paddle.distributed.launch` each process takes its own GPU.
        cpu_threads: threads of the CPU math library, all cores by default; OMP_NUM_THREADS of the user wins.

    Returns:
        `cpu` or `gpu:i`.

    Raises:
        UserError: the device is not there or its name is not understood.
    """
    import paddle

    if name == "auto":
        name = _own_gpu() if _gpu_works(paddle) else "cpu"
    elif name == "gpu":
        name = _own_gpu()
    if name != "cpu" and not (name.startswith("gpu:") and name[4:].isdigit()):
        raise UserError(f"--device {name}: unknown; use auto, cpu, gpu or gpu:0")
    if name != "cpu" and not paddle.is_compiled_with_cuda():
        raise UserError(f"--device {name}: this is the CPU build of Paddle; install requirements-gpu.txt or use cpu")
    if name != "cpu" and int(name[4:]) >= paddle.device.cuda.device_count():
        raise UserError(f"--device {name}: only {paddle.device.cuda.device_count()} GPU(s) here; use a lower number")
    paddle.set_device(name)
    if _user_threads is None:
        paddle.base.core.set_num_threads(cpu_threads or usable_cores())
    return name


def keep_freed_memory(device: str) -> None:
    """For commands that run networks on the CPU for long: freed memory stays with the process, for the next maps.

    Without it glibc gives the memory of large maps back to Linux after each operation, and Linux clears and maps its
    pages again: 1.4 GB of them in a training step of Hourglass-52, an eighth of its time. For Linux with glibc.
    MALLOC_... and GLIBC_TUNABLES of the user win.

    Args:
        device: as `choose_device` returns it.
    """
    if device != "cpu" or any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, -1)  # never


def tune_gpu_training(device: str, channels_last: bool) -> None:
    """What makes Paddle faster in training on a GPU; nothing on a CPU, whose build does not know these settings.

    cuDNN times its algorithms for each shape once: training has one. FLAGS_cudnn_exhaustive_search of the user wins.

    Args:
        device: as `choose_device` returns it.
        channels_last: Paddle may choose the layout of convolutions. It decides at the next one, and for good, so this
            must come right before the first step: one in float32 ends it.
    """
    if not device.startswith("gpu"):
        return
    import paddle

    if "FLAGS_cudnn_exhaustive_search" not in os.environ:  # noqa: SIM112 (Paddle's name)
        paddle.set_flags({"FLAGS_cudnn_exhaustive_search": True})
    if channels_last:
        paddle.incubate.autotune.set_config({"layout": {"enable": True}})


def _own_gpu() -> str:
    return "gpu:" + os.environ.get("FLAGS_selected_gpus", "0").split(",")[0]  # noqa: SIM112 (set by the launcher)


def _gpu_works(paddle) -> bool:
    """False where the GPU build has no kernels for the GPU that is there."""
    if not paddle.is_compiled_with_cuda() or paddle.device.cuda.device_count() == 0:
        return False
    try:
        paddle.set_device(_own_gpu())
        float((paddle.ones([2, 2]) @ paddle.ones([2, 2])).sum())
    except Exception as error:  # whatever the driver throws, the CPU can do the work
        warnings.warn(f"the GPU does not run this build of Paddle, using the CPU ({error})", stacklevel=2)
        return False
    return True


def seed_everything(seed: int) -> None:
    """Seeds what initialises weights; data draws come from generators of (seed, epoch, index) instead."""
    import numpy as np
    import paddle

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (libraries that draw from the global generator)
    paddle.seed(seed)


def seed_step(seed: int, step: int) -> None:
    """Seeds the device's generator for one training step, so that a resumed run draws the same dropout."""
    import paddle

    paddle.seed((seed * 1_000_003 + step) % 2**31)
