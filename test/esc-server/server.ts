/**
 * Starts the ESC server in the process of a test, on a free port. The caller closes it, and decides what a violation of
 * the API's rules means.
 */
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { failure } from "./answer.ts";
import { type Call, CallLog } from "./calls.ts";
import { Connections } from "./connections.ts";
import { Dispatcher } from "./dispatcher.ts";
import {
  type Denial,
  type Environment,
  type EnvironmentSpec,
  parseEnvironmentName,
  type Draft,
  type Revision,
} from "./environments.ts";
import { FaultPlan, type Target } from "./fault-plan.ts";
import type { Fault, FaultName } from "./faults.ts";
import type { NewToken, Token } from "./tokens.ts";
import { toNode, type ValueSpec } from "./values.ts";
import { type OidcSpec, type UserSpec, World } from "./world.ts";

export interface EscServerOptions {
  /** Serves HTTPS with this certificate and key (PEM). */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The address to listen on; `127.0.0.1` by default. One that containers reach needs `tls`. */
  readonly host?: string;
  readonly port?: number;
  /** Path before `/api`, such as `/pulumi`. */
  readonly basePath?: string;
  /** The token of {@link EscServer.token}; random by default. */
  readonly token?: string;
  readonly user?: UserSpec;
  readonly oidc?: OidcSpec;
  /** Environments on one page of a list; 100 by default. */
  readonly pageSize?: number;
  /** Name the opened revision in the header `Pulumi-ESC-Revision` of the answer to opening, as definitions have it. */
  readonly tellsRevision?: boolean;
  /** Compress answers for clients that accept it. */
  readonly gzip?: boolean;
  /** Milliseconds since the epoch; for expiry and rates without waiting. */
  readonly now?: () => number;
}

/** A handle on an environment of the server. */
export interface EnvironmentHandle {
  /** `org/project/env`. */
  readonly name: string;
  readonly revisions: readonly Revision[];
  /** The latest definition, secrets as ciphertext. */
  readonly definition: string;
  /** Changes that were proposed where they must be approved. */
  readonly drafts: readonly Draft[];
  /** Adds a revision. */
  revise(spec: EnvironmentSpec): void;
  deny(how: Denial | undefined): void;
  /** Its requests, the oldest first. */
  readonly openRequests: readonly { readonly id: string; readonly status: string; readonly description: string }[];
  /** Decides about all of them: from then on it opens, or they are closed. */
  decide(how: "applied" | "closed"): void;
  remove(): void;
}

export interface EscServer {
  /** The backend's URL: what `PULUMI_BACKEND_URL` takes. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** May be replaced at any time. */
  user: UserSpec;
  oidc: OidcSpec;
  /** Adds a revision to an environment (`org/project/env`), which comes to be with the first. */
  environment(name: string, spec: EnvironmentSpec): EnvironmentHandle;
  /** The result of `fn::open::<name>` in definitions, or a function that makes it at each evaluation. */
  provider(name: string, value: ValueSpec | (() => ValueSpec)): void;
  addToken(token: NewToken): Token;

  readonly calls: readonly Call[];
  count(operation: Call["operation"] | "any"): number;
  /** The `count`th call of an operation, as soon as it has arrived; `count` is 1 by default. Rejects on close. */
  waitFor(operation: Call["operation"] | "any", count?: number): Promise<Call>;
  /** Breaches of the API's rules; empty for a correct client. No entry contains a token. */
  readonly violations: readonly string[];
  /** TCP connections accepted, those included whose TLS handshake failed. */
  readonly connections: number;
  /** TCP connections that are open now. */
  readonly openConnections: number;
  /** Sessions opened, each of which may have minted credentials. */
  readonly sessions: number;

  failNext(target: Target, fault: Fault | FaultName, times?: number): void;
  failAlways(target: Target, fault: Fault | FaultName): void;
  /** Ends planned faults, of one target or all. */
  heal(target?: Target): void;
  /** Keeps the next request of that operation waiting until released. */
  hold(target: Target): { release(): void };
  /** Forgets calls, violations, counts and faults; environments and tokens stay. */
  reset(): void;
  /** Cuts all connections at once and frees the port. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a server on a free loopback port that implements the API of Pulumi ESC. */
export async function startEscServer(options: EscServerOptions = {}): Promise<EscServer> {
  const now = options.now ?? Date.now;
  const basePath = (options.basePath ?? "").replace(/\/+$/, "");
  const host = options.host ?? "127.0.0.1";
  const world = new World({
    now,
    pageSize: options.pageSize ?? 100,
    tellsRevision: options.tellsRevision ?? false,
    user: options.user ?? {},
    oidc: options.oidc ?? {},
  });
  const personal = { kind: "personal", login: world.login } as const;
  const { value: token } = world.tokens.add({
    owner: personal,
    ...(options.token === undefined ? {} : { value: options.token }),
  });
  const plan = new FaultPlan(now);
  const calls = new CallLog();
  const violations: string[] = [];
  const closing = new AbortController();
  const listener: http.Server =
    options.tls === undefined ? http.createServer() : https.createServer({ ...options.tls });
  const connections = new Connections(listener);
  const dispatcher = new Dispatcher({
    world,
    plan,
    calls,
    violations,
    connections,
    basePath,
    gzip: options.gzip ?? false,
    closing: closing.signal,
  });
  listener.on("request", (request: http.IncomingMessage, response: http.ServerResponse) =>
    dispatcher.receive(request, response),
  );
  // Node answers a malformed request itself, unseen; a client that sends one must not go unnoticed.
  listener.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code?.startsWith("HPE_") === true) violations.push(`malformed HTTP: ${error.code}`);
    if (socket.writable)
      socket.end(`HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n${failure(400, "Bad Request").body}`);
  });
  listener.listen(options.port ?? 0, host);
  await once(listener, "listening");
  const { port } = addressOf(listener);
  const scheme = options.tls === undefined ? "http" : "https";

  return {
    url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${basePath}`,
    host,
    port,
    token,
    get user() {
      return world.user;
    },
    set user(user) {
      world.user = user;
    },
    get oidc() {
      return world.oidc;
    },
    set oidc(oidc) {
      world.oidc = oidc;
    },
    environment(name, spec) {
      const environment = world.environments.add(parseEnvironmentName(name), spec, world.login);
      return createHandle(world, environment);
    },
    provider: (name, value) => {
      const make = typeof value === "function" ? value : () => value;
      world.environments.providers.set(name, () => toNode(make()));
    },
    addToken: (added) => world.tokens.add(added),
    get calls() {
      return calls.all;
    },
    count: (operation) => calls.count(operation),
    waitFor: (operation, count = 1) => calls.wait(operation, count),
    violations,
    get connections() {
      return connections.accepted;
    },
    get openConnections() {
      return connections.open;
    },
    get sessions() {
      return world.sessions.size;
    },
    failNext: (target, fault, times = 1) => plan.next(target, fault, times),
    failAlways: (target, fault) => plan.always(target, fault),
    heal: (target) => plan.clear(target),
    hold(target) {
      const { promise, resolve } = createDeferred();
      plan.next(target, { kind: "hold", released: promise }, 1);
      return { release: resolve };
    },
    reset() {
      calls.clear();
      violations.length = 0;
      connections.resetCount();
      world.sessions.clear();
      plan.clear();
    },
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    if (closing.signal.aborted) return;
    closing.abort();
    calls.close();
    const closed = once(listener, "close");
    listener.close();
    connections.destroyAll();
    await closed;
  }
}

function createHandle(world: World, environment: Environment): EnvironmentHandle {
  const { organization, project, name } = environment;
  const requests = () => Array.from(world.changeRequests.values()).filter((one) => one.environment === environment);
  return {
    name: `${organization}/${project}/${name}`,
    get revisions() {
      return environment.revisions;
    },
    get drafts() {
      return environment.drafts;
    },
    get definition() {
      return world.environments.revision(environment)?.yaml ?? "";
    },
    revise: (spec) => void world.environments.add(environment, spec, world.login),
    deny(how) {
      environment.deny = how;
    },
    get openRequests() {
      return requests();
    },
    decide(how) {
      environment.granted = how === "applied";
      for (const one of requests()) one.status = how;
    },
    remove: () => world.environments.delete(environment),
  };
}

function addressOf(listener: http.Server): AddressInfo {
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return address;
}

function createDeferred(): { promise: Promise<void>; resolve: () => void } {
  let settle: (() => void) | undefined;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: () => settle?.() };
}
