/*
 * malloc(3) for QuickJS and the addon, from one region that is given back as a whole: nothing of it is left when Bun starts,
 * and the C library's own has never been used. A start needs one to two megabytes. What is freed is used again for what
 * is as large: in steps of 16 bytes to 1 KiB, then in powers of two.
 */
#define _GNU_SOURCE

#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "leave.h"

/* Behind so much it is Bun's turn. */
enum { REGION_BYTES = 64 << 20 };
enum { STEP = 16, STEPS = 64, STEPS_BITS = 10, CLASSES = STEPS + 26 - STEPS_BITS };

/* In front of what is taken. */
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
  if (size > REGION_BYTES / 2) leave_to_bun("memory");
  const size_t class = class_of(size);
  struct unused *const found = unused_blocks[class];
  if (found != NULL) {
    unused_blocks[class] = found->next;
    return found;
  }
  const size_t whole = size_of_class(class);
  if (REGION_BYTES - used < whole + sizeof(union block)) leave_to_bun("memory");
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
  if (size != 0 && count > REGION_BYTES / size) leave_to_bun("memory");
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
