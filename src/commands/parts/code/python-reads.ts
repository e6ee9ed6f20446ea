/**
 * Finds the environment variables that Python code reads: here with the module `os`, in python-config-reads.ts with libraries
 * such as django-environ, and in pydantic-reads.ts with settings classes.
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { findPydanticReads } from "./pydantic-reads.ts";
import { castFormat, findConfigReads } from "./python-config-reads.ts";
import { isTested } from "./python-tests.ts";
import {
  addLocal,
  codeAround,
  firstGroups,
  firstMatches,
  firstNames,
  findTestedVariables,
  type LocalSyntax,
  type LocalVariables,
  readsByPattern,
  type VariableRead,
  type VariableReads,
} from "./reads.ts";

/**
 * Finds reads such as these. The first one raises an exception without the variable.
 *
 *     url = os.environ["DATABASE_URL"]
 *     port = int(os.environ.get("PORT", "80"))
 *     level = os.getenv("LEVEL")
 */
export function findPythonReads(text: string): VariableReads {
  const presenceTest = /["']([A-Za-z_]\w*)["']\s{1,20}(?:not\s{1,20})?in\s{1,20}(?:os\.)?environ\b(?!\s*[.[])/g;
  return [
    ...findSubscriptReads(text),
    ...readsByPattern(text, presenceTest, false),
    ...findGetReads(text),
    ...findAliasReads(text),
    ...findConfigReads(text),
    ...findPydanticReads(text),
  ];
}

/** Finds `os.environ["X"]`, but not an assignment to it. */
function findSubscriptReads(text: string): VariableReads {
  const subscript = /(?:\bos\.)?\benviron\[\s*["']([A-Za-z_]\w*)["']\s*\](?!\s*=(?!=))/g;
  return Array.from(text.matchAll(subscript), (match): VariableRead => {
    const [, name = ""] = match;
    const format = conversionFormat(codeAround(text, match).before, name);
    return format === undefined ? [name, true, match.index] : [name, true, match.index, { format }];
  });
}

/** Finds `env["X"]` and `env.get("X")` after `env = os.environ` or `from os import environ as env`. */
function findAliasReads(text: string): VariableReads {
  const aliases = new Set([
    ...firstGroups(text, /^[ \t]*(\w+)(?:[ \t]*:[^=\n]{1,60})?[ \t]*=[ \t]*(?:os\.)?environ[ \t]*(?:#.*)?$/gm),
    ...firstGroups(text, /^[ \t]*from os import [^\n#]{0,200}\benviron as (\w+)/gm),
  ]);
  return firstNames(aliases).flatMap((alias) => {
    // Only names in upper case are variables here, since another object in a function may have the same name.
    const subscript = String.raw`(?<![\w.])${alias}\[\s*["']([A-Z][A-Z0-9_]*)["']\s*\](?!\s*=(?!=))`;
    const get = String.raw`(?<![\w.])${alias}\.get\(\s*["']([A-Z][A-Z0-9_]*)["']`;
    return [
      ...readsByPattern(text, new RegExp(subscript, "g"), true),
      ...readsByPattern(text, new RegExp(get, "g"), false),
    ];
  });
}

/** Code that ends a program or a function: `raise`, `sys.exit(1)`, `fail("no URL")`. */
const FAILS = String.raw`(?:raise\b|sys\.exit\(|exit\(|quit\(|os\._exit\(|\w*(?:fail|abort|die)\w*\()`;
const OR_FAILS = new RegExp(String.raw`^\s*or\s+${FAILS}`);
/** The rest of `if not X: raise` and of `if not (x := X): raise`. */
const THEN_FAILS = new RegExp(String.raw`^\)?:\s*${FAILS}`);

/** Finds `os.environ.get("X")` and `os.getenv("X")`. They are required if the code fails without a value: `… or fail()`. */
function findGetReads(text: string): VariableReads {
  const getWithDefault = /\b(?:environ\.get|getenv)\(\s*(?:key\s*=\s*)?["']([A-Za-z_]\w*)["']\s*,/g;
  const get = /(?:\bos\.)?\b(?:environ\.get|getenv)\(\s*(?:key\s*=\s*)?["']([A-Za-z_]\w*)["']\s*\)/g;
  const locals: LocalVariables = new Map();
  const reads = firstMatches(text, get).map((match): VariableRead => {
    const [, name = ""] = match;
    const { before, after } = codeAround(text, match);
    const local = ASSIGNMENT_BEFORE.exec(before)?.[1];
    if (local !== undefined) addLocal(locals, local, name);
    const read = [name, isGuarded(before, after), match.index] as const;
    const format = conversionFormat(before, name);
    const isUntested = !isTested(before, after);
    return format === undefined && !isUntested ? read : [...read, { isUntested, ...(format && { format }) }];
  });
  const tested = findTestedVariables(text, locals, LOCAL_SYNTAX);
  return [
    ...reads.map((read): VariableRead => {
      const [name, required, offset, details] = read;
      if (details === undefined) return read;
      const isUntested = details.isUntested === true && !tested.has(name);
      return [name, required, offset, { ...details, isUntested }];
    }),
    ...readsByPattern(text, getWithDefault, false),
  ];
}

/** Returns the format that a conversion around the read requires: `int(X)` raises an exception for anything but an integer. */
function conversionFormat(before: string, name: string): FormatEntry | undefined {
  return castFormat(/(?<![\w.])(int|float)\(\s{0,20}$/.exec(before)?.[1], name);
}

/** A local variable, or an attribute such as `self.port`. */
const LOCAL_SYNTAX: LocalSyntax = {
  pattern: /(?<![\w.])(?:self\.|cls\.)?\w+\b/g,
  nameIn: (word) => word.replace(/^(?:self|cls)\./, ""),
  isTested,
};

/** The code before a value that is assigned, with or without a type: `x = `, `x: str | None = `, `x := `. */
const ASSIGNMENT_BEFORE = /(?:^|[\s(])(?:self\.|cls\.)?(\w+)[ \t]{0,20}(?::[^=\n:]{1,60})?:?=[ \t]{0,20}$/;

/** Returns true for `X or fail()`, `assert X`, `if not X: raise`, and an assignment that such a test of the local follows. */
function isGuarded(before: string, after: string): boolean {
  if (OR_FAILS.test(after) || /\bassert\s+$/.test(before)) return true;
  const isNegated = /\bif\s+not\s+(?:\(\w+\s*:=\s*)?$/.test(before);
  if (isNegated) return THEN_FAILS.test(after);
  const local = ASSIGNMENT_BEFORE.exec(before)?.[1];
  if (local === undefined) return false;
  const value = String.raw`(?:self\.|cls\.)?${local}`;
  const isUnset = String.raw`(?:not\s+${value}|${value}\s+is\s+None|${value}\s*==\s*["']{2})`;
  const failingTest = String.raw`(?:if\s+${isUnset}\s*:\s*${FAILS}|assert\s+${value}\b)`;
  // Empty lines and comments may stand between the assignment and the test.
  return new RegExp(String.raw`^[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*[ \t]*${failingTest}`).test(after);
}
