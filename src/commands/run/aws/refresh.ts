/**
 * `--aws-refresh`: the program's SDKs ask this process for AWS credentials, and it opens ESC again before they expire.
 *
 * An ask is answered at once from what there is. Credentials that could not be renewed are given until they expire.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Changes, withoutProxyForLoopback } from "../../../broker/broker-variables.ts";
import type { Broker } from "../../../broker/broker-server.ts";
import type { Settings } from "../../../command-line/settings.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Environment, Failure } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import type { LaunchBroker } from "../../../launch/index.ts";
import { makeRunFolder } from "../../../launch/secret-files.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { further, printLines } from "../../../output/stderr.ts";
import { maskCommands } from "../../../output/workflow-commands.ts";
import { loader } from "../../../system/addon/addon.ts";
import type { Start } from "../../../resolve/start.ts";
import { readAgain } from "../../../resolve/read-again.ts";
import { companionsOf } from "../../parts/command-start.ts";
import { awsAnswer, PATH } from "./aws-answers.ts";
import { configWithCredentials } from "./config-profile.ts";
import { awsVariables, TOKEN_VARIABLE } from "./aws-variables.ts";
import { type AwsCredentials, credentialsIn, KEYS } from "./aws-credentials.ts";
import { mayTryNow, nextTry, type RenewalState } from "./renewal.ts";

export interface AwsRefresh {
  /** The changes of a program's variables. */
  readonly variables: (environment: Environment) => Changes;
  /** The token by which the program asks, and the credentials of all generations, to be masked. */
  readonly secrets: () => readonly Secret[];
  readonly started: LaunchBroker["started"];
  readonly end: () => void;
}

/** A timer is set again at least so often: it stops while the machine sleeps, credentials do not. */
const LONGEST_WAIT_MS = 60_000;
/** Former credentials that stay masked. */
const MOST_FORMER = 50;

const EXPIRED: Failure = {
  code: "aws",
  message: "the credentials of ESC have already expired",
  hint: "check the clock of this machine, and AWS_CREDENTIAL_EXPIRATION in the ESC environment",
};

interface AwsService {
  /** The broker has no keys, so that all other paths are unknown. */
  readonly isAlone: boolean;
  readonly start: Start;
  /** The program's. */
  readonly environment: Environment;
}

/**
 * Serves credentials at the broker's address, and renews them until the end.
 *
 * @throws SophiaError (secret-files, 125)
 */
export async function serveCredentials(
  first: AwsCredentials,
  broker: Broker,
  { isAlone, start, environment }: AwsService,
  context: Context,
): Promise<AwsRefresh> {
  const config = await configWithCredentials(environment);
  if (config !== undefined) {
    printLines(context, [
      `warning: the default profile of ${printable(config)} has credentials, which some SDKs use in place of ESC's`,
      "name a file without it in AWS_CONFIG_FILE",
    ]);
  }
  const folder = makeRunFolder(() => [{ name: "credentials", content: "" }], environment.get("XDG_RUNTIME_DIR"));
  const token = randomBytes(32).toString("base64url");
  const renewer = new Renewer(first, start, context);
  const hosts = new Set<string>();
  const address = await broker.serveLocally((head) =>
    awsAnswer(head, { token, hosts, isAlone, credentials: () => renewer.asked() }),
  );
  for (const host of address.hosts) hosts.add(host);
  renewer.schedule();
  return {
    variables: (own) => ({
      ...withoutProxyForLoopback(own),
      ...awsVariables(address.origin + PATH, token, join(folder.folder, "credentials")),
    }),
    secrets: () => [{ name: TOKEN_VARIABLE, value: token }, ...renewer.secrets()],
    started: (report, mask) => renewer.started(report, mask),
    end: () => {
      renewer.end();
      folder.remove();
    },
  };
}

type Mask = (secrets: readonly Secret[]) => void;

class Renewer {
  readonly #settings: Settings;
  readonly #context: Context;
  readonly #start: Start;
  #credentials: AwsCredentials;
  #former: readonly AwsCredentials[] = [];
  #state: RenewalState;
  #timer: NodeJS.Timeout | undefined;
  #isTrying = false;
  #isOver = false;
  /** The failure that was reported, and the expiry. */
  #reported = "";
  #write: (text: string) => void;
  #masks: readonly Mask[] = [];

  constructor(first: AwsCredentials, start: Start, context: Context) {
    const { settings } = start;
    // ESC is always asked: values of the cache are never new.
    this.#settings = {
      ...settings,
      cache: settings.cache || settings.cacheFreshMs !== undefined,
      cacheFreshMs: undefined,
    };
    this.#context = context;
    this.#start = { ...start, settings: this.#settings };
    this.#credentials = first;
    this.#state = { generation: first, failures: 0, triedAt: first.openedAt };
    this.#write = context.err;
  }

  /** Returns the credentials of now, and may begin to renew them; undefined if they have expired. */
  asked(): AwsCredentials | undefined {
    const now = Date.now();
    if (mayTryNow(this.#state, now)) void this.#renew();
    return now < this.#credentials.expiresAt ? this.#credentials : undefined;
  }

  secrets(): readonly Secret[] {
    return [this.#credentials, ...this.#former].flatMap(secretsOf);
  }

  started(write: ((text: string) => void) | undefined, mask: Mask | undefined): void {
    this.#write = write ?? this.#context.err;
    if (mask === undefined) return;
    this.#masks = [...this.#masks.slice(-1), mask];
    // A restart may have begun with the masking of before.
    mask(this.secrets());
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** Waits for the next try. */
  schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    const at = nextTry(this.#state, Math.random());
    const wait = (): void => {
      const left = at - Date.now();
      if (left <= 0) void this.#renew();
      else this.#timer = setTimeout(wait, Math.min(left, LONGEST_WAIT_MS));
    };
    wait();
  }

  async #renew(): Promise<void> {
    if (this.#isTrying || this.#isOver) return;
    this.#isTrying = true;
    clearTimeout(this.#timer);
    const outcome = await this.#open();
    this.#isTrying = false;
    if (this.#isOver) return;
    if ("message" in outcome) this.#fail(outcome);
    else this.#use(outcome);
    this.schedule();
  }

  async #open(): Promise<AwsCredentials | Failure> {
    const openedAt = Date.now();
    const context = { ...this.#context, err: this.#write, isTerminal: () => false };
    try {
      const now = await readAgain(this.#start, companionsOf(this.#settings, context));
      const {
        store: { esc },
      } = now;
      if (esc.kind === "unavailable" || esc.kind === "refused") return esc.failure;
      if (esc.kind === "read" && esc.kept?.why === "unavailable") return esc.kept.failure;
      const credentials = credentialsIn(now, this.#settings, openedAt);
      if (typeof credentials === "string") return { code: "aws", message: credentials };
      // As a failure: it is reported, and the pauses between the tries grow.
      return credentials.expiresAt > Date.now() ? credentials : EXPIRED;
    } catch (error) {
      if (error instanceof SophiaError) return error;
      throw error;
    } finally {
      // Masking in this process lasts as long as the program's output is long.
      loader?.limitTurns?.(0);
    }
  }

  #use(credentials: AwsCredentials): void {
    const { redact } = this.#settings;
    // Before they are given: the program may print them.
    if (redact === "github") this.#context.raw(2, maskCommands(secretsOf(credentials)));
    for (const mask of this.#masks) mask(secretsOf(credentials));
    this.#former = [this.#credentials, ...this.#former].slice(0, MOST_FORMER);
    this.#credentials = credentials;
    this.#state = { generation: credentials, failures: 0, triedAt: Date.now() };
    if (this.#reported !== "" && !this.#settings.quiet) this.#print(["AWS credentials are renewed again"]);
    this.#reported = "";
  }

  #fail(failure: Failure): void {
    const now = Date.now();
    this.#state = { ...this.#state, failures: this.#state.failures + 1, triedAt: now };
    const { expiresAt } = this.#credentials;
    const consequence =
      now < expiresAt
        ? `the program gets the present ones, which expire at ${new Date(expiresAt).toISOString().slice(11, 19)} UTC`
        : "they have expired, and the program gets none";
    const text = `warning: AWS credentials cannot be renewed: ${failure.message}; ${consequence}`;
    // Once, until they are renewed or have expired.
    if (text === this.#reported) return;
    this.#reported = text;
    this.#print([text, ...further(failure)]);
  }

  #print(lines: readonly [string, ...string[]]): void {
    printLines({ ...this.#context, err: this.#write }, lines);
  }
}

function secretsOf({
  keyId,
  secretKey,
  sessionToken,
}: AwsCredentials): readonly (Secret & { readonly value: string })[] {
  const values = [keyId, secretKey, sessionToken];
  return KEYS.map((name, index) => ({ name, value: values[index] ?? "" }));
}
