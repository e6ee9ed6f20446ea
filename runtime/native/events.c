/*
 * Lets the event loop (runtime/loop.ts) wait: for descriptors, by poll(2), and for signals, whose handlers write to a pipe
 * that the loop reads. Also limits the time for which JavaScript may compute without waiting.
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

enum { SIGNALS = 64 };

static int signal_pipe[2] = {-1, -1};

/*
 * True from a SIGTTOU until JavaScript has read it from the pipe. The kernel sends this signal for each attempt of a write
 * to the terminal, and an attempt is repeated at once: otherwise thousands would be in the pipe when the job continues.
 */
static volatile sig_atomic_t is_write_refused;

static void on_signal(int signal) {
  const int error = errno;
  if (signal == SIGTTOU && is_write_refused) return;
  if (signal == SIGTTOU) is_write_refused = true;
  const unsigned char number = (unsigned char)signal;
  /* A full pipe has thousands of signals already. */
  (void)!write(signal_pipe[1], &number, 1);
  errno = error;
}

/*
 * The signals that JavaScript listens to although the caller blocked them, as bits. They are unblocked only while this
 * process waits, because a program that it starts must inherit them as blocked.
 */
static uint64_t caught_if_waiting;

/* The limit in milliseconds of processor time on a turn, in which JavaScript computes without waiting; 0: there is none. */
static int64_t max_turn;
/* The processor time at which this turn began. */
static int64_t turn_start;

/*
 * Returns the processor time of this thread in milliseconds. It does not pass while the process is stopped or waits for a
 * file.
 */
static int64_t processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int end_long_turn(JSRuntime *runtime, void *opaque) {
  (void)runtime, (void)opaque;
  if (max_turn == 0 || processor_time() - turn_start <= max_turn) return 0;
  dprintf(2,
          "sophia-run: reading the sources takes more than %lld ms of processor time\n"
          "  shorten the .env files, the contract or the values of ESC, or set a longer\n"
          "  --timeout\n",
          (long long)max_turn);
  restore_terminal();
  _exit(125);
}

/* (milliseconds): sets the limit on a turn, which begins now; 0 ends the limit, after which no other can be set */
FUNCTION(limit_turns) {
  static bool is_over;
  max_turn = is_over ? 0 : long_of(context, arguments[0]);
  is_over |= max_turn == 0;
  turn_start = processor_time();
  return JS_UNDEFINED;
}

/*
 * (array, count, milliseconds or -1): waits for one of `count` descriptors. The Int32Array has the memory of as many struct
 * pollfd, of two numbers each. Returns how many are ready; 0 after a signal.
 */
FUNCTION(wait_for_events) {
  size_t size = 0;
  JSValue buffer = JS_GetTypedArrayBuffer(context, arguments[0], NULL, NULL, NULL);
  uint8_t *const pairs = JS_GetArrayBuffer(context, &size, buffer);
  JS_FreeValue(context, buffer);
  const int number = integer_of(context, arguments[1]);
  if (number < 0 || size / sizeof(struct pollfd) < (size_t)number) return JS_ThrowRangeError(context, "too few pairs");
  const uint64_t blocked = caught_if_waiting == 0 ? 0 : change_mask(SIG_UNBLOCK, caught_if_waiting);
  const int ready = poll((struct pollfd *)pairs, (nfds_t)number, integer_of(context, arguments[2]));
  if (caught_if_waiting != 0) change_mask(SIG_SETMASK, blocked);
  if (max_turn != 0) turn_start = processor_time();
  return JS_NewInt32(context, ready < 0 ? 0 : ready);
}

/* Returns the descriptor that is readable after a signal. */
FUNCTION(open_signals) {
  if (signal_pipe[0] == -1 && pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
    return throw_system_error(context, errno, "pipe2", NULL);
  }
  return JS_NewInt32(context, signal_pipe[0]);
}

/* (signal, true or false): catches the signal, or restores its default action */
FUNCTION(catch_signal) {
  const bool catches = JS_ToBool(context, arguments[1]);
  struct sigaction action = {.sa_handler = catches ? on_signal : SIG_DFL, .sa_flags = SA_RESTART};
  const int number = integer_of(context, arguments[0]);
  const uint64_t blocked = change_mask(SIG_BLOCK, 0);
  sigfillset(&action.sa_mask);
  const int error = sigaction(number, &action, NULL) == 0 ? 0 : errno;
  /* sigaction of musl unblocks signals that musl uses itself. */
  change_mask(SIG_SETMASK, blocked);
  if (error != 0) return throw_system_error(context, error, "uv_signal_start", NULL);
  caught_if_waiting &= ~signal_bit(number);
  if (catches) caught_if_waiting |= blocked & signal_bit(number);
  return JS_UNDEFINED;
}

/* Returns the signals that came since the last call, in their order. */
FUNCTION(caught_signals) {
  unsigned char numbers[256];
  const ssize_t size = read(signal_pipe[0], numbers, sizeof numbers);
  if (size > 0 && memchr(numbers, SIGTTOU, (size_t)size) != NULL) is_write_refused = false;
  const JSValue list = JS_NewArray(context);
  for (ssize_t i = 0; i < size; ++i) JS_SetPropertyUint32(context, list, (uint32_t)i, JS_NewInt32(context, numbers[i]));
  return list;
}

/* Returns the milliseconds of a clock that is never set. */
FUNCTION(now) {
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
