/**
 * `--refresh` and `--aws-refresh`: the program's SDKs ask this process for credentials, or read private files that it replaces, and
 * it opens ESC again before they expire.
 *
 * An ask is answered at once from what there is. Credentials that could not be renewed are given until they expire.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Changes, withoutProxyForLoopback } from "../../../broker/broker-variables.ts";
import type { Broker } from "../../../broker/broker-server.ts";
import type { Context } from "../../../core/context.ts";
import type { Environment } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import type { LaunchBroker } from "../../../launch/index.ts";
import { makeRunFolder } from "../../../launch/secret-files.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { printLines } from "../../../output/stderr.ts";
import { REFRESHED_VARIABLE, refreshedNames } from "../../../resolve/outer-refresh.ts";
import type { Start } from "../../../resolve/start.ts";
import { AWS_PATH, awsPath } from "./aws-answers.ts";
import { awsVariables, TOKEN_VARIABLE } from "./aws-variables.ts";
import { azureVariables } from "./azure-variables.ts";
import { configWithCredentials } from "./config-profile.ts";
import { CLOUD_FACTS, type Credentials } from "./cloud-credentials.ts";
import { ACCESS_TOKEN_PATH, googlePaths, SUBJECT_TOKEN_PATH } from "./google-answers.ts";
import { GOOGLE_HEADER, googleFile, googleVariables } from "./google-variables.ts";
import { loopbackAnswer, type LoopbackPath } from "./loopback-paths.ts";
import { planRefresh, type RefreshPlan } from "./refresh-plan.ts";
import { Renewer, type RenewerParts } from "./renewer.ts";
import type { SteadyClock } from "./steady-clock.ts";

/** The credentials and files that are renewed for one program. */
export interface RefreshedDelivery {
  /** The changes of the program's variables. */
  readonly variables: (environment: Environment) => Changes;
  /** The variables whose files are renewed. */
  readonly files: ReadonlySet<string>;
  /** Renews what this program has from now on. */
  readonly apply: () => void;
}

export interface Refresh {
  /** Plans for a program that is started by these values. @throws SophiaError (aws, refresh; 125) as the first plan */
  readonly deliver: (start: Start) => RefreshedDelivery;
  /** The tokens by which the program asks, and the credentials of all generations, to be masked. */
  readonly secrets: () => readonly Secret[];
  readonly started: LaunchBroker["started"];
  readonly end: () => void;
}

interface RefreshService {
  /** The server; undefined if nothing is asked for. */
  readonly broker: Pick<Broker, "serveLocally"> | undefined;
  /** The broker has no keys, so that all other paths are unknown. */
  readonly isAlone: boolean;
  readonly start: Start;
  /** The program's. */
  readonly environment: Environment;
  readonly clock: SteadyClock;
  readonly record: RenewerParts["record"];
  /** Masks further secrets in records. */
  readonly mask: (secrets: readonly Secret[]) => void;
}

/** The private files, by their names in the folder of this run. */
const FILES = {
  /** Empty, in place of `~/.aws/credentials`. */
  aws: "credentials",
  google: "google_credentials",
  googleToken: "google_access_token",
  azureToken: "azure_token",
} as const;

/** Returns true if the program gets addresses of the loopback server. */
export function needsServer({ credentials }: Pick<RefreshPlan, "credentials">): boolean {
  return credentials.some(({ cloud }) => cloud !== "azure");
}

/**
 * Serves credentials at the broker's address, and renews them until the end.
 *
 * @throws SophiaError (secret-files, 125)
 */
export async function serveRefresh(
  first: RefreshPlan,
  { broker, isAlone, start, environment, clock, record, mask }: RefreshService,
  context: Context,
): Promise<Refresh> {
  if (first.credentials.some(({ cloud }) => cloud === "aws")) await warnOfProfile(environment, context);
  const folder = makeRunFolder(
    () => Object.values(FILES).map((name) => ({ name, content: "" })),
    environment.get("XDG_RUNTIME_DIR"),
  );
  const pathOf = (file: keyof typeof FILES): string => join(folder.folder, FILES[file]);
  const [token, header, subjectToken] = [randomToken(), randomToken(), randomToken()];
  const hosts = new Set<string>();
  const paths = new Map<string, LoopbackPath>([
    [AWS_PATH, awsPath(token, () => renewer.asked("aws"))],
    ...googlePaths({ header, subjectToken }, () => {
      const credentials = renewer.asked("google");
      return credentials && { token: credentials.token, remainingMs: renewer.remainingMs("google") };
    }),
  ]);
  const address = await broker?.serveLocally((head) => loopbackAnswer(head, { hosts, isAlone, paths }));
  const origin = address?.origin ?? "";
  for (const host of address?.hosts ?? []) hosts.add(host);
  folder.replace(FILES.google, googleFile(origin + SUBJECT_TOKEN_PATH, origin + ACCESS_TOKEN_PATH, header));
  const store = (credentials: Credentials): void => {
    if (credentials.cloud === "google") folder.replace(FILES.googleToken, credentials.token);
    if (credentials.cloud === "azure") folder.replace(FILES.azureToken, credentials.token);
  };
  const renewer = new Renewer(first, start, { context, clock, store, record, mask });
  const variablesFor = (plan: RefreshPlan, program: Environment): Changes => {
    const changes: Record<string, string | undefined> = needsServer(plan)
      ? { ...withoutProxyForLoopback(program) }
      : {};
    for (const { cloud } of plan.credentials) {
      Object.assign(
        changes,
        {
          aws: () => awsVariables(origin + AWS_PATH, token, pathOf("aws")),
          google: () => googleVariables(pathOf("google"), pathOf("googleToken")),
          azure: () => azureVariables(program, pathOf("azureToken")),
        }[cloud](),
      );
    }
    for (const name of plan.withheld) changes[name] = undefined;
    for (const name of plan.kept) delete changes[name];
    return { ...changes, ...markOf(plan, context.environment) };
  };
  return {
    deliver: (now) => {
      const plan = now === start ? first : planOrRefuse(planRefresh(first.scope, now, Date.now()));
      return {
        variables: (program) => variablesFor(plan, program),
        files: new Set(plan.files.map(({ name }) => name)),
        // The first program's have been adopted.
        apply: () => (plan === first ? undefined : renewer.adopt(plan, now)),
      };
    },
    secrets: () => [
      { name: TOKEN_VARIABLE, value: token },
      { name: GOOGLE_HEADER, value: header },
      { name: "the subject token for Google Cloud", value: subjectToken },
      ...renewer.secrets(),
    ],
    started: (report, maskOutput, replaceFile) => renewer.started(report, maskOutput, replaceFile),
    end: () => {
      renewer.end();
      folder.remove();
    },
  };
}

/** Returns the plan. @throws SophiaError (aws, refresh; 125) for credentials that cannot be renewed */
export function planOrRefuse(plan: RefreshPlan): RefreshPlan {
  const [refusal] = plan.refusals;
  if (refusal !== undefined) throw refusal.error;
  return plan;
}

/** Returns the mark for a nested sophia-run, with what an outer one renews. */
function markOf({ credentials }: RefreshPlan, environment: Environment): Changes {
  const names = credentials.flatMap(({ cloud }) => [...CLOUD_FACTS[cloud].tokens, ...CLOUD_FACTS[cloud].set]);
  const all = new Set([...refreshedNames(environment), ...names]);
  return all.size === 0 ? {} : { [REFRESHED_VARIABLE]: [...all].join(",") };
}

async function warnOfProfile(environment: Environment, context: Context): Promise<void> {
  const config = await configWithCredentials(environment);
  if (config === undefined) return;
  printLines(context, [
    `warning: the default profile of ${printable(config)} has credentials, which some SDKs use in place of ESC's`,
    "name a file without it in AWS_CONFIG_FILE",
  ]);
}

function randomToken(): string {
  return randomBytes(32).toString("base64url");
}
