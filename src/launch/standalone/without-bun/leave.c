#define _GNU_SOURCE

#include "leave.h"

#include <string.h>
#include <sys/uio.h>

void *way_out[5];

void leave_to_bun(const char *why) {
#ifdef SAY_WHY
  const struct iovec parts[] = {{"left to Bun: ", 13}, {(char *)why, strlen(why)}, {"\n", 1}};
  writev(2, parts, sizeof parts / sizeof *parts);
#else
  (void)why;
#endif
  __builtin_longjmp(way_out, 1);
}
