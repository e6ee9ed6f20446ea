/* The context of the engine: the objects that JavaScript finds in it. */
#include "runtime.h"

JSContext *new_engine(JSRuntime *runtime) {
#ifdef SHELL
  return JS_NewContext(runtime);
#else
  /*
   * All that JS_NewContext adds, except for `performance`, which host.ts defines, and JS_AddIntrinsicEval. The bundle is
   * bytecode, so the parser and the compiler of JavaScript need not be linked (0.18 MB). `eval` and `Function` throw: the
   * executable cannot run a text as code.
   */
  static int (*const PARTS[])(JSContext *context) = {
    JS_AddIntrinsicBaseObjects, JS_AddIntrinsicDate,        JS_AddIntrinsicRegExp,  JS_AddIntrinsicJSON,
    JS_AddIntrinsicProxy,       JS_AddIntrinsicMapSet,      JS_AddIntrinsicTypedArrays,
    JS_AddIntrinsicPromise,     JS_AddIntrinsicWeakRef,     JS_AddIntrinsicAToB,
  };
  JSContext *const context = JS_NewContextRaw(runtime);
  if (context == NULL) return NULL;
  for (size_t i = 0; i < COUNT(PARTS); ++i) {
    if (PARTS[i](context) != 0) return NULL;
  }
  return context;
#endif
}
