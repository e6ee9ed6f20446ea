/** Finds the definition that has the value of a variable, which is the only place where the value can be changed. */
import { fullImportName } from "../../contract/remedies.ts";
import { SophiaError } from "../../core/error.ts";
import type { Variable } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { didYouMean } from "../../core/suggest.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { EnvironmentState } from "../../esc/api/change.ts";
import { type DefinedVariable, findVariable } from "../../esc/definition/definition-variables.ts";
import { formatName } from "../../esc/settings/environment-names.ts";

/** A variable, in the environment that defines it itself. */
export interface ValueSource {
  /** The environment as it is now. */
  readonly current: EnvironmentState;
  /** The variable with its present value. */
  readonly variable: Variable;
  /** The place of the variable in the definition. */
  readonly defined: DefinedVariable;
}

/**
 * Finds the variable in the last environment that has it, since that value has precedence in a start.
 *
 * @throws SophiaError (rotate-place, 125) if no environment has it, or if it is a file or comes from an import
 */
export function findSource(name: string, states: readonly EnvironmentState[]): ValueSource {
  const current = states.findLast((state) => !isAbsent(name, [state]));
  const variable = current?.opened.variables.find((candidate) => candidate.name === name);
  if (current === undefined || variable === undefined) throw createAbsentError(name, states);
  if (variable.delivery === "file") {
    const environment = formatName(current.name);
    throw createPlaceError(
      `${printable(name)} is a file in ${environment} (values.files)`,
      `change it with pulumi env edit ${environment}`,
    );
  }
  const defined = findVariable(current.definition, name);
  // The opened environment has the variable, but its own definition does not, so an import has it.
  if (defined === undefined) throw createImportedError(variable, current);
  return { current, variable, defined };
}

function createAbsentError(name: string, states: readonly EnvironmentState[]): SophiaError {
  const shownName = printable(name);
  const names = states.flatMap(({ opened }) => opened.variables.map((other) => other.name));
  const environments = states.map((state) => formatName(state.name));
  return createPlaceError(
    `${shownName} is not in ${enumerate(environments, "or")}${didYouMean(name, names)}`,
    `to set its first value: sophia-run set ${shellWord(shownName)}`,
  );
}

/** Returns the error for a variable of an import. The hint names the environment in which the user can change it. */
function createImportedError({ name, origin }: Variable, importer: EnvironmentState): SophiaError {
  const shownName = printable(name);
  const environment = formatName(importer.name);
  const imported = origin.source === "esc" ? origin.importedFrom : undefined;
  if (imported === undefined) {
    return createPlaceError(
      `${shownName} comes from an import of ${environment}, and the service does not report which one`,
      "name the import with --in organization/project/environment",
    );
  }
  const fullImport = printable(fullImportName(imported, importer.name.organization));
  // An import is named as in `project/environment@3`.
  const [, version = "latest"] = imported.split("@", 2);
  return createPlaceError(
    `${shownName} comes from ${printable(imported)}, which ${environment} imports`,
    version === "latest"
      ? `to change it there, for all that import it: sophia-run rotate ${shellWord(shownName)} --in ${fullImport}`
      : `${environment} imports a fixed version: change ${fullImport} with --in, then the version in ${environment}`,
  );
}

/** Returns true if none of the environments has the variable. */
export function isAbsent(name: string, states: readonly EnvironmentState[]): boolean {
  return !states.some(({ opened }) => opened.variables.some((variable) => variable.name === name));
}

/** @throws SophiaError (rotate-place, 125) if the value is computed from others */
export function refuseComputed(name: string, { defined, current }: ValueSource): void {
  if (defined.kind === "secret" || defined.kind === "value") return;
  const environment = formatName(current.name);
  const fact = defined.kind === "function" ? "is the result of a function" : "refers to other values";
  throw createPlaceError(
    `${printable(name)} ${fact} in ${environment}`,
    `change its inputs with pulumi env edit ${environment}`,
  );
}

/** Returns the error for a value that cannot be changed in this environment. */
export function createPlaceError(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "rotate-place", message, hint });
}
