/*
 * The steps of masking/steps.ts, for which an engine of JavaScript takes a microsecond a byte and more: an output full of
 * escapes would hold the program up. The matches must be the same; test/masking/compiled.test.ts compares them.
 */

/* Up to this depth skipping pays (masking/automaton.ts). */
enum { SHALLOW = 5 };

/* Lists the readings of an escape, the likeliest first. Returns their number, or UNDECIDED. */
static int units_of(const struct finder *finder, enum encoding encoding, size_t from, struct unit units[2]) {
  const uint8_t first = finder->source.bytes[from];
  if (encoding == LINE_ENDS) return single_byte(units, 1, '\r', 0);
  if (encoding == WRAPPED) {
    single_byte(units, 1, first, 0);
    if (ends_base64_line(finder->tables, finder->source.bytes, from, finder->run)) units[0].count = 0;
    return 1;
  }
  const int count = decode(&finder->source, from, levels_of[encoding].levels, levels_of[encoding].count, units);
  if (encoding == JSON_1 && ends_escaped_line(finder->tables, finder->source.bytes, finder->source.length, from, finder->run)) {
    single_byte(&units[1], 2, first, 0);
    units[1].count = 0;
    return 2;
  }
  if (!finder->source.is_end) return count;
  int left = 0;
  for (int i = 0; i < count; ++i) {
    if (from + units[i].length <= finder->source.length) units[left++] = units[i];
  }
  return count == UNDECIDED ? UNDECIDED : left;
}

static void step(const struct finder *finder, struct candidate *candidate, int64_t to);

/* Reads to the first escape from `to` on. Returns 0 if no secret continues so. */
static int read_on(const struct finder *finder, struct candidate *candidate, int64_t to) {
  struct candidates *const candidates = finder->candidates;
  const int64_t end = finder->base + (int64_t)finder->source.length;
  for (;;) {
    if (!accept_plain(finder, candidate)) return 0;
    if (candidate->at >= to || candidate->at >= end) return 1;
    const size_t from = (size_t)(candidate->at - finder->base);
    const uint8_t first = finder->source.bytes[from];
    struct unit units[2];
    const int count = units_of(finder, candidate->encoding, from, units);
    if (count == UNDECIDED) return 1;
    if (count == 2) {
      struct candidate *const copy = copy_of(finder, candidate);
      if (copy != NULL) {
        if (accept_unit(finder, copy, &units[1], first)) step(finder, copy, to);
        else drop(candidates, copy);
      }
    }
    if (count == 0 || !accept_unit(finder, candidate, &units[0], first)) return 0;
  }
}

/* Lets a candidate read to the first escape from `to` on. Keeps it if it may still become a secret. */
static void step(const struct finder *finder, struct candidate *candidate, int64_t to) {
  if (!read_on(finder, candidate, to) || !enqueue(finder, candidate)) drop(finder->candidates, candidate);
}

/* Returns the longest node of at most `depth` bytes with which the bytes before `index` end. */
static uint32_t shortened(const struct finder *finder, uint32_t node, uint32_t depth, size_t index) {
  if (depth == 0) return 0;
  const uint32_t whole = depth_at(finder->tables, node);
  if (whole <= depth) return node;
  if (whole - depth <= depth) return shallower(finder->tables, node, depth);
  /* Its failures may be shorter by one byte each. */
  uint32_t again = 0;
  for (size_t at = index - depth; at < index; ++at) again = next(finder->tables, again, finder->source.bytes[at]);
  return again;
}

/* Counts the bytes before an escape that an encoder would not have escaped. */
static uint32_t depth_without(const struct finder *finder, enum encoding encoding, size_t index, uint32_t most) {
  uint32_t depth = 0;
  for (; depth < most; ++depth) {
    const uint8_t byte = finder->source.bytes[index - depth - 1];
    if (finder->tables->escapes[byte] != 0 && is_special(encoding, byte)) break;
  }
  return depth;
}

static int is_plain(const struct tables *tables, const uint8_t *bytes, size_t from, size_t to) {
  for (size_t at = from; at < to; ++at) {
    if (tables->escapes[bytes[at]] != 0) return 0;
  }
  return 1;
}

/* Returns 0 if what is known of the bytes from an escape on does not continue the pattern of a node. */
static int may_go_on(const struct finder *finder, uint32_t node, size_t index) {
  const uint8_t *const here = finder->source.bytes + index;
  const size_t rest = finder->source.length - index;
  struct meaning expected[2];
  if (*here == '\n' || *here == '\r' || is_escaped_end(here, rest)) return 1;
  meanings(here, rest, expected);
  return takes_any(finder->tables, node, expected, here, rest, 0);
}

/* Returns 1 if the last `depth` bytes that a candidate has read stand for themselves, and may begin a secret. */
static int has_read_plain(const struct finder *finder, const struct candidate *candidate, uint32_t depth) {
  return depth_at(finder->tables, candidate->node) >= depth && start_of(candidate, depth) == candidate->at - depth;
}

/* Steps the candidates that wait for a byte, and adds those that can begin with an escape there. */
static void read_escaped(const struct finder *finder, size_t index, uint32_t node) {
  const struct tables *const tables = finder->tables;
  struct candidates *const candidates = finder->candidates;
  const uint8_t byte = finder->source.bytes[index];
  const int64_t at = finder->base + (int64_t)index;
  const uint32_t depth = depth_at(tables, node);
  uint16_t current[MOST_CANDIDATES];
  uint32_t before[ENCODINGS] = {0}, known = 0, wanted = starts_of[byte];
  size_t count = 0, left = 0;
  for (size_t i = 0; i < candidates->count; ++i) {
    const struct waiting *const waiting = &candidates->order[i];
    if (waiting->at == at) {
      current[count++] = waiting->slot;
      known |= BIT(waiting->encoding);
    } else candidates->order[left++] = *waiting;
  }
  candidates->count = (uint32_t)left;
  /* An older candidate has read the bytes before as well, unless the first of them are the end of its last escape. */
  const int is_read = depth == 0 || (known != 0 && is_plain(tables, finder->source.bytes, index - depth, index) && !may_go_on(finder, node, index));
  if (is_read) wanted &= ~known;
  for (unsigned encoding = 0; depth != 0 && encoding < ENCODINGS; ++encoding) {
    if ((wanted & BIT(encoding)) == 0) continue;
    before[encoding] = shortened(finder, node, depth_without(finder, encoding, index, depth), index);
  }
  for (size_t i = 0; i < count && (wanted & known) != 0; ++i) {
    const struct candidate *const candidate = &candidates->slots[current[i]];
    if (has_read_plain(finder, candidate, depth_at(tables, before[candidate->encoding]))) wanted &= ~BIT(candidate->encoding);
  }
  for (size_t i = 0; i < count; ++i) step(finder, &candidates->slots[current[i]], at + 1);
  for (unsigned encoding = 0; encoding < ENCODINGS; ++encoding) {
    if ((wanted & BIT(encoding)) == 0) continue;
    struct candidate *const candidate = new_candidate(candidates);
    if (candidate == NULL) return;
    candidate->at = candidate->from = at;
    candidate->last_escape = candidate->last_decoded = candidate->last_shell = -1;
    candidate->node = before[encoding];
    candidate->count = 0;
    candidate->encoding = (uint8_t)encoding;
    candidate->empty_units = candidate->is_after_return = 0;
    step(finder, candidate, at + 1);
  }
}

/* Follows plain bytes through the automaton, and begins a candidate at each escape. Returns the node of the last byte. */
static uint32_t read_plain(const struct finder *finder, size_t from, uint32_t node, uint32_t window) {
  const struct tables *const tables = finder->tables;
  const struct candidates *const waiting = finder->candidates;
  const uint32_t run = finder->run;
  const uint8_t *const bytes = finder->source.bytes;
  const size_t length = finder->source.length;
  uint32_t depth = depth_at(tables, node);
  for (size_t index = from;;) {
    if (waiting->count == 0 && node == 0) index = window == 0 ? length : skip_to(tables, bytes, length, window, index, run);
    if (index >= length) return node;
    const uint8_t byte = bytes[index], kind = tables->escapes[byte];
    /* Most line breaks stand neither in base64 nor in what a candidate reads. */
    const int is_read = kind == ESCAPE || (kind != 0 && (waiting->count > 0 || ends_base64_line(tables, bytes, index, run)));
    if (is_read) read_escaped(finder, index, node);
    node = next(tables, node, byte);
    index += 1;
    const uint32_t former = depth;
    depth = depth_at(tables, node);
    const uint16_t size = match_length_at(tables, node);
    const int64_t end = finder->base + (int64_t)index;
    if (size != 0) add_match(finder, end - size, end, node, PLAIN, 0);
    /* The pattern did not continue, and the one that may begin in its place is still short: skipping is faster. */
    if (depth > former || depth > SHALLOW || waiting->count > 0 || depth > index) continue;
    const size_t again = index - depth;
    if (again + window > length || !is_plain(tables, bytes, again, index)) continue;
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

/* Reads the bytes from an index on. Returns the node of the last one. */
static uint32_t read_from(const struct finder *finder, size_t index, uint32_t node, uint32_t window) {
  struct waiting former[MOST_CANDIDATES];
  const size_t count = take_all(finder->candidates, former);
  for (size_t i = 0; i < count; ++i) {
    step(finder, candidate_of(finder->candidates, &former[i]), finder->base + (int64_t)index);
  }
  return read_plain(finder, index, node, window);
}

/* Lets copies of the candidates read to the end of the stream. It may continue anyway: the candidates stay as they are. */
static void read_to_end(const struct finder *finder, size_t index) {
  struct candidates *const candidates = finder->candidates;
  struct waiting former[MOST_CANDIDATES];
  const size_t count = take_all(candidates, former);
  for (size_t i = 0; i < count; ++i) {
    struct candidate *const copy = copy_of(finder, candidate_of(candidates, &former[i]));
    if (copy != NULL) step(finder, copy, finder->base + (int64_t)index);
  }
  for (size_t i = 0; i < candidates->count; ++i) drop(candidates, candidate_of(candidates, &candidates->order[i]));
  memcpy(candidates->order, former, count * sizeof *former);
  candidates->count = (uint32_t)count;
}

/*
 * (tables, candidates, bytes, the number of them that were read before, node, window, run, least length, 1 at the end of the
 * stream, array for results): finds matches. The results are the last node, the index of the first byte that may belong to a
 * secret, the number of candidates that are left, and that of the matches.
 */
static napi_value find(napi_env env, const struct argument *args) {
  struct candidates *const candidates = args[1].data;
  const size_t before = (size_t)args[3].number;
  const uint32_t window = (uint32_t)args[5].number;
  const int is_end = args[8].number == 1;
  uint32_t *const results = args[9].data;
  const struct finder finder = {
    args[0].data, candidates, {args[2].data, args[2].length, is_end}, candidates->base, (uint32_t)args[6].number, args[7].number};
  uint32_t node = (uint32_t)args[4].number;
  matches.count = 0;
  matches.is_incomplete = 0;
  if (is_end) read_to_end(&finder, before);
  else node = read_from(&finder, before, node, window);
  const int64_t start = earliest_start(&finder, node);
  if (!is_end) candidates->base = start;
  results[0] = node;
  results[1] = (uint32_t)(start - finder.base);
  results[2] = candidates->count;
  results[3] = (uint32_t)matches.count;
  return from_integer(env, matches.is_incomplete ? ENOMEM : 0);
}

/* (array): copies the matches of the last `find`: start, end, node, encoding and 1 for an escape of shells of each. */
static napi_value take_matches(napi_env env, const struct argument *args) {
  int32_t *to = args[0].data;
  for (size_t i = 0; i < matches.count && 5 * i + 4 < args[0].length; ++i, to += 5) {
    const struct match *const match = &matches.all[i];
    to[0] = match->start;
    to[1] = match->end;
    to[2] = (int32_t)match->node;
    to[3] = match->encoding;
    to[4] = match->is_shell;
  }
  return NULL;
}

/*
 * (candidates, the number of bytes that the last `find` has kept, array): lists the node of each candidate that waits, and the
 * number of bytes that it has not decoded. Returns the number of candidates.
 */
static napi_value list_candidates(napi_env env, const struct argument *args) {
  struct candidates *const candidates = args[0].data;
  const int64_t end = candidates->base + args[1].number;
  int32_t *to = args[2].data;
  int count = 0;
  for (; (uint32_t)count < candidates->count && 2 * (size_t)count + 1 < args[2].length; ++count, to += 2) {
    const struct candidate *const candidate = candidate_of(candidates, &candidates->order[count]);
    to[0] = (int32_t)candidate->node;
    to[1] = (int32_t)(end - candidate->at);
  }
  return from_integer(env, count);
}
