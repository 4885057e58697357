#!/usr/bin/env bash
# mmpose's Convolutional Pose Machine, MPII single person.
# Published: mmpose_cpm_mpii_368x368. Cost: not known.
#   bash scripts/train_mmpose_cpm_mpii_368x368.sh
#   GPUS=0,1,2,3 bash scripts/train_mmpose_cpm_mpii_368x368.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/cpm/mmpose_cpm_mpii_368x368.yaml "$@"
