/**
 * The types of the cloud credentials that a program gets from Pulumi ESC, and a table of the variables and rules of each cloud. The
 * files aws-credentials.ts, google-credentials.ts and azure-credentials.ts find the credentials among the variables of a start.
 */
import type { ResolvedVariable } from "../../../core/model.ts";
import type { Start } from "../../../resolve/start.ts";
import { AWS_KEYS, AWS_EXPIRATION, AWS_SET, AWS_WITHHELD, SESSION_TOKEN } from "./aws-variables.ts";
import { AZURE_FILES, AZURE_PREFERRED, AZURE_TOKENS } from "./azure-variables.ts";
import { GOOGLE_EXPIRY, GOOGLE_FILES, GOOGLE_TOKENS } from "./google-variables.ts";

export const CLOUDS = ["aws", "google", "azure"] as const;
export type Cloud = (typeof CLOUDS)[number];
/** The kind of an item that is renewed: the credentials of one cloud, or all files of ESC. */
export type RenewedKind = Cloud | "files";

/** The lifetime of credentials. Times are milliseconds since 1970, by the clock of the provider that says when they expire. */
interface CredentialsLife {
  readonly openedAt: number;
  readonly expiresAt: number;
  /**
   * The origin of `expiresAt`: the name of a variable of ESC; `token` if the token itself says it; `session` for the lifetime of the
   * session; `default` if nothing says it, and an hour is assumed.
   */
  readonly by: string;
}

export interface AwsCredentials extends CredentialsLife {
  readonly cloud: "aws";
  readonly keyId: string;
  readonly secretKey: string;
  readonly sessionToken: string;
}

export interface GoogleCredentials extends CredentialsLife {
  readonly cloud: "google";
  readonly token: string;
}

export interface AzureCredentials extends CredentialsLife {
  readonly cloud: "azure";
  readonly token: string;
}

export type Credentials = AwsCredentials | GoogleCredentials | AzureCredentials;

interface CloudFacts {
  /** The name of the credentials in messages. */
  readonly noun: string;
  /** The variables in which ESC gives the credentials. The preferred one is the first. */
  readonly tokens: readonly string[];
  /** The variables that are set only if ESC gives credentials which expire. */
  readonly proof: readonly string[];
  /** The variables by which the caller's own credentials would win over those of ESC. */
  readonly conflicts: readonly string[];
  /** The variables that the program gets in place of the tokens. */
  readonly replacements: readonly string[];
  /** The variables among `replacements` that ESC may set itself. Then the program gets the value of ESC. */
  readonly keepable: readonly string[];
  /** Further variables that the program does not get, whoever sets them. */
  readonly withheld: readonly string[];
  /** Variables that SDKs prefer. The program does not get those of ESC; there is a warning for those of the caller. */
  readonly preferredBySdks: readonly string[];
  /** True if SDKs ask this process for the credentials, and get none after their end. False if they read a file, which stays. */
  readonly isServed: boolean;
  /** The time before the end at which the credentials must have been renewed, because SDKs cache them; absent for none. */
  readonly leadMs?: number;
}

export const CLOUD_FACTS: Readonly<Record<Cloud, CloudFacts>> = {
  aws: {
    noun: "AWS credentials",
    tokens: AWS_KEYS,
    proof: [SESSION_TOKEN],
    conflicts: AWS_KEYS,
    replacements: AWS_SET,
    keepable: [],
    withheld: [AWS_EXPIRATION, ...AWS_WITHHELD],
    preferredBySdks: [],
    isServed: true,
  },
  google: {
    noun: "Google Cloud credentials",
    tokens: GOOGLE_TOKENS,
    proof: GOOGLE_TOKENS,
    conflicts: [...GOOGLE_TOKENS, ...GOOGLE_FILES],
    replacements: GOOGLE_FILES,
    keepable: GOOGLE_FILES,
    withheld: [GOOGLE_EXPIRY],
    preferredBySdks: [],
    isServed: true,
  },
  azure: {
    noun: "Azure credentials",
    tokens: AZURE_TOKENS,
    proof: AZURE_TOKENS,
    conflicts: [...AZURE_TOKENS, ...AZURE_FILES],
    replacements: AZURE_FILES,
    keepable: AZURE_FILES,
    withheld: [],
    preferredBySdks: AZURE_PREFERRED,
    isServed: false,
    // azure-identity keeps what it has read from the file for ten minutes (Python) or five (Node.js).
    leadMs: 15 * 60_000,
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

/** Returns true if both have the same secret values, whatever their lifetimes. */
export function areSameCredentials(first: Credentials, second: Credentials): boolean {
  const toText = (credentials: Credentials): string =>
    JSON.stringify(secretsOfCredentials(credentials).map(({ value }) => value));
  return toText(first) === toText(second);
}

/** The parts of a start in which credentials are looked for. */
export type ReadStart = Pick<Start, "store" | "values" | "settings" | "environment">;

/** The session in which ESC was opened. Times are milliseconds since 1970. */
export interface EscSession {
  readonly openedAt: number;
  readonly expiresAt: number;
}

/** Returns a variable that the program gets by value from ESC; undefined if it is empty or comes from elsewhere. */
export function findEscValue(
  { values: { selected } }: Pick<Start, "values">,
  name: string,
): ResolvedVariable | undefined {
  const variable = selected.get(name);
  const isValueOfEsc = variable?.origin.source === "esc" && variable.delivery === "value" && variable.value !== "";
  return isValueOfEsc ? variable : undefined;
}
