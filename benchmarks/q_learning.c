/* The fused loop of agents/q_learning.py in C, on the same arrays with the same random numbers: what it is measured
 * against. Compile with `gcc -O3 -march=native -shared -fPIC`. Shapes: S states, A actions, K outcomes, I first states. */

#include <stdint.h>

typedef struct {
    int64_t num_states, num_actions, num_outcomes, num_starts, max_episode_steps, num_rates;
    const double *cumulative;    /* [S, A, K] */
    const uint32_t *successor;   /* [S, A, K], twice the next state, plus one where the episode ends */
    const double *reward;        /* [S, A, K] */
    const uint32_t *choice;      /* [S, A], the allowed actions first */
    const uint64_t *num_choices; /* [S] */
    const uint32_t *start;       /* [I] */
    const double *start_cumulative;
    const double *rate; /* [M], learning rate of the first, second ... visit */
    double discount;
} Problem;

static inline uint64_t rotate_left(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t next_uint64(uint64_t *state) {
    uint64_t result = rotate_left(state[0] + state[3], 23) + state[0];
    uint64_t t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotate_left(state[3], 45);
    return result;
}

static inline double uniform(uint64_t *state) { return (next_uint64(state) >> 11) * (1.0 / 9007199254740992.0); }

static inline uint32_t first_state(const Problem *p, uint64_t *state) {
    double u = uniform(state);
    int64_t low = 0, high = p->num_starts - 1;
    while (low < high) {
        int64_t middle = (low + high) >> 1;
        if (u < p->start_cumulative[middle]) high = middle;
        else low = middle + 1;
    }
    return p->start[low];
}

/* Learns for num_steps steps with a constant ε; returns the number of episodes that ended. */
int64_t q_learning(const Problem *p, double epsilon, int64_t num_steps, double *restrict q, uint32_t *restrict best,
                   double *restrict worth, uint32_t *restrict visits, uint64_t *restrict act_state, uint64_t *restrict env_state,
                   double *restrict returns, int64_t *restrict lengths) {
    const int64_t A = p->num_actions, K = p->num_outcomes;
    const uint64_t threshold = (uint64_t)(epsilon * 4294967296.0);
    uint64_t act[4] = {act_state[0], act_state[1], act_state[2], act_state[3]};
    uint64_t env[4] = {env_state[0], env_state[1], env_state[2], env_state[3]};
    uint32_t s = first_state(p, env);
    int64_t length = 0, num_episodes = 0;
    double total = 0.0;
    for (int64_t step = 0; step < num_steps; step++) {
        uint64_t bits = next_uint64(act);
        uint32_t random = p->choice[s * A + (((bits & 0xffffffffu) * p->num_choices[s]) >> 32)];
        uint32_t a = (bits >> 32) < threshold ? random : best[s];
        int64_t pair = s * A + a, k = 0;
        if (K > 1) {
            double u = uniform(env);
            const double *cumulative = p->cumulative + pair * K;
            if (K == 3) k = (u >= cumulative[0]) + (u >= cumulative[1]);
            else for (int64_t j = 0; j < K - 1; j++) k += u >= cumulative[j];
        }
        uint32_t code = p->successor[pair * K + k], next = code >> 1, terminated = code & 1;
        double reward = p->reward[pair * K + k];
        double value = terminated ? 0.0 : worth[next];
        uint32_t count = visits[pair];
        visits[pair] = count + 1 < p->num_rates ? count + 1 : count;
        q[pair] += p->rate[count] * (reward + p->discount * value - q[pair]);
        uint32_t argmax = 0;
        double max = q[s * A];
        for (int64_t b = 1; b < A; b++) {
            if (q[s * A + b] > max) {
                max = q[s * A + b];
                argmax = b;
            }
        }
        best[s] = argmax;
        worth[s] = max;
        total += reward;
        length++;
        s = next;
        if (terminated || length == p->max_episode_steps) {
            returns[num_episodes] = total;
            lengths[num_episodes++] = length;
            total = 0.0;
            length = 0;
            s = first_state(p, env);
        }
    }
    for (int i = 0; i < 4; i++) {
        act_state[i] = act[i];
        env_state[i] = env[i];
    }
    return num_episodes;
}
