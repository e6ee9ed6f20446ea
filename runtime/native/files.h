/* The files in this executable, by the build's table. */
#ifndef SOPHIA_RUN_FILES_H
#define SOPHIA_RUN_FILES_H

#include <stddef.h>
#include <stdint.h>

struct file {
  const char *name;
  const uint8_t *start, *end;
  /* The size of its contents. If it is not that of the bytes here, they are compressed (zlib, RFC 1950). */
  size_t size;
};
/* Bytecode by name; `boot` loads the others. */
extern const struct file FILES[];
extern const size_t FILE_COUNT;
/* The monitor of native/monitor/, a program. */
extern const struct file MONITOR;

#endif
