#!/usr/bin/env bash
# Runs lint and all tests in an environment of its own.
#   bash scripts/test.sh [pytest arguments]
#   PADDLE_VERSION=2.6.2 bash scripts/test.sh       on another version of Paddle
#   PADDLE_POSE_DATA=DIR bash scripts/test.sh       also the tests on real data: DIR holds mpii/ lsp/ lspet/ flic/ coco/ coco/
set -euo pipefail
cd "$(dirname "$0")/.."
case "${PADDLE_VERSION:-3}" in 2.*) paddle2onnx=1.3.1 ;; *) paddle2onnx=2.1.0 ;; esac
# For the tests of exports and of the demo, which skip without them. The demo's also want Chromium and its driver.
optional=("paddle2onnx==$paddle2onnx" onnxruntime onnx ml_dtypes "gradio>=6.31,<7; python_version>='3.10'" selenium)
. scripts/setup.sh ".venv-test${PADDLE_VERSION:+-$PADDLE_VERSION}" 'pytest>=7.4' pytest-xdist 'ruff==0.17.6' nbclient ipykernel \
    "${optional[@]}"
"$PYTHON_BIN" -m ruff check .
"$PYTHON_BIN" -m ruff format --check --quiet .
echo "Paddle $("$PYTHON_BIN" -c 'import paddle_pose, paddle; print(paddle.__version__)')"
# Two processes, each with a file at a time: Paddle's CPU kernels use little more than one core, tests in a row half of two.
exec "$PYTHON_BIN" -m pytest -n 2 --dist loadfile "$@"
