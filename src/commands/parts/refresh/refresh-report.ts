/** Reports for people and programs what `--refresh` does with the variables of a start, without values; nothing is served. */
import type { Settings } from "../../../command-line/settings.ts";
import { formatSecond } from "../../../core/day.ts";
import { printable } from "../../../core/text.ts";
import type { Start } from "../../../resolve/start.ts";
import { originWords } from "../../../resolve/source-words.ts";
import { type Cloud, CLOUD_FACTS, CLOUDS, type Credentials } from "../../run/refresh/cloud-credentials.ts";
import { planRefresh, type RefreshPlan } from "../../run/refresh/refresh-plan.ts";
import { type RefreshScope, refreshScope } from "../../run/refresh/refresh-scope.ts";
import { renewalOf } from "../../run/refresh/renewal.ts";

/** The credentials of a cloud, or the files of ESC. */
export type RenewedKind = Cloud | "files";

export type RenewalReport =
  | {
      readonly kind: "renewed";
      /** The variables in which ESC gives the credentials, or that name its files. */
      readonly variables: readonly string[];
      /** Names in words where they come from. */
      readonly from: string;
      readonly expiresAt: string;
      /** The variable that says when they expire, else `token` or `session`; `default`: an hour is assumed. */
      readonly by: string;
      /** The time at which ESC is opened again, if nothing else expires before. */
      readonly renewsAt: string;
      /** Variables that the program gets in place of them. */
      readonly set: readonly string[];
      /** Further variables that are set, and that it does not get. */
      readonly withheld: readonly string[];
    }
  | { readonly kind: "refused"; readonly problem: string; readonly remedy: string }
  | { readonly kind: "nothing"; readonly why: string };

export interface RefreshReport {
  readonly scope: RefreshScope;
  readonly parts: ReadonlyMap<RenewedKind, RenewalReport>;
  readonly warnings: RefreshPlan["warnings"];
}

/** The scope of `--refresh`, to be offered. */
const WHOLE: RefreshScope = { option: "--refresh", clouds: CLOUDS, hasFiles: true };

/** Returns what a start renews, by the options or the contract; undefined for nothing. */
export function reportRefresh(start: Start, settings: Settings): RefreshReport | undefined {
  const scope = refreshScope(settings, start.files.contract);
  return scope === undefined ? undefined : reportFor(scope, start);
}

/** Returns what a start with `--refresh` would renew. */
export function offerRefresh(start: Start): RefreshReport {
  return reportFor(WHOLE, start);
}

function reportFor(scope: RefreshScope, start: Start): RefreshReport {
  const plan = planRefresh(scope, start, Date.now());
  const parts = new Map<RenewedKind, RenewalReport>(
    scope.clouds.map((cloud) => [cloud, cloudReport(cloud, plan, start)]),
  );
  if (scope.hasFiles) parts.set("files", filesReport(plan));
  return { scope, parts, warnings: plan.warnings };
}

function cloudReport(cloud: Cloud, plan: RefreshPlan, start: Start): RenewalReport {
  const refusal = plan.refusals.find((one) => one.cloud === undefined || one.cloud === cloud);
  if (refusal !== undefined) {
    const { message, hint = "" } = refusal.error;
    return { kind: "refused", problem: message, remedy: hint };
  }
  const credentials = plan.credentials.find((each) => each.cloud === cloud);
  if (credentials === undefined) return { kind: "nothing", why: plan.reasons.get(cloud) ?? "ESC gives none" };
  const { selected } = start.values;
  const { tokens, replacements, withheld, leadMs } = CLOUD_FACTS[cloud];
  const isSet = (name: string): boolean => (selected.get(name)?.value ?? "") !== "";
  const variables = tokens.filter(isSet);
  const origin = variables.flatMap((name) => selected.get(name)?.origin ?? [])[0];
  return {
    kind: "renewed",
    variables,
    from: origin === undefined ? "" : printable(originWords(origin)),
    ...lifeReport(credentials, leadMs),
    set: replacements.filter((name) => !plan.setByEsc.includes(name)),
    withheld: [
      ...withheld.filter(isSet),
      ...plan.withheld.filter((name) => CLOUD_FACTS[cloud].preferredBySdks.includes(name)),
    ],
  };
}

function filesReport({ files, session, refusals }: RefreshPlan): RenewalReport {
  const [first] = files;
  const refusal = refusals.find(({ cloud }) => cloud === undefined);
  if (refusal !== undefined) {
    return { kind: "refused", problem: refusal.error.message, remedy: refusal.error.hint ?? "" };
  }
  if (first === undefined) return { kind: "nothing", why: "ESC gives no files" };
  return {
    kind: "renewed",
    variables: files.map(({ name }) => name),
    from: printable(originWords(first.origin)),
    ...lifeReport({ ...session, by: "session" }),
    set: [],
    withheld: [],
  };
}

function lifeReport(life: Pick<Credentials, "openedAt" | "expiresAt" | "by">, leadMs?: number) {
  return {
    expiresAt: formatSecond(life.expiresAt),
    by: life.by,
    renewsAt: formatSecond(renewalOf({ ...life, leadMs })),
  };
}

/** Returns the words for what says when credentials expire. */
export function byWords(by: string): string {
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
