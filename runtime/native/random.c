/*
 * Random bytes of the kernel, for node:crypto and the library AWS-LC. They are read by getrandom(2). If a seccomp filter of
 * a container or service refuses this system call, they are read from /dev/urandom, which has bytes of the same quality.
 * Without either this process ends, because sophia-run must never use predictable bytes.
 */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

/*
 * Opens /dev/urandom. Returns the descriptor, or -1. First waits until the kernel has collected enough entropy after its start:
 * /dev/random is readable then. getrandom(2) waits for that by itself; a read of /dev/urandom does not.
 */
static int open_device(void) {
  struct pollfd entropy = {.fd = open("/dev/random", O_RDONLY | O_CLOEXEC), .events = POLLIN};
  if (entropy.fd != -1) {
    while (poll(&entropy, 1, -1) < 0 && errno == EINTR) continue;
    close(entropy.fd);
  }
  return open("/dev/urandom", O_RDONLY | O_CLOEXEC);
}

static _Noreturn void end_without_random_bytes(void) {
  dprintf(2,
          "sophia-run: no random numbers: the system call getrandom is refused, and\n"
          "  /dev/urandom cannot be read (%s)\n"
          "  allow getrandom in the filter of system calls (seccomp), or provide\n"
          "  /dev/urandom\n",
          name_of_error(errno));
  restore_terminal();
  _exit(125);
}

/* Fills memory with random bytes, or ends this process. */
static void fill_with_random(uint8_t *bytes, size_t size) {
  int device = -1;
  for (size_t filled = 0; filled < size;) {
    uint8_t *const next = bytes + filled;
    const size_t missing = size - filled;
    const ssize_t size_read = device == -1 ? getrandom(next, missing, 0) : read(device, next, missing);
    if (size_read > 0) filled += (size_t)size_read;
    /* The device has come to its end, so it is not the kernel's. */
    else if (size_read == 0) errno = EIO;
    const bool has_failed = size_read <= 0 && errno != EINTR;
    if (has_failed && (device != -1 || (device = open_device()) == -1)) end_without_random_bytes();
  }
  if (device != -1) close(device);
}

/*
 * Replaces getentropy(3) of the C library. AWS-LC is compiled so that it calls this function
 * (runtime/build/parts/aws-lc.mjs): its own code for Linux aborts if getrandom(2) is refused.
 */
int getentropy(void *bytes, size_t size) {
  fill_with_random(bytes, size);
  return 0;
}

/* (bytes): fills a Uint8Array with random bytes */
JAVASCRIPT_FUNCTION(fill_randomly) {
  size_t size = 0;
  uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  fill_with_random(bytes, size);
  return JS_UNDEFINED;
}

void add_random(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {JS_CFUNC_DEF("fillRandomly", 1, fill_randomly)};
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
