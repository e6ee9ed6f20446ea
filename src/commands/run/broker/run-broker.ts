/** `--broker`: the program gets dummies of its keys, and this process puts the real ones into its requests. */
import { randomBytes } from "node:crypto";
import type { Agent } from "node:http";
import { dummyKey } from "../../../broker/dummy.ts";
import {
  brokerVariables,
  type Changes,
  gitAccesses,
  SOCKET_VARIABLE,
  socketVariables,
} from "../../../broker/broker-variables.ts";
import { MOST_GUESSES } from "../../../broker/guesses.ts";
import type { BrokerParts } from "../../../broker/broker-server.ts";
import { LOOPBACK_ADDRESS } from "../../../broker/own-address.ts";
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { GITHUB_TOKENS } from "../../../contract/broker/providers.ts";
import type { Declaration } from "../../../contract/contract-model.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import { enumerateFew } from "../../../core/lines.ts";
import type { Environment } from "../../../core/model.ts";
import { FoldedMap } from "../../../core/names.ts";
import { printable } from "../../../core/text.ts";
import { callersNetwork } from "../../../esc/settings/access-settings.ts";
import { agentFor } from "../../../network/pool.ts";
import type { LaunchBroker, SecretFile } from "../../../launch/index.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { printLines } from "../../../output/stderr.ts";
import { type Start, followsEsc } from "../../../resolve/start.ts";
import { attempt, systemErrorCode } from "../../../system/errors.ts";
import type { Refresh, RefreshedDelivery } from "../refresh/refresh.ts";
import type { RefreshPlan } from "../refresh/refresh-plan.ts";
import type { Renewals } from "../refresh/renewer.ts";
import type { SteadyClock } from "../refresh/steady-clock.ts";
import { delivery } from "../delivery.ts";
import { refusePipedToken } from "../piped-token.ts";
import type { AuditRecorder } from "../../parts/audit-log/audit-record.ts";
import { brokerErrorOf } from "../../parts/broker/describe-key-faults.ts";
import { type BrokeredKey, type BrokerPlan, planBroker } from "../../parts/broker/brokered-keys.ts";
import { brokerPlanOptions, refuseBrokerOptions } from "../../parts/broker/broker-options.ts";
import { checkBrokerExcept } from "../../parts/broker/broker-except-option.ts";
import { type Listening, listen } from "./open-listener.ts";
import { warnOfCopies, warnOfDisplaced, warnOfNothing, warnOfUnset } from "./warnings.ts";

/** A plan for one start. `apply` has later requests served by it; it throws, and changes nothing, as `maskingOf`. */
export interface BrokeredDelivery {
  /** The program's variables, with dummies in place of keys. */
  readonly environment: Environment;
  readonly files: readonly SecretFile[];
  /** Texts that tell what the broker sends for each key, its value and its route, to be compared. */
  readonly brokered: ReadonlyMap<string, string>;
  /** Variables whose files are renewed while the program runs (`--refresh`). */
  readonly renewedFiles: ReadonlySet<string>;
  readonly apply: () => void;
}

export interface RunBroker {
  /** Names the run in its records. */
  readonly run: string;
  /** The variables of the first program. */
  readonly first: Omit<BrokeredDelivery, "apply">;
  /** The credentials and files that are renewed while the program runs; undefined for nothing. */
  readonly renewed: Renewals | undefined;
  /** The names of the brokered keys, as last applied. */
  readonly names: () => readonly string[];
  /** The dummies, which are masked in the output like keys. */
  readonly dummies: () => readonly Secret[];
  /** @throws SophiaError (broker, broker-clear, broker-untrusted; 125) if a key cannot be brokered any more */
  readonly deliver: (start: Start) => BrokeredDelivery;
  /** Has `look` called for a 401 of a service. It resolves when ESC was asked whether a key has changed. */
  readonly onUnauthorized: (look: (name: string) => Promise<void>) => void;
  readonly launch: LaunchBroker;
}

/** A start whose contract is checked. */
interface BrokeredStart {
  readonly settings: Settings;
  readonly flags: Values;
  readonly start: Start;
  readonly context: Context;
  readonly record?: AuditRecorder | undefined;
}

/** Refuses options that do not fit, before a source is read. @throws SophiaError (exec-unavailable, usage, settings; 125) */
export async function refuseBrokerStart({
  settings,
  flags,
}: Pick<BrokeredStart, "settings" | "flags">): Promise<undefined> {
  const option = settings.refresh === true ? "refresh" : settings.awsRefresh === true ? "aws" : undefined;
  const obstacle = settings.broker ? "broker" : option;
  if (settings.mode === "exec" && obstacle !== undefined) {
    throw (await import("../../../launch/exec/obstacles.ts")).execUnavailable(obstacle);
  }
  refuseBrokerOptions(settings, flags);
  return undefined;
}

const NO_KEYS: BrokerPlan = { keys: [], faults: [], exposed: [], excepted: [], outer: [] };

/**
 * Listens, on loopback unless the user names another address, if there are credentials to renew, if there is a key to
 * broker, or if one may appear in ESC later (`--watch`); else warns, for the option,
 * with the reason.
 *
 * @throws SophiaError (broker, broker-clear, broker-untrusted; 125) if a key cannot be brokered, the program would get one in
 *   clear, or it cannot listen
 */
export async function openRunBroker({
  settings,
  flags,
  start,
  context,
  record,
}: BrokeredStart): Promise<RunBroker | undefined> {
  const dummies = new Map<string, string | undefined>();
  const dummyOf = (declaration: Declaration): string | undefined => {
    const { name } = declaration;
    if (!dummies.has(name)) dummies.set(name, dummyKey(declaration));
    return dummies.get(name);
  };
  const renewal = await plannedRefresh(settings, flags, start, context);
  if (!settings.broker && renewal === undefined) return undefined;
  const options = brokerPlanOptions(settings);
  const plan = (now: Start): BrokerPlan => {
    if (!settings.broker) return NO_KEYS;
    const planned = planBroker(now, context.environment, options, dummyOf);
    const refusal = brokerErrorOf(planned, now.files.contract.source);
    if (refusal !== undefined) throw refusal;
    return planned;
  };
  const exceptions = checkBrokerExcept(settings, flags, start, context.environment);
  const initial = plan(start);
  warnOfUnset(exceptions, initial, start, context);
  if (initial.keys.length === 0 && settings.broker) {
    const mayFollow = settings.watch && followsEsc(start);
    if (flags["broker"] === true && initial.outer.length + initial.excepted.length === 0) {
      warnOfNothing(start, mayFollow, context);
    }
    if (!mayFollow && renewal === undefined) return undefined;
  }
  warnOfCopies(initial.keys, start, context);

  const run = randomBytes(8).toString("hex");
  const network = callersNetwork(context.environment);
  const agents = new Map<string, Agent>();
  const used = new Set<string>();
  let keys: ReadonlyMap<string, BrokeredKey> = new Map();
  let look: (name: string) => Promise<void> = () => Promise.resolve();
  let write = context.err;
  const records =
    settings.auditLog === undefined
      ? undefined
      : (await import("./records.ts")).requestWriter(settings.auditLog, context.cwd, run);
  const parts: BrokerParts = {
    keyOf: (name) => keys.get(name)?.value ?? "",
    agentFor: (origin) => {
      const agent = agents.get(origin) ?? agentFor(origin, network);
      agents.set(origin, agent);
      return agent;
    },
    onUnauthorized: (name) => look(name),
    record: (entry) => {
      if (entry.name !== undefined) used.add(entry.name);
      records?.write(entry);
    },
    failed: (error) => {
      const problem = error instanceof SophiaError ? error.message : "a request cannot be recorded";
      printLines({ ...context, err: write }, [
        `warning: ${problem}; the broker is closed, and further requests of the program fail`,
      ]);
    },
    guessed: (address) => {
      printLines({ ...context, err: write }, [
        `warning: ${printable(address)} sent ${MOST_GUESSES} wrong keys; the broker refuses it for a minute`,
      ]);
    },
  };
  // Without --broker its variables have no effect. Files are renewed without a server.
  const broker =
    settings.broker || renewal?.needsServer === true
      ? await listen(parts, settings.broker ? options.listenAddress : LOOPBACK_ADDRESS, context.cwd)
      : NO_SERVER;
  const { origin, socketPath } = broker;
  if (socketPath === undefined) warnOfDisplaced(initial.keys, context);
  const refresh = await renewal?.serve(broker, {
    record: (renewals) => record?.({ event: "renewal", run, ...renewals }, false, start),
    // The renewed secrets are not in use yet, so that `dummyValues` lacks them.
    mask: (secrets) => records?.mask(start, [...secrets, ...dummyValues()]),
  });
  const gh = await openForGh(initial, settings.watch, start, broker, context);
  const deliver = (now: Start, { keys: brokered, outer }: BrokerPlan): BrokeredDelivery => {
    const { environment, files } = delivery(now);
    const refreshed: RefreshedDelivery | undefined = refresh?.deliver(now);
    const variables =
      brokered.length === 0
        ? {}
        : socketPath === undefined
          ? brokerVariables(brokered, origin, environment, outer)
          : socketVariables(brokered, socketPath, environment, outer);
    const withDummies = withVariables(environment, variables);
    const withGh = withVariables(withDummies, gh?.variables(brokered, withDummies) ?? {});
    return {
      environment: withVariables(withGh, refreshed?.variables(withGh) ?? {}),
      files,
      renewedFiles: refreshed?.files ?? NO_FILES,
      brokered: new Map(brokered.map(({ route, value }) => [route.name, JSON.stringify([value, route])])),
      apply: () => {
        records?.mask(now, dummyValues());
        keys = new Map(brokered.map((key) => [key.route.name, key]));
        broker.replaceRoutes(brokered.map(({ route }) => route));
        refreshed?.apply();
      },
    };
  };
  const dummyValues = (): readonly Secret[] => [
    ...Array.from(dummies).flatMap(([name, value]) => (value === undefined ? [] : { name, value })),
    ...(refresh?.secrets() ?? []),
  ];
  const accesses = gitAccesses(initial.keys);
  if (accesses.length > 0 && socketPath === undefined) {
    await (await import("./git-notices.ts")).noticeOfGit(accesses, delivery(start).environment, context);
  }
  const first = deliver(start, initial);
  first.apply();
  return {
    run,
    first,
    renewed: renewal?.renewals,
    names: () => [...keys.keys()],
    dummies: dummyValues,
    deliver: (now) => deliver(now, plan(now)),
    onUnauthorized: (next) => {
      look = next;
    },
    launch: {
      started: (report = context.err, mask, replaceFile) => {
        write = report;
        refresh?.started(report, mask, replaceFile);
      },
      end: (end) => {
        refresh?.end();
        broker.close();
        attempt(() => records?.end());
        gh?.remove();
        const unused = [...keys.values()].filter(({ route }) => !used.has(route.name));
        if (typeof end === "number" && end !== 0 && !settings.quiet && unused.length > 0) {
          printLines(context, [unusedWords(unused, socketPath !== undefined)]);
        }
      },
    },
  };
}

/** In place of the server, if nothing needs one. */
const NO_SERVER: Listening = {
  origin: "",
  socketPath: undefined,
  serveLocally: () => Promise.reject(new TypeError("there is no server")),
  openSocket: () => Promise.reject(new TypeError("there is no server")),
  replaceRoutes: () => {},
  close: () => {},
};

const NO_FILES: ReadonlySet<string> = new Set();

interface PlannedRefresh {
  readonly renewals: Renewals;
  readonly needsServer: boolean;
  readonly serve: (
    broker: Listening,
    parts: { readonly record: (renewals: Renewals) => void; readonly mask: (secrets: readonly Secret[]) => void },
  ) => Promise<Refresh>;
}

/** Returns how credentials and files are renewed, if they are. @throws SophiaError (aws, refresh, exec-unavailable; 125) */
async function plannedRefresh(
  settings: Settings,
  flags: Values,
  start: Start,
  context: Context,
): Promise<PlannedRefresh | undefined> {
  const { emptyReason, isPlanned, planRefresh, refreshScope } = await import("../refresh/refresh-plan.ts");
  const scope = refreshScope(settings, start.files.contract);
  if (scope === undefined) return undefined;
  const { needsServer, planOrRefuse, serveRefresh } = await import("../refresh/refresh.ts");
  // ESC was opened after the start of this process, and no credentials live longer than from then on.
  const readAt = Date.now() - performance.now();
  const clock: SteadyClock = (await import("../refresh/steady-clock.ts")).steadyClock();
  const plan: RefreshPlan = planOrRefuse(planRefresh(scope, start, readAt));
  for (const lines of plan.warnings) printLines(context, lines);
  if (!isPlanned(plan)) {
    if (flags[scope.option.slice(2)] === true) {
      printLines(context, [`warning: ${scope.option} has no effect: ${emptyReason(plan, start)}`]);
    }
    return undefined;
  }
  refusePipedToken(scope.option, start, context);
  if (settings.mode === "exec") {
    const obstacle = scope.option === "--refresh" ? "refresh" : "aws";
    throw (await import("../../../launch/exec/obstacles.ts")).execUnavailable(obstacle);
  }
  const files = plan.files.map(({ name }) => name);
  return {
    renewals: { start, credentials: plan.credentials, files },
    // After a restart the program may have credentials of another cloud.
    needsServer: needsServer(plan) || settings.watch,
    serve: async (broker, parts) => {
      try {
        const { environment } = delivery(start);
        const service = { isAlone: !settings.broker, start, environment, clock, ...parts };
        return await serveRefresh(plan, { ...service, broker: broker === NO_SERVER ? undefined : broker }, context);
      } catch (error) {
        broker.close();
        if (error instanceof SophiaError) throw error;
        throw new SophiaError({
          code: "broker",
          message: `${scope.option} cannot accept connections on 127.0.0.1 (${systemErrorCode(error) ?? "UNKNOWN"})`,
          hint: `check the loopback interface and the limits of this process (ulimit -n), or leave ${scope.option} out`,
        });
      }
    },
  };
}

interface GhBroker {
  readonly variables: (keys: readonly BrokeredKey[], environment: Environment) => Readonly<Record<string, string>>;
  readonly remove: () => void;
}

/** Opens the socket for gh, if a GitHub token is brokered, or may be later (`--watch`). Windows has no such sockets for gh. */
async function openForGh(
  { keys }: BrokerPlan,
  isWatched: boolean,
  start: Start,
  broker: Listening,
  context: Context,
): Promise<GhBroker | undefined> {
  const mayFollow = isWatched && GITHUB_TOKENS.some((name) => start.files.contract.variables.has(name));
  if (process.platform === "win32" || (gitAccesses(keys).length === 0 && !mayFollow)) return undefined;
  const { ghVariables, makeGhFolder } = await import("./gh-socket.ts");
  const folder = await makeGhFolder(delivery(start).environment, context);
  try {
    await broker.openSocket(folder.socket);
  } catch (error) {
    folder.remove();
    broker.close();
    throw new SophiaError({
      code: "broker",
      message: `--broker cannot open the socket ${printable(folder.socket)} (${systemErrorCode(error) ?? "UNKNOWN"})`,
      hint: "set TMPDIR to a folder with a short path that may be written, or leave --broker out",
    });
  }
  return {
    remove: folder.remove,
    variables: (planned, environment) =>
      gitAccesses(planned).length === 0 ? {} : ghVariables(planned, folder, environment),
  };
}

/** Windows has names in any spelling: another spelling of a name is replaced, too. */
function withVariables(environment: Environment, added: Changes): Environment {
  const result = process.platform === "win32" ? new FoldedMap(environment) : new Map(environment);
  for (const [name, value] of Object.entries(added)) {
    result.delete(name);
    if (value !== undefined) result.set(name, value);
  }
  return result;
}

function unusedWords(keys: readonly BrokeredKey[], isSocket: boolean): string {
  const names = keys.map(({ route }) => printable(route.name));
  const variables = isSocket ? [SOCKET_VARIABLE] : keys.flatMap(({ base }) => Object.keys(base).slice(0, 1));
  return `no request came for ${enumerateFew(names, 5)}: the program must read ${enumerateFew(variables, 5)}`;
}
