/*
 * random.h
 *		Random numbers from a seed, and random texts weighted towards what folding must get right.
 */
#ifndef QG_RANDOM_H
#define QG_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Random
{
	uint64_t state;
} Random;

/* splitmix64 */
static inline uint64_t
random_next(Random *r)
{
	uint64_t z = (r->state += 0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
	return z ^ (z >> 31);
}

static inline void
random_seed(Random *r, uint64_t seed)
{
	r->state = seed;
	random_next(r);
}

static inline uint32_t
random_below(Random *r, uint32_t limit)
{
	return (uint32_t) (((random_next(r) >> 32) * limit) >> 32);
}

static inline uint32_t
random_between(Random *r, uint32_t first, uint32_t last)
{
	return first + random_below(r, last - first + 1);
}

extern int random_text(Random *r, uint32_t *code, int room);
extern int random_alphabet(Random *r, uint32_t *code);

#endif
