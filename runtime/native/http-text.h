/* Checks tokens and values of fields, as HTTP calls them (RFC 9110, 5.5 and 5.6.2): `content-type` is a token. */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Returns true for a character of a token (RFC 9110, 5.6.2). */
static inline bool is_token_character(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Returns true for a token, which has one character at least. */
static inline bool is_token_text(const char *text, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    if (!is_token_character((unsigned char)text[i])) return false;
  }
  return length > 0;
}

/*
 * Returns true for a value of a field: no control characters but the tab, and no characters above U+00FF. The text is
 * UTF-8, in which U+0080 to U+00FF are written with bytes up to 0xC3, and others begin with greater bytes.
 */
static inline bool is_field_value_text(const char *text, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    const unsigned char c = (unsigned char)text[i];
    if (c != '\t' && (c < ' ' || c == 0x7f || c > 0xc3)) return false;
  }
  return true;
}

#endif
