/*
 * malloc(3) for QuickJS: blocks of a size class from regions, reused within their class (steps of 16 bytes up to 1 KiB, then
 * powers of two), and mappings of their own for large ones. A start allocates tens of thousands of small blocks; the C library's
 * allocator takes a third of its time.
 */
#include "memory.h"
#include "runtime.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { STEP = 16, STEPS = 64, STEPS_BITS = 10, LARGE_BITS = 17, CLASSES = STEPS + LARGE_BITS - STEPS_BITS };
static const size_t LARGE = (size_t)1 << LARGE_BITS, REGION = (size_t)4 << 20, PRESENT = (size_t)256 << 10;

/* The header of a block. */
union block {
  size_t size;
  max_align_t aligned;
};
struct unused {
  struct unused *next;
};

static char *region, *present_end, *region_end;
static struct unused *unused_blocks[CLASSES];

static size_t class_of(size_t size) {
  if (size <= STEP * STEPS) return size == 0 ? 0 : (size - 1) / STEP;
  return STEPS + (size_t)(63 - __builtin_clzl(size - 1)) - STEPS_BITS;
}

static size_t size_of_class(size_t class) {
  return class < STEPS ? (class + 1) * STEP : (size_t)2 << (class - STEPS + STEPS_BITS);
}

static void *map(size_t size) {
  void *const mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return mapped == MAP_FAILED ? NULL : mapped;
}

/* Gets the next pages at once: a page fault for each costs four times as much. Linux before 5.14 refuses it. */
static void make_present(void) {
  const size_t left = (size_t)(region_end - present_end);
  const size_t size = left < PRESENT ? left : PRESENT;
  madvise(present_end, size, MADV_POPULATE_WRITE);
  present_end += size;
}

/* The engine does not survive the lack of a small block everywhere. */
static noreturn void end_without_memory(void) {
  static const char MESSAGE[] = "sophia-run: not enough memory\n";
  (void)!write(2, MESSAGE, sizeof MESSAGE - 1);
  restore_terminal();
  _exit(125);
}

static size_t pages_of(size_t size) { return (size + sizeof(union block) + 4095) & ~(size_t)4095; }

static void *allocate_large(size_t size) {
  if (size > SIZE_MAX / 2) return NULL;
  const size_t pages = pages_of(size);
  union block *const block = map(pages);
  if (block == NULL) return NULL;
  block->size = pages - sizeof *block;
  return block + 1;
}

static size_t usable_size(const void *memory) { return memory == NULL ? 0 : ((const union block *)memory)[-1].size; }

static void *allocate(void *unused, size_t size) {
  if (size > LARGE) return allocate_large(size);
  const size_t class = class_of(size);
  struct unused *const found = unused_blocks[class];
  if (found != NULL) {
    unused_blocks[class] = found->next;
    return found;
  }
  const size_t whole = size_of_class(class);
  if ((size_t)(region_end - region) < whole + sizeof(union block)) {
    char *const mapped = map(REGION);
    if (mapped == NULL) end_without_memory();
    region = present_end = mapped;
    region_end = mapped + REGION;
  }
  union block *const block = (union block *)region;
  region += whole + sizeof *block;
  if (region > present_end) make_present();
  block->size = whole;
  return block + 1;
}

static void release(void *unused, void *memory) {
  if (memory == NULL) return;
  const size_t size = usable_size(memory);
  if (size > LARGE) {
    munmap((union block *)memory - 1, size + sizeof(union block));
    return;
  }
  struct unused *const block = memory;
  block->next = unused_blocks[class_of(size)];
  unused_blocks[class_of(size)] = block;
}

static void *allocate_zeroed(void *unused, size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) return NULL;
  void *const memory = allocate(unused, count * size);
  return memory == NULL ? NULL : memset(memory, 0, count * size);
}

static void *resize(void *unused, void *memory, size_t size) {
  if (memory == NULL) return allocate(unused, size);
  const size_t present = usable_size(memory);
  if (size <= present && size >= present / 4) return memory;
  if (present > LARGE && size > LARGE) {
    union block *const block = mremap((union block *)memory - 1, present + sizeof *block, pages_of(size), MREMAP_MAYMOVE);
    if (block == MAP_FAILED) return NULL;
    block->size = pages_of(size) - sizeof *block;
    return block + 1;
  }
  void *const moved = allocate(unused, size);
  if (moved == NULL) return NULL;
  memcpy(moved, memory, size < present ? size : present);
  release(unused, memory);
  return moved;
}

const JSMallocFunctions MEMORY = {allocate_zeroed, allocate, release, resize, usable_size};
