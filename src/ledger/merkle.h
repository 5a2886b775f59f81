/*
 * merkle.h
 *		Merkle trees as RFC 9162 (and RFC 6962 before it) defines them, over SHA-256.
 */
#ifndef QG_MERKLE_H
#define QG_MERKLE_H

#include "quality_gov.h"

#define QG_MERKLE_BYTES 32
#define QG_MERKLE_LEVELS 64					   /* of a tree of as many leaves as an int8 counts */
#define QG_MERKLE_PROOF (QG_MERKLE_LEVELS + 1) /* nodes of the longest proof */

typedef struct QgMerkleHash
{
	uint8 bytes[QG_MERKLE_BYTES];
} QgMerkleHash;

/* A tree from its first leaf on: the roots of the complete subtrees that make it up. */
typedef struct QgMerkleTree
{
	uint64 size; /* leaves */
	QgMerkleHash
		roots[QG_MERKLE_LEVELS]; /* roots[n] is of 2^n leaves, where bit n of size is set */
} QgMerkleTree;

/* Gives the root of the complete subtree of 2^level leaves that begins at leaf index * 2^level. */
typedef void (*QgMerkleRead)(int level, uint64 index, QgMerkleHash *hash, void *arg);

extern void qg_merkle_leaf(const void *data, size_t length, QgMerkleHash *hash);
extern void qg_merkle_node(const QgMerkleHash *left, const QgMerkleHash *right, QgMerkleHash *hash);
extern void qg_merkle_append(QgMerkleTree *tree, const QgMerkleHash *leaf);
extern void qg_merkle_root(const QgMerkleTree *tree, QgMerkleHash *root);

extern int qg_merkle_inclusion(uint64 leaf, uint64 size, QgMerkleRead read, void *arg,
							   QgMerkleHash proof[QG_MERKLE_PROOF]);
extern int qg_merkle_consistency(uint64 old_size, uint64 new_size, QgMerkleRead read, void *arg,
								 QgMerkleHash proof[QG_MERKLE_PROOF]);
extern void qg_merkle_range(uint64 begin, uint64 count, QgMerkleRead read, void *arg,
							QgMerkleHash *root);

extern bool qg_merkle_verify_inclusion(const QgMerkleHash *leaf_hash, uint64 leaf, uint64 size,
									   const QgMerkleHash *proof, int nproof,
									   const QgMerkleHash *root);
extern bool qg_merkle_verify_consistency(uint64 old_size, uint64 new_size,
										 const QgMerkleHash *old_root, const QgMerkleHash *new_root,
										 const QgMerkleHash *proof, int nproof);

#endif
