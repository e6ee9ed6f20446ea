import { jsonText } from "../../core/json-text.ts";
import { enumerateFew, limitLines, type Line } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { count, printable } from "../../core/text.ts";
import type { Form } from "../../masking/patterns.ts";
import type { Finding } from "./inspect.ts";
import type { FindingLocation, Gap, Search, Within } from "./secret-search.ts";

const SHORT_COMMIT = 12;
/** The number of unreadable files that are named. */
const MAX_NAMED = 5;

const WITHIN: Readonly<Record<Within, string>> = {
  content: "",
  target: "in the target of the link",
  name: "in the name",
  ref: "in the name of the ref",
};

export type Area = "files" | "index" | "history";

/** Formats a line for each finding, and a summary. They hold no value. */
export function text(search: Search, secrets: number, area: Area): readonly Line[] {
  const { findings, names, affected, more, contents } = search;
  const amount = (number: number): string =>
    count(number, area === "history" ? "object" : "file") + (area === "index" ? " of the index" : "");
  const searched = `${amount(contents)} searched for ${count(secrets, "secret")}`;
  if (findings.length === 0) {
    if (secrets === 0) return ["⚠️ Nothing was searched for: no secret has a value"];
    if (isComplete(search)) return [`✅ No secret found: ${searched}`];
    if (search.gaps.every(({ kind }) => kind === "esc") && search.unread.length === 0) {
      return ["⚠️ No secret found, but the values of ESC were not searched for:", `   ${searched}`];
    }
    return ["⚠️ No secret found, but not everything could be searched:", `   ${searched}`];
  }
  // Names are places of no content.
  const places = `${count(findings.length + more, "place")}${affected === 0 ? "" : ` of ${amount(affected)}`}`;
  return [
    // In the form of compilers, which tools can read.
    ...findings.map((one) => ({ text: line(one), whole: true })),
    "",
    `❌ ${count(names.size, "secret")} found in ${places}; ${searched}`,
    ...(more > 0 ? [`   ${more} of them are not listed`] : []),
    { text: `   ${area === "index" ? REMEDY_OF_INDEX : REMEDY}`, hang: 3 },
    ...(findings.some(({ onlyInReflog }) => onlyInReflog === true) ? [{ text: `   ${REFLOG}`, hang: 3 }] : []),
  ];
}

const REMEDY =
  "Replace them at their services, because everyone with access to the repository can read them; then remove them.";
const REMEDY_OF_INDEX =
  "The next commit would contain them: remove them from the files, then git add the files. " +
  "Those in earlier commits must also be replaced at their services.";
/** Not `git reflog expire`, which would remove all stashes but the last. */
const REFLOG =
  "What is only in the reflog (older stashes, amended commits) is in this clone alone: git stash drop, git reflog " +
  "delete and then git gc --prune=now remove it.";

export function isComplete({ unread, gaps }: Search): boolean {
  return unread.length === 0 && gaps.length === 0;
}

/** Returns a warning of several lines for each part that could not be searched. */
export function incompleteness(search: Search): readonly (readonly [string, ...string[]])[] {
  const { unread, moreUnread, gaps, unreachable } = search;
  const warnings = gaps.map(gapLines);
  for (const { objects, repository } of unreachable) {
    const contain = `${count(objects, "object")} to which nothing refers contain${objects === 1 ? "s" : ""} a secret`;
    warnings.push([
      `warning: ${contain}, in this clone alone`,
      `remove all such objects: ${gitIn(repository)} gc --prune=now`,
    ]);
  }
  if (unread.length === 0) return warnings;
  const named = unread.slice(0, MAX_NAMED).map(({ file, why }) => `${file} (${why})`);
  const all = unread.length + moreUnread;
  const more = all > MAX_NAMED ? [`and ${all - MAX_NAMED} more`] : [];
  return [...warnings, [`warning: ${count(all, "file")} could not be searched`, ...named, ...more]];
}

function gapLines(gap: Gap): readonly [string, ...string[]] {
  const repository = "repository" in gap ? gap.repository : undefined;
  const git = gitIn(repository);
  const where = repository === undefined ? "" : ` of ${repository}`;
  const refetch = `fetch the objects that a partial clone lacks: ${git} fetch --refetch --no-filter`;
  switch (gap.kind) {
    case "shallow":
      return [
        `warning: only part of the history${where} was searched (shallow clone)`,
        `fetch the rest: ${git} fetch --unshallow`,
      ];
    case "missing": {
      const objects = count(gap.objects, "object");
      return [`warning: ${objects} of the history${where} could not be searched (not in this clone)`, refetch];
    }
    case "refused": {
      const check = `list damaged and missing objects: ${git} fsck --connectivity-only`;
      return [`warning: not all objects${where} could be searched (${gap.why})`, refetch, check];
    }
    case "submodules": {
      const { files } = gap;
      return [
        `warning: the history of ${count(files.length, "submodule")} was not searched`,
        ...limitLines(files, MAX_NAMED),
        "get them: git submodule update --init --recursive",
      ];
    }
    case "esc": {
      const names = enumerateFew(gap.searchedFor, MAX_NAMED);
      const cause = gap.status === "refused" ? "ESC refuses access" : "ESC is not available";
      return [
        names === ""
          ? `warning: nothing was searched for: ${cause}, and no other secret has a value`
          : `warning: ${cause}: its values were not searched for, only those of ${names}`,
        "--require-esc makes that an error",
      ];
    }
  }
}

function gitIn(repository: string | undefined): string {
  return repository === undefined ? "git" : `git -C ${shellWord(repository)}`;
}

function line(finding: FindingLocation & Finding): string {
  const { file, within = "content", repository, commit, object, line: first, lastLine, form } = finding;
  const lines = within !== "content" ? "" : first === lastLine ? `:${first}` : `:${first}-${lastLine}`;
  const inside = file !== "" ? file : commit === object ? "(message)" : "(unknown file)";
  const where = repository === undefined ? inside : `${repository}/${inside}`;
  const version =
    object === undefined && commit === undefined ? "" : `${(commit ?? object ?? "").slice(0, SHORT_COMMIT)} `;
  return `${version}${where}${lines}: ${printable(form.name)}${formWords(form, within, finding.onlyInReflog)}`;
}

function formWords({ part, encoding }: Form, within: Within, onlyInReflog = false): string {
  const what = { value: "", line: "a line", leaf: "a string in it" }[part];
  const all = [what, encoding === "plain" ? "" : encoding, WITHIN[within], onlyInReflog ? "only in the reflog" : ""];
  const words = all.filter((word) => word !== "");
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}

/** Formats the result for programs. The version changes if a field changes its meaning. */
export function json(search: Search, secrets: number): string {
  const { findings, more, unread, moreUnread, gaps, unreachable, contents, bytes } = search;
  return jsonText({
    version: 1,
    found: findings.length > 0,
    findings: findings.map(({ file, within = "content", repository, commit, object, onlyInReflog, ...rest }) => {
      const { line: first, lastLine, form } = rest;
      const place = { file, within, repository, commit, object, onlyInReflog, line: first, lastLine };
      return { ...place, variable: form.name, part: form.part, encoding: form.encoding };
    }),
    more,
    complete: isComplete(search),
    unread,
    moreUnread,
    gaps,
    unreachable: unreachable.reduce((sum, { objects }) => sum + objects, 0),
    searched: { secrets, contents, bytes },
  });
}
