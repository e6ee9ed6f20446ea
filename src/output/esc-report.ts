/** What may be told of ESC: what is configured, whether it was accepted, and why it could not be read. */
import type { Credential } from "../esc/settings/credentials.ts";
import type { Failure } from "../core/model.ts";
import { holdsToken, type Secret } from "../esc/settings/secret.ts";
import { mask } from "../core/mask.ts";
import { printable } from "../core/text.ts";
import type { Assessment, EscStatus } from "../resolve/assessment.ts";
import type { EscEnvironment, Kept } from "../sources/esc.ts";
import { further } from "./stderr.ts";

export interface EscReport {
  readonly status: EscStatus["kind"];
  readonly environment: EscSetting;
  readonly credential: EscSetting;
  /** Those that were read. */
  readonly environments: readonly EscEnvironment[];
  /** Why the cache served. */
  readonly kept?: Kept["why"];
  /** Why ESC could not be read. */
  readonly failure?: { readonly code: string; readonly message: string; readonly further: readonly string[] };
}

/**
 * - `accepted`: ESC was read with it.
 * - `rejected`: it is why ESC could not be read.
 * - `unverified`: nobody could tell.
 * - `absent`: it is not set, and nothing needs it.
 * - `missing`: it is not set, and something is missing that it would give, or the other of the two is set.
 * - `unasked`: ESC is switched off by `--fake`.
 */
export type EscSettingState = "accepted" | "rejected" | "unverified" | "absent" | "missing" | "unasked";

/** The environment's name, or the credential. */
export interface EscSetting {
  readonly state: EscSettingState;
  /** The variable that sets it, or the usual one. */
  readonly variable: string;
  /** The environment as the user wrote it; the masked end of a token, or a path. */
  readonly shown?: string;
}

/** What of ESC's state programs are told: the masked end of a token stays out. */
export function escForPrograms({ status, environment, credential, ...rest }: EscReport): object {
  return {
    status,
    ...(environment.shown === undefined ? {} : { environment: environment.shown }),
    environmentState: environment.state,
    ...(credential.shown === undefined ? {} : { credential: credential.variable }),
    credentialState: credential.state,
    ...rest,
  };
}

/** @param isMissed whether something is missing that ESC would give in this project */
export function reportEsc({ esc }: Assessment, isMissed: boolean): EscReport {
  switch (esc.kind) {
    case "off":
    case "fake": {
      const state = esc.kind === "fake" ? "unasked" : isMissed ? "missing" : "absent";
      return { status: esc.kind, ...settings({ state }, { state }), environments: [] };
    }
    case "incomplete": {
      const { names, credential } = esc;
      return {
        status: esc.kind,
        ...settings(
          names === undefined ? { state: "missing" } : { state: "unverified", shown: printable(names) },
          credential === undefined ? { state: "missing" } : { state: "unverified", ...describeUnread(credential) },
        ),
        environments: [],
      };
    }
    case "read": {
      const { kept, environments } = esc;
      // Nobody was asked, or nobody answered.
      const state = kept === undefined ? "accepted" : "unverified";
      return {
        status: esc.kind,
        ...configured(esc, state, state),
        environments,
        ...(kept === undefined ? {} : { kept: kept.why }),
        ...(kept?.why === "unavailable" ? failureOf(kept) : {}),
      };
    }
    case "unavailable": {
      const credential = esc.blames === "credential" ? "rejected" : "unverified";
      return { status: esc.kind, ...configured(esc, "unverified", credential), environments: [], ...failureOf(esc) };
    }
    case "refused": {
      // Who names an environment that the token may not open has shown a token that is accepted.
      const isToken = esc.refused === "token";
      const states = configured(esc, isToken ? "unverified" : "rejected", isToken ? "rejected" : "accepted");
      return { status: esc.kind, ...states, environments: [], ...failureOf(esc) };
    }
  }
}

type Named = Omit<EscSetting, "variable"> & { readonly variable?: string };

function settings(environment: Named, credential: Named): Pick<EscReport, "environment" | "credential"> {
  return { environment: { variable: "ESC_ENV", ...environment }, credential: { variable: "ESC_TOKEN", ...credential } };
}

function configured(
  { settings: { environments, credential } }: Extract<EscStatus, { readonly settings: unknown }>,
  environmentState: EscSettingState,
  credentialState: EscSettingState,
): Pick<EscReport, "environment" | "credential"> {
  const shown = environments.map(({ text }) => text).join(",");
  return settings({ state: environmentState, shown }, { state: credentialState, ...describe(credential) });
}

function failureOf({ failure }: { readonly failure: Failure }): Pick<EscReport, "failure"> {
  return { failure: { code: failure.code, message: failure.message, further: further(failure) } };
}

/** A credential that nothing has checked: a token may stand where a path belongs. */
function describeUnread({ name, value }: { readonly name: string; readonly value: Secret }): {
  readonly variable: string;
  readonly shown: string;
} {
  const text = value.reveal();
  return { variable: name, shown: name === "ESC_TOKEN" || holdsToken(text) ? mask(text) : printable(text) };
}

function describe(credential: Credential): { readonly variable: string; readonly shown: string } {
  switch (credential.kind) {
    case "token":
      return { variable: "ESC_TOKEN", shown: mask(credential.token.reveal()) };
    case "token-file":
      return { variable: "ESC_TOKEN_FILE", shown: printable(credential.path) };
    case "oidc-file":
      return { variable: "ESC_OIDC_TOKEN_FILE", shown: printable(credential.path) };
    case "github-actions":
      return { variable: "ESC_OIDC_ORG", shown: `${credential.exchange.organization} (GitHub Actions)` };
  }
}
