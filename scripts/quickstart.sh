#!/usr/bin/env bash
# From nothing to a trained network: renders people, trains a small Hourglass on them, evaluates it on others, draws.
# About nine minutes on two CPU cores after the installation. Everything goes to data/synthetic_mpii and output/quickstart.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.venv
[ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && folder=''
. scripts/setup.sh "$folder"
config=configs/hourglass/hg1_small_synthetic_96x96.yaml
out=output/quickstart

echo "1/3 rendering people in MPII's file format"
"$PYTHON_BIN" -m paddle_pose.synthetic --format mpii --root data/synthetic_mpii --train 3000 --valid 300 --difficulty calm
echo "2/3 training a small Hourglass"
"$PYTHON_BIN" train.py --config "$config" --save_dir "$out" --overwrite
echo "loss curve: $out/96_training/curves.png"
echo "3/3 evaluating it on people that it has not seen"
"$PYTHON_BIN" val.py --pretrained_model "$out/96_best_model/model.pdparams" --save_pictures "$out/pictures"
