#define _GNU_SOURCE

#include "engine.h"

#include <string.h>
#include <sys/uio.h>

void *fallback_target[5];

void fall_back(const char *why) {
#ifdef SAY_WHY
  const struct iovec parts[] = {{"falls back to Bun: ", 19}, {(char *)why, strlen(why)}, {"\n", 1}};
  writev(2, parts, sizeof parts / sizeof *parts);
#else
  (void)why;
#endif
  __builtin_longjmp(fallback_target, 1);
}
