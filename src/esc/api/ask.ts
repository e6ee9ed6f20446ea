import type { Failure, Notice } from "../../core/model.ts";
import { obtainToken } from "../auth/token.ts";
import { EscFault, type Refused, refusal } from "../faults/esc-fault.ts";
import type { EscSettings } from "../settings/access-settings.ts";
import { candidates, type EnvironmentName, formatName, type FullName } from "../settings/environment-names.ts";
import { isOldForm, isOrganization, oldFormNotices } from "../settings/environment-names.ts";
import { objectsIn, textAt } from "../transport/answer.ts";
import { Connection, type Progress } from "../transport/connection.ts";
import { type Clock, systemClock } from "../transport/deadline.ts";

export type EscDown =
  /** No valid answer: the environment and the files may be used (emergency access). */
  | { readonly kind: "unavailable"; readonly failure: Failure; readonly blames: "credential" | "service" }
  /** The service refused the token or the environment: files are not used. */
  | { readonly kind: "refused"; readonly failure: Failure; readonly refused: Refused };

/**
 * Calls `ask` for each environment, in parallel, under one deadline, and finds the organization of names without one. The
 * first failure ends the others. @throws the errors of `ask`, but for EscFault
 */
export async function askEsc<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (name: FullName, connection: Connection) => Promise<T>,
  clock: Clock = systemClock,
): Promise<{ readonly kind: "read"; readonly results: readonly T[]; readonly remarks: readonly Notice[] } | EscDown> {
  const { environments } = settings;
  const connection = new Connection(settings, progress, clock);
  let fault: EscFault;
  try {
    connection.authorize(await obtainToken(settings.credential, connection));
    const areComplete = environments.every((name) => name.organization !== undefined);
    const organization = settings.organization ?? (areComplete ? undefined : await findDefaultOrganization(connection));
    const asked = await Promise.all(
      environments.map((name) =>
        askFirstKnown(name, organization, settings.oneMeaning, connection.host, (one) => ask(one, connection)),
      ),
    );
    const results = asked.map(({ result }) => result);
    const remarks = connection.remarks.map((text): Notice => ({ kind: "remark", text }));
    return { kind: "read", results, remarks: [...remarks, ...asked.flatMap(({ notices }) => notices)] };
  } catch (error) {
    if (!(error instanceof EscFault)) throw error;
    fault = error;
  } finally {
    connection.close();
  }
  const { wordFault } = await import("../faults/fault-wording.ts");
  const failure = wordFault(fault, settings, connection.remarks);
  const refused = refusal(fault.fault);
  if (refused !== undefined) return { kind: "refused", failure, refused };
  return { kind: "unavailable", failure, blames: fault.fault.kind === "file" ? "credential" : "service" };
}

const ORGANIZATION_STEP = "finding the default organization";

/** Finds the user's default organization, else the token's, else the user's own; none for a 403. @throws EscFault */
export async function findDefaultOrganization(connection: Connection): Promise<string | undefined> {
  const chosen = await connection.read(ORGANIZATION_STEP, "/api/user/organizations/default", 400, 403, 404);
  // The service itself has written the name in both ways.
  const byDefault = organizationAt(chosen, "GitHubLogin") ?? organizationAt(chosen, "gitHubLogin");
  if (byDefault !== undefined) return byDefault;
  const user = await connection.read(ORGANIZATION_STEP, "/api/user", 403, 404);
  const [only, ...others] = objectsIn(user?.["organizations"]);
  return (
    organizationAt(user, "tokenInfo", "organization") ??
    organizationAt(user, "githubLogin") ??
    // For a token that belongs to no user, if there is no choice.
    (others.length === 0 ? organizationAt(only, "githubLogin") : undefined)
  );
}

function organizationAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = textAt(value, ...path);
  return text !== undefined && isOrganization(text) ? text : undefined;
}

async function askFirstKnown<T>(
  name: EnvironmentName,
  organization: string | undefined,
  oneMeaning: EscSettings["oneMeaning"],
  host: string,
  ask: (name: FullName) => Promise<T>,
): Promise<{ readonly result: T; readonly notices: readonly Notice[] }> {
  const all = candidates(name, organization);
  const names = oneMeaning === undefined ? all : all.filter((one) => !isOldForm(name, one));
  const [untried] = all.slice(names.length).map((one) => `${formatName(one)} is not tried with ${oneMeaning ?? ""}`);
  let last: EscFault | undefined;
  for (const one of names) {
    try {
      return { result: await ask(one), notices: oldFormNotices(name, one, organization) };
    } catch (error) {
      if (!(error instanceof EscFault)) throw error;
      const { fault } = error;
      const isUnknown = fault.kind === "status" && fault.status === 404;
      const detailed = isUnknown ? { ...fault, tried: names.map(formatName), untried } : fault;
      last = new EscFault(detailed, { ...error.context, environment: name.text });
      if (!isUnknown) break;
    }
  }
  throw last ?? new EscFault({ kind: "no-organization", host }, { environment: name.text });
}
