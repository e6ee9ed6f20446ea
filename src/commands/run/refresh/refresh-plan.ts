/**
 * Plans what `--refresh` and `--aws-refresh` renew for a program: which credentials and files of ESC, and why others are not
 * renewed. This file has no side effects. The callers make a plan for each start and restart of the program, and whenever a renewal
 * has opened ESC again. The commands `check` and `explain` show the plan of a start.
 */
import { variableOf } from "../../../command-line/options.ts";
import { SophiaError } from "../../../core/error.ts";
import type { ResolvedVariable } from "../../../core/model.ts";
import { enumerate } from "../../../core/text.ts";
import { SESSION_MS } from "../../../esc/settings/access-settings.ts";
import { readRefreshedNames } from "../../../resolve/outer-refresh.ts";
import { originWords } from "../../../resolve/source-words.ts";
import { findAwsCredentials } from "./aws-credentials.ts";
import { findAzureCredentials } from "./azure-credentials.ts";
import { type Cloud, CLOUD_FACTS, type Credentials, type EscSession, type ReadStart } from "./cloud-credentials.ts";
import { findGoogleCredentials } from "./google-credentials.ts";
import { GOOGLE_EXPIRY } from "./google-variables.ts";
import { REFRESH_OPTIONS, type RefreshScope } from "./refresh-scope.ts";

/** The lines of one message. */
type MessageLines = readonly [string, ...string[]];

export interface RefreshPlan {
  /** The items that the option may renew: the clouds, and whether it includes files. */
  readonly scope: RefreshScope;
  /** The credentials that are renewed. */
  readonly credentials: readonly Credentials[];
  /** For each cloud whose credentials are not renewed, the reason. */
  readonly reasons: ReadonlyMap<Cloud, string>;
  /** The variables that the program gets as private files from ESC. */
  readonly files: readonly ResolvedVariable[];
  /** The session in which ESC has opened the files. */
  readonly session: EscSession;
  /** The names of variables that `--refresh` would set, but that ESC sets itself. The program gets the values of ESC. */
  readonly namesSetByEsc: readonly string[];
  /** The names of variables of ESC that the program does not get, since SDKs would prefer them. */
  readonly withheldNames: readonly string[];
  /** The reasons why the program must not be started. */
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly MessageLines[];
}

/** A reason why the program must not be started. */
interface Refusal {
  /** The cloud whose credentials are the reason; undefined if the reason concerns all. */
  readonly cloud: Cloud | undefined;
  readonly error: SophiaError;
}

/** The functions that find the credentials of each cloud. */
const CREDENTIALS_FINDERS = {
  aws: findAwsCredentials,
  google: findGoogleCredentials,
  azure: findAzureCredentials,
} as const;

/** Plans a start whose sources were read. @param readAt the time at which the sources were read, in milliseconds since 1970 */
export function planRefresh(scope: RefreshScope, start: ReadStart, readAt: number): RefreshPlan {
  const session = createSession(start, readAt);
  const credentials: Credentials[] = [];
  const reasons = new Map<Cloud, string>();
  const refusals: Refusal[] = start.settings.offline ? [{ cloud: undefined, error: createOfflineError(scope) }] : [];
  const warnings: MessageLines[] = [];
  for (const cloud of scope.clouds) {
    const result = start.store.esc.kind === "read" ? CREDENTIALS_FINDERS[cloud](start, session) : "ESC is not read";
    if (typeof result === "string") {
      reasons.set(cloud, result);
      warnings.push(...warnOfUnknownEnd(cloud, result, start));
    } else {
      credentials.push(result);
      warnings.push(...createWarnings(result, start));
    }
    const error = createConflictError(scope, cloud, start);
    if (error !== undefined) refusals.push({ cloud, error });
  }
  const isFromEsc = (name: string): boolean => start.values.selected.get(name)?.origin.source === "esc";
  return {
    scope,
    credentials,
    reasons,
    files: scope.hasFiles ? listEscFiles(start) : [],
    session,
    namesSetByEsc: credentials.flatMap(({ cloud }) => CLOUD_FACTS[cloud].settableByEsc.filter(isFromEsc)),
    withheldNames: credentials.flatMap(({ cloud }) => CLOUD_FACTS[cloud].preferredBySdks.filter(isFromEsc)),
    refusals,
    warnings,
  };
}

/** Returns true if there is something to renew. */
export function isPlanned({ credentials, files }: RefreshPlan): boolean {
  return credentials.length + files.length > 0;
}

/** Returns the reason why nothing is renewed. */
export function describeEmptyPlan(
  { scope, reasons }: RefreshPlan,
  { store: { esc } }: Pick<ReadStart, "store">,
): string {
  if (esc.kind !== "read") return "ESC is not read";
  const [firstReason] = reasons.values();
  const isForAwsAlone = !scope.hasFiles && firstReason !== undefined;
  return isForAwsAlone ? firstReason : "ESC gives neither credentials that expire nor files";
}

/** Returns the session in which ESC made the values. Cached values are from an earlier session, and have its age. */
function createSession({ store: { esc }, settings }: ReadStart, readAt: number): EscSession {
  const ages = esc.kind === "read" ? esc.environments.map(({ ageSeconds = 0 }) => ageSeconds * 1000) : [];
  const openedAt = readAt - Math.max(0, ...ages);
  return { openedAt, expiresAt: openedAt + (settings.sessionMs ?? SESSION_MS) };
}

/** Returns the variables whose values the program gets as files from ESC. */
function listEscFiles({ values: { selected } }: Pick<ReadStart, "values">): readonly ResolvedVariable[] {
  return Array.from(selected.values()).filter(({ delivery, origin }) => delivery === "file" && origin.source === "esc");
}

function createOfflineError({ option }: RefreshScope): SophiaError {
  const { name, failure } = REFRESH_OPTIONS[option];
  return new SophiaError({
    code: failure,
    message: `${option} and --offline cannot be used together`,
    hint: `leave one of them out; ${variableOf(name)}=0 where the contract asks for it`,
  });
}

/** Returns an error if credentials of another source win over those of ESC, since only those of ESC can be renewed. */
function createConflictError({ option }: RefreshScope, cloud: Cloud, start: ReadStart): SophiaError | undefined {
  // The user's own credentials file for Google must not stop a project whose ESC has only credentials of AWS.
  if (option === "--refresh" && !doesEscGive(cloud, start)) return undefined;
  const conflictingVariables = findConflicts(cloud, start);
  const [firstVariable] = conflictingVariables;
  if (firstVariable === undefined) return undefined;
  const names = conflictingVariables.map(({ name }) => name);
  const them = names.length === 1 ? "it" : "them";
  // `--exclude` withholds the variable of ESC, too. AWS needs all of its three variables, so excluding one of them alone would leave
  // the program with credentials that do not work.
  const excludedNames = cloud === "aws" ? CLOUD_FACTS.aws.conflictingVariables : names;
  const excludedWords = cloud === "aws" ? "all three" : them;
  return new SophiaError({
    code: cloud === "aws" ? "aws" : "refresh",
    message: `${option} cannot renew ${enumerate(names)} of ${originWords(firstVariable.origin)}: only ESC's are renewed`,
    hint: `remove ${them} there, or withhold ${excludedWords}: --exclude ${excludedNames.join(",")}`,
  });
}

/** Finds the credentials of a cloud that win over those of ESC, and that no outer sophia-run renews. */
function findConflicts(cloud: Cloud, { values: { selected }, environment }: ReadStart): readonly ResolvedVariable[] {
  const outerNames = readRefreshedNames(environment);
  return CLOUD_FACTS[cloud].conflictingVariables.flatMap((name) => {
    const variable = selected.get(name);
    if (variable === undefined || variable.value === "" || variable.origin.source === "esc") return [];
    const isRenewedByOuter = variable.origin.source === "environment" && outerNames.includes(name);
    return isRenewedByOuter ? [] : [variable];
  });
}

/** Returns true if ESC gives credentials of a cloud that expire, even if the caller's win over them. */
function doesEscGive(cloud: Cloud, { values: { selected } }: Pick<ReadStart, "values">): boolean {
  return CLOUD_FACTS[cloud].expiringVariables.some((name) => {
    const variable = selected.get(name);
    const origins = [variable?.origin, ...(variable?.shadowed ?? []).map(({ origin }) => origin)];
    return origins.some((origin) => origin?.source === "esc");
  });
}

/** Returns a warning if ESC has a token for Azure that cannot be renewed, because it has no time at which it expires. */
function warnOfUnknownEnd(cloud: Cloud, reason: string, start: ReadStart): readonly MessageLines[] {
  const isEndUnknown = cloud === "azure" && start.store.esc.kind === "read" && doesEscGive(cloud, start);
  return isEndUnknown ? [[`warning: the token for Azure is not renewed: ${reason}`]] : [];
}

/** Returns the warnings about credentials that are renewed: an assumed end, and variables that may keep SDKs from using them. */
function createWarnings(
  { cloud, expirySource }: Credentials,
  { values: { selected } }: ReadStart,
): readonly MessageLines[] {
  const { noun, preferredBySdks, settableByEsc } = CLOUD_FACTS[cloud];
  const findSetVariables = (names: readonly string[]): readonly ResolvedVariable[] =>
    names.flatMap((name) => selected.get(name) ?? []).filter(({ value }) => value !== "");
  const preferredOfCaller = findSetVariables(preferredBySdks).filter(({ origin }) => origin.source !== "esc");
  const setByEsc = findSetVariables(settableByEsc).filter(({ origin }) => origin.source === "esc");
  const assumedEndWarnings: readonly MessageLines[] =
    expirySource === "default"
      ? [
          [
            `warning: ESC does not say when the ${noun} expire: an hour after the opening is assumed`,
            `set ${GOOGLE_EXPIRY} to \${gcp.login.expiry} in the ESC environment`,
          ],
        ]
      : [];
  return [
    ...assumedEndWarnings,
    ...preferredOfCaller.map(({ name, origin }): MessageLines => [
      `warning: SDKs prefer ${name} of ${originWords(origin)} to the ${noun} of ESC`,
      `leave it out with --exclude ${name}`,
    ]),
    ...setByEsc.map(({ name }): MessageLines => [`warning: ESC itself sets ${name}, which the program keeps`]),
  ];
}
