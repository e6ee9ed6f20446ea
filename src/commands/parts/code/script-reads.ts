/** The variables that JavaScript and TypeScript code reads, and those that it cannot do without. */
import {
  addLocal,
  expressionAt,
  firstMatches,
  firstNames,
  type Locals,
  matchesOf,
  readsBy,
  type Read,
  type Reads,
} from "./reads.ts";
import { readsBySchemas, schemasOf } from "./schema-reads.ts";
import { isTested } from "./script-tests.ts";

/** The environment of Node.js, of Bun, and of a bundler; with `?.` in code that also runs in a browser. */
const ENVIRONMENT = String.raw`\b(?:process|import\.meta|Bun)\??\.env\b`;
/** The same, perhaps in brackets with a type of TypeScript. */
const OBJECT = String.raw`(?:${ENVIRONMENT}|\(\s{0,20}${ENVIRONMENT}(?:\s+as\s[^()]{1,80})?\s{0,20}\))`;
/** Another name for it: a constant, or a parameter by default. */
const NAMED = new RegExp(
  String.raw`(?:\b(?:const|let|var)\s+|[(,]\s{0,20})(\w+)(?:\s*:[ \w.<>,|]{1,80})?\s*=\s*${ENVIRONMENT}(?:\s+as\s[^;=()\n]{1,80})?\s*(?:[;,)]|$)`,
  "gm",
);
const PRESENT = new RegExp(String.raw`["'\x60]([A-Za-z_]\w*)["'\x60]\s{1,20}in\s{1,20}${ENVIRONMENT}`, "g");
const DESTRUCTURED = new RegExp(String.raw`\{([^{}]{1,2000})\}\s*=\s*${ENVIRONMENT}`, "g");

/** Finds `process.env.X`, `process.env["X"]`, `import.meta.env.X`, `Bun.env.X`, `Deno.env.get("X")`, `const { X } = process.env`. */
export function readsOfScript(text: string): Reads {
  const locals: Locals = new Map();
  const schemas = schemasOf(text);
  const file: ScriptFile = { text, locals, isHandedOn: schemas.length > 0 };
  const direct = accessesOf(file, OBJECT, "[A-Za-z_]\\w*");
  const reads = [
    ...readsByOtherNames(file),
    ...readsByNest(text),
    ...readsByFunctions(text),
    ...readsBySchemas(text, schemas),
    ...direct,
    ...readsBy(text, /\bDeno\.env\.get\(\s*["'`]([A-Za-z_]\w*)["'`]/g, false),
    ...readsBy(text, PRESENT, false),
    ...readsInPatterns(text, DESTRUCTURED, true),
  ];
  return withGuards(text, reads, locals);
}

interface ScriptFile {
  readonly text: string;
  /** The local variables that have been found so far. */
  readonly locals: Locals;
  /** A schema gets what the file reads, and says what is needed. */
  readonly isHandedOn: boolean;
}

/** Finds the accesses of an object by a pattern for it, and adds its `locals`. TypeScript's `!` asserts that the variable is set. */
function accessesOf({ text, locals, isHandedOn }: ScriptFile, object: string, name: string): Reads {
  const access = String.raw`${object}(?:\?\.|\.)?(?:\[\s*["'\x60](${name})["'\x60]\s*\]|(?<=\.)(${name})\b)(!(?!=))?`;
  return firstMatches(text, new RegExp(access, "g")).flatMap((match): Reads => {
    const [whole, quoted, plain, mark] = match;
    const before = text.slice(Math.max(0, match.index - BEFORE), match.index);
    const after = text.slice(match.index + whole.length, match.index + whole.length + BEHIND);
    if (ASSIGNMENT.test(after) || /\bdelete\s+$/.test(before)) return [];
    const variable = quoted ?? plain ?? "";
    const read = [variable, mark !== undefined || isGuard(before, after), match.index] as const;
    const local = LOCAL.exec(before)?.[1];
    if (local !== undefined) addLocal(locals, local, variable);
    const isKnown = isTested(before, after) || (isHandedOn && KEY.exec(before)?.[1] === variable);
    return [isKnown ? read : [...read, UNTESTED]];
  });
}

/** The key of a member in front of its value. */
const KEY = /\b(\w{1,100})["']?\s{0,20}:\s{0,20}$/;

const UNTESTED = { isUntested: true } as const;
/** `const x = ` in front of a value. */
const LOCAL = /\b(?:const|let|var)\s{1,20}(\w{1,100})(?:\s{0,20}:[^=;]{1,80})?\s{0,20}=\s{0,20}\(?$/;

/** The code sets the variable. `??=` and `||=` read it first. */
const ASSIGNMENT = /^\s*=(?![=>])/;
/** The characters that are searched for a guard, on both sides. */
const BEFORE = 300;
const BEHIND = 400;
/** Words of functions and statements that end a program. */
const ENDS = String.raw`throw\b|(?:\w+\.)?\w*(?:fail|raise|abort|panic|die|exit|missing|required|never)\w*\s*\(`;
/** A function whose argument must be true or set. */
const ASSERTION = /\b(?:assert(?:\.(?:ok|notEqual|strictEqual))?|invariant|ok|nonNull|ensure|required?)\(\s*$/i;
const OR_ELSE = new RegExp(String.raw`^\s*(?:\?\?|\|\|)\s*(?:\(\s*\(\s*\)\s*=>\s*\{?\s*)?(?:${ENDS})`, "i");
/** The beginning of `if (!X)`, also of a later part of `if (!A || !X)`. */
const IF_MISSING = /\bif\s*\(\s*(?:!\s*[\w$.?[\]"']{1,80}\s*\|\|\s*){0,9}!\s*$/;
const IF_COMPARED = /\bif\s*\(\s*(?:typeof\s+)?$/;
const COMPARED = /^\s*={2,3}\s*(?:undefined|null|""|''|"undefined"|'undefined')/;
/** The rest of such a statement, without `&&`: of `if (!A && !B)` one is enough. */
const THEN_ENDS = new RegExp(
  String.raw`^(?:(?!&&)[^{};]){0,200}\)\s*\{?\s*(?:console\.\w+\([^;{}]{0,200}\);?\s*)?(?:return\s+)?(?:${ENDS})`,
  "i",
);

/** Returns true for `assert(X)`, `X ?? fail()`, `if (!X) throw` and `if (X === undefined) throw`. */
function isGuard(before: string, after: string): boolean {
  if (ASSERTION.test(before) || OR_ELSE.test(after)) return true;
  const isTest = IF_MISSING.test(before) || (IF_COMPARED.test(before) && COMPARED.test(after));
  return isTest && THEN_ENDS.test(after);
}

const ASSIGNED = new RegExp(
  String.raw`\b(?:const|let|var)\s+(\w+)(?:\s*:[^=;]{1,80})?\s*=\s*${ENVIRONMENT}(?:\??\.([A-Za-z_]\w*)|(?:\?\.)?\[\s*["'\x60]([A-Za-z_]\w*)["'\x60]\s*\])\s*(?:;|$)`,
  "gm",
);

/** Adds what is known of local variables: `const x = process.env.X` or `const { X: x } = process.env`, and a guard of `x`. */
function withGuards(text: string, reads: Reads, tests: Locals): Reads {
  const locals = new Map<string, string>();
  for (const [, local = "", plain, quoted] of text.matchAll(ASSIGNED)) locals.set(local, plain ?? quoted ?? "");
  for (const list of matchesOf(text, DESTRUCTURED)) {
    for (const [, name = "", local = name] of list.matchAll(/(?:^|,)\s*([A-Za-z_]\w*)(?:\s*:\s*(\w+))?\s*(?=,|$)/g)) {
      locals.set(local, name);
      addLocal(tests, local, name);
    }
  }
  if (locals.size + tests.size === 0) return reads;
  const guarded = new Set<string>();
  const tested = new Set<string>();
  const isLocal = (word: string): boolean => locals.has(word) || tests.has(word);
  // Each word, since a pattern of all the names would try each of them at each character.
  for (const match of firstMatches(text, /(?<![\w$.])\w+(?![\w$])/g, isLocal)) {
    const before = text.slice(Math.max(0, match.index - BEFORE), match.index);
    const end = match.index + match[0].length;
    const after = text.slice(end, end + BEHIND);
    const name = locals.get(match[0]);
    if (name !== undefined && isGuard(before, after)) guarded.add(name);
    if (isTested(before, after)) for (const one of tests.get(match[0]) ?? []) tested.add(one);
  }
  return reads.map(([name, required, at, details]) => {
    const isKnown = details?.isUntested === true && tested.has(name);
    const read = [name, required || guarded.has(name), at] as const;
    return details === undefined || isKnown ? read : ([...read, details] as const);
  });
}

/** Finds `env.X` after `const env = process.env`, `const { env } = process` or `import { env } from "node:process"`. */
function readsByOtherNames(file: ScriptFile): Reads {
  const { text } = file;
  const objects = new Set([
    ...matchesOf(text, NAMED),
    ...matchesOf(text, /\{\s*(env)\s*\}\s*=\s*process\s*(?:;|$)/gm),
    ...matchesOf(
      text,
      /\bimport\s*\{[^{}]{0,500}\b(env)\b(?!\s+as\b)[^{}]{0,500}\}\s*from\s*["'](?:node:)?process["']/g,
    ),
    ...matchesOf(text, /\bimport\s*\{[^{}]{0,500}\benv\s+as\s+(\w+)[^{}]{0,500}\}\s*from\s*["'](?:node:)?process["']/g),
  ]);
  return firstNames(objects).flatMap((object) => {
    const destructured = String.raw`\{([^{}]{1,2000})\}\s*=\s*${object}\s*(?:;|$)`;
    return [
      // Only upper case: an object of a function may have the same name.
      ...accessesOf(file, String.raw`(?<![\w$.])${object}`, "[A-Z][A-Z0-9_]*"),
      ...readsInPatterns(text, new RegExp(destructured, "gm")),
    ];
  });
}

/** Finds `configService.get("X")` of Nest. Keys in lower case are those of its own configuration. */
function readsByNest(text: string): Reads {
  if (!/["']@nestjs\/config["']/.test(text)) return [];
  const call = /\bconfig(?:Service)?\.get(OrThrow)?(?:<[^()]{1,200}>)?\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]/g;
  return Array.from(text.matchAll(call), (match): Read => [match[2] ?? "", match[1] !== undefined, match.index]);
}

/** Finds `requireEnv("X")` and its like, and `env.get("X").required()` of env-var. */
function readsByFunctions(text: string): Reads {
  const calls =
    /\b(?:require|required|must|mustGet|need|ensure|assert|expect)_?Env(?:Var|ironmentVariable|ironment|Variable)?\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]|\b(?:getEnv|env)(?:Var)?OrThrow\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]/g;
  const byName = readsBy(text, calls, true);
  if (!/["']env-var["']/.test(text)) return byName;
  const gets = firstMatches(text, /\.get\(\s*["'`]([A-Z][A-Z0-9_]*)["'`]\s*\)/g);
  return [
    ...byName,
    ...gets.map((match): Read => {
      const rest = expressionAt(text, match.index + match[0].length);
      return [match[1] ?? "", /\.required\(\s*(?:true)?\s*\)/.test(rest), match.index];
    }),
  ];
}

/**
 * Finds the names of patterns such as `{ A, B: b, C = 1 }`, each of which is the first group of a match.
 *
 * @param hasTests tests of their local variables are looked for
 */
function readsInPatterns(text: string, pattern: RegExp, hasTests = false): Reads {
  return Array.from(text.matchAll(pattern)).flatMap(({ 1: list = "", index }): Reads => {
    let at = index + 1;
    return list.split(",").flatMap((part): Reads => {
      const start = at;
      at += part.length + 1;
      const [, space = "", name] = /^(\s*)([A-Za-z_]\w*)\s*(?:[:=]|$)/.exec(part) ?? [];
      if (name === undefined) return [];
      const read = [name, false, start + space.length] as const;
      return [hasTests && !part.includes("=") ? [...read, UNTESTED] : read];
    });
  });
}
