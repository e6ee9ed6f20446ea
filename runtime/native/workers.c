/*
 * Runs work in other threads: writes that may block, look-ups of hosts, keys that take long to derive. Each piece of work
 * has a thread of its own (struct work in runtime.h).
 *
 * A thread that has done its work adds it to the list `finished` and writes a byte to a pipe. The event loop waits for the
 * pipe, takes the list (finishedWork), and calls the callbacks.
 */
#include "runtime.h"
#include "../../native/signal-mask.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct work *finished;
/* The number of pieces of work whose callbacks have not been called yet. */
static int unfinished_count;
/* A pipe, not an eventfd, which filters of system calls may refuse. The event loop needs a pipe anyway, for signals. */
static int wake_pipe[2] = {-1, -1};

static void *run(void *argument) {
  struct work *const work = argument;
  work->run(work);
  pthread_mutex_lock(&lock);
  work->next = finished;
  finished = work;
  pthread_mutex_unlock(&lock);
  /* If this fails the pipe is full, and wakes the main thread anyway. */
  (void)!write(wake_pipe[1], "", 1);
  return NULL;
}

/*
 * Starts a thread that blocks all signals, except those that the kernel sends it because of its writes: if it blocked them,
 * SIGPIPE would be lost, and SIGTTOU would not stop the job.
 */
static bool start_thread(void *(*body)(void *), void *argument) {
  static const int WRITE_SIGNALS[] = {SIGPIPE, SIGXFSZ, SIGTTOU};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  uint64_t blocked = ALL_SIGNALS;
  for (size_t i = 0; i < COUNT(WRITE_SIGNALS); ++i) blocked &= ~signal_bit(WRITE_SIGNALS[i]);
  const uint64_t former = change_mask(SIG_SETMASK, blocked);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, body, argument) == 0;
  change_mask(SIG_SETMASK, former);
  pthread_attr_destroy(&attributes);
  return started;
}

bool start_work(JSContext *context, struct work *work, JSValueConst callback) {
  if (wake_pipe[0] == -1 && pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  work->callback = JS_DupValue(context, callback);
  const bool started = start_thread(run, work);
  if (started) ++unfinished_count;
  else JS_FreeValue(context, work->callback);
  return started;
}

static void *pause_forever(void *unused) {
  for (;;) pause();
}

/*
 * Starts a thread that does not block SIGPIPE and SIGXFSZ. The main thread blocks them because of its own writes. When
 * another process sends one of them, it must still act.
 */
FUNCTION(take_signals_of_writes) {
  static bool has_thread;
  has_thread = has_thread || start_thread(pause_forever, NULL);
  return JS_UNDEFINED;
}

/* Returns the descriptor that is readable when work has finished; -1 while there is no work. */
FUNCTION(descriptor_of_workers) {
  return JS_NewInt32(context, unfinished_count > 0 ? wake_pipe[0] : -1);
}

/* Returns the callbacks of finished work and their arguments in turns. */
FUNCTION(finished_work) {
  char unused[64];
  (void)!read(wake_pipe[0], unused, sizeof unused);
  pthread_mutex_lock(&lock);
  struct work *next = finished;
  finished = NULL;
  pthread_mutex_unlock(&lock);
  const JSValue list = JS_NewArray(context);
  uint32_t length = 0;
  while (next != NULL) {
    struct work *const work = next;
    next = work->next;
    --unfinished_count;
    JS_SetPropertyUint32(context, list, length++, work->callback);
    JS_SetPropertyUint32(context, list, length++, work->result(context, work));
  }
  return list;
}

/* A write, with a copy of its bytes. */
struct write {
  struct work work;
  int descriptor;
  ssize_t result;
  size_t length;
  uint8_t bytes[];
};

static void run_write(struct work *work) {
  struct write *const job = (struct write *)work;
  do job->result = write(job->descriptor, job->bytes, job->length);
  while (job->result < 0 && errno == EINTR);
  if (job->result < 0) job->result = -errno;
}

static JSValue result_of_write(JSContext *context, struct work *work) {
  struct write *const job = (struct write *)work;
  const JSValue result = JS_NewInt64(context, job->result);
  explicit_bzero(job->bytes, job->length);
  free(job);
  return result;
}

/*
 * (descriptor, bytes, callback): writes the bytes. The callback gets how many were written, or the negative number of an
 * error.
 */
FUNCTION(write_in_thread) {
  size_t length = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[1], &length);
  struct write *const job = malloc(sizeof *job + length);
  if (bytes == NULL || job == NULL) {
    free(job);
    return JS_ThrowTypeError(context, "no bytes to write");
  }
  *job = (struct write){
    .work = {.run = run_write, .result = result_of_write},
    .descriptor = integer_of(context, arguments[0]),
    .length = length,
  };
  memcpy(job->bytes, bytes, length);
  if (start_work(context, &job->work, arguments[2])) return JS_UNDEFINED;
  free(job);
  return throw_system_error(context, EAGAIN, "write", NULL);
}

void add_workers(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("descriptorOfWorkers", 0, descriptor_of_workers),
    JS_CFUNC_DEF("finishedWork", 0, finished_work),
    JS_CFUNC_DEF("takeSignalsOfWrites", 0, take_signals_of_writes),
    JS_CFUNC_DEF("writeInThread", 3, write_in_thread),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
