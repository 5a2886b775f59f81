/*
 * shim.c
 *		The server's memory contexts and errors, as far as the pure cores use them, over malloc.
 *
 * Every allocation is one of malloc's own, so that a sanitizer sees each end of it.
 */
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>

#include "storage/shmem.h"
#include "utils/builtins.h"

typedef struct Chunk
{
	struct Chunk *next;
	struct Chunk *prev;
	size_t size;
	struct Context *owner;
} Chunk;

typedef struct Context
{
	Chunk chunks; /* head of a ring */
	struct Context *parent;
	struct Context *child;
	struct Context *sibling;
} Context;

/* What palloc gives is aligned as malloc aligns. */
StaticAssertDecl(sizeof(Chunk) % 16 == 0, "chunk header keeps alignment");

static Context top = {.chunks = {&top.chunks, &top.chunks, 0, &top}};
static size_t allocated = 0;
static char message[1024];

MemoryContext TopMemoryContext = (MemoryContext) &top;
MemoryContext CurrentMemoryContext = (MemoryContext) &top;
MemoryContext ErrorContext = (MemoryContext) &top;
sigjmp_buf *PG_exception_stack = NULL;
ErrorContextCallback *error_context_stack = NULL;
volatile sig_atomic_t InterruptPending = 0;
int qg_guard_mode = 0;

/* Ends the program, since what the server would do cannot be done. */
static void
give_up(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static Chunk *
chunk_of(void *pointer)
{
	return (Chunk *) pointer - 1;
}

static void
chunk_link(Chunk *chunk, Context *owner)
{
	chunk->owner = owner;
	chunk->next = owner->chunks.next;
	chunk->prev = &owner->chunks;
	chunk->next->prev = chunk->prev->next = chunk;
}

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	Chunk *chunk;

	if (size > ((flags & MCXT_ALLOC_HUGE) ? MaxAllocHugeSize : MaxAllocSize))
		give_up("invalid memory alloc request size");
	chunk = (flags & MCXT_ALLOC_ZERO) ? calloc(1, sizeof(Chunk) + size)
									  : malloc(sizeof(Chunk) + size);
	if (chunk == NULL)
		give_up("out of memory");
	chunk->size = size;
	allocated += size;
	chunk_link(chunk, (Context *) context);
	return chunk + 1;
}

void
pfree(void *pointer)
{
	Chunk *chunk = chunk_of(pointer);

	chunk->prev->next = chunk->next;
	chunk->next->prev = chunk->prev;
	allocated -= chunk->size;
	free(chunk);
}

void *
repalloc_huge(void *pointer, Size size)
{
	Chunk *chunk = chunk_of(pointer);
	void *moved = MemoryContextAllocExtended((MemoryContext) chunk->owner, size, MCXT_ALLOC_HUGE);

	memcpy(moved, pointer, Min(size, chunk->size));
	pfree(pointer);
	return moved;
}

void *
repalloc(void *pointer, Size size)
{
	if (size > MaxAllocSize)
		give_up("invalid memory alloc request size");
	return repalloc_huge(pointer, size);
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, 0);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_ZERO);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE);
}

void *
palloc(Size size)
{
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return MemoryContextAllocZero(CurrentMemoryContext, size);
}

void *
palloc_extended(Size size, int flags)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size, flags);
}

char *
pnstrdup(const char *in, Size length)
{
	char *copy = palloc(length + 1);

	memcpy(copy, in, length);
	copy[length] = '\0';
	return copy;
}

char *
pstrdup(const char *in)
{
	return pnstrdup(in, strlen(in));
}

/* Makes a context below a parent. */
MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size min_size, Size init_size,
							  Size max_size)
{
	Context *context = calloc(1, sizeof(Context));

	if (context == NULL)
		give_up("out of memory");
	context->chunks.next = context->chunks.prev = &context->chunks;
	context->parent = (Context *) parent;
	context->sibling = context->parent->child;
	context->parent->child = context;
	return (MemoryContext) context;
}

void
MemoryContextReset(MemoryContext context)
{
	Context *c = (Context *) context;

	while (c->child != NULL)
		MemoryContextDelete((MemoryContext) c->child);
	while (c->chunks.next != &c->chunks)
		pfree(c->chunks.next + 1);
}

void
MemoryContextDelete(MemoryContext context)
{
	Context *c = (Context *) context;
	Context **link = &c->parent->child;

	MemoryContextReset(context);
	while (*link != c)
		link = &(*link)->sibling;
	*link = c->sibling;
	free(c);
}

Size
add_size(Size a, Size b)
{
	Size sum;

	if (__builtin_add_overflow(a, b, &sum))
		give_up("size overflows");
	return sum;
}

Size
mul_size(Size a, Size b)
{
	Size product;

	if (__builtin_mul_overflow(a, b, &product))
		give_up("size overflows");
	return product;
}

bool
errstart(int level, const char *domain)
{
	message[0] = '\0';
	return level >= ERROR;
}

bool
errstart_cold(int level, const char *domain)
{
	return errstart(level, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	if (PG_exception_stack == NULL)
		give_up(message);
	siglongjmp(*PG_exception_stack, 1);
}

void
pg_re_throw(void)
{
	errfinish(NULL, 0, NULL);
	abort();
}

int
errmsg(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return 0;
}

int
errmsg_internal(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return 0;
}

int
errcode(int code)
{
	return 0;
}

int
errdetail(const char *format, ...)
{
	return 0;
}

int
errhint(const char *format, ...)
{
	return 0;
}

void
ExceptionalCondition(const char *condition, const char *type, const char *file, int line)
{
	give_up(condition);
	abort();
}

void
ProcessInterrupts(void)
{
}

/* Makes a context for one piece of work and switches to it. */
MemoryContext
shim_context(void)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "work", ALLOCSET_DEFAULT_SIZES);

	return CurrentMemoryContext = context;
}

/* Frees a context and goes back to the top. */
void
shim_drop(MemoryContext context)
{
	CurrentMemoryContext = TopMemoryContext;
	MemoryContextDelete(context);
}

/* Gives the bytes that are allocated now. */
size_t
shim_allocated(void)
{
	return allocated;
}

/* Gives the message of the last error. */
const char *
shim_error(void)
{
	return message;
}

/* What only the cores' SQL functions call. */
struct varlena *
pg_detoast_datum_packed(struct varlena *datum)
{
	give_up("no SQL function can run here");
	return datum;
}

text *
cstring_to_text_with_len(const char *in, int length)
{
	give_up("no SQL function can run here");
	return NULL;
}
