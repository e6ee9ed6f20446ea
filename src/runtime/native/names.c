/* Addresses and names of hosts for node:net (src/runtime/modules/net/). */
#include "runtime.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

void add_names(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("bytesOfAddress", 1, bytes_of_address),
    JS_CFUNC_DEF("lookUpHost", 2, look_up_host),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
