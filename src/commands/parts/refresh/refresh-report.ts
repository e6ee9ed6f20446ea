/**
 * Reports which credentials and files of ESC a start with `--refresh` would renew, and when. `check` and `explain` print the
 * report, as text or as JSON. It contains no values, and nothing is renewed for it.
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
import { type RefreshScope, refreshScope } from "../../run/refresh/refresh-scope.ts";
import { renewalOf } from "../../run/refresh/renewal.ts";

export type RenewalReport =
  | {
      readonly kind: "renewed";
      /** The variables in which ESC gives the credentials, or that name its files. */
      readonly variables: readonly string[];
      /** Describes the ESC environment that they come from. */
      readonly from: string;
      readonly expiresAt: string;
      /**
       * The statement of when they expire: the name of a variable, `token` (the token itself) or `session` (the session of ESC).
       * `default`: nothing states it, and one hour is assumed.
       */
      readonly by: string;
      /** The time at which ESC is opened again, unless something else expires earlier. */
      readonly renewsAt: string;
      /** Variables that the program gets in place of `variables`. */
      readonly set: readonly string[];
      /** Further variables of ESC that the program does not get. */
      readonly withheld: readonly string[];
    }
  | { readonly kind: "refused"; readonly problem: string; readonly remedy: string }
  | { readonly kind: "nothing"; readonly why: string };

export interface RefreshReport {
  readonly scope: RefreshScope;
  readonly parts: ReadonlyMap<RenewedKind, RenewalReport>;
  readonly warnings: RefreshPlan["warnings"];
}

/** The scope of `--refresh` without further options: all clouds, and files. */
const FULL_SCOPE: RefreshScope = { option: "--refresh", clouds: CLOUDS, hasFiles: true };

/** Reports what a start renews as the options or the contract ask for; undefined if they do not ask for a renewal. */
export function reportRefresh(start: Start, settings: Settings): RefreshReport | undefined {
  const scope = refreshScope(settings, start.files.contract);
  return scope === undefined ? undefined : reportFor(scope, start);
}

/** Reports what a start with `--refresh` would renew, if the user has not asked for a renewal yet. */
export function offerRefresh(start: Start): RefreshReport {
  return reportFor(FULL_SCOPE, start);
}

function reportFor(scope: RefreshScope, start: Start): RefreshReport {
  const plan = planRefresh(scope, start, Date.now());
  const parts = new Map<RenewedKind, RenewalReport>(
    scope.clouds.map((cloud) => [cloud, cloudReport(cloud, plan, start)]),
  );
  if (scope.hasFiles) parts.set("files", filesReport(plan));
  return { scope, parts, warnings: plan.warnings };
}

/** @param plan the renewal of all clouds, from which the report takes this cloud's part */
function cloudReport(cloud: Cloud, plan: RefreshPlan, start: Start): RenewalReport {
  const refusal = plan.refusals.find((candidate) => candidate.cloud === undefined || candidate.cloud === cloud);
  if (refusal !== undefined) return refusedReport(refusal.error);
  const credentials = plan.credentials.find((candidate) => candidate.cloud === cloud);
  if (credentials === undefined) return { kind: "nothing", why: plan.reasons.get(cloud) ?? "ESC gives none" };
  const { selected } = start.values;
  const { tokens, replacements, withheld, leadMs, preferredBySdks } = CLOUD_FACTS[cloud];
  const isSet = (name: string): boolean => (selected.get(name)?.value ?? "") !== "";
  const variables = tokens.filter(isSet);
  const [origin] = variables.flatMap((name) => selected.get(name)?.origin ?? []);
  return {
    kind: "renewed",
    variables,
    from: origin === undefined ? "" : printable(originWords(origin)),
    ...lifeReport(credentials, leadMs),
    set: replacements.filter((name) => !plan.setByEsc.includes(name)),
    withheld: [...withheld.filter(isSet), ...plan.withheld.filter((name) => preferredBySdks.includes(name))],
  };
}

function filesReport({ files, session, refusals }: RefreshPlan): RenewalReport {
  const refusal = refusals.find(({ cloud }) => cloud === undefined);
  if (refusal !== undefined) return refusedReport(refusal.error);
  const [firstFile] = files;
  if (firstFile === undefined) return { kind: "nothing", why: "ESC gives no files" };
  return {
    kind: "renewed",
    variables: files.map(({ name }) => name),
    from: printable(originWords(firstFile.origin)),
    ...lifeReport({ ...session, by: "session" }),
    set: [],
    withheld: [],
  };
}

function refusedReport({ message, hint = "" }: SophiaError): RenewalReport {
  return { kind: "refused", problem: message, remedy: hint };
}

/** @param leadMs the time before the end at which the credentials must have been renewed */
function lifeReport(life: Pick<Credentials, "openedAt" | "expiresAt" | "by">, leadMs?: number) {
  return {
    expiresAt: formatSecond(life.expiresAt),
    by: life.by,
    renewsAt: formatSecond(renewalOf({ ...life, leadMs })),
  };
}

/** Describes what states when credentials expire. @param by see `RenewalReport` */
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
