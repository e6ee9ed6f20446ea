/**
 * Finds where Go code reads environment variables: with the package `os`, by tags of structs, and with the libraries envconfig and
 * viper. `init` proposes a contract with these variables, and `check --code` reports those that the contract lacks.
 *
 * The limits in the patterns, such as `{0,30}`, bound the time that they take on code of any kind.
 */
import {
  addLocalVariable,
  sliceCodeAround,
  findCaptures,
  findMatches,
  findTestedVariables,
  type LocalSyntax,
  type LocalVariables,
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
  // envconfig has rules of its own for the tags of its structs, so the other rules must not read them again.
  const readsByStructs = findEnvconfigReads(text) ?? findTagReads(text);
  return [...findCallReads(text), ...readsByStructs, ...findViperReads(text)];
}

/** A call of any function whose name contains `env`, since many projects have a function such as `getEnv("X", "default")`. */
const ENV_FUNCTION_CALL = /\b(\w{0,30}?[eE]nv\w{0,30})\(\s*["`]([A-Z][A-Z0-9_]*)["`]/g;
/** The names of such functions that do not read the variable. */
const SETTER_NAME = /^(?:un)?setenv$|^expand/i;
/** The names of functions that, by convention, fail if the variable is not set. */
const REQUIRING_NAME = /^(?:must|require|need)/i;
/** Code that ends a program, or a function with an error. */
const FAILURE_PATTERN = String.raw`(?:(?:\w+\.)?(?:Fatal|Panic)\w*\(|panic\(|os\.Exit\(|return\b[^\n]{0,200}\b(?:err|Err|fmt\.Errorf|errors\.New))`;
/**
 * The code before a call whose result is assigned: `x := `, `x, ok := `, `x = `, also within `if x := …; x == ""`. The groups are
 * the variable for the value, and the one that says whether the environment variable is set.
 */
const ASSIGNMENT_BEFORE = /\b(\w+)(?:\s*,\s*(\w+))?\s*:?=\s*$/;

/** A local variable is tested if it is compared, or if its length is taken: `x == ""`, `len(x)`. */
const LOCAL_SYNTAX: LocalSyntax = {
  pattern: /(?<![\w.])\w+\b/g,
  nameOf: (word) => word,
  isTested: (before, after) => /^\s{0,20}[!=]=/.test(after) || /\blen\(\s{0,20}$/.test(before),
};

/**
 * Finds calls of `os.Getenv`, and of functions with similar names. A call of `os.Getenv` is untested if the code neither compares
 * its result nor has a fallback for it, and if the file nowhere tests the local variable to which the result is assigned.
 */
function findCallReads(text: string): VariableReads {
  const locals: LocalVariables = new Map();
  const reads = findMatches(text, ENV_FUNCTION_CALL).flatMap((match) => {
    const { 1: functionName = "", 2: name = "", index } = match;
    if (SETTER_NAME.test(functionName)) return [];
    const { before: textBefore, after } = sliceCodeAround(text, match);
    const before = textBefore.replace(/\bos\.$/, "");
    const isRequired = REQUIRING_NAME.test(functionName) || failsIfUnset(before, after);
    // Only os.Getenv certainly has no fallback: functions of the project may have one.
    const isUntested = functionName === "Getenv" && !isCallTested(before, after);
    const localName = isUntested ? ASSIGNMENT_BEFORE.exec(before)?.[1] : undefined;
    if (localName !== undefined) addLocalVariable(locals, localName, name);
    return [{ name, isRequired, offset: index, isUntested }];
  });
  const testedVariables = findTestedVariables(text, locals, LOCAL_SYNTAX);
  return reads.map((read) => ({ ...read, isUntested: read.isUntested && !testedVariables.has(read.name) }));
}

/**
 * Returns true if the result of a call is compared, as in `os.Getenv("X") == ""`, or if it is returned or handed to a call with a
 * default, where it may be tested. `after` begins at the closing bracket of the call.
 */
function isCallTested(before: string, after: string): boolean {
  const isPassedOn = /\breturn\s{1,20}$|\bcmp\.Or\([^()\n]{0,100}$/.test(before);
  const isComparedOrHasDefault = /^\)\s*(?:[!=]=|,\s*["`\d])/.test(after);
  return isPassedOn || isComparedOrHasDefault;
}

/**
 * Returns true for `if os.Getenv("X") == "" { log.Fatal(…) }`, and for an assignment if such a test of the local variable comes
 * next. `after` begins at the closing bracket of the call.
 */
function failsIfUnset(before: string, after: string): boolean {
  const isCondition = /\bif\s+$/.test(before);
  if (isCondition) return new RegExp(String.raw`^\)\s*==\s*""\s*\{\s*${FAILURE_PATTERN}`).test(after);
  const [, localName, isSetName] = ASSIGNMENT_BEFORE.exec(before) ?? [];
  if (localName === undefined) return false;
  const isNotSet = isSetName === undefined ? "" : `|!${isSetName}`;
  const failingTest = String.raw`(?:${localName}\s*==\s*""|len\(${localName}\)\s*==\s*0${isNotSet})\s*\{\s*${FAILURE_PATTERN}`;
  // The test is in the same `if` statement, or in the next statement, before which comments and empty lines may stand.
  const sameStatement = ";";
  const nextStatement = String.raw`(?:\/\/.*)?\n(?:[ \t]*(?:\/\/.*)?\n)*[ \t]*if\b`;
  return new RegExp(String.raw`^\)\s*(?:${sameStatement}|${nextStatement})\s*${failingTest}`).test(after);
}

/** The libraries can put a prefix before the names in the tags of a struct. Then the names of the variables are not known. */
const TAG_PREFIX = /\benvPrefix:|\benv-prefix:|\bprefix=/;
/** The name in a tag, the options after the name, and the other tags of the field. */
const ENV_TAG = /`[^`\n]{0,300}?\b(?:env|envconfig):"([A-Z][A-Z0-9_]*)([^"\n]{0,100})"([^`\n]{0,300})`/g;

/**
 * Finds the tags of caarlos0/env, cleanenv, go-envconfig and envconfig:
 *
 *     Port int `env:"PORT,required" envDefault:"80"`
 */
function findTagReads(text: string): VariableReads {
  if (TAG_PREFIX.test(text)) return [];
  return findMatches(text, ENV_TAG).map(({ 1: name = "", 2: options = "", 3: otherTags = "", index }) => {
    const hasRequiredMark = /,\s*(?:required|notEmpty)\b/.test(options) || /\b(?:env-)?required:"true"/.test(otherTags);
    const hasDefault = /\b(?:envDefault|env-default|default):/.test(otherTags);
    return { name, isRequired: hasRequiredMark && !hasDefault, offset: index };
  });
}

/** Types whose value comes from one variable. Other types are structs, whose fields are read one by one. */
const VALUE_TYPE = /^\*?(?:string|bool|u?int\d*|float\d+|(?:time|url)\.\w+|\[\]\w+|map\[\w+\]\w+)$/;
/** A struct up to its closing brace, with the lines between the braces as the group. */
const STRUCT_PATTERN = /^type \w+ struct \{\n((?:(?!\}).*\n)*)/gm;
/** A line of a struct: the name of the field, its type, and its tags. */
const STRUCT_FIELD = /^[ \t]+([A-Z]\w*)[ \t]+([^\s`]{1,100})(?:[ \t]+`([^`\n]{0,500})`)?/gm;
/** A tag that only envconfig reads. */
const ENVCONFIG_TAG = /`[^`\n]*\b(?:envconfig|split_words|required|default):"/;

/**
 * Finds the fields of the structs that `envconfig.Process("app", &settings)` fills. This field reads APP_DATABASE_URL:
 *
 *     DatabaseURL string `split_words:"true" required:"true"`
 *
 * @returns undefined for a file that does not call envconfig
 */
function findEnvconfigReads(text: string): VariableReads | undefined {
  const prefix = /\benvconfig\.(?:Must)?Process\(\s*"(\w*)"/.exec(text)?.[1];
  if (prefix === undefined) return undefined;
  const structs = findMatches(text, STRUCT_PATTERN);
  // The call does not show the type of `&settings`. The only struct of a file is taken for it, otherwise those with a tag.
  const settingsStructs = structs.filter(([struct]) => structs.length === 1 || ENVCONFIG_TAG.test(struct));
  return settingsStructs.flatMap(({ index, 0: struct, 1: body = "" }) => {
    const bodyOffset = index + struct.length - body.length;
    return findMatches(body, STRUCT_FIELD).flatMap((field) => {
      const [, fieldName = "", type = "", tags = ""] = field;
      const nameInTag = /\benvconfig:"(\w+)"/.exec(tags)?.[1];
      const isIgnored = /\bignored:"true"/.test(tags);
      const isStruct = nameInTag === undefined && !VALUE_TYPE.test(type);
      if (isIgnored || isStruct) return [];
      const impliedName = /\bsplit_words:"true"/.test(tags) ? splitWords(fieldName) : fieldName;
      const variable = [prefix, nameInTag ?? impliedName].filter((part) => part !== "").join("_");
      const isRequired = /\brequired:"true"/.test(tags) && !/\bdefault:"/.test(tags);
      return [{ name: variable.toUpperCase(), isRequired, offset: bodyOffset + field.index }];
    });
  });
}

/** Puts `_` between the words of a name as envconfig does: `DatabaseURL` becomes `Database_URL`. */
function splitWords(name: string): string {
  return name.replaceAll(/([a-z\d])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2_");
}

/** A call of viper's BindEnv() with the key, and with the names of variables as the group. */
const BIND_ENV = /\bBindEnv\(\s*"[^"\n]{0,200}"((?:\s*,\s*"[A-Za-z_]\w*"){1,20})/g;

/** Finds `viper.BindEnv("level", "LEVEL", "LOG_LEVEL")`. Without a second argument the name depends on viper's prefix. */
function findViperReads(text: string): VariableReads {
  return findMatches(text, BIND_ENV).flatMap(({ 1: names = "", index }) => {
    return findCaptures(names, /"(\w+)"/g).map((name) => ({ name, isRequired: false, offset: index }));
  });
}
