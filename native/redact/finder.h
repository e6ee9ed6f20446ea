/*
 * The steps of masking/steps.ts and masking/candidate.ts, for which an engine of JavaScript takes a microsecond a byte and
 * more: an output full of escapes would hold the program up. What is found must be the same; test/masking/compiled.test.ts
 * compares it. Offsets are those of the stream.
 */
#include <stdint.h>

enum { MOST_CANDIDATES = 128, MOST_EMPTY_UNITS = 4, SHALLOW = 5 };
/* Candidates that are kept, those that are being stepped, and their copies. */
enum { SLOTS = 2 * MOST_CANDIDATES + 64 };
/* Offsets of a candidate; the last ones alone are kept, at most as many as a pattern has bytes. */
enum { MOST_ORIGINS = 1024, KEPT_ORIGINS = 512 };

struct candidate {
  int64_t at, last_escape, last_decoded, from;
  uint32_t node, count;
  uint8_t encoding, empty_units, is_after_return, is_shell;
  /* The last bits of offsets, which are near `at`. */
  uint32_t origins[MOST_ORIGINS];
};

/* A candidate that waits, with what tells it from others: slots are far from each other in memory. */
struct waiting {
  int64_t at;
  uint16_t slot;
  uint8_t encoding;
};

/* The candidates of one stream, which lie in `slots`. */
struct candidates {
  /* The offset of the first byte of the next `read`. */
  int64_t base;
  uint32_t count;
  struct waiting order[MOST_CANDIDATES];
  uint8_t is_used[SLOTS];
  struct candidate slots[SLOTS];
};

struct match {
  int32_t start, end;
  uint32_t node;
  uint16_t encoding, is_shell;
};

/* The matches of the last call, until `take` copies them. They lie in memory that grows. */
static struct {
  struct match *all;
  size_t count, size;
  int is_incomplete;
} matches;

struct finder {
  const struct tables *it;
  struct candidates *own;
  struct source source;
  int64_t base;
  uint32_t run;
  /* Matches that overlap are joined, and encoded ones have so many bytes at least; or -1: all are reported. */
  int least;
};

static void add_match(const struct finder *f, int64_t from, int64_t to, uint32_t node, enum encoding encoding, int is_shell) {
  struct match found = {(int32_t)(from - f->base), (int32_t)(to - f->base), node, (uint16_t)encoding, (uint16_t)is_shell};
  size_t first = matches.count, behind;
  if (f->least >= 0) {
    if (encoding != PLAIN && encoding != LINE_ENDS && found.end - found.start < f->least) return;
    while (first > 0 && matches.all[first - 1].end > found.start) --first;
    for (behind = first; behind < matches.count && matches.all[behind].start < found.end; ++behind) {
      if (matches.all[behind].start < found.start) found.start = matches.all[behind].start;
      if (matches.all[behind].end > found.end) found.end = matches.all[behind].end;
    }
    if (behind > first) {
      matches.all[first] = found;
      memmove(matches.all + first + 1, matches.all + behind, (matches.count - behind) * sizeof found);
      matches.count -= behind - first - 1;
      return;
    }
  }
  if (matches.count == matches.size) {
    const size_t size = matches.size == 0 ? 256 : 2 * matches.size;
    struct match *const larger = realloc(matches.all, size * sizeof found);
    if (larger == NULL) {
      matches.is_incomplete = 1;
      return;
    }
    matches.all = larger;
    matches.size = size;
  }
  memmove(matches.all + first + 1, matches.all + first, (matches.count - first) * sizeof found);
  matches.all[first] = found;
  ++matches.count;
}

static struct candidate *new_candidate(struct candidates *own) {
  for (size_t i = 0; i < SLOTS; ++i) {
    if (own->is_used[i]) continue;
    own->is_used[i] = 1;
    return &own->slots[i];
  }
  return NULL;
}

static void drop(struct candidates *own, const struct candidate *it) { own->is_used[it - own->slots] = 0; }

static uint32_t depth_at(const struct tables *it, uint32_t node) { return depth_of(it->base, it->branch, node); }

static void keep_last(struct candidate *it, uint32_t most) {
  if (it->count <= most) return;
  memmove(it->origins, it->origins + (it->count - most), most * sizeof *it->origins);
  it->count = most;
}

static struct candidate *copy_of(const struct finder *f, const struct candidate *it) {
  struct candidate *const copy = new_candidate(f->own);
  if (copy == NULL) return NULL;
  memcpy(copy, it, offsetof(struct candidate, origins) + it->count * sizeof *it->origins);
  return copy;
}

static int64_t start_of(const struct candidate *it, uint32_t length) {
  if (length == 0) return it->at;
  if (length > it->count) return it->from - (length - it->count);
  return it->at - (uint32_t)((uint32_t)it->at - it->origins[it->count - length]);
}

static int is_alive(const struct finder *f, const struct candidate *it) {
  return it->node != 0 && start_of(it, depth_at(f->it, it->node)) <= it->last_escape;
}

static void read_byte(const struct finder *f, struct candidate *it, int byte, int64_t begin) {
  const int is_second_half = it->is_after_return && byte == '\n';
  it->is_after_return = byte == '\r';
  /* Patterns have LF for each line end. */
  if (is_second_half) return;
  it->node = byte < 0 ? 0 : next(f->it, it->node, (uint8_t)(byte == '\r' ? '\n' : byte));
  if (it->count == MOST_ORIGINS) keep_last(it, KEPT_ORIGINS);
  it->origins[it->count++] = (uint32_t)begin;
  const uint16_t length = match_length_at(f->it, it->node);
  if (length == 0) return;
  const int64_t start = start_of(it, length);
  if (start <= it->last_decoded) add_match(f, start, it->at, it->node, it->encoding, it->is_shell);
}

/* Returns 0 if no secret continues with the unit. */
static int accept_unit(const struct finder *f, struct candidate *it, const struct unit *unit, uint8_t first) {
  const int64_t begin = it->at;
  it->at += unit->length;
  it->empty_units = unit->count == 0 ? (uint8_t)(it->empty_units + 1) : 0;
  if (starts_of[first] & BIT(it->encoding)) {
    it->last_escape = begin;
    if (unit->length > 1 || unit->count == 0 || unit->bytes[0] != first || first == '\r') it->last_decoded = begin;
  }
  if (unit->is_shell) it->is_shell = 1;
  for (size_t i = 0; i < unit->count; ++i) read_byte(f, it, unit->bytes[i], begin);
  return is_alive(f, it) && it->empty_units <= MOST_EMPTY_UNITS;
}

/* Reads plain bytes, up to the next possible escape. Returns 0 if no secret continues with them. */
static int accept_plain(const struct finder *f, struct candidate *it) {
  for (size_t at = (size_t)(it->at - f->base); at < f->source.length; ++at) {
    const uint8_t byte = f->source.bytes[at];
    if (f->it->escapes[byte] != 0 && (starts_of[byte] & BIT(it->encoding)) != 0) break;
    it->at += 1;
    it->empty_units = 0;
    read_byte(f, it, byte, it->at - 1);
    if (!is_alive(f, it)) return 0;
  }
  return 1;
}

static int units_of(const struct finder *f, enum encoding encoding, size_t from, struct unit units[2]) {
  const uint8_t first = f->source.bytes[from];
  if (encoding == LINE_ENDS) return one(units, 1, '\r', 0);
  if (encoding == WRAPPED) {
    one(units, 1, first, 0);
    if (ends_base64_line(f->it, f->source.bytes, from, f->run)) units[0].count = 0;
    return 1;
  }
  const int count = decode(&f->source, from, levels_of[encoding].levels, levels_of[encoding].count, units);
  if (!f->source.is_end) return count;
  int left = 0;
  for (int i = 0; i < count; ++i) {
    if (from + units[i].length <= f->source.length) units[left++] = units[i];
  }
  return count == UNDECIDED ? UNDECIDED : left;
}

static struct candidate *candidate_of(struct candidates *own, const struct waiting *it) { return &own->slots[it->slot]; }

/* Returns the longest node of at most `depth` bytes with which a node ends. */
static uint32_t shallower(const struct tables *it, uint32_t node, uint32_t depth) {
  while (depth_at(it, node) > depth) node = failure_of(it, node);
  return node;
}

/*
 * Returns 1 if a candidate finds all that another one does: both wait for the same byte, and it has read the same decoded
 * bytes or more, from an earlier start on.
 */
static int covers(const struct finder *f, const struct candidate *it, const struct candidate *other) {
  if (it->empty_units != other->empty_units || it->is_after_return != other->is_after_return) return 0;
  const uint32_t depth = depth_at(f->it, other->node);
  if (it->node == other->node) return start_of(it, depth) <= start_of(other, depth);
  return it->last_escape >= other->last_escape && it->last_decoded >= other->last_decoded && depth_at(f->it, it->node) > depth &&
    start_of(it, depth) <= start_of(other, depth) && shallower(f->it, it->node, depth) == other->node;
}

static void step(const struct finder *f, struct candidate *it, int64_t to);

/* Reads to the first escape from `to` on. Returns 0 if no secret continues so. */
static int read_on(const struct finder *f, struct candidate *it, int64_t to) {
  struct candidates *const own = f->own;
  const int64_t end = f->base + (int64_t)f->source.length;
  for (;;) {
    if (!accept_plain(f, it)) return 0;
    if (it->at >= to || it->at >= end) return 1;
    const size_t from = (size_t)(it->at - f->base);
    const uint8_t first = f->source.bytes[from];
    struct unit units[2];
    const int count = units_of(f, it->encoding, from, units);
    if (count == UNDECIDED) return 1;
    if (count == 2) {
      struct candidate *const copy = copy_of(f, it);
      if (copy != NULL) {
        if (accept_unit(f, copy, &units[1], first)) step(f, copy, to);
        else drop(own, copy);
      }
    }
    if (count == 0 || !accept_unit(f, it, &units[0], first)) return 0;
  }
}

/* Adds a candidate to those that wait, unless one covers it, in place of those that it covers. Returns 0 if it is not needed. */
static int enqueue(const struct finder *f, const struct candidate *it) {
  struct candidates *const own = f->own;
  for (size_t i = 0; i < own->count;) {
    const struct waiting known = own->order[i];
    struct candidate *const other = candidate_of(own, &known);
    const int is_alike = known.at == it->at && known.encoding == it->encoding;
    if (is_alike && covers(f, other, it)) return 0;
    if (is_alike && covers(f, it, other)) {
      memmove(own->order + i, own->order + i + 1, (own->count - i - 1) * sizeof *own->order);
      --own->count;
      drop(own, other);
    } else ++i;
  }
  if (own->count == MOST_CANDIDATES) return 0;
  own->order[own->count++] = (struct waiting){it->at, (uint16_t)(it - own->slots), it->encoding};
  return 1;
}

/* Lets a candidate read to the first escape from `to` on. Keeps it if it may still become a secret. */
static void step(const struct finder *f, struct candidate *it, int64_t to) {
  if (!read_on(f, it, to) || !enqueue(f, it)) drop(f->own, it);
}

/* Returns the longest node of at most `depth` bytes with which the bytes before `index` end. */
static uint32_t shortened(const struct finder *f, uint32_t node, uint32_t depth, size_t index) {
  if (depth == 0) return 0;
  const uint32_t all = depth_at(f->it, node);
  if (all <= depth) return node;
  if (all - depth <= depth) return shallower(f->it, node, depth);
  /* Its failures may be shorter by one byte each. */
  uint32_t again = 0;
  for (size_t at = index - depth; at < index; ++at) again = next(f->it, again, f->source.bytes[at]);
  return again;
}

static uint32_t depth_without(const struct finder *f, enum encoding encoding, size_t index, uint32_t most) {
  uint32_t depth = 0;
  for (; depth < most; ++depth) {
    const uint8_t byte = f->source.bytes[index - depth - 1];
    if (f->it->escapes[byte] != 0 && is_special(encoding, byte)) break;
  }
  return depth;
}

/* Steps the candidates that wait for a byte, and adds those that can begin with an escape there. */
static void read_escaped(const struct finder *f, size_t index, uint32_t node) {
  struct candidates *const own = f->own;
  const uint8_t byte = f->source.bytes[index];
  const int64_t at = f->base + (int64_t)index;
  uint16_t current[MOST_CANDIDATES];
  size_t count = 0, left = 0;
  uint32_t known = 0;
  for (size_t i = 0; i < own->count; ++i) {
    const struct waiting *const it = &own->order[i];
    if (it->at == at) {
      current[count++] = it->slot;
      known |= BIT(it->encoding);
    } else own->order[left++] = *it;
  }
  own->count = (uint32_t)left;
  for (size_t i = 0; i < count; ++i) step(f, &own->slots[current[i]], at + 1);
  /* An older candidate of the encoding has read the bytes before as well. */
  const uint32_t wanted = starts_of[byte] & ~known;
  for (unsigned encoding = 0; encoding < ENCODINGS; ++encoding) {
    if ((wanted & BIT(encoding)) == 0) continue;
    struct candidate *const it = new_candidate(own);
    if (it == NULL) return;
    const uint32_t depth = depth_without(f, encoding, index, depth_at(f->it, node));
    it->at = it->from = at;
    it->last_escape = it->last_decoded = -1;
    it->node = shortened(f, node, depth, index);
    it->count = 0;
    it->encoding = (uint8_t)encoding;
    it->empty_units = it->is_after_return = it->is_shell = 0;
    step(f, it, at + 1);
  }
}

static int is_plain(const struct tables *it, const uint8_t *bytes, size_t from, size_t to) {
  for (size_t at = from; at < to; ++at) {
    if (it->escapes[bytes[at]] != 0) return 0;
  }
  return 1;
}

/* Returns the node of the last byte. */
static uint32_t read_plain(const struct finder *f, size_t from, uint32_t node, uint32_t window) {
  const struct tables *const it = f->it;
  const uint8_t *const bytes = f->source.bytes;
  const size_t length = f->source.length;
  uint32_t depth = depth_at(it, node);
  for (size_t index = from;;) {
    if (f->own->count == 0 && node == 0) index = window == 0 ? length : skip_to(it, bytes, length, window, index, f->run);
    if (index >= length) return node;
    const uint8_t byte = bytes[index], kind = it->escapes[byte];
    if (kind == ESCAPE || (kind != 0 && (f->own->count > 0 || ends_base64_line(it, bytes, index, f->run)))) read_escaped(f, index, node);
    node = next(it, node, byte);
    index += 1;
    const uint32_t former = depth;
    depth = depth_at(it, node);
    const uint16_t size = match_length_at(it, node);
    if (size != 0) add_match(f, f->base + (int64_t)index - size, f->base + (int64_t)index, node, PLAIN, 0);
    /* The pattern did not continue, and the one that may begin in its place is still short: skipping is faster. */
    if (depth > former || depth > SHALLOW || f->own->count > 0 || depth > index) continue;
    const size_t again = index - depth;
    if (again + window > length || !is_plain(it, bytes, again, index)) continue;
    index = again;
    node = depth = 0;
  }
}

/* Returns the memory for the candidates of a stream. */
static napi_value new_candidates(napi_env env, const struct argument *args) {
  napi_value result = NULL;
  void *data = NULL;
  if (napi_create_buffer(env, sizeof(struct candidates), &data, &result) != napi_ok) return NULL;
  memset(data, 0, offsetof(struct candidates, slots));
  return result;
}

/*
 * (tables, candidates, bytes, the number of them that were read before, node, window, run, least length, 1 at the end of the
 * stream, array for results): finds matches. The results are the last node, the index of the first byte that may belong to a
 * secret, the number of candidates that are left, and that of the matches.
 */
static napi_value find(napi_env env, const struct argument *args) {
  struct candidates *const own = args[1].data;
  uint32_t *const results = args[9].data;
  const int is_end = args[8].number == 1;
  struct finder f = {
    args[0].data, own, {args[2].data, args[2].length, is_end}, own->base, (uint32_t)args[6].number, args[7].number};
  const int64_t position = f.base + args[3].number;
  uint32_t node = (uint32_t)args[4].number;
  struct waiting waiting[MOST_CANDIDATES];
  const size_t count = own->count;
  memcpy(waiting, own->order, count * sizeof *waiting);
  matches.count = 0;
  matches.is_incomplete = 0;
  own->count = 0;
  if (is_end) {
    for (size_t i = 0; i < count; ++i) {
      struct candidate *const copy = copy_of(&f, candidate_of(own, &waiting[i]));
      if (copy != NULL) step(&f, copy, position);
    }
    /* It may continue anyway. */
    for (size_t i = 0; i < own->count; ++i) drop(own, candidate_of(own, &own->order[i]));
    memcpy(own->order, waiting, count * sizeof *waiting);
    own->count = (uint32_t)count;
  } else {
    for (size_t i = 0; i < count; ++i) step(&f, candidate_of(own, &waiting[i]), position);
    node = read_plain(&f, (size_t)args[3].number, node, (uint32_t)args[5].number);
  }
  int64_t start = f.base + (int64_t)f.source.length - depth_at(f.it, node);
  for (size_t i = 0; i < own->count; ++i) {
    const struct candidate *const it = candidate_of(own, &own->order[i]);
    const int64_t begin = start_of(it, depth_at(f.it, it->node));
    if (begin < start) start = begin;
  }
  if (!is_end) own->base = start;
  results[0] = node;
  results[1] = (uint32_t)(start - f.base);
  results[2] = own->count;
  results[3] = (uint32_t)matches.count;
  return from_integer(env, matches.is_incomplete ? ENOMEM : 0);
}

/* (array): copies the matches of the last `find`: start, end, node, encoding and 1 for an escape of shells of each. */
static napi_value take_matches(napi_env env, const struct argument *args) {
  int32_t *to = args[0].data;
  for (size_t i = 0; i < matches.count && 5 * i + 4 < args[0].length; ++i, to += 5) {
    const struct match *const it = &matches.all[i];
    to[0] = it->start;
    to[1] = it->end;
    to[2] = (int32_t)it->node;
    to[3] = it->encoding;
    to[4] = it->is_shell;
  }
  return NULL;
}
