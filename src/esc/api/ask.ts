import type { Failure, Notice } from "../../core/model.ts";
import { EscFault } from "../faults/fault.ts";
import type { Refused } from "../faults/refusal.ts";
import type { EscSettings } from "../settings/access.ts";
import type { Credential } from "../settings/credentials.ts";
import { candidates, type EnvironmentName, formatName, type FullName, oldFormNotices } from "../settings/names.ts";
import type { Secret } from "../settings/secret.ts";
import { Connection, type Progress } from "../transport/connection.ts";
import { type Clock, systemClock } from "../transport/deadline.ts";
import { findDefaultOrganization } from "./organization.ts";

export type EscAnswers<T> =
  | {
      readonly kind: "read";
      /** In the order of the settings' environments. */
      readonly results: readonly T[];
      readonly remarks: readonly Notice[];
    }
  | EscDown;

/** The reason why there is nothing from ESC. */
export type EscDown =
  /** No valid answer: the environment and the files may serve (emergency access). */
  | { readonly kind: "unavailable"; readonly failure: Failure; readonly blames: "credential" | "service" }
  /** The service said no, to the token or to the environment: files do not serve. */
  | { readonly kind: "refused"; readonly failure: Failure; readonly refused: Refused };

/**
 * Asks the same of each environment, side by side, under one deadline: connects, obtains the token and finds the
 * organization of names without one. The first that fails ends the others and is named in the failure.
 *
 * @throws the errors of `ask`, but for EscFault
 */
export async function askEsc<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (name: FullName, connection: Connection) => Promise<T>,
  clock: Clock = systemClock,
): Promise<EscAnswers<T>> {
  const { environments } = settings;
  const connection = new Connection(settings, progress, clock);
  let fault: EscFault;
  try {
    connection.authorize(await tokenOf(settings.credential, connection));
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
  const [{ refusal }, { wordFault }] = await Promise.all([
    import("../faults/refusal.ts"),
    import("../faults/wording.ts"),
  ]);
  const failure = wordFault(fault, settings, connection.remarks);
  const refused = refusal(fault.fault);
  if (refused !== undefined) return { kind: "refused", failure, refused };
  return { kind: "unavailable", failure, blames: fault.fault.kind === "file" ? "credential" : "service" };
}

async function tokenOf(credential: Credential, connection: Connection): Promise<Secret> {
  if (credential.kind === "token") return credential.token;
  const { obtainToken } = await import("../auth/token.ts");
  return obtainToken(credential, connection);
}

async function askFirstKnown<T>(
  name: EnvironmentName,
  organization: string | undefined,
  oneMeaning: boolean,
  host: string,
  ask: (name: FullName) => Promise<T>,
): Promise<{ readonly result: T; readonly notices: readonly Notice[] }> {
  const all = candidates(name, organization);
  const names = oneMeaning ? all.slice(0, 1) : all;
  const [untried] = all.slice(names.length).map(formatName);
  let last: EscFault | undefined;
  for (const one of names) {
    try {
      return { result: await ask(one), notices: oldFormNotices(name, one, organization) };
    } catch (error) {
      if (!(error instanceof EscFault)) throw error;
      const { fault } = error;
      const isUnknown = fault.kind === "status" && fault.status === 404;
      const told = isUnknown ? { ...fault, tried: names.map(formatName), untried } : fault;
      last = new EscFault(told, { ...error.context, environment: name.text });
      if (!isUnknown) break;
    }
  }
  throw last ?? new EscFault({ kind: "no-organization", host }, { environment: name.text });
}
