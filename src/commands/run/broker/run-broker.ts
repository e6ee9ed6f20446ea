/**
 * Opens the broker of a run (`--broker`), with what shares its server: renewed credentials (`--refresh`), and gh's socket.
 *
 *     const broker = await openRunBroker(checkedStart);   // listens, and plans the first program
 *     launch({ ...broker.first, broker: broker.launch });
 *     const delivery = broker.deliver(nextStart);         // after a change in ESC (--watch)
 *     delivery.apply();
 *
 * The program gets a dummy in place of each key, and the address of this process in place of the service's. This process puts the
 * real keys into the program's requests.
 */
import { randomBytes } from "node:crypto";
import {
  brokerVariables,
  type Changes,
  gitAccesses,
  SOCKET_VARIABLE,
  socketVariables,
} from "../../../broker/broker-variables.ts";
import { LOOPBACK_ADDRESS } from "../../../broker/own-address.ts";
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
import { brokerPlanOptions, refuseBrokerOptions } from "../../parts/broker/broker-options.ts";
import type { BrokeredKey, BrokerPlan } from "../../parts/broker/brokered-keys.ts";
import { checkBrokerExcept } from "../../parts/broker/broker-except-option.ts";
import { createDelivery } from "../delivery.ts";
import type { Refresh } from "../refresh/refresh.ts";
import { refreshScope } from "../refresh/refresh-scope.ts";
import type { Renewals } from "../refresh/renewer.ts";
import type { GhBroker } from "./gh-socket.ts";
import { KeyPlanner } from "./key-planner.ts";
import { type BrokerListener, openListener } from "./open-listener.ts";
import type { RequestWriter } from "./records.ts";
import { ServedKeys } from "./served-keys.ts";
import { warnOfCopies, warnOfDisplaced, warnOfNothing, warnOfUnset } from "./warnings.ts";

/** The variables and files of one program, and what the broker serves while it runs. */
export interface BrokeredDelivery {
  /** The program's variables, with dummies in place of keys. */
  readonly environment: Environment;
  readonly files: readonly SecretFile[];
  /** The value and the route of each key, as one text by variable. If the text differs, the broker sends something else. */
  readonly brokered: ReadonlyMap<string, string>;
  /** Variables whose files are renewed while the program runs (`--refresh`). */
  readonly renewedFiles: ReadonlySet<string>;
  /** Serves later requests by this delivery. @throws SophiaError (redact-size) as `maskingOf`, and then changes nothing */
  readonly apply: () => void;
}

export interface RunBroker {
  /** Identifies the run in the audit log. */
  readonly run: string;
  /** The delivery for the first program, which is already applied. */
  readonly first: Omit<BrokeredDelivery, "apply">;
  /** The credentials and files that are renewed while the program runs; undefined for none. */
  readonly renewed: Renewals | undefined;
  /** Returns the names of the brokered keys, as last applied. */
  readonly names: () => readonly string[];
  /** Returns the dummies, which are masked in the output like keys. */
  readonly dummies: () => readonly Secret[];
  /** @throws SophiaError (broker, broker-clear, broker-untrusted; 125) if a key can no longer be brokered */
  readonly deliver: (start: Start) => BrokeredDelivery;
  /** Has `look` called when a service answers 401. Its promise resolves when ESC was asked whether the key has changed. */
  readonly onUnauthorized: (look: (name: string) => Promise<void>) => void;
  readonly launch: LaunchBroker;
}

/** A start whose contract is checked. */
interface CheckedStart {
  readonly settings: Settings;
  readonly flags: Values;
  readonly start: Start;
  readonly context: Context;
  readonly record?: AuditRecorder | undefined;
}

/** Refuses options that conflict, before a source is read. @throws SophiaError (exec-unavailable, usage, settings; 125) */
export async function refuseBrokerStart({
  settings,
  flags,
}: Pick<CheckedStart, "settings" | "flags">): Promise<undefined> {
  const refreshObstacle = settings.refresh === true ? "refresh" : settings.awsRefresh === true ? "aws" : undefined;
  const obstacle = settings.broker ? "broker" : refreshObstacle;
  if (settings.mode === "exec" && obstacle !== undefined) {
    throw (await import("../../../launch/exec/obstacles.ts")).execUnavailable(obstacle);
  }
  refuseBrokerOptions(settings, flags);
  return undefined;
}

/**
 * Opens the broker if a key can be brokered now, if one may appear in ESC later (`--watch`), or if there are credentials to renew.
 * Otherwise returns undefined, after a warning with the reason if the user gave the option.
 *
 * @throws SophiaError (broker, broker-clear, broker-untrusted; 125) if a key cannot be brokered, the program would get one in
 *   clear, or this process cannot listen
 */
export async function openRunBroker(checkedStart: CheckedStart): Promise<RunBroker | undefined> {
  const { settings, flags, start, context, record } = checkedStart;
  const preparedRefresh = await prepareRefreshIfAsked(checkedStart);
  if (!settings.broker && preparedRefresh === undefined) return undefined;

  const options = brokerPlanOptions(settings);
  const planner = new KeyPlanner(settings, options, context.environment);
  const exceptions = checkBrokerExcept(settings, flags, start, context.environment);
  const firstPlan = planner.plan(start);
  warnOfUnset(exceptions, firstPlan, start, context);
  const mayHaveKeys = checkForKeys(firstPlan, checkedStart);
  if (!mayHaveKeys && preparedRefresh === undefined) return undefined;
  warnOfCopies(firstPlan.keys, start, context);

  const run = randomBytes(8).toString("hex");
  const requestWriter = await openRequestWriter(run, settings, context);
  const keys = new ServedKeys(context, requestWriter);
  // Without --broker, its variables such as SOPHIA_BROKER_LISTEN have no effect. Files are renewed without a server.
  const server =
    settings.broker || preparedRefresh?.needsServer === true
      ? await openListener(keys, settings.broker ? options.listenAddress : LOOPBACK_ADDRESS, context.cwd)
      : undefined;
  if (server?.socketPath === undefined) warnOfDisplaced(firstPlan.keys, context);
  const refresh: Refresh | undefined = await preparedRefresh?.serve(server, {
    record: (renewals) => record?.({ event: "renewal", run, ...renewals }, false, start),
    // `refresh` still has the former secrets when it calls this with the renewed ones.
    mask: (secrets) => requestWriter?.mask(start, [...secrets, ...dummiesIn({ planner, refresh })]),
  });
  const gh = server === undefined ? undefined : await openGhIfNeeded(firstPlan, checkedStart, server);
  const parts: BrokerParts = { settings, context, planner, keys, requestWriter, server, refresh, gh };
  await warnOfGitSettings(firstPlan, checkedStart, server);
  const first = deliverPlan(start, firstPlan, parts);
  first.apply();
  return {
    run,
    first,
    renewed: preparedRefresh?.renewals,
    names: () => keys.names(),
    dummies: () => dummiesIn(parts),
    deliver: (nextStart) => deliverPlan(nextStart, planner.plan(nextStart), parts),
    onUnauthorized: (look) => keys.lookForChangesWith(look),
    launch: launchBroker(parts),
  };
}

/** Returns true if there are keys to broker, or may be later. Warns if there are none now although the user gave `--broker`. */
function checkForKeys(
  { keys, outer, excepted }: BrokerPlan,
  { settings, flags, start, context }: CheckedStart,
): boolean {
  if (!settings.broker) return false;
  if (keys.length > 0) return true;
  const mayKeysAppear = settings.watch && followsEsc(start);
  const areKeysElsewhere = outer.length + excepted.length > 0;
  if (flags["broker"] === true && !areKeysElsewhere) warnOfNothing(start, mayKeysAppear, context);
  return mayKeysAppear;
}

/** Loads the code of `--refresh` only if the options or the contract ask for it. @throws as `prepareRefresh` */
async function prepareRefreshIfAsked({ settings, flags, start, context }: CheckedStart) {
  const scope = refreshScope(settings, start.files.contract);
  if (scope === undefined) return undefined;
  return (await import("../refresh/prepare-refresh.ts")).prepareRefresh(scope, { settings, flags, start, context });
}

async function openRequestWriter(
  run: string,
  { auditLog }: Settings,
  { cwd }: Context,
): Promise<RequestWriter | undefined> {
  if (auditLog === undefined) return undefined;
  return (await import("./records.ts")).createRequestWriter(auditLog, cwd, run);
}

/**
 * Opens the socket for gh if a GitHub token is brokered, or may be later (`--watch`). On Windows gh does not use such sockets.
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
  const isNeeded = gitAccesses(keys).length > 0 || mayTokenAppear;
  if (process.platform === "win32" || !isNeeded) return undefined;
  return (await import("./gh-socket.ts")).openGhBroker(server, createDelivery(start).environment, context);
}

/** Warns of settings that keep git from the broker. git cannot use a broker that listens only on a socket. */
async function warnOfGitSettings(
  { keys }: BrokerPlan,
  { start, context }: CheckedStart,
  server: BrokerListener | undefined,
): Promise<void> {
  const accesses = gitAccesses(keys);
  if (accesses.length === 0 || server?.socketPath !== undefined) return;
  const { printGitNotices } = await import("./git-notices.ts");
  await printGitNotices(accesses, createDelivery(start).environment, context);
}

/** The parts of an open broker. */
interface BrokerParts {
  readonly settings: Settings;
  readonly context: Context;
  readonly planner: KeyPlanner;
  readonly keys: ServedKeys;
  readonly requestWriter: RequestWriter | undefined;
  /** Undefined if nothing is asked for: the program gets only files that are renewed. */
  readonly server: BrokerListener | undefined;
  readonly refresh: Refresh | undefined;
  readonly gh: GhBroker | undefined;
}

function dummiesIn({ planner, refresh }: Pick<BrokerParts, "planner" | "refresh">): readonly Secret[] {
  return [...planner.dummies(), ...(refresh?.secrets() ?? [])];
}

const NO_FILES: ReadonlySet<string> = new Set();

/** Returns what the program gets by a start and its plan. @throws SophiaError (aws, refresh; 125) as `Refresh.deliver` */
function deliverPlan(start: Start, plan: BrokerPlan, parts: BrokerParts): BrokeredDelivery {
  const { keys, requestWriter, server, refresh, gh } = parts;
  const { environment, files } = createDelivery(start);
  const refreshed = refresh?.deliver(start);
  // gh's and the refresh's variables depend on those that are set before.
  const withKeys = applyChanges(environment, keyVariables(plan, environment, server));
  const withGh = applyChanges(withKeys, gh?.variables(plan.keys, withKeys) ?? {});
  return {
    environment: applyChanges(withGh, refreshed?.variables(withGh) ?? {}),
    files,
    renewedFiles: refreshed?.files ?? NO_FILES,
    brokered: new Map(plan.keys.map(({ route, value }) => [route.name, JSON.stringify([value, route])])),
    apply: () => {
      // The masking comes first, since it may throw.
      requestWriter?.mask(start, dummiesIn(parts));
      keys.replace(plan.keys);
      server?.replaceRoutes(plan.keys.map(({ route }) => route));
      refreshed?.apply();
    },
  };
}

function keyVariables(
  { keys, outer }: BrokerPlan,
  environment: Environment,
  server: BrokerListener | undefined,
): Changes {
  if (keys.length === 0 || server === undefined) return {};
  const { origin, socketPath } = server;
  return socketPath === undefined
    ? brokerVariables(keys, origin, environment, outer)
    : socketVariables(keys, socketPath, environment, outer);
}

/** Returns a changed copy. On Windows names have any case: a change replaces the variable in each spelling. */
function applyChanges(environment: Environment, changes: Changes): Environment {
  const result = process.platform === "win32" ? new FoldedMap(environment) : new Map(environment);
  for (const [name, value] of Object.entries(changes)) {
    result.delete(name);
    if (value !== undefined) result.set(name, value);
  }
  return result;
}

function launchBroker({ settings, context, keys, requestWriter, server, refresh, gh }: BrokerParts): LaunchBroker {
  return {
    started: (report = context.err, mask, replaceFile) => {
      keys.writeReportsWith(report);
      refresh?.started(report, mask, replaceFile);
    },
    end: (end) => {
      refresh?.end();
      server?.close();
      attempt(() => requestWriter?.end());
      gh?.remove();
      const hasFailed = typeof end === "number" && end !== 0;
      const unused = keys.unused();
      if (hasFailed && !settings.quiet && unused.length > 0) {
        printLines(context, [describeUnused(unused, server?.socketPath !== undefined)]);
      }
    },
  };
}

/** Explains the likely reason why a program failed: it does not read the address of the broker. */
function describeUnused(keys: readonly BrokeredKey[], isSocket: boolean): string {
  const names = keys.map(({ route }) => printable(route.name));
  const variables = isSocket ? [SOCKET_VARIABLE] : keys.flatMap(({ base }) => Object.keys(base).slice(0, 1));
  return `no request came for ${enumerateFew(names, 5)}: the program must read ${enumerateFew(variables, 5)}`;
}
