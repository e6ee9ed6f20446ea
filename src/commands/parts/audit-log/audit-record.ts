/**
 * Creates the records of the audit log, in which an administrator sees who got which secrets. Before a start, `get` or `export`,
 * one line of JSON is appended. docs/agents.md documents the format. A record contains names, sources and times, but no values and
 * no arguments of the program. This file is loaded only if the user has an audit log.
 */
import { userInfo } from "node:os";
import { resolve } from "node:path";
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { isDeclared } from "../../../contract/check-contract.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { SourceId } from "../../../core/model.ts";
import { shownCommand } from "../../../launch/program/start-error.ts";
import { formatJsonLine } from "../../../core/json-text.ts";
import { printable } from "../../../core/text.ts";
import { createMasking } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { type EscStatus, hasNoContract, type Start } from "../../../resolve/start.ts";
import { collectSecrets } from "../../../resolve/secret-values.ts";
import { isBun } from "../../../system/runtime.ts";
import { findOutputReader, readerName } from "../../run/agents.ts";
import type { Renewals } from "../../run/refresh/renewer.ts";
import { appendToAuditLog } from "./log-file.ts";

/** An event that is recorded. All records of one start with a broker have the same identifier `run`. */
type RecordedEvent =
  | { readonly event: "start"; readonly command: string; readonly broker?: RecordedBroker | undefined }
  /** Credentials or files of ESC were renewed while the program ran (`--refresh`). */
  | ({ readonly event: "renewal"; readonly run: string } & Renewals)
  /** The broker has got new values for the keys with these names. */
  | {
      readonly event: "swap";
      readonly run: string;
      readonly names: readonly string[];
      /** The state of ESC that gave the values before these. */
      readonly former: EscStatus;
    }
  | { readonly event: "get" | "export"; readonly names: readonly string[] };

interface RecordedBroker {
  /** The identifier of the start. */
  readonly run: string;
  /** Returns the names of the brokered keys. */
  readonly names: () => readonly string[];
  /** The credentials and files that are renewed while the program runs. */
  readonly renewed?: Renewals | undefined;
}

/**
 * Appends a record for an event before the event happens.
 *
 * @param isRefused true if the contract is not met, so that the program gets no values
 * @throws SophiaError (audit, 125) if the line cannot be written, or the user's reason contains a secret
 */
export type AuditRecorder = (recordedEvent: RecordedEvent, isRefused: boolean, start: Start) => void;

/** A reason is one sentence, such as the number of a ticket and its title. */
const MAX_REASON_CHARACTERS = 200;

/**
 * Creates the function that appends records to the audit log. Without an audit log the result is undefined, and `SOPHIA_REASON`
 * is ignored: a program inherits that variable, and may start another sophia-run that has no log.
 *
 * @param flags the options on the command line: `--reason` without an audit log is an error
 * @throws SophiaError (audit, 125) for a reason that cannot be recorded; the message does not contain the reason's text
 */
export function createAuditRecorder(
  { auditLog, reason }: Pick<Settings, "auditLog" | "reason">,
  flags: Values,
  context: Pick<Context, "environment" | "cwd">,
): AuditRecorder | undefined {
  if (auditLog === undefined) {
    if (flags["reason"] === undefined) return undefined;
    throw new SophiaError({
      code: "audit",
      message: "--reason needs an audit log, and there is none",
      hint: "name one with --audit-log FILE or SOPHIA_AUDIT_LOG, or leave --reason out",
    });
  }
  if (reason !== undefined) refuseLongReason(reason);
  return (recordedEvent, isRefused, start) => {
    const secrets = collectSecrets(start);
    if (reason !== undefined) refuseReasonWithSecret(reason, secrets);
    const readerVariable = findOutputReader(context.environment);
    const record = {
      ...createRecord(recordedEvent, isRefused, start, secrets),
      caller: readerVariable === undefined ? undefined : readerName(readerVariable),
      reason: reason === undefined ? undefined : printable(reason),
    };
    appendToAuditLog(resolve(context.cwd, auditLog), formatJsonLine(record));
  };
}

function refuseLongReason(reason: string): void {
  if (Array.from(reason).length <= MAX_REASON_CHARACTERS) return;
  throw new SophiaError({
    code: "audit",
    message: `the reason for the audit log is longer than ${MAX_REASON_CHARACTERS} characters`,
    hint: "shorten it (--reason, SOPHIA_REASON)",
  });
}

/** Returns the record without the caller and the reason. Undefined fields are left out of the JSON. */
function createRecord(
  recordedEvent: RecordedEvent,
  isRefused: boolean,
  start: Start,
  secrets: readonly Secret[],
): object {
  const {
    files: { contract },
    store: { esc },
    verdict: { violations },
  } = start;
  const { profile, scope } = contract;
  const command =
    recordedEvent.event === "start"
      ? shownCommand(maskSecrets(Buffer.from(recordedEvent.command), secrets).toString())
      : undefined;
  return {
    version: 1,
    time: new Date().toISOString(),
    event: recordedEvent.event,
    outcome: isRefused ? "refused" : "allowed",
    met: violations.length === 0,
    user: findUserName(),
    pid: process.pid,
    command,
    contract: describeContractSource(start),
    profile,
    scope: scope?.name,
    names: isRefused ? {} : listSourcesByName(recordedEvent, start),
    ...createRunFields(recordedEvent),
    ...createRenewalFields(recordedEvent),
    ...(recordedEvent.event === "swap" && { former: { environments: listReadEnvironments(recordedEvent.former) } }),
    // A renewal has opened ESC again, and has the revisions of that time.
    ...createEscFields(recordedEvent.event === "renewal" ? recordedEvent.start.store.esc : esc),
  };
}

/** Returns the path of the contract, `built-in`, or `none` for a start without one. */
function describeContractSource(start: Start): string {
  const { source } = start.files.contract;
  if (source.kind === "file") return source.path;
  return hasNoContract(start) ? "none" : source.kind;
}

function createEscFields(esc: EscStatus): object {
  return { esc: { status: esc.kind, environments: listReadEnvironments(esc) } };
}

/** Returns which credentials and files are renewed, when the credentials expire, and how that time is known. */
function createRenewalFields(recordedEvent: RecordedEvent): { readonly renewed?: readonly object[] } {
  const renewals = findRenewals(recordedEvent);
  if (renewals === undefined) return {};
  const { credentials, files } = renewals;
  return {
    renewed: [
      ...credentials.map(({ cloud, expiresAt, expirySource }) => ({
        cloud,
        expiresAt: new Date(expiresAt).toISOString(),
        by: expirySource,
      })),
      ...(files.length === 0 ? [] : [{ files }]),
    ],
  };
}

function findRenewals(recordedEvent: RecordedEvent): Renewals | undefined {
  if (recordedEvent.event === "renewal") return recordedEvent;
  return recordedEvent.event === "start" ? recordedEvent.broker?.renewed : undefined;
}

/** Returns the ESC environments that were read, each with its revision if the token may see revisions. */
function listReadEnvironments(esc: EscStatus): readonly object[] {
  return esc.kind === "read" ? esc.environments : [];
}

/** Returns the identifier of the start, and the names of the keys that a start with a broker holds. */
function createRunFields(recordedEvent: RecordedEvent): {
  readonly run?: string;
  readonly brokered?: readonly string[];
} {
  if (recordedEvent.event === "swap" || recordedEvent.event === "renewal") return { run: recordedEvent.run };
  const broker = recordedEvent.event === "start" ? recordedEvent.broker : undefined;
  return broker === undefined ? {} : { run: broker.run, brokered: broker.names() };
}

/**
 * Returns the source of each variable that the event passes on. For a start, the undeclared variables of the caller's environment
 * are left out: they would fill the log, and the program has them without sophia-run.
 */
function listSourcesByName(
  recordedEvent: RecordedEvent,
  { files: { contract }, values: { selected } }: Start,
): Readonly<Record<string, SourceId>> {
  if (recordedEvent.event === "renewal") return {};
  const variables =
    recordedEvent.event === "start"
      ? Array.from(selected.values()).filter(
          ({ name, origin }) => origin.source !== "environment" || isDeclared(contract, name),
        )
      : recordedEvent.names.flatMap((name) => selected.get(name) ?? []);
  return Object.fromEntries(variables.map(({ name, origin }) => [name, origin.source]));
}

/** Refuses a reason that contains a secret. @throws SophiaError (audit, 125), whose message names the secret's variable */
function refuseReasonWithSecret(reason: string, secrets: readonly Secret[]): void {
  const reasonBytes = Buffer.from(reason);
  const containsAny = (candidates: readonly Secret[]): boolean =>
    !maskSecrets(reasonBytes, candidates).equals(reasonBytes);
  if (!containsAny(secrets)) return;
  const containedSecret = secrets.find((secret) => containsAny([secret]));
  throw new SophiaError({
    code: "audit",
    message: `the reason for the audit log contains the value of ${printable(containedSecret?.name ?? "a secret")}`,
    hint: "remove the value from it (--reason, SOPHIA_REASON)",
  });
}

/** Replaces the secrets in a text by `***`. */
function maskSecrets(input: Buffer, secrets: readonly Secret[]): Buffer {
  const masker = createMasking(secrets, input.length).stream();
  return Buffer.concat([masker.push(input), masker.flush()]);
}

/** Returns the name of the user who runs this process, or `uid 1000` if the name is unknown. */
function findUserName(): string {
  const userId = `uid ${process.getuid?.() ?? "unknown"}`;
  // In Bun, userInfo() reads the name from the environment, which any caller may set.
  if (isBun) return userId;
  try {
    return userInfo().username;
  } catch {
    // The system may have no name for the user, as in a container.
    return userId;
  }
}
