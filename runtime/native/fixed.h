/*
 * Fixed objects are those of the image: they are neither counted, freed nor collected, and their memory is not used again. A
 * count would change in each object that a start looks at, and the system copies each page of the image that changes.
 * The build puts this into quickjs.c in place of JS_REF_COUNT (runtime/build/quickjs.mjs).
 */
/* Everything below this address is fixed: the image comes before the rest of the engine's memory. */
static uintptr_t fixed_end __attribute__((section("image")));
/* The count of all of them, which is never that of an unused or unshared object, so that the engine changes no fixed shape. */
static int fixed_count = 1 << 30;

static inline bool js_is_fixed(const void *memory) { return (uintptr_t)memory < fixed_end; }

static inline int *js_count(const void *of) { return js_is_fixed(of) ? &fixed_count : &js_rc(of)->ref_count; }

#define JS_REF_COUNT(of) (*js_count(of))

static void js_arena_init(JSRuntime *runtime);
static int resize_shape_hash(JSRuntime *runtime, int bits);
static int JS_ResizeAtomHash(JSRuntime *runtime, int size);

const char *JS_FixObjects(JSRuntime *runtime, const char *(*end_of_memory)(void)) {
  /* A start that made one of these tables grow would change each shape, or each name. */
  if (resize_shape_hash(runtime, runtime->shape_hash_bits + 1) != 0) return NULL;
  if (JS_ResizeAtomHash(runtime, runtime->atom_hash_size * 2) != 0) return NULL;
  const char *const end = end_of_memory();
  /* Forgets which small blocks are unused. */
  js_arena_init(runtime);
  fixed_end = (uintptr_t)end;
  return end;
}
