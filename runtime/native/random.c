/*
 * The kernel's random numbers. Filters of system calls of some containers and services refuse getrandom(2); /dev/urandom has
 * the same numbers.
 */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

/* Waits as getrandom(2) does until the kernel has collected entropy, which /dev/urandom does not. Returns a descriptor, or -1. */
static int open_device(void) {
  struct pollfd blocking = {.fd = open("/dev/random", O_RDONLY | O_CLOEXEC), .events = POLLIN};
  if (blocking.fd != -1) {
    while (poll(&blocking, 1, -1) < 0 && errno == EINTR) continue;
    close(blocking.fd);
  }
  return open("/dev/urandom", O_RDONLY | O_CLOEXEC);
}

static _Noreturn void end_without_numbers(void) {
  dprintf(2,
          "sophia-run: no random numbers: the system call getrandom is refused, and\n"
          "  /dev/urandom cannot be read (%s)\n"
          "  allow getrandom in the filter of system calls (seccomp), or provide\n"
          "  /dev/urandom\n",
          name_of_error(errno));
  restore_terminal();
  _exit(125);
}

static void fill_with_random(uint8_t *bytes, size_t size) {
  int device = -1;
  for (size_t done = 0; done < size;) {
    ssize_t got = device == -1 ? getrandom(bytes + done, size - done, 0) : read(device, bytes + done, size - done);
    if (got > 0) done += (size_t)got;
    else if (got == 0) errno = EIO;
    if (got <= 0 && errno != EINTR && (device != -1 || (device = open_device()) == -1)) end_without_numbers();
  }
  if (device != -1) close(device);
}

/* Replaces that of the C library. AWS-LC calls it; its own code for Linux aborts if getrandom is refused. */
int getentropy(void *bytes, size_t size) {
  fill_with_random(bytes, size);
  return 0;
}

/* (bytes) */
FUNCTION(fill_randomly) {
  size_t size = 0;
  uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  fill_with_random(bytes, size);
  return JS_UNDEFINED;
}

void add_random(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {JS_CFUNC_DEF("fillRandomly", 1, fill_randomly)};
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
