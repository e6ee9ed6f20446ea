import { CONTRACT_SETTING, type EscSettings } from "../esc/settings/access-settings.ts";
import type { Credential } from "../esc/settings/credentials.ts";
import type { Failure } from "../core/model.ts";
import { pulumiTokenRemedy } from "../esc/settings/pulumi-token.ts";
import { holdsToken, type Secret } from "../esc/settings/secret.ts";
import { printable } from "../core/text.ts";
import { LOGIN } from "../access/login-words.ts";
import type { Start, EscStatus } from "../resolve/start.ts";
import type { EscEnvironment } from "../sources/esc-failure.ts";
import type { CacheUse } from "../sources/esc-layers.ts";
import { further } from "./stderr.ts";

export interface EscReport {
  readonly status: EscStatus["kind"];
  readonly environment: EscSetting;
  readonly credential: EscSetting;
  readonly environments: readonly EscEnvironment[];
  readonly kept?: CacheUse["why"] | undefined;
  /** How a token that is there opens ESC. Not in JSON. */
  readonly remedy?: readonly string[];
  readonly failure?: { readonly code: string; readonly message: string; readonly further: readonly string[] };
}

const PERSONAL = "personal: it may write";

/** `rejected`: ESC did not accept it. `missing`: not set, but needed. `unasked`: not read (`--fake`). `unallowed`: named without consent. */
type EscSettingState = "accepted" | "rejected" | "unverified" | "absent" | "missing" | "unasked" | "unallowed";

export interface EscSetting {
  readonly state: EscSettingState;
  readonly variable: string;
  /** The environment as the user wrote it, the masked end of a token, or a path. */
  readonly shown?: string;
}

export function escForPrograms({ status, environment, credential, ...rest }: EscReport): object {
  return {
    status,
    environment: environment.shown,
    environmentState: environment.state,
    credential: credential.shown === undefined ? undefined : credential.variable,
    credentialState: credential.state,
    ...rest,
    // JSON leaves it out.
    remedy: undefined,
  };
}

/** @param isMissed true if a variable is missing that ESC should set in this project */
export function reportEsc({ environment: callers, store: { esc } }: Start, isMissed: boolean): EscReport {
  const report = (environment: Setting, credential: Setting, more: Partial<EscReport> = {}): EscReport => ({
    status: esc.kind,
    environment: { variable: "ESC_ENV", ...environment },
    credential: { variable: "ESC_TOKEN", ...credential },
    environments: [],
    ...more,
  });
  const configured = (
    { environments, namedBy, credential }: EscSettings,
    environmentState: EscSettingState,
    credentialState: EscSettingState,
    more: Partial<EscReport>,
  ): EscReport => {
    const shown = environments.map(({ text }) => text).join(",");
    const environment = { state: environmentState, shown, ...variableOf(namedBy) };
    return report(environment, { state: credentialState, ...describe(credential) }, more);
  };
  switch (esc.kind) {
    case "fake":
      return report({ state: "unasked" }, { state: "unasked" });
    case "off": {
      const state = isMissed ? "missing" : "absent";
      return report({ state }, { state });
    }
    case "incomplete": {
      const { names, credential, isByContract } = esc;
      const by = isByContract === true ? variableOf(CONTRACT_SETTING) : {};
      return report(
        names === undefined ? { state: "missing" } : { state: "unverified", shown: printable(names), ...by },
        credential === undefined ? { state: "missing" } : { state: "unverified", ...describeUnread(credential) },
        { remedy: pulumiTokenRemedy(esc.missing, callers) },
      );
    }
    case "unconsented": {
      const { environments, by, credential } = esc.proposal;
      const shown = printable(environments.join(","));
      return report(
        { state: "unallowed", shown, ...variableOf(by[0]?.name) },
        { state: "unverified", variable: credential.name, shown: "set" },
      );
    }
    case "read": {
      const { kept, environments } = esc;
      // From the cache: ESC was not contacted, or did not answer.
      const state = kept === undefined ? "accepted" : "unverified";
      const failure = kept?.why === "unavailable" ? failureOf(kept) : {};
      return configured(esc.settings, state, state, { environments, kept: kept?.why, ...failure });
    }
    case "unavailable":
    case "refused": {
      const isCredential = esc.kind === "refused" ? esc.refused === "token" : esc.blames === "credential";
      // ESC refuses an environment, or its values, only after it has accepted the token.
      const isOpen = (esc.kind === "refused" && !isCredential) || esc.failure.code === "esc-schema";
      const credential = isCredential ? "rejected" : isOpen ? "accepted" : "unverified";
      return configured(esc.settings, isOpen ? "rejected" : "unverified", credential, failureOf(esc));
    }
  }
}

/** Names the setting that names the environment, unless it is `ESC_ENV`. */
function variableOf(namedBy: string | undefined): { readonly variable?: string } {
  return namedBy === CONTRACT_SETTING ? { variable: "Environment (contract)" } : {};
}

type Setting = Omit<EscSetting, "variable"> & Partial<EscSetting>;

function failureOf({ failure }: { readonly failure: Failure }): Pick<EscReport, "failure"> {
  return { failure: { code: failure.code, message: failure.message, further: further(failure) } };
}

type Shown = Required<Pick<EscSetting, "variable" | "shown">>;

/** Describes a credential that was not checked: a path may be a token by mistake. */
function describeUnread({ name, value }: { readonly name: string; readonly value: Secret }): Shown {
  const text = value.reveal();
  return { variable: name, shown: name === "ESC_TOKEN" || holdsToken(text) ? mask(text) : printable(text) };
}

function describe(credential: Credential): Shown {
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
