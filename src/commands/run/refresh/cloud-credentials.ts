/** The credentials of three clouds that a program gets from ESC, and what is said of them; types and tables. */
import type { Resolved } from "../../../core/model.ts";
import type { Start } from "../../../resolve/start.ts";
import { AWS_KEYS, AWS_EXPIRATION, AWS_SET, AWS_WITHHELD } from "./aws-variables.ts";
import { AZURE_FILES, AZURE_FIRST, AZURE_TOKENS } from "./azure-variables.ts";
import { GOOGLE_EXPIRY, GOOGLE_FILES, GOOGLE_TOKENS } from "./google-variables.ts";

export const CLOUDS = ["aws", "google", "azure"] as const;
export type Cloud = (typeof CLOUDS)[number];

/** The life of credentials. Times are milliseconds since 1970, by the clock that says when they expire. */
interface Life {
  readonly openedAt: number;
  readonly expiresAt: number;
  /** The variable of ESC that says when they expire, else `token` or `session`; `default`: an hour is assumed. */
  readonly by: string;
}

export interface AwsCredentials extends Life {
  readonly cloud: "aws";
  readonly keyId: string;
  readonly secretKey: string;
  readonly sessionToken: string;
}

export interface GoogleCredentials extends Life {
  readonly cloud: "google";
  readonly token: string;
}

export interface AzureCredentials extends Life {
  readonly cloud: "azure";
  readonly token: string;
}

export type Credentials = AwsCredentials | GoogleCredentials | AzureCredentials;

interface CloudFacts {
  /** The credentials in messages. */
  readonly noun: string;
  /** The variables in which ESC gives them, the preferred one first. */
  readonly tokens: readonly string[];
  /** The caller's own among these would win over those of ESC. */
  readonly conflicts: readonly string[];
  /** The variables that the program gets in place of the tokens. */
  readonly set: readonly string[];
  /** Further variables that the program does not get, whoever sets them. */
  readonly withheld: readonly string[];
  /** Variables in which SDKs look first. Those of ESC are withheld, those of the caller are a warning. */
  readonly first: readonly string[];
}

export const CLOUD_FACTS: Readonly<Record<Cloud, CloudFacts>> = {
  aws: {
    noun: "AWS credentials",
    tokens: AWS_KEYS,
    conflicts: AWS_KEYS,
    set: AWS_SET,
    withheld: [AWS_EXPIRATION, ...AWS_WITHHELD],
    first: [],
  },
  google: {
    noun: "Google Cloud credentials",
    tokens: GOOGLE_TOKENS,
    conflicts: [...GOOGLE_TOKENS, ...GOOGLE_FILES],
    set: GOOGLE_FILES,
    withheld: [GOOGLE_EXPIRY],
    first: [],
  },
  azure: {
    noun: "Azure credentials",
    tokens: AZURE_TOKENS,
    conflicts: [...AZURE_TOKENS, ...AZURE_FILES],
    set: AZURE_FILES,
    withheld: [],
    first: AZURE_FIRST,
  },
};

/** Returns the secret values of credentials, with the names of their variables. */
export function secretsOfCredentials(
  credentials: Credentials,
): readonly { readonly name: string; readonly value: string }[] {
  if (credentials.cloud !== "aws") {
    const [name = ""] = CLOUD_FACTS[credentials.cloud].tokens;
    return [{ name, value: credentials.token }];
  }
  const values = [credentials.keyId, credentials.secretKey, credentials.sessionToken];
  return AWS_KEYS.map((name, index) => ({ name, value: values[index] ?? "" }));
}

export function areSame(one: Credentials, other: Credentials): boolean {
  const [values, others] = [one, other].map((each) => secretsOfCredentials(each).map(({ value }) => value));
  return JSON.stringify(values) === JSON.stringify(others);
}

/** The values of a start, as far as credentials are looked for in them. */
export type ReadStart = Pick<Start, "store" | "values" | "settings" | "environment">;

/** Returns the variable that the program gets by value from ESC; undefined if it is empty or comes from elsewhere. */
export function valueOfEsc({ values: { selected } }: Pick<Start, "values">, name: string): Resolved | undefined {
  const variable = selected.get(name);
  const isOfEsc = variable?.origin.source === "esc" && variable.delivery === "value" && variable.value !== "";
  return isOfEsc ? variable : undefined;
}

/** Returns when ESC was opened: values of the cache are as old as it. @param readAt when the sources were read */
export function openedAtOf({ store: { esc } }: Pick<Start, "store">, readAt: number): number {
  if (esc.kind !== "read") return readAt;
  return readAt - Math.max(0, ...esc.environments.map(({ ageSeconds = 0 }) => ageSeconds * 1000));
}
