#ifndef SOPHIA_RUN_MEMORY_H
#define SOPHIA_RUN_MEMORY_H

#include "quickjs.h"

extern const JSMallocFunctions MEMORY;

/* Returns the end of the memory in use, in a process that makes the image (image.h). None of it is given out again. */
const char *end_of_image(void);

/* Fixes all objects, after which it gets the end of the memory in use and returns it, or NULL without memory (runtime/quickjs/01-fixed-objects.patch). */
const char *JS_FixObjects(JSRuntime *runtime, const char *(*end_of_memory)(void));

/* Ends this process with a message. */
_Noreturn void end_without_memory(void);

/*
 * Gives this process places of its own in the engine's tables (runtime/quickjs/02-keyed-hash-functions.patch). Must precede the
 * engine's start.
 */
void JS_SetHashKey(uint64_t seed);

#endif
