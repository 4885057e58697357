#!/usr/bin/env bash
# Stacked Hourglass of the paper, two stacks, MPII single person, as anibali/pytorch-stacked-hourglass trains it.
# Published: anibali_hg2_mpii_256x256. Cost: not known.
#   bash scripts/train_hg2_mpii_256x256_anibali.sh
#   GPUS=0,1,2,3 bash scripts/train_hg2_mpii_256x256_anibali.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/hourglass/hg2_mpii_256x256_anibali.yaml "$@"
