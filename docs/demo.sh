#!/bin/sh
# The main job: a tabular agent on FrozenLake, then DQN on Atari's Pong, each trained, evaluated and watched.
# With the argument "short", DQN takes few steps: enough to see that everything works, not enough to learn.
set -eu
palestra=${PALESTRA:-palestra}
steps=100000
[ "${1:-}" = short ] && steps=2000

show() { echo; echo "\$ palestra $*"; }

show train q-learning --env FrozenLake8x8-v1
lake=$("$palestra" train q-learning --env FrozenLake8x8-v1 | tail -n 1)
echo "$lake"
show evaluate "$lake" --episodes 1000
"$palestra" evaluate "$lake" --episodes 1000
show watch "$lake"
"$palestra" watch "$lake"

show train dqn --env ALE/Pong-v5 --num-envs 4 --steps $steps
pong=$("$palestra" train dqn --env ALE/Pong-v5 --num-envs 4 --steps $steps | tail -n 1)
echo "$pong"
show evaluate "$pong" --episodes 4
"$palestra" evaluate "$pong" --episodes 4
show watch "$pong"
"$palestra" watch "$pong"
