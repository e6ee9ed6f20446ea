/** Finds the environment variables that Go code reads: with the package `os`, by tags of structs, and with envconfig or viper. */
import {
  addLocal,
  codeAround,
  firstGroups,
  firstMatches,
  findTestedVariables,
  type LocalSyntax,
  type LocalVariables,
  type VariableRead,
  type VariableReads,
} from "./reads.ts";

/**
 * Finds reads such as these:
 *
 *     port, ok := os.LookupEnv("PORT")
 *     url := mustEnv("DATABASE_URL")
 *     Level string `env:"LEVEL,required"`
 *     viper.BindEnv("level", "LEVEL")
 */
export function findGoReads(text: string): VariableReads {
  // envconfig reads the fields of its structs by other rules, so that their tags are not read twice.
  const readsByStructs = findEnvconfigReads(text) ?? findTagReads(text);
  return [...findCallReads(text), ...readsByStructs, ...findViperReads(text)];
}

/** A call of any function whose name contains `env`, since many projects have a function such as `getEnv("X", "default")`. */
const CALL = /\b(\w{0,30}?[eE]nv\w{0,30})\(\s*["`]([A-Z][A-Z0-9_]*)["`]/g;
/** Such functions that do not read the variable. */
const SETTER_NAME = /^(?:un)?setenv$|^expand/i;
/** Names of functions that fail without the variable. */
const REQUIRING_NAME = /^(?:must|require|need)/i;
/** Code that ends a program, or a function with an error. */
const FAILS = String.raw`(?:(?:\w+\.)?(?:Fatal|Panic)\w*\(|panic\(|os\.Exit\(|return\b[^\n]{0,200}\b(?:err|Err|fmt\.Errorf|errors\.New))`;
/** The code before a call whose value it assigns: `x := `, `x, ok := `, `x = `, also within `if x := …; x == ""`. */
const ASSIGNMENT = /\b(\w+)(?:\s*,\s*(\w+))?\s*:?=\s*$/;

function findCallReads(text: string): VariableReads {
  const locals: LocalVariables = new Map();
  const reads = firstMatches(text, CALL).flatMap((match): VariableReads => {
    const [, functionName = "", name = ""] = match;
    if (SETTER_NAME.test(functionName)) return [];
    const around = codeAround(text, match);
    const before = around.before.replace(/\bos\.$/, "");
    const { after } = around;
    const isRequired = REQUIRING_NAME.test(functionName) || isGuarded(before, after);
    const read = [name, isRequired, match.index] as const;
    // Only os.Getenv certainly has no fallback: functions of the project may have one.
    if (functionName !== "Getenv" || isTested(before, after)) return [read];
    const local = ASSIGNMENT.exec(before)?.[1];
    if (local !== undefined) addLocal(locals, local, name);
    return [[...read, { isUntested: true }]];
  });
  const tested = findTestedVariables(text, locals, LOCAL_SYNTAX);
  return reads.map(([name, required, offset, details]) => {
    return details === undefined || tested.has(name) ? [name, required, offset] : [name, required, offset, details];
  });
}

/**
 * Returns true if the call is compared, as in `os.Getenv("X") == ""`, or if its value is returned to a caller or handed to a
 * call with a default, where it may be tested.
 */
function isTested(before: string, after: string): boolean {
  const isPassedOn = /\breturn\s{1,20}$|\bcmp\.Or\([^()\n]{0,100}$/.test(before);
  const isComparedOrHasDefault = /^\)\s*(?:[!=]=|,\s*["`\d])/.test(after);
  return isPassedOn || isComparedOrHasDefault;
}

/** A local variable is tested if it is compared, or if its length is taken: `x == ""`, `len(x)`. */
const LOCAL_SYNTAX: LocalSyntax = {
  pattern: /(?<![\w.])\w+\b/g,
  nameIn: (word) => word,
  isTested: (before, after) => /^\s{0,20}[!=]=/.test(after) || /\blen\(\s{0,20}$/.test(before),
};

/** Returns true for `if os.Getenv("X") == "" { log.Fatal(…) }`, and for an assignment that such a test of the local follows. */
function isGuarded(before: string, after: string): boolean {
  if (/\bif\s+$/.test(before)) return new RegExp(String.raw`^\)\s*==\s*""\s*\{\s*${FAILS}`).test(after);
  const [, local, isSetLocal] = ASSIGNMENT.exec(before) ?? [];
  if (local === undefined) return false;
  const isSetTest = isSetLocal === undefined ? "" : `|!${isSetLocal}`;
  const failingTest = String.raw`(?:${local}\s*==\s*""|len\(${local}\)\s*==\s*0${isSetTest})\s*\{\s*${FAILS}`;
  const sameStatement = ";";
  const nextStatement = String.raw`(?:\/\/.*)?\n(?:[ \t]*(?:\/\/.*)?\n)*[ \t]*if\b`;
  return new RegExp(String.raw`^\)\s*(?:${sameStatement}|${nextStatement})\s*${failingTest}`).test(after);
}

/**
 * Finds the tags of caarlos0/env, cleanenv, go-envconfig and envconfig:
 *
 *     Port int `env:"PORT,required" envDefault:"80"`
 *
 * A file with a prefix has no result, since its tags contain only parts of the names.
 */
function findTagReads(text: string): VariableReads {
  if (/\benvPrefix:|\benv-prefix:|\bprefix=/.test(text)) return [];
  const tags = firstMatches(
    text,
    /`[^`\n]{0,300}?\b(?:env|envconfig):"([A-Z][A-Z0-9_]*)([^"\n]{0,100})"([^`\n]{0,300})`/g,
  );
  return tags.map((match): VariableRead => {
    const [, name = "", options = "", otherTags = ""] = match;
    const isDemanded = /,\s*(?:required|notEmpty)\b/.test(options) || /\b(?:env-)?required:"true"/.test(otherTags);
    const hasDefault = /\b(?:envDefault|env-default|default):/.test(otherTags);
    return [name, isDemanded && !hasDefault, match.index];
  });
}

/** Types whose value comes from one variable. Other types are structs, whose fields are read one by one. */
const VALUE_TYPE = /^\*?(?:string|bool|u?int\d*|float\d+|(?:time|url)\.\w+|\[\]\w+|map\[\w+\]\w+)$/;

/**
 * Finds the fields of the structs that `envconfig.Process("app", &settings)` fills. Of this field it reads APP_DATABASE_URL:
 *
 *     DatabaseURL string `split_words:"true" required:"true"`
 *
 * @returns undefined for a file that does not call envconfig
 */
function findEnvconfigReads(text: string): VariableReads | undefined {
  const prefix = /\benvconfig\.(?:Must)?Process\(\s*"(\w*)"/.exec(text)?.[1];
  if (prefix === undefined) return undefined;
  const structs = firstMatches(text, /^type \w+ struct \{\n((?:(?!\}).*\n)*)/gm);
  const settingsStructs = structs.filter(([struct]) => {
    return structs.length === 1 || /`[^`\n]*\b(?:envconfig|split_words|required|default):"/.test(struct);
  });
  return settingsStructs.flatMap(({ index, 0: struct, 1: body = "" }) => {
    const bodyOffset = index + struct.length - body.length;
    const fields = firstMatches(body, /^[ \t]+([A-Z]\w*)[ \t]+([^\s`]{1,100})(?:[ \t]+`([^`\n]{0,500})`)?/gm);
    return fields.flatMap((field): VariableReads => {
      const [, fieldName = "", type = "", tags = ""] = field;
      const taggedName = /\benvconfig:"(\w+)"/.exec(tags)?.[1];
      if (/\bignored:"true"/.test(tags) || (taggedName === undefined && !VALUE_TYPE.test(type))) return [];
      const impliedName = /\bsplit_words:"true"/.test(tags) ? withWordBreaks(fieldName) : fieldName;
      const variable = [prefix, taggedName ?? impliedName].filter((part) => part !== "").join("_");
      const isRequired = /\brequired:"true"/.test(tags) && !/\bdefault:"/.test(tags);
      return [[variable.toUpperCase(), isRequired, bodyOffset + field.index]];
    });
  });
}

/** Puts `_` between the words of a name as envconfig does: `DatabaseURL` becomes `Database_URL`. */
function withWordBreaks(name: string): string {
  return name.replaceAll(/([a-z\d])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2_");
}

/** Finds `viper.BindEnv("level", "LEVEL", "LOG_LEVEL")`. Without a second argument the name depends on viper's prefix. */
function findViperReads(text: string): VariableReads {
  const calls = firstMatches(text, /\bBindEnv\(\s*"[^"\n]{0,200}"((?:\s*,\s*"[A-Za-z_]\w*"){1,20})/g);
  return calls.flatMap((match) => {
    const names = firstGroups(match[1] ?? "", /"(\w+)"/g);
    return names.map((name): VariableRead => [name, false, match.index]);
  });
}
