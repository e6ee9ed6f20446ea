/* Helpers that text.c and bytes.c share. */
#ifndef SOPHIA_RUN_TEXT_H
#define SOPHIA_RUN_TEXT_H

#include "runtime.h"

#include <string.h>

/* Numbers that runtime/bytes/encodings.ts repeats. */
enum encoding { UTF8, LATIN1, ASCII, HEX, BASE64, BASE64URL, UTF16LE };

/* Frees a copy of what may be a secret. */
static inline void wipe_and_free(JSContext *context, void *memory, size_t size) {
  if (memory == NULL) return;
  erase(memory, size);
  js_free(context, memory);
}

static inline size_t length_of_ascii(const uint8_t *bytes, size_t size) {
  size_t at = 0;
  for (uint64_t word; at + sizeof word <= size; at += sizeof word) {
    memcpy(&word, bytes + at, sizeof word);
    if ((word & 0x8080808080808080u) != 0) break;
  }
  while (at < size && bytes[at] < 0x80) ++at;
  return at;
}

#endif
