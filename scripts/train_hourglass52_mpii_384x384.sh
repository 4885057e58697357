#!/usr/bin/env bash
# Hourglass-52 at 384x384, MPII single person.
# Published: mmpose0_hourglass52_mpii_384x384. Cost: not known.
#   bash scripts/train_hourglass52_mpii_384x384.sh
#   GPUS=0,1,2,3 bash scripts/train_hourglass52_mpii_384x384.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/hourglass/hourglass52_mpii_384x384.yaml "$@"
