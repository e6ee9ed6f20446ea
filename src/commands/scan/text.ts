import { jsonText } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count, printable } from "../../core/text.ts";
import type { Form } from "../../masking/patterns.ts";
import type { Gap, Place, Result } from "./session.ts";
import type { Finding } from "./inspect.ts";

const SHORT_COMMIT = 12;
/** The number of unreadable files that are named. */
const MOST_NAMED = 5;

export type Area = "files" | "index" | "history";

/** A line for each finding, and a summary, without values. */
export function text(result: Result, secrets: number, area: Area): readonly Line[] {
  const { findings, names, affected, more, contents } = result;
  const of = (number: number): string =>
    count(number, area === "history" ? "object" : "file") + (area === "index" ? " of the index" : "");
  const searched = `${of(contents)} searched for ${count(secrets, "secret")}`;
  if (findings.length === 0) {
    if (isComplete(result)) return [`✅ No secret found: ${searched}`];
    return ["⚠️ No secret found, but not everything could be searched:", `   ${searched}`];
  }
  return [
    // As compilers write them, for tools that read them.
    ...findings.map((one) => ({ text: line(one), whole: true })),
    "",
    `❌ ${count(names.size, "secret")} found in ${count(findings.length + more, "place")} of ${of(affected)}; ${searched}`,
    ...(more > 0 ? [`   ${more} of them are not listed`] : []),
    { text: `   ${area === "index" ? REMEDY_OF_INDEX : REMEDY}`, hang: 3 },
  ];
}

const REMEDY = "Replace them where they are issued: who has the repository has them. Then take them out of it.";
const REMEDY_OF_INDEX =
  "The next commit would hold them: take them out of the files, then git add these. " +
  "Replace those that an earlier commit holds where they are issued.";

export function isComplete({ unread, gaps }: Result): boolean {
  return unread.length === 0 && gaps.length === 0;
}

/** Words the parts that could not be searched, in warnings of several lines each. */
export function incompleteness({ unread, moreUnread, gaps }: Result): readonly (readonly [string, ...string[]])[] {
  const warnings = gaps.map(gapLines);
  if (unread.length === 0) return warnings;
  const named = unread.slice(0, MOST_NAMED).map(({ file, why }) => `${file} (${why})`);
  const all = unread.length + moreUnread;
  const more = all > MOST_NAMED ? [`and ${all - MOST_NAMED} more`] : [];
  return [...warnings, [`warning: ${count(all, "file")} could not be read and may hold secrets`, ...named, ...more]];
}

function gapLines(gap: Gap): readonly [string, ...string[]] {
  const refetch = "git fetch --refetch --no-filter gets what a partial clone lacks";
  switch (gap.kind) {
    case "shallow": {
      const what = "this is a shallow clone: only part of the history was searched";
      return [`warning: ${what}`, "git fetch --unshallow gets the rest"];
    }
    case "missing": {
      const are = gap.objects === 1 ? "is" : "are";
      const objects = `${count(gap.objects, "object")} of the history ${are}`;
      return [`warning: ${objects} not in this clone and may hold secrets`, refetch];
    }
    case "refused": {
      const check = "git fsck --connectivity-only names those that are damaged or missing";
      return [`warning: git did not give all objects (${gap.why})`, refetch, check];
    }
  }
}

function line({ file, commit, object, line: first, lastLine, form }: Place & Finding): string {
  const lines = first === lastLine ? String(first) : `${first}-${lastLine}`;
  const where = file === "" ? "(message)" : file;
  const of = object === undefined ? "" : `${(commit ?? object).slice(0, SHORT_COMMIT)} `;
  return `${of}${where}:${lines}: ${printable(form.name)}${formWords(form)}`;
}

function formWords({ part, encoding }: Form): string {
  const what = { value: "", line: "a line", leaf: "a string in it" }[part];
  const words = [what, encoding === "plain" ? "" : encoding].filter((word) => word !== "");
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}

/** The same for programs, with a version that changes when a field loses its meaning. */
export function json(result: Result, secrets: number): string {
  const { findings, more, unread, moreUnread, gaps, contents, bytes } = result;
  return jsonText({
    version: 1,
    found: findings.length > 0,
    findings: findings.map(({ file, commit, object, line: first, lastLine, form: { name, part, encoding } }) => {
      return { file, commit, object, line: first, lastLine, variable: name, part, encoding };
    }),
    more,
    complete: isComplete(result),
    unread,
    moreUnread,
    gaps,
    searched: { secrets, contents, bytes },
  });
}
