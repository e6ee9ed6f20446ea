/*
 * Parses and changes URLs (WHATWG URL) for runtime/modules/url.ts, by the library ada, which Node.js uses, too.
 *
 * The object URL of JavaScript stores the text of the URL and the positions of its parts. Whenever a part is changed, C parses
 * the text again, and returns the new text and positions.
 */
#include "runtime.h"

#include "ada_c.h"

/*
 * Returns a list of the text of a URL and of eight positions in it, in the order in which url.ts reads them. The position of
 * a part that the URL does not have is -1. Returns undefined if the URL is not valid. Frees the URL.
 */
static JSValue list_parts(JSContext *context, ada_url url, bool is_valid) {
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

/* (text, base URL or undefined): parses a URL. Returns what list_parts returns. */
JAVASCRIPT_FUNCTION(parse_url) {
  size_t length = 0, base_length = 0;
  const char *const text = scalar_utf8_of(context, arguments[0], &length);
  if (text == NULL) return JS_EXCEPTION;
  const bool has_base = !JS_IsUndefined(arguments[1]);
  const char *const base = has_base ? scalar_utf8_of(context, arguments[1], &base_length) : NULL;
  JSValue result = JS_EXCEPTION;
  if (!has_base || base != NULL) {
    const ada_url url = has_base ? ada_parse_with_base(text, length, base, base_length) : ada_parse(text, length);
    result = list_parts(context, url, ada_is_valid(url));
  }
  JS_FreeCString(context, base);
  JS_FreeCString(context, text);
  return result;
}

/*
 * (URL, index of a part, text): gives a part of a URL another text. The indexes are those in SETTERS; the next one is the
 * search, the one after that the hash. Returns what list_parts returns, or undefined if the new `href`, which is the whole
 * URL, is not valid. Any other part stays as it is if its new text is not valid.
 */
JAVASCRIPT_FUNCTION(change_url) {
  enum { FORMER_URL, PART, TEXT };
  static bool (*const SETTERS[])(ada_url, const char *, size_t) = {
    ada_set_href,     ada_set_protocol, ada_set_username, ada_set_password,
    ada_set_host,     ada_set_hostname, ada_set_port,     ada_set_pathname,
  };
  size_t length = 0, url_length = 0;
  const int part = integer_of(context, arguments[PART]);
  const char *const former_url = scalar_utf8_of(context, arguments[FORMER_URL], &url_length);
  const char *const text = former_url == NULL ? NULL : scalar_utf8_of(context, arguments[TEXT], &length);
  JSValue result = JS_EXCEPTION;
  if (text != NULL) {
    const ada_url url = ada_parse(former_url, url_length);
    bool is_set = true;
    if (part >= 0 && part < (int)COUNT(SETTERS)) is_set = SETTERS[part](url, text, length);
    else if (part == COUNT(SETTERS)) ada_set_search(url, text, length);
    else ada_set_hash(url, text, length);
    const bool is_href = part == 0;
    result = list_parts(context, url, ada_is_valid(url) && (is_set || !is_href));
  }
  JS_FreeCString(context, text);
  JS_FreeCString(context, former_url);
  return result;
}

/* (query, such as "a=1&b=2"): returns a list of its names, each followed by its value */
JAVASCRIPT_FUNCTION(parse_query) {
  size_t length = 0;
  const char *const text = scalar_utf8_of(context, arguments[0], &length);
  if (text == NULL) return JS_EXCEPTION;
  const ada_url_search_params query = ada_parse_search_params(text, length);
  const ada_url_search_params_entries_iter entries = ada_search_params_get_entries(query);
  const JSValue result = JS_NewArray(context);
  for (uint32_t result_length = 0; ada_search_params_entries_iter_has_next(entries);) {
    const ada_string_pair entry = ada_search_params_entries_iter_next(entries);
    const ada_string texts[] = {entry.key, entry.value};
    for (size_t i = 0; i < COUNT(texts); ++i) {
      JS_SetPropertyUint32(context, result, result_length++,
                           text_from_utf8(context, (const uint8_t *)texts[i].data, texts[i].length));
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
