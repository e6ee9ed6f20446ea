import { SophiaError } from "../../core/error.ts";
import type { Variable } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { didYouMean } from "../../core/suggest.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { Current } from "../../esc/api/change.ts";
import { type Defined, nodeOf } from "../../esc/definition/verify.ts";
import { formatName } from "../../esc/settings/names.ts";

export interface Defining {
  readonly current: Current;
  readonly variable: Variable;
  readonly defined: Defined;
}

/** Finds the environment whose value wins: the last one. @throws SophiaError (rotate-place, 125) */
export function findDefining(name: string, all: readonly Current[]): Defining {
  const shown = printable(name);
  const current = all.findLast(({ opened }) => opened.variables.some((one) => one.name === name));
  const variable = current?.opened.variables.find((one) => one.name === name);
  if (current === undefined || variable === undefined) {
    const names = all.flatMap(({ opened }) => opened.variables.map((one) => one.name));
    const environments = all.map((one) => formatName(one.name));
    throw refuse(
      `${shown} is not in ${enumerate(environments, "or")}${didYouMean(name, names)}`,
      `sophia-run set ${shellWord(shown)} sets its first value`,
    );
  }
  const own = formatName(current.name);
  if (variable.delivery === "file") {
    throw refuse(`${shown} is a file in ${own}, under values.files`, `change it there: pulumi env edit ${own}`);
  }
  const defined = nodeOf(current.definition.yaml, name);
  if (defined !== undefined) return { current, variable, defined };
  const { origin } = variable;
  const imported = origin.source === "esc" ? origin.importedFrom : undefined;
  if (imported === undefined) {
    throw refuse(
      `${shown} is not in the definition of ${own}; an import gives it, and the service does not say which`,
      "name the import with --in organization/project/environment",
    );
  }
  const [path = "", version] = imported.split("@", 2);
  const full = fullName(path, current);
  const isPinned = version !== undefined && version !== "latest";
  throw refuse(
    `${shown} comes from ${printable(imported)}, which ${own} imports`,
    isPinned
      ? `${own} imports a fixed version, which no change reaches: change ${full} with --in, then the version there`
      : `to change it there, for all that import it: sophia-run rotate ${shellWord(shown)} --in ${full}`,
  );
}

/** The name of an import, with the parts that it leaves out. */
function fullName(path: string, { name: { organization } }: Current): string {
  const parts = path.split("/");
  if (parts.length === 3) return printable(path);
  return printable(parts.length === 2 ? `${organization}/${path}` : `${organization}/default/${path}`);
}

/** Returns true if no environment gives it, not even from an import. */
export function isAbsent(name: string, all: readonly Current[]): boolean {
  return !all.some(({ opened }) => opened.variables.some((one) => one.name === name));
}

export function refuse(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "rotate-place", message, hint });
}
