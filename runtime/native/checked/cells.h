/*
 * The checking mode of the engine's small blocks ("cells") and of the image's objects. The build puts this into quickjs.c before
 * arena_new (runtime/build/quickjs.mjs). A freed cell is poisoned, and kept for a while before it is used again.
 */
#include "checked.h"

/* In a cell's header in place of an object's type: that of a freed cell, and of one whose user has not set it. */
enum { FREED_TYPE = 0x7f, FRESH_TYPE = 0x7e };
enum { FREED_COUNT = 0x5bdbdbdb };

/* Freed blocks in the order in which they were freed. Beyond these limits the oldest one is released. */
enum { MOST_KEPT = 8192, MOST_KEPT_BYTES = 1 << 20, MOST_OF_ONE = 1 << 16 };
static struct {
  void *blocks[MOST_KEPT];
  size_t first, count, bytes;
} kept;

static struct JS_MemoryCounts counts;

/* Defined further below in quickjs.c. */
static bool has_own_key;
static inline bool atom_is_free(const JSAtomStruct *atom);
static inline size_t get_shape_size(size_t hash_size, size_t prop_size);
static inline JSShapeProperty *get_shape_prop(JSShape *shape);
static void js_arena_release(JSRuntime *runtime, void *memory);
static size_t js_arena_usable_size(JSRuntime *runtime, const void *memory);

static JSArena *arena_of(const void *memory) { return (JSArena *)((uintptr_t)memory & -(uintptr_t)JS_ARENA_SIZE); }

static bool is_cell_of(const JSArena *arena, const JSMallocBlockHeader *block) {
  if (block->block_size_idx >= JS_ARENA_BLOCK_SIZE_COUNT || block->block_size_idx != arena->block_size_idx) return false;
  const size_t size = arena_block_sizes[block->block_size_idx];
  const size_t index = (size_t)((const uint8_t *)block - arena->blocks) / size;
  return (const uint8_t *)block == arena->blocks + index * size && index < arena->n_blocks;
}

static void poison_block(JSMallocBlockHeader *block, size_t size) {
  block->gc_obj_type = FREED_TYPE;
  block->mark = 0;
  block->ref_count = FREED_COUNT;
  poison(block->user_data, size, ENGINE_POISON);
}

static void expect_freed(const JSMallocBlockHeader *block, size_t size) {
  if (block->gc_obj_type != FREED_TYPE || block->mark != 0) report_memory("the header of a freed block was changed");
  if (block->ref_count != FREED_COUNT) report_memory("a freed block was counted (%+d)", block->ref_count - FREED_COUNT);
  expect_poison(block->user_data, size, ENGINE_POISON, "a freed block");
}

static void poison_cells(JSArena *arena) {
  const size_t size = arena_block_sizes[arena->block_size_idx];
  for (size_t i = 0; i < arena->n_blocks; ++i) {
    poison_block((JSMallocBlockHeader *)(arena->blocks + i * size), size - sizeof(JSMallocBlockHeader));
  }
}

static void take_cell(JSMallocBlockHeader *block) {
  ++counts.cells[block->block_size_idx].taken;
  expect_freed(block, arena_block_sizes[block->block_size_idx] - sizeof *block);
  block->gc_obj_type = FRESH_TYPE;
}

/* Ends this process if memory is not a block in use. */
static void expect_used(JSRuntime *runtime, const void *memory) {
  const JSMallocBlockHeader *const block = container_of(memory, JSMallocBlockHeader, user_data);
  if (js_is_fixed(memory) || block == arena_zero_block(runtime)) return;
  if (block->gc_obj_type == FREED_TYPE) report_memory("a block is freed or used after it was freed");
  if (block->u.block_idx == JS_ARENA_FREE_NIL) {
    if (block->block_size_idx != 0xff) report_memory("the header of a block was changed");
    return;
  }
  if (!is_cell_of(arena_of(block), block) || block->u.block_idx >= arena_of(block)->n_blocks ||
      arena_get_block(arena_of(block), block->u.block_idx, arena_block_sizes[block->block_size_idx]) != block) {
    report_memory("the header of a block was changed");
  }
}

static void release_oldest(JSRuntime *runtime) {
  void *const memory = kept.blocks[kept.first];
  JSMallocBlockHeader *const block = container_of(memory, JSMallocBlockHeader, user_data);
  kept.first = (kept.first + 1) % MOST_KEPT;
  --kept.count;
  /* Only js_arena_usable_size minds that it is freed. */
  block->gc_obj_type = FRESH_TYPE;
  const size_t size = js_arena_usable_size(runtime, memory);
  block->gc_obj_type = FREED_TYPE;
  kept.bytes -= size;
  expect_freed(block, size);
  js_arena_release(runtime, memory);
}

static void js_arena_free(JSRuntime *runtime, void *memory) {
  if (memory == NULL || js_is_fixed(memory)) return;
  JSMallocBlockHeader *const block = container_of(memory, JSMallocBlockHeader, user_data);
  if (block == arena_zero_block(runtime)) return;
  expect_used(runtime, memory);
  const size_t size = js_arena_usable_size(runtime, memory);
  if (block->u.block_idx != JS_ARENA_FREE_NIL) ++counts.cells[block->block_size_idx].freed;
  poison_block(block, size);
  /* While the image is made memory is used again at once, as in the file that ships. */
  if (!has_own_key || size > MOST_OF_ONE) {
    js_arena_release(runtime, memory);
    return;
  }
  while (kept.count == MOST_KEPT || kept.bytes + size > MOST_KEPT_BYTES) release_oldest(runtime);
  kept.blocks[(kept.first + kept.count++) % MOST_KEPT] = memory;
  kept.bytes += size;
}

static void each_cell(JSRuntime *runtime, struct list_head *first, const struct list_head *end,
                      void (*visit)(JSRuntime *runtime, JSMallocBlockHeader *block, size_t size)) {
  for (struct list_head *at = first; at != end; at = at->next) {
    JSArena *const arena = list_entry(at, JSArena, link);
    const size_t size = arena_block_sizes[arena->block_size_idx];
    for (size_t i = 0; i < arena->n_blocks; ++i) visit(runtime, arena_get_block(arena, (unsigned)i, (unsigned)size), size);
  }
}

static void check_cell(JSRuntime *runtime, JSMallocBlockHeader *block, size_t size) {
  if (!is_cell_of(arena_of(block), block)) report_memory("the header of a block was changed");
  if (block->gc_obj_type == FREED_TYPE) expect_freed(block, size - sizeof *block);
  else ++counts.cells[block->block_size_idx].used;
}

const struct JS_MemoryCounts *JS_CheckMemory(JSRuntime *runtime) {
  for (size_t i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; ++i) {
    struct list_head *const head = &runtime->arena_state.arena_list[i];
    counts.cells[i].size = arena_block_sizes[i];
    counts.cells[i].used = 0;
    each_cell(runtime, head->next, head, check_cell);
    if (counts.cells[i].used != counts.cells[i].taken - counts.cells[i].freed) {
      report_memory("of the blocks of %zu bytes %zu are in use, not %zu", counts.cells[i].size, counts.cells[i].used,
                    counts.cells[i].taken - counts.cells[i].freed);
    }
  }
  while (kept.count > 0) release_oldest(runtime);
  return &counts;
}

/* The image's arenas, which the engine forgets (fixed.h). */
static struct list_head *image_arenas[JS_ARENA_BLOCK_SIZE_COUNT] __attribute__((section("image")));

static void keep_image_arenas(JSRuntime *runtime) {
  for (size_t i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; ++i) image_arenas[i] = runtime->arena_state.arena_list[i].next;
  /* The counts of a process do not include those of the image. */
  memset(&counts, 0, sizeof counts);
}

static void mark_count(const void *object) { mark_image(&js_rc(object)->ref_count, sizeof(int), "a count of references"); }

/* A string may become a name, which has a hash and a weak reference, and whoever shares a slice of it keeps the text. */
static void mark_text(JSString *text, const char *kind) {
  if (!js_is_fixed(text)) return;
  mark_count(text);
  mark_image(text, sizeof(uint32_t), kind);
  if (text->kind != JS_STRING_KIND_NORMAL) return;
  const size_t size = ((size_t)text->len << text->is_wide_char) + 1 - text->is_wide_char;
  mark_image(text + 1, (size + JS_ARENA_ALIGN - 1) & -(size_t)JS_ARENA_ALIGN, kind);
}

static void mark_value(JSValueConst value) {
  if (JS_VALUE_GET_TAG(value) == JS_TAG_STRING) mark_text(JS_VALUE_GET_STRING(value), "a text");
}

static void mark_shape(JSShape *shape) {
  /* An object's own shape changes with it. Lists of shapes are linked again when their table grows. */
  if (!shape->is_hashed) return;
  const size_t size = get_shape_size(shape->prop_hash_mask + 1, (size_t)shape->prop_size);
  const size_t from = offsetof(JSShape, is_hashed), next = offsetof(JSShape, shape_hash_next), rest = offsetof(JSShape, proto);
  mark_image((char *)shape + from, next - from, "a shape");
  mark_image((char *)shape + rest, size - rest, "a shape");
}

static void mark_code(JSFunctionBytecode *code) {
  const size_t from = sizeof(JSGCObjectHeader);
  mark_image((char *)code + from, sizeof *code - from, "a function");
  mark_image(code->byte_code_buf, (size_t)code->byte_code_len, "a function");
  mark_image(code->cpool, (size_t)code->cpool_count * sizeof *code->cpool, "a function");
  if (code->captured != NULL) {
    mark_image(code->captured, (size_t)(code->arg_count + code->var_count) * sizeof *code->captured, "a function");
  }
  mark_image(code->closure_var, (size_t)code->closure_var_count * sizeof *code->closure_var, "a function");
  for (int i = 0; i < code->cpool_count; ++i) mark_value(code->cpool[i]);
}

static void mark_object(JSObject *object) {
  const JSShapeProperty *const properties = get_shape_prop(object->shape);
  for (int i = 0; i < object->shape->prop_count; ++i) {
    if (properties[i].atom != JS_ATOM_NULL && (properties[i].flags & JS_PROP_TMASK) == 0) mark_value(object->prop[i].u.value);
  }
}

static void mark_unused_cell(JSRuntime *runtime, JSMallocBlockHeader *block, size_t size) {
  if (block->gc_obj_type == FREED_TYPE) mark_image(block, size, "unused memory");
}

void JS_MarkImage(JSRuntime *runtime) {
  struct list_head *at;
  list_for_each(at, &runtime->gc_obj_list) {
    JSGCObjectHeader *const object = list_entry(at, JSGCObjectHeader, link);
    if (!js_is_fixed(object)) continue;
    mark_count(object);
    switch (JS_GC_TYPE(object)) {
    case JS_GC_OBJ_TYPE_SHAPE: mark_shape((JSShape *)object); break;
    case JS_GC_OBJ_TYPE_FUNCTION_BYTECODE: mark_code((JSFunctionBytecode *)object); break;
    case JS_GC_OBJ_TYPE_JS_OBJECT: mark_object((JSObject *)object); break;
    default: break;
    }
  }
  for (int i = 1; i < runtime->atom_size; ++i) {
    if (!atom_is_free(runtime->atom_array[i])) mark_text(runtime->atom_array[i], "a name");
  }
  for (size_t i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; ++i) {
    if (image_arenas[i] != NULL) each_cell(runtime, image_arenas[i], &runtime->arena_state.arena_list[i], mark_unused_cell);
  }
}
