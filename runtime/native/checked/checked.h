/*
 * The checking mode, a build of the executable for tests (`-DCHECKED`): the allocator and the image of the file that ships, which
 * sanitizers do not see, with checks. Freed memory is poisoned, so that who reads it gets an address that does not exist, and
 * who writes to it is found. Memory of the image that must not change (JS_FixObjects) is read-only until its page is written to
 * elsewhere, and compared at the end. A finding ends the process by SIGABRT with a message on standard error.
 *
 * If they exist, a finding is also appended to the executable's name with `.findings`, and what each process counted at its end
 * to that with `.counts`.
 */
#ifndef SOPHIA_RUN_CHECKED_H
#define SOPHIA_RUN_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quickjs.h"

_Noreturn void report_memory(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The words that the engine, and memory.c, fill freed memory with. As addresses they exist on neither processor, and they are the
 * half of one of the engine's values that says "an object": a value that is read from freed memory leads to a fault.
 */
#define ENGINE_POISON UINT64_C(0xdbdbdbdbffffffff)
#define BLOCK_POISON UINT64_C(0xdadadadaffffffff)

/* Fills memory, which must be a multiple of eight bytes at such an address. */
void poison(void *memory, size_t size, uint64_t with);
bool is_poisoned(const void *memory, size_t size, uint64_t with);
/* Reports who wrote to poisoned memory: `what` names it. */
void expect_poison(const void *memory, size_t size, uint64_t with, const char *what);

/* Says of memory of the image that it must not change. */
void mark_image(const void *memory, size_t size, const char *kind);
/* Calls mark_image for all that must not change, in the engine and in memory.c. */
void JS_MarkImage(JSRuntime *runtime);
void mark_unused_blocks(void);

/* Small blocks by size class. */
struct JS_MemoryCounts {
  struct {
    size_t size, taken, freed, used;
  } cells[32];
};

struct block_counts {
  size_t pages_taken, pages_freed, blocks_taken, blocks_freed, large_taken, large_freed;
};

/* Look at all memory, in the engine and in memory.c; return what was counted. */
const struct JS_MemoryCounts *JS_CheckMemory(JSRuntime *runtime);
const struct block_counts *check_blocks(void);

/* Begins to watch, before JavaScript runs. */
void watch_memory(JSRuntime *runtime);
/* Makes a mistake that must be found, if the command line asks for it (`--wrong-…`). */
void be_wrong(JSContext *context, JSValueConst native, int count, char **words);

#endif
