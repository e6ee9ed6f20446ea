/**
 * Finds where JavaScript and TypeScript code reads environment variables, and without which of them the code fails. `init` proposes
 * a contract with these variables, and `check --code` reports those that the contract lacks. schema-reads.ts finds the variables
 * that schemas declare, such as those of zod.
 *
 * The limits in the patterns, such as `{0,20}`, bound the time that they take on code of any kind.
 */
import { parseExpression } from "./expressions.ts";
import {
  addLocalVariable,
  sliceCodeAround,
  findCaptures,
  findMatches,
  findReadsByPattern,
  limitObjectNames,
  type LocalVariables,
  type VariableRead,
  type VariableReads,
} from "./reads.ts";
import { findSchemaReads, findSchemaLibraries } from "./schema-reads.ts";
import { isTestedInScript } from "./script-tested-values.ts";

/** The object with the environment of Node.js, of a bundler, or of Bun. Code that also runs in a browser writes `process?.env`. */
const ENVIRONMENT = String.raw`\b(?:process|import\.meta|Bun)\??\.env\b`;
/** The same object, which may be in brackets with a type of TypeScript: `(process.env as Env)`. */
const CAST_ENVIRONMENT = String.raw`(?:${ENVIRONMENT}|\(\s{0,20}${ENVIRONMENT}(?:\s+as\s[^()]{1,80})?\s{0,20}\))`;
/** Another name for the environment: `const env = process.env`, or the parameter `env = process.env` of a function. */
const ENVIRONMENT_ALIAS = new RegExp(
  String.raw`(?:\b(?:const|let|var)\s+|[(,]\s{0,20})(\w+)(?:\s*:[ \w.<>,|]{1,80})?\s*=\s*${ENVIRONMENT}(?:\s+as\s[^;=()\n]{1,80})?\s*(?:[;,)]|$)`,
  "gm",
);
/** `"X" in process.env`. In these patterns `\x60` is the quote of a template. */
const PRESENCE_TEST = new RegExp(String.raw`["'\x60]([A-Za-z_]\w*)["'\x60]\s{1,20}in\s{1,20}${ENVIRONMENT}`, "g");
/** `const { X, Y: y = 1 } = process.env`. */
const DESTRUCTURING = new RegExp(String.raw`\{([^{}]{1,2000})\}\s*=\s*${ENVIRONMENT}`, "g");

/**
 * Finds reads such as these:
 *
 *     const port = Number(process.env.PORT ?? 80), level = import.meta.env["LEVEL"];
 *     const { DATABASE_URL } = process.env;
 *     const token = Deno.env.get("TOKEN");
 *     export const env = z.object({ PORT: z.coerce.number() }).parse(process.env);
 */
export function findScriptReads(text: string): VariableReads {
  const schemaLibraries = findSchemaLibraries(text);
  const file: ScriptFile = { text, locals: new Map(), hasSchema: schemaLibraries.length > 0 };
  const reads = [
    ...findAliasReads(file),
    ...findNestReads(text),
    ...findFunctionReads(text),
    ...findSchemaReads(text, schemaLibraries),
    ...findAccesses(file, CAST_ENVIRONMENT, "[A-Za-z_]\\w*"),
    ...findReadsByPattern(text, /\bDeno\.env\.get\(\s*["'`]([A-Za-z_]\w*)["'`]/g, { isRequired: false }),
    ...findReadsByPattern(text, PRESENCE_TEST, { isRequired: false }),
    ...findDestructuredReads(text, DESTRUCTURING, { areLocalsSearched: true }),
  ];
  return addTestsOfLocals(text, reads, file.locals);
}

interface ScriptFile {
  readonly text: string;
  /** The local variables to which the reads are assigned. findAccesses() adds them. */
  readonly locals: LocalVariables;
  /** True if the file declares a schema for the environment, which states what is required. */
  readonly hasSchema: boolean;
}

/** The key of a property before its value. */
const KEY_BEFORE = /\b(\w{1,100})["']?\s{0,20}:\s{0,20}$/;
/** `const x = ` before a value. */
const LOCAL_BEFORE = /\b(?:const|let|var)\s{1,20}(\w{1,100})(?:\s{0,20}:[^=;]{1,80})?\s{0,20}=\s{0,20}\(?$/;
/** `= ` after a value, which sets the variable. `??=` and `||=` do not match, since they read the variable first. */
const ASSIGNED_AFTER = /^\s*=(?![=>])/;
/** How many characters before a read are searched for a condition, such as `if (!A || !B || !X)`. */
const MAX_LENGTH_BEFORE = 300;

/**
 * Finds accesses such as `env.PORT`, `env["PORT"]` and `env?.PORT`, and adds to `locals` the variables to which they are assigned.
 * TypeScript's `!`, as in `env.PORT!`, states that the variable is set. An access is untested if the code around it neither tests
 * whether the variable is set nor has a fallback.
 *
 * @param objectPattern matches the object that has the environment
 * @param namePattern matches the names of variables
 */
function findAccesses(
  { text, locals, hasSchema }: ScriptFile,
  objectPattern: string,
  namePattern: string,
): VariableReads {
  // The groups are the name in quotes, the name after a dot, and the `!`.
  const access = String.raw`${objectPattern}(?:\?\.|\.)?(?:\[\s*["'\x60](${namePattern})["'\x60]\s*\]|(?<=\.)(${namePattern})\b)(!(?!=))?`;
  return findMatches(text, new RegExp(access, "g")).flatMap((match) => {
    const [, quotedName, plainName, nonNullMark] = match;
    const { before, after } = sliceCodeAround(text, match, MAX_LENGTH_BEFORE);
    const isWrite = ASSIGNED_AFTER.test(after) || /\bdelete\s+$/.test(before);
    if (isWrite) return [];
    const name = quotedName ?? plainName ?? "";
    const localName = LOCAL_BEFORE.exec(before)?.[1];
    if (localName !== undefined) addLocalVariable(locals, localName, name);
    // With t3-env, `PORT: process.env.PORT` hands the value to the schema, which tests it.
    const isHandedToSchema = hasSchema && KEY_BEFORE.exec(before)?.[1] === name;
    return [
      {
        name,
        isRequired: nonNullMark !== undefined || failsIfUnset(before, after),
        offset: match.index,
        isUntested: !isHandedToSchema && !isTestedInScript(before, after),
      },
    ];
  });
}

/** Code that ends a program: `throw`, or a call of a function with such a word in its name, which is a guess. */
const FAILURE_PATTERN = String.raw`throw\b|(?:\w+\.)?\w*(?:fail|raise|abort|panic|die|exit|missing|required|never)\w*\s*\(`;
/** A function whose argument must be true or set: `assert(X)`. */
const ASSERTION_BEFORE = /\b(?:assert(?:\.(?:ok|notEqual|strictEqual))?|invariant|ok|nonNull|ensure|required?)\(\s*$/i;
/** `X ?? fail()`, or `X || (() => { throw …`. */
const OR_FAILURE = new RegExp(
  String.raw`^\s*(?:\?\?|\|\|)\s*(?:\(\s*\(\s*\)\s*=>\s*\{?\s*)?(?:${FAILURE_PATTERN})`,
  "i",
);
/** The code before the value in `if (!X)`, or in `if (!A || !X)`. */
const IF_NOT_BEFORE = /\bif\s*\(\s*(?:!\s*[\w$.?[\]"']{1,80}\s*\|\|\s*){0,9}!\s*$/;
/** The code before the value in `if (X === undefined)`, or in `if (typeof X === "undefined")`. */
const IF_BEFORE = /\bif\s*\(\s*(?:typeof\s+)?$/;
/** The code after the value in such a condition. */
const IS_UNSET_AFTER = /^\s*={2,3}\s*(?:undefined|null|""|''|"undefined"|'undefined')/;
/**
 * The rest of such an `if` statement after the value, up to code that ends the program. A message may be printed before. The
 * condition must not contain `&&`, since `if (!A && !B)` does not require both variables.
 */
const THEN_FAILURE = new RegExp(
  String.raw`^(?:(?!&&)[^{};]){0,200}\)\s*\{?\s*(?:console\.\w+\([^;{}]{0,200}\);?\s*)?(?:return\s+)?(?:${FAILURE_PATTERN})`,
  "i",
);

/** Returns true for `assert(X)`, `X ?? fail()`, `if (!X) throw` and `if (X === undefined) throw`. */
function failsIfUnset(before: string, after: string): boolean {
  if (ASSERTION_BEFORE.test(before) || OR_FAILURE.test(after)) return true;
  const isInCondition = IF_NOT_BEFORE.test(before) || (IF_BEFORE.test(before) && IS_UNSET_AFTER.test(after));
  return isInCondition && THEN_FAILURE.test(after);
}

/** `const x = process.env.X;` without a fallback. */
const PLAIN_ASSIGNMENT = new RegExp(
  String.raw`\b(?:const|let|var)\s+(\w+)(?:\s*:[^=;]{1,80})?\s*=\s*${ENVIRONMENT}(?:\??\.([A-Za-z_]\w*)|(?:\?\.)?\[\s*["'\x60]([A-Za-z_]\w*)["'\x60]\s*\])\s*(?:;|$)`,
  "gm",
);

/** An item of a destructuring pattern without a default: `X`, or `X: x`. */
const DESTRUCTURED_ITEM = /(?:^|,)\s*([A-Za-z_]\w*)(?:\s*:\s*(\w+))?\s*(?=,|$)/g;

/**
 * Adds to the reads what the file does to their local variables. After `const x = process.env.X` or
 * `const { X: x } = process.env`, X is required if the code fails without `x`, and X is tested if `x` is tested.
 *
 * @param accessLocals the local variables that findAccesses() has found
 */
function addTestsOfLocals(text: string, reads: VariableReads, accessLocals: LocalVariables): VariableReads {
  const destructuredLocals = findDestructuredLocals(text);
  const locals: LocalVariables = new Map(accessLocals);
  for (const [localName, variable] of destructuredLocals) addLocalVariable(locals, localName, variable);
  const localsWithoutFallback = new Map([...findPlainLocals(text), ...destructuredLocals]);
  if (localsWithoutFallback.size + locals.size === 0) return reads;
  const { required, tested } = findUsesOfLocals(text, locals, localsWithoutFallback);
  return reads.map((read) => ({
    ...read,
    isRequired: read.isRequired || required.has(read.name),
    isUntested: read.isUntested === true && !tested.has(read.name),
  }));
}

/**
 * Finds the environment variables without whose local variables the code fails, and those whose local variables it tests.
 *
 * @param localsWithoutFallback the environment variable of each local variable that has no value if the environment variable is not
 *   set
 */
function findUsesOfLocals(
  text: string,
  locals: LocalVariables,
  localsWithoutFallback: ReadonlyMap<string, string>,
): { readonly required: ReadonlySet<string>; readonly tested: ReadonlySet<string> } {
  const required = new Set<string>();
  const tested = new Set<string>();
  const isLocal = (word: string): boolean => localsWithoutFallback.has(word) || locals.has(word);
  // Looking up each word of the file is faster than a pattern of all the names, which would try each name at each character.
  for (const match of findMatches(text, /(?<![\w$.])\w+(?![\w$])/g, isLocal)) {
    const [localName] = match;
    const { before, after } = sliceCodeAround(text, match, MAX_LENGTH_BEFORE);
    const variableWithoutFallback = localsWithoutFallback.get(localName);
    if (variableWithoutFallback !== undefined && failsIfUnset(before, after)) required.add(variableWithoutFallback);
    if (!isTestedInScript(before, after)) continue;
    for (const variable of locals.get(localName) ?? []) tested.add(variable);
  }
  return { required, tested };
}

/** Finds `const x = process.env.X;`. Returns the environment variable of each local variable. */
function findPlainLocals(text: string): ReadonlyMap<string, string> {
  return new Map(
    Array.from(text.matchAll(PLAIN_ASSIGNMENT), ([, localName = "", plainName, quotedName]) => {
      return [localName, plainName ?? quotedName ?? ""];
    }),
  );
}

/** Finds `const { X: x } = process.env`. Returns pairs of a local variable and its environment variable. */
function findDestructuredLocals(text: string): readonly (readonly [localName: string, variable: string])[] {
  return findCaptures(text, DESTRUCTURING).flatMap((items) => {
    return Array.from(
      items.matchAll(DESTRUCTURED_ITEM),
      ([, name = "", localName = name]) => [localName, name] as const,
    );
  });
}

/** Finds `env.X` after `const env = process.env`, `const { env } = process` or `import { env } from "node:process"`. */
function findAliasReads(file: ScriptFile): VariableReads {
  const { text } = file;
  // The last two patterns are imports of `env` by its own name and by another name.
  const aliases = new Set([
    ...findCaptures(text, ENVIRONMENT_ALIAS),
    ...findCaptures(text, /\{\s*(env)\s*\}\s*=\s*process\s*(?:;|$)/gm),
    ...findCaptures(
      text,
      /\bimport\s*\{[^{}]{0,500}\b(env)\b(?!\s+as\b)[^{}]{0,500}\}\s*from\s*["'](?:node:)?process["']/g,
    ),
    ...findCaptures(
      text,
      /\bimport\s*\{[^{}]{0,500}\benv\s+as\s+(\w+)[^{}]{0,500}\}\s*from\s*["'](?:node:)?process["']/g,
    ),
  ]);
  return limitObjectNames(aliases).flatMap((alias) => {
    const destructuring = String.raw`\{([^{}]{1,2000})\}\s*=\s*${alias}\s*(?:;|$)`;
    return [
      // Only upper-case names are taken for variables, since a function may have another object of the same name.
      ...findAccesses(file, String.raw`(?<![\w$.])${alias}`, "[A-Z][A-Z0-9_]*"),
      ...findDestructuredReads(text, new RegExp(destructuring, "gm"), { areLocalsSearched: false }),
    ];
  });
}

/** A call of Nest's configuration service: `configService.get("X")`, `getOrThrow("X")`, `config.get<string>("X")`. */
const NEST_CALL = /\bconfig(?:Service)?\.get(OrThrow)?(?:<[^()]{1,200}>)?\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]/g;

/** Finds reads with Nest, a framework. Keys in lower case belong to the configuration of the application. */
function findNestReads(text: string): VariableReads {
  if (!/["']@nestjs\/config["']/.test(text)) return [];
  return Array.from(text.matchAll(NEST_CALL), ({ 1: orThrow, 2: name = "", index }) => {
    return { name, isRequired: orThrow !== undefined, offset: index };
  });
}

/** `requireEnv("X")`, `mustGetEnvVar("X")` and similar names that projects give to such functions, and `getEnvOrThrow("X")`. */
const REQUIRING_CALL =
  /\b(?:require|required|must|mustGet|need|ensure|assert|expect)_?Env(?:Var|ironmentVariable|ironment|Variable)?\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]|\b(?:getEnv|env)(?:Var)?OrThrow\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]/g;

/** Finds calls of functions that require a variable, and `env.get("X").required()` of the package env-var. */
function findFunctionReads(text: string): VariableReads {
  const requiringReads = findReadsByPattern(text, REQUIRING_CALL, { isRequired: true });
  if (!/["']env-var["']/.test(text)) return requiringReads;
  const getReads = findMatches(text, /\.get\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]\s*\)/g).map((match) => {
    const { 0: getCall, 1: name = "", index } = match;
    const furtherCalls = parseExpression(text, index + getCall.length);
    return { name, isRequired: /\.required\(\s*(?:true)?\s*\)/.test(furtherCalls), offset: index };
  });
  return [...requiringReads, ...getReads];
}

/**
 * Finds the names in destructuring patterns such as `{ A, B: b, C = 1 }`.
 *
 * @param pattern its first group is the text between the braces, and its match begins with the opening brace
 * @param options.areLocalsSearched true if `addTestsOfLocals` searches for tests of the local variables. Until then the variables
 *   without a default are untested.
 */
function findDestructuredReads(text: string, pattern: RegExp, options: { areLocalsSearched: boolean }): VariableReads {
  const reads: VariableRead[] = [];
  for (const { 1: items = "", index } of text.matchAll(pattern)) {
    let itemOffset = index + "{".length;
    for (const item of items.split(",")) {
      const [, space = "", name] = /^(\s*)([A-Za-z_]\w*)\s*(?:[:=]|$)/.exec(item) ?? [];
      const hasDefault = item.includes("=");
      if (name !== undefined) {
        const isUntested = options.areLocalsSearched && !hasDefault;
        reads.push({ name, isRequired: false, offset: itemOffset + space.length, isUntested });
      }
      itemOffset += item.length + ",".length;
    }
  }
  return reads;
}
