/* A tool of the build (quickjs.mjs): compiles the script on standard input to QuickJS's bytecode on standard output, without its
   source and the positions in it. */
#include <stdio.h>
#include <stdlib.h>

#include "quickjs.h"

int main(void) {
  enum { STEP = 1 << 20 };
  char *text = NULL;
  size_t length = 0;
  for (size_t count = 1; count > 0; length += count) {
    text = realloc(text, length + STEP + 1);
    if (text == NULL) return 1;
    count = fread(text + length, 1, STEP, stdin);
  }
  text[length] = '\0';
  JSContext *const context = JS_NewContext(JS_NewRuntime());
  const JSValue script = JS_Eval(context, text, length, "sophia-run", JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
  if (JS_IsException(script)) {
    fprintf(stderr, "%s\n", JS_ToCString(context, JS_GetException(context)));
    return 1;
  }
  size_t size = 0;
  const int flags = JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE | JS_WRITE_OBJ_STRIP_DEBUG;
  const uint8_t *const code = JS_WriteObject(context, &size, script, flags);
  return code != NULL && fwrite(code, 1, size, stdout) == size && fflush(stdout) == 0 ? 0 : 1;
}
