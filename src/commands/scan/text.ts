import { jsonText } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count, printable } from "../../core/text.ts";
import type { Form } from "../../masking/patterns.ts";
import type { Place, Result } from "./session.ts";
import type { Finding } from "./inspect.ts";

const SHORT_COMMIT = 12;

/** A line for each finding, as compilers write them, and a summary. No value stands in it. */
export function text(result: Result, secrets: number, what: string): readonly Line[] {
  const { findings, more, contents } = result;
  const searched = `${count(contents, what)} searched for ${count(secrets, "secret")}`;
  if (findings.length === 0) return [`✅ No secret found: ${searched}`];
  const files = new Set(findings.map(({ file, commit }) => `${commit ?? ""} ${file}`)).size;
  const names = new Set(findings.map(({ form }) => form.name)).size;
  return [
    // As compilers write them, for tools that read them.
    ...findings.map((one) => ({ text: line(one), whole: true })),
    "",
    `❌ ${count(names, "secret")} found in ${count(findings.length + more, "place")} of ${count(files, what)}; ${searched}`,
    ...(more > 0 ? [`   ${more} of them are not listed`] : []),
    {
      text: "   Replace them where they are issued: who has the repository has them. Then take them out of it.",
      hang: 3,
    },
  ];
}

function line({ file, commit, object, line: first, lastLine, form }: Place & Finding): string {
  const lines = first === lastLine ? String(first) : `${first}-${lastLine}`;
  const where = file === "" ? "(message)" : file;
  const of = object === undefined ? "" : `${(commit ?? object).slice(0, SHORT_COMMIT)} `;
  return `${of}${where}:${lines}: ${printable(form.name)}${formWords(form)}`;
}

function formWords({ part, encoding }: Form): string {
  const parts = { value: "", line: "a line", leaf: "a string in it" } as const;
  const what = parts[part];
  if (encoding === "plain") return what === "" ? "" : ` (${what})`;
  return what === "" ? ` (${encoding})` : ` (${what}, ${encoding})`;
}

/** The same for programs, with a version that changes when a field loses its meaning. */
export function json({ findings, more, unread, contents, bytes }: Result, secrets: number): string {
  const document = {
    version: 1,
    found: findings.length > 0,
    findings: findings.map(({ file, commit, object, line: first, lastLine, form }) => ({
      file,
      ...(commit === undefined ? {} : { commit }),
      ...(object === undefined ? {} : { object }),
      line: first,
      lastLine,
      variable: form.name,
      part: form.part,
      encoding: form.encoding,
    })),
    more,
    unread,
    searched: { secrets, contents, bytes },
  };
  return jsonText(document);
}
