/* The memory of the engine (memory.c), and what main.c calls to fix it in the image. */
#ifndef SOPHIA_RUN_MEMORY_H
#define SOPHIA_RUN_MEMORY_H

#include "quickjs.h"

/* The allocator, for JS_NewRuntime2. */
extern const JSMallocFunctions MEMORY;

/*
 * Returns the end of the memory that is in use in a process that makes the image (image.h). No later call gives this memory
 * out.
 */
const char *end_of_image(void);

/*
 * Makes all objects of the engine part of the image: they are no longer counted, freed or collected. Calls end_of_memory
 * when it has allocated its own last memory, and returns the result; NULL if there is no memory
 * (runtime/quickjs/01-fixed-objects.patch).
 */
const char *JS_FixObjects(JSRuntime *runtime, const char *(*end_of_memory)(void));

/* Ends this process with the status 125 and the message that there is not enough memory. */
_Noreturn void end_without_memory(void);

/*
 * Sets the key of the engine's hash functions, a random number of this process, so that an attacker cannot prepare input
 * that makes its tables slow (runtime/quickjs/02-keyed-hash-functions.patch). Must be called before JavaScript runs in this
 * process.
 */
void JS_SetHashKey(uint64_t seed);

#endif
