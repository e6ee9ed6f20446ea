/* The region that malloc(3) takes from here: see memory.c. */
#ifndef SOPHIA_RUN_MEMORY_H
#define SOPHIA_RUN_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/** @returns false where there is no room for one */
bool open_region(void);

/** Gives back whatever was taken. */
void close_region(void);

/** How much may be written there: at least what was asked for. */
size_t malloc_usable_size(void *memory);

#endif
