#!/usr/bin/env bash
# A bare name on PATH: an absolute one would be in results.yaml.
kpt fn eval --exec krmfn --results-dir ../results -- step=2 image=echoserver=echoserver:1.11
