/** Writes the report of `check --code`, for people and as JSON. */
import type { Contract } from "../../../contract/contract-model.ts";
import { enumerateFew, type Line } from "../../../core/lines.ts";
import { formatJson } from "../../../core/json-text.ts";
import { count, printable } from "../../../core/text.ts";
import { createHeadLine, describeContract, reportContract, createReportTitle } from "../../../output/report.ts";
import type { CodeExtent } from "../../parts/code/code-files.ts";
import { describeCodePlace } from "../../parts/code/code-place.ts";
import type { UndeclaredVariable, UnreadVariable } from "./drift.ts";
import type { TurboGap } from "./turbo.ts";

/** The result of `check --code`. */
export interface CodeComparison {
  readonly contract: Contract;
  /** The path of the folder with the code, from the working directory. */
  readonly folder: string;
  /** The number of files that were read, and those that were not. */
  readonly extent: CodeExtent;
  readonly undeclared: readonly UndeclaredVariable[];
  /** Undefined if the folder is only a part of the code that the contract is for. */
  readonly unread: readonly UnreadVariable[] | undefined;
  readonly turboGaps: readonly TurboGap[];
  /** True with `--strict`: an undeclared variable makes the check fail. */
  readonly isStrict: boolean;
}

/** Returns the comparison as JSON. Its version changes if a field changes its meaning. */
export function formatDriftJson({
  contract,
  folder,
  extent,
  undeclared,
  unread,
  turboGaps,
  isStrict,
}: CodeComparison): string {
  const isComplete = extent.unreadPaths.length === 0 && !extent.isLimitReached;
  const unreadEntries = unread?.map(({ name, place }) => ({
    name,
    // A declaration has further fields, which are not part of the report.
    place: place === undefined ? null : { file: place.file, line: place.line },
  }));
  return formatJson({
    version: 1,
    passed: !isStrict || undeclared.length === 0,
    contract: reportContract(contract),
    folder,
    files: extent.codeFileCount,
    notRead: extent.unreadPaths,
    complete: isComplete,
    undeclared: undeclared.map(({ name, required, isOutsideScope, places }) => ({
      name,
      required,
      outside: isOutsideScope,
      places,
    })),
    unread: unreadEntries ?? null,
    turbo: turboGaps.map(({ place, names }) => ({ ...place, names })),
  });
}

/** The limits on the places of a variable, and on the names in one line; the others are counted. */
const MAX_PLACES = 3;
const MAX_NAMES = 10;

/** Returns the comparison for people. */
export function formatDrift(comparison: CodeComparison): readonly Line[] {
  const { undeclared, unread = [], turboGaps } = comparison;
  const contract = reportContract(comparison.contract);
  const sections: readonly (readonly Line[])[] = [
    [createHeadLine("Contract:", describeContract(contract)), createHeadLine("Code:", printable(comparison.folder))],
    createSectionLines(
      "--- Read, Not Declared ---",
      undeclared.flatMap((variable) => createUndeclaredLines(variable, comparison)),
    ),
    createSectionLines("--- Declared, Not Read ---", unread.map(createUnreadLine)),
    createSectionLines("--- Turborepo ---", turboGaps.flatMap(createTurboLines)),
    ["--- Summary ---", ...createSummaryLines(comparison)],
  ];
  const shownSections = sections.filter((lines) => lines.length > 0);
  return [createReportTitle("code", contract), ...shownSections.flatMap((lines) => ["", ...lines])];
}

/** Returns a section, or nothing if it would have no lines. */
function createSectionLines(title: string, lines: readonly Line[]): readonly Line[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function createUndeclaredLines(
  { name, required, places, similarName, isOutsideScope }: UndeclaredVariable,
  { contract: { scope }, isStrict }: CodeComparison,
): readonly Line[] {
  const shownPlaces = enumerateFew(places.map(describeCodePlace), MAX_PLACES);
  const consequence = required ? " (the code fails without it)" : "";
  const suggestion = similarName === undefined ? [] : [`   did you mean ${similarName}?`];
  const explanation = isOutsideScope ? [`   declared, but not in the scope ${scope?.name ?? ""}`] : suggestion;
  const mark = isStrict ? "❌" : "⚠️";
  return [{ text: `${mark} ${name}: ${shownPlaces}${consequence}`, wrapsOnlyAtTerminal: true }, ...explanation];
}

function createUnreadLine({ name, similarName, place }: UnreadVariable): Line {
  const shownPlace = place === undefined ? "the built-in contract" : describeCodePlace(place);
  const suggestion = similarName === undefined ? "" : ` (the code reads ${similarName})`;
  return { text: `⚠️ ${name}: ${shownPlace}${suggestion}`, wrapsOnlyAtTerminal: true };
}

function createTurboLines({ place, names }: TurboGap): readonly Line[] {
  if (names.length === 0) return [`⚠️ ${describeCodePlace(place)} is not JSON, so that its lists are not known`];
  const shownNames = enumerateFew(names, MAX_NAMES, "or");
  const pronoun = names.length === 1 ? "it" : "them";
  return [
    `⚠️ ${describeCodePlace(place)} lists none of ${shownNames}, so that tasks do not get ${pronoun}`,
    `   add ${pronoun} to globalPassThroughEnv, or to passThroughEnv or env of the tasks`,
  ];
}

function createSummaryLines(comparison: CodeComparison): readonly Line[] {
  const { undeclared, unread = [], extent, contract, turboGaps } = comparison;
  const files = count(extent.codeFileCount, "file");
  const declared = count(contract.variables.size, "variable");
  const agrees = undeclared.length === 0 && unread.length === 0 && turboGaps.length === 0;
  return [
    ...summarizeUndeclared(comparison),
    ...summarizeUnread(comparison),
    agrees ? `✅ Code (${files}) and contract (${declared}) agree` : `➖ Compared ${files} of code with ${declared}`,
    ...createExtentLines(extent),
  ];
}

function summarizeUndeclared({ undeclared, isStrict }: CodeComparison): readonly Line[] {
  const [first] = undeclared;
  if (first === undefined) return [];
  const read = `The code reads ${count(undeclared.length, "variable")} that the contract does not declare`;
  return [
    isStrict ? `❌ ${read} (--strict)` : `⚠️ ${read}: --strict makes the check fail`,
    `   declare ${undeclared.length === 1 ? "it" : "them"} under "variables", as in`,
    { text: `     "${first.name}": {}`, neverWraps: true },
  ];
}

function summarizeUnread({ unread, folder }: CodeComparison): readonly Line[] {
  if (unread === undefined) {
    const part = `${printable(folder)} is a part of the contract's folder`;
    return [`➖ Declared variables that nothing reads: not searched for, since ${part}`];
  }
  if (unread.length === 0) return [];
  const remedy = `remove what is not needed; with "unread": true it is not reported`;
  return [`⚠️ No code here reads ${count(unread.length, "declared variable")}: ${remedy}`];
}

/** Reports the files that were not read, since they may read further variables. */
function createExtentLines({ unreadPaths, isLimitReached }: CodeExtent): readonly Line[] {
  const reasons = "in UTF-16, too deep, unreadable, or larger than 1 MiB";
  return [
    ...(unreadPaths.length === 0
      ? []
      : [`⚠️ Not read (${reasons}): ${enumerateFew(unreadPaths.map(printable), MAX_NAMES)}`]),
    ...(isLimitReached ? ["⚠️ Further files were not read: there are more than 20,000; name a FOLDER with fewer"] : []),
  ];
}
