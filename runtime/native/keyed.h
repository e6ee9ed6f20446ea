/*
 * Tables of the engine whose places the author of a file or an answer cannot foresee: names that all had the same place in one
 * would take minutes. Each process has a key of its own for what it adds. The image is the same for all, so its tables are not
 * changed: its atoms, shapes and maps are found by the engine's own hash, and bound the work by their number.
 * The build puts this into quickjs.c (runtime/build/quickjs.mjs).
 */
struct hash_key {
  /* The place at which a text's polynomial is evaluated, below 2^61 - 1. */
  uint64_t place;
  /* Odd factors, of which the upper bits of a product are used. */
  uint64_t number, parent, atom, flags;
};

/* For maps of the image. */
static const struct hash_key image_key = {0x0d2f57a1c4e6b893, 0x9e3779b97f4a7c15, 0, 0, 0};
static struct hash_key own_key;
/* The key of maps that are made now. */
static const struct hash_key *map_key = &image_key;
static bool has_own_key;

void JS_SetHashKey(uint64_t seed) {
  uint64_t *const parts[] = {&own_key.place, &own_key.number, &own_key.parent, &own_key.atom, &own_key.flags};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i) {
    /* SplitMix64. */
    uint64_t part = seed += 0x9e3779b97f4a7c15;
    part = (part ^ part >> 30) * 0xbf58476d1ce4e5b9;
    part = (part ^ part >> 27) * 0x94d049bb133111eb;
    *parts[i] = (part ^ part >> 31) | 1;
  }
  own_key.place >>= 4;
  map_key = &own_key;
  has_own_key = true;
}

/* A polynomial modulo 2^61 - 1, of three characters a coefficient: two texts agree at few of its places. */
struct text_hash {
  uint64_t sum, pending;
  uint32_t length;
};

static inline uint64_t times_place(uint64_t sum, uint64_t place) {
  const unsigned __int128 product = (unsigned __int128)sum * place;
  const uint64_t folded = ((uint64_t)product & (UINT64_MAX >> 3)) + (uint64_t)(product >> 61);
  return (folded & (UINT64_MAX >> 3)) + (folded >> 61);
}

static inline void add_unit(struct text_hash *hash, uint64_t place, uint16_t unit) {
  hash->pending = hash->pending << 16 | unit;
  if (++hash->length % 3 != 0) return;
  hash->sum = times_place(hash->sum + hash->pending, place);
  hash->pending = 0;
}

static void add_text(struct text_hash *hash, uint64_t place, JSValueConst text) {
  if (JS_VALUE_GET_TAG(text) == JS_TAG_STRING_ROPE) {
    JSStringRope *const rope = JS_VALUE_GET_STRING_ROPE(text);
    add_text(hash, place, rope->left);
    add_text(hash, place, rope->right);
    return;
  }
  JSString *const string = JS_VALUE_GET_STRING(text);
  const uint32_t length = string->len;
  if (string->is_wide_char) {
    const uint16_t *const units = str16(string);
    for (uint32_t i = 0; i < length; ++i) add_unit(hash, place, units[i]);
  } else {
    const uint8_t *const units = str8(string);
    for (uint32_t i = 0; i < length; ++i) add_unit(hash, place, units[i]);
  }
}

/* Mixes all bits into the lower ones, which are the place in a table. */
static inline uint32_t mixed(uint64_t number, uint64_t factor) {
  const unsigned __int128 product = (unsigned __int128)(number ^ factor) * factor;
  const uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
  return (uint32_t)(folded ^ folded >> 32);
}

static uint32_t hash_text(const struct hash_key *key, JSValueConst text, uint32_t kind) {
  struct text_hash hash = {.sum = kind};
  add_text(&hash, key->place, text);
  const uint64_t rest = times_place(hash.sum + hash.pending, key->place);
  return mixed(times_place(rest + hash.length, key->place), key->number);
}

static inline uint32_t hash_shape(uint32_t parent, uint32_t atom, uint32_t flags) {
  return (uint32_t)((own_key.parent * parent + own_key.atom * atom + own_key.flags * flags) >> 32);
}
