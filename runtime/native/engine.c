/*
 * Makes the context of the engine, which has the global objects of JavaScript. The executable cannot run a text as code:
 * all code is bytecode that the build has compiled.
 */
#include "runtime.h"

JSContext *new_engine(JSRuntime *runtime) {
#ifdef SHELL
  /* The shell is an executable for tests, which runs the script that its command line names. */
  return JS_NewContext(runtime);
#else
  /*
   * JS_NewContext would also add `performance`, which host.ts defines, and JS_AddIntrinsicEval. Without the latter `eval` and
   * `Function` throw, and the linker leaves out the engine's parser and compiler, which saves 0.18 MB.
   */
  static int (*const ADD_OBJECTS[])(JSContext *context) = {
    JS_AddIntrinsicBaseObjects, JS_AddIntrinsicDate,        JS_AddIntrinsicRegExp,  JS_AddIntrinsicJSON,
    JS_AddIntrinsicProxy,       JS_AddIntrinsicMapSet,      JS_AddIntrinsicTypedArrays,
    JS_AddIntrinsicPromise,     JS_AddIntrinsicWeakRef,     JS_AddIntrinsicAToB,
  };
  JSContext *const context = JS_NewContextRaw(runtime);
  if (context == NULL) return NULL;
  for (size_t i = 0; i < COUNT(ADD_OBJECTS); ++i) {
    if (ADD_OBJECTS[i](context) != 0) return NULL;
  }
  return context;
#endif
}
