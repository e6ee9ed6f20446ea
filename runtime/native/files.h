/*
 * The files that are part of this executable: the modules of JavaScript, and the program of the monitor. The build writes
 * this table (writeTable in runtime/build/runtime.mjs).
 */
#ifndef SOPHIA_RUN_FILES_H
#define SOPHIA_RUN_FILES_H

#include <stddef.h>
#include <stdint.h>

struct file {
  const char *name;
  const uint8_t *start, *end;
  /* The size of the file. If there are fewer bytes between `start` and `end`, they are compressed (zlib, RFC 1950). */
  size_t size;
};
/* The modules of JavaScript, compiled to bytecode. The module `boot` runs first, and loads the others by their names. */
extern const struct file FILES[];
extern const size_t FILE_COUNT;
/* The program of native/monitor/, which is the parent process of the user's program in spawn mode. */
extern const struct file MONITOR;

#endif
