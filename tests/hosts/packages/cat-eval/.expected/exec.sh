#! /bin/bash
set -eo pipefail
kpt fn eval --exec cat --results-dir ../results
