/*
 * Compiles the script on standard input to bytecode of the engine QuickJS, which it writes to standard output. The bytecode
 * contains neither the source nor line numbers. The build runs this tool (quickjs.mjs).
 */
#include <stdio.h>
#include <stdlib.h>

#include "quickjs.h"

/* Returns 0, or 1 after a failure. Frees no memory, because the process ends after one script. */
int main(void) {
  /* Standard input is read in chunks of this size, since its length is not known. */
  enum { CHUNK_BYTES = 1 << 20 };
  char *text = NULL;
  size_t length = 0;
  for (size_t count = 1; count > 0; length += count) {
    text = realloc(text, length + CHUNK_BYTES + 1);
    if (text == NULL) return 1;
    count = fread(text + length, 1, CHUNK_BYTES, stdin);
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
  const uint8_t *const bytecode = JS_WriteObject(context, &size, script, flags);
  const int is_written = bytecode != NULL && fwrite(bytecode, 1, size, stdout) == size && fflush(stdout) == 0;
  return is_written ? 0 : 1;
}
