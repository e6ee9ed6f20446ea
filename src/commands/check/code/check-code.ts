/**
 * `check --code`: compares the variables that the code reads with those that the contract declares. It reads no values.
 * code-survey.ts reads the code, drift.ts and turbo.ts compare, and drift-text.ts writes the report.
 */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Values } from "../../../command-line/options.ts";
import { resolveSettings } from "../../../command-line/settings.ts";
import { namesOfDeclaration } from "../../../contract/check-contract.ts";
import { shortenPath } from "../../../contract/file/contract-text.ts";
import { loadContract } from "../../../contract/find-contract.ts";
import type { Context } from "../../../core/context.ts";
import { ExitStatus, SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { printReport } from "../../../output/colour.ts";
import { isInside } from "../../../system/repository.ts";
import { systemErrorCode } from "../../../system/errors.ts";
import { surveyCode } from "./code-survey.ts";
import { findDeclarations } from "./declared-at.ts";
import { compareCode } from "./drift.ts";
import { formatDriftJson, formatDrift } from "./drift-text.ts";
import { findTurboGaps } from "./turbo.ts";

/**
 * Compares the code below a folder, by default that of the project, with the contract.
 *
 * @returns 1 with `--strict` if the code reads a variable that is not declared, else 0
 * @throws SophiaError (file, 125) if there is no such folder
 */
export async function checkCode(folder: string | undefined, options: Values, context: Context): Promise<number> {
  const settings = resolveSettings(options, context.environment);
  const root = folder === undefined ? context.project : resolve(context.cwd, folder);
  requireFolder(root, folder ?? ".");
  const contract = await loadContract(settings, context);
  const { source, scope, variables } = contract;
  const declaredNames = Array.from(variables.values()).flatMap(namesOfDeclaration);
  const { extent, reads, unmentioned, turboFiles } = await surveyCode(root, declaredNames, context.cwd);
  const declarations = await findDeclarations(source, context.cwd);
  const { undeclared, unread } = compareCode(contract, reads, declarations, unmentioned);
  // If the user names a part of the contract's folder, the code in other parts may read a variable that this part does not
  // read.
  const coversContract = source.kind === "built-in" || scope !== undefined || isInside(dirname(source.path), root);
  const namesForTurbo = [...variables.keys()].filter((name) => declarations.get(name)?.isUnread !== true);
  const comparison = {
    contract,
    folder: shortenPath(root, context.cwd),
    extent,
    undeclared,
    unread: coversContract ? unread : undefined,
    turboGaps: findTurboGaps(turboFiles, namesForTurbo),
    isStrict: options["strict"] === true,
  };
  if (options["json"] === true) context.out(formatDriftJson(comparison));
  else printReport(context, formatDrift(comparison));
  return comparison.isStrict && undeclared.length > 0 ? ExitStatus.unmet : ExitStatus.ok;
}

/** @param name the folder as the user named it @throws SophiaError (file, 125) if there is no such folder */
function requireFolder(path: string, name: string): void {
  const fault = findFolderFault(path);
  if (fault === undefined) return;
  throw new SophiaError({
    code: "file",
    message: `${printable(name)} ${fault}`,
    hint: `name the folder of the code; by default it is that of the project`,
  });
}

/** Returns why a path is not a folder, as the end of a sentence; undefined if it is one. */
function findFolderFault(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : "is not a folder";
  } catch (error) {
    const code = systemErrorCode(error);
    return code === "ENOENT" ? "does not exist" : `cannot be read (${code ?? "unknown error"})`;
  }
}
