/* Makes the context of the engine: the global objects that JavaScript finds, without a way to evaluate text. */
#include "runtime.h"

JSContext *new_engine(JSRuntime *runtime) {
#ifdef SHELL
  /* The shell of the tests runs scripts. */
  return JS_NewContext(runtime);
#else
  /*
   * These are all objects that JS_NewContext adds, but for `performance`, which host.ts defines, and JS_AddIntrinsicEval.
   * The bundle is bytecode, so the parser and the compiler of JavaScript are not linked, which saves 0.18 MB. `eval` and
   * `Function` throw: the executable cannot run a text as code.
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
