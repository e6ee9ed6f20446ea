/* The files in this executable. The build writes their table (runtime/build/runtime.mjs). */
#ifndef SOPHIA_RUN_FILES_H
#define SOPHIA_RUN_FILES_H

#include <stddef.h>
#include <stdint.h>

struct file {
  const char *name;
  const uint8_t *start, *end;
  /* The size of the contents. If the bytes between `start` and `end` are fewer, they are compressed (zlib, RFC 1950). */
  size_t size;
};
/* The files of JavaScript, as bytecode. The file named `boot` is run first, and loads the others by their names. */
extern const struct file FILES[];
extern const size_t FILE_COUNT;
/* The program of native/monitor/. */
extern const struct file MONITOR;

#endif
