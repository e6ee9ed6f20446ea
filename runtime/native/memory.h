/*
 * The memory allocator of the engine (memory.c), and the functions by which main.c prepares the engine: its image (image.h)
 * and the key of its hash tables.
 */
#ifndef SOPHIA_RUN_MEMORY_H
#define SOPHIA_RUN_MEMORY_H

#include "quickjs.h"

/* The functions of the allocator, for JS_NewRuntime2. */
extern const JSMallocFunctions MEMORY;

/*
 * Returns the end of the memory in use, in the process that makes the image. From then on the allocator takes new memory
 * only from elsewhere.
 */
const char *end_of_image(void);

/*
 * Makes all objects of the engine part of the image: the engine no longer counts references to them, frees or collects
 * them. When this function needs no more memory it calls end_of_memory, and returns its result. Returns NULL if there is no
 * memory. Our patch of QuickJS defines it (runtime/quickjs/01-fixed-objects.patch).
 */
const char *JS_FixObjects(JSRuntime *runtime, const char *(*end_of_memory)(void));

/* Ends this process with the status 125 and the message that there is not enough memory. */
_Noreturn void end_without_memory(void);

/*
 * Sets the key of the engine's hash functions, a random number in each process: otherwise an attacker could prepare input
 * whose keys collide, which makes hash tables slow. Must be called before JavaScript runs in this process. Our patch of
 * QuickJS defines it (runtime/quickjs/02-keyed-hash-functions.patch).
 */
void JS_SetHashKey(uint64_t seed);

#endif
