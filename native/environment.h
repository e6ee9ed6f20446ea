/* The environment of this process in one text. */
#pragma once

#include <stdlib.h>
#include <string.h>

extern char **environ;

/* Returns names and values in turns, separated by NUL, which must be freed; NULL if there is no memory. */
static char *environment_strings(size_t *length) {
  size_t size = 0, at = 0;
  for (char **entry = environ; entry != NULL && *entry != NULL; ++entry) size += strlen(*entry) + 1;
  char *const strings = malloc(size + 1);
  if (strings == NULL) return NULL;
  for (char **entry = environ; entry != NULL && *entry != NULL; ++entry) {
    const char *const equals = strchr(*entry, '=');
    /* An entry without a name or without "=" is no variable. */
    if (equals == NULL || equals == *entry) continue;
    const size_t whole = strlen(*entry) + 1;
    memcpy(strings + at, *entry, whole);
    strings[at + (size_t)(equals - *entry)] = '\0';
    at += whole;
  }
  *length = at == 0 ? 0 : at - 1;
  return strings;
}
