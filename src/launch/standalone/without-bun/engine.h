/* Declarations of the parts of engine.c: memory.c and fallback.c. */
#ifndef SOPHIA_RUN_ENGINE_H
#define SOPHIA_RUN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

/* The target of `fall_back` (__builtin_setjmp). */
extern void *fallback_target[5];

/* Abandons the start in QuickJS: Bun starts from the beginning. A build with SAY_WHY prints the reason. */
__attribute__((noreturn)) void fall_back(const char *why);

/* Maps the memory for malloc(3). Returns false if that fails. */
bool open_region(void);
void close_region(void);

/* Returns the size of an allocation, at least the requested one. */
size_t malloc_usable_size(void *memory);

#endif
