#!/usr/bin/env bash
# Prepares a Python environment and prints nothing but progress; to be sourced:
#   . scripts/setup.sh FOLDER [pip requirement ...]     makes FOLDER, or uses the active environment if FOLDER is ''
# Afterwards $PYTHON_BIN is its python. PADDLE_VERSION chooses another version of the CPU build than the one below,
# which has none of the bugs that 3.3's exported networks meet and is as fast.

DEFAULT_PADDLE_VERSION=3.2.2

fail() { echo "error: $*" >&2; exit 2; }

find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3.12 python3.11 python3.10 python3.9; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.9 to 3.12 found; install one, or set PYTHON to its path"
}

# The registry's GPU build has kernels for compute capability 6.1 to 8.6 only; any other GPU is left alone.
gpu_is_supported() {
    local capability
    capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d ' .')
    [[ "$capability" =~ ^[0-9]+$ ]] && [ "$capability" -ge 61 ] && [ "$capability" -le 86 ]
}

prepare_environment() {
    local folder=$1 wanted stamp
    shift
    if [ -n "$folder" ]; then
        local base
        base=$(find_python) || exit 2
        [ -x "$folder/bin/python" ] || "$base" -m venv "$folder" || fail "cannot make $folder; is python3-venv installed?"
        PYTHON_BIN=$folder/bin/python
    else
        PYTHON_BIN=$(command -v python)
    fi
    local requirements=(-r requirements.txt "paddlepaddle==${PADDLE_VERSION:-$DEFAULT_PADDLE_VERSION}")
    if "$PYTHON_BIN" -c 'import importlib.metadata as m; m.version("paddlepaddle-gpu")' 2>/dev/null; then
        echo "a GPU build of Paddle is installed and stays as it is"
        mapfile -t requirements < <(grep -Ev '^(#|paddlepaddle)' requirements.txt)
    elif [ -z "${PADDLE_VERSION:-}" ] && gpu_is_supported; then
        echo "GPU found: installing the GPU build of Paddle"
        requirements=(-r requirements-gpu.txt)
    elif [ -z "${PADDLE_VERSION:-}" ] && command -v nvidia-smi >/dev/null 2>&1; then
        echo "the registry's GPU build has no kernels for this GPU: installing the CPU build (README.md says how to get a newer one)"
    fi
    requirements+=("$@")
    stamp=$("$PYTHON_BIN" -c 'import sys; print(sys.prefix)')/paddle_pose_requirements
    wanted="${requirements[*]} $(cat requirements*.txt | cksum)"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "installing what is needed into $("$PYTHON_BIN" -c 'import sys; print(sys.prefix)') (some minutes the first time)"
        "$PYTHON_BIN" -m pip install --quiet --disable-pip-version-check "${requirements[@]}" ||
            fail "pip could not install ${requirements[*]}; see its message above"
        echo "$wanted" >"$stamp"
    fi
}

prepare_environment "$@"
