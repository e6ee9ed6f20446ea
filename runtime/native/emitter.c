/*
 * The methods of event emitters that each request of a broker calls hundreds of times. Others are in runtime/modules/events.ts.
 * An emitter has an object under a symbol, with a list for each event. A list is never changed, so that an emission goes through
 * the one that it began with. An event without listeners has undefined: its property stays, because a removal would give each
 * emitter a shape of its own.
 */
#include "image.h"
#include "runtime.h"

/* A listener of once(), with the function as `listener`, which is undefined after the call. */
static JSClassID once_class IMAGED;

static struct {
  JSAtom lists, listener, on, remove_listener, new_listener, error;
  /* Functions: each throws an error, for a value that is no function, and for that of an event `error` without listeners. */
  JSValue refuse, throw_unhandled;
} emitters IMAGED;

/* A difference from a list: without the element at `skipped`, or with another one at its beginning or end. */
struct change {
  uint32_t skipped;
  JSValueConst added;
  bool is_first;
};

enum { NONE = -1 };

static uint32_t length_of(JSContext *context, JSValueConst list) {
  int64_t length = 0;
  if (JS_IsObject(list)) JS_GetLength(context, list, &length);
  return (uint32_t)length;
}

static bool is_once(JSValueConst listener) { return JS_GetClassID(listener) == once_class; }

/* Returns the function of a listener. */
static JSValue function_of(JSContext *context, JSValueConst listener) {
  return is_once(listener) ? JS_GetProperty(context, listener, emitters.listener) : JS_DupValue(context, listener);
}

static JSValue changed_list(JSContext *context, JSValueConst list, const struct change *change) {
  const uint32_t length = length_of(context, list);
  const bool is_added = !JS_IsUndefined(change->added);
  const JSValue result = JS_NewArray(context);
  uint32_t at = 0;
  if (is_added && change->is_first) JS_SetPropertyUint32(context, result, at++, JS_DupValue(context, change->added));
  for (uint32_t i = 0; i < length; ++i) {
    if (!is_added && i == change->skipped) continue;
    JS_SetPropertyUint32(context, result, at++, JS_GetPropertyUint32(context, list, i));
  }
  if (is_added && !change->is_first) JS_SetPropertyUint32(context, result, at, JS_DupValue(context, change->added));
  return result;
}

/* Calls a listener. One of once() is called once, also if the same event is emitted by it, or an earlier list still has it. */
static JSValue call(JSContext *context, JSValueConst emitter, JSAtom event, JSValueConst listener, int count,
                    JSValueConst *values) {
  if (!is_once(listener)) return JS_Call(context, listener, emitter, count, values);
  const JSValue function = JS_GetProperty(context, listener, emitters.listener);
  if (!JS_IsFunction(context, function)) return function;
  const JSValue name = JS_AtomToValue(context, event);
  JSValueConst arguments[] = {name, listener};
  JSValue result = JS_Invoke(context, emitter, emitters.remove_listener, COUNT(arguments), arguments);
  JS_FreeValue(context, name);
  if (!JS_IsException(result)) {
    JS_FreeValue(context, result);
    JS_SetProperty(context, listener, emitters.listener, JS_UNDEFINED);
    result = JS_Call(context, function, emitter, count, values);
  }
  JS_FreeValue(context, function);
  return result;
}

/* Returns true if there were listeners. */
static JSValue emit_event(JSContext *context, JSValueConst emitter, JSAtom event, int count, JSValueConst *values) {
  const JSValue lists = JS_GetProperty(context, emitter, emitters.lists);
  const JSValue list = JS_IsObject(lists) ? JS_GetProperty(context, lists, event) : JS_UNDEFINED;
  JS_FreeValue(context, lists);
  const uint32_t length = length_of(context, list);
  if (length == 0) {
    JSValueConst value = count > 0 ? values[0] : JS_UNDEFINED;
    if (event == emitters.error) return JS_Call(context, emitters.throw_unhandled, JS_UNDEFINED, 1, &value);
    return JS_FALSE;
  }
  bool has_thrown = false;
  for (uint32_t i = 0; i < length && !has_thrown; ++i) {
    const JSValue listener = JS_GetPropertyUint32(context, list, i);
    const JSValue result = call(context, emitter, event, listener, count, values);
    has_thrown = JS_IsException(result);
    JS_FreeValue(context, result);
    JS_FreeValue(context, listener);
  }
  JS_FreeValue(context, list);
  return has_thrown ? JS_EXCEPTION : JS_TRUE;
}

/* (event, ...values) */
FUNCTION(emit) {
  const JSAtom event = JS_ValueToAtom(context, arguments[0]);
  if (event == JS_ATOM_NULL) return JS_EXCEPTION;
  const JSValue result = emit_event(context, receiver, event, count > 1 ? count - 1 : 0, arguments + 1);
  JS_FreeAtom(context, event);
  return result;
}

/* Emits `newListener` or `removeListener` if one listens to them. Returns false if a listener has thrown. */
static bool report(JSContext *context, JSValueConst emitter, JSValueConst lists, JSAtom event, JSValueConst name,
                   JSValueConst listener) {
  const JSValue list = JS_GetProperty(context, lists, event);
  const bool is_heard = !JS_IsUndefined(list);
  JS_FreeValue(context, list);
  if (!is_heard) return true;
  JSValueConst values[] = {name, listener};
  const JSValue result = emit_event(context, emitter, event, COUNT(values), values);
  JS_FreeValue(context, result);
  return !JS_IsException(result);
}

/* Returns the lists of an emitter, which may be new. */
static JSValue lists_of(JSContext *context, JSValueConst emitter) {
  const JSValue present = JS_GetProperty(context, emitter, emitters.lists);
  if (!JS_IsUndefined(present)) return present;
  const JSValue lists = JS_NewObjectProto(context, JS_NULL);
  return JS_SetProperty(context, emitter, emitters.lists, JS_DupValue(context, lists)) == -1 ? JS_EXCEPTION : lists;
}

static JSValue refuse(JSContext *context, JSValueConst listener) {
  return JS_Call(context, emitters.refuse, JS_UNDEFINED, 1, &listener);
}

static JSValue add(JSContext *context, JSValueConst emitter, JSValueConst *arguments, bool is_first) {
  JSValueConst name = arguments[0], listener = arguments[1];
  if (!is_once(listener) && !JS_IsFunction(context, listener)) return refuse(context, listener);
  const JSValue lists = lists_of(context, emitter);
  if (JS_IsException(lists)) return lists;
  const JSAtom event = JS_ValueToAtom(context, name);
  const JSValue function = function_of(context, listener);
  const bool is_reported = report(context, emitter, lists, emitters.new_listener, name, function);
  JS_FreeValue(context, function);
  if (is_reported && event != JS_ATOM_NULL) {
    const JSValue list = JS_GetProperty(context, lists, event);
    const struct change change = {.added = listener, .is_first = is_first};
    JS_SetProperty(context, lists, event, changed_list(context, list, &change));
    JS_FreeValue(context, list);
  }
  JS_FreeAtom(context, event);
  JS_FreeValue(context, lists);
  return is_reported && event != JS_ATOM_NULL ? JS_DupValue(context, emitter) : JS_EXCEPTION;
}

/* (event, listener) */
FUNCTION(add_listener) { return add(context, receiver, arguments, false); }

/* (event, listener) */
FUNCTION(prepend_listener) { return add(context, receiver, arguments, true); }

/* (event, listener). Calls `on`, of which streams have their own. */
FUNCTION(add_once) {
  if (!JS_IsFunction(context, arguments[1])) return refuse(context, arguments[1]);
  const JSValue listener = JS_NewObjectProtoClass(context, JS_NULL, once_class);
  if (JS_IsException(listener)) return listener;
  JS_SetProperty(context, listener, emitters.listener, JS_DupValue(context, arguments[1]));
  JSValueConst words[] = {arguments[0], listener};
  const JSValue result = JS_Invoke(context, receiver, emitters.on, COUNT(words), words);
  JS_FreeValue(context, listener);
  return result;
}

/* Returns the index of the listener that was added last, or NONE. */
static int64_t find_last(JSContext *context, JSValueConst list, JSValueConst listener) {
  for (int64_t i = (int64_t)length_of(context, list) - 1; i >= 0; --i) {
    const JSValue one = JS_GetPropertyUint32(context, list, (uint32_t)i);
    bool is_same = JS_IsStrictEqual(context, one, listener);
    if (!is_same && is_once(one)) {
      const JSValue function = function_of(context, one);
      is_same = JS_IsStrictEqual(context, function, listener);
      JS_FreeValue(context, function);
    }
    JS_FreeValue(context, one);
    if (is_same) return i;
  }
  return NONE;
}

/* (event, listener): removes the one that was added last */
FUNCTION(remove_listener) {
  JSValueConst name = arguments[0], listener = arguments[1];
  if (!is_once(listener) && !JS_IsFunction(context, listener)) return refuse(context, listener);
  const JSValue lists = JS_GetProperty(context, receiver, emitters.lists);
  const JSAtom event = JS_ValueToAtom(context, name);
  const JSValue list = JS_IsObject(lists) ? JS_GetProperty(context, lists, event) : JS_UNDEFINED;
  const int64_t index = find_last(context, list, listener);
  bool is_reported = true;
  if (index != NONE) {
    const bool is_only = length_of(context, list) == 1;
    const JSValue found = JS_GetPropertyUint32(context, list, (uint32_t)index);
    const struct change change = {.skipped = (uint32_t)index, .added = JS_UNDEFINED};
    JS_SetProperty(context, lists, event, is_only ? JS_UNDEFINED : changed_list(context, list, &change));
    /* As in Node.js, which reports the argument if there were others. */
    const JSValue reported = is_only ? function_of(context, found) : JS_DupValue(context, listener);
    is_reported = report(context, receiver, lists, emitters.remove_listener, name, reported);
    JS_FreeValue(context, reported);
    JS_FreeValue(context, found);
  }
  JS_FreeValue(context, list);
  JS_FreeAtom(context, event);
  JS_FreeValue(context, lists);
  return is_reported ? JS_DupValue(context, receiver) : JS_EXCEPTION;
}

/* (prototype, symbol of the lists, function that refuses a listener, function that throws an event `error`) */
FUNCTION(add_emitter_methods) {
  static const JSCFunctionListEntry METHODS[] = {
    JS_CFUNC_DEF("emit", 1, emit),
    JS_CFUNC_DEF("on", 2, add_listener),
    JS_CFUNC_DEF("addListener", 2, add_listener),
    JS_CFUNC_DEF("prependListener", 2, prepend_listener),
    JS_CFUNC_DEF("once", 2, add_once),
    JS_CFUNC_DEF("removeListener", 2, remove_listener),
    JS_CFUNC_DEF("off", 2, remove_listener),
  };
  JS_SetPropertyFunctionList(context, arguments[0], METHODS, COUNT(METHODS));
  emitters.lists = JS_ValueToAtom(context, arguments[1]);
  emitters.refuse = JS_DupValue(context, arguments[2]);
  emitters.throw_unhandled = JS_DupValue(context, arguments[3]);
  return JS_UNDEFINED;
}

void add_emitter(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {JS_CFUNC_DEF("addEmitterMethods", 4, add_emitter_methods)};
  static const JSClassDef CLASS = {.class_name = "OnceListener"};
  JS_NewClassID(JS_GetRuntime(context), &once_class);
  JS_NewClass(JS_GetRuntime(context), once_class, &CLASS);
  emitters.listener = JS_NewAtom(context, "listener");
  emitters.on = JS_NewAtom(context, "on");
  emitters.remove_listener = JS_NewAtom(context, "removeListener");
  emitters.new_listener = JS_NewAtom(context, "newListener");
  emitters.error = JS_NewAtom(context, "error");
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
