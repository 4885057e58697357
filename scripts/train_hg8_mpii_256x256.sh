#!/usr/bin/env bash
# Stacked Hourglass of the paper, eight stacks (bearpaw's form), MPII single person.
# Published: bearpaw_hg8_mpii_256x256. Cost: not known.
#   bash scripts/train_hg8_mpii_256x256.sh
#   GPUS=0,1,2,3 bash scripts/train_hg8_mpii_256x256.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/hourglass/hg8_mpii_256x256.yaml "$@"
