/*
 * The methods of EventEmitter that each request of the broker calls hundreds of times; the other methods are in
 * runtime/modules/events.ts.
 *
 * An emitter has an object under the symbol `emitters.lists`, with a list of listeners for each event. A list is never
 * changed but replaced, so that an emission goes through the list with which it began. An event that has lost its last
 * listener has undefined in place of a list: to remove the property would give each emitter a shape of its own in the
 * engine.
 */
#include "image.h"
#include "runtime.h"

/* The class of a listener of once(): an object whose property `listener` is the function; undefined after the call. */
static JSClassID once_class IMAGED;

static struct {
  JSAtom lists, listener, on, remove_listener, new_listener, error;
  /* Functions of events.ts that throw: for a listener that is not a function, and for an event `error` without listeners. */
  JSValue refuse, throw_unhandled;
} emitters IMAGED;

/* How a new list differs from an old one: if `added` is undefined it lacks the element at `skipped`, else it has one more. */
struct change {
  uint32_t skipped;
  JSValueConst added;
  bool is_first;
};

enum { NOT_FOUND = -1 };

static uint32_t length_of_list(JSContext *context, JSValueConst list) {
  int64_t length = 0;
  if (JS_IsObject(list)) JS_GetLength(context, list, &length);
  return (uint32_t)length;
}

static bool is_once(JSValueConst listener) { return JS_GetClassID(listener) == once_class; }

/* Returns the function of a listener, also of one of once(). */
static JSValue function_of(JSContext *context, JSValueConst listener) {
  return is_once(listener) ? JS_GetProperty(context, listener, emitters.listener) : JS_DupValue(context, listener);
}

static JSValue create_changed_list(JSContext *context, JSValueConst list, const struct change *change) {
  const uint32_t length = length_of_list(context, list);
  const bool is_added = !JS_IsUndefined(change->added);
  const JSValue result = JS_NewArray(context);
  uint32_t new_length = 0;
  if (is_added && change->is_first) JS_SetPropertyUint32(context, result, new_length++, JS_DupValue(context, change->added));
  for (uint32_t i = 0; i < length; ++i) {
    if (!is_added && i == change->skipped) continue;
    JS_SetPropertyUint32(context, result, new_length++, JS_GetPropertyUint32(context, list, i));
  }
  if (is_added && !change->is_first) JS_SetPropertyUint32(context, result, new_length, JS_DupValue(context, change->added));
  return result;
}

/*
 * Calls a listener. A listener of once() is removed before it is called, and is called once, even if it emits the same
 * event itself or an emission that began earlier still has it in its list.
 */
static JSValue call_listener(JSContext *context, JSValueConst emitter, JSAtom event, JSValueConst listener, int count,
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

/* Calls the listeners of an event in their order. Returns true if there are any; JS_EXCEPTION if one throws. */
static JSValue emit_event(JSContext *context, JSValueConst emitter, JSAtom event, int count, JSValueConst *values) {
  const JSValue lists = JS_GetProperty(context, emitter, emitters.lists);
  const JSValue list = JS_IsObject(lists) ? JS_GetProperty(context, lists, event) : JS_UNDEFINED;
  JS_FreeValue(context, lists);
  const uint32_t length = length_of_list(context, list);
  if (length == 0) {
    JSValueConst value = count > 0 ? values[0] : JS_UNDEFINED;
    if (event == emitters.error) return JS_Call(context, emitters.throw_unhandled, JS_UNDEFINED, 1, &value);
    return JS_FALSE;
  }
  bool has_thrown = false;
  for (uint32_t i = 0; i < length && !has_thrown; ++i) {
    const JSValue listener = JS_GetPropertyUint32(context, list, i);
    const JSValue result = call_listener(context, emitter, event, listener, count, values);
    has_thrown = JS_IsException(result);
    JS_FreeValue(context, result);
    JS_FreeValue(context, listener);
  }
  JS_FreeValue(context, list);
  return has_thrown ? JS_EXCEPTION : JS_TRUE;
}

/* (event, ...values): returns true if the event has listeners */
FUNCTION(emit) {
  const JSAtom event = JS_ValueToAtom(context, arguments[0]);
  if (event == JS_ATOM_NULL) return JS_EXCEPTION;
  const JSValue result = emit_event(context, receiver, event, count > 1 ? count - 1 : 0, arguments + 1);
  JS_FreeAtom(context, event);
  return result;
}

/* Emits `newListener` or `removeListener` if that event has listeners. Returns false if one of them throws. */
static bool emit_meta_event(JSContext *context, JSValueConst emitter, JSValueConst lists, JSAtom event, JSValueConst name,
                   JSValueConst listener) {
  const JSValue list = JS_GetProperty(context, lists, event);
  const bool has_listeners = !JS_IsUndefined(list);
  JS_FreeValue(context, list);
  if (!has_listeners) return true;
  JSValueConst values[] = {name, listener};
  const JSValue result = emit_event(context, emitter, event, COUNT(values), values);
  JS_FreeValue(context, result);
  return !JS_IsException(result);
}

/* Returns the lists of an emitter, which it adds if there are none. */
static JSValue lists_of(JSContext *context, JSValueConst emitter) {
  const JSValue present = JS_GetProperty(context, emitter, emitters.lists);
  if (!JS_IsUndefined(present)) return present;
  const JSValue lists = JS_NewObjectProto(context, JS_NULL);
  return JS_SetProperty(context, emitter, emitters.lists, JS_DupValue(context, lists)) == -1 ? JS_EXCEPTION : lists;
}

/* Throws the error for a listener that is not a function. */
static JSValue refuse(JSContext *context, JSValueConst listener) {
  return JS_Call(context, emitters.refuse, JS_UNDEFINED, 1, &listener);
}

static JSValue add_listener_to(JSContext *context, JSValueConst emitter, JSValueConst *arguments, bool is_first) {
  JSValueConst name = arguments[0], listener = arguments[1];
  if (!is_once(listener) && !JS_IsFunction(context, listener)) return refuse(context, listener);
  const JSValue lists = lists_of(context, emitter);
  if (JS_IsException(lists)) return lists;
  const JSAtom event = JS_ValueToAtom(context, name);
  const JSValue function = function_of(context, listener);
  const bool is_reported = emit_meta_event(context, emitter, lists, emitters.new_listener, name, function);
  JS_FreeValue(context, function);
  if (is_reported && event != JS_ATOM_NULL) {
    const JSValue list = JS_GetProperty(context, lists, event);
    const struct change change = {.added = listener, .is_first = is_first};
    JS_SetProperty(context, lists, event, create_changed_list(context, list, &change));
    JS_FreeValue(context, list);
  }
  JS_FreeAtom(context, event);
  JS_FreeValue(context, lists);
  return is_reported && event != JS_ATOM_NULL ? JS_DupValue(context, emitter) : JS_EXCEPTION;
}

/* (event, listener): adds a listener behind the others */
FUNCTION(add_listener) { return add_listener_to(context, receiver, arguments, false); }

/* (event, listener): adds a listener before the others */
FUNCTION(prepend_listener) { return add_listener_to(context, receiver, arguments, true); }

/* (event, listener): adds a listener of once() by the method `on`, which streams replace */
FUNCTION(add_once) {
  if (!JS_IsFunction(context, arguments[1])) return refuse(context, arguments[1]);
  const JSValue listener = JS_NewObjectProtoClass(context, JS_NULL, once_class);
  if (JS_IsException(listener)) return listener;
  JS_SetProperty(context, listener, emitters.listener, JS_DupValue(context, arguments[1]));
  JSValueConst on_arguments[] = {arguments[0], listener};
  const JSValue result = JS_Invoke(context, receiver, emitters.on, COUNT(on_arguments), on_arguments);
  JS_FreeValue(context, listener);
  return result;
}

/*
 * Returns the index of the last element of a list that is this listener, or its listener of once(); NOT_FOUND if there is
 * none.
 */
static int64_t find_last_listener(JSContext *context, JSValueConst list, JSValueConst listener) {
  for (int64_t i = (int64_t)length_of_list(context, list) - 1; i >= 0; --i) {
    const JSValue element = JS_GetPropertyUint32(context, list, (uint32_t)i);
    bool is_same = JS_IsStrictEqual(context, element, listener);
    if (!is_same && is_once(element)) {
      const JSValue function = function_of(context, element);
      is_same = JS_IsStrictEqual(context, function, listener);
      JS_FreeValue(context, function);
    }
    JS_FreeValue(context, element);
    if (is_same) return i;
  }
  return NOT_FOUND;
}

/* (event, listener): removes the listener; the one that was added last if it was added several times */
FUNCTION(remove_listener) {
  JSValueConst name = arguments[0], listener = arguments[1];
  if (!is_once(listener) && !JS_IsFunction(context, listener)) return refuse(context, listener);
  const JSValue lists = JS_GetProperty(context, receiver, emitters.lists);
  const JSAtom event = JS_ValueToAtom(context, name);
  const JSValue list = JS_IsObject(lists) ? JS_GetProperty(context, lists, event) : JS_UNDEFINED;
  const int64_t index = find_last_listener(context, list, listener);
  bool is_reported = true;
  if (index != NOT_FOUND) {
    const bool is_only = length_of_list(context, list) == 1;
    const JSValue removed = JS_GetPropertyUint32(context, list, (uint32_t)index);
    const struct change change = {.skipped = (uint32_t)index, .added = JS_UNDEFINED};
    JS_SetProperty(context, lists, event, is_only ? JS_UNDEFINED : create_changed_list(context, list, &change));
    /* The event has the value that Node.js gives it: the argument, if other listeners are left. */
    const JSValue reported = is_only ? function_of(context, removed) : JS_DupValue(context, listener);
    is_reported = emit_meta_event(context, receiver, lists, emitters.remove_listener, name, reported);
    JS_FreeValue(context, reported);
    JS_FreeValue(context, removed);
  }
  JS_FreeValue(context, list);
  JS_FreeAtom(context, event);
  JS_FreeValue(context, lists);
  return is_reported ? JS_DupValue(context, receiver) : JS_EXCEPTION;
}

/* (prototype, symbol of the lists, `refuse`, `throw_unhandled`): adds the methods above to the prototype of EventEmitter */
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
