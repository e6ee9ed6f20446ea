/**
 * Formats the result of `sophia-run scan` for the user: a line for each finding, a summary, and what to do. No line contains the
 * value of a secret. scan-json.ts formats the same for programs. This file has no side effects.
 */
import type { Line } from "../../core/lines.ts";
import { count, printable } from "../../core/text.ts";
import type { Form } from "../../masking/patterns.ts";
import type { Finding } from "./inspect.ts";
import { type FindingLocation, isComplete, type SecretSearch, type FindingPlace } from "./secret-search.ts";

/** The number of digits of a commit that are printed, as many as git prints of it in a large repository. */
const COMMIT_DIGITS = 12;

const PLACE_TEXTS: Readonly<Record<FindingPlace, string>> = {
  content: "",
  target: "in the target of the link",
  name: "in the name",
  ref: "in the name of the ref",
};

/** The area that is searched: files of the working tree, git's index, or the history of the repository. */
export type ScanArea = "files" | "index" | "history";

/** Returns the lines of the report. @param secretCount the number of secrets that were searched for */
export function describeScan(search: SecretSearch, secretCount: number, area: ScanArea): readonly Line[] {
  const searchSummary = `${countContents(search.searchedContentCount, area)} searched for ${count(secretCount, "secret")}`;
  if (search.findings.length === 0) return describeNothingFound(search, secretCount, searchSummary);
  const { findings, foundVariables, contentWithFindingsCount, unlistedFindingCount } = search;
  const placeCountText = count(findings.length + unlistedFindingCount, "place");
  // If all findings are in names of files or branches, no content has a secret, and the summary mentions none.
  const contentCountText = contentWithFindingsCount === 0 ? "" : ` of ${countContents(contentWithFindingsCount, area)}`;
  const isAnyInReflog = findings.some(({ onlyInReflog }) => onlyInReflog === true);
  return [
    // A line has the form of a compiler's message (FILE:LINE: TEXT), which editors and CI can read, so it is never wrapped.
    ...findings.map((finding) => ({ text: describeFinding(finding), neverWraps: true })),
    "",
    `❌ ${count(foundVariables.size, "secret")} found in ${placeCountText}${contentCountText}; ${searchSummary}`,
    ...(unlistedFindingCount > 0 ? [`   ${unlistedFindingCount} of them are not listed`] : []),
    { text: `   ${area === "index" ? INDEX_REMEDY : REPLACE_REMEDY}`, hangingIndent: 3 },
    ...(isAnyInReflog ? [{ text: `   ${REFLOG_REMEDY}`, hangingIndent: 3 }] : []),
  ];
}

function describeNothingFound(search: SecretSearch, secretCount: number, searchSummary: string): readonly Line[] {
  if (secretCount === 0) return ["⚠️ Nothing was searched for: no secret has a value"];
  if (isComplete(search)) return [`✅ No secret found: ${searchSummary}`];
  const lacksOnlyEsc = search.gaps.every(({ kind }) => kind === "esc") && search.unreadFiles.length === 0;
  return lacksOnlyEsc
    ? ["⚠️ No secret found, but the values of ESC were not searched for:", `   ${searchSummary}`]
    : ["⚠️ No secret found, but not everything could be searched:", `   ${searchSummary}`];
}

function countContents(contents: number, area: ScanArea): string {
  return count(contents, area === "history" ? "object" : "file") + (area === "index" ? " of the index" : "");
}

const REPLACE_REMEDY =
  "Replace them at their services, because everyone with access to the repository can read them; then remove them.";
const INDEX_REMEDY =
  "The next commit would contain them: remove them from the files, then git add the files. " +
  "Those in earlier commits must also be replaced at their services.";
/** This remedy does not propose `git reflog expire`, which would remove all stashes except for the last one. */
const REFLOG_REMEDY =
  "What is only in the reflog (older stashes, amended commits) is in this clone alone: git stash drop, git reflog " +
  "delete and then git gc --prune=now remove it.";

/** Returns a line such as `0123456789ab lib/sub/config.json:3-5: API_KEY (base64)`: commit, file, lines, variable and form. */
function describeFinding(finding: FindingLocation & Finding): string {
  const { within = "content", form, onlyInReflog } = finding;
  const location = `${describeCommit(finding)}${describePath(finding)}${within === "content" ? describeLines(finding) : ""}`;
  return `${location}: ${printable(form.name)}${describeForm(form, within, onlyInReflog)}`;
}

function describeCommit({ commit, object }: FindingLocation): string {
  const id = commit ?? object;
  return id === undefined ? "" : `${id.slice(0, COMMIT_DIGITS)} `;
}

function describePath({ file, repository, commit, object }: FindingLocation): string {
  // The message of a commit is an object without a name, and the commit is that object itself.
  const unnamed = commit === object ? "(message)" : "(unknown file)";
  const path = file === "" ? unnamed : file;
  return repository === undefined ? path : `${repository}/${path}`;
}

function describeLines({ line, lastLine }: Finding): string {
  return line === lastLine ? `:${line}` : `:${line}-${lastLine}`;
}

function describeForm({ part, encoding }: Form, within: FindingPlace, onlyInReflog = false): string {
  const facts = [
    { value: "", line: "a line", leaf: "a string in it" }[part],
    encoding === "plain" ? "" : encoding,
    PLACE_TEXTS[within],
    onlyInReflog ? "only in the reflog" : "",
  ].filter((fact) => fact !== "");
  return facts.length === 0 ? "" : ` (${facts.join(", ")})`;
}
