// Compiles QuickJS (quickjs-ng), the engine of the executables for Linux, and scripts to its bytecode.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { smallerFunctions, withSeparatePlaces } from "./functions.mjs";
import { between, changed } from "./parts/changes.mjs";
import { compiled } from "./parts/compile.mjs";
import { crateSources } from "./parts/crate.mjs";
import { run } from "./parts/run.mjs";
import { VERSIONS } from "./parts/versions.mjs";

const PARTS = ["libregexp", "libunicode", "dtoa"];

/**
 * @param root the repository
 * @returns the folder of the sources
 */
export function quickjsSources(root) {
  return join(crateSources(root, VERSIONS.quickjs), "quickjs");
}

/**
 * Compiles the engine.
 *
 * @param root the repository
 * @param compiler the path of zig, or of another compiler
 * @param target zig's name
 * @param flags options
 * @param isChecked with the checks of native/checked/, for tests
 * @returns the paths of its object files
 */
export function quickjsObjects(root, compiler, target, flags, isChecked = false) {
  const sources = quickjsSources(root);
  const paths = PARTS.map((part) => join(sources, `${part}.c`));
  const including = [...flags, `-I${sources}`];
  const main = engine(root, sources, isChecked);
  return compiled(root, compiler, target, [main, ...paths], including, VERSIONS.quickjs.checksum);
}

/** The changes of the checking mode in the engine's allocator of small blocks (runtime/native/checked/cells.inc). */
function checks(own) {
  // As text, because what a file includes has no part in the name by which its object file is found again.
  const cells = own("checked/cells.inc").replace('#include "checked.h"\n', () => own("checked/checked.h"));
  return [
    ["static no_inline JSArena *arena_new(", `${cells}\nstatic no_inline JSArena *arena_new(`],
    [
      "    list_add(&ar->link, &rt->arena_state.arena_list[block_size_idx]);\n",
      "    poison_cells(ar);\n    list_add(&ar->link, &rt->arena_state.arena_list[block_size_idx]);\n",
    ],
    [
      "        ar->first_free_block = b->u.free_next;\n",
      "        take_cell(b);\n        ar->first_free_block = b->u.free_next;\n",
    ],
    [
      "    b->block_size_idx = 0xff; /* fail safe */\n",
      "    b->block_size_idx = 0xff; /* fail safe */\n    b->gc_obj_type = FRESH_TYPE;\n",
      2,
    ],
    [
      "static void js_arena_free(JSRuntime *rt, void *ptr)\n{",
      "static void js_arena_release(JSRuntime *rt, void *ptr)\n{",
    ],
    [
      "    if (!ptr)\n        return 0;\n    b = container_of(ptr,",
      "    if (!ptr)\n        return 0;\n    expect_used(rt, ptr);\n    b = container_of(ptr,",
    ],
    [
      "static void js_arena_init(JSRuntime *runtime);\n",
      "static void js_arena_init(JSRuntime *runtime);\nstatic void keep_image_arenas(JSRuntime *runtime);\n",
    ],
    [
      "  js_arena_init(runtime);\n  fixed_end =",
      "  keep_image_arenas(runtime);\n  js_arena_init(runtime);\n  fixed_end =",
    ],
  ];
}

/**
 * Writes the engine's main file with fixed objects (runtime/native/fixed.h) and tables of unforeseeable order (keyed.h). Returns
 * its path.
 */
function engine(root, sources, isChecked) {
  const own = (name) => readFileSync(join(root, "runtime/native", name), "utf8");
  const changes = [
    ["#define JS_REF_COUNT(p) (js_rc(p)->ref_count)\n", own("fixed.h")],
    // In js_arena_free.
    [
      "if (!ptr)\n        return;\n    b = container_of(ptr,",
      "if (!ptr || js_is_fixed(ptr))\n        return;\n    b = container_of(ptr,",
    ],
    [between("static uint32_t hash_string_rope(", "static __maybe_unused void JS_DumpString("), own("keyed.h")],
    // Atoms: first those of the image, then the others. A new one becomes one of the others.
    [
      "        h = hash_string(str, atom_type);\n        h &= JS_ATOM_HASH_MASK;\n        h1 =",
      "        bool is_last = has_own_key && fixed_end == 0;\n" +
        "        h = is_last ? hash_text(&own_key, JS_MKPTR(JS_TAG_STRING, str), atom_type) : hash_string(str, atom_type);\n" +
        "    look:\n        h &= JS_ATOM_HASH_MASK;\n        h1 =",
    ],
    [
      "            i = p->hash_next;\n        }\n    } else {\n        h1 = 0;",
      "            i = p->hash_next;\n        }\n        if (has_own_key && !is_last) {\n" +
        "            h = hash_text(&own_key, JS_MKPTR(JS_TAG_STRING, str), atom_type);\n            is_last = true;\n" +
        "            goto look;\n        }\n    } else {\n        h1 = 0;",
    ],
    // Properties: the author of a text chooses the atom's number if the name is a number.
    [
      "    uint8_t is_hashed;\n    uint32_t hash; /* current hash value */",
      "    uint8_t is_hashed;\n    /* True if names that are numbers have places by the own key. */\n    uint8_t is_keyed;\n" +
        "    uint32_t hash; /* current hash value */",
    ],
    [
      between("static uintptr_t hash_atom(", "static uint32_t shape_hash("),
      "static inline uintptr_t hash_atom(const JSShape *sh, JSAtom atom)\n{\n" +
        "    const int shift = 1 + clz_uintptr((uintptr_t)sh->prop_hash_mask + 1);\n" +
        "    if (unlikely(__JS_AtomIsTaggedInt(atom)) && sh->is_keyed)\n" +
        "        return atom * own_key.number >> shift;\n    return hash_uintptr(atom) >> shift;\n}\n\n",
    ],
    [
      "    sh->is_hashed = false;\n    return sh;",
      "    sh->is_hashed = false;\n    sh->is_keyed = has_own_key;\n    return sh;",
    ],
    [
      "        for(i = 0, pr = get_shape_prop(sh); i < sh->prop_count; i++, pr++) {\n            if (pr->atom != JS_ATOM_NULL) {\n" +
        "                h = hash_atom(pr->atom, new_hash_mask);",
      "        sh->is_keyed = has_own_key;\n        for(i = 0, pr = get_shape_prop(sh); i < sh->prop_count; i++, pr++) {\n" +
        "            if (pr->atom != JS_ATOM_NULL) {\n                h = hash_atom(sh, pr->atom);",
    ],
    ["hash_atom(old_pr->atom, new_hash_mask)", "hash_atom(sh, old_pr->atom)"],
    ["    h = hash_atom(atom, hash_mask);", "    h = hash_atom(sh, atom);"],
    ["    hash_mask = sh->prop_hash_mask;\n", ""],
    ["    uint32_t hash_mask, new_shape_hash = 0;", "    uint32_t new_shape_hash = 0;"],
    ["    h = hash_atom(atom, sh->prop_hash_mask);", "    h = hash_atom(sh, atom);", 2],
    ["    h1 = hash_atom(atom, sh->prop_hash_mask);", "    h1 = hash_atom(sh, atom);"],
    // Shapes: as atoms.
    [
      "        new_shape_hash = shape_hash(shape_hash(sh->hash, atom), prop_flags);",
      "        new_shape_hash = has_own_key ? hash_shape(sh->hash, atom, prop_flags)\n" +
        "                                     : shape_hash(shape_hash(sh->hash, atom), prop_flags);",
    ],
    [
      "    h = sh->hash;\n    h = shape_hash(h, atom);\n    h = shape_hash(h, prop_flags);\n    h1 =",
      "    bool is_last = has_own_key && !js_is_fixed(sh);\n" +
        "    h = is_last ? hash_shape(sh->hash, atom, prop_flags) : shape_hash(shape_hash(sh->hash, atom), prop_flags);\n" +
        " look:\n    h1 =",
    ],
    [
      "            return sh1;\n        }\n    next: ;\n    }\n    return NULL;",
      "            return sh1;\n        }\n    next: ;\n    }\n    if (has_own_key && !is_last) {\n" +
        "        h = hash_shape(sh->hash, atom, prop_flags);\n        is_last = true;\n        goto look;\n    }\n    return NULL;",
    ],
    // Maps: those of the image keep their order until they grow.
    [
      "    struct list_head *hash_table;\n    uint32_t hash_size;",
      "    struct list_head *hash_table;\n    const struct hash_key *key;\n    uint32_t hash_size;",
    ],
    ["    s->hash_size = 1;\n", "    s->key = map_key;\n    s->hash_size = 1;\n"],
    [
      "static uint32_t map_hash_key(JSContext *ctx, JSValueConst key)",
      "static uint32_t map_hash_key(const JSMapState *s, JSValueConst key)",
    ],
    ["        h = hash_string(JS_VALUE_GET_STRING(key), 0);\n        break;\n", ""],
    ["        h = hash_string_rope(key, 0);", "        h = hash_text(s->key, key, 0);"],
    [
      "        h = (uintptr_t)JS_VALUE_GET_PTR(key) * 3163;",
      "        h = mixed((uintptr_t)JS_VALUE_GET_PTR(key), s->key->number);",
    ],
    ["        h = (u.u32[0] ^ u.u32[1]) * 3163;", "        h = mixed(u.u64, s->key->number);"],
    ["    return h ^ ctx->hash_seed ^ hash32(tag);", "    return h ^ hash32(tag);"],
    ["    h = map_hash_key(ctx, key) &", "    h = map_hash_key(s, key) &", 2],
    ["            h = map_hash_key(ctx, mr->key) &", "            h = map_hash_key(s, mr->key) &"],
    [
      "    list_for_each(el, &s->records) {\n        mr = list_entry(el, JSMapRecord, link);\n        if (!mr->empty) {",
      "    s->key = map_key;\n    list_for_each(el, &s->records) {\n        mr = list_entry(el, JSMapRecord, link);\n        if (!mr->empty) {",
    ],
    // A collection looks at all that is not fixed: 3 to 6 ms in a broker, which by the engine's own rule begins one after each 90
    // requests. It begins none before there is as much as before the first one (main.c).
    [
      "        rt->malloc_gc_threshold = rt->malloc_state.malloc_size +\n            (rt->malloc_state.malloc_size >> 1);",
      "        rt->malloc_gc_threshold = max_int64(8 * 1024 * 1024, rt->malloc_state.malloc_size +\n" +
        "            (rt->malloc_state.malloc_size >> 1));",
    ],
    // The flags of a regular expression, which replaceAll, matchAll and split ask for: eight getters in place of one number.
    // Those of the prototype are never replaced here, so only an expression with properties of its own needs them.
    [
      "    char str[8], *p = str;\n    int res;\n\n    if (JS_VALUE_GET_TAG(this_val) != JS_TAG_OBJECT)\n" +
        "        return JS_ThrowTypeErrorNotAnObject(ctx);\n",
      "    char str[8], *p = str;\n    int res;\n\n    if (JS_VALUE_GET_TAG(this_val) != JS_TAG_OBJECT)\n" +
        "        return JS_ThrowTypeErrorNotAnObject(ctx);\n" +
        "    const JSRegExp *re = js_get_regexp(ctx, this_val, false);\n" +
        "    if (re && JS_VALUE_GET_OBJ(this_val)->shape == ctx->regexp_shape) {\n" +
        "        static const struct { char name; int flag; } flags[] = {\n" +
        "            { 'd', LRE_FLAG_INDICES }, { 'g', LRE_FLAG_GLOBAL }, { 'i', LRE_FLAG_IGNORECASE },\n" +
        "            { 'm', LRE_FLAG_MULTILINE }, { 's', LRE_FLAG_DOTALL }, { 'u', LRE_FLAG_UNICODE },\n" +
        "            { 'v', LRE_FLAG_UNICODE_SETS }, { 'y', LRE_FLAG_STICKY },\n        };\n" +
        "        res = lre_get_flags(str8(re->bytecode));\n" +
        "        for (size_t i = 0; i < countof(flags); i++)\n" +
        "            if (res & flags[i].flag) *p++ = flags[i].name;\n" +
        "        return p == str ? js_empty_string(ctx->rt) : js_new_string8_len(ctx, str, p - str);\n    }\n",
    ],
    // JSON.parse with a function.
    ["h = e->atom & (po->hash_size - 1);", "h = mixed(e->atom, own_key.number) & (po->hash_size - 1);"],
    ["h = key & (po->hash_size - 1);", "h = mixed(key, own_key.number) & (po->hash_size - 1);", 2],
    ...smallerFunctions(),
    ...(isChecked ? checks(own) : []),
  ];
  const text = withSeparatePlaces(changed(readFileSync(join(sources, "quickjs.c"), "utf8"), "quickjs.c", changes));
  const folder = join(root, ".cache", "runtime");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, isChecked ? "checked-quickjs.c" : "quickjs.c");
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

/**
 * Compiles scripts to the engine's bytecode, which is the same for both processors.
 *
 * @param root the repository
 * @param compiler the path of zig
 * @param options of the compiler, with this machine as the target
 * @param link options of the linker, the same
 * @param objects the engine for this machine
 * @param scripts texts by name
 * @returns bytes by name
 */
export function quickjsBytecode(root, compiler, options, link, objects, scripts) {
  const tool = join(root, ".cache", "runtime", `bytecode-${process.pid}`);
  const own = `${tool}.o`;
  const source = join(root, "runtime/build/bytecode.c");
  try {
    run(compiler, ["cc", ...options, `-I${quickjsSources(root)}`, "-c", "-o", own, source]);
    run(compiler, ["cc", ...link, "-o", tool, own, ...objects]);
    return new Map(
      Array.from(scripts, ([name, text]) => {
        const { error, status, stdout, stderr } = spawnSync(tool, [], { input: text, maxBuffer: 1 << 26 });
        if (error !== undefined || status !== 0) throw new Error(`${name}: ${error?.message ?? stderr.toString()}`);
        return [name, stdout];
      }),
    );
  } finally {
    for (const path of [own, tool]) rmSync(path, { force: true });
  }
}
