/** Plans what `--refresh` and `--aws-refresh` renew: credentials and files of ESC, and the reasons why others are not; pure. */
import { variableOf } from "../../../command-line/options.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Resolved } from "../../../core/model.ts";
import { enumerate } from "../../../core/text.ts";
import { SESSION_MS } from "../../../esc/settings/access-settings.ts";
import { refreshedNames } from "../../../resolve/outer-refresh.ts";
import { originWords } from "../../../resolve/source-words.ts";
import { awsCredentials } from "./aws-credentials.ts";
import { SESSION_TOKEN } from "./aws-variables.ts";
import { azureCredentials } from "./azure-credentials.ts";
import { type Cloud, CLOUD_FACTS, type Credentials, openedAtOf, type ReadStart } from "./cloud-credentials.ts";
import { googleCredentials } from "./google-credentials.ts";
import { GOOGLE_EXPIRY } from "./google-variables.ts";
import type { RefreshScope } from "./refresh-scope.ts";

type Lines = readonly [string, ...string[]];

export interface RefreshPlan {
  readonly scope: RefreshScope;
  readonly credentials: readonly Credentials[];
  /** The reason why the credentials of a cloud are not renewed. */
  readonly reasons: ReadonlyMap<Cloud, string>;
  /** The variables that the program gets as private files from ESC. */
  readonly files: readonly Resolved[];
  /** The session in which ESC has opened the files. */
  readonly session: { readonly openedAt: number; readonly expiresAt: number };
  /** Variables of ESC that have a name of ours, and keep it. */
  readonly kept: readonly string[];
  /** Variables of ESC that the program does not get, since SDKs would look there first. */
  readonly withheld: readonly string[];
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Lines[];
}

/** The reason why a start is refused, and for which cloud; undefined for all. */
interface Refusal {
  readonly cloud: Cloud | undefined;
  readonly error: SophiaError;
}

const READERS = { aws: awsCredentials, google: googleCredentials, azure: azureCredentials } as const;

/** Plans what is renewed. @param readAt when ESC was opened, or the cache read, in milliseconds since 1970 */
export function planRefresh(scope: RefreshScope, start: ReadStart, readAt: number): RefreshPlan {
  const { sessionMs = SESSION_MS, offline } = start.settings;
  const openedAt = openedAtOf(start, readAt);
  const found = scope.clouds.map((cloud) => {
    const credentials = start.store.esc.kind === "read" ? READERS[cloud](start, readAt) : "ESC is not read";
    return { cloud, credentials, refusal: refusalOf(scope, cloud, start) };
  });
  const credentials = found.flatMap((one) => (typeof one.credentials === "string" ? [] : [one.credentials]));
  const planned = credentials.map(({ cloud }) => cloud);
  const isOfEsc = (name: string): boolean => start.values.selected.get(name)?.origin.source === "esc";
  return {
    scope,
    credentials,
    reasons: new Map(
      found.flatMap(({ cloud, credentials: why }) => (typeof why === "string" ? [[cloud, why] as const] : [])),
    ),
    files: scope.hasFiles ? filesOf(start) : [],
    session: { openedAt, expiresAt: openedAt + sessionMs },
    kept: planned.flatMap((cloud) => (cloud === "aws" ? [] : CLOUD_FACTS[cloud].set.filter(isOfEsc))),
    withheld: planned.flatMap((cloud) => CLOUD_FACTS[cloud].first.filter(isOfEsc)),
    refusals: [
      ...(offline ? [{ cloud: undefined, error: offlineRefusal(scope) }] : []),
      ...found.flatMap(({ cloud, refusal }) => (refusal === undefined ? [] : [{ cloud, error: refusal }])),
    ],
    warnings: found.flatMap((one) => warningsOf(one.cloud, one.credentials, start)),
  };
}

/** Returns true if there is something to renew. */
export function isPlanned({ credentials, files }: RefreshPlan): boolean {
  return credentials.length + files.length > 0;
}

/** Returns the reason why nothing is renewed. */
export function emptyReason({ scope, reasons }: RefreshPlan, { store: { esc } }: Pick<ReadStart, "store">): string {
  const [first] = reasons.values();
  if (esc.kind !== "read") return "ESC is not read";
  return scope.hasFiles || first === undefined ? "ESC gives neither credentials that expire nor files" : first;
}

function filesOf({ values: { selected } }: Pick<ReadStart, "values">): readonly Resolved[] {
  return Array.from(selected.values()).filter(({ delivery, origin }) => delivery === "file" && origin.source === "esc");
}

function offlineRefusal({ option }: RefreshScope): SophiaError {
  return new SophiaError({
    code: option === "--refresh" ? "refresh" : "aws",
    message: `${option} and --offline cannot be used together`,
    hint: `leave one of them out; ${variableOf(option === "--refresh" ? "refresh" : "aws-refresh")}=0 where the contract asks for it`,
  });
}

/** Returns the error for credentials of the caller that win over those of ESC, and that ESC cannot renew. */
function refusalOf({ option }: RefreshScope, cloud: Cloud, start: ReadStart): SophiaError | undefined {
  const { conflicts } = CLOUD_FACTS[cloud];
  // A developer's own file for Google must not stop a project whose ESC has AWS alone.
  if (option === "--refresh" && !isGivenByEsc(cloud, start)) return undefined;
  const ofOuter = refreshedNames(start.environment);
  const foreign = conflicts.flatMap((name) => {
    const variable = start.values.selected.get(name);
    if (variable === undefined || variable.value === "" || variable.origin.source === "esc") return [];
    const isOfOuter = variable.origin.source === "environment" && ofOuter.includes(name);
    return isOfOuter ? [] : [variable];
  });
  const [first] = foreign;
  if (first === undefined) return undefined;
  const names = foreign.map(({ name }) => name);
  const them = names.length === 1 ? "it" : "them";
  // Without one of its keys AWS has no credentials at all.
  const out = cloud === "aws" ? conflicts : names;
  const all = cloud === "aws" ? "all three" : them;
  return new SophiaError({
    code: cloud === "aws" ? "aws" : "refresh",
    message: `${option} cannot renew ${enumerate(names)} of ${originWords(first.origin)}: only ESC's are renewed`,
    hint: `remove ${them} there, or withhold ${all}: --exclude ${out.join(",")}`,
  });
}

/** Returns true if ESC has credentials of a cloud that expire, also if others win over them. */
function isGivenByEsc(cloud: Cloud, { values: { selected } }: Pick<ReadStart, "values">): boolean {
  const tokens = cloud === "aws" ? [SESSION_TOKEN] : CLOUD_FACTS[cloud].tokens;
  return tokens.some((name) => {
    const variable = selected.get(name);
    const origins = [variable?.origin, ...(variable?.shadowed ?? []).map(({ origin }) => origin)];
    return origins.some((origin) => origin?.source === "esc");
  });
}

function warningsOf(cloud: Cloud, credentials: Credentials | string, start: ReadStart): readonly Lines[] {
  if (typeof credentials === "string") {
    const isUnknown = cloud === "azure" && start.store.esc.kind === "read" && isGivenByEsc(cloud, start);
    return isUnknown ? [[`warning: the token for Azure is not renewed: ${credentials}`]] : [];
  }
  const { noun, first, set } = CLOUD_FACTS[cloud];
  const variables = [...first, ...set].flatMap((name) => start.values.selected.get(name) ?? []);
  const filled = variables.filter(({ value }) => value !== "");
  const callers = filled.filter(({ name, origin }) => first.includes(name) && origin.source !== "esc");
  const kept = filled.filter(({ name, origin }) => cloud !== "aws" && set.includes(name) && origin.source === "esc");
  return [
    ...(credentials.by === "default"
      ? [
          [
            `warning: ESC does not say when the ${noun} expire: an hour after the opening is assumed`,
            `set ${GOOGLE_EXPIRY} to \${gcp.login.expiry} in the ESC environment`,
          ] as const,
        ]
      : []),
    ...callers.map(
      ({ name, origin }) =>
        [
          `warning: SDKs prefer ${name} of ${originWords(origin)} to the ${noun} of ESC`,
          `leave it out with --exclude ${name}`,
        ] as const,
    ),
    ...kept.map(({ name }) => [`warning: ESC itself sets ${name}, which the program keeps`] as const),
  ];
}
