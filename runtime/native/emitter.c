/*
 * The methods of EventEmitter (node:events) that must be fast: each request through the broker, sophia-run's HTTP proxy, calls
 * them hundreds of times. The other methods are in TypeScript, in runtime/modules/events.ts.
 *
 * An emitter has a property whose key is the symbol `emitters.lists`. Its value is an object with a list of listeners for
 * each event. A list is never changed: it is replaced by a new one, so that an emission calls exactly the listeners that
 * there were at its start. When an event loses its last listener its list is replaced by undefined. The property is not
 * removed, because the engine would then need a new hidden class ("shape") for each such object.
 */
#include "image.h"
#include "runtime.h"

/*
 * The class of a once-listener, the object that once() adds to a list. Its property `listener` is the user's function;
 * undefined after the call.
 */
static JSClassID once_class IMAGED;

/*
 * The names of properties and events as atoms of the engine, and functions of events.ts. add_emitter and add_emitter_methods
 * set them while the modules load; they are never freed.
 */
static struct {
  JSAtom lists, listener, on, remove_listener, new_listener, error;
  /* Throws an error because a listener is not a function. */
  JSValue refuse_listener;
  /* Throws the error of an event `error` that has no listeners. */
  JSValue throw_unhandled;
} emitters IMAGED;

/* How a new list differs from the former one: it has the listener `added`; or, if that is undefined, lacks one element. */
struct change {
  JSValueConst added;
  /* True: the new listener is the first of the list, otherwise the last. */
  bool is_first;
  /* The index of the element that the new list lacks. */
  uint32_t removed_index;
};

enum { NOT_FOUND = -1 };

/* Returns the length of a list; 0 for undefined. */
static uint32_t length_of_list(JSContext *context, JSValueConst list) {
  int64_t length = 0;
  if (JS_IsObject(list)) JS_GetLength(context, list, &length);
  return (uint32_t)length;
}

/* Returns true for a once-listener. */
static bool is_once(JSValueConst listener) { return JS_GetClassID(listener) == once_class; }

/* Returns the user's function: the listener itself, or the function of a once-listener. */
static JSValue function_of(JSContext *context, JSValueConst listener) {
  return is_once(listener) ? JS_GetProperty(context, listener, emitters.listener) : JS_DupValue(context, listener);
}

/* Returns a new list, which is `list` with one change. The caller must free it. */
static JSValue create_changed_list(JSContext *context, JSValueConst list, const struct change *change) {
  const uint32_t length = length_of_list(context, list);
  const bool is_added = !JS_IsUndefined(change->added);
  const JSValue result = JS_NewArray(context);
  uint32_t new_length = 0;
  if (is_added && change->is_first) JS_SetPropertyUint32(context, result, new_length++, JS_DupValue(context, change->added));
  for (uint32_t i = 0; i < length; ++i) {
    if (!is_added && i == change->removed_index) continue;
    JS_SetPropertyUint32(context, result, new_length++, JS_GetPropertyUint32(context, list, i));
  }
  if (is_added && !change->is_first) JS_SetPropertyUint32(context, result, new_length, JS_DupValue(context, change->added));
  return result;
}

/*
 * Calls a listener. A once-listener is removed before the call, and loses its function: so it is called once, even if it emits
 * the same event itself, or if an emission that began earlier still has it in its list.
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

/* (event, ...values): calls the listeners of the event with the values. Returns true if there are any. */
JAVASCRIPT_FUNCTION(emit) {
  const JSAtom event = JS_ValueToAtom(context, arguments[0]);
  if (event == JS_ATOM_NULL) return JS_EXCEPTION;
  const int value_count = count > 1 ? count - 1 : 0;
  const JSValue result = emit_event(context, receiver, event, value_count, arguments + 1);
  JS_FreeAtom(context, event);
  return result;
}

/*
 * Emits `newListener` or `removeListener`, with the name of the event and the listener as its values. Returns false if a
 * listener of the emitted event throws.
 */
static bool emit_meta_event(JSContext *context, JSValueConst emitter, JSValueConst lists, JSAtom meta_event,
                            JSValueConst name, JSValueConst listener) {
  const JSValue list = JS_GetProperty(context, lists, meta_event);
  const bool has_listeners = !JS_IsUndefined(list);
  JS_FreeValue(context, list);
  if (!has_listeners) return true;
  JSValueConst values[] = {name, listener};
  const JSValue result = emit_event(context, emitter, meta_event, COUNT(values), values);
  JS_FreeValue(context, result);
  return !JS_IsException(result);
}

/* Returns the object with the lists of an emitter, and creates it first if there is none. */
static JSValue lists_of(JSContext *context, JSValueConst emitter) {
  const JSValue present = JS_GetProperty(context, emitter, emitters.lists);
  if (!JS_IsUndefined(present)) return present;
  const JSValue lists = JS_NewObjectProto(context, JS_NULL);
  return JS_SetProperty(context, emitter, emitters.lists, JS_DupValue(context, lists)) == -1 ? JS_EXCEPTION : lists;
}

/* Throws an error because a listener is not a function. */
static JSValue refuse_listener(JSContext *context, JSValueConst listener) {
  return JS_Call(context, emitters.refuse_listener, JS_UNDEFINED, 1, &listener);
}

/* Adds a listener to an emitter. The arguments are the event and the listener. Returns the emitter. */
static JSValue add_listener_to(JSContext *context, JSValueConst emitter, JSValueConst *arguments, bool is_first) {
  JSValueConst name = arguments[0], listener = arguments[1];
  if (!is_once(listener) && !JS_IsFunction(context, listener)) return refuse_listener(context, listener);
  const JSValue lists = lists_of(context, emitter);
  if (JS_IsException(lists)) return lists;
  const JSAtom event = JS_ValueToAtom(context, name);
  const JSValue function = function_of(context, listener);
  /* As in Node.js, the listeners of `newListener` are called before the listener is added. */
  const bool has_thrown = !emit_meta_event(context, emitter, lists, emitters.new_listener, name, function);
  JS_FreeValue(context, function);
  const bool can_be_added = !has_thrown && event != JS_ATOM_NULL;
  if (can_be_added) {
    const JSValue list = JS_GetProperty(context, lists, event);
    const struct change change = {.added = listener, .is_first = is_first};
    JS_SetProperty(context, lists, event, create_changed_list(context, list, &change));
    JS_FreeValue(context, list);
  }
  JS_FreeAtom(context, event);
  JS_FreeValue(context, lists);
  return can_be_added ? JS_DupValue(context, emitter) : JS_EXCEPTION;
}

/* (event, listener): adds a listener behind the others */
JAVASCRIPT_FUNCTION(add_listener) { return add_listener_to(context, receiver, arguments, false); }

/* (event, listener): adds a listener before the others */
JAVASCRIPT_FUNCTION(prepend_listener) { return add_listener_to(context, receiver, arguments, true); }

/* (event, listener): adds a once-listener. Calls the method `on`, which streams override, to add it. */
JAVASCRIPT_FUNCTION(add_once) {
  if (!JS_IsFunction(context, arguments[1])) return refuse_listener(context, arguments[1]);
  const JSValue listener = JS_NewObjectProtoClass(context, JS_NULL, once_class);
  if (JS_IsException(listener)) return listener;
  JS_SetProperty(context, listener, emitters.listener, JS_DupValue(context, arguments[1]));
  JSValueConst on_arguments[] = {arguments[0], listener};
  const JSValue result = JS_Invoke(context, receiver, emitters.on, COUNT(on_arguments), on_arguments);
  JS_FreeValue(context, listener);
  return result;
}

/*
 * Returns the index of the last element of a list that is this listener, or a once-listener with this function; NOT_FOUND
 * if there is none.
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

/* (event, listener): removes a listener. If it was added several times, removes the one that was added last. */
JAVASCRIPT_FUNCTION(remove_listener) {
  JSValueConst name = arguments[0], listener = arguments[1];
  if (!is_once(listener) && !JS_IsFunction(context, listener)) return refuse_listener(context, listener);
  const JSValue lists = JS_GetProperty(context, receiver, emitters.lists);
  const JSAtom event = JS_ValueToAtom(context, name);
  const JSValue list = JS_IsObject(lists) ? JS_GetProperty(context, lists, event) : JS_UNDEFINED;
  const int64_t index = find_last_listener(context, list, listener);
  bool has_thrown = false;
  if (index != NOT_FOUND) {
    const bool is_only = length_of_list(context, list) == 1;
    const JSValue removed = JS_GetPropertyUint32(context, list, (uint32_t)index);
    const struct change change = {.removed_index = (uint32_t)index, .added = JS_UNDEFINED};
    JS_SetProperty(context, lists, event, is_only ? JS_UNDEFINED : create_changed_list(context, list, &change));
    /*
     * The value of the event `removeListener` is what it is in Node.js: the argument of this function if other listeners
     * are left, which may be a once-listener; otherwise the user's function.
     */
    const JSValue reported = is_only ? function_of(context, removed) : JS_DupValue(context, listener);
    has_thrown = !emit_meta_event(context, receiver, lists, emitters.remove_listener, name, reported);
    JS_FreeValue(context, reported);
    JS_FreeValue(context, removed);
  }
  JS_FreeValue(context, list);
  JS_FreeAtom(context, event);
  JS_FreeValue(context, lists);
  return has_thrown ? JS_EXCEPTION : JS_DupValue(context, receiver);
}

/*
 * (EventEmitter.prototype, symbol of the lists, function that refuses a listener, function that throws an unhandled error):
 * adds the methods above to the prototype. The symbol and the functions are stored in `emitters`.
 */
JAVASCRIPT_FUNCTION(add_emitter_methods) {
  enum { PROTOTYPE, LISTS_SYMBOL, REFUSE_LISTENER, THROW_UNHANDLED };
  static const JSCFunctionListEntry METHODS[] = {
    JS_CFUNC_DEF("emit", 1, emit),
    JS_CFUNC_DEF("on", 2, add_listener),
    JS_CFUNC_DEF("addListener", 2, add_listener),
    JS_CFUNC_DEF("prependListener", 2, prepend_listener),
    JS_CFUNC_DEF("once", 2, add_once),
    JS_CFUNC_DEF("removeListener", 2, remove_listener),
    JS_CFUNC_DEF("off", 2, remove_listener),
  };
  JS_SetPropertyFunctionList(context, arguments[PROTOTYPE], METHODS, COUNT(METHODS));
  emitters.lists = JS_ValueToAtom(context, arguments[LISTS_SYMBOL]);
  emitters.refuse_listener = JS_DupValue(context, arguments[REFUSE_LISTENER]);
  emitters.throw_unhandled = JS_DupValue(context, arguments[THROW_UNHANDLED]);
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
