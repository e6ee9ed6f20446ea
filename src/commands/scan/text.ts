import { jsonText } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count, printable } from "../../core/text.ts";
import type { Form } from "../../masking/patterns.ts";
import type { Finding } from "./inspect.ts";
import type { FindingLocation, Gap, Search } from "./search.ts";

const SHORT_COMMIT = 12;
/** The number of unreadable files that are named. */
const MAX_NAMED = 5;

export type Area = "files" | "index" | "history";

/** Formats a line for each finding, and a summary. They hold no value. */
export function text(search: Search, secrets: number, area: Area): readonly Line[] {
  const { findings, names, affected, more, contents } = search;
  const amount = (number: number): string =>
    count(number, area === "history" ? "object" : "file") + (area === "index" ? " of the index" : "");
  const searched = `${amount(contents)} searched for ${count(secrets, "secret")}`;
  if (findings.length === 0) {
    if (isComplete(search)) return [`✅ No secret found: ${searched}`];
    return ["⚠️ No secret found, but not everything could be searched:", `   ${searched}`];
  }
  return [
    // In the form of compilers, which tools can read.
    ...findings.map((one) => ({ text: line(one), whole: true })),
    "",
    `❌ ${count(names.size, "secret")} found in ${count(findings.length + more, "place")} of ${amount(affected)}; ${searched}`,
    ...(more > 0 ? [`   ${more} of them are not listed`] : []),
    { text: `   ${area === "index" ? REMEDY_OF_INDEX : REMEDY}`, hang: 3 },
  ];
}

const REMEDY =
  "Replace them at their services, because everyone with access to the repository can read them; then remove them.";
const REMEDY_OF_INDEX =
  "The next commit would contain them: remove them from the files, then git add the files. " +
  "Those in earlier commits must also be replaced at their services.";

export function isComplete({ unread, gaps }: Search): boolean {
  return unread.length === 0 && gaps.length === 0;
}

/** Returns a warning of several lines for each part that could not be searched. */
export function incompleteness({ unread, moreUnread, gaps }: Search): readonly (readonly [string, ...string[]])[] {
  const warnings = gaps.map(gapLines);
  if (unread.length === 0) return warnings;
  const named = unread.slice(0, MAX_NAMED).map(({ file, why }) => `${file} (${why})`);
  const all = unread.length + moreUnread;
  const more = all > MAX_NAMED ? [`and ${all - MAX_NAMED} more`] : [];
  return [...warnings, [`warning: ${count(all, "file")} could not be searched`, ...named, ...more]];
}

function gapLines(gap: Gap): readonly [string, ...string[]] {
  const refetch = "fetch the objects that a partial clone lacks: git fetch --refetch --no-filter";
  switch (gap.kind) {
    case "shallow":
      return [
        "warning: only part of the history was searched (shallow clone)",
        "fetch the rest: git fetch --unshallow",
      ];
    case "missing": {
      const objects = count(gap.objects, "object");
      return [`warning: ${objects} of the history could not be searched (not in this clone)`, refetch];
    }
    case "refused": {
      const check = "list damaged and missing objects: git fsck --connectivity-only";
      return [`warning: not all objects could be searched (${gap.why})`, refetch, check];
    }
  }
}

function line({ file, commit, object, line: first, lastLine, form }: FindingLocation & Finding): string {
  const lines = first === lastLine ? String(first) : `${first}-${lastLine}`;
  const where = file !== "" ? file : commit === object ? "(message)" : "(unknown file)";
  const version = object === undefined ? "" : `${(commit ?? object).slice(0, SHORT_COMMIT)} `;
  return `${version}${where}:${lines}: ${printable(form.name)}${formWords(form)}`;
}

function formWords({ part, encoding }: Form): string {
  const what = { value: "", line: "a line", leaf: "a string in it" }[part];
  const words = [what, encoding === "plain" ? "" : encoding].filter((word) => word !== "");
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}

/** Formats the result for programs. The version changes if a field changes its meaning. */
export function json(search: Search, secrets: number): string {
  const { findings, more, unread, moreUnread, gaps, contents, bytes } = search;
  return jsonText({
    version: 1,
    found: findings.length > 0,
    findings: findings.map(({ file, commit, object, line: first, lastLine, form: { name, part, encoding } }) => {
      return { file, commit, object, line: first, lastLine, variable: name, part, encoding };
    }),
    more,
    complete: isComplete(search),
    unread,
    moreUnread,
    gaps,
    searched: { secrets, contents, bytes },
  });
}
