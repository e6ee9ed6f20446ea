/** The lines of the audit log. Loaded only if there is a log. */
import { shownCommand } from "../../../launch/program/start-error.ts";
import { userInfo } from "node:os";
import { resolve } from "node:path";
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { isDeclared } from "../../../contract/check-contract.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { SourceId } from "../../../core/model.ts";
import { jsonLine } from "../../../core/json-text.ts";
import { printable } from "../../../core/text.ts";
import { maskingOf } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { type EscStatus, hasNoContract, type Start } from "../../../resolve/start.ts";
import { secretsOf } from "../../../resolve/secret-values.ts";
import { isBun } from "../../../system/runtime.ts";
import { outputReader, readerName } from "../../run/agents.ts";
import type { Renewals } from "../../run/refresh/renewer.ts";
import { appendToLog } from "./log-file.ts";

type RecordedEvent =
  | { readonly event: "start"; readonly command: string; readonly broker?: BrokerOfRun | undefined }
  /** Credentials and files of ESC are renewed while the program runs (`--refresh`). */
  | ({ readonly event: "renewal"; readonly run: string } & Renewals)
  /** The keys that the broker has a new value of. */
  | {
      readonly event: "swap";
      readonly run: string;
      readonly names: readonly string[];
      /** The state of ESC that the former values are from. */
      readonly former: EscStatus;
    }
  | { readonly event: "get" | "export"; readonly names: readonly string[] };

/** The broker of a run, and the names of the keys that it has dummies for. */
interface BrokerOfRun {
  readonly run: string;
  readonly names: () => readonly string[];
  /** The credentials and files that are renewed while the program runs. */
  readonly renewed?: Renewals | undefined;
}

/** Records a start, a swap, a get or an export before it happens; `isRefused`: the contract is not met, and nothing is passed on. */
export type Recorder = (recorded: RecordedEvent, isRefused: boolean, start: Start) => void;

const LONGEST_REASON = 200;

/**
 * Returns the writer of the audit log: a line for each call, without values and arguments (docs/agents.md). It throws a
 * SophiaError (audit, 125) if the line cannot be written or the reason contains a secret. Without an audit log returns
 * undefined and ignores `SOPHIA_REASON`, since programs inherit it and may start another sophia-run.
 *
 * @throws SophiaError (audit, 125) for a reason that cannot be recorded, without its text
 */
export function recorderOf(
  { auditLog, reason }: Pick<Settings, "auditLog" | "reason">,
  flags: Values,
  context: Pick<Context, "environment" | "cwd">,
): Recorder | undefined {
  if (auditLog === undefined) {
    if (flags["reason"] === undefined) return undefined;
    throw new SophiaError({
      code: "audit",
      message: "--reason needs an audit log, and there is none",
      hint: "name one with --audit-log FILE or SOPHIA_AUDIT_LOG, or leave --reason out",
    });
  }
  if (reason !== undefined && Array.from(reason).length > LONGEST_REASON) {
    throw new SophiaError({
      code: "audit",
      message: `the reason for the audit log is longer than ${LONGEST_REASON} characters`,
      hint: "shorten it (--reason, SOPHIA_REASON)",
    });
  }
  return (recorded, isRefused, start) => {
    const secrets = secretsOf(start);
    if (reason !== undefined) refuseSecrets(reason, secrets);
    const keeper = outputReader(context.environment);
    const line = {
      ...lineOf(recorded, isRefused, start, secrets),
      caller: keeper === undefined ? undefined : readerName(keeper),
      reason: reason === undefined ? undefined : printable(reason),
    };
    appendToLog(resolve(context.cwd, auditLog), jsonLine(line));
  };
}

function lineOf(recorded: RecordedEvent, isRefused: boolean, start: Start, secrets: readonly Secret[]): object {
  const {
    files: { contract },
    store: { esc },
    verdict: { violations },
  } = start;
  const { source, profile, scope } = contract;
  return {
    version: 1,
    time: new Date().toISOString(),
    event: recorded.event,
    outcome: isRefused ? "refused" : "allowed",
    met: violations.length === 0,
    user: userName(),
    pid: process.pid,
    command:
      recorded.event === "start" ? shownCommand(masked(Buffer.from(recorded.command), secrets).toString()) : undefined,
    contract: source.kind === "file" ? source.path : hasNoContract(start) ? "none" : source.kind,
    profile,
    scope: scope?.name,
    names: isRefused ? {} : namesOf(recorded, start),
    ...runOf(recorded),
    ...renewedOf(recorded),
    ...(recorded.event === "swap" && { former: { environments: environmentsOf(recorded.former) } }),
    ...escOf(recorded.event === "renewal" ? recorded.start.store.esc : esc),
  };
}

function escOf(esc: EscStatus): object {
  return { esc: { status: esc.kind, environments: environmentsOf(esc) } };
}

/** Returns what is renewed, until when it lives, and what says so; no value. */
function renewedOf(recorded: RecordedEvent): { readonly renewed?: readonly object[] } {
  const renewals =
    recorded.event === "renewal" ? recorded : recorded.event === "start" ? recorded.broker?.renewed : undefined;
  if (renewals === undefined) return {};
  const { credentials, files } = renewals;
  return {
    renewed: [
      ...credentials.map(({ cloud, expiresAt, by }) => ({ cloud, expiresAt: new Date(expiresAt).toISOString(), by })),
      ...(files.length === 0 ? [] : [{ files }]),
    ],
  };
}

/** Returns the environments with their revisions, if the token may see these. */
function environmentsOf(esc: EscStatus): readonly object[] {
  return esc.kind === "read" ? esc.environments : [];
}

function runOf(recorded: RecordedEvent): { readonly run?: string; readonly brokered?: readonly string[] } {
  if (recorded.event === "swap" || recorded.event === "renewal") return { run: recorded.run };
  const broker = recorded.event === "start" ? recorded.broker : undefined;
  return broker === undefined ? {} : { run: broker.run, brokered: broker.names() };
}

/** Returns the source of each variable that sophia-run adds, or that is declared. */
function namesOf(
  recorded: RecordedEvent,
  { files: { contract }, values: { selected } }: Start,
): Readonly<Record<string, SourceId>> {
  if (recorded.event === "renewal") return {};
  const passed =
    recorded.event !== "start"
      ? recorded.names.flatMap((name) => selected.get(name) ?? [])
      : Array.from(selected.values()).filter(
          ({ name, origin }) => origin.source !== "environment" || isDeclared(contract, name),
        );
  return Object.fromEntries(passed.map(({ name, origin }) => [name, origin.source]));
}

/** @throws SophiaError (audit, 125) that names the variable of the secret */
function refuseSecrets(reason: string, secrets: readonly Secret[]): void {
  const input = Buffer.from(reason);
  const holds = (some: readonly Secret[]): boolean => !masked(input, some).equals(input);
  if (!holds(secrets)) return;
  const contained = secrets.find((secret) => holds([secret]));
  throw new SophiaError({
    code: "audit",
    message: `the reason for the audit log contains the value of ${printable(contained?.name ?? "a secret")}`,
    hint: "remove the value from it (--reason, SOPHIA_REASON)",
  });
}

function masked(input: Buffer, secrets: readonly Secret[]): Buffer {
  const masker = maskingOf(secrets, input.length).stream();
  const bytes = Buffer.from(masker.push(input));
  return Buffer.concat([bytes, masker.flush()]);
}

function userName(): string {
  const byNumber = `uid ${process.getuid?.() ?? "unknown"}`;
  // Bun reads the name from the environment, which any caller may set.
  if (isBun) return byNumber;
  try {
    return userInfo().username;
  } catch {
    // The system may have no name, as in a container.
    return byNumber;
  }
}
