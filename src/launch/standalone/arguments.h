/*
 * The arguments as a part of the record for system/before-bun.ts. Bun gets none: it writes them into the report of a crash, and
 * those of the program may be secrets. Each begins with a byte 1; within it the bytes 1 and 2 are 2 3 and 2 4.
 */
#ifndef SOPHIA_RUN_ARGUMENTS_H
#define SOPHIA_RUN_ARGUMENTS_H

static bool is_escaped(char byte) { return byte == 1 || byte == 2; }

static size_t argument_bytes(const char *argument) {
  size_t bytes = 1;
  for (; *argument != '\0'; ++argument) bytes += is_escaped(*argument) ? 2 : 1;
  return bytes;
}

static char *append_argument(char *to, const char *argument) {
  *to++ = 1;
  for (; *argument != '\0'; ++argument) {
    if (is_escaped(*argument)) *to++ = 2;
    *to++ = is_escaped(*argument) ? (char)(*argument + 2) : *argument;
  }
  return to;
}

#endif
