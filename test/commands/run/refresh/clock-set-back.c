/* Preloaded into Node.js: sets the system's clock of this process back by an hour, as soon as the file in CLOCK_SET_BACK exists. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int is_set_back(void) {
  const char *file = getenv("CLOCK_SET_BACK");
  return file != NULL && access(file, F_OK) == 0;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (real == NULL) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const int result = real(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && is_set_back()) time->tv_sec -= 3600;
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  static int (*real)(struct timeval *, void *);
  if (real == NULL) real = (int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday");
  const int result = real(time, zone);
  if (result == 0 && is_set_back()) time->tv_sec -= 3600;
  return result;
}
