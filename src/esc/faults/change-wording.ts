import type { Failure } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import type { EscSettings } from "../settings/access.ts";
import { describeCredential } from "../settings/credentials.ts";
import type { Fault } from "./fault.ts";

const UNCERTAIN = "whether the change arrived is not known: the same command again finds out and does what is missing";

/** What is different where an environment was to be changed: the remedy, and what is certain. */
export function asChange(reason: Failure, fault: Fault, { credential }: Pick<EscSettings, "credential">): Failure {
  const details = reason.details ?? [];
  if (fault.kind !== "status" || fault.status >= 500) return { ...reason, details: [...details, UNCERTAIN] };
  const { host, status, diagnostics } = fault;
  const worded = (message: string, hint: string): Failure => ({
    ...reason,
    details,
    message: `${host} ${message} (HTTP ${status})`,
    hint,
  });
  if (status === 403) {
    const used = printable(describeCredential(credential));
    return worded("does not allow the token to change it", `use a token that may write it: check ${used}`);
  }
  if (status === 413)
    return worded("does not take a definition of this size", "import less, or into several environments");
  if (diagnostics.length > 0 || status === 400) {
    return worded("does not accept the new definition", "nothing was changed; fix what it says, then start again");
  }
  return reason;
}
