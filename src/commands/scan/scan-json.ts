/** Formats the result of a scan as JSON, for programs; pure. */
import { jsonText } from "../../core/json-text.ts";
import { isComplete, type SecretSearch } from "./secret-search.ts";

/** Returns the JSON of `--json`. Its version changes if a field changes its meaning. It contains no value of a secret. */
export function formatScanJson(search: SecretSearch, secretCount: number): string {
  const { findings, unlistedFindings, unread, unlistedUnread, gaps, unreachable, contents, bytes } = search;
  return jsonText({
    version: 1,
    found: findings.length > 0,
    findings: findings.map((finding) => {
      const { file, within = "content", repository, commit, object, onlyInReflog, line, lastLine, form } = finding;
      const place = { file, within, repository, commit, object, onlyInReflog, line, lastLine };
      return { ...place, variable: form.name, part: form.part, encoding: form.encoding };
    }),
    more: unlistedFindings,
    complete: isComplete(search),
    unread,
    moreUnread: unlistedUnread,
    gaps,
    unreachable: unreachable.reduce((sum, { objects }) => sum + objects, 0),
    searched: { secrets: secretCount, contents, bytes },
  });
}
