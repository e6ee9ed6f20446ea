/** Finds the environment variables that JavaScript and TypeScript code reads, and those without which the code fails. */
import {
  addLocal,
  codeAround,
  expressionAt,
  firstGroups,
  firstMatches,
  firstNames,
  type LocalVariables,
  readsByPattern,
  type VariableRead,
  type VariableReads,
} from "./reads.ts";
import { findSchemaReads, schemasOf } from "./schema-reads.ts";
import { isTested } from "./script-tests.ts";

/** The environment of Node.js, of a bundler, or of Bun. Code that also runs in a browser writes `process?.env`. */
const ENVIRONMENT = String.raw`\b(?:process|import\.meta|Bun)\??\.env\b`;
/** The same, which may be in brackets with a type of TypeScript: `(process.env as Env)`. */
const CAST_ENVIRONMENT = String.raw`(?:${ENVIRONMENT}|\(\s{0,20}${ENVIRONMENT}(?:\s+as\s[^()]{1,80})?\s{0,20}\))`;
/** Another name for the environment: `const env = process.env`, or the parameter `env = process.env` of a function. */
const ENVIRONMENT_ALIAS = new RegExp(
  String.raw`(?:\b(?:const|let|var)\s+|[(,]\s{0,20})(\w+)(?:\s*:[ \w.<>,|]{1,80})?\s*=\s*${ENVIRONMENT}(?:\s+as\s[^;=()\n]{1,80})?\s*(?:[;,)]|$)`,
  "gm",
);
/** `"X" in process.env`. */
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
  const locals: LocalVariables = new Map();
  const schemas = schemasOf(text);
  const file: ScriptFile = { text, locals, hasSchema: schemas.length > 0 };
  const directReads = findAccesses(file, CAST_ENVIRONMENT, "[A-Za-z_]\\w*");
  const reads = [
    ...findAliasReads(file),
    ...findNestReads(text),
    ...findFunctionReads(text),
    ...findSchemaReads(text, schemas),
    ...directReads,
    ...readsByPattern(text, /\bDeno\.env\.get\(\s*["'`]([A-Za-z_]\w*)["'`]/g, false),
    ...readsByPattern(text, PRESENCE_TEST, false),
    ...findDestructuredReads(text, DESTRUCTURING, true),
  ];
  return withTestsOfLocals(text, reads, locals);
}

interface ScriptFile {
  readonly text: string;
  /** Gets the local variables to which the reads are assigned. */
  readonly locals: LocalVariables;
  /** The file hands what it reads to a schema, which declares what is required. */
  readonly hasSchema: boolean;
}

/**
 * Finds accesses such as `env.PORT`, `env["PORT"]` and `env?.PORT`, and adds the local variables of `file`. TypeScript's `!`,
 * as in `env.PORT!`, states that the variable is set.
 *
 * @param object a pattern for the object that has the environment
 * @param name a pattern for the names of variables
 */
function findAccesses({ text, locals, hasSchema }: ScriptFile, object: string, name: string): VariableReads {
  const access = String.raw`${object}(?:\?\.|\.)?(?:\[\s*["'\x60](${name})["'\x60]\s*\]|(?<=\.)(${name})\b)(!(?!=))?`;
  return firstMatches(text, new RegExp(access, "g")).flatMap((match): VariableReads => {
    const [, quotedName, plainName, nonNullMark] = match;
    const { before, after } = codeAround(text, match, MAX_BEFORE);
    const isWrite = ASSIGNED_AFTER.test(after) || /\bdelete\s+$/.test(before);
    if (isWrite) return [];
    const variable = quotedName ?? plainName ?? "";
    const isRequired = nonNullMark !== undefined || isGuarded(before, after);
    const read = [variable, isRequired, match.index] as const;
    const local = LOCAL_BEFORE.exec(before)?.[1];
    if (local !== undefined) addLocal(locals, local, variable);
    // `PORT: process.env.PORT` is how t3-env gets its values.
    const isHandedToSchema = hasSchema && KEY_BEFORE.exec(before)?.[1] === variable;
    return [isTested(before, after) || isHandedToSchema ? read : [...read, UNTESTED]];
  });
}

/** The key of a property before its value. */
const KEY_BEFORE = /\b(\w{1,100})["']?\s{0,20}:\s{0,20}$/;
const UNTESTED = { isUntested: true } as const;
/** `const x = ` before a value. */
const LOCAL_BEFORE = /\b(?:const|let|var)\s{1,20}(\w{1,100})(?:\s{0,20}:[^=;]{1,80})?\s{0,20}=\s{0,20}\(?$/;
/** The code sets the variable. `??=` and `||=` do not match, since they read the variable first. */
const ASSIGNED_AFTER = /^\s*=(?![=>])/;
/** The characters before a read that are searched for a guard. */
const MAX_BEFORE = 300;

/** Statements, and words in the names of functions, that end a program. */
const FAILS = String.raw`throw\b|(?:\w+\.)?\w*(?:fail|raise|abort|panic|die|exit|missing|required|never)\w*\s*\(`;
/** A function whose argument must be true or set: `assert(X)`. */
const ASSERTION_BEFORE = /\b(?:assert(?:\.(?:ok|notEqual|strictEqual))?|invariant|ok|nonNull|ensure|required?)\(\s*$/i;
/** `X ?? fail()`, or `X || (() => { throw …`. */
const OR_FAILS = new RegExp(String.raw`^\s*(?:\?\?|\|\|)\s*(?:\(\s*\(\s*\)\s*=>\s*\{?\s*)?(?:${FAILS})`, "i");
/** The beginning of `if (!X)`, or of a later part of `if (!A || !X)`. */
const IF_MISSING = /\bif\s*\(\s*(?:!\s*[\w$.?[\]"']{1,80}\s*\|\|\s*){0,9}!\s*$/;
const IF_BEFORE = /\bif\s*\(\s*(?:typeof\s+)?$/;
const EQUALS_UNSET = /^\s*={2,3}\s*(?:undefined|null|""|''|"undefined"|'undefined')/;
/** The rest of such an `if` statement. It must not contain `&&`, since `if (!A && !B)` does not require both variables. */
const THEN_FAILS = new RegExp(
  String.raw`^(?:(?!&&)[^{};]){0,200}\)\s*\{?\s*(?:console\.\w+\([^;{}]{0,200}\);?\s*)?(?:return\s+)?(?:${FAILS})`,
  "i",
);

/** Returns true for `assert(X)`, `X ?? fail()`, `if (!X) throw` and `if (X === undefined) throw`. */
function isGuarded(before: string, after: string): boolean {
  if (ASSERTION_BEFORE.test(before) || OR_FAILS.test(after)) return true;
  const isIf = IF_MISSING.test(before) || (IF_BEFORE.test(before) && EQUALS_UNSET.test(after));
  return isIf && THEN_FAILS.test(after);
}

/** `const x = process.env.X;` without a fallback. */
const PLAIN_ASSIGNMENT = new RegExp(
  String.raw`\b(?:const|let|var)\s+(\w+)(?:\s*:[^=;]{1,80})?\s*=\s*${ENVIRONMENT}(?:\??\.([A-Za-z_]\w*)|(?:\?\.)?\[\s*["'\x60]([A-Za-z_]\w*)["'\x60]\s*\])\s*(?:;|$)`,
  "gm",
);

/**
 * Returns the reads with what the file does to their local variables. After `const x = process.env.X` or
 * `const { X: x } = process.env` a guard of `x` makes X required, and a test of `x` is a test of X.
 *
 * @param testedLocals the local variables whose tests are searched, to which those of `{ X: x }` are added
 */
function withTestsOfLocals(text: string, reads: VariableReads, testedLocals: LocalVariables): VariableReads {
  const guardedLocals = new Map<string, string>();
  for (const [, local = "", plainName, quotedName] of text.matchAll(PLAIN_ASSIGNMENT)) {
    guardedLocals.set(local, plainName ?? quotedName ?? "");
  }
  for (const list of firstGroups(text, DESTRUCTURING)) {
    for (const [, name = "", local = name] of list.matchAll(/(?:^|,)\s*([A-Za-z_]\w*)(?:\s*:\s*(\w+))?\s*(?=,|$)/g)) {
      guardedLocals.set(local, name);
      addLocal(testedLocals, local, name);
    }
  }
  if (guardedLocals.size + testedLocals.size === 0) return reads;
  const guarded = new Set<string>();
  const tested = new Set<string>();
  const isLocal = (word: string): boolean => guardedLocals.has(word) || testedLocals.has(word);
  // Every word of the file is looked up. A pattern of all the names would try each of them at each character.
  for (const match of firstMatches(text, /(?<![\w$.])\w+(?![\w$])/g, isLocal)) {
    const [local] = match;
    const { before, after } = codeAround(text, match, MAX_BEFORE);
    const guardedVariable = guardedLocals.get(local);
    if (guardedVariable !== undefined && isGuarded(before, after)) guarded.add(guardedVariable);
    if (isTested(before, after)) for (const variable of testedLocals.get(local) ?? []) tested.add(variable);
  }
  return reads.map(([name, required, offset, details]) => {
    const isTestedElsewhere = details?.isUntested === true && tested.has(name);
    const read = [name, required || guarded.has(name), offset] as const;
    return details === undefined || isTestedElsewhere ? read : ([...read, details] as const);
  });
}

/** Finds `env.X` after `const env = process.env`, `const { env } = process` or `import { env } from "node:process"`. */
function findAliasReads(file: ScriptFile): VariableReads {
  const { text } = file;
  const aliases = new Set([
    ...firstGroups(text, ENVIRONMENT_ALIAS),
    ...firstGroups(text, /\{\s*(env)\s*\}\s*=\s*process\s*(?:;|$)/gm),
    ...firstGroups(
      text,
      /\bimport\s*\{[^{}]{0,500}\b(env)\b(?!\s+as\b)[^{}]{0,500}\}\s*from\s*["'](?:node:)?process["']/g,
    ),
    ...firstGroups(
      text,
      /\bimport\s*\{[^{}]{0,500}\benv\s+as\s+(\w+)[^{}]{0,500}\}\s*from\s*["'](?:node:)?process["']/g,
    ),
  ]);
  return firstNames(aliases).flatMap((alias) => {
    const destructuring = String.raw`\{([^{}]{1,2000})\}\s*=\s*${alias}\s*(?:;|$)`;
    return [
      // Only names in upper case are variables here, since another object in a function may have the same name.
      ...findAccesses(file, String.raw`(?<![\w$.])${alias}`, "[A-Z][A-Z0-9_]*"),
      ...findDestructuredReads(text, new RegExp(destructuring, "gm"), false),
    ];
  });
}

/** Finds `configService.get("X")` and `getOrThrow("X")` of Nest. Keys in lower case belong to the application's configuration. */
function findNestReads(text: string): VariableReads {
  if (!/["']@nestjs\/config["']/.test(text)) return [];
  const call = /\bconfig(?:Service)?\.get(OrThrow)?(?:<[^()]{1,200}>)?\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]/g;
  return Array.from(text.matchAll(call), (match): VariableRead => {
    const [, orThrow, name = ""] = match;
    return [name, orThrow !== undefined, match.index];
  });
}

/** Finds `requireEnv("X")` and functions with similar names, and `env.get("X").required()` of the package env-var. */
function findFunctionReads(text: string): VariableReads {
  const requiringCall =
    /\b(?:require|required|must|mustGet|need|ensure|assert|expect)_?Env(?:Var|ironmentVariable|ironment|Variable)?\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]|\b(?:getEnv|env)(?:Var)?OrThrow\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]/g;
  const requiringReads = readsByPattern(text, requiringCall, true);
  if (!/["']env-var["']/.test(text)) return requiringReads;
  const getCalls = firstMatches(text, /\.get\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]\s*\)/g);
  return [
    ...requiringReads,
    ...getCalls.map((match): VariableRead => {
      const furtherCalls = expressionAt(text, match.index + match[0].length);
      const isRequired = /\.required\(\s*(?:true)?\s*\)/.test(furtherCalls);
      return [match[1] ?? "", isRequired, match.index];
    }),
  ];
}

/**
 * Finds the names in destructuring patterns such as `{ A, B: b, C = 1 }`.
 *
 * @param pattern has the text between the braces as its first group; one character comes before the group
 * @param areLocalsSearched withTestsOfLocals() searches the tests of the local variables, so that without a default they are
 *   untested for now
 */
function findDestructuredReads(text: string, pattern: RegExp, areLocalsSearched: boolean): VariableReads {
  const reads: VariableRead[] = [];
  for (const { 1: list = "", index } of text.matchAll(pattern)) {
    let itemStart = index + "{".length;
    for (const item of list.split(",")) {
      const [, space = "", name] = /^(\s*)([A-Za-z_]\w*)\s*(?:[:=]|$)/.exec(item) ?? [];
      if (name !== undefined) {
        const read = [name, false, itemStart + space.length] as const;
        const hasDefault = item.includes("=");
        reads.push(areLocalsSearched && !hasDefault ? [...read, UNTESTED] : read);
      }
      itemStart += item.length + ",".length;
    }
  }
  return reads;
}
