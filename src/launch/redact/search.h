/*
 * The two loops of masking that look at every byte, for what masking/automaton.ts and masking/breaks.ts do in JavaScript:
 * where that is not compiled, as in the stand-alone executable, they are a tenth as fast there. The tables are the
 * automaton's.
 */
#include <stdint.h>

/* So many bytes of a pattern are followed at most, so that the time stays linear; the automaton does the rest. */
enum { MOST_FOLLOWED = 32 };

struct tables {
  const uint8_t *shift, *starts, *label;
  const uint32_t *branch, *first, *end;
  const int32_t *forks;
  uint32_t fork_mask;
};

static uint32_t block(uint8_t first, uint8_t second, uint8_t third) {
  return (((uint32_t)third << 10) ^ ((uint32_t)second << 5) ^ first) & 0xffff;
}

static uint32_t child(const struct tables *it, uint32_t node, uint8_t byte) {
  const uint32_t near = node + 1;
  if (it->label[near] == byte && it->branch[near] == it->branch[node]) return near;
  const uint32_t key = (node << 8) | byte;
  for (uint32_t slot = (((key * 0x9e3779b1u) >> 7) << 1) & it->fork_mask;; slot = (slot + 2) & it->fork_mask) {
    const uint32_t found = (uint32_t)it->forks[slot];
    if (found == key) return (uint32_t)it->forks[slot + 1];
    if (found == 0) return 0;
  }
}

/* Whether a pattern begins here, or may go on where it is not followed any more. */
static int may_begin(const struct tables *it, const uint8_t *bytes, size_t length) {
  uint32_t node = it->first[bytes[0]];
  for (size_t depth = 1; node != 0; ++depth) {
    if (depth == length || depth == MOST_FOLLOWED || it->end[it->branch[node]] == node) return 1;
    node = child(it, node, bytes[depth]);
  }
  return 0;
}

static void *array_of(napi_env env, napi_value value, size_t *length) {
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, NULL, length, &data, NULL, NULL) != napi_ok) *length = 0;
  return data;
}

/* shift, starts, label, branch, first, end, forks, window, bytes, at */
static napi_value skip(napi_env env, napi_callback_info info) {
  napi_value given[10];
  size_t count = COUNT(given), lengths[9], at;
  void *arrays[9];
  uint32_t window = 0, from = 0;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  for (size_t i = 0; i < COUNT(arrays); ++i) {
    if (i != 7) arrays[i] = array_of(env, given[i], &lengths[i]);
  }
  napi_get_value_uint32(env, given[7], &window);
  napi_get_value_uint32(env, given[9], &from);
  const struct tables it = {arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5], arrays[6],
                            (uint32_t)lengths[6] - 2};
  const uint8_t *const bytes = arrays[8], *const shift = it.shift;
  const size_t length = lengths[8];
  for (at = from; at + window <= length;) {
    const uint8_t *const last = bytes + at + window;
    const uint8_t distance = shift[block(last[-3], last[-2], last[-1])];
    if (distance != 0) at += distance;
    else if (it.starts[block(bytes[at], bytes[at + 1], bytes[at + 2])] == 0 || !may_begin(&it, bytes + at, length - at)) ++at;
    else break;
  }
  napi_value result = NULL;
  napi_create_uint32(env, (uint32_t)at, &result);
  return result;
}

/* bytes, at, run, width, which characters are of base64 */
static napi_value next_break(napi_env env, napi_callback_info info) {
  napi_value given[5];
  size_t count = COUNT(given), length = 0, classes;
  uint32_t numbers[3] = {0, 0, 0};
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  const uint8_t *const bytes = array_of(env, given[0], &length);
  for (size_t i = 0; i < COUNT(numbers); ++i) napi_get_value_uint32(env, given[i + 1], &numbers[i]);
  const uint8_t *const is_base64 = array_of(env, given[4], &classes);
  const size_t from = numbers[0], run = numbers[1], width = numbers[2];
  size_t end = from;
  while (end < length) {
    const uint8_t *const newline = memchr(bytes + end, '\n', length - end);
    const size_t next = newline == NULL ? length : (size_t)(newline - bytes);
    end = next > from && bytes[next - 1] == '\r' ? next - 1 : next;
    if (end == length) break;
    size_t begin = end;
    while (begin > from && end - begin < width && is_base64[bytes[begin - 1]]) --begin;
    if (end - begin + (begin == from ? run : 0) >= width) break;
    end = next + 1;
  }
  napi_value result = NULL;
  napi_create_uint32(env, (uint32_t)(end < length ? end : length), &result);
  return result;
}
