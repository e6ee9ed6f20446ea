/* Addresses and names of hosts for node:net (runtime/modules/net/). */
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

/* Returns the 4 or 16 bytes of an address without a zone; undefined for anything else. */
FUNCTION(bytes_of_address) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[0]);
  if (text == NULL) return JS_EXCEPTION;
  uint8_t bytes[16];
  const bool is_whole = strlen(text) == length;
  const size_t size = !is_whole ? 0 : inet_pton(AF_INET, text, bytes) == 1 ? 4 : inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
  JS_FreeCString(context, text);
  if (size == 0) return JS_UNDEFINED;
  const JSValue result = JS_NewArray(context);
  for (uint32_t i = 0; i < size; ++i) JS_SetPropertyUint32(context, result, i, JS_NewInt32(context, bytes[i]));
  return result;
}

struct look_up {
  struct work work;
  int result, error;
  struct addrinfo hints, *found;
  char host[];
};

static void run_look_up(struct work *work) {
  struct look_up *const this = (struct look_up *)work;
  this->result = getaddrinfo(this->host, NULL, &this->hints, &this->found);
  this->error = errno;
}

static const char *code_of(int result, int error) {
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
      return name_of_error(error);
    default:
      return "EAI_BADFLAGS";
  }
}

/* Addresses and families (4, 6) in turns, or the code of an error. */
static JSValue result_of_look_up(JSContext *context, struct work *work) {
  struct look_up *const this = (struct look_up *)work;
  JSValue result;
  if (this->result != 0) result = JS_NewString(context, code_of(this->result, this->error));
  else {
    result = JS_NewArray(context);
    uint32_t number = 0;
    for (const struct addrinfo *each = this->found; each != NULL; each = each->ai_next) {
      char text[INET6_ADDRSTRLEN];
      const bool is_v4 = each->ai_family == AF_INET;
      const void *const bytes = is_v4 ? (void *)&((struct sockaddr_in *)each->ai_addr)->sin_addr
                                      : (void *)&((struct sockaddr_in6 *)each->ai_addr)->sin6_addr;
      if (inet_ntop(each->ai_family, bytes, text, sizeof text) == NULL) continue;
      JS_SetPropertyUint32(context, result, number++, JS_NewString(context, text));
      JS_SetPropertyUint32(context, result, number++, JS_NewInt32(context, is_v4 ? 4 : 6));
    }
    freeaddrinfo(this->found);
  }
  free(this);
  return result;
}

/* (host, callback): calls back with the result of result_of_look_up */
FUNCTION(look_up_host) {
  size_t length = 0;
  const char *const host = JS_ToCStringLen(context, &length, arguments[0]);
  if (host == NULL) return JS_EXCEPTION;
  struct look_up *const this = calloc(1, sizeof *this + length + 1);
  if (this != NULL) memcpy(this->host, host, length);
  JS_FreeCString(context, host);
  if (this == NULL) return JS_ThrowOutOfMemory(context);
  this->work.run = run_look_up;
  this->work.result = result_of_look_up;
  this->hints = (struct addrinfo){.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
  if (start_work(context, &this->work, arguments[1])) return JS_UNDEFINED;
  free(this);
  return throw_system_error(context, EAGAIN, "getaddrinfo", NULL);
}

/*
 * The search for a server of /etc/resolv.conf that does not fail at once. getaddrinfo(3) of musl does not notice that a server
 * cannot be reached, or answers with an error: it waits five seconds, as for a slow one.
 */
struct search {
  struct work work;
  bool fails;
  char host[];
};

static bool fails_at_once(const struct addrinfo *server, const uint8_t *query, size_t size) {
  enum { ANSWER_MS = 1000, NO_ERROR = 0, NO_SUCH_NAME = 3 };
  struct pollfd one = {.fd = socket(server->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), .events = POLLIN};
  if (one.fd == -1) return false;
  const bool is_asked = connect(one.fd, server->ai_addr, server->ai_addrlen) == 0 && send(one.fd, query, size, 0) != -1;
  bool result = !is_asked;
  if (is_asked && poll(&one, 1, ANSWER_MS) > 0) {
    uint8_t answer[512];
    const ssize_t got = recv(one.fd, answer, sizeof answer, MSG_DONTWAIT);
    const int code = got < 4 ? -1 : answer[3] & 15;
    result = code != NO_ERROR && code != NO_SUCH_NAME;
  }
  close(one.fd);
  return result;
}

static void run_search(struct work *work) {
  /* As many servers as musl asks. */
  enum { MOST_SERVERS = 3, INTERNET = 1, ADDRESS = 1 };
  struct search *const this = (struct search *)work;
  const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};
  uint8_t query[512];
  const int size = res_mkquery(0, this->host, INTERNET, ADDRESS, NULL, 0, NULL, query, sizeof query);
  FILE *const file = fopen("/etc/resolv.conf", "re");
  char line[256], server[64];
  int count = 0;
  this->fails = size > 0;
  while (this->fails && count < MOST_SERVERS) {
    const bool is_line = file != NULL && fgets(line, sizeof line, file) != NULL;
    /* The default is this machine. */
    if (!is_line && count > 0) break;
    if (!is_line) strcpy(server, "127.0.0.1");
    else if (sscanf(line, "nameserver%*[ \t]%63s", server) != 1) continue;
    struct addrinfo *address = NULL;
    if (getaddrinfo(server, "53", &hints, &address) != 0) {
      this->fails = is_line;
      continue;
    }
    ++count;
    this->fails = fails_at_once(address, query, (size_t)size);
    freeaddrinfo(address);
  }
  if (file != NULL) fclose(file);
}

static JSValue result_of_search(JSContext *context, struct work *work) {
  const JSValue result = JS_NewBool(context, ((struct search *)work)->fails);
  free(work);
  return result;
}

/* (host, callback): calls back with true if each server fails at once */
FUNCTION(ask_name_servers) {
  size_t length = 0;
  const char *const host = JS_ToCStringLen(context, &length, arguments[0]);
  if (host == NULL) return JS_EXCEPTION;
  struct search *const this = calloc(1, sizeof *this + length + 1);
  if (this != NULL) memcpy(this->host, host, length);
  JS_FreeCString(context, host);
  if (this == NULL) return JS_ThrowOutOfMemory(context);
  this->work.run = run_search;
  this->work.result = result_of_search;
  /* Without a thread nothing is known. */
  if (!start_work(context, &this->work, arguments[1])) free(this);
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
