/**
 * Finds where Python code reads environment variables. `init` proposes a contract with these variables, and `check --code` reports
 * those that the contract lacks. This file has the patterns for the module `os`; python-config-reads.ts has those for libraries
 * such as django-environ, and pydantic-reads.ts those for settings classes.
 *
 * The limits in the patterns, such as `{1,20}`, bound the time that they take on code of any kind.
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { findPydanticReads } from "./pydantic-reads.ts";
import { findConversionFormat, findConfigReads } from "./python-config-reads.ts";
import { isTestedInPython } from "./python-tested-values.ts";
import {
  addLocalVariable,
  sliceCodeAround,
  findCaptures,
  findMatches,
  findReadsByPattern,
  findTestedVariables,
  limitObjectNames,
  type LocalSyntax,
  type LocalVariables,
  type VariableReads,
} from "./reads.ts";

/** `"URL" in os.environ` and `"URL" not in os.environ`, but not `in os.environ.values()`. */
const PRESENCE_TEST = /["']([A-Za-z_]\w*)["']\s{1,20}(?:not\s{1,20})?in\s{1,20}(?:os\.)?environ\b(?!\s*[.[])/g;

/**
 * Finds reads such as these. The first one raises an exception if the variable is not set.
 *
 *     url = os.environ["DATABASE_URL"]
 *     port = int(os.environ.get("PORT", "80"))
 *     level = os.getenv("LEVEL")
 */
export function findPythonReads(text: string): VariableReads {
  return [
    ...findSubscriptReads(text),
    ...findReadsByPattern(text, PRESENCE_TEST, { isRequired: false }),
    ...findGetReads(text),
    ...findAliasReads(text),
    ...findConfigReads(text),
    ...findPydanticReads(text),
  ];
}

// In the next two patterns an optional `os.` is part of the match, so that the code before the match is not `os.` but what
// surrounds the whole expression, such as `int(`.

/** `os.environ["URL"]`, but not an assignment to it. */
const SUBSCRIPT = /(?:\bos\.)?\benviron\[\s*["']([A-Za-z_]\w*)["']\s*\](?!\s*=(?!=))/g;
/** `os.environ.get("URL")` and `os.getenv("URL")`. */
const GET_CALL = /(?:\bos\.)?\b(?:environ\.get|getenv)\(\s*(?:key\s*=\s*)?["']([A-Za-z_]\w*)["']\s*\)/g;
/** The same calls with a default: `os.getenv("URL", "")`. */
const GET_CALL_WITH_DEFAULT = /\b(?:environ\.get|getenv)\(\s*(?:key\s*=\s*)?["']([A-Za-z_]\w*)["']\s*,/g;

function findSubscriptReads(text: string): VariableReads {
  return Array.from(text.matchAll(SUBSCRIPT), (match) => {
    const { 1: name = "", index } = match;
    return {
      name,
      isRequired: true,
      offset: index,
      format: findFormatOfConversion(sliceCodeAround(text, match).before, name),
    };
  });
}

/** Finds `env["X"]` and `env.get("X")` after `env = os.environ` or `from os import environ as env`. */
function findAliasReads(text: string): VariableReads {
  const aliases = new Set([
    ...findCaptures(text, /^[ \t]*(\w+)(?:[ \t]*:[^=\n]{1,60})?[ \t]*=[ \t]*(?:os\.)?environ[ \t]*(?:#.*)?$/gm),
    ...findCaptures(text, /^[ \t]*from os import [^\n#]{0,200}\benviron as (\w+)/gm),
  ]);
  return limitObjectNames(aliases).flatMap((alias) => {
    // Only upper-case names are taken for variables, since a function may have another object of the same name.
    const subscript = String.raw`(?<![\w.])${alias}\[\s*["']([A-Z][A-Z0-9_]*)["']\s*\](?!\s*=(?!=))`;
    const getCall = String.raw`(?<![\w.])${alias}\.get\(\s*["']([A-Z][A-Z0-9_]*)["']`;
    return [
      ...findReadsByPattern(text, new RegExp(subscript, "g"), { isRequired: true }),
      ...findReadsByPattern(text, new RegExp(getCall, "g"), { isRequired: false }),
    ];
  });
}

/** The syntax of a local variable, or of an attribute of an object or a class, such as `self.port`. */
const LOCAL_SYNTAX: LocalSyntax = {
  pattern: /(?<![\w.])(?:self\.|cls\.)?\w+\b/g,
  nameOf: (word) => word.replace(/^(?:self|cls)\./, ""),
  isTested: isTestedInPython,
};

/** The code before a value that is assigned, with or without a type: `x = `, `x: str | None = `, `x := `. */
const ASSIGNMENT_BEFORE = /(?:^|[\s(])(?:self\.|cls\.)?(\w+)[ \t]{0,20}(?::[^=\n:]{1,60})?:?=[ \t]{0,20}$/;

/**
 * Finds `os.environ.get("X")` and `os.getenv("X")`. Without a default the result is None if the variable is not set. Such a read is
 * untested if the code around it neither tests the value nor has a fallback for it, and if the file nowhere tests the local
 * variable to which the value is assigned.
 */
function findGetReads(text: string): VariableReads {
  const locals: LocalVariables = new Map();
  const readsWithoutDefault = findMatches(text, GET_CALL).map((match) => {
    const { 1: name = "", index } = match;
    const { before, after } = sliceCodeAround(text, match);
    const localName = ASSIGNMENT_BEFORE.exec(before)?.[1];
    if (localName !== undefined) addLocalVariable(locals, localName, name);
    return {
      name,
      isRequired: failsIfUnset(before, after),
      offset: index,
      isUntested: !isTestedInPython(before, after),
      format: findFormatOfConversion(before, name),
    };
  });
  const testedVariables = findTestedVariables(text, locals, LOCAL_SYNTAX);
  return [
    ...readsWithoutDefault.map((read) => ({ ...read, isUntested: read.isUntested && !testedVariables.has(read.name) })),
    ...findReadsByPattern(text, GET_CALL_WITH_DEFAULT, { isRequired: false }),
  ];
}

/** Returns the format that a call around the read requires: `int(X)` raises an exception for anything but an integer. */
function findFormatOfConversion(before: string, name: string): FormatEntry | undefined {
  const conversion = /(?<![\w.])(int|float)\(\s{0,20}$/.exec(before)?.[1];
  return findConversionFormat(conversion, name);
}

/**
 * Code that ends a program or a function: `raise`, `sys.exit(1)`, `fail("no URL")`. That a function with `fail`, `abort` or `die`
 * in its name ends the program is a guess.
 */
const FAILURE_PATTERN = String.raw`(?:raise\b|sys\.exit\(|exit\(|quit\(|os\._exit\(|\w*(?:fail|abort|die)\w*\()`;
/** The code after the value in `X or fail()`. */
const OR_FAILURE = new RegExp(String.raw`^\s*or\s+${FAILURE_PATTERN}`);
/** The code before the value in `if not X` and `if not (x := X)`. */
const IF_NOT_BEFORE = /\bif\s+not\s+(?:\(\w+\s*:=\s*)?$/;
/** The code after the value in `if not X: raise` and `if not (x := X): raise`. */
const THEN_FAILURE = new RegExp(String.raw`^\)?:\s*${FAILURE_PATTERN}`);

/** Returns true for `X or fail()`, `assert X`, `if not X: raise`, and for `x = X` if the next statement is such a test of `x`. */
function failsIfUnset(before: string, after: string): boolean {
  const isAsserted = /\bassert\s+$/.test(before);
  if (isAsserted || OR_FAILURE.test(after)) return true;
  if (IF_NOT_BEFORE.test(before)) return THEN_FAILURE.test(after);
  const localName = ASSIGNMENT_BEFORE.exec(before)?.[1];
  return localName !== undefined && createFailingTest(localName).test(after);
}

/**
 * Returns a pattern for the rest of the line of an assignment and the statement after it, if that statement fails unless the
 * local variable has a value. For `url` it matches what follows the call of this code:
 *
 *     url = os.getenv("URL")  # of the database
 *     # Comments and empty lines may stand here.
 *     if url is None:
 *         raise ValueError
 */
function createFailingTest(localName: string): RegExp {
  const value = String.raw`(?:self\.|cls\.)?${localName}`;
  const isUnset = String.raw`(?:not\s+${value}|${value}\s+is\s+None|${value}\s*==\s*["']{2})`;
  const failingTest = String.raw`(?:if\s+${isUnset}\s*:\s*${FAILURE_PATTERN}|assert\s+${value}\b)`;
  const restOfLine = String.raw`[ \t]*(?:#.*)?\n`;
  return new RegExp(String.raw`^${restOfLine}(?:${restOfLine})*[ \t]*${failingTest}`);
}
