/**
 * Sends requests to Pulumi ESC for each environment that the settings name, and turns every fault into a failure with a message
 * for the user.
 */
import type { Failure, Notice } from "../../core/model.ts";
import { obtainToken } from "../auth/token.ts";
import { EscFault, type RefusalTarget, refusalTarget } from "../faults/esc-fault.ts";
import type { EscSettings } from "../settings/access-settings.ts";
import { listMeanings, type EnvironmentName, formatName, type FullName } from "../settings/environment-names.ts";
import { isOldForm, isOrganization, createOldFormNotices } from "../settings/environment-names.ts";
import { objectsIn, textAt } from "../transport/answer.ts";
import { Connection, type Progress } from "../transport/connection.ts";
import { type Clock, systemClock } from "../transport/deadline.ts";

/** The result if not all environments could be read. */
export type AskFailure =
  /**
   * There was no valid answer. The program may start with the values of the process environment and of files (emergency access).
   * `blames`: the reason is the file of the credential, or else the service and the way to it.
   */
  | { readonly kind: "unavailable"; readonly failure: Failure; readonly blames: "credential" | "service" }
  /** The service refused the token or the environment. Files must not be used instead. */
  | { readonly kind: "refused"; readonly failure: Failure; readonly refused: RefusalTarget };

/**
 * Calls `ask` for each environment, in parallel and under one deadline. For names without an organization it first finds the
 * user's default organization. The first failure ends the other calls.
 * @throws the errors of `ask`, except for EscFault
 */
export async function askEsc<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (name: FullName, connection: Connection) => Promise<T>,
  clock: Clock = systemClock,
): Promise<
  { readonly kind: "read"; readonly results: readonly T[]; readonly remarks: readonly Notice[] } | AskFailure
> {
  const { environments } = settings;
  const connection = new Connection(settings, progress, clock);
  let fault: EscFault;
  try {
    connection.authorize(await obtainToken(settings.credential, connection));
    const needsDefault = environments.some((name) => name.organization === undefined);
    const organization =
      settings.organization ?? (needsDefault ? await findDefaultOrganization(connection) : undefined);
    const answers = await Promise.all(
      environments.map((name) =>
        askFirstExisting(name, organization, settings.oneMeaning, connection.host, (meaning) =>
          ask(meaning, connection),
        ),
      ),
    );
    const results = answers.map(({ result }) => result);
    const remarks = connection.remarks.map((text): Notice => ({ kind: "remark", text }));
    return { kind: "read", results, remarks: [...remarks, ...answers.flatMap(({ notices }) => notices)] };
  } catch (error) {
    if (!(error instanceof EscFault)) throw error;
    fault = error;
  } finally {
    connection.close();
  }
  const { describeFault } = await import("../faults/fault-wording.ts");
  const failure = describeFault(fault, settings, connection.remarks);
  const refused = refusalTarget(fault.fault);
  if (refused !== undefined) return { kind: "refused", failure, refused };
  return { kind: "unavailable", failure, blames: fault.fault.kind === "file" ? "credential" : "service" };
}

/** The name of the step in messages. */
const ORGANIZATION_STEP = "finding the default organization";

/**
 * Finds the organization of names that have none: the user's default organization; otherwise the organization of the token;
 * otherwise the user's own.
 *
 * @returns undefined if the token may see none of them
 * @throws EscFault
 */
export async function findDefaultOrganization(connection: Connection): Promise<string | undefined> {
  const chosen = await connection.read(ORGANIZATION_STEP, "/api/user/organizations/default", 400, 403, 404);
  // Versions of the service differ in how they write the name of this field.
  const chosenName = organizationAt(chosen, "GitHubLogin") ?? organizationAt(chosen, "gitHubLogin");
  if (chosenName !== undefined) return chosenName;
  const user = await connection.read(ORGANIZATION_STEP, "/api/user", 403, 404);
  const [only, ...others] = objectsIn(user?.["organizations"]);
  return (
    organizationAt(user, "tokenInfo", "organization") ??
    organizationAt(user, "githubLogin") ??
    // A token that belongs to no user may see organizations. If it sees a single one, that must be meant.
    (others.length === 0 ? organizationAt(only, "githubLogin") : undefined)
  );
}

function organizationAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = textAt(value, ...path);
  return text !== undefined && isOrganization(text) ? text : undefined;
}

/**
 * Calls `ask` for the environments that a name may mean, until one exists. A name of two parts has two meanings.
 * @throws EscFault of the last meaning if none exists
 */
async function askFirstExisting<T>(
  name: EnvironmentName,
  organization: string | undefined,
  oneMeaning: EscSettings["oneMeaning"],
  host: string,
  ask: (name: FullName) => Promise<T>,
): Promise<{ readonly result: T; readonly notices: readonly Notice[] }> {
  const meanings = listMeanings(name, organization);
  const allowed = oneMeaning === undefined ? meanings : meanings.filter((meaning) => !isOldForm(name, meaning));
  // The old form is the last of the meanings. If it is not tried, the message says so.
  const [untried] = meanings
    .slice(allowed.length)
    .map((meaning) => `${formatName(meaning)} is not tried with ${oneMeaning ?? ""}`);
  let lastFault: EscFault | undefined;
  for (const meaning of allowed) {
    try {
      return { result: await ask(meaning), notices: createOldFormNotices(name, meaning, organization) };
    } catch (error) {
      if (!(error instanceof EscFault)) throw error;
      const { fault } = error;
      const isNotFound = fault.kind === "status" && fault.status === 404;
      const detailedFault = isNotFound ? { ...fault, tried: allowed.map(formatName), untried } : fault;
      lastFault = new EscFault(detailedFault, { ...error.context, environment: name.text });
      // Only if the first meaning does not exist may the second one be opened.
      if (!isNotFound) break;
    }
  }
  throw lastFault ?? new EscFault({ kind: "no-organization", host }, { environment: name.text });
}
