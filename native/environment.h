/*
 * Lists the environment variables of this process, for the addon system.c, and for runtime/native/process.c in the
 * executable.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

extern char **environ;

/*
 * Returns the environment as one string, in which each name is followed by its value, all separated by NUL:
 *   PATH\0/bin\0HOME\0/root
 * Stores the length of the string. The caller must free it. Returns NULL if there is no memory.
 */
static char *environment_strings(size_t *length) {
  size_t size = 0, written = 0;
  for (char **entry = environ; entry != NULL && *entry != NULL; ++entry) size += strlen(*entry) + 1;
  char *const strings = malloc(size + 1);
  if (strings == NULL) return NULL;
  for (char **entry = environ; entry != NULL && *entry != NULL; ++entry) {
    const char *const equals = strchr(*entry, '=');
    /* An entry that has no name or no "=" is not a variable, and is ignored. */
    if (equals == NULL || equals == *entry) continue;
    const size_t entry_size = strlen(*entry) + 1;
    memcpy(strings + written, *entry, entry_size);
    strings[written + (size_t)(equals - *entry)] = '\0';
    written += entry_size;
  }
  *length = written == 0 ? 0 : written - 1;
  return strings;
}
