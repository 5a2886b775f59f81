/*
 * merkle_core.c
 *		The Merkle tree of RFC 9162, section 2.1: roots, proofs and their verification.
 *
 * A leaf is hashed behind a zero byte and an inner node behind a one, so that neither passes for the
 * other.  A tree of n leaves splits at k, the largest power of two below n: its left part is complete,
 * its right part is split again.
 *
 *		7 leaves:		   root
 *					  /			   \
 *				  [0,4)			  [4,7)			complete subtrees: [0,4) [4,6) [6,7),
 *				 /	   \		 /	   \		one for each bit of 7 = 4 + 2 + 1
 *			 [0,2)	 [2,4)	 [4,6)	 [6,7)
 *
 * Whoever keeps a tree keeps those roots alone (QgMerkleTree); whoever proves something asks for the
 * roots of complete subtrees through a function (QgMerkleRead) and puts the others together.
 */
#include "quality_gov.h"

#include "port/pg_bitutils.h"

#include "common/crypto_hash.h"
#include "ledger/merkle.h"

/* Hashes a leaf's data. */
void
qg_merkle_leaf(const void *data, size_t length, QgMerkleHash *hash)
{
	static const uint8 prefix = 0x00;
	const QgPiece pieces[] = {{&prefix, 1}, {data, length}};

	qg_sha256_pieces(pieces, lengthof(pieces), hash->bytes);
}

/* Hashes two nodes to the one above them; the result may be one of the two. */
void
qg_merkle_node(const QgMerkleHash *left, const QgMerkleHash *right, QgMerkleHash *hash)
{
	uint8 joined[1 + 2 * QG_MERKLE_BYTES];
	const QgPiece piece = {joined, sizeof(joined)};

	joined[0] = 0x01;
	memcpy(joined + 1, left->bytes, QG_MERKLE_BYTES);
	memcpy(joined + 1 + QG_MERKLE_BYTES, right->bytes, QG_MERKLE_BYTES);
	qg_sha256_pieces(&piece, 1, hash->bytes);
}

/* Adds a leaf. */
void
qg_merkle_append(QgMerkleTree *tree, const QgMerkleHash *leaf)
{
	QgMerkleHash hash = *leaf;
	int level = 0;

	for (; (tree->size >> level) & 1; level++)
		qg_merkle_node(&tree->roots[level], &hash, &hash);
	tree->roots[level] = hash;
	tree->size++;
}

/* Gives the root; of no leaves the digest of nothing. */
void
qg_merkle_root(const QgMerkleTree *tree, QgMerkleHash *root)
{
	bool begun = false;

	if (tree->size == 0)
		qg_sha256_pieces(NULL, 0, root->bytes);
	for (int level = 0; level < QG_MERKLE_LEVELS; level++)
		if ((tree->size >> level) & 1)
		{
			if (begun)
				qg_merkle_node(&tree->roots[level], root, root);
			else
				*root = tree->roots[level];
			begun = true;
		}
}

/* Gives the root over leaves that a split of the tree yields: begin is a multiple of a power of two >= count. */
void
qg_merkle_range(uint64 begin, uint64 count, QgMerkleRead read, void *arg, QgMerkleHash *root)
{
	QgMerkleTree tree = {.size = count};

	for (int level = QG_MERKLE_LEVELS - 1; level >= 0; level--)
		if ((count >> level) & 1)
		{
			read(level, begin >> level, &tree.roots[level], arg);
			begin += UINT64CONST(1) << level;
		}
	qg_merkle_root(&tree, root);
}

/* The largest power of two below n, which is at least 2. */
static inline uint64
split_of(uint64 n)
{
	return UINT64CONST(1) << pg_leftmost_one_pos64(n - 1);
}

/* Turns nodes collected from the root down into a proof, which goes from the leaf up. */
static void
turn_around(QgMerkleHash *proof, int count)
{
	for (int i = 0, j = count - 1; i < j; i++, j--)
	{
		QgMerkleHash swap = proof[i];

		proof[i] = proof[j];
		proof[j] = swap;
	}
}

/* Writes the proof that a tree of size leaves holds a leaf (2.1.3.1), gives its length; leaf < size. */
int
qg_merkle_inclusion(uint64 leaf, uint64 size, QgMerkleRead read, void *arg,
					QgMerkleHash proof[QG_MERKLE_PROOF])
{
	uint64 begin = 0;
	int count = 0;

	Assert(leaf < size);
	while (size > 1)
	{
		uint64 k = split_of(size);

		if (leaf < k)
		{
			qg_merkle_range(begin + k, size - k, read, arg, &proof[count++]);
			size = k;
		}
		else
		{
			qg_merkle_range(begin, k, read, arg, &proof[count++]);
			begin += k;
			leaf -= k;
			size -= k;
		}
	}
	turn_around(proof, count);
	return count;
}

/*
 * Writes the proof that the tree of new_size leaves begins with that of old_size (2.1.4.1), gives its
 * length; 0 < old_size <= new_size.
 */
int
qg_merkle_consistency(uint64 old_size, uint64 new_size, QgMerkleRead read, void *arg,
					  QgMerkleHash proof[QG_MERKLE_PROOF])
{
	uint64 begin = 0;
	bool known = true; /* the verifier has the old tree's root itself */
	int count = 0;

	Assert(old_size > 0 && old_size <= new_size);
	while (old_size != new_size)
	{
		uint64 k = split_of(new_size);

		if (old_size <= k)
		{
			qg_merkle_range(begin + k, new_size - k, read, arg, &proof[count++]);
			new_size = k;
		}
		else
		{
			qg_merkle_range(begin, k, read, arg, &proof[count++]);
			begin += k;
			old_size -= k;
			new_size -= k;
			known = false;
		}
	}
	if (!known)
		qg_merkle_range(begin, old_size, read, arg, &proof[count++]);
	turn_around(proof, count);
	return count;
}

static inline bool
same_hash(const QgMerkleHash *a, const QgMerkleHash *b)
{
	return memcmp(a->bytes, b->bytes, QG_MERKLE_BYTES) == 0;
}

/* Tells whether a proof shows that the tree of this size and root holds the leaf there (2.1.3.2). */
bool
qg_merkle_verify_inclusion(const QgMerkleHash *leaf_hash, uint64 leaf, uint64 size,
						   const QgMerkleHash *proof, int nproof, const QgMerkleHash *root)
{
	QgMerkleHash hash = *leaf_hash;
	uint64 node = leaf;
	uint64 last = size - 1;

	if (leaf >= size)
		return false;
	for (int i = 0; i < nproof; i++)
	{
		if (last == 0)
			return false;
		if ((node & 1) || node == last)
		{
			qg_merkle_node(&proof[i], &hash, &hash);
			while (!(node & 1) && node != 0)
			{
				node >>= 1;
				last >>= 1;
			}
		}
		else
			qg_merkle_node(&hash, &proof[i], &hash);
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && same_hash(&hash, root);
}

/*
 * Tells whether a proof shows that the tree of new_size and new_root begins with that of old_size and
 * old_root (2.1.4.2).  Trees of one size are the same tree or not, with nothing to prove; that the
 * empty tree is the beginning of another is no proof of anything, and false.
 */
bool
qg_merkle_verify_consistency(uint64 old_size, uint64 new_size, const QgMerkleHash *old_root,
							 const QgMerkleHash *new_root, const QgMerkleHash *proof, int nproof)
{
	uint64 node = old_size - 1;
	uint64 last = new_size - 1;
	QgMerkleHash old_hash;
	QgMerkleHash new_hash;
	int from = 0;

	if (old_size == new_size)
		return nproof == 0 && same_hash(old_root, new_root);
	if (old_size == 0 || old_size > new_size || nproof == 0)
		return false;
	while (node & 1)
	{
		node >>= 1;
		last >>= 1;
	}
	/* A complete old tree is a node of the new one, and not told twice. */
	old_hash = node == 0 ? *old_root : proof[from++];
	new_hash = old_hash;
	for (; from < nproof; from++)
	{
		if (last == 0)
			return false;
		if ((node & 1) || node == last)
		{
			qg_merkle_node(&proof[from], &old_hash, &old_hash);
			qg_merkle_node(&proof[from], &new_hash, &new_hash);
			while (!(node & 1) && node != 0)
			{
				node >>= 1;
				last >>= 1;
			}
		}
		else
			qg_merkle_node(&new_hash, &proof[from], &new_hash);
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && same_hash(&old_hash, old_root) && same_hash(&new_hash, new_root);
}
