#!/usr/bin/env bash
# Convolutional Pose Machine of the paper on FLIC's upper bodies: four stages, as the released model of FLIC.
# Published: cpm_flic. Cost: not known.
#   bash scripts/train_cpm_flic_368x368.sh
#   GPUS=0,1,2,3 bash scripts/train_cpm_flic_368x368.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/cpm/cpm_flic_368x368.yaml "$@"
