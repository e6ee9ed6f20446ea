/*
 * The memory allocator below the engine. QuickJS itself cuts its blocks of up to 512 bytes from pages. It calls the
 * functions of MEMORY for these pages, and for all larger blocks. With malloc(3) of the C library allocations would take a
 * third of the time of a start.
 *
 * Each block has a size class. A freed block is reused only for blocks of the same class. Blocks of more than LARGE bytes are
 * mappings of their own.
 *
 * While the build makes the image (image.h), all memory is taken from image_room, a section of the executable. A process that
 * starts from the image never allocates from that section, because the kernel copies each page to which it writes first.
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

/*
 * A size class is a range of sizes that get blocks of the same size. There are eight classes between a size and its double, so
 * that a block of more than 128 bytes in a class is at most an eighth larger than requested.
 */
enum { MIN_BITS = 7, LARGE_BITS = 18, CLASSES_PER_DOUBLING = 8 };
enum { CLASSES = (LARGE_BITS - MIN_BITS + 1) * CLASSES_PER_DOUBLING };
static const size_t MIN_BLOCK = (size_t)1 << MIN_BITS, LARGE = (size_t)1 << LARGE_BITS, PAGE = 4096;
/* The allocator maps a whole region, cuts pieces from it, and cuts blocks or pages from a piece. */
static const size_t REGION_BYTES = (size_t)4 << 20, PIECE_BYTES = (size_t)64 << 10, IMAGE_PIECE_BYTES = (size_t)16 << 10;

/* The header in front of each block: its usable size. A page has no header, and is recognized by its address (is_page). */
union block {
  size_t size;
  max_align_t aligned;
};
/* A freed page or block, which is in the list of its class. This struct is stored in the freed memory itself. */
struct unused {
  struct unused *next;
};
/* Memory that is not allocated yet. */
struct piece {
  char *next, *end;
};

/* The region from which pieces are cut: image_room while the image is made, otherwise the newest mapping. */
static struct piece region IMAGED = {image_room, image_room_end};
/* Pages are cut from another piece than blocks: between blocks, the alignment of a page would waste memory. */
static struct piece page_piece IMAGED, block_piece IMAGED;
/*
 * The lists of freed pages and, by class, of freed blocks. Only the thread that runs JavaScript allocates by this file, so that
 * these variables need no lock.
 */
static struct unused *unused_pages IMAGED, *unused_blocks[CLASSES] IMAGED;

/*
 * Returns the index of the smallest class whose blocks have at least this size. The highest bit of a size selects the group
 * of eight classes, the next three bits the class in the group. All sizes of blocks are multiples of 16.
 */
static size_t class_of(size_t size) {
  const size_t last_byte = size > MIN_BLOCK ? size - 1 : MIN_BLOCK - 1;
  const size_t bits = 63 - (size_t)__builtin_clzl(last_byte);
  return (bits + 1 - MIN_BITS) * CLASSES_PER_DOUBLING + (last_byte >> (bits - 3)) % CLASSES_PER_DOUBLING;
}

/* Returns the size of the blocks of a class. */
static size_t size_of_class(size_t class) {
  return (CLASSES_PER_DOUBLING + class % CLASSES_PER_DOUBLING + 1) << (class / CLASSES_PER_DOUBLING + MIN_BITS - 4);
}

/* Maps memory, which is zero. Returns NULL if there is none. */
static void *map(size_t size) {
  void *const mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return mapped == MAP_FAILED ? NULL : mapped;
}

/* Must be called if there is no memory for a small block, because parts of the engine do not expect NULL then. */
noreturn void end_without_memory(void) {
  static const char MESSAGE[] = "sophia-run: not enough memory\n";
  (void)!write(2, MESSAGE, sizeof MESSAGE - 1);
  restore_terminal();
  _exit(125);
}

/* Returns false in a process that starts from the image, because end_of_image emptied `region` before the image was written. */
static bool is_making_image(void) { return region.end == image_room_end; }

/* Returns true while the image is made, if image_room has this much memory left. */
static bool has_image_room(size_t size) { return is_making_image() && (size_t)(region.end - region.next) >= size; }

/* Cuts a piece from `region`, which must have at least this much memory. */
static struct piece cut(size_t size) {
  const struct piece piece = {region.next, region.next + size};
  region.next = piece.end;
  return piece;
}

/* Returns a piece of at least `min_size` bytes. Ends this process if there is no memory. */
static struct piece new_piece(size_t min_size) {
  /* Pieces of the image are smaller, because the executable contains their unused ends, too. */
  if (has_image_room(IMAGE_PIECE_BYTES) && min_size < IMAGE_PIECE_BYTES) return cut(IMAGE_PIECE_BYTES);
  if (has_image_room(min_size)) return cut(min_size);
  const size_t size = min_size > PIECE_BYTES ? min_size : PIECE_BYTES;
  if ((size_t)(region.end - region.next) < size) {
    region.next = map(REGION_BYTES);
    if (region.next == NULL) end_without_memory();
    region.end = region.next + REGION_BYTES;
  }
  const struct piece piece = cut(size);
  /*
   * This call makes the kernel provide all pages of the piece. A page fault for each of them would take four times as long.
   * Linux before 5.14 does not know the call, and provides each page at its first use.
   */
  madvise(piece.next, size, MADV_POPULATE_WRITE);
  return piece;
}

/* Rounds a size up to whole pages. */
static size_t round_up_to_pages(size_t size) { return (size + PAGE - 1) & ~(PAGE - 1); }

static bool is_in_image(const void *memory) {
  return (const char *)memory >= image_room && (const char *)memory < image_room_end;
}

/* Allocates a block of more than LARGE bytes. Returns NULL if there is no memory. */
static void *allocate_large(size_t size) {
  /* A larger size would overflow when it is rounded up. */
  if (size > SIZE_MAX / 2) return NULL;
  const size_t mapped_size = round_up_to_pages(size + sizeof(union block));
  union block *const block = has_image_room(mapped_size) ? (union block *)cut(mapped_size).next : map(mapped_size);
  if (block == NULL) return NULL;
  block->size = mapped_size - sizeof *block;
  return block + 1;
}

/* Returns true for a page. No block begins at such an address (allocate). */
static bool is_page(const void *memory) { return (uintptr_t)memory % PAGE == 0; }

/* Returns the number of bytes that may be used at an address that `allocate` has returned; 0 for NULL. */
static size_t usable_size(const void *memory) {
  if (memory == NULL) return 0;
  return is_page(memory) ? PAGE : ((const union block *)memory)[-1].size;
}

/* Removes the first element of a list and returns it. Returns NULL if the list is empty. */
static void *take_unused(struct unused **list) {
  struct unused *const first = *list;
  if (first != NULL) *list = first->next;
  return first;
}

/*
 * Returns a piece to cut blocks from. While the image is made, an unused block of a larger class is taken as the piece if
 * there is one, so that the image stays small.
 */
static struct piece new_block_piece(size_t min_size) {
  for (size_t class = class_of(min_size) + 1; class < CLASSES && is_making_image(); ++class) {
    char *const larger_block = take_unused(&unused_blocks[class]);
    if (larger_block != NULL) return (struct piece){larger_block - sizeof(union block), larger_block + size_of_class(class)};
  }
  return new_piece(round_up_to_pages(min_size));
}

/* Allocates a page. Ends this process if there is no memory. */
static void *allocate_page(void) {
  void *const unused_page = take_unused(&unused_pages);
  if (unused_page != NULL) return unused_page;
  if (page_piece.next == page_piece.end) page_piece = new_piece(PAGE);
  char *const page = page_piece.next;
  page_piece.next += PAGE;
  return page;
}

/*
 * Allocates memory as malloc(3) does. Returns NULL only for a block of more than LARGE bytes; for smaller ones, ends this
 * process if there is no memory. The engine passes `opaque`, which is not used.
 */
static void *allocate(void *opaque, size_t size) {
  if (size > LARGE) return allocate_large(size);
  /* The pages that the engine requests for its small blocks have a little less than 4 KiB. */
  if (size > PAGE / 2 && size <= PAGE) return allocate_page();
  const size_t class = class_of(size);
  void *const unused_block = take_unused(&unused_blocks[class]);
  if (unused_block != NULL) return unused_block;
  /*
   * The second header is for a block that must be moved up because its address would be a multiple of PAGE, as that of a
   * page.
   */
  const size_t block_size = size_of_class(class), needed = block_size + 2 * sizeof(union block);
  if ((size_t)(block_piece.end - block_piece.next) < needed) block_piece = new_block_piece(needed);
  union block *block = (union block *)block_piece.next;
  if (is_page(block + 1)) ++block;
  block->size = block_size;
  block_piece.next = (char *)(block + 1) + block_size;
  return block + 1;
}

/* Frees memory as free(3) does. */
static void release(void *opaque, void *memory) {
  if (memory == NULL) return;
  const size_t size = usable_size(memory);
  /* A process that starts from the image does not reuse the image's memory. Large blocks of the image are no mappings. */
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

/*
 * The functions below call the functions above by these names. In the checking mode, a build for tests (checked/checked.h), the
 * names are those of functions that check the memory first.
 */
#ifdef CHECKED
#include "checked/blocks.inc"
#define ALLOCATE checked_allocate
#define RELEASE checked_release
#define USABLE_SIZE checked_usable_size
#else
#define ALLOCATE allocate
#define RELEASE release
#define USABLE_SIZE usable_size
static void note_unused_image_memory(void) {}
#endif

/* Allocates memory as calloc(3) does. */
static void *allocate_zeroed(void *opaque, size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) return NULL;
  void *const memory = ALLOCATE(opaque, count * size);
  return memory == NULL ? NULL : memset(memory, 0, count * size);
}

/* Resizes memory as realloc(3) does. */
static void *resize(void *opaque, void *memory, size_t size) {
  if (memory == NULL) return ALLOCATE(opaque, size);
  const size_t present_size = USABLE_SIZE(memory);
  /* Memory that shrinks to less than a quarter is moved to a smaller block, so that the rest can be reused. */
  if (size <= present_size && size >= present_size / 4) return memory;
  if (present_size > LARGE && size > LARGE && !is_in_image(memory)) {
    const size_t mapped_size = round_up_to_pages(size + sizeof(union block));
    union block *const block = mremap((union block *)memory - 1, present_size + sizeof *block, mapped_size, MREMAP_MAYMOVE);
    if (block == MAP_FAILED) return NULL;
    block->size = mapped_size - sizeof *block;
    return block + 1;
  }
  void *const moved = ALLOCATE(opaque, size);
  if (moved == NULL) return NULL;
  memcpy(moved, memory, size < present_size ? size : present_size);
  RELEASE(opaque, memory);
  return moved;
}

const char *end_of_image(void) {
  /* The image need not contain the unused end of the piece that was cut last. */
  const char *const end = page_piece.end == region.next    ? page_piece.next
                          : block_piece.end == region.next ? block_piece.next
                                                           : region.next;
  note_unused_image_memory();
  /*
   * A process that starts from the image must not use the image's unused memory: to copy these pages takes the kernel
   * longer than to provide new ones.
   */
  region = page_piece = block_piece = (struct piece){0};
  unused_pages = NULL;
  memset(unused_blocks, 0, sizeof unused_blocks);
  return end;
}

const JSMallocFunctions MEMORY = {allocate_zeroed, ALLOCATE, RELEASE, resize, USABLE_SIZE};
