#!/usr/bin/env bash
# Hourglass-52 at 384x384, MPII single person, as the first Paddle reproduction did it.
# Published: first_paddle_hourglass52_mpii_384x384. Cost: 54 h 26 min expected at its start, by its log, on one V100.
#   bash scripts/train_hourglass52_mpii_384x384_first_paddle.sh
#   GPUS=0,1,2,3 bash scripts/train_hourglass52_mpii_384x384_first_paddle.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/hourglass/hourglass52_mpii_384x384_first_paddle.yaml "$@"
