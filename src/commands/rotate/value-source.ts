import { fullImportName } from "../../contract/remedies.ts";
import { SophiaError } from "../../core/error.ts";
import type { Variable } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { didYouMean } from "../../core/suggest.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { EnvironmentState } from "../../esc/api/change.ts";
import { type DefinedVariable, findVariable } from "../../esc/definition/definition-variables.ts";
import { formatName } from "../../esc/settings/environment-names.ts";

export interface ValueSource {
  readonly current: EnvironmentState;
  readonly variable: Variable;
  readonly defined: DefinedVariable;
}

/** Finds the last environment with the variable: its value has precedence. @throws SophiaError (rotate-place, 125) */
export function findSource(name: string, states: readonly EnvironmentState[]): ValueSource {
  const shown = printable(name);
  const current = states.findLast((one) => !isAbsent(name, [one]));
  const variable = current?.opened.variables.find((one) => one.name === name);
  if (current === undefined || variable === undefined) {
    const names = states.flatMap(({ opened }) => opened.variables.map((one) => one.name));
    const environments = states.map((one) => formatName(one.name));
    throw placeError(
      `${shown} is not in ${enumerate(environments, "or")}${didYouMean(name, names)}`,
      `to set its first value: sophia-run set ${shellWord(shown)}`,
    );
  }
  const environment = formatName(current.name);
  if (variable.delivery === "file") {
    throw placeError(
      `${shown} is a file in ${environment} (values.files)`,
      `change it with pulumi env edit ${environment}`,
    );
  }
  const defined = findVariable(current.definition, name);
  if (defined !== undefined) return { current, variable, defined };
  const { origin } = variable;
  const imported = origin.source === "esc" ? origin.importedFrom : undefined;
  if (imported === undefined) {
    throw placeError(
      `${shown} comes from an import of ${environment}, and the service does not report which one`,
      "name the import with --in organization/project/environment",
    );
  }
  const full = printable(fullImportName(imported, current.name.organization));
  const [, version = "latest"] = imported.split("@", 2);
  throw placeError(
    `${shown} comes from ${printable(imported)}, which ${environment} imports`,
    version === "latest"
      ? `to change it there, for all that import it: sophia-run rotate ${shellWord(shown)} --in ${full}`
      : `${environment} imports a fixed version: change ${full} with --in, then the version in ${environment}`,
  );
}

export function isAbsent(name: string, all: readonly EnvironmentState[]): boolean {
  return !all.some(({ opened }) => opened.variables.some((one) => one.name === name));
}

/** @throws SophiaError (rotate-place, 125) if the value is computed from others */
export function refuseComputed(name: string, { defined, current }: ValueSource): void {
  if (defined.kind === "secret" || defined.kind === "value") return;
  const own = formatName(current.name);
  const what = defined.kind === "function" ? "is the result of a function" : "refers to other values";
  throw placeError(`${printable(name)} ${what} in ${own}`, `change its inputs with pulumi env edit ${own}`);
}

export function placeError(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "rotate-place", message, hint });
}
