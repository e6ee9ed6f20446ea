/*
 * malloc(3) for QuickJS, which cuts blocks of up to 512 bytes from pages itself: gives pages, larger blocks that are reused
 * within their size class, and mappings of their own for the largest. The C library's allocator takes a third of a start's
 * time.
 */
#include "memory.h"
#include "image.h"
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

enum { LEAST_BITS = 7, LARGE_BITS = 18, CLASSES_A_DOUBLING = 8 };
enum { CLASSES = (LARGE_BITS - LEAST_BITS + 1) * CLASSES_A_DOUBLING };
static const size_t LEAST = (size_t)1 << LEAST_BITS, LARGE = (size_t)1 << LARGE_BITS, PAGE = 4096;
static const size_t REGION = (size_t)4 << 20, PIECE = (size_t)64 << 10, IMAGE_PIECE = (size_t)16 << 10;

/* The header of a block; a page has none. */
union block {
  size_t size;
  max_align_t aligned;
};
struct unused {
  struct unused *next;
};
struct piece {
  char *next, *end;
};

/* The memory that pieces are cut from; first the image's room. */
static struct piece region IMAGED = {image_room, image_room_end};
/* Pages have pieces of their own, so that their alignment wastes nothing. */
static struct piece pages IMAGED, others IMAGED;
static struct unused *unused_pages IMAGED, *unused_blocks[CLASSES] IMAGED;

/* Eight classes a doubling, which are multiples of 16. */
static size_t class_of(size_t size) {
  const size_t last = size > LEAST ? size - 1 : LEAST - 1;
  const size_t bits = 63 - (size_t)__builtin_clzl(last);
  return (bits + 1 - LEAST_BITS) * CLASSES_A_DOUBLING + (last >> (bits - 3)) % CLASSES_A_DOUBLING;
}

static size_t size_of_class(size_t class) {
  return (CLASSES_A_DOUBLING + class % CLASSES_A_DOUBLING + 1) << (class / CLASSES_A_DOUBLING + LEAST_BITS - 4);
}

static void *map(size_t size) {
  void *const mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return mapped == MAP_FAILED ? NULL : mapped;
}

/* The engine does not survive the lack of a small block everywhere. */
noreturn void end_without_memory(void) {
  static const char MESSAGE[] = "sophia-run: not enough memory\n";
  (void)!write(2, MESSAGE, sizeof MESSAGE - 1);
  restore_terminal();
  _exit(125);
}

/* Memory of the image is not given out again after that (end_of_image). */
static bool is_making_image(void) { return region.end == image_room_end; }

static bool has_image_room(size_t size) { return is_making_image() && (size_t)(region.end - region.next) >= size; }

static struct piece cut(size_t size) {
  const struct piece piece = {region.next, region.next + size};
  region.next = piece.end;
  return piece;
}

static struct piece new_piece(size_t least) {
  /* Small ones, because what is left of them is a part of the executable. */
  if (has_image_room(IMAGE_PIECE) && least < IMAGE_PIECE) return cut(IMAGE_PIECE);
  if (has_image_room(least)) return cut(least);
  const size_t size = least > PIECE ? least : PIECE;
  if ((size_t)(region.end - region.next) < size) {
    region.next = map(REGION);
    if (region.next == NULL) end_without_memory();
    region.end = region.next + REGION;
  }
  const struct piece piece = cut(size);
  /* Gets its pages at once: a page fault for each costs four times as much. Linux before 5.14 refuses it. */
  madvise(piece.next, size, MADV_POPULATE_WRITE);
  return piece;
}

static size_t pages_of(size_t size) { return (size + PAGE - 1) & ~(PAGE - 1); }

static bool is_in_image(const void *memory) {
  return (const char *)memory >= image_room && (const char *)memory < image_room_end;
}

static void *allocate_large(size_t size) {
  if (size > SIZE_MAX / 2) return NULL;
  const size_t whole = pages_of(size + sizeof(union block));
  union block *const block = has_image_room(whole) ? (union block *)cut(whole).next : map(whole);
  if (block == NULL) return NULL;
  block->size = whole - sizeof *block;
  return block + 1;
}

static bool is_page(const void *memory) { return (uintptr_t)memory % PAGE == 0; }

static size_t usable_size(const void *memory) {
  if (memory == NULL) return 0;
  return is_page(memory) ? PAGE : ((const union block *)memory)[-1].size;
}

static void *take_unused(struct unused **list) {
  struct unused *const found = *list;
  if (found != NULL) *list = found->next;
  return found;
}

/* Cuts up a larger block instead, while the image is made, which should be small. */
static struct piece new_piece_of_blocks(size_t least) {
  for (size_t class = class_of(least) + 1; class < CLASSES && is_making_image(); ++class) {
    char *const found = take_unused(&unused_blocks[class]);
    if (found != NULL) return (struct piece){found - sizeof(union block), found + size_of_class(class)};
  }
  return new_piece(pages_of(least));
}

static void *allocate_page(void) {
  void *const found = take_unused(&unused_pages);
  if (found != NULL) return found;
  if (pages.next == pages.end) pages = new_piece(PAGE);
  char *const page = pages.next;
  pages.next += PAGE;
  return page;
}

static void *allocate(void *opaque, size_t size) {
  if (size > LARGE) return allocate_large(size);
  /* The engine's pages for small blocks have a little less than 4 KiB. */
  if (size > PAGE / 2 && size <= PAGE) return allocate_page();
  const size_t class = class_of(size);
  void *const found = take_unused(&unused_blocks[class]);
  if (found != NULL) return found;
  /* A header more, to avoid an address that is a page's. */
  const size_t whole = size_of_class(class), needed = whole + 2 * sizeof(union block);
  if ((size_t)(others.end - others.next) < needed) others = new_piece_of_blocks(needed);
  union block *block = (union block *)others.next;
  if (is_page(block + 1)) ++block;
  block->size = whole;
  others.next = (char *)(block + 1) + whole;
  return block + 1;
}

static void release(void *opaque, void *memory) {
  if (memory == NULL) return;
  const size_t size = usable_size(memory);
  if (is_in_image(memory) && (size > LARGE || !is_making_image())) return;
  if (size > LARGE) {
    munmap((union block *)memory - 1, size + sizeof(union block));
    return;
  }
  struct unused **const list = is_page(memory) ? &unused_pages : &unused_blocks[class_of(size)];
  struct unused *const block = memory;
  block->next = *list;
  *list = block;
}

#ifdef CHECKED
#include "checked/blocks.inc"
#else
static void keep_unused_of_image(void) {}
#endif

static void *allocate_zeroed(void *opaque, size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) return NULL;
  void *const memory = allocate(opaque, count * size);
  return memory == NULL ? NULL : memset(memory, 0, count * size);
}

static void *resize(void *opaque, void *memory, size_t size) {
  if (memory == NULL) return allocate(opaque, size);
  const size_t present = usable_size(memory);
  if (size <= present && size >= present / 4) return memory;
  if (present > LARGE && size > LARGE && !is_in_image(memory)) {
    const size_t whole = pages_of(size + sizeof(union block));
    union block *const block = mremap((union block *)memory - 1, present + sizeof *block, whole, MREMAP_MAYMOVE);
    if (block == MAP_FAILED) return NULL;
    block->size = whole - sizeof *block;
    return block + 1;
  }
  void *const moved = allocate(opaque, size);
  if (moved == NULL) return NULL;
  memcpy(moved, memory, size < present ? size : present);
  release(opaque, memory);
  return moved;
}

const char *end_of_image(void) {
  /* Without the rest of the last piece. */
  const char *const end = pages.end == region.next ? pages.next : others.end == region.next ? others.next : region.next;
  keep_unused_of_image();
  /* Unused memory stays so: changing these pages costs a start more than new ones. */
  region = pages = others = (struct piece){0};
  unused_pages = NULL;
  memset(unused_blocks, 0, sizeof unused_blocks);
  return end;
}

const JSMallocFunctions MEMORY = {allocate_zeroed, allocate, release, resize, usable_size};
