/**
 * Reads `.env.override`, in which a developer puts values that only this developer needs. They override those of ESC and of `.env`. Only
 * variables that the contract declares are used, and git must not track the file.
 */
import { isAbsolute } from "node:path";
import { isDeclared } from "../contract/check-contract.ts";
import type { Contract } from "../contract/contract-model.ts";
import { SophiaError } from "../core/error.ts";
import { groupBy } from "../core/group-by.ts";
import { enumerateFew, unbroken } from "../core/lines.ts";
import type { Environment, Layer, Notice, Origin, Resolution } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import { readDotenv, type DotenvReading } from "../sources/dotenv/index.ts";
import { within } from "../system/paths.ts";
import { findUnattendedReason } from "../access/unattended.ts";
import type { Start } from "./start.ts";

const OVERRIDE_FILE = ".env.override";

/**
 * Adds the declared variables of `.env.override`, which is looked for where `.env` is. It is not read in CI, as PID 1, or with a
 * profile that forbids it, because all users must have the values of ESC there.
 *
 * @throws SophiaError (override-tracked, 125) if git tracks a file that is read, or cannot be asked because its path is not
 *   UTF-8; (dotenv or link-outside, 125) as for `.env`
 */
export async function addOverride(
  reading: DotenvReading,
  contract: Contract,
  { environment, settings, places }: Pick<Start, "environment" | "settings" | "places">,
): Promise<DotenvReading> {
  if (!settings.override || contract.override === false || findUnattendedReason(environment) !== undefined)
    return reading;
  const file = { path: OVERRIDE_FILE, required: false, isNameable: false };
  const override = await readDotenv([file], places, places.dotenvFolders);
  const files = override.files.filter(({ variables }) => variables !== undefined);
  if (files.length > 0) await refuseTracked(files, contract, environment, places.cwd);
  return {
    layers: [...override.layers.map((layer) => selectDeclared(layer, contract)), ...reading.layers],
    notices: [
      ...reading.notices,
      ...override.notices,
      ...override.layers.flatMap((layer) => noticesOfUndeclared(layer, contract)),
    ],
    files: [...reading.files, ...files],
  };
}

/** Ends the start if git tracks one of the files. @throws SophiaError (override-tracked, 125) */
async function refuseTracked(
  files: DotenvReading["files"],
  contract: Contract,
  environment: Environment,
  cwd: string,
): Promise<void> {
  // This function is called only if there is a file, so most starts do not load this code.
  const [{ isTracked }, { withoutSecrets }, { isExactPath }] = [
    await import("../access/tracked-by-git.ts"),
    await import("../contract/secret-names.ts"),
    await import("../system/real-path.ts"),
  ];
  for (const { path: shownPath } of files) {
    const path = isAbsolute(shownPath) ? shownPath : within(cwd, shownPath);
    const tracked = await isTracked(path, withoutSecrets(environment, contract));
    if (tracked === true) throw trackedError(shownPath);
    // If git cannot answer for another reason, the file is used: git is not installed, or refuses the repository.
    if (tracked === undefined && !isExactPath(path)) throw unanswerableError(shownPath);
  }
}

function trackedError(path: string): SophiaError {
  // The path is `.env.override` or `folder/.env.override`.
  const folder = path.slice(0, -OVERRIDE_FILE.length - 1);
  const git = folder === "" ? "git" : `git -C ${shellWord(folder)}`;
  return new SophiaError({
    code: "override-tracked",
    message: `git tracks ${printable(path)}, whose values are for one developer alone`,
    hint: `${unbroken(`${git} rm --cached ${OVERRIDE_FILE}`)}, and add ${OVERRIDE_FILE} to .gitignore; --no-override starts without it`,
  });
}

function unanswerableError(path: string): SophiaError {
  return new SophiaError({
    code: "override-tracked",
    message: `git cannot tell whether it tracks ${printable(path)}: the path of its folder is not UTF-8`,
    hint: "rename the folder; --no-override starts without the file",
  });
}

/** Returns the declared variables of a file, with the origin `override` in place of `dotenv`. */
function selectDeclared({ variables }: Layer, contract: Contract): Layer {
  return {
    source: "override",
    variables: variables.flatMap((variable) =>
      "line" in variable.origin && "file" in variable.origin && isDeclared(contract, variable.name)
        ? {
            ...variable,
            origin: { source: "override" as const, file: variable.origin.file, line: variable.origin.line },
          }
        : [],
    ),
  };
}

/** Returns a notice if the file sets variables that the contract does not declare. */
function noticesOfUndeclared({ variables }: Layer, contract: Contract): readonly Notice[] {
  const undeclared = variables.filter(({ name }) => !isDeclared(contract, name));
  const [first] = undeclared;
  if (first === undefined || !("file" in first.origin)) return [];
  const names = enumerateFew(undeclared.map(({ name }) => printable(name)));
  const [is, them] = undeclared.length === 1 ? ["is", "it"] : ["are", "them"];
  const text = `${names} in ${printable(first.origin.file)} ${is} ignored: the contract does not declare ${them}; .env may set ${them}`;
  return [{ kind: "remark", text }];
}

/** Returns a notice for each `.env.override` with variables that win, or that the environment overrides. */
export function overrideNotices(selected: Resolution): readonly Notice[] {
  const values = Array.from(selected.values()).flatMap(({ name, origin, shadowed = [] }) => {
    const valuesWith = (valueOrigin: Origin, isWinner: boolean) =>
      valueOrigin.source === "override" ? [{ file: valueOrigin.file, name: valueOrigin.alias ?? name, isWinner }] : [];
    // Only a value that the environment hides is reported: the user may have forgotten that variable.
    const hiddenOrigins = origin.source === "environment" ? shadowed.map((hidden) => hidden.origin) : [];
    return [...valuesWith(origin, true), ...hiddenOrigins.flatMap((hidden) => valuesWith(hidden, false))];
  });
  return Array.from(groupBy(values, ({ file }) => file)).map(([file, valuesOfFile]) => {
    const [winners, losers] = [true, false].map((isWinner) =>
      valuesOfFile.filter((value) => value.isWinner === isWinner).map(({ name }) => name),
    );
    return { kind: "override", file, names: [...new Set(winners)], hidden: [...new Set(losers)] };
  });
}
