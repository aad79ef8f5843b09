#!/bin/sh
# Trains the shipped model again, from the repository's root. Needs the extras keras and train.
set -eu
exec wetread train ../shared/data/cxr --name chest-cnn --engine keras --epochs 60 --learning-rate 0.002 \
  --average 0.995 --seed 1 --split trainer/splits/cxr.csv --data-notes trainer/recipes/cxr_notes.md --threads 2 \
  --output "${1:-wetread/models/shipped/chest-cnn}"
