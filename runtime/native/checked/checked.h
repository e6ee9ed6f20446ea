/*
 * The checking mode: a build of the executable for tests (`-DCHECKED`) that finds wrong uses of memory. Sanitizers of the
 * compiler cannot do that, because they do not know the allocator (memory.c), the small blocks of the engine and the image
 * (image.h).
 *
 * It finds two kinds of mistakes:
 * - A use of freed memory. Freed memory is filled with a poison. Code that reads an address from freed memory gets an address
 *   that does not exist, and faults. Code that writes to freed memory changes the poison.
 * - A change of the image's objects, which must stay as they are in the file (JS_FixObjects). All pages of the image are
 *   read-only at first. The first write to a page faults: it is a mistake, or the page becomes writable. At the end of the
 *   process, everything that must not change is compared with a copy.
 *
 * A mistake ends the process by SIGABRT, with a message on standard error. The message is also appended to a file whose
 * name is the executable's with `.findings`, and the counts of each process to a file whose name ends with `.counts`, if
 * these files exist.
 *
 * checked.c watches the image and the end of the process, blocks.inc checks the memory of memory.c, and cells.inc that of the
 * engine. ends.h makes every exit and execve call the checks first. mistakes.inc makes each mistake on purpose, for tests.
 */
#ifndef SOPHIA_RUN_CHECKED_H
#define SOPHIA_RUN_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quickjs.h"

/* Ends this process by SIGABRT with a message about a mistake. */
_Noreturn void report_memory(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The words that fill the engine's freed memory (cells.inc), and that of memory.c (blocks.inc). As an address neither
 * exists on any processor. As a value of the engine each means "an object at this address", so that an engine that reads
 * the value faults.
 */
#define ENGINE_POISON UINT64_C(0xdbdbdbdbffffffff)
#define BLOCK_POISON UINT64_C(0xdadadadaffffffff)

/* Fills memory with a word. In this function and the next two, address and size must be multiples of eight bytes. */
void poison(void *memory, size_t size, uint64_t word);
/* Returns true if memory is filled with a word. */
bool is_poisoned(const void *memory, size_t size, uint64_t word);
/* Ends this process if memory is not filled with the word. The description is the subject of the message: "a freed page". */
void expect_poison(const void *memory, size_t size, uint64_t word, const char *description);

/*
 * Declares that memory must not change, if it belongs to the image. `kind` names for the message what is stored there, and
 * must be a string literal.
 */
void mark_image(const void *memory, size_t size, const char *kind);
/* Call mark_image for all memory of the image that must not change: that of the engine, and that of memory.c. */
void JS_MarkImage(JSRuntime *runtime);
void mark_unused_blocks(void);

/* By size of the engine's small blocks: how many this process has allocated (`taken`) and freed, and how many are in use. */
struct JS_MemoryCounts {
  struct {
    size_t size, taken, freed, used;
  } cells[32];
};

/* The number of pages, blocks and large blocks that memory.c has allocated (`taken`) and freed in this process. */
struct block_counts {
  size_t pages_taken, pages_freed, blocks_taken, blocks_freed, large_taken, large_freed;
};

/* Check all memory of the engine, and of memory.c. Return the counts. End this process if there is a mistake. */
const struct JS_MemoryCounts *JS_CheckMemory(JSRuntime *runtime);
const struct block_counts *check_blocks(void);

/* Makes the image read-only, and handles faults from now on. Must be called before JavaScript runs in this process. */
void watch_memory(JSRuntime *runtime);
/* If the only argument is `--wrong-…`, makes the mistake of that name (mistakes.inc), and exits if it was not found. */
void make_mistake(JSContext *context, JSValueConst native, int count, char **words);

#endif
