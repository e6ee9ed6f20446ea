/*
 * What masking needs of the system and Node.js does not have, by Node-API: pipes. addon.ts loads it and says
 * what each function promises. It is a file of its own, since only few starts load it. As launch/exec/addon.c, it
 * links no library and uses only what glibc and musl have alike.
 */
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <poll.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MOST_ARGUMENTS 4

/* The arguments of functions that take numbers; those that are missing are -1. */
static void integers(napi_env env, napi_callback_info info, int *results) {
  napi_value given[MOST_ARGUMENTS];
  size_t count = MOST_ARGUMENTS;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  for (size_t i = 0; i < MOST_ARGUMENTS; ++i) {
    results[i] = -1;
    if (i < count) napi_get_value_int32(env, given[i], &results[i]);
  }
}

static napi_value from_integer(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static napi_value list(napi_env env, const int *values, size_t count) {
  napi_value result = NULL;
  napi_create_array_with_length(env, count, &result);
  for (size_t i = 0; i < count; ++i) napi_set_element(env, result, (uint32_t)i, from_integer(env, values[i]));
  return result;
}

static napi_value make_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return from_integer(env, errno);
  return list(env, ends, 2);
}

static napi_value duplicate(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  return from_integer(env, fcntl(given[0], F_DUPFD_CLOEXEC, 3));
}

static napi_value has_no_reader(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  struct pollfd one = {.fd = given[0], .events = 0};
  return from_integer(env, poll(&one, 1, 0) == 1 && (one.revents & (POLLERR | POLLHUP)) != 0);
}

static napi_value is_same_open_file(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  const int first = fcntl(given[0], F_GETFL), second = fcntl(given[1], F_GETFL);
  if (first == -1 || first != second) return from_integer(env, 0);
  /* The flag belongs to the open file, and does nothing to a regular one. */
  fcntl(given[0], F_SETFL, first ^ O_NONBLOCK);
  const int after = fcntl(given[1], F_GETFL);
  fcntl(given[0], F_SETFL, first);
  return from_integer(env, after != second);
}

static napi_value exit_now(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  _exit(given[0]);
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {.utf8name = "makePipe", .method = make_pipe},
      {.utf8name = "duplicate", .method = duplicate},
      {.utf8name = "hasNoReader", .method = has_no_reader},
      {.utf8name = "isSameOpenFile", .method = is_same_open_file},
      {.utf8name = "exitNow", .method = exit_now},
  };
  napi_define_properties(env, exports, COUNT(functions), functions);
  return exports;
}
