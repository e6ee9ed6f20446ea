/** `.env.override`: one developer's own values, which override ESC. */
import { isAbsolute } from "node:path";
import { isDeclared } from "../contract/check-contract.ts";
import type { Contract } from "../contract/contract-model.ts";
import { SophiaError } from "../core/error.ts";
import { grouped } from "../core/grouped.ts";
import { enumerateFew, unbroken } from "../core/lines.ts";
import type { Environment, Layer, Notice, Origin, Resolution } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import { readDotenv, type DotenvReading } from "../sources/dotenv/index.ts";
import { within } from "../system/paths.ts";
import { unattended } from "../access/unattended.ts";
import type { Start } from "./start.ts";

const OVERRIDE_FILE = ".env.override";

/**
 * Adds the declared variables of `.env.override`, which is found as `.env` is. Not in CI, as PID 1, or with a profile without
 * it: there the values of ESC count for all.
 *
 * @throws SophiaError (override-tracked, 125) if git tracks a file that is read, or cannot be asked because its path is not
 *   UTF-8; (dotenv or link-outside, 125) as for `.env`
 */
export async function addOverride(
  reading: DotenvReading,
  contract: Contract,
  { environment, settings, places }: Pick<Start, "environment" | "settings" | "places">,
): Promise<DotenvReading> {
  if (!settings.override || contract.override === false || unattended(environment) !== undefined) return reading;
  const override = { path: OVERRIDE_FILE, required: false, isNameable: false };
  const own = await readDotenv([override], places, places.dotenvFolders);
  const files = own.files.filter(({ variables }) => variables !== undefined);
  if (files.length > 0) await refuseTracked(files, contract, environment, places.cwd);
  return {
    layers: [...own.layers.map((layer) => declaredIn(layer, contract)), ...reading.layers],
    notices: [...reading.notices, ...own.notices, ...own.layers.flatMap((layer) => undeclaredIn(layer, contract))],
    files: [...reading.files, ...files],
  };
}

/** @throws SophiaError (override-tracked, 125) if git tracks one of the files */
async function refuseTracked(
  files: DotenvReading["files"],
  contract: Contract,
  environment: Environment,
  cwd: string,
): Promise<void> {
  // A process of git is started only for a file that is there.
  const [{ isTracked }, { withoutSecrets }, { isExact }] = [
    await import("../access/tracked-by-git.ts"),
    await import("../contract/secret-names.ts"),
    await import("../system/real-path.ts"),
  ];
  for (const { path: shown } of files) {
    const path = isAbsolute(shown) ? shown : within(cwd, shown);
    const tracked = await isTracked(path, withoutSecrets(environment, contract));
    if (tracked === true) throw trackedError(shown);
    if (tracked === undefined && !isExact(path)) throw unknownError(shown);
  }
}

function trackedError(path: string): SophiaError {
  const { folder, name } = placeOf(path);
  const git = folder === "" ? "git" : `git -C ${shellWord(folder)}`;
  return new SophiaError({
    code: "override-tracked",
    message: `git tracks ${printable(path)}, whose values are for one developer alone`,
    hint: `${unbroken(`${git} rm --cached ${name}`)}, and add ${name} to .gitignore; --no-override starts without it`,
  });
}

function unknownError(path: string): SophiaError {
  return new SophiaError({
    code: "override-tracked",
    message: `git cannot tell whether it tracks ${printable(path)}: the path of its folder is not UTF-8`,
    hint: "rename the folder; --no-override starts without the file",
  });
}

function placeOf(path: string): { readonly folder: string; readonly name: string } {
  return { folder: path.slice(0, -OVERRIDE_FILE.length - 1), name: OVERRIDE_FILE };
}

function declaredIn({ variables }: Layer, contract: Contract): Layer {
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

function undeclaredIn({ variables }: Layer, contract: Contract): readonly Notice[] {
  const undeclared = variables.filter(({ name }) => !isDeclared(contract, name));
  const [first] = undeclared;
  if (first === undefined || !("file" in first.origin)) return [];
  const names = enumerateFew(undeclared.map(({ name }) => printable(name)));
  const [is, them] = undeclared.length === 1 ? ["is", "it"] : ["are", "them"];
  const text = `${names} in ${printable(first.origin.file)} ${is} ignored: the contract does not declare ${them}; .env may set ${them}`;
  return [{ kind: "remark", text }];
}

/** Returns a notice for each `.env.override` that sets variables. */
export function overrideNotices(selected: Resolution): readonly Notice[] {
  const uses = Array.from(selected.values()).flatMap(({ name, origin, shadowed = [] }) => {
    const use = (used: Origin, wins: boolean) =>
      used.source === "override" ? [{ file: used.file, name: used.alias ?? name, wins }] : [];
    const hidden = origin.source === "environment" ? shadowed.flatMap((one) => use(one.origin, false)) : [];
    return [...use(origin, true), ...hidden];
  });
  return Array.from(grouped(uses, ({ file }) => file)).map(([file, all]) => {
    const namesOf = (wins: boolean) => [...new Set(all.filter((one) => one.wins === wins).map(({ name }) => name))];
    return { kind: "override", file, names: namesOf(true), hidden: namesOf(false) };
  });
}
