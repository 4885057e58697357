#!/usr/bin/env bash
# Convolutional Pose Machine of the paper on Leeds Sports Pose, person-centric: 1000 photos to train on, 1000 to test.
# Published: cpm_lsp_pc. Cost: not known.
#   bash scripts/train_cpm_lsp_368x368.sh
#   GPUS=0,1,2,3 bash scripts/train_cpm_lsp_368x368.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/cpm/cpm_lsp_368x368.yaml "$@"
