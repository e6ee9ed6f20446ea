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

/** Why there is nothing from ESC. */
export type EscDown =
  /** No answer, or none that is one: the environment and the files may serve (emergency access). */
  | { readonly kind: "unavailable"; readonly failure: Failure; readonly blames: "credential" | "service" }
  /** The service said no, to the token or to the environment: files do not serve. */
  | { readonly kind: "refused"; readonly failure: Failure; readonly refused: Refused };

/** What is to be asked of one environment. @throws EscFault */
type Ask<T> = (name: FullName, connection: Connection) => Promise<T>;

/**
 * Asks the same of each environment, side by side, under one deadline: connects, obtains the token and finds the
 * organization of names without one. The first that fails ends the others and is named in the failure.
 *
 * @throws what `ask` throws, but for EscFault
 */
export async function askEsc<T>(
  settings: EscSettings,
  progress: Progress,
  ask: Ask<T>,
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
        askFirstKnown({ name, organization, oneMeaning: settings.oneMeaning }, connection, ask),
      ),
    );
    const remarks = connection.remarks.map((text): Notice => ({ kind: "remark", text }));
    return {
      kind: "read",
      results: asked.map(({ result }) => result),
      remarks: [...remarks, ...asked.flatMap(({ notices }) => notices)],
    };
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

/** What is to be asked for, and what it may mean. */
interface Meant {
  readonly name: EnvironmentName;
  readonly organization: string | undefined;
  /** The first meaning counts alone. */
  readonly oneMeaning: boolean;
}

/** Asks for the first of the environments that the name may mean and that the service knows. */
async function askFirstKnown<T>(
  { name, organization, oneMeaning }: Meant,
  connection: Connection,
  ask: Ask<T>,
): Promise<{ readonly result: T; readonly notices: readonly Notice[] }> {
  const environment = name.text;
  const all = candidates(name, organization);
  const names = oneMeaning ? all.slice(0, 1) : all;
  const [untried] = all.slice(names.length).map(formatName);
  let last = new EscFault({ kind: "no-organization", host: connection.host }, { environment });
  for (const one of names) {
    try {
      const result = await ask(one, connection);
      return { result, notices: oldFormNotices(name, one, organization) };
    } catch (error) {
      if (!(error instanceof EscFault)) throw error;
      const { fault } = error;
      const isUnknown = fault.kind === "status" && fault.status === 404;
      const told = isUnknown
        ? { ...fault, tried: names.map(formatName), ...(untried === undefined ? {} : { untried }) }
        : fault;
      last = new EscFault(told, { ...error.context, environment });
      if (!isUnknown) break;
    }
  }
  throw last;
}
