/* The automaton of masking/automaton.ts, by the same tables, and the search for the places where a pattern may begin. */
#include <stdint.h>

/* Twice as fast as with -Os, by which the rest of the addon is built. */
#ifndef __clang__
#pragma GCC optimize("O2")
#endif

/*
 * Limits on the bytes of a pattern, the bytes after an escape, the escapes, and the backslashes in a row that are compared,
 * and on the bytes before an escape that are read again: the time stays linear.
 */
enum { MOST_FOLLOWED = 32, LOOK_AHEAD = 8, MOST_ESCAPES_AHEAD = 2, MOST_BACKSLASHES = 8, MOST_READ_AGAIN = 512 };
/* The longest reference of XML that masking/encodings/encodings.ts decodes. */
enum { LONGEST_REFERENCE = 14 };

/* Sixteen bytes, anywhere in memory. */
typedef uint8_t sixteen __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t eights __attribute__((vector_size(16)));

struct tables {
  const uint8_t *shift, *starts, *label;
  const uint32_t *branch, *parent, *first, *end, *forks;
  /* By byte: see escapesOf; 1 for characters of base64; 1 for bytes of patterns. */
  const uint8_t *escapes, *is_base64, *occurs;
  const uint32_t *base;
  /* Known for the nodes that a stream has reached. */
  uint32_t *failure;
  uint16_t *match_lengths;
  uint32_t fork_mask;
  /* The bytes that have an entry in `escapes`, each sixteen times: escapesOf marks no more. */
  sixteen escape_bytes[9];
};

static uint32_t block(uint8_t first, uint8_t second, uint8_t third) {
  return (((uint32_t)third << 10) ^ ((uint32_t)second << 5) ^ first) & 0xffff;
}

static uint32_t slot_of(uint32_t node, uint8_t byte) { return ((node * 0x9e3779b1u) ^ (byte * 0x85ebca6bu)) >> 7; }

static uint32_t child(const struct tables *tables, uint32_t node, uint8_t byte) {
  const uint32_t near = node + 1;
  if (tables->label[near] == byte && tables->branch[near] == tables->branch[node]) return near;
  for (uint32_t slot = slot_of(node, byte);; ++slot) {
    const uint32_t forked = tables->forks[slot & tables->fork_mask];
    if (forked == 0 || (tables->label[forked] == byte && tables->parent[tables->branch[forked]] == node)) return forked;
  }
}

static int hex_digit(uint8_t byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  byte |= 0x20;
  return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

enum { NO_ESCAPE = -2, ANY_BYTE = -1, NO_BYTE = 256 };
struct meaning {
  /* The first decoded byte, or one of these numbers. NO_BYTE: a quote that only opens or closes. */
  int byte;
  /* The length of the escape; 0 if it is unknown, or if there are more decoded bytes. */
  size_t length;
};

static struct meaning character(int code, size_t length) {
  /* It may begin another escape: JSON in JSON, in XML. */
  if (code == '\\' || code == '$') return (struct meaning){ANY_BYTE, 0};
  /* Patterns have LF for each line end, whether one byte of output or two stand for it. */
  if (code == '\r') return (struct meaning){'\n', 0};
  if (code < 0x80) return (struct meaning){code, length};
  if (code < 0x800) return (struct meaning){0xc0 | code >> 6, 0};
  if (code >= 0xdc80 && code <= 0xdcff) return (struct meaning){code & 0xff, 0};
  if (code >= 0xd800 && code <= 0xdfff) return (struct meaning){0xf0, 0};
  return (struct meaning){code < 0x10000 ? 0xe0 | code >> 12 : 0xf0 | (code >> 18 & 7), 0};
}

/* Returns 1 if the byte may begin an escape for a byte of another escape: JSON inside a URL, XML or JSON. */
static int begins_inner(uint8_t byte) { return byte == '%' || byte == '&' || byte == '\\' || byte == '+'; }

/* By letter: what it stands for behind a backslash; 0 for none. */
static const uint8_t letters[256] = {
  ['b'] = '\b', ['t'] = '\t', ['n'] = '\n', ['f'] = '\f', ['r'] = '\r', ['a'] = '\a', ['v'] = '\v', ['e'] = 27, ['E'] = 27};

static struct meaning after_backslash(const uint8_t *bytes, size_t length) {
  const uint8_t byte = bytes[0];
  if (byte == 'r') return character('\r', 2);
  if (letters[byte] != 0) return (struct meaning){letters[byte], 2};
  if (byte == 'u') {
    int code = 0;
    if (length < 5 || bytes[1] == '{') return (struct meaning){ANY_BYTE, 0};
    for (size_t i = 1; i < 5; ++i) {
      const int digit = hex_digit(bytes[i]);
      if (digit == -1) return (struct meaning){begins_inner(bytes[i]) ? ANY_BYTE : NO_ESCAPE, 0};
      code = code << 4 | digit;
    }
    return character(code, 6);
  }
  if (byte == 'U' || byte == 'x' || (byte >= '0' && byte <= '7') || begins_inner(byte)) return (struct meaning){ANY_BYTE, 0};
  if ((byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z')) return (struct meaning){NO_ESCAPE, 0};
  return byte < 0x80 ? character(byte, 2) : (struct meaning){byte, 0};
}

static struct meaning reference(const uint8_t *bytes, size_t length) {
  static const struct { const char *text; int byte; } names[] = {
    {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  if (bytes[1] == '#') {
    const int is_hex = length > 2 && (bytes[2] | 0x20) == 'x', base = is_hex ? 16 : 10;
    int code = 0;
    for (size_t i = is_hex ? 3 : 2; i < length && i < LONGEST_REFERENCE && code < 0x110000; ++i) {
      const int digit = hex_digit(bytes[i]);
      if (bytes[i] == ';') return character(code, i + 1);
      if (digit == -1 || digit >= base) return (struct meaning){NO_ESCAPE, 0};
      code = code * base + digit;
    }
    return (struct meaning){ANY_BYTE, 0};
  }
  for (size_t i = 0; i < COUNT(names); ++i) {
    size_t at = 0;
    while (names[i].text[at] != '\0' && at < length && (uint8_t)names[i].text[at] == bytes[at]) ++at;
    if (names[i].text[at] == '\0') return character(names[i].byte, at);
    if (at == length) return (struct meaning){ANY_BYTE, 0};
  }
  return (struct meaning){NO_ESCAPE, 0};
}

/* Lists the meanings of an escape in any encoding. There may be too many, never too few: JavaScript decodes the escape. */
static void meanings(const uint8_t *bytes, size_t length, struct meaning results[2]) {
  const struct meaning any = {ANY_BYTE, 0}, none = {NO_ESCAPE, 0};
  results[0] = any;
  results[1] = none;
  if (length < 2) return;
  const uint8_t byte = bytes[0], next = bytes[1];
  if (byte == '+') results[0] = character(' ', 1);
  else if (byte == '\'' || byte == '"') {
    results[0] = (struct meaning){NO_BYTE, 1};
  }
  else if (byte == '%') {
    const int high = hex_digit(next), low = length < 3 ? -1 : hex_digit(bytes[2]);
    /* A URL in a URL may escape the digits. */
    if (next == '%' || length < 3 || (high != -1 && bytes[2] == '%')) {
      if (next != '%' && high == -1) results[0] = none;
      return;
    }
    if (high == -1 || low == -1) {
      results[0] = none;
      return;
    }
    const int code = high * 16 + low;
    /* It may begin another escape: a URL in a URL, JSON in a URL. */
    if (code == '\r') results[0] = (struct meaning){'\n', 0};
    else if (code != '%' && code != '\\' && code != '+' && code != '$') results[0] = (struct meaning){code, 3};
  } else if (byte == '&') results[0] = reference(bytes, length);
  else if (byte == '$') {
    if (next != '\'' ? !begins_inner(next) : length > 2 && !begins_inner(bytes[2])) results[0] = none;
  } else if (byte == '\\') {
    size_t run = 1;
    while (run < length && run < MOST_BACKSLASHES && bytes[run] == '\\') ++run;
    if (run == length || run == MOST_BACKSLASHES) return;
    results[0] = after_backslash(bytes + run, length - run);
    if (run == 1) return;
    /* The outer JSON may have escaped the letter of the inner escape, behind a backslash of its own. */
    if (bytes[run] == 'u' && run != 2 && run != 4) {
      results[0] = any;
      return;
    }
    /* JSON in JSON has two or three backslashes before a character that JSON escapes by one. */
    results[0].length = run <= 3 && results[0].length != 0 ? results[0].length + run - 1 : 0;
    results[1] = (struct meaning){'\\', run <= 3 ? 2 : 0};
  }
}

/* Returns 1 if the line break at `end` may stand in base64. */
static int ends_base64_line(const struct tables *tables, const uint8_t *bytes, size_t end, uint32_t run) {
  size_t begin = end - (end > 0 && bytes[end] == '\n' && bytes[end - 1] == '\r');
  const size_t last = begin;
  while (begin > 0 && last - begin < LINE_WIDTH && tables->is_base64[bytes[begin - 1]]) --begin;
  return last - begin + (begin == 0 ? run : 0) >= LINE_WIDTH;
}

/* Returns 1 if the bytes are a line end as JSON escapes it. */
static int is_escaped_end(const uint8_t *bytes, size_t length) {
  return length > 1 && bytes[0] == '\\' && (bytes[1] == 'n' || bytes[1] == 'r');
}

/* Returns 1 if the escaped line end at `escape` may stand in base64. */
static int ends_escaped_line(const struct tables *tables, const uint8_t *bytes, size_t length, size_t escape, uint32_t run) {
  if (!is_escaped_end(bytes + escape, length - escape)) return 0;
  const int is_second = escape >= 2 && bytes[escape - 1] == 'r' && is_escaped_end(bytes + escape - 2, 2);
  return ends_base64_line(tables, bytes, is_second ? escape - 2 : escape, run);
}

static int takes_any(const struct tables *tables, uint32_t node, const struct meaning meanings[2], const uint8_t *bytes, size_t length, int depth);

/* Returns 0 if the bytes after an escape are known not to continue a pattern. */
static int goes_on(const struct tables *tables, uint32_t node, const uint8_t *bytes, size_t length, int depth) {
  for (size_t at = 0; at < LOOK_AHEAD && at < length; ++at) {
    if (tables->end[tables->branch[node]] == node) return 1;
    if (tables->escapes[bytes[at]] == ESCAPE) {
      struct meaning next[2];
      if (depth == MOST_ESCAPES_AHEAD || bytes[at] == '\r' || is_escaped_end(bytes + at, length - at)) return 1;
      meanings(bytes + at, length - at, next);
      if (takes_any(tables, node, next, bytes + at, length - at, depth + 1)) return 1;
    }
    node = child(tables, node, bytes[at]);
    if (node == 0) return 0;
  }
  return 1;
}

/* Returns 1 if the escape at `bytes` may continue the pattern of `node`, or begin one for node 0. */
static int takes_any(const struct tables *tables, uint32_t node, const struct meaning meanings[2], const uint8_t *bytes, size_t length, int depth) {
  for (int i = 0; i < 2; ++i) {
    const struct meaning *const meaning = &meanings[i];
    uint32_t after = node;
    if (meaning->byte == NO_ESCAPE) continue;
    if (meaning->byte == ANY_BYTE) return 1;
    if (meaning->byte != NO_BYTE) after = node == 0 ? tables->first[meaning->byte] : child(tables, node, (uint8_t)meaning->byte);
    if (after != 0 && (meaning->length == 0 || goes_on(tables, after, bytes + meaning->length, length - meaning->length, depth))) return 1;
  }
  return 0;
}

/* Returns 1 if a pattern begins at an index, or may begin as far as it is compared. */
static int may_begin(const struct tables *tables, const uint8_t *bytes, size_t length, size_t begin, uint32_t run) {
  uint32_t node = tables->first[bytes[begin]];
  for (size_t at = begin + 1; node != 0; ++at) {
    if (at == length || at - begin == MOST_FOLLOWED || tables->end[tables->branch[node]] == node) return 1;
    const uint8_t byte = bytes[at];
    if (tables->escapes[byte] != 0) {
      struct meaning expected[2];
      /* In lines of base64. */
      if (byte == '\n' || byte == '\r' || ends_escaped_line(tables, bytes, length, at, run)) return 1;
      meanings(bytes + at, length - at, expected);
      if (takes_any(tables, node, expected, bytes + at, length - at, 0)) return 1;
    }
    node = child(tables, node, byte);
  }
  return 0;
}

/* Returns the first index from `from` to `escape` at which a pattern may begin that continues with the escape; or SIZE_MAX. */
static size_t begin_before(const struct tables *tables, const uint8_t *bytes, size_t length, size_t from, size_t escape, uint32_t run) {
  struct meaning expected[2] = {{NO_ESCAPE, 0}, {NO_ESCAPE, 0}};
  const uint8_t *const here = bytes + escape;
  const size_t rest = length - escape;
  if (*here == '\n' || *here == '\r') {
    const size_t size = *here == '\r' && rest > 1 && here[1] == '\n' ? 2 : 1;
    /* The LF of CR LF may be escaped. */
    if (tables->escapes[*here] == ESCAPE) expected[0] = (struct meaning){'\n', 0};
    if (ends_base64_line(tables, bytes, escape, run)) expected[1] = (struct meaning){NO_BYTE, size};
  } else {
    meanings(here, rest, expected);
    /* Most lines are shorter. */
    const int is_long = escape < 3 || (tables->is_base64[bytes[escape - 1]] && tables->is_base64[bytes[escape - 3]]);
    if (is_long && ends_escaped_line(tables, bytes, length, escape, run)) expected[1] = (struct meaning){NO_BYTE, 2};
  }
  for (int i = 0; i < 2; ++i) {
    if (expected[i].byte >= 0 && expected[i].byte != NO_BYTE && !tables->occurs[expected[i].byte]) expected[i].byte = NO_ESCAPE;
  }
  if (expected[0].byte == NO_ESCAPE && expected[1].byte == NO_ESCAPE) return SIZE_MAX;
  size_t earliest = escape, left = MOST_READ_AGAIN;
  while (earliest > from && tables->occurs[bytes[earliest - 1]]) --earliest;
  for (size_t begin = earliest; begin <= escape; ++begin) {
    if (escape - begin >= 3 && tables->starts[block(bytes[begin], bytes[begin + 1], bytes[begin + 2])] == 0) continue;
    uint32_t node = begin == escape ? 0 : tables->first[bytes[begin]];
    for (size_t at = begin + 1; at < escape && node != 0; ++at) {
      if (left-- == 0) return begin;
      node = child(tables, node, bytes[at]);
    }
    if (node == 0 && begin < escape) continue;
    if (takes_any(tables, node, expected, here, rest, 0)) return begin;
  }
  return SIZE_MAX;
}

static void *array_of(napi_env env, napi_value value, size_t *length) {
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, NULL, length, &data, NULL, NULL) != napi_ok) *length = 0;
  return data;
}

/* Compares sixteen bytes at a time. */
static size_t next_escape(const struct tables *tables, const uint8_t *bytes, size_t from, size_t length) {
  size_t at = from;
  for (; at + sizeof(sixteen) <= length; at += sizeof(sixteen)) {
    const sixteen here = *(const sixteen *)(bytes + at);
    sixteen equal = (sixteen)(here == tables->escape_bytes[0]);
#pragma GCC unroll 8
    for (size_t i = 1; i < COUNT(tables->escape_bytes); ++i) equal |= (sixteen)(here == tables->escape_bytes[i]);
    const eights halves = (eights)equal;
    if ((halves[0] | halves[1]) == 0) continue;
    return at + (size_t)(halves[0] != 0 ? __builtin_ctzll(halves[0]) / 8 : 8 + __builtin_ctzll(halves[1]) / 8);
  }
  while (at < length && tables->escapes[bytes[at]] == 0) ++at;
  return at;
}

static int is_begin(const struct tables *tables, const uint8_t *bytes, size_t length, size_t at, uint32_t run) {
  if (length - at < 3) return 1;
  const uint8_t *const here = bytes + at;
  /* The first bytes of patterns are listed as they are. */
  const int is_plain = tables->escapes[here[1]] == 0 && tables->escapes[here[2]] == 0;
  if (is_plain && tables->starts[block(here[0], here[1], here[2])] == 0) return 0;
  return may_begin(tables, bytes, length, at, run);
}

static size_t skip_to(const struct tables *tables, const uint8_t *bytes, size_t length, size_t window, size_t from, uint32_t run) {
  const uint8_t *const shift = tables->shift;
  for (size_t at = from, escape = from;; ++escape) {
    escape = next_escape(tables, bytes, escape, length);
    while (at + window <= escape) {
      const uint8_t *const last = bytes + at + window;
      const uint8_t distance = shift[block(last[-3], last[-2], last[-1])];
      if (distance != 0) at += distance;
      else if (is_begin(tables, bytes, length, at, run)) return at;
      else ++at;
    }
    if (escape >= length) return at;
    /* Most lines end here. */
    if (tables->escapes[bytes[escape]] != ESCAPE && !ends_base64_line(tables, bytes, escape, run)) continue;
    const size_t first = escape + 1 > from + window ? escape + 1 - window : from;
    const size_t begin = begin_before(tables, bytes, length, first, escape, run);
    if (begin == SIZE_MAX) continue;
    /* A pattern that contains the byte itself may begin before. */
    while (at < begin && !is_begin(tables, bytes, length, at, run)) ++at;
    return at < begin ? at : begin;
  }
}

static napi_value prepare(napi_env env, const struct argument *args) {
  napi_value result = NULL;
  void *handle = NULL;
  napi_create_buffer(env, sizeof(struct tables), &handle, &result);
  struct tables *const tables = handle;
  *tables = (struct tables){
    args[0].data, args[1].data, args[2].data, args[3].data, args[4].data, args[5].data, args[6].data,
    args[7].data, args[8].data, args[9].data, args[10].data, args[11].data, args[12].data, args[13].data,
    (uint32_t)args[7].length - 1, {{0}}};
  size_t count = 0;
  for (unsigned byte = 0; byte < 256 && count < COUNT(tables->escape_bytes); ++byte) {
    if (tables->escapes[byte] != 0) tables->escape_bytes[count++] = (sixteen){0} + (uint8_t)byte;
  }
  while (count < COUNT(tables->escape_bytes)) tables->escape_bytes[count++] = tables->escape_bytes[0];
  return result;
}

static uint32_t depth_of(const uint32_t *base, const uint32_t *branch, uint32_t node) {
  return node == 0 ? 0 : node - base[branch[node]];
}

static uint32_t failure_of(const struct tables *tables, uint32_t node);

static uint32_t next(const struct tables *tables, uint32_t node, uint8_t byte) {
  for (uint32_t at = node; at != 0; at = failure_of(tables, at)) {
    const uint32_t longer = child(tables, at, byte);
    if (longer != 0) return longer;
  }
  return tables->first[byte];
}

/* Returns the length of the longest pattern with which a node ends; 0 without one. */
static uint16_t match_length_at(const struct tables *tables, uint32_t node) {
  failure_of(tables, node);
  return tables->match_lengths[node] == 0 ? 0 : tables->match_lengths[node] - 1;
}

static uint32_t failure_of(const struct tables *tables, uint32_t node) {
  if (node == 0) return 0;
  if (tables->failure[node] != 0) return tables->failure[node] - 1;
  const uint32_t branch = tables->branch[node];
  const uint32_t parent = node > 1 && tables->branch[node - 1] == branch ? node - 1 : tables->parent[branch];
  const uint32_t failure = parent == 0 ? 0 : next(tables, failure_of(tables, parent), tables->label[node]);
  const int is_pattern = tables->end[branch] == node;
  tables->failure[node] = failure + 1;
  tables->match_lengths[node] = (uint16_t)(1 + (is_pattern ? depth_of(tables->base, tables->branch, node) : match_length_at(tables, failure)));
  return failure;
}

/* (tables, bytes of all patterns, their lengths, window): fills the tables as `build` of masking/automaton.ts does */
static napi_value build_search(napi_env env, const struct argument *args) {
  uint8_t *const shift = args[0].data, *const starts = args[1].data, *const label = args[2].data;
  uint32_t *const branch = args[3].data, *const parent = args[4].data, *const first = args[5].data;
  uint32_t *const end = args[6].data, *const forks = args[7].data, *const base = args[9].data;
  uint8_t *const occurs = args[8].data;
  const uint32_t fork_mask = (uint32_t)args[7].length - 1, window = (uint32_t)args[12].number;
  const uint8_t *bytes = args[10].data, *former = bytes;
  const uint32_t *const lengths = args[11].data;
  uint32_t last = 0, former_length = 0;
  for (uint32_t number = 0; number < args[11].length; ++number) {
    const uint32_t length = lengths[number], start = last + 1;
    uint32_t shared = 0, node = 0;
    while (shared < length && shared < former_length && bytes[shared] == former[shared]) ++shared;
    if (shared != 0) {
      uint32_t of = number - 1;
      while (depth_of(base, branch, parent[of]) >= shared) of = branch[parent[of]];
      node = base[of] + shared;
    }
    last += length - shared;
    memcpy(label + start, bytes + shared, length - shared);
    for (uint32_t at = start; at <= last; ++at) branch[at] = number;
    for (uint32_t at = 0; at < length; ++at) occurs[bytes[at]] = 1;
    base[number] = start - shared - 1;
    parent[number] = node;
    end[number] = last;
    if (node == 0) first[bytes[0]] = start;
    else {
      uint32_t slot = slot_of(node, bytes[shared]);
      while (forks[slot & fork_mask] != 0) ++slot;
      forks[slot & fork_mask] = start;
    }
    for (uint32_t to = shared + 1 > 3 ? shared + 1 : 3; to <= window; ++to) {
      const uint32_t at = block(bytes[to - 3], bytes[to - 2], bytes[to - 1]);
      if (shift[at] > window - to) shift[at] = (uint8_t)(window - to);
      if (to == 3) starts[at] = 1;
    }
    former = bytes;
    former_length = length;
    bytes += length;
  }
  return NULL;
}
