// Makes the engine's functions smaller, by a seventh of the image and a tenth of the bytecode. Of a variable stays what a running
// function asks for: whether closures share it, and by which number. Its name, scope and kind are for the compiler, and for a direct
// eval(), which fails here. A stripped function has no room for its places in the source.
import { between } from "./parts/changes.mjs";

/** The structures of what a function has: variables that it takes from around it, and its places in the source. */
const STRUCTURES = `/* A variable of a function around this one. */
typedef struct JSCapture {
    uint8_t closure_type; /* see JSClosureTypeEnum */
    bool is_lexical;
    uint16_t var_idx; /* as in JSClosureVar */
} JSCapture;

/* The places in the source. */
typedef struct JSFunctionDebug {
    JSAtom filename;
    int line_num;
    int col_num;
    int source_len;
    int pc2line_len;
    uint8_t *pc2line_buf;
    char *source;
} JSFunctionDebug;

/* For stripped functions; nothing writes to it. */
static JSFunctionDebug no_debug;

typedef struct JSFunctionBytecode {`;

/** The part of JS_WriteFunctionTag that writes the variables. */
const WRITTEN = `    if (b->captured) {
        bc_put_leb128(s, b->arg_count + b->var_count);
        for(i = 0; i < b->arg_count + b->var_count; i++)
            bc_put_leb128(s, b->captured[i]);
    } else {
        bc_put_leb128(s, 0);
    }

    for(i = 0; i < b->closure_var_count; i++) {
        JSCapture *cv = &b->closure_var[i];
        bc_put_leb128(s, cv->var_idx);
        flags = idx = 0;
        bc_set_flags(&flags, &idx, cv->closure_type, 3);
        bc_set_flags(&flags, &idx, cv->is_lexical, 1);
        bc_put_u8(s, flags);
    }

`;

/** The part of JS_ReadFunctionTag that reads them. */
const READ = `    for(i = 0; i < local_count; i++) {
        if (bc_get_leb128_u16(s, &b->captured[i]))
            goto fail;
    }
    for(i = 0; i < b->closure_var_count; i++) {
        JSCapture *cv = &b->closure_var[i];
        if (bc_get_leb128_u16(s, &cv->var_idx))
            goto fail;
        if (bc_get_u8(s, &v8))
            goto fail;
        idx = 0;
        cv->closure_type = bc_get_flags(v8, &idx, 3);
        cv->is_lexical = bc_get_flags(v8, &idx, 1);
    }
`;

/** The part of js_create_function that gives them to the function. */
const CREATED = `    for (idx = 0; idx < fd->arg_count; idx++)
        JS_FreeAtom(ctx, fd->args[idx].var_name);
    for (idx = 0; idx < fd->var_count; idx++)
        JS_FreeAtom(ctx, fd->vars[idx].var_name);
    if (fd->arg_count + fd->var_count > 0) {
        if (fd->var_ref_count > 0) {
            b->captured = (void *)((uint8_t*)b + captured_offset);
            for (idx = 0; idx < fd->arg_count; idx++)
                b->captured[idx] = fd->args[idx].is_captured ? fd->args[idx].var_ref_idx + 1 : 0;
            for (idx = 0; idx < fd->var_count; idx++)
                b->captured[fd->arg_count + idx] = fd->vars[idx].is_captured ? fd->vars[idx].var_ref_idx + 1 : 0;
        }
`;

/** A direct eval() would need the names of the variables around it. */
const NO_DIRECT_EVAL = `static __exception int add_closure_variables(JSContext *ctx, JSFunctionDef *s,
                                             JSFunctionBytecode *b, int scope_idx)
{
    JS_ThrowSyntaxError(ctx, "a direct eval finds no variables here");
    return -1;
}

`;

/**
 * Returns the changes of quickjs.c: old and new text, and how often it occurs.
 */
export function smallerFunctions() {
  return [
    // The dumps of a build without NDEBUG, which print the names of variables.
    ["#ifndef NDEBUG\n#define ENABLE_DUMPS\n#endif\n", ""],
    [
      "    JSVarDef *vardefs; /* arguments + local variables (arg_count + var_count) (self pointer) */\n" +
        "    JSClosureVar *closure_var; /* list of variables in the closure (self pointer) */\n",
      "    /* For each argument and local variable (arg_count + var_count): 0, or its index in var_refs + 1 if it is captured; NULL if\n" +
        "       none is (self pointer) */\n    uint16_t *captured;\n" +
        "    JSCapture *closure_var; /* list of variables in the closure (self pointer) */\n",
    ],
    [
      between(
        "    JSAtom filename;\n    int line_num;\n    int col_num;\n    int source_len;\n",
        "} JSFunctionBytecode;",
      ),
      "    JSFunctionDebug *debug;\n",
    ],
    [
      "b->vardefs) {\n        js_func_size += (b->arg_count + b->var_count) * sizeof(*b->vardefs);",
      "b->captured) {\n        js_func_size += (b->arg_count + b->var_count) * sizeof(*b->captured);",
    ],
    // The error of a variable that has no value yet.
    [
      between(
        "    JSAtom atom = JS_ATOM_NULL;\n    if (is_ref) {\n",
        "    return JS_ThrowReferenceErrorUninitialized(ctx, atom);",
      ),
      "    JSAtom atom = JS_ATOM_NULL;\n",
    ],
    ["    int var_ref_idx;\n    JSVarDef *vd;\n\n", "    int var_ref_idx, place;\n\n"],
    ["        vd = &b->vardefs[var_idx];\n        pvalue", "        place = var_idx;\n        pvalue"],
    [
      "        vd = &b->vardefs[b->arg_count + var_idx];\n        pvalue",
      "        place = b->arg_count + var_idx;\n        pvalue",
    ],
    [
      "    if (vd->is_captured) {\n        var_ref_idx = vd->var_ref_idx;\n",
      "    if (b->captured && b->captured[place]) {\n        var_ref_idx = b->captured[place] - 1;\n",
    ],
    [
      "    var_ref_idx = b->vardefs[b->arg_count + var_idx].var_ref_idx;\n",
      "    var_ref_idx = b->captured[b->arg_count + var_idx] - 1;\n",
    ],
    // js_closure2 and the functions of modules
    [
      "            JSClosureVar *cv = &b->closure_var[i];\n            JSVarRef *var_ref;\n",
      "            JSCapture *cv = &b->closure_var[i];\n            JSVarRef *var_ref;\n",
      2,
    ],
    [between("static __exception int add_closure_variables(", "typedef struct CodeContext {"), NO_DIRECT_EVAL],
    // js_create_function
    [
      "    int closure_var_offset, vardefs_offset;\n\n    /* recompute",
      "    int closure_var_offset, captured_offset;\n\n    /* recompute",
    ],
    [
      between(
        "    vardefs_offset = function_size;\n    function_size += (fd->arg_count",
        "    byte_code_offset = function_size;\n    function_size += fd->byte_code.size;",
      ),
      "    closure_var_offset = function_size;\n    function_size += fd->closure_var_count * sizeof(*b->closure_var);\n" +
        "    captured_offset = function_size;\n    if (fd->var_ref_count > 0)\n" +
        "        function_size += (fd->arg_count + fd->var_count) * sizeof(*b->captured);\n",
    ],
    [
      "    b = js_mallocz(ctx, function_size);\n    if (!b)\n        goto fail;\n    JS_REF_COUNT(b) = 1;\n\n    b->byte_code_buf",
      "    b = js_mallocz(ctx, function_size);\n    if (!b)\n        goto fail;\n    b->debug = js_mallocz(ctx, sizeof(*b->debug));\n" +
        "    if (!b->debug) {\n        js_free(ctx, b);\n        goto fail;\n    }\n    JS_REF_COUNT(b) = 1;\n\n    b->byte_code_buf",
    ],
    [
      between(
        "    if (fd->arg_count + fd->var_count > 0) {\n        b->vardefs =",
        "        b->var_count = fd->var_count;\n        b->arg_count = fd->arg_count;",
      ),
      CREATED,
    ],
    [
      "        memcpy(b->closure_var, fd->closure_var, b->closure_var_count * sizeof(*b->closure_var));\n",
      "        for (idx = 0; idx < fd->closure_var_count; idx++) {\n            const JSClosureVar *cv = &fd->closure_var[idx];\n" +
        "            b->closure_var[idx] = (JSCapture){ cv->closure_type, cv->is_lexical, cv->var_idx };\n" +
        "            JS_FreeAtom(ctx, cv->var_name);\n        }\n",
    ],
    // free_function_bytecode
    [
      between(
        "    if (b->vardefs) {\n        for(i = 0; i < b->arg_count + b->var_count; i++) {\n            JS_FreeAtomRT(",
        "    for(i = 0; i < b->cpool_count; i++)\n        JS_FreeValueRT(rt, b->cpool[i]);",
      ),
      "",
    ],
    [
      "    for(i = 0; i < b->closure_var_count; i++) {\n        JSClosureVar *cv = &b->closure_var[i];\n        JS_FreeAtomRT(rt, cv->var_name);\n    }\n",
      "",
    ],
    [
      "    js_free_rt(rt, b->source);\n",
      "    js_free_rt(rt, b->source);\n    if (b->debug != &no_debug)\n        js_free_rt(rt, b->debug);\n",
    ],
    // JS_WriteFunctionTag
    [
      between(
        "    if (b->vardefs) {\n        /* XXX: this field is redundant */",
        "    // write constant pool before code",
      ),
      WRITTEN,
    ],
    // JS_ReadFunctionTag
    [
      "    int closure_var_offset, vardefs_offset;\n\n    memset",
      "    int closure_var_offset, captured_offset;\n\n    memset",
    ],
    [
      between(
        "    vardefs_offset = function_size;\n    function_size += local_count",
        "    byte_code_offset = function_size;\n    function_size += bc.byte_code_len;",
      ),
      "    closure_var_offset = function_size;\n    function_size += bc.closure_var_count * sizeof(*bc.closure_var);\n" +
        "    captured_offset = function_size;\n    function_size += local_count * sizeof(*bc.captured);\n",
    ],
    [
      "        b->vardefs = (void *)((uint8_t*)b + vardefs_offset);\n    }\n    if (b->closure_var_count != 0)",
      "        b->captured = (void *)((uint8_t*)b + captured_offset);\n    }\n    if (b->closure_var_count != 0)",
    ],
    [
      "    memcpy(b, &bc, sizeof(*b));\n    bc.func_name",
      "    memcpy(b, &bc, sizeof(*b));\n    b->debug = &no_debug;\n    bc.func_name",
    ],
    [
      between(
        '    if (local_count != 0) {\n        bc_read_trace(s, "vars {\\n");',
        '    if (b->cpool_count != 0) {\n        bc_read_trace(s, "cpool {\\n");',
      ),
      READ,
    ],
    [
      '    bc_read_trace(s, "debug {\\n");\n',
      '    bc_read_trace(s, "debug {\\n");\n    b->debug = js_mallocz(ctx, sizeof(*b->debug));\n' +
        "    if (!b->debug) {\n        b->debug = &no_debug;\n        goto fail;\n    }\n",
    ],
    [
      "        int *field = (int *) ((char *)b + magic);\n",
      "        int *field = (int *) ((char *)b->debug + magic);\n",
    ],
    ["offsetof(JSFunctionBytecode, line_num)", "offsetof(JSFunctionDebug, line_num)"],
    ["offsetof(JSFunctionBytecode, col_num)", "offsetof(JSFunctionDebug, col_num)"],
    ["typedef struct JSFunctionBytecode {", STRUCTURES],
  ];
}

/** Returns the text of quickjs.c in which the places in the source are a function's `debug`. */
export function withSeparatePlaces(text) {
  return text.replaceAll(
    /\bb->(?=(?:filename|line_num|col_num|source|source_len|pc2line_len|pc2line_buf)\b)/g,
    "b->debug->",
  );
}
