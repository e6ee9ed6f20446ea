/*
 * Runs work in other threads (struct work in runtime.h): writes that may block, look-ups of host names, and the derivation
 * of keys. Each piece of work gets a thread of its own.
 *
 * When a thread has performed its work, it adds the work to the list `finished` and writes a byte to a pipe. The event
 * loop, which polls the pipe, takes the list (finishedWork) and calls the callbacks.
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

/* The size of the stack of each thread. */
enum { STACK_BYTES = 256 * 1024 };

/* The lock that protects `finished`, which is the only variable that several threads change. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The list of finished work, the last finished first. */
static struct work *finished;
/* The number of pieces of work that finishedWork has not returned yet. Only the main thread uses it. */
static int pending_count;
/*
 * The pipe to the event loop: the end to read, and the end to write, which all threads use. The first start_work makes it, and
 * it stays open. An eventfd would do, but a seccomp filter may refuse it.
 */
static int wake_pipe[2] = {-1, -1};

/* The function of each thread that performs work. */
static void *run(void *argument) {
  struct work *const work = argument;
  work->run(work);
  pthread_mutex_lock(&lock);
  work->next = finished;
  finished = work;
  pthread_mutex_unlock(&lock);
  /* If this fails the pipe is full, so the event loop wakes anyway. */
  (void)!write(wake_pipe[1], "", 1);
  return NULL;
}

/*
 * Starts a thread. It blocks all signals except those that the kernel sends to the thread that writes: if they were
 * blocked, SIGPIPE would have no effect, and SIGTTOU would not stop the job. Returns false if there can be no further
 * thread.
 */
static bool start_thread(void *(*thread_function)(void *), void *argument) {
  static const int WRITE_SIGNALS[] = {SIGPIPE, SIGXFSZ, SIGTTOU};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  uint64_t blocked = ALL_SIGNALS;
  for (size_t i = 0; i < COUNT(WRITE_SIGNALS); ++i) blocked &= ~signal_bit(WRITE_SIGNALS[i]);
  /* A new thread inherits the mask of this one. */
  const uint64_t former_mask = change_mask(SIG_SETMASK, blocked);
  pthread_t thread;
  const bool is_started = pthread_create(&thread, &attributes, thread_function, argument) == 0;
  change_mask(SIG_SETMASK, former_mask);
  pthread_attr_destroy(&attributes);
  return is_started;
}

bool start_work(JSContext *context, struct work *work, JSValueConst callback) {
  if (wake_pipe[0] == -1 && pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  work->callback = JS_DupValue(context, callback);
  const bool is_started = start_thread(run, work);
  if (is_started) ++pending_count;
  else JS_FreeValue(context, work->callback);
  return is_started;
}

/* The function of the thread of take_signals_of_writes. */
static void *pause_forever(void *unused) {
  for (;;) pause();
}

/*
 * Starts a thread that only receives signals: SIGPIPE and SIGXFSZ, and SIGTTOU like all threads. The main thread blocks
 * these signals, because the kernel sends them after some of its writes. If another process sends one of them, the
 * kernel delivers it to this thread, so that it still acts.
 */
JAVASCRIPT_FUNCTION(take_signals_of_writes) {
  /* If the thread cannot be started, the next call tries again. */
  static bool has_thread;
  has_thread = has_thread || start_thread(pause_forever, NULL);
  return JS_UNDEFINED;
}

/* Returns the descriptor that is readable after work has finished; -1 if there is no work. */
JAVASCRIPT_FUNCTION(descriptor_of_workers) {
  return JS_NewInt32(context, pending_count > 0 ? wake_pipe[0] : -1);
}

/* Returns a list of the callbacks of finished work, each followed by its argument. */
JAVASCRIPT_FUNCTION(finished_work) {
  /* Bytes that remain in the pipe wake the event loop again, which does no harm. */
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
    --pending_count;
    /* The list takes over the reference to the callback. `result` then frees the work. */
    JS_SetPropertyUint32(context, list, length++, work->callback);
    JS_SetPropertyUint32(context, list, length++, work->result(context, work));
  }
  return list;
}

/* A write in another thread, with a copy of its bytes. */
struct write {
  struct work work;
  int descriptor;
  /* The number of bytes that were written, or the negative number of an error. */
  ssize_t result;
  size_t length;
  uint8_t bytes[];
};

/* Writes the bytes. Runs in the other thread. */
static void run_write(struct work *work) {
  struct write *const task = (struct write *)work;
  do task->result = write(task->descriptor, task->bytes, task->length);
  while (task->result < 0 && errno == EINTR);
  if (task->result < 0) task->result = -errno;
}

/* Returns the result of a write, and frees the write. */
static JSValue result_of_write(JSContext *context, struct work *work) {
  struct write *const task = (struct write *)work;
  const JSValue result = JS_NewInt64(context, task->result);
  explicit_bzero(task->bytes, task->length);
  free(task);
  return result;
}

/*
 * (descriptor, Uint8Array, callback): writes bytes. The callback gets the number of bytes that were written, or the
 * negative number of an error. Throws if no thread can be started.
 */
JAVASCRIPT_FUNCTION(write_in_thread) {
  enum { DESCRIPTOR, BYTES, CALLBACK };
  size_t length = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[BYTES], &length);
  struct write *const task = malloc(sizeof *task + length);
  if (bytes == NULL || task == NULL) {
    free(task);
    return JS_ThrowTypeError(context, "no bytes to write");
  }
  *task = (struct write){
    .work = {.run = run_write, .result = result_of_write},
    .descriptor = integer_of(context, arguments[DESCRIPTOR]),
    .length = length,
  };
  memcpy(task->bytes, bytes, length);
  if (start_work(context, &task->work, arguments[CALLBACK])) return JS_UNDEFINED;
  /* The bytes may contain secrets. */
  explicit_bzero(task->bytes, length);
  free(task);
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
