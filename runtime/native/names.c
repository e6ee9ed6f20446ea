/*
 * Looks up host names, for node:net (runtime/modules/net/). getaddrinfo(3) blocks while it waits for a name server, so it
 * runs in another thread (struct work in runtime.h), and the event loop calls back with its result.
 */
#include "runtime.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * (text): returns the 4 or 16 bytes of an IPv4 or IPv6 address as a list; undefined if the text is not an address, or has
 * a zone (`%eth0`)
 */
JAVASCRIPT_FUNCTION(bytes_of_address) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[0]);
  if (text == NULL) return JS_EXCEPTION;
  uint8_t bytes[16];
  /* A text that contains a NUL is not an address. */
  const bool has_nul = strlen(text) != length;
  size_t size = 0;
  if (!has_nul && inet_pton(AF_INET, text, bytes) == 1) size = 4;
  else if (!has_nul && inet_pton(AF_INET6, text, bytes) == 1) size = 16;
  JS_FreeCString(context, text);
  if (size == 0) return JS_UNDEFINED;
  const JSValue result = JS_NewArray(context);
  for (uint32_t i = 0; i < size; ++i) JS_SetPropertyUint32(context, result, i, JS_NewInt32(context, bytes[i]));
  return result;
}

/* The look-up of a host name by getaddrinfo(3). */
struct look_up {
  struct work work;
  struct addrinfo hints;
  /* The results of getaddrinfo(3): its return value, errno, which belongs to EAI_SYSTEM, and the addresses. */
  int result, system_error;
  struct addrinfo *addresses;
  char host[];
};

static void run_look_up(struct work *work) {
  struct look_up *const look_up = (struct look_up *)work;
  look_up->result = getaddrinfo(look_up->host, NULL, &look_up->hints, &look_up->addresses);
  look_up->system_error = errno;
}

/* Returns the code that an error of getaddrinfo(3) has in Node.js. */
static const char *code_of_error(int result, int system_error) {
  switch (result) {
    case EAI_NONAME:
    case EAI_NODATA:
      return "ENOTFOUND";
    case EAI_AGAIN:
      return "EAI_AGAIN";
    case EAI_FAIL:
      return "EAI_FAIL";
    case EAI_MEMORY:
      return "EAI_MEMORY";
    case EAI_FAMILY:
      return "EAI_FAMILY";
    case EAI_SYSTEM:
      return name_of_error(system_error);
    default:
      return "EAI_BADFLAGS";
  }
}

/* Returns a list of the addresses, each followed by its family: ["127.0.0.1", 4, "::1", 6]. */
static JSValue list_addresses(JSContext *context, const struct addrinfo *addresses) {
  const JSValue list = JS_NewArray(context);
  uint32_t length = 0;
  for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next) {
    char text[INET6_ADDRSTRLEN];
    const bool is_v4 = address->ai_family == AF_INET;
    const void *const bytes = is_v4 ? (void *)&((struct sockaddr_in *)address->ai_addr)->sin_addr
                                    : (void *)&((struct sockaddr_in6 *)address->ai_addr)->sin6_addr;
    if (inet_ntop(address->ai_family, bytes, text, sizeof text) == NULL) continue;
    JS_SetPropertyUint32(context, list, length++, JS_NewString(context, text));
    JS_SetPropertyUint32(context, list, length++, JS_NewInt32(context, is_v4 ? 4 : 6));
  }
  return list;
}

/* Returns the list of list_addresses, or the code of an error, such as "ENOTFOUND". Frees the look-up. */
static JSValue result_of_look_up(JSContext *context, struct work *work) {
  struct look_up *const look_up = (struct look_up *)work;
  JSValue result;
  if (look_up->result == 0) {
    result = list_addresses(context, look_up->addresses);
    freeaddrinfo(look_up->addresses);
  } else result = JS_NewString(context, code_of_error(look_up->result, look_up->system_error));
  free(look_up);
  return result;
}

/*
 * (host, callback): looks up a host name. The callback gets what result_of_look_up returns. Throws if no thread can be
 * started.
 */
JAVASCRIPT_FUNCTION(look_up_host) {
  size_t length = 0;
  const char *const host = JS_ToCStringLen(context, &length, arguments[0]);
  if (host == NULL) return JS_EXCEPTION;
  struct look_up *const look_up = calloc(1, sizeof *look_up + length + 1);
  if (look_up != NULL) memcpy(look_up->host, host, length);
  JS_FreeCString(context, host);
  if (look_up == NULL) return JS_ThrowOutOfMemory(context);
  look_up->work.run = run_look_up;
  look_up->work.result = result_of_look_up;
  look_up->hints = (struct addrinfo){.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
  if (start_work(context, &look_up->work, arguments[1])) return JS_UNDEFINED;
  free(look_up);
  return throw_system_error(context, EAGAIN, "getaddrinfo", NULL);
}

/*
 * The check whether all name servers of /etc/resolv.conf fail at once. getaddrinfo(3) of musl does not notice that a server
 * cannot be reached, or that it answers with an error: it waits five seconds, as for a slow server. So JavaScript starts
 * this check when a look-up takes long, and ends the look-up early if all servers fail.
 */
struct server_check {
  struct work work;
  /* The result: true if each server fails at once. */
  bool do_all_fail;
  char host[];
};

/*
 * Returns true if a server cannot be reached, or answers a query with an error within a second; false if it is slow or
 * works.
 */
static bool fails_at_once(const struct addrinfo *server, const uint8_t *query, size_t size) {
  enum { ANSWER_MS = 1000, NO_ERROR = 0, NO_SUCH_NAME = 3 };
  struct pollfd server_socket = {.fd = socket(server->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), .events = POLLIN};
  if (server_socket.fd == -1) return false;
  const bool is_sent = connect(server_socket.fd, server->ai_addr, server->ai_addrlen) == 0 &&
                       send(server_socket.fd, query, size, 0) != -1;
  bool has_failed = !is_sent;
  if (is_sent && poll(&server_socket, 1, ANSWER_MS) > 0) {
    uint8_t answer[512];
    const ssize_t answer_size = recv(server_socket.fd, answer, sizeof answer, MSG_DONTWAIT);
    /* The response code is in the lower half of the fourth byte (RFC 1035, 4.1.1). */
    const int code = answer_size < 4 ? -1 : answer[3] & 15;
    has_failed = code != NO_ERROR && code != NO_SUCH_NAME;
  }
  close(server_socket.fd);
  return has_failed;
}

/*
 * Reads /etc/resolv.conf, of which a line is `nameserver 10.0.0.2`, and sends a query to each server until one does not fail at
 * once.
 */
static void run_server_check(struct work *work) {
  /* The number of servers that musl uses. */
  enum { MAX_SERVERS = 3 };
  /* The class and the type of a query for an IPv4 address (RFC 1035, 3.2). */
  enum { CLASS_INTERNET = 1, TYPE_ADDRESS = 1 };
  struct server_check *const check = (struct server_check *)work;
  const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};
  uint8_t query[512];
  const int size = res_mkquery(0, check->host, CLASS_INTERNET, TYPE_ADDRESS, NULL, 0, NULL, query, sizeof query);
  FILE *const file = fopen("/etc/resolv.conf", "re");
  char line[256], server[64];
  int count = 0;
  check->do_all_fail = size > 0;
  while (check->do_all_fail && count < MAX_SERVERS) {
    const bool is_line = file != NULL && fgets(line, sizeof line, file) != NULL;
    /* Without such a line the server is on this machine (resolv.conf(5)). */
    if (!is_line && count > 0) break;
    if (!is_line) strcpy(server, "127.0.0.1");
    else if (sscanf(line, "nameserver%*[ \t]%63s", server) != 1) continue;
    struct addrinfo *address = NULL;
    if (getaddrinfo(server, "53", &hints, &address) != 0) {
      /* A line whose address is not valid is ignored. If there is no memory for 127.0.0.1, the check ends. */
      check->do_all_fail = is_line;
      continue;
    }
    ++count;
    check->do_all_fail = fails_at_once(address, query, (size_t)size);
    freeaddrinfo(address);
  }
  if (file != NULL) fclose(file);
}

static JSValue result_of_server_check(JSContext *context, struct work *work) {
  const JSValue result = JS_NewBool(context, ((struct server_check *)work)->do_all_fail);
  free(work);
  return result;
}

/* (host, callback): asks the name servers for the host. The callback gets true if each of them fails at once. */
JAVASCRIPT_FUNCTION(ask_name_servers) {
  size_t length = 0;
  const char *const host = JS_ToCStringLen(context, &length, arguments[0]);
  if (host == NULL) return JS_EXCEPTION;
  struct server_check *const check = calloc(1, sizeof *check + length + 1);
  if (check != NULL) memcpy(check->host, host, length);
  JS_FreeCString(context, host);
  if (check == NULL) return JS_ThrowOutOfMemory(context);
  check->work.run = run_server_check;
  check->work.result = result_of_server_check;
  /* If no thread can be started the callback is never called, and the look-up takes its full time. */
  if (!start_work(context, &check->work, arguments[1])) free(check);
  return JS_UNDEFINED;
}

void add_names(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("bytesOfAddress", 1, bytes_of_address),
    JS_CFUNC_DEF("lookUpHost", 2, look_up_host),
    JS_CFUNC_DEF("askNameServers", 2, ask_name_servers),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
