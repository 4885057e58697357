#!/usr/bin/env bash
# Stacked Hourglass of the paper, two stacks, in the form of princeton-vl/pytorch_stacked_hourglass, MPII.
# Published: princeton_hg2_mpii_256x256. Cost: not known.
#   bash scripts/train_princeton_hg2_mpii_256x256.sh
#   GPUS=0,1,2,3 bash scripts/train_princeton_hg2_mpii_256x256.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/hourglass/princeton_hg2_mpii_256x256.yaml "$@"
