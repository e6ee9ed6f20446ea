/*
 * Checks the names and values of HTTP header fields, for http-head.c and http-parser.c. A name is a token (RFC 9110,
 * 5.6.2), such as `content-type`; what a value may contain is in RFC 9110, 5.5.
 */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Returns true for a character that a token may contain. */
static inline bool is_token_character(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Returns true for a token. An empty text is none. */
static inline bool is_token_text(const char *text, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    if (!is_token_character((unsigned char)text[i])) return false;
  }
  return length > 0;
}

/*
 * Returns true for a text that may be the value of a field: it has no control characters other than the tab, and no
 * characters above U+00FF, since values are sent as Latin-1. The text is UTF-8, in which no byte of U+0080 to U+00FF is
 * greater than 0xC3, and each later character begins with a greater byte.
 */
static inline bool is_field_value_text(const char *text, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    const unsigned char c = (unsigned char)text[i];
    if (c != '\t' && (c < ' ' || c == 0x7f || c > 0xc3)) return false;
  }
  return true;
}

#endif
