/** `check --code`: the variables that the code reads, and those that the contract declares. */
import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Values } from "../../../command-line/options.ts";
import { resolveSettings } from "../../../command-line/settings.ts";
import { namesOfDeclaration } from "../../../contract/check-contract.ts";
import { shownPath } from "../../../contract/file/contract-text.ts";
import { loadContract } from "../../../contract/find-contract.ts";
import type { Context } from "../../../core/context.ts";
import { ExitStatus, SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { printReport } from "../../../output/colour.ts";
import { isInside } from "../../../system/repository.ts";
import { systemErrorCode } from "../../../system/errors.ts";
import { visitCode, lineBefore } from "../../parts/code/code-files.ts";
import { declarationPlaces } from "./declared-at.ts";
import type { CodePlace } from "../../parts/code/code-place.ts";
import { driftOf } from "./drift.ts";
import { codeJson, codeText } from "./drift-text.ts";
import { turboGaps, type TurboFile } from "./turbo.ts";

/**
 * Compares the code below a folder, by default that of the project, with the contract. Reads no source and no ESC.
 *
 * @returns 1 with `--strict` if the code reads a variable that is not declared, else 0
 * @throws SophiaError (file, 125) if there is no such folder
 */
export async function checkCode(folder: string | undefined, options: Values, context: Context): Promise<number> {
  const settings = resolveSettings(options, context.environment);
  const root = folder === undefined ? context.project : resolve(context.cwd, folder);
  insistOnFolder(root, folder ?? ".");
  const contract = await loadContract(settings, context);
  const reads = new Map<string, { required: boolean; readonly places: CodePlace[] }>();
  const turbo: TurboFile[] = [];
  // Names that no read has shown yet. One in another place, such as a list of names, may be read as well.
  const unnamed = new Set(Array.from(contract.variables.values()).flatMap(namesOfDeclaration));
  const removeNamed = (text: string): void => {
    for (const name of unnamed) if (isNamedIn(text, name)) unnamed.delete(name);
  };
  const shown = (path: string): string => shownPath(join(root, path), context.cwd);
  const extent = await visitCode(root, {
    file: ({ path, text, reads: own }) => {
      for (const { name, required, line } of own) {
        const known = reads.get(name) ?? { required: false, places: [] };
        known.required ||= required;
        const last = known.places.at(-1);
        if (last?.file !== shown(path) || last.line !== line) known.places.push({ file: shown(path), line });
        reads.set(name, known);
        unnamed.delete(name);
      }
      removeNamed(text);
    },
    other: (path, text) => {
      if (/(?:^|\/)turbo\.jsonc?$/.test(path)) turbo.push({ file: shown(path), text });
      else removeNamed(text);
    },
  });
  const declaredAt = await declarationPlaces(contract.source, context.cwd);
  const drift = driftOf(contract, reads, declaredAt, (name) => !unnamed.has(name));
  const { source } = contract;
  // Other folders of the contract may read the variable.
  const isWhole = source.kind === "built-in" || contract.scope !== undefined || isInside(dirname(source.path), root);
  const declared = [...contract.variables.keys()].filter((name) => declaredAt.get(name)?.isUnread !== true);
  const comparison = {
    contract,
    folder: shownPath(root, context.cwd),
    extent,
    undeclared: drift.undeclared,
    unread: isWhole ? drift.unread : undefined,
    turbo: turboGaps(turbo, declared),
    isStrict: options["strict"] === true,
  };
  if (options["json"] === true) context.out(codeJson(comparison));
  else printReport(context, codeText(comparison));
  return comparison.isStrict && drift.undeclared.length > 0 ? ExitStatus.unmet : ExitStatus.ok;
}

/** @throws SophiaError (file, 125) */
function insistOnFolder(path: string, name: string): void {
  let problem = "is not a folder";
  try {
    if (statSync(path).isDirectory()) return;
  } catch (error) {
    problem =
      systemErrorCode(error) === "ENOENT"
        ? "does not exist"
        : `cannot be read (${systemErrorCode(error) ?? "unknown error"})`;
  }
  throw new SophiaError({
    code: "file",
    message: `${printable(name)} ${problem}`,
    hint: `name the folder of the code; by default it is that of the project`,
  });
}

/** Returns true if a text has a name as a word, on a line that is no comment. */
function isNamedIn(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + name.length)) {
    const isWord = !/\w/.test(text.charAt(at - 1)) && !/\w/.test(text.charAt(at + name.length));
    if (isWord && !/^\s*(?:\/\/|#|\*|\/\*|<!--|--|;)/.test(lineBefore(text, at))) return true;
  }
  return false;
}
