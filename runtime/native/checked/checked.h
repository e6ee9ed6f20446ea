/*
 * The checking mode: a build of the executable for tests (`-DCHECKED`), which finds wrong uses of memory. Sanitizers cannot do
 * that here, because the allocator (memory.c), the engine's small blocks and the image (image.h) are this project's own.
 *
 * Two kinds of mistakes are found:
 * - A use of freed memory. Freed memory is filled with a poison: a value that is read from it is an address that does not exist,
 *   and a write to it changes the poison.
 * - A change of the image's objects, which must stay as they are in the file (JS_FixObjects). The image is read-only until the
 *   first write to each page, which is allowed only at addresses that may change. At the end, what must not change is compared.
 *
 * A mistake ends the process by SIGABRT with a message on standard error. If files with these names exist, the message is also
 * appended to the executable's name with `.findings`, and the counts of each process, at its end, to the name with `.counts`.
 *
 * checked.c watches the image and the end of the process, blocks.inc checks the memory of memory.c, cells.inc that of the engine,
 * and ends.h leads every exit and execve to the checks. mistakes.inc makes each mistake on purpose, for the tests of this mode.
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
 * The words with which the engine's freed memory (cells.inc), and that of memory.c (blocks.inc), is filled. As an address, neither
 * exists on any processor. As the upper half of a value of the engine, each means "an object": an engine that reads such a value
 * from freed memory follows its address, and faults.
 */
#define ENGINE_POISON UINT64_C(0xdbdbdbdbffffffff)
#define BLOCK_POISON UINT64_C(0xdadadadaffffffff)

/* Fills memory with a word. Address and size must be multiples of eight bytes, as for the next two functions. */
void poison(void *memory, size_t size, uint64_t word);
bool is_poisoned(const void *memory, size_t size, uint64_t word);
/* Ends this process if something wrote to poisoned memory. The description is the subject of the message: "a freed page". */
void expect_poison(const void *memory, size_t size, uint64_t word, const char *description);

/*
 * Declares that memory of the image must not change. `kind` names what is stored there, for the message, and must be a string
 * literal. Ignores memory outside of the image.
 */
void mark_image(const void *memory, size_t size, const char *kind);
/* Call mark_image for all memory of the image that must not change: that of the engine, and that of memory.c. */
void JS_MarkImage(JSRuntime *runtime);
void mark_unused_blocks(void);

/* The number of the engine's small blocks of each size that this process allocated, freed, and has in use. */
struct JS_MemoryCounts {
  struct {
    size_t size, taken, freed, used;
  } cells[32];
};

/* The number of pages, blocks and large blocks that memory.c has given out and got back in this process. */
struct block_counts {
  size_t pages_taken, pages_freed, blocks_taken, blocks_freed, large_taken, large_freed;
};

/* Check all memory of the engine, and of memory.c. Return the counts; end this process if there is a mistake. */
const struct JS_MemoryCounts *JS_CheckMemory(JSRuntime *runtime);
const struct block_counts *check_blocks(void);

/* Starts the watch over the image and over faults. Must be called before JavaScript runs in this process. */
void watch_memory(JSRuntime *runtime);
/* If the command line is one word `--wrong-…`, makes the mistake of that name, which must be found, and exits. */
void make_mistake(JSContext *context, JSValueConst native, int count, char **words);

#endif
