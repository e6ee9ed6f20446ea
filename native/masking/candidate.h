/*
 * The steps of masking/candidate.ts: possible beginnings of secrets that are escaped in an encoding, and the matches that
 * they become. Offsets are those of the stream.
 */
#include <stdint.h>

enum { MOST_CANDIDATES = 128, MOST_EMPTY_UNITS = 4 };
/* Candidates that are kept, those that are being stepped, and their copies. */
enum { SLOTS = 2 * MOST_CANDIDATES + 64 };
/* Offsets of a candidate; the last ones alone are kept, at most as many as a pattern has bytes. */
enum { MOST_ORIGINS = 1024, KEPT_ORIGINS = 512 };

struct candidate {
  int64_t at, last_escape, last_decoded, last_shell, from;
  uint32_t node, count;
  uint8_t encoding, empty_units, is_after_return;
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

/* The matches of the last `find`, until `take_matches` copies them. They lie in memory that grows. */
static struct {
  struct match *all;
  size_t count, size;
  int is_incomplete;
} matches;

/* The search in one stream: its bytes that are read now, and the offset of the first one. */
struct finder {
  const struct tables *tables;
  struct candidates *candidates;
  struct source source;
  int64_t base;
  uint32_t run;
  /* Matches that overlap are joined, and encoded ones have so many bytes at least; or -1: all are reported. */
  int least;
};

/* Puts a match in place of `replaced` ones from an index on. */
static void put_match(size_t index, size_t replaced, struct match match) {
  if (replaced == 0 && matches.count == matches.size) {
    const size_t size = matches.size == 0 ? 256 : 2 * matches.size;
    struct match *const larger = realloc(matches.all, size * sizeof match);
    if (larger == NULL) {
      matches.is_incomplete = 1;
      return;
    }
    matches.all = larger;
    matches.size = size;
  }
  struct match *const place = matches.all + index;
  memmove(place + 1, place + replaced, (matches.count - index - replaced) * sizeof match);
  *place = match;
  matches.count = matches.count + 1 - replaced;
}

static void add_match(const struct finder *finder, int64_t from, int64_t to, uint32_t node, enum encoding encoding, int is_shell) {
  const int32_t start = (int32_t)(from - finder->base), end = (int32_t)(to - finder->base);
  struct match match = {start, end, node, (uint16_t)encoding, (uint16_t)is_shell};
  size_t first = matches.count, behind = first;
  if (finder->least >= 0) {
    if (encoding != PLAIN && encoding != LINE_ENDS && end - start < finder->least) return;
    while (first > 0 && matches.all[first - 1].end > start) --first;
    for (behind = first; behind < matches.count && matches.all[behind].start < match.end; ++behind) {
      if (matches.all[behind].start < match.start) match.start = matches.all[behind].start;
      if (matches.all[behind].end > match.end) match.end = matches.all[behind].end;
    }
  }
  put_match(first, behind - first, match);
}

static struct candidate *new_candidate(struct candidates *candidates) {
  for (size_t i = 0; i < SLOTS; ++i) {
    if (candidates->is_used[i]) continue;
    candidates->is_used[i] = 1;
    return &candidates->slots[i];
  }
  return NULL;
}

static void drop(struct candidates *candidates, const struct candidate *candidate) {
  candidates->is_used[candidate - candidates->slots] = 0;
}

static uint32_t depth_at(const struct tables *tables, uint32_t node) { return depth_of(tables->base, tables->branch, node); }

static void keep_last(struct candidate *candidate, uint32_t most) {
  if (candidate->count <= most) return;
  memmove(candidate->origins, candidate->origins + (candidate->count - most), most * sizeof *candidate->origins);
  candidate->count = most;
}

static struct candidate *copy_of(const struct finder *finder, const struct candidate *candidate) {
  struct candidate *const copy = new_candidate(finder->candidates);
  if (copy == NULL) return NULL;
  memcpy(copy, candidate, offsetof(struct candidate, origins) + candidate->count * sizeof *candidate->origins);
  return copy;
}

static int64_t start_of(const struct candidate *candidate, uint32_t length) {
  if (length == 0) return candidate->at;
  if (length > candidate->count) return candidate->from - (length - candidate->count);
  return candidate->at - (uint32_t)((uint32_t)candidate->at - candidate->origins[candidate->count - length]);
}

static int is_alive(const struct finder *finder, const struct candidate *candidate) {
  return candidate->node != 0 && start_of(candidate, depth_at(finder->tables, candidate->node)) <= candidate->last_escape;
}

static void read_byte(const struct finder *finder, struct candidate *candidate, int byte, int64_t begin) {
  const int is_second_half = candidate->is_after_return && byte == '\n';
  candidate->is_after_return = byte == '\r';
  /* Patterns have LF for each line end. */
  if (is_second_half) return;
  candidate->node = byte < 0 ? 0 : next(finder->tables, candidate->node, (uint8_t)(byte == '\r' ? '\n' : byte));
  if (candidate->count == MOST_ORIGINS) keep_last(candidate, KEPT_ORIGINS);
  candidate->origins[candidate->count++] = (uint32_t)begin;
  const uint16_t length = match_length_at(finder->tables, candidate->node);
  if (length == 0) return;
  const int64_t start = start_of(candidate, length);
  if (start > candidate->last_decoded) return;
  add_match(finder, start, candidate->at, candidate->node, candidate->encoding, start <= candidate->last_shell);
}

/* Returns 0 if no secret continues with the unit. */
static int accept_unit(const struct finder *finder, struct candidate *candidate, const struct unit *unit, uint8_t first) {
  const int64_t begin = candidate->at;
  candidate->at += unit->length;
  candidate->empty_units = unit->count == 0 ? (uint8_t)(candidate->empty_units + 1) : 0;
  if (starts_of[first] & BIT(candidate->encoding)) {
    candidate->last_escape = begin;
    const int is_itself = unit->length == 1 && unit->count > 0 && unit->bytes[0] == first && first != '\r';
    if (!is_itself) candidate->last_decoded = begin;
  }
  if (unit->is_shell) candidate->last_shell = begin;
  for (size_t i = 0; i < unit->count; ++i) read_byte(finder, candidate, unit->bytes[i], begin);
  return is_alive(finder, candidate) && candidate->empty_units <= MOST_EMPTY_UNITS;
}

/* Reads plain bytes, up to the next possible escape. Returns 0 if no secret continues with them. */
static int accept_plain(const struct finder *finder, struct candidate *candidate) {
  for (size_t at = (size_t)(candidate->at - finder->base); at < finder->source.length; ++at) {
    const uint8_t byte = finder->source.bytes[at];
    if (finder->tables->escapes[byte] != 0 && (starts_of[byte] & BIT(candidate->encoding)) != 0) break;
    candidate->at += 1;
    candidate->empty_units = 0;
    read_byte(finder, candidate, byte, candidate->at - 1);
    if (!is_alive(finder, candidate)) return 0;
  }
  return 1;
}

static struct candidate *candidate_of(struct candidates *candidates, const struct waiting *waiting) {
  return &candidates->slots[waiting->slot];
}

/* Returns the longest node of at most `depth` bytes with which a node ends. */
static uint32_t shallower(const struct tables *tables, uint32_t node, uint32_t depth) {
  while (depth_at(tables, node) > depth) node = failure_of(tables, node);
  return node;
}

/*
 * Returns 1 if a candidate finds all that another one does: both wait for the same byte, and the first has read the same
 * decoded bytes or more, from an earlier start on.
 */
static int covers(const struct finder *finder, const struct candidate *candidate, const struct candidate *other) {
  if (candidate->empty_units != other->empty_units || candidate->is_after_return != other->is_after_return) return 0;
  const uint32_t depth = depth_at(finder->tables, other->node);
  if (candidate->node == other->node) return start_of(candidate, depth) <= start_of(other, depth);
  if (candidate->last_escape < other->last_escape || candidate->last_decoded < other->last_decoded) return 0;
  if (depth_at(finder->tables, candidate->node) <= depth || start_of(candidate, depth) > start_of(other, depth)) return 0;
  return shallower(finder->tables, candidate->node, depth) == other->node;
}

/* Adds a candidate to those that wait, in place of those that it covers. Returns 0 if it is not kept. */
static int enqueue(const struct finder *finder, const struct candidate *candidate) {
  struct candidates *const candidates = finder->candidates;
  for (size_t i = 0; i < candidates->count;) {
    struct waiting *const waiting = &candidates->order[i];
    struct candidate *const other = candidate_of(candidates, waiting);
    const int is_alike = waiting->at == candidate->at && waiting->encoding == candidate->encoding;
    if (is_alike && covers(finder, other, candidate)) return 0;
    if (is_alike && covers(finder, candidate, other)) {
      memmove(waiting, waiting + 1, (candidates->count - i - 1) * sizeof *waiting);
      --candidates->count;
      drop(candidates, other);
    } else ++i;
  }
  if (candidates->count == MOST_CANDIDATES) return 0;
  const uint16_t slot = (uint16_t)(candidate - candidates->slots);
  candidates->order[candidates->count++] = (struct waiting){candidate->at, slot, candidate->encoding};
  return 1;
}

/* Takes all candidates out of those that wait. Returns their number. */
static size_t take_all(struct candidates *candidates, struct waiting taken[MOST_CANDIDATES]) {
  const size_t count = candidates->count;
  memcpy(taken, candidates->order, count * sizeof *taken);
  candidates->count = 0;
  return count;
}

/* Returns the offset at which the first secret may begin that is not at its end. */
static int64_t earliest_start(const struct finder *finder, uint32_t node) {
  int64_t earliest = finder->base + (int64_t)finder->source.length - depth_at(finder->tables, node);
  for (size_t i = 0; i < finder->candidates->count; ++i) {
    const struct candidate *const candidate = candidate_of(finder->candidates, &finder->candidates->order[i]);
    const int64_t start = start_of(candidate, depth_at(finder->tables, candidate->node));
    if (start < earliest) earliest = start;
  }
  return earliest;
}
