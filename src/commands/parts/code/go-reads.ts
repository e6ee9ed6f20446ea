/** The variables that Go code reads: by the standard library and its like, by tags of structs, and by viper. */
import {
  addLocal,
  BEFORE,
  BEHIND,
  firstMatches,
  type LocalForm,
  type Locals,
  matchesOf,
  type Read,
  type Reads,
  testedIn,
} from "./reads.ts";

/** Finds `os.Getenv("X")`, `os.LookupEnv("X")`, `mustEnv("X")`, tags such as `env:"X,required"`, and `viper.BindEnv("x", "X")`. */
export function readsOfGo(text: string): Reads {
  return [...readsByCalls(text), ...(readsByEnvconfig(text) ?? readsByTags(text)), ...readsByViper(text)];
}

/** Any function with such a name: a project has its own, as `getEnv("X", "default")`. */
const CALL = /\b(\w{0,30}?[eE]nv\w{0,30})\(\s*["`]([A-Z][A-Z0-9_]*)["`]/g;
const SETS = /^(?:un)?setenv$|^expand/i;
const MUST = /^(?:must|require|need)/i;
/** Code that ends a program or a function with an error. */
const ENDS = String.raw`(?:(?:\w+\.)?(?:Fatal|Panic)\w*\(|panic\(|os\.Exit\(|return\b[^\n]{0,200}\b(?:err|Err|fmt\.Errorf|errors\.New))`;
/** `x := ` or `x, ok := `, also of an assignment or of `if x := …; x == ""`. */
const ASSIGNED = /\b(\w+)(?:\s*,\s*(\w+))?\s*:?=\s*$/;

function readsByCalls(text: string): Reads {
  const locals: Locals = new Map();
  const reads = firstMatches(text, CALL).flatMap((match): Reads => {
    const [whole, called = "", name = ""] = match;
    if (SETS.test(called)) return [];
    const before = text.slice(Math.max(0, match.index - BEFORE), match.index).replace(/\bos\.$/, "");
    const end = match.index + whole.length;
    const after = text.slice(end, end + BEHIND);
    const read = [name, MUST.test(called) || isGuarded(before, after), match.index] as const;
    // Functions of the project's own may have a default.
    if (called !== "Getenv" || isTested(before, after)) return [read];
    const local = ASSIGNED.exec(before)?.[1];
    if (local !== undefined) addLocal(locals, local, name);
    return [[...read, { isUntested: true }]];
  });
  const tested = testedIn(text, locals, LOCAL_FORM);
  return reads.map(([name, required, at, details]) => {
    return details === undefined || tested.has(name) ? [name, required, at] : [name, required, at, details];
  });
}

/** Returns true for `os.Getenv("X") == ""`, and where the value is passed on to the caller, or to a call with a default. */
function isTested(before: string, after: string): boolean {
  return /\breturn\s{1,20}$|\bcmp\.Or\([^()\n]{0,100}$/.test(before) || /^\)\s*(?:[!=]=|,\s*["`\d])/.test(after);
}

/** A local variable that is compared, or whose length is. */
const LOCAL_FORM: LocalForm = {
  pattern: /(?<![\w.])\w+\b/g,
  nameIn: (word) => word,
  isTested: (before, after) => /^\s{0,20}[!=]=/.test(after) || /\blen\(\s{0,20}$/.test(before),
};

function isGuarded(before: string, after: string): boolean {
  if (/\bif\s+$/.test(before)) return new RegExp(String.raw`^\)\s*==\s*""\s*\{\s*${ENDS}`).test(after);
  const [, local, isSet] = ASSIGNED.exec(before) ?? [];
  if (local === undefined) return false;
  const found = isSet === undefined ? "" : `|!${isSet}`;
  const test = String.raw`(?:${local}\s*==\s*""|len\(${local}\)\s*==\s*0${found})\s*\{\s*${ENDS}`;
  return new RegExp(String.raw`^\)\s*(?:;|(?:\/\/.*)?\n(?:[ \t]*(?:\/\/.*)?\n)*[ \t]*if\b)\s*${test}`).test(after);
}

/** Finds the tags of caarlos0/env, cleanenv, go-envconfig and envconfig. Names behind a prefix are parts. */
function readsByTags(text: string): Reads {
  if (/\benvPrefix:|\benv-prefix:|\bprefix=/.test(text)) return [];
  const tags = firstMatches(
    text,
    /`[^`\n]{0,300}?\b(?:env|envconfig):"([A-Z][A-Z0-9_]*)([^"\n]{0,100})"([^`\n]{0,300})`/g,
  );
  return tags.map((match): Read => {
    const [, name = "", options = "", others = ""] = match;
    const isRequired = /,\s*(?:required|notEmpty)\b/.test(options) || /\b(?:env-)?required:"true"/.test(others);
    return [name, isRequired && !/\b(?:envDefault|env-default|default):/.test(others), match.index];
  });
}

/** Types of single values. */
const VALUE = /^\*?(?:string|bool|u?int\d*|float\d+|(?:time|url)\.\w+|\[\]\w+|map\[\w+\]\w+)$/;

/**
 * Finds the fields of the structs that `envconfig.Process("prefix", …)` fills: their names in upper case, or those of their
 * tags, behind the prefix. @returns undefined for a file without it
 */
function readsByEnvconfig(text: string): Reads | undefined {
  const prefix = /\benvconfig\.(?:Must)?Process\(\s*"(\w*)"/.exec(text)?.[1];
  if (prefix === undefined) return undefined;
  const structs = firstMatches(text, /^type \w+ struct \{\n((?:(?!\}).*\n)*)/gm);
  const ofEnvconfig = structs.filter(
    ([whole]) => structs.length === 1 || /`[^`\n]*\b(?:envconfig|split_words|required|default):"/.test(whole),
  );
  return ofEnvconfig.flatMap(({ index, 0: whole, 1: body = "" }) => {
    const fields = firstMatches(body, /^[ \t]+([A-Z]\w*)[ \t]+([^\s`]{1,100})(?:[ \t]+`([^`\n]{0,500})`)?/gm);
    return fields.flatMap((field): Reads => {
      const [, name = "", type = "", tags = ""] = field;
      const tag = /\benvconfig:"(\w+)"/.exec(tags)?.[1];
      if (/\bignored:"true"/.test(tags) || (tag === undefined && !VALUE.test(type))) return [];
      const words = /\bsplit_words:"true"/.test(tags) ? inWords(name) : name;
      const variable = [prefix, tag ?? words].filter((part) => part !== "").join("_");
      const isRequired = /\brequired:"true"/.test(tags) && !/\bdefault:"/.test(tags);
      return [[variable.toUpperCase(), isRequired, index + whole.length - body.length + field.index]];
    });
  });
}

/** Splits a name as envconfig does: `DatabaseURL` has the words `Database` and `URL`. */
function inWords(name: string): string {
  return name.replaceAll(/([a-z\d])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2_");
}

function readsByViper(text: string): Reads {
  const calls = firstMatches(text, /\bBindEnv\(\s*"[^"\n]{0,200}"((?:\s*,\s*"[A-Za-z_]\w*"){1,20})/g);
  return calls.flatMap((match) => {
    return matchesOf(match[1] ?? "", /"(\w+)"/g).map((name): Read => [name, false, match.index]);
  });
}
