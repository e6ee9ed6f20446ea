/**
 * Opens the broker of a run (`--broker`), a local HTTP proxy in this process that keeps API keys from the program. The program gets
 * a made-up value (a dummy) in place of each key, and the address of the broker in place of the service's. The broker replaces the
 * dummies in the program's requests by the real keys, and sends the requests to the services.
 *
 *     const broker = await openRunBroker(checkedStart);   // listens, and plans the first program
 *     launch({ ...broker.firstDelivery, broker: broker.launchBroker });
 *     const delivery = broker.deliver(nextStart);         // after a change in ESC (--watch)
 *     delivery.apply();
 *
 * Two features share the broker's server and are opened here, too: the cloud credentials that `--refresh` renews, and the socket by
 * which the GitHub CLI (gh) sends its requests. attendants.ts loads this file only if one of these options is in use.
 */
import { randomBytes } from "node:crypto";
import {
  createBrokerVariables,
  type VariableChanges,
  listGitAccesses,
  SOCKET_VARIABLE,
  createSocketVariables,
} from "../../../broker/broker-variables.ts";
import { LOOPBACK_ADDRESS } from "../../../broker/broker-listen.ts";
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { GITHUB_TOKENS } from "../../../contract/broker/providers.ts";
import type { Context } from "../../../core/context.ts";
import { enumerateFew } from "../../../core/lines.ts";
import type { Environment } from "../../../core/model.ts";
import { FoldedMap } from "../../../core/names.ts";
import { printable } from "../../../core/text.ts";
import type { LaunchBroker, SecretFile } from "../../../launch/index.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { printLines } from "../../../output/stderr.ts";
import { type Start, followsEsc } from "../../../resolve/start.ts";
import { attempt } from "../../../system/errors.ts";
import type { AuditRecorder } from "../../parts/audit-log/audit-record.ts";
import { parseBrokerPlanOptions, refuseBrokerOptions } from "../../parts/broker/broker-options.ts";
import type { BrokeredKey, BrokerPlan } from "../../parts/broker/brokered-keys.ts";
import { checkBrokerExcept } from "../../parts/broker/broker-except-option.ts";
import { createDelivery } from "../delivery.ts";
import type { Refresh } from "../refresh/refresh.ts";
import { createRefreshScope } from "../refresh/refresh-scope.ts";
import type { Renewals } from "../refresh/renewer.ts";
import type { GhBroker } from "./gh-socket.ts";
import { KeyPlanner } from "./key-planner.ts";
import { type BrokerListener, openListener } from "./open-listener.ts";
import type { RequestWriter } from "./records.ts";
import { ServedKeys } from "./served-keys.ts";
import { warnOfCopies, warnOfDisplaced, warnOfMissingKeys, warnOfUnsetExceptions } from "./warnings.ts";

/** The variables and files of one program, and what the broker serves while it runs. */
export interface BrokeredDelivery {
  /** The program's variables, with dummies in place of keys. */
  readonly environment: Environment;
  readonly files: readonly SecretFile[];
  /** The value and the route of each key, as one JSON text by variable. `--watch` compares these texts to find changed keys. */
  readonly brokered: ReadonlyMap<string, string>;
  /** Variables whose files are renewed while the program runs (`--refresh`). */
  readonly renewedFiles: ReadonlySet<string>;
  /**
   * Makes the broker answer later requests with the keys of this delivery.
   *
   * @throws SophiaError (redact-size) if the secrets are too large to mask, and then changes nothing
   */
  readonly apply: () => void;
}

export interface RunBroker {
  /** Identifies the run in the audit log. */
  readonly run: string;
  /** The delivery for the first program, which is already applied. */
  readonly firstDelivery: Omit<BrokeredDelivery, "apply">;
  /** The credentials and files that are renewed while the program runs; undefined for none. */
  readonly renewed: Renewals | undefined;
  /** Returns the names of the brokered keys, according to the delivery that was applied last. */
  readonly names: () => readonly string[];
  /** Returns the dummies, which are masked in the output like keys. */
  readonly dummies: () => readonly Secret[];
  /** Plans the next program. @throws SophiaError (broker, broker-clear, broker-untrusted; 125) if a key cannot be brokered */
  readonly deliver: (start: Start) => BrokeredDelivery;
  /** Sets the function that the broker calls when a service answers 401. It asks ESC whether the key `name` has changed. */
  readonly onUnauthorized: (look: (name: string) => Promise<void>) => void;
  /** The functions that the launch calls, see `LaunchBroker`. */
  readonly launchBroker: LaunchBroker;
}

/** A start whose contract is checked, with the options of the command line (`flags`). */
interface CheckedStart {
  readonly settings: Settings;
  readonly flags: Values;
  readonly start: Start;
  readonly context: Context;
  /** Writes to the audit log; undefined without `--audit-log`. */
  readonly record?: AuditRecorder | undefined;
}

/**
 * Refuses options that conflict, before any source is read.
 *
 * @throws SophiaError (exec-unavailable; 125) if the program would replace this process, which must stay to answer requests
 * @throws SophiaError (usage, settings; 125) if an option that belongs to `--broker` is given without it
 */
export async function refuseBrokerStart({
  settings,
  flags,
}: Pick<CheckedStart, "settings" | "flags">): Promise<undefined> {
  const obstacle = findObstacleToExec(settings);
  if (settings.mode === "exec" && obstacle !== undefined) {
    throw (await import("../../../launch/exec/obstacles.ts")).execUnavailable(obstacle);
  }
  refuseBrokerOptions(settings, flags);
  return undefined;
}

function findObstacleToExec({ broker, refresh, awsRefresh }: Settings): "broker" | "refresh" | "aws" | undefined {
  if (broker) return "broker";
  if (refresh === true) return "refresh";
  return awsRefresh === true ? "aws" : undefined;
}

/**
 * Opens the broker if a key can be brokered now, if one may appear in ESC later (`--watch`), or if there are credentials to renew.
 * Otherwise returns undefined, and warns why if the user gave the option.
 *
 * @throws SophiaError (broker, broker-clear, broker-untrusted; 125) if a key cannot be brokered, if the program would get one in
 *   plain text, or if this process cannot listen
 */
export async function openRunBroker(checkedStart: CheckedStart): Promise<RunBroker | undefined> {
  const { settings, start, context, record } = checkedStart;
  const preparedRefresh = await prepareRefreshIfRequested(checkedStart);
  if (!settings.broker && preparedRefresh === undefined) return undefined;

  const { firstPlan, planner, mayHaveKeys } = planFirstProgram(checkedStart);
  if (!mayHaveKeys && preparedRefresh === undefined) return undefined;
  warnOfCopies(firstPlan.keys, start, context);

  const run = randomBytes(8).toString("hex");
  const requestWriter = await openRequestWriter(run, settings, context);
  const keys = new ServedKeys(context, requestWriter);
  const server = await openServerIfNeeded(keys, preparedRefresh?.needsServer === true, checkedStart);
  // With a port, two keys may need the same variable for their addresses. With a socket, all keys share one variable anyway.
  if (server?.socketPath === undefined) warnOfDisplaced(firstPlan.keys, context);
  const refresh: Refresh | undefined = await preparedRefresh?.serve(server, {
    record: (renewals) => record?.({ event: "renewal", run, ...renewals }, false, start),
    // `refresh` still has the former secrets when it calls this with the renewed ones.
    maskInAuditLog: (secrets) => requestWriter?.mask(start, [...secrets, ...listDummies({ planner, refresh })]),
  });
  const gh = server === undefined ? undefined : await openGhIfNeeded(firstPlan, checkedStart, server);
  await warnOfGitSettings(firstPlan, checkedStart, server);

  const openBroker: OpenBroker = { settings, context, planner, keys, requestWriter, server, refresh, gh };
  const firstDelivery = deliverPlan(start, firstPlan, openBroker);
  firstDelivery.apply();
  return {
    run,
    firstDelivery,
    renewed: preparedRefresh?.renewals,
    names: () => keys.names(),
    dummies: () => listDummies(openBroker),
    deliver: (nextStart) => deliverPlan(nextStart, planner.plan(nextStart), openBroker),
    onUnauthorized: (look) => keys.lookForChangesWith(look),
    launchBroker: createLaunchBroker(openBroker),
  };
}

/** The keys of the first program, and the planner that gives later programs the same dummies. */
interface PlannedKeys {
  readonly planner: KeyPlanner;
  readonly firstPlan: BrokerPlan;
  /** False if there is no key to broker, and none can appear while the program runs. */
  readonly mayHaveKeys: boolean;
}

/** Plans the keys of the first program, and prints the warnings of options without effect. @throws as `KeyPlanner.plan` */
function planFirstProgram(checkedStart: CheckedStart): PlannedKeys {
  const { settings, flags, start, context } = checkedStart;
  const planner = new KeyPlanner(settings, parseBrokerPlanOptions(settings), context.environment);
  const exceptions = checkBrokerExcept(settings, flags, start, context.environment);
  const firstPlan = planner.plan(start);
  warnOfUnsetExceptions(exceptions, firstPlan, start, context);
  return { planner, firstPlan, mayHaveKeys: checkForKeys(firstPlan, checkedStart) };
}

/** Opens the server for brokered keys and for renewed credentials; undefined if only private files are renewed. */
async function openServerIfNeeded(
  keys: ServedKeys,
  isNeededForRefresh: boolean,
  { settings, context }: CheckedStart,
): Promise<BrokerListener | undefined> {
  // SOPHIA_BROKER_LISTEN may be set for all runs. Without --broker it has no effect.
  if (settings.broker) return openListener(keys, parseBrokerPlanOptions(settings).listenAddress, context.cwd);
  return isNeededForRefresh ? openListener(keys, LOOPBACK_ADDRESS, context.cwd) : undefined;
}

/**
 * Returns true if there are keys to broker, or if ESC may add one while the program runs (`--watch`). Warns if there are none now
 * although the command line has `--broker`; a contract may ask for the broker in projects that have no key yet.
 */
function checkForKeys(
  { keys, outerKeyNames, exceptedKeys }: BrokerPlan,
  { settings, flags, start, context }: CheckedStart,
): boolean {
  if (!settings.broker) return false;
  if (keys.length > 0) return true;
  const mayKeysAppear = settings.watch && followsEsc(start);
  // The user knows of keys that an outer sophia-run brokers, and of those that --broker-except names.
  const areKeysElsewhere = outerKeyNames.length + exceptedKeys.length > 0;
  if (flags["broker"] === true && !areKeysElsewhere) warnOfMissingKeys(start, mayKeysAppear, context);
  return mayKeysAppear;
}

/** Loads the code of `--refresh` only if the options or the contract ask for it. @throws as `prepareRefresh` */
async function prepareRefreshIfRequested({ settings, flags, start, context }: CheckedStart) {
  const scope = createRefreshScope(settings, start.files.contract);
  if (scope === undefined) return undefined;
  return (await import("../refresh/prepare-refresh.ts")).prepareRefresh(scope, { settings, flags, start, context });
}

/** Opens the audit log for the broker's requests; undefined without `--audit-log`. */
async function openRequestWriter(
  run: string,
  { auditLog }: Settings,
  { cwd }: Context,
): Promise<RequestWriter | undefined> {
  if (auditLog === undefined) return undefined;
  return (await import("./records.ts")).createRequestWriter(auditLog, cwd, run);
}

/**
 * Opens the socket for the GitHub CLI (gh) if a GitHub token is brokered, or may be later (`--watch`). On Windows gh does not use
 * Unix sockets.
 *
 * @throws SophiaError (broker, secret-files; 125)
 */
async function openGhIfNeeded(
  { keys }: BrokerPlan,
  { settings, start, context }: CheckedStart,
  server: BrokerListener,
): Promise<GhBroker | undefined> {
  const { contract } = start.files;
  const mayTokenAppear =
    settings.broker && settings.watch && GITHUB_TOKENS.some((name) => contract.variables.has(name));
  const isNeeded = listGitAccesses(keys).length > 0 || mayTokenAppear;
  if (process.platform === "win32" || !isNeeded) return undefined;
  return (await import("./gh-socket.ts")).openGhBroker(server, createDelivery(start).environment, context);
}

/** Warns of settings that keep git from the broker. git cannot use a broker that listens only on a socket. */
async function warnOfGitSettings(
  { keys }: BrokerPlan,
  { start, context }: CheckedStart,
  server: BrokerListener | undefined,
): Promise<void> {
  const accesses = listGitAccesses(keys);
  if (accesses.length === 0 || server?.socketPath !== undefined) return;
  const { printGitNotices } = await import("./git-notices.ts");
  await printGitNotices(accesses, createDelivery(start).environment, context);
}

/** The objects that an open broker consists of. */
interface OpenBroker {
  readonly settings: Settings;
  readonly context: Context;
  readonly planner: KeyPlanner;
  readonly keys: ServedKeys;
  readonly requestWriter: RequestWriter | undefined;
  /** Undefined if the program sends no requests to this process, and only reads files that are renewed. */
  readonly server: BrokerListener | undefined;
  readonly refresh: Refresh | undefined;
  readonly gh: GhBroker | undefined;
}

/** Returns the dummies of keys, and the tokens and credentials of `--refresh`. */
function listDummies({ planner, refresh }: Pick<OpenBroker, "planner" | "refresh">): readonly Secret[] {
  return [...planner.dummies(), ...(refresh?.secrets() ?? [])];
}

const NO_FILES: ReadonlySet<string> = new Set();

/** Returns what the program of a start and its plan gets. @throws SophiaError (aws, refresh; 125) as `Refresh.deliver` */
function deliverPlan(start: Start, plan: BrokerPlan, openBroker: OpenBroker): BrokeredDelivery {
  const { keys, requestWriter, server, refresh, gh } = openBroker;
  const { environment, files } = createDelivery(start);
  const refreshed = refresh?.deliver(start);
  // The changes build on each other: gh's depend on the variables of the keys, and those of --refresh on gh's.
  const environmentWithKeys = applyChanges(environment, createKeyVariables(plan, environment, server));
  const environmentWithGh = applyChanges(environmentWithKeys, gh?.variables(plan.keys, environmentWithKeys) ?? {});
  return {
    environment: applyChanges(environmentWithGh, refreshed?.variables(environmentWithGh) ?? {}),
    files,
    renewedFiles: refreshed?.files ?? NO_FILES,
    brokered: new Map(plan.keys.map(({ route, value }) => [route.name, JSON.stringify([value, route])])),
    apply: () => {
      // The masking comes first: it may throw, and then the broker must go on with the former keys.
      requestWriter?.mask(start, listDummies(openBroker));
      keys.replace(plan.keys);
      server?.replaceRoutes(plan.keys.map(({ route }) => route));
      refreshed?.apply();
    },
  };
}

/** Returns the variables by which the program finds the broker: an address for each key, or one for the socket. */
function createKeyVariables(
  { keys, outerKeyNames }: BrokerPlan,
  environment: Environment,
  server: BrokerListener | undefined,
): VariableChanges {
  if (keys.length === 0 || server === undefined) return {};
  const { origin, socketPath } = server;
  return socketPath === undefined
    ? createBrokerVariables(keys, origin, environment, outerKeyNames)
    : createSocketVariables(keys, socketPath, environment, outerKeyNames);
}

/** Returns a changed copy. Windows ignores the case of names, so there a change replaces the variable in every spelling. */
function applyChanges(environment: Environment, changes: VariableChanges): Environment {
  const changed = process.platform === "win32" ? new FoldedMap(environment) : new Map(environment);
  for (const [name, value] of Object.entries(changes)) {
    changed.delete(name);
    if (value !== undefined) changed.set(name, value);
  }
  return changed;
}

/** Returns the functions that the launch calls when a program has been started, and when the last one has ended. */
function createLaunchBroker({ settings, context, keys, requestWriter, server, refresh, gh }: OpenBroker): LaunchBroker {
  return {
    started: (report = context.err, mask, replaceFile) => {
      keys.writeReportsWith(report);
      refresh?.started(report, mask, replaceFile);
    },
    end: (programEnd) => {
      refresh?.end();
      server?.close();
      // A full disk must not change the status with which this process ends. Each complete request was recorded before.
      attempt(() => requestWriter?.end());
      gh?.remove();
      // `programEnd` is the exit status or, for a program that a signal has ended, the signal's name.
      const hasFailed = typeof programEnd === "number" && programEnd !== 0;
      const unusedKeys = keys.unused();
      if (hasFailed && !settings.quiet && unusedKeys.length > 0) {
        printLines(context, [describeUnusedKeys(unusedKeys, server?.socketPath === undefined ? "port" : "socket")]);
      }
    },
  };
}

/** Explains the likely reason why a program failed: it does not read the address of the broker. */
function describeUnusedKeys(keys: readonly BrokeredKey[], address: "socket" | "port"): string {
  const names = keys.map(({ route }) => printable(route.name));
  // `addressPaths` has the variables with the address of the broker. One variable for each key is enough for the message.
  const variables =
    address === "socket"
      ? [SOCKET_VARIABLE]
      : keys.flatMap(({ addressPaths }) => Object.keys(addressPaths).slice(0, 1));
  return `no request came for ${enumerateFew(names, 5)}: the program must read ${enumerateFew(variables, 5)}`;
}
