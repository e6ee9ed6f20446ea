/* Reports events of descriptors to the event loop. A thread waits by epoll(7), which neither Node.js nor Bun offers. */
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>

static int events = -1;
static napi_threadsafe_function on_event;

static void *wait_for_events(void *unused) {
  struct epoll_event ready[8];
  for (;;) {
    const int count = epoll_wait(events, ready, COUNT(ready), -1);
    if (count < 0 && errno != EINTR) return NULL;
    for (int i = 0; i < count; ++i) {
      void *const descriptor = (void *)(intptr_t)ready[i].data.fd;
      if (napi_call_threadsafe_function(on_event, descriptor, napi_tsfn_blocking) != napi_ok) return NULL;
    }
  }
}

static void call_back(napi_env env, napi_value callback, void *context, void *descriptor) {
  napi_value receiver, argument;
  if (env == NULL || napi_get_undefined(env, &receiver) != napi_ok) return;
  if (napi_create_int32(env, (int)(intptr_t)descriptor, &argument) != napi_ok) return;
  napi_call_function(env, receiver, callback, 1, &argument, NULL);
}

/* Returns 0 or an error number. Called once. */
static napi_value start_watching(napi_env env, const struct argument *args) {
  napi_value name;
  pthread_t thread;
  events = epoll_create1(EPOLL_CLOEXEC);
  if (events < 0) return from_integer(env, errno);
  napi_create_string_utf8(env, "descriptors", NAPI_AUTO_LENGTH, &name);
  const napi_status status = napi_create_threadsafe_function(
    env, args[0].value, NULL, name, 0, 1, NULL, NULL, NULL, call_back, &on_event);
  if (status != napi_ok) return from_integer(env, ENOMEM);
  /* The thread inherits this mask: signals are for the threads of the runtime. */
  const uint64_t former = change_mask(SIG_SETMASK, ALL_SIGNALS);
  const int error = pthread_create(&thread, NULL, wait_for_events, NULL);
  change_mask(SIG_SETMASK, former);
  /* It would keep the event loop alive. */
  if (error != 0) napi_release_threadsafe_function(on_event, napi_tsfn_abort);
  return from_integer(env, error);
}

/* A descriptor that cannot be waited for, such as that of a regular file, never has an event. */
static napi_value watch(napi_env env, const struct argument *args) {
  const int descriptor = args[0].number, what = args[1].number;
  struct epoll_event event = {.events = EPOLLONESHOT | (what == UNTIL_READABLE ? EPOLLIN : 0), .data.fd = descriptor};
  if (what == FORGET) epoll_ctl(events, EPOLL_CTL_DEL, descriptor, &event);
  else if (epoll_ctl(events, EPOLL_CTL_MOD, descriptor, &event) != 0) epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event);
  return NULL;
}
