/*
 * Lets the event loop (runtime/loop.ts) wait for descriptors, by poll(2), and for signals. The handler of a signal writes
 * the signal's number to a pipe, whose other end is one of the descriptors.
 *
 * This file also limits the time for which JavaScript may compute without waiting (a turn of the event loop).
 */
#include "image.h"
#include "runtime.h"
#include "../../native/signal-mask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The pipe from the signal handler to JavaScript. open_signals makes it. */
static int signal_pipe[2] = {-1, -1};

/*
 * True from the first SIGTTOU until JavaScript has read it from the pipe. The kernel sends this signal when a process in
 * the background writes to the terminal. The write is repeated at once, which causes the next SIGTTOU. Without this
 * variable the pipe would contain thousands of them when the job continues.
 */
static volatile sig_atomic_t is_sigttou_pending;

/* The handler of signals. It calls only functions that are safe in a signal handler, and keeps errno. */
static void on_signal(int signal) {
  const int error = errno;
  if (signal == SIGTTOU && is_sigttou_pending) return;
  if (signal == SIGTTOU) is_sigttou_pending = true;
  const unsigned char number = (unsigned char)signal;
  /* If the pipe is full the signal is lost, but then thousands are before it. */
  (void)!write(signal_pipe[1], &number, 1);
  errno = error;
}

/*
 * The signals that have a listener although the caller blocked them, a bit for each. They are unblocked only while the
 * event loop waits, because a program that this process starts must inherit them as blocked.
 */
static uint64_t unblocked_while_waiting;

/* The limit on a turn, in milliseconds of processor time; 0: there is none. limit_turns sets it. */
static int64_t max_turn_ms;
/* The processor time, in milliseconds, at which this turn began. limit_turns and wait_for_events set it. */
static int64_t turn_start_ms;

/*
 * Returns the processor time of this thread in milliseconds. Unlike a clock it stands still while the process is stopped or
 * waits for a file.
 */
static int64_t processor_time_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int end_long_turn(JSRuntime *runtime, void *opaque) {
  (void)runtime, (void)opaque;
  if (max_turn_ms == 0 || processor_time_ms() - turn_start_ms <= max_turn_ms) return 0;
  dprintf(2,
          "sophia-run: reading the sources takes more than %lld ms of processor time\n"
          "  shorten the .env files, the contract or the values of ESC, or set a longer\n"
          "  --timeout\n",
          (long long)max_turn_ms);
  restore_terminal();
  _exit(125);
}

/*
 * (milliseconds): sets the limit on a turn, and begins a turn. 0 removes the limit for good: later calls have no effect.
 * (src/ sets the limit before it reads the sources, and later reads them again, to refresh secrets, without one.)
 */
JAVASCRIPT_FUNCTION(limit_turns) {
  static bool is_removed;
  max_turn_ms = is_removed ? 0 : long_of(context, arguments[0]);
  is_removed |= max_turn_ms == 0;
  turn_start_ms = processor_time_ms();
  return JS_UNDEFINED;
}

/*
 * (Int32Array, count, milliseconds): waits until one of `count` descriptors is ready, without a limit if the time is -1.
 * The memory of the array consists of the struct pollfd of each descriptor (poll(2)). Returns the number of ready
 * descriptors, which is 0 after a signal.
 */
JAVASCRIPT_FUNCTION(wait_for_events) {
  enum { POLLED, COUNT_TO_POLL, MAX_WAIT_MS };
  size_t size = 0;
  JSValue buffer = JS_GetTypedArrayBuffer(context, arguments[POLLED], NULL, NULL, NULL);
  uint8_t *const polled = JS_GetArrayBuffer(context, &size, buffer);
  JS_FreeValue(context, buffer);
  const int count_to_poll = integer_of(context, arguments[COUNT_TO_POLL]);
  if (count_to_poll < 0 || size / sizeof(struct pollfd) < (size_t)count_to_poll) {
    return JS_ThrowRangeError(context, "the array is too short");
  }
  const uint64_t former_mask = unblocked_while_waiting == 0 ? 0 : change_mask(SIG_UNBLOCK, unblocked_while_waiting);
  const int ready_count = poll((struct pollfd *)polled, (nfds_t)count_to_poll, integer_of(context, arguments[MAX_WAIT_MS]));
  if (unblocked_while_waiting != 0) change_mask(SIG_SETMASK, former_mask);
  if (max_turn_ms != 0) turn_start_ms = processor_time_ms();
  return JS_NewInt32(context, ready_count < 0 ? 0 : ready_count);
}

/* Makes the pipe for signals at its first call. Returns the descriptor that is readable after a signal. */
JAVASCRIPT_FUNCTION(open_signals) {
  if (signal_pipe[0] == -1 && pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
    return throw_system_error(context, errno, "pipe2", NULL);
  }
  return JS_NewInt32(context, signal_pipe[0]);
}

/* (signal, true or false): lets on_signal handle the signal, or restores its default action */
JAVASCRIPT_FUNCTION(catch_signal) {
  const bool is_caught = JS_ToBool(context, arguments[1]);
  struct sigaction action = {.sa_handler = is_caught ? on_signal : SIG_DFL, .sa_flags = SA_RESTART};
  const int number = integer_of(context, arguments[0]);
  const uint64_t mask = change_mask(SIG_BLOCK, 0);
  sigfillset(&action.sa_mask);
  const int error = sigaction(number, &action, NULL) == 0 ? 0 : errno;
  /* The mask is restored because sigaction(3) of musl unblocks the signals that musl uses itself. */
  change_mask(SIG_SETMASK, mask);
  /* Node.js names the function of libuv here. */
  if (error != 0) return throw_system_error(context, error, "uv_signal_start", NULL);
  unblocked_while_waiting &= ~signal_bit(number);
  if (is_caught) unblocked_while_waiting |= mask & signal_bit(number);
  return JS_UNDEFINED;
}

/* Returns a list of the signals that came since the last call, in their order. */
JAVASCRIPT_FUNCTION(caught_signals) {
  unsigned char numbers[256];
  const ssize_t size = read(signal_pipe[0], numbers, sizeof numbers);
  if (size > 0 && memchr(numbers, SIGTTOU, (size_t)size) != NULL) is_sigttou_pending = false;
  const JSValue list = JS_NewArray(context);
  for (ssize_t i = 0; i < size; ++i) JS_SetPropertyUint32(context, list, (uint32_t)i, JS_NewInt32(context, numbers[i]));
  return list;
}

/* Returns the time in milliseconds of a clock that is never changed (CLOCK_MONOTONIC). */
JAVASCRIPT_FUNCTION(now) {
  if (!allow_outside_image(context, "reads the clock, or starts a timer,")) return JS_EXCEPTION;
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return JS_NewFloat64(context, (double)time.tv_sec * 1000 + (double)time.tv_nsec / 1e6);
}

void add_events(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("limitTurns", 1, limit_turns),
    JS_CFUNC_DEF("waitForEvents", 3, wait_for_events),
    JS_CFUNC_DEF("openSignals", 0, open_signals),
    JS_CFUNC_DEF("catchSignal", 2, catch_signal),
    JS_CFUNC_DEF("caughtSignals", 0, caught_signals),
    JS_CFUNC_DEF("now", 0, now),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
