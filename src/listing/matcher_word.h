/*
 * matcher_word.h
 *		The words of a compiled dictionary: what its table says of a code point, what a scan keeps of
 *		each of the text's, and the nodes of its trie.
 */
#ifndef QG_MATCHER_WORD_H
#define QG_MATCHER_WORD_H

#include "quality_gov.h"

/* A word of the code point table and of the folded text. */
#define QG_SYMBOL_MASK 0x000FFFFF /* 1 and up; 0 where no term has it */
#define QG_ALONE 0x00100000		  /* is a pattern by itself */
#define QG_WORD 0x00200000		  /* Latin letter or digit, but no numeral */
#define QG_NUMERAL 0x00400000	  /* digit for a Han numeral */
#define QG_SINGLE 0x00800000	  /* decimal digit, or no symbol: its runs stay as they are */
#define QG_BROKEN 0x01000000 /* text: a separator was dropped before it; table: is dropped as one */
#define QG_JOINED 0x02000000 /* text: continues the word before it */
#define QG_JOINED_NUMERAL 0x04000000 /* text: a numeral that follows a numeral */
#define QG_LONG 0x08000000			 /* text: stands for a run, whose length is beside it */
#define QG_HARD 0x10000000			 /* table: look at the whole segment */
#define QG_CONTINUES 0x20000000		 /* table: belongs to the segment before it */
#define QG_HIDDEN 0x40000000		 /* table: is dropped, unseen */
#define QG_DROPPED 0x80000000		 /* table: so are marks upon it */

/* The flat table has room at its ends for what three bytes give that are no UTF-8. */
#define QG_FLAT_BEFORE 0x2080
#define QG_FLAT_SIZE (QG_FLAT_BEFORE + 0x11040)

typedef struct MatcherNode
{
	uint32 base;  /* with QG_NODE_* */
	uint32 check; /* parent's slot; QG_NODE_ROOT for the root's children, 0 where free */
} MatcherNode;

#define QG_NODE_INNER 0x80000000u /* has children */
#define QG_NODE_ENDS 0x40000000u  /* a pattern ends here */
#define QG_NODE_BASE 0x3FFFFFFFu
#define QG_NODE_ROOT 0xFFFFFFFFu

/* In the place of a pattern: its only term, which counts wherever no word is cut. */
#define QG_PATTERN_TERM 0x80000000u

/*
 * Gives the hash by which the filter knows the first three symbols of a pattern, or, with 0 for the
 * third, the first two.
 */
static inline uint32
qg_filter_hash(uint32 first, uint32 second, uint32 third)
{
	uint32 hash = first * 0x9E3779B1u + second * 0x85EBCA77u + third * 0xC2B2AE3Du;

	return hash ^ hash >> 15;
}

/* Gives the two bits of its word in the filter that a hash sets. */
static inline uint32
qg_filter_bits(uint32 hash)
{
	return 1u << (hash & 31) | 1u << (hash >> 5 & 31);
}

#endif
