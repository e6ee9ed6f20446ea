import type { Credential } from "../esc/settings/credentials.ts";
import type { Failure } from "../core/model.ts";
import { holdsToken, type Secret } from "../esc/settings/secret.ts";
import { mask } from "../core/mask.ts";
import { printable } from "../core/text.ts";
import type { Assessment, EscStatus } from "../resolve/assessment.ts";
import type { EscEnvironment, CacheUse } from "../sources/esc.ts";
import { further } from "./stderr.ts";

export interface EscReport {
  readonly status: EscStatus["kind"];
  readonly environment: EscSetting;
  readonly credential: EscSetting;
  readonly environments: readonly EscEnvironment[];
  readonly kept?: CacheUse["why"];
  readonly failure?: { readonly code: string; readonly message: string; readonly further: readonly string[] };
}

/**
 * `rejected`: why ESC could not be read. `missing`: what it would give, or the other of the two. `unasked`: by
 * `--fake`.
 */
export type EscSettingState = "accepted" | "rejected" | "unverified" | "absent" | "missing" | "unasked";

export interface EscSetting {
  readonly state: EscSettingState;
  readonly variable: string;
  /** The environment as the user wrote it; the masked end of a token, or a path. */
  readonly shown?: string;
}

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
  const status = esc.kind;
  switch (esc.kind) {
    case "off":
    case "fake": {
      const state = esc.kind === "fake" ? "unasked" : isMissed ? "missing" : "absent";
      return { status, ...settings({ state }, { state }), environments: [] };
    }
    case "incomplete": {
      const { names, credential } = esc;
      const environment: Named =
        names === undefined ? { state: "missing" } : { state: "unverified", shown: printable(names) };
      const given: Named =
        credential === undefined ? { state: "missing" } : { state: "unverified", ...describeUnread(credential) };
      return { status, ...settings(environment, given), environments: [] };
    }
    case "read": {
      const { kept, environments } = esc;
      // Nobody was asked, or nobody answered.
      const state = kept === undefined ? "accepted" : "unverified";
      const why = kept === undefined ? {} : { kept: kept.why };
      return {
        status,
        ...configured(esc, state, state),
        environments,
        ...why,
        ...(kept?.why === "unavailable" ? failureOf(kept) : {}),
      };
    }
    case "unavailable":
    case "refused": {
      const isCredential = esc.kind === "refused" ? esc.refused === "token" : esc.blames === "credential";
      // ESC forbids an environment only to a token that it accepts.
      const isOpen = esc.kind === "refused" && !isCredential;
      const credential = isCredential ? "rejected" : isOpen ? "accepted" : "unverified";
      const states = configured(esc, isOpen ? "rejected" : "unverified", credential);
      return { status, ...states, environments: [], ...failureOf(esc) };
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

type Shown = Required<Pick<EscSetting, "variable" | "shown">>;

/** A credential that nothing has checked: a token may stand where a path belongs. */
function describeUnread({ name, value }: { readonly name: string; readonly value: Secret }): Shown {
  const text = value.reveal();
  return { variable: name, shown: name === "ESC_TOKEN" || holdsToken(text) ? mask(text) : printable(text) };
}

function describe(credential: Credential): Shown {
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
