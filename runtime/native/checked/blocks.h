/*
 * The checking mode of pages and larger blocks: memory.c includes this behind `allocate` and `release`, which are the checked
 * ones from here on. Blocks beyond 128 KB have mappings of their own, so that using a freed one is a fault without further help.
 */
#include "checked.h"

/* In the last word of a block's header. */
enum { USED_BLOCK = 0x75736564, FREED_BLOCK = 0x66726565 };

static struct block_counts block_counts;

/* The unused memory of the image, which end_of_image forgets. */
static struct unused *unused_pages_of_image IMAGED, *unused_blocks_of_image[CLASSES] IMAGED;

_Static_assert(sizeof(union block) >= 2 * sizeof(size_t), "the header has room for a state");
static size_t *state_of(void *memory) { return (size_t *)memory - 1; }

static bool is_zero(const char *memory, size_t size) { return *memory == 0 && memcmp(memory, memory + 1, size - 1) == 0; }

/* The first word is the list's. */
static void expect_unused(const void *memory, size_t size, const char *what) {
  const struct unused *const block = memory;
  expect_poison(block + 1, size - sizeof *block, BLOCK_POISON, what);
}

static void *checked_allocate(void *opaque, size_t size) {
  char *const memory = allocate(opaque, size);
  if (memory == NULL) return NULL;
  if (is_page(memory)) {
    ++block_counts.pages_taken;
    /* A page that was never used is empty. */
    if (!is_zero(memory + sizeof(struct unused), PAGE - sizeof(struct unused))) {
      expect_unused(memory, PAGE, "a freed page");
      /* Whoever does not write to it must not free what looks like a freed one. */
      poison(memory, PAGE, ENGINE_POISON);
    }
    return memory;
  }
  const size_t usable = usable_size(memory);
  ++*(usable > LARGE ? &block_counts.large_taken : &block_counts.blocks_taken);
  if (*state_of(memory) == FREED_BLOCK) expect_unused(memory, usable, "a freed block");
  *state_of(memory) = USED_BLOCK;
  return memory;
}

static void expect_used_block(const void *memory) {
  if (memory == NULL) return;
  if (is_page(memory)) {
    const bool is_freed = is_poisoned((const struct unused *)memory + 1, PAGE - sizeof(struct unused), BLOCK_POISON);
    if (is_freed) report_memory("a page is freed or used after it was freed");
    return;
  }
  const size_t size = usable_size(memory), state = *state_of((void *)(uintptr_t)memory);
  if (state == FREED_BLOCK) report_memory("a block is freed or used after it was freed");
  const bool is_size = size > LARGE || size == size_of_class(class_of(size));
  if (state != USED_BLOCK || !is_size) report_memory("the header of a block was changed");
}

static size_t checked_usable_size(const void *memory) {
  expect_used_block(memory);
  return usable_size(memory);
}

static void checked_release(void *opaque, void *memory) {
  if (memory == NULL) return;
  const size_t size = checked_usable_size(memory);
  /* Stays as it is (release). */
  if (is_in_image(memory) && (size > LARGE || !is_making_image())) {
    release(opaque, memory);
    return;
  }
  ++*(is_page(memory) ? &block_counts.pages_freed : size > LARGE ? &block_counts.large_freed : &block_counts.blocks_freed);
  if (size <= LARGE) {
    poison(memory, size, BLOCK_POISON);
    if (!is_page(memory)) *state_of(memory) = FREED_BLOCK;
  }
  release(opaque, memory);
}

#define allocate checked_allocate
#define release checked_release
#define usable_size checked_usable_size

static void keep_unused_of_image(void) {
  unused_pages_of_image = unused_pages;
  memcpy(unused_blocks_of_image, unused_blocks, sizeof unused_blocks);
  block_counts = (struct block_counts){0};
}

void mark_unused_blocks(void) {
  for (struct unused *page = unused_pages_of_image; page != NULL; page = page->next) mark_image(page, PAGE, "unused memory");
  for (size_t class = 0; class < CLASSES; ++class) {
    for (struct unused *block = unused_blocks_of_image[class]; block != NULL; block = block->next) {
      mark_image((union block *)block - 1, size_of_class(class) + sizeof(union block), "unused memory");
    }
  }
}

const struct block_counts *check_blocks(void) {
  for (struct unused *page = unused_pages; page != NULL; page = page->next) expect_unused(page, PAGE, "a freed page");
  for (size_t class = 0; class < CLASSES; ++class) {
    for (struct unused *block = unused_blocks[class]; block != NULL; block = block->next) {
      expect_unused(block, size_of_class(class), "a freed block");
    }
  }
  return &block_counts;
}
