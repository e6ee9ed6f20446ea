/*
 * malloc(3) for QuickJS and the addon, from one region that is unmapped as a whole: if Bun starts after all, nothing has
 * used the allocator of its C library. A start needs one to two megabytes. Freed blocks are reused within their size class: steps of 16 bytes up to 1 KiB,
 * then powers of two.
 */
#define _GNU_SOURCE

#include "engine.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The limit beyond which a start falls back to Bun. */
enum { REGION_BYTES = 64 << 20 };
enum { STEP = 16, STEPS = 64, STEPS_BITS = 10, CLASSES = STEPS + 26 - STEPS_BITS };

/* The header of an allocation. */
union block {
  size_t size;
  max_align_t aligned;
};
struct unused {
  struct unused *next;
};

static char *region;
static size_t used;
static struct unused *unused_blocks[CLASSES];

bool open_region(void) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void *const mapped = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (mapped == MAP_FAILED) return false;
  region = mapped;
  return true;
}

void close_region(void) {
  munmap(region, REGION_BYTES);
}

static size_t class_of(size_t size) {
  if (size <= STEP * STEPS) return size == 0 ? 0 : (size - 1) / STEP;
  return STEPS + (size_t)(63 - __builtin_clzl(size - 1)) - STEPS_BITS;
}

static size_t size_of_class(size_t class) {
  return class < STEPS ? (class + 1) * STEP : (size_t)2 << (class - STEPS + STEPS_BITS);
}

size_t malloc_usable_size(void *memory) {
  return memory == NULL ? 0 : ((union block *)memory)[-1].size;
}

void *malloc(size_t size) {
  if (size > REGION_BYTES / 2) fall_back("memory");
  const size_t class = class_of(size);
  struct unused *const found = unused_blocks[class];
  if (found != NULL) {
    unused_blocks[class] = found->next;
    return found;
  }
  const size_t whole = size_of_class(class);
  if (REGION_BYTES - used < whole + sizeof(union block)) fall_back("memory");
  union block *const block = (union block *)(region + used);
  used += whole + sizeof *block;
  block->size = whole;
  return block + 1;
}

void free(void *memory) {
  if (memory == NULL) return;
  struct unused *const block = memory;
  const size_t class = class_of(malloc_usable_size(memory));
  block->next = unused_blocks[class];
  unused_blocks[class] = block;
}

void *calloc(size_t count, size_t size) {
  if (size != 0 && count > REGION_BYTES / size) fall_back("memory");
  void *const memory = malloc(count * size);
  return memset(memory, 0, count * size);
}

void *realloc(void *memory, size_t size) {
  const size_t former = malloc_usable_size(memory);
  if (size <= former && memory != NULL) return memory;
  void *const moved = malloc(size);
  if (memory != NULL) memcpy(moved, memory, former);
  free(memory);
  return moved;
}
