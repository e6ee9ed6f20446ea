/**
 * Gives the program the cloud credentials of Pulumi ESC, and renews them until the program ends (`--refresh`, `--aws-refresh`).
 *
 * The cloud SDKs in the program send requests for credentials to this process over loopback (AWS, Google Cloud), or read private
 * files that this process replaces (Azure, Google Cloud). This process answers each request at once with the present credentials,
 * even while a renewal is under way or has failed, until they expire. renewer.ts renews them. prepare-refresh.ts calls
 * `serveRefresh` before the first program starts.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Broker } from "../../../broker/broker-server.ts";
import type { VariableChanges } from "../../../broker/broker-variables.ts";
import type { Context } from "../../../core/context.ts";
import type { Environment } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import type { LaunchBroker } from "../../../launch/index.ts";
import { makeRunFolder } from "../../../launch/secret-files.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { printLines } from "../../../output/stderr.ts";
import type { Start } from "../../../resolve/start.ts";
import { AWS_PATH, createAwsPath } from "./aws-answers.ts";
import { TOKEN_VARIABLE } from "./aws-variables.ts";
import type { Credentials } from "./cloud-credentials.ts";
import { findConfigWithCredentials } from "./config-profile.ts";
import {
  ACCESS_TOKEN_PATH,
  type GoogleSecrets,
  createGooglePaths,
  type LivingToken,
  SUBJECT_TOKEN_PATH,
} from "./google-answers.ts";
import { GOOGLE_HEADER, formatGoogleCredentials } from "./google-variables.ts";
import { answerRequest, type LoopbackPath } from "./loopback-paths.ts";
import { planRefresh, type RefreshPlan } from "./refresh-plan.ts";
import { createVariableChanges, type RefreshAddresses } from "./refreshed-variables.ts";
import { Renewer, type RenewerDependencies } from "./renewer.ts";
import type { SteadyClock } from "./steady-clock.ts";

/** The credentials and files that are renewed for one program. */
interface RefreshedDelivery {
  /** Returns the changes of the program's variables. */
  readonly variables: (environment: Environment) => VariableChanges;
  /** The variables whose files are renewed. */
  readonly files: ReadonlySet<string>;
  /** Makes the renewer renew what this program has, in place of what the former program had. */
  readonly apply: () => void;
}

export interface Refresh {
  /** Plans the program of a start. @throws SophiaError (aws, refresh; 125) if its credentials cannot be renewed */
  readonly deliver: (start: Start) => RefreshedDelivery;
  /** Returns the tokens with which the program asks for credentials, and the present and former credentials. All must be masked. */
  readonly secrets: () => readonly Secret[];
  /** Called when a program has been started, see `LaunchBroker`. */
  readonly started: LaunchBroker["started"];
  /** Ends the renewals and removes the private files. */
  readonly end: () => void;
}

/** The server, the first program and the functions that the caller gives to `serveRefresh`. */
interface RefreshService {
  /** The server that SDKs ask; undefined if all credentials are in files. */
  readonly server: Pick<Broker, "serveLocally"> | undefined;
  /** True if the server has no other purpose (no `--broker`), so that it answers all other paths with 404. */
  readonly isAlone: boolean;
  readonly start: Start;
  /** The variables of the first program. */
  readonly environment: Environment;
  readonly clock: SteadyClock;
  /** Records renewals in the audit log. */
  readonly record: RenewerDependencies["record"];
  /** Masks further secrets in the audit log. */
  readonly maskInAuditLog: (secrets: readonly Secret[]) => void;
}

/** The private files in the folder of this run. Their paths are in `RefreshAddresses`. */
const FILE_NAMES = {
  awsCredentials: "credentials",
  googleCredentials: "google_credentials",
  googleToken: "google_access_token",
  azureToken: "azure_token",
} as const;

type RefreshFolder = ReturnType<typeof makeRunFolder>;

/** The random secrets of this run, by which the program proves to this process that it may have the credentials. */
interface RunSecrets {
  readonly awsToken: string;
  readonly google: GoogleSecrets;
}

/**
 * Creates the private files, serves the paths of the credentials, and begins to renew.
 *
 * @throws SophiaError (secret-files, 125); the system's error if the server cannot listen on loopback
 */
export async function serveRefresh(
  firstPlan: RefreshPlan,
  { server, isAlone, start, environment, clock, record, maskInAuditLog }: RefreshService,
  context: Context,
): Promise<Refresh> {
  if (firstPlan.credentials.some(({ cloud }) => cloud === "aws")) await warnOfProfile(environment, context);
  const folder = createFolder(environment);
  const runSecrets = createRunSecrets();
  // The renewer is created below. No program runs yet, so no request with the right token can come before.
  const origin = await serveLoopback(
    server,
    isAlone,
    createPaths(runSecrets, () => renewer),
  );
  writeGoogleCredentials(folder, origin, runSecrets);
  const addresses: RefreshAddresses = { origin, awsToken: runSecrets.awsToken, files: joinFilePaths(folder) };
  const storeCredentials = (credentials: Credentials): void => storeToken(credentials, folder);
  const renewer = new Renewer(firstPlan, start, { context, clock, storeCredentials, record, maskInAuditLog });
  const deliver = (nextStart: Start): RefreshedDelivery => {
    const isFirst = nextStart === start;
    const plan = isFirst ? firstPlan : planOrRefuse(planRefresh(firstPlan.scope, nextStart, Date.now()));
    return {
      variables: (program) => createVariableChanges(plan, addresses, program, context.environment),
      files: new Set(plan.files.map(({ name }) => name)),
      // The renewer has begun with the first plan.
      apply: () => (isFirst ? undefined : renewer.adopt(plan, nextStart)),
    };
  };
  return {
    deliver,
    secrets: () => [...listRunSecrets(runSecrets), ...renewer.secrets()],
    started: (report, maskOutput, replaceFile) => renewer.started(report, maskOutput, replaceFile),
    end: () => {
      renewer.end();
      folder.remove();
    },
  };
}

/** Creates the folder with the files for all clouds, which are empty. A restarted program may have credentials of another cloud. */
function createFolder(environment: Environment): RefreshFolder {
  const emptyFiles = Object.values(FILE_NAMES).map((name) => ({ name, content: "" }));
  return makeRunFolder(() => emptyFiles, environment.get("XDG_RUNTIME_DIR"));
}

function joinFilePaths({ folder }: RefreshFolder): RefreshAddresses["files"] {
  return {
    awsCredentials: join(folder, FILE_NAMES.awsCredentials),
    googleCredentials: join(folder, FILE_NAMES.googleCredentials),
    googleToken: join(folder, FILE_NAMES.googleToken),
    azureToken: join(folder, FILE_NAMES.azureToken),
  };
}

/** Returns the paths at which SDKs ask for credentials. @param findRenewer called for each request */
function createPaths({ awsToken, google }: RunSecrets, findRenewer: () => Renewer): ReadonlyMap<string, LoopbackPath> {
  const currentGoogleToken = (): LivingToken | undefined => {
    const renewer = findRenewer();
    const credentials = renewer.currentCredentials("google");
    return credentials && { token: credentials.token, remainingMs: renewer.remainingMs("google") };
  };
  return new Map([
    [AWS_PATH, createAwsPath(awsToken, () => findRenewer().currentCredentials("aws"))],
    ...createGooglePaths(google, currentGoogleToken),
  ]);
}

/** Serves the paths on loopback. @returns the origin of the server; empty if there is none */
async function serveLoopback(
  server: RefreshService["server"],
  isAlone: boolean,
  paths: ReadonlyMap<string, LoopbackPath>,
): Promise<string> {
  // A request must name the server's address in its Host header. Until `serveLocally` returns the address, each request is refused.
  let hosts: ReadonlySet<string> = new Set();
  const address = await server?.serveLocally((head) => answerRequest(head, { hosts, isAlone, paths }));
  hosts = new Set(address?.acceptedHosts);
  return address?.origin ?? "";
}

/** Writes the file that sends the SDKs for Google Cloud to this process. */
function writeGoogleCredentials(folder: RefreshFolder, origin: string, { google }: RunSecrets): void {
  const content = formatGoogleCredentials(origin + SUBJECT_TOKEN_PATH, origin + ACCESS_TOKEN_PATH, google.header);
  folder.replace(FILE_NAMES.googleCredentials, content);
}

/** Writes the credentials that are read from a file. SDKs for AWS ask the server instead. @throws SophiaError (secret-files) */
function storeToken(credentials: Credentials, folder: RefreshFolder): void {
  if (credentials.cloud === "google") folder.replace(FILE_NAMES.googleToken, credentials.token);
  if (credentials.cloud === "azure") folder.replace(FILE_NAMES.azureToken, credentials.token);
}

function listRunSecrets({ awsToken, google }: RunSecrets): readonly Secret[] {
  return [
    { name: TOKEN_VARIABLE, value: awsToken },
    { name: GOOGLE_HEADER, value: google.header },
    { name: "the subject token for Google Cloud", value: google.subjectToken },
  ];
}

/** Returns the plan. @throws SophiaError (aws, refresh; 125) for credentials that cannot be renewed */
export function planOrRefuse(plan: RefreshPlan): RefreshPlan {
  const [refusal] = plan.refusals;
  if (refusal !== undefined) throw refusal.error;
  return plan;
}

/** Warns if the user's configuration of AWS has credentials, since some SDKs prefer them to those of this process. */
async function warnOfProfile(environment: Environment, context: Context): Promise<void> {
  const config = await findConfigWithCredentials(environment);
  if (config === undefined) return;
  printLines(context, [
    `warning: the default profile of ${printable(config)} has credentials, which some SDKs use in place of ESC's`,
    "name a file without it in AWS_CONFIG_FILE",
  ]);
}

function createRunSecrets(): RunSecrets {
  return { awsToken: createToken(), google: { header: createToken(), subjectToken: createToken() } };
}

function createToken(): string {
  return randomBytes(32).toString("base64url");
}
