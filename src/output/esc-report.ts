/**
 * Reports the state of Pulumi ESC for `sophia-run check`: which environment and which credential are configured, and whether ESC accepts
 * them. The report contains no token, only the last characters of long ones.
 */
import { CONTRACT_SETTING } from "../esc/settings/access-settings.ts";
import type { Credential } from "../esc/settings/credentials.ts";
import type { Environment, Failure } from "../core/model.ts";
import { pulumiTokenRemedy } from "../esc/settings/pulumi-token.ts";
import { holdsToken, type Secret } from "../esc/settings/secret.ts";
import { printable } from "../core/text.ts";
import { LOGIN } from "../access/login-words.ts";
import type { Start, EscStatus } from "../resolve/start.ts";
import type { EscEnvironment } from "../sources/esc-failure.ts";
import type { CacheUse } from "../sources/esc-layers.ts";
import { listDetailsAndHint } from "./stderr.ts";

/** The state of ESC, as JSON for programs and as data for the text. */
export interface EscReport {
  readonly status: EscStatus["kind"];
  readonly environment: EscSetting;
  readonly credential: EscSetting;
  readonly environments: readonly EscEnvironment[];
  /** Why cached values are used; undefined if ESC itself returned the values. The JSON format has this name. */
  readonly kept?: CacheUse["why"] | undefined;
  /** Lines that say how a token which is already set opens ESC. They are not in JSON. */
  readonly remedy?: readonly string[];
  /** Present if ESC could not be read. `further` are the details and the remedy. */
  readonly failure?: { readonly code: string; readonly message: string; readonly further: readonly string[] };
}

/** Follows the masked token of a login, which has the rights of its user, who may write to ESC. */
const PERSONAL = "personal: it may write";

type EscSettingState =
  /** ESC has accepted it. */
  | "accepted"
  /** ESC has not accepted it. */
  | "rejected"
  /** It is set, but ESC was not contacted, or did not answer. */
  | "unverified"
  /** It is not set, and need not be. */
  | "absent"
  /** It is not set, but is needed. */
  | "missing"
  /** It was not read (`--fake`). */
  | "unasked"
  /** A file names it without the user's consent. */
  | "unallowed";

/** The environment, or the credential. */
export interface EscSetting {
  readonly state: EscSettingState;
  /** The variable or other place that sets it. */
  readonly variable: string;
  /** The environment as the user wrote it, the masked end of a token, or a path. */
  readonly shown?: string;
}

/** Returns the report in the form of `check --json`. */
export function createEscJson({ status, environment, credential, ...rest }: EscReport): object {
  return {
    status,
    environment: environment.shown,
    environmentState: environment.state,
    credential: credential.shown === undefined ? undefined : credential.variable,
    credentialState: credential.state,
    ...rest,
    // JSON.stringify leaves undefined members out.
    remedy: undefined,
  };
}

/**
 * Reports the state of ESC.
 *
 * @param isNeeded true if a variable is missing that ESC should set in this project
 */
export function reportEsc({ environment: callerEnvironment, store: { esc } }: Start, isNeeded: boolean): EscReport {
  switch (esc.kind) {
    case "fake":
      return createReport(esc.kind, { state: "unasked" }, { state: "unasked" });
    case "off": {
      const state = isNeeded ? "missing" : "absent";
      return createReport(esc.kind, { state }, { state });
    }
    case "incomplete":
      return reportIncompleteEsc(esc, callerEnvironment);
    case "unconsented": {
      const { environments, choices, credential } = esc.proposal;
      const shown = printable(environments.join(","));
      return createReport(
        esc.kind,
        { state: "unallowed", shown, ...findNamingVariable(choices[0]?.name) },
        { state: "unverified", variable: credential.name, shown: "set" },
      );
    }
    case "read": {
      const { cacheUse, environments } = esc;
      // If the values are from the cache, ESC was not contacted, or did not answer.
      const state = cacheUse === undefined ? "accepted" : "unverified";
      const failure = cacheUse?.why === "unavailable" ? reportFailure(cacheUse) : {};
      const details = { environments, kept: cacheUse?.why, ...failure };
      return reportConfiguredEsc(esc, { environment: state, credential: state }, details);
    }
    case "unavailable":
    case "refused":
      return reportConfiguredEsc(esc, findStatesAfterFailure(esc), reportFailure(esc));
  }
}

function createReport(
  status: EscStatus["kind"],
  environment: Setting,
  credential: Setting,
  details: Partial<EscReport> = {},
): EscReport {
  return {
    status,
    environment: { variable: "ESC_ENV", ...environment },
    credential: { variable: "ESC_TOKEN", ...credential },
    environments: [],
    ...details,
  };
}

/** Reports that the environment or the credential is not set. */
function reportIncompleteEsc(
  { kind, names, credential, isByContract, missing }: Extract<EscStatus, { kind: "incomplete" }>,
  callerEnvironment: Environment,
): EscReport {
  const namedBy = isByContract === true ? findNamingVariable(CONTRACT_SETTING) : {};
  return createReport(
    kind,
    names === undefined ? { state: "missing" } : { state: "unverified", shown: printable(names), ...namedBy },
    credential === undefined ? { state: "missing" } : { state: "unverified", ...describeUnusedCredential(credential) },
    { remedy: pulumiTokenRemedy(missing, callerEnvironment) },
  );
}

interface EscSettingStates {
  readonly environment: EscSettingState;
  readonly credential: EscSettingState;
}

/** Reports an ESC whose environment and credential are both set. */
function reportConfiguredEsc(
  { kind, settings }: Extract<EscStatus, { kind: "read" | "unavailable" | "refused" }>,
  states: EscSettingStates,
  details: Partial<EscReport>,
): EscReport {
  const { environments, namedBy, credential } = settings;
  const shown = environments.map(({ text }) => text).join(",");
  return createReport(
    kind,
    { state: states.environment, shown, ...findNamingVariable(namedBy) },
    { state: states.credential, ...describeCredential(credential) },
    details,
  );
}

/** Returns which of the two settings ESC has rejected, as far as the failure shows it. */
function findStatesAfterFailure(esc: Extract<EscStatus, { kind: "unavailable" | "refused" }>): EscSettingStates {
  const isCredentialRejected = esc.kind === "refused" ? esc.refused === "token" : esc.blames === "credential";
  const isEnvironmentRejected = (esc.kind === "refused" && !isCredentialRejected) || esc.failure.code === "esc-schema";
  if (isCredentialRejected) {
    return { environment: isEnvironmentRejected ? "rejected" : "unverified", credential: "rejected" };
  }
  // ESC refuses an environment, or its values, only after it has accepted the token.
  return isEnvironmentRejected
    ? { environment: "rejected", credential: "accepted" }
    : { environment: "unverified", credential: "unverified" };
}

/** Returns the setting that names the environment if that is the contract. By default it is `ESC_ENV`. */
function findNamingVariable(namedBy: string | undefined): { readonly variable?: string } {
  return namedBy === CONTRACT_SETTING ? { variable: "Environment (contract)" } : {};
}

/** A setting whose variable is named only if it is not the usual one. */
type Setting = Omit<EscSetting, "variable"> & Partial<EscSetting>;

function reportFailure({ failure }: { readonly failure: Failure }): Pick<EscReport, "failure"> {
  return { failure: { code: failure.code, message: failure.message, further: listDetailsAndHint(failure) } };
}

/** A credential as the report shows it. */
type ShownCredential = Required<Pick<EscSetting, "variable" | "shown">>;

/** Describes a credential that was not used. A token in place of a path is masked, because the user may have mistaken one for the other. */
function describeUnusedCredential({ name, value }: { readonly name: string; readonly value: Secret }): ShownCredential {
  const text = value.reveal();
  return { variable: name, shown: name === "ESC_TOKEN" || holdsToken(text) ? mask(text) : printable(text) };
}

/** Describes the credential by which ESC was contacted. */
function describeCredential(credential: Credential): ShownCredential {
  switch (credential.kind) {
    case "token": {
      const shown = mask(credential.token.reveal());
      if (credential.label === LOGIN) return { variable: "Login of Pulumi's CLI", shown: `${shown} (${PERSONAL})` };
      return { variable: credential.label === "ESC_TOKEN_COMMAND" ? credential.label : "ESC_TOKEN", shown };
    }
    case "token-file":
      return { variable: "ESC_TOKEN_FILE", shown: printable(credential.path) };
    case "oidc-file":
      return { variable: "ESC_OIDC_TOKEN_FILE", shown: printable(credential.path) };
    case "github-actions":
      return { variable: "ESC_OIDC_ORG", shown: `${credential.exchange.organization} (GitHub Actions)` };
  }
}

/** Returns `***`, with the last four code points of a value that has at least twelve. */
export function mask(value: string): string {
  const characters = Array.from(value);
  return characters.length < 12 ? "***" : `***${printable(characters.slice(-4).join(""))}`;
}
