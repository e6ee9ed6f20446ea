/*
 * Parses and changes URLs (WHATWG) for runtime/modules/url.ts, by ada, the parser of Node.js. A URL object of JavaScript
 * holds the text and the positions of its parts. It is parsed again for each change.
 */
#include "runtime.h"

#include "ada_c.h"

/*
 * Returns a list of the text of a URL and the eight positions that url.ts names, -1 for a part that is missing; undefined
 * if the URL is not valid. Frees it.
 */
static JSValue parts_of(JSContext *context, ada_url url, bool is_valid) {
  JSValue result = JS_UNDEFINED;
  if (is_valid) {
    const ada_string text = ada_get_href(url);
    const ada_url_components *const components = ada_get_components(url);
    const uint32_t positions[] = {
      components->protocol_end, components->username_end,   components->host_start,   components->host_end,
      components->port,         components->pathname_start, components->search_start, components->hash_start,
    };
    result = JS_NewArray(context);
    JS_SetPropertyUint32(context, result, 0, JS_NewStringLen(context, text.data, text.length));
    for (uint32_t i = 0; i < COUNT(positions); ++i) {
      const bool is_present = positions[i] != ada_url_omitted;
      JS_SetPropertyUint32(context, result, i + 1, JS_NewInt32(context, is_present ? (int32_t)positions[i] : -1));
    }
  }
  ada_free(url);
  return result;
}

/* (text, base URL or undefined): returns parts_of the URL */
FUNCTION(parse_url) {
  size_t length = 0, base_length = 0;
  const char *const text = scalar_utf8_of(context, arguments[0], &length);
  if (text == NULL) return JS_EXCEPTION;
  const bool has_base = !JS_IsUndefined(arguments[1]);
  const char *const base = has_base ? scalar_utf8_of(context, arguments[1], &base_length) : NULL;
  JSValue result = JS_EXCEPTION;
  if (!has_base || base != NULL) {
    const ada_url url = has_base ? ada_parse_with_base(text, length, base, base_length) : ada_parse(text, length);
    result = parts_of(context, url, ada_is_valid(url));
  }
  JS_FreeCString(context, base);
  JS_FreeCString(context, text);
  return result;
}

/*
 * (URL, index of the part in SETTERS, text): sets a part and returns parts_of the changed URL; undefined if the new `href`
 * is not valid. Other parts stay as they are if their new text is not valid.
 */
FUNCTION(change_url) {
  static bool (*const SETTERS[])(ada_url, const char *, size_t) = {
    ada_set_href,     ada_set_protocol, ada_set_username, ada_set_password,
    ada_set_host,     ada_set_hostname, ada_set_port,     ada_set_pathname,
  };
  size_t length = 0, url_length = 0;
  const int part = integer_of(context, arguments[1]);
  const char *const former = scalar_utf8_of(context, arguments[0], &url_length);
  const char *const text = former == NULL ? NULL : scalar_utf8_of(context, arguments[2], &length);
  JSValue result = JS_EXCEPTION;
  if (text != NULL) {
    const ada_url url = ada_parse(former, url_length);
    bool is_set = true;
    if (part >= 0 && part < (int)COUNT(SETTERS)) is_set = SETTERS[part](url, text, length);
    else if (part == COUNT(SETTERS)) ada_set_search(url, text, length);
    else ada_set_hash(url, text, length);
    result = parts_of(context, url, ada_is_valid(url) && (is_set || part != 0));
  }
  JS_FreeCString(context, text);
  JS_FreeCString(context, former);
  return result;
}

/* (query, such as "a=1&b=2"): returns its names and values in turns */
FUNCTION(parse_query) {
  size_t length = 0;
  const char *const text = scalar_utf8_of(context, arguments[0], &length);
  if (text == NULL) return JS_EXCEPTION;
  const ada_url_search_params query = ada_parse_search_params(text, length);
  const ada_url_search_params_entries_iter entries = ada_search_params_get_entries(query);
  const JSValue result = JS_NewArray(context);
  for (uint32_t length_of_result = 0; ada_search_params_entries_iter_has_next(entries);) {
    const ada_string_pair entry = ada_search_params_entries_iter_next(entries);
    const ada_string parts[] = {entry.key, entry.value};
    for (size_t i = 0; i < COUNT(parts); ++i) {
      JS_SetPropertyUint32(context, result, length_of_result++,
                           text_from_utf8(context, (const uint8_t *)parts[i].data, parts[i].length));
    }
  }
  ada_free_search_params_entries_iter(entries);
  ada_free_search_params(query);
  JS_FreeCString(context, text);
  return result;
}

void add_url(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("parseUrl", 2, parse_url),
    JS_CFUNC_DEF("changeUrl", 3, change_url),
    JS_CFUNC_DEF("parseQuery", 1, parse_query),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
