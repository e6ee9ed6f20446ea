/* Helpers that text.c, which decodes bytes to text, and bytes.c, which encodes text to bytes, share. */
#ifndef SOPHIA_RUN_TEXT_H
#define SOPHIA_RUN_TEXT_H

#include "runtime.h"

#include <string.h>

/* The encodings of Buffer. runtime/bytes/encodings.ts has the same numbers. */
enum encoding { UTF8, LATIN1, ASCII, HEX, BASE64, BASE64URL, UTF16LE };

/* Wipes memory of the engine that may contain a secret, and frees it. Does nothing for NULL. */
static inline void wipe_and_free(JSContext *context, void *memory, size_t size) {
  if (memory == NULL) return;
  erase(memory, size);
  js_free(context, memory);
}

/* Returns how many bytes at the start are ASCII. Tests eight bytes at a time. */
static inline size_t length_of_ascii(const uint8_t *bytes, size_t size) {
  size_t length = 0;
  for (uint64_t word; length + sizeof word <= size; length += sizeof word) {
    memcpy(&word, bytes + length, sizeof word);
    /* In ASCII the highest bit of each byte is 0. */
    if ((word & 0x8080808080808080u) != 0) break;
  }
  while (length < size && bytes[length] < 0x80) ++length;
  return length;
}

#endif
