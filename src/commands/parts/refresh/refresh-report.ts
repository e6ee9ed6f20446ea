/**
 * Reports which credentials and files `run --refresh` would renew, and when: ESC gives short-lived credentials of clouds, and opens
 * them again before they expire. `check` and `explain` print the report, as text or as JSON. It contains no values, and creating it
 * renews nothing.
 */
import type { Settings } from "../../../command-line/settings.ts";
import { formatSecond } from "../../../core/day.ts";
import type { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import type { Start } from "../../../resolve/start.ts";
import { originWords } from "../../../resolve/source-words.ts";
import {
  type Cloud,
  CLOUD_FACTS,
  CLOUDS,
  type Credentials,
  type RenewedKind,
} from "../../run/refresh/cloud-credentials.ts";
import { planRefresh, type RefreshPlan } from "../../run/refresh/refresh-plan.ts";
import { type RefreshScope, createRefreshScope } from "../../run/refresh/refresh-scope.ts";
import { computeFirstTry } from "../../run/refresh/renewal.ts";

export type RenewalReport =
  | {
      readonly kind: "renewed";
      /** The variables in which ESC gives the credentials, or that contain the paths of its files. */
      readonly variables: readonly string[];
      /** Describes the ESC environment that gives the credentials or files. */
      readonly from: string;
      /** The time at which the credentials expire, in ISO 8601. */
      readonly expiresAt: string;
      /**
       * The source of that time: the name of a variable, `token` (the token itself), `session` (the session of ESC), or `default`
       * (nothing states the time, and one hour is assumed).
       */
      readonly by: string;
      /** The time at which ESC will be opened again, in ISO 8601, unless other credentials expire earlier. */
      readonly renewsAt: string;
      /** Variables that the program gets in place of `variables`. */
      readonly set: readonly string[];
      /** Further variables of ESC that the program does not get. */
      readonly withheld: readonly string[];
    }
  /** The credentials cannot be renewed, and `run --refresh` would not start the program. */
  | { readonly kind: "refused"; readonly problem: string; readonly remedy: string }
  /** ESC gives no such credentials or files. */
  | { readonly kind: "nothing"; readonly why: string };

export interface RefreshReport {
  readonly scope: RefreshScope;
  readonly reportsByKind: ReadonlyMap<RenewedKind, RenewalReport>;
  readonly warnings: RefreshPlan["warnings"];
}

/** The scope of `--refresh` without further options: all clouds, and files. */
const FULL_SCOPE: RefreshScope = { option: "--refresh", clouds: CLOUDS, hasFiles: true };

/** Reports what `run` would renew; undefined if neither the options nor the contract ask for a renewal. */
export function reportRefresh(start: Start, settings: Settings): RefreshReport | undefined {
  const scope = createRefreshScope(settings, start.files.contract);
  return scope === undefined ? undefined : createReport(scope, start);
}

/** Reports what `run --refresh` would renew, for a user who has not asked for a renewal yet. */
export function reportPossibleRefresh(start: Start): RefreshReport {
  return createReport(FULL_SCOPE, start);
}

function createReport(scope: RefreshScope, start: Start): RefreshReport {
  const plan = planRefresh(scope, start, Date.now());
  const reportsByKind = new Map<RenewedKind, RenewalReport>(
    scope.clouds.map((cloud) => [cloud, reportCloud(cloud, plan, start)]),
  );
  if (scope.hasFiles) reportsByKind.set("files", reportFiles(plan));
  return { scope, reportsByKind, warnings: plan.warnings };
}

/** @param plan the renewal of all clouds, of which the report describes one */
function reportCloud(cloud: Cloud, plan: RefreshPlan, start: Start): RenewalReport {
  // A refusal without a cloud is about all of them.
  const refusal = plan.refusals.find((candidate) => candidate.cloud === undefined || candidate.cloud === cloud);
  if (refusal !== undefined) return reportRefusal(refusal.error);
  const credentials = plan.credentials.find((candidate) => candidate.cloud === cloud);
  if (credentials === undefined) return { kind: "nothing", why: plan.reasons.get(cloud) ?? "ESC gives none" };
  const { selected } = start.values;
  const { tokenVariables, replacementVariables, withheldVariables, leadMs, preferredBySdks } = CLOUD_FACTS[cloud];
  const isSet = (name: string): boolean => (selected.get(name)?.value ?? "") !== "";
  const variables = tokenVariables.filter(isSet);
  const [origin] = variables.flatMap((name) => selected.get(name)?.origin ?? []);
  return {
    kind: "renewed",
    variables,
    from: origin === undefined ? "" : printable(originWords(origin)),
    ...reportTimes(credentials, leadMs),
    set: replacementVariables.filter((name) => !plan.namesSetByEsc.includes(name)),
    withheld: [
      ...withheldVariables.filter(isSet),
      ...plan.withheldNames.filter((name) => preferredBySdks.includes(name)),
    ],
  };
}

function reportFiles({ files, session, refusals }: RefreshPlan): RenewalReport {
  const refusal = refusals.find(({ cloud }) => cloud === undefined);
  if (refusal !== undefined) return reportRefusal(refusal.error);
  const [firstFile] = files;
  if (firstFile === undefined) return { kind: "nothing", why: "ESC gives no files" };
  return {
    kind: "renewed",
    variables: files.map(({ name }) => name),
    from: printable(originWords(firstFile.origin)),
    ...reportTimes({ ...session, expirySource: "session" }),
    set: [],
    withheld: [],
  };
}

function reportRefusal({ message, hint = "" }: SophiaError): RenewalReport {
  return { kind: "refused", problem: message, remedy: hint };
}

/** @param leadMs how long before the credentials expire they must have been renewed */
function reportTimes(credentials: Pick<Credentials, "openedAt" | "expiresAt" | "expirySource">, leadMs?: number) {
  return {
    expiresAt: formatSecond(credentials.expiresAt),
    by: credentials.expirySource,
    renewsAt: formatSecond(computeFirstTry({ ...credentials, leadMs })),
  };
}

/** Describes to the user how the time at which credentials expire is known. @param by see `RenewalReport` */
export function describeExpirySource(by: string): string {
  switch (by) {
    case "session":
      return "the end of the session";
    case "token":
      return "the token says so";
    case "default":
      return "an hour after the opening is assumed";
    default:
      return by;
  }
}
