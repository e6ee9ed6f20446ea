import type { Contract } from "../../../contract/contract-model.ts";
import { enumerateFew, type Line } from "../../../core/lines.ts";
import { jsonText } from "../../../core/json-text.ts";
import { count, printable } from "../../../core/text.ts";
import { contractWords, reportContract, reportTitle } from "../../../output/report.ts";
import type { CodeExtent } from "../../parts/code/code-files.ts";
import { placeWords } from "../../parts/code/code-place.ts";
import type { Undeclared, Unread } from "./drift.ts";
import type { TurboGap } from "./turbo.ts";

export interface CodeComparison {
  readonly contract: Contract;
  /** The path from the working directory. */
  readonly folder: string;
  readonly extent: CodeExtent;
  readonly undeclared: readonly Undeclared[];
  /** Undefined if the folder is only a part of the code that the contract is for. */
  readonly unread: readonly Unread[] | undefined;
  readonly turbo: readonly TurboGap[];
  readonly isStrict: boolean;
}

/** Returns the comparison as JSON. Its version changes if a field changes its meaning. */
export function codeJson({ contract, folder, extent, undeclared, unread, turbo, isStrict }: CodeComparison): string {
  return jsonText({
    version: 1,
    passed: !isStrict || undeclared.length === 0,
    contract: reportContract(contract),
    folder,
    files: extent.files,
    notRead: extent.unread,
    complete: isComplete(extent),
    undeclared: undeclared.map(({ name, required, isOutside, places }) => ({
      name,
      required,
      outside: isOutside,
      places,
    })),
    unread:
      unread?.map(({ name, place }) => ({
        name,
        place: place === undefined ? null : { file: place.file, line: place.line },
      })) ?? null,
    turbo: turbo.map(({ place, names }) => ({ ...place, names })),
  });
}

function isComplete({ unread, isCut }: CodeExtent): boolean {
  return unread.length === 0 && !isCut;
}

const MOST_PLACES = 3;
const MOST_NAMES = 10;

export function codeText(comparison: CodeComparison): readonly Line[] {
  const { undeclared, unread = [], turbo, isStrict } = comparison;
  const contract = reportContract(comparison.contract);
  const sections: readonly (readonly Line[])[] = [
    [`Contract: ${contractWords(contract)}`, `Code:     ${printable(comparison.folder)}`],
    undeclared.length === 0
      ? []
      : [
          "--- Read, Not Declared ---",
          ...undeclared.flatMap((one) => undeclaredLines(one, comparison.contract, isStrict)),
        ],
    unread.length === 0 ? [] : ["--- Declared, Not Read ---", ...unread.map(unreadLine)],
    turbo.length === 0 ? [] : ["--- Turborepo ---", ...turbo.flatMap(turboLines)],
    ["--- Summary ---", ...summary(comparison)],
  ];
  const blocks = sections.filter((lines) => lines.length > 0);
  return [reportTitle("code", contract), ...blocks.flatMap((lines) => ["", ...lines])];
}

function undeclaredLines(
  { name, required, places, similar, isOutside }: Undeclared,
  { scope }: Contract,
  isStrict: boolean,
): readonly Line[] {
  const where = enumerateFew(places.map(placeWords), MOST_PLACES);
  const how = required ? " (the code fails without it)" : "";
  const what = isOutside
    ? [`   declared, but not in the scope ${scope?.name ?? ""}`]
    : similar === undefined
      ? []
      : [`   did you mean ${similar}?`];
  return [{ text: `${isStrict ? "❌" : "⚠️"} ${name}: ${where}${how}`, searched: true }, ...what];
}

function unreadLine({ name, similar, place }: Unread): Line {
  const where = place === undefined ? "the built-in contract" : placeWords(place);
  const meant = similar === undefined ? "" : ` (the code reads ${similar})`;
  return { text: `⚠️ ${name}: ${where}${meant}`, searched: true };
}

function turboLines({ place, names }: TurboGap): readonly Line[] {
  if (names.length === 0) return [`⚠️ ${placeWords(place)} is not JSON, so that its lists are not known`];
  return [
    `⚠️ ${placeWords(place)} lists none of ${enumerateFew(names, MOST_NAMES, "or")}, so that tasks do not get ${names.length === 1 ? "it" : "them"}`,
    `   add ${names.length === 1 ? "it" : "them"} to globalPassThroughEnv, or to passThroughEnv or env of the tasks`,
  ];
}

function summary({ undeclared, unread, extent, folder, contract, isStrict, turbo }: CodeComparison): readonly Line[] {
  const files = count(extent.files, "file");
  const them = undeclared.length === 1 ? "it" : "them";
  const read = `The code reads ${count(undeclared.length, "variable")} that the contract does not declare`;
  const isEqual = undeclared.length === 0 && (unread ?? []).length === 0 && turbo.length === 0;
  const declared = count(contract.variables.size, "variable");
  return [
    ...(undeclared.length === 0
      ? []
      : [
          isStrict ? `❌ ${read} (--strict)` : `⚠️ ${read}: --strict makes the check fail`,
          `   declare ${them} under "variables", as in`,
          { text: `     "${undeclared[0]?.name ?? ""}": {}`, whole: true },
        ]),
    ...(unread === undefined
      ? [
          `➖ Declared variables that nothing reads: not searched for, since ${printable(folder)} is a part of the contract's folder`,
        ]
      : unread.length === 0
        ? []
        : [
            `⚠️ No code here reads ${count(unread.length, "declared variable")}: remove what is not needed; with "unread": true it is not reported`,
          ]),
    ...(isEqual
      ? [`✅ Code (${files}) and contract (${declared}) agree`]
      : [`➖ Compared ${files} of code with ${declared}`]),
    ...(extent.unread.length === 0
      ? []
      : [
          `⚠️ Not read (in UTF-16, too deep, unreadable, or larger than 1 MiB): ${enumerateFew(extent.unread.map(printable), MOST_NAMES)}`,
        ]),
    ...(extent.isCut ? ["⚠️ Further files were not read: there are more than 20,000; name a FOLDER with fewer"] : []),
  ];
}
