/** Formats the result of `sophia-run scan --json` for programs. */
import { formatJson } from "../../core/json-text.ts";
import { isComplete, type SecretSearch } from "./secret-search.ts";

/** A program may rely on the fields of its version. The version changes if a field changes its meaning. */
const FORMAT_VERSION = 1;

/**
 * Returns the output of `scan --json`. It names files, variables and encodings, and never contains the value of a secret.
 *
 * @param secretCount the number of secret values that were searched for
 */
export function formatScanJson(search: SecretSearch, secretCount: number): string {
  return formatJson({
    version: FORMAT_VERSION,
    found: search.findings.length > 0,
    findings: search.findings.map(describeFinding),
    // The numbers of findings and of unread files that are beyond the limit of the two lists.
    more: search.unlistedFindingCount,
    complete: isComplete(search),
    unread: search.unreadFiles,
    moreUnread: search.unlistedUnreadFileCount,
    gaps: search.gaps,
    // The number of git objects that contain secrets although no branch, tag or reflog refers to them.
    unreachable: search.unreachableObjects.reduce((sum, { objects }) => sum + objects, 0),
    searched: { secrets: secretCount, contents: search.searchedContentCount, bytes: search.searchedByteCount },
  });
}

/** Returns the fields of a finding in their order in the output: where the secret is, which secret, and how it is encoded. */
function describeFinding(finding: SecretSearch["findings"][number]): Readonly<Record<string, unknown>> {
  const { form: secretForm } = finding;
  return {
    file: finding.file,
    within: finding.within ?? "content",
    repository: finding.repository,
    commit: finding.commit,
    object: finding.object,
    onlyInReflog: finding.onlyInReflog,
    line: finding.line,
    lastLine: finding.lastLine,
    variable: secretForm.name,
    part: secretForm.part,
    encoding: secretForm.encoding,
  };
}
