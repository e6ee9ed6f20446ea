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
   * The origin of `expiresAt`: the name of a variable of ESC; `token` if the token itself says it; `session` for the lifetime of
   * the session; `default` if nothing says it, and an hour is assumed.
   */
  readonly expirySource: string;
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

/** The variables and rules of one cloud. */
interface CloudFacts {
  /** The name of the credentials in messages. */
  readonly noun: string;
  /** The variables in which ESC gives the credentials. The preferred one is the first. */
  readonly tokenVariables: readonly string[];
  /** The variables that are set only if ESC gives credentials which expire. */
  readonly expiringVariables: readonly string[];
  /** The variables by which the caller's own credentials would win over those of ESC. */
  readonly conflictingVariables: readonly string[];
  /** The variables that the program gets in place of the tokens. */
  readonly replacementVariables: readonly string[];
  /** The variables among `replacementVariables` that ESC may set itself. Then the program gets the value of ESC. */
  readonly settableByEsc: readonly string[];
  /** Further variables that the program does not get, whoever sets them. */
  readonly withheldVariables: readonly string[];
  /** Variables that SDKs prefer. The program does not get those of ESC; there is a warning for those of the caller. */
  readonly preferredBySdks: readonly string[];
  /**
   * True if SDKs ask this process for the credentials, and get none after they have expired. False if SDKs read a file, which still
   * exists then.
   */
  readonly isServed: boolean;
  /** The time before the end at which the credentials must have been renewed, because SDKs cache them; absent for none. */
  readonly leadMs?: number;
}

export const CLOUD_FACTS: Readonly<Record<Cloud, CloudFacts>> = {
  aws: {
    noun: "AWS credentials",
    tokenVariables: AWS_KEYS,
    expiringVariables: [SESSION_TOKEN],
    conflictingVariables: AWS_KEYS,
    replacementVariables: AWS_SET,
    settableByEsc: [],
    withheldVariables: [AWS_EXPIRATION, ...AWS_WITHHELD],
    preferredBySdks: [],
    isServed: true,
  },
  google: {
    noun: "Google Cloud credentials",
    tokenVariables: GOOGLE_TOKENS,
    expiringVariables: GOOGLE_TOKENS,
    conflictingVariables: [...GOOGLE_TOKENS, ...GOOGLE_FILES],
    replacementVariables: GOOGLE_FILES,
    settableByEsc: GOOGLE_FILES,
    withheldVariables: [GOOGLE_EXPIRY],
    preferredBySdks: [],
    isServed: true,
  },
  azure: {
    noun: "Azure credentials",
    tokenVariables: AZURE_TOKENS,
    expiringVariables: AZURE_TOKENS,
    conflictingVariables: [...AZURE_TOKENS, ...AZURE_FILES],
    replacementVariables: AZURE_FILES,
    settableByEsc: AZURE_FILES,
    withheldVariables: [],
    preferredBySdks: AZURE_PREFERRED,
    isServed: false,
    // azure-identity keeps what it has read from the file for ten minutes (Python) or five (Node.js).
    leadMs: 15 * 60_000,
  },
};

/** Returns the secret values of credentials, with the names of their variables. */
export function listSecrets(credentials: Credentials): readonly { readonly name: string; readonly value: string }[] {
  if (credentials.cloud !== "aws") {
    const [name = ""] = CLOUD_FACTS[credentials.cloud].tokenVariables;
    return [{ name, value: credentials.token }];
  }
  const values = [credentials.keyId, credentials.secretKey, credentials.sessionToken];
  return AWS_KEYS.map((name, index) => ({ name, value: values[index] ?? "" }));
}

/** Returns true if both credentials have the same secret values, whatever their lifetimes are. */
export function areSameCredentials(first: Credentials, second: Credentials): boolean {
  const secretsText = (credentials: Credentials): string =>
    JSON.stringify(listSecrets(credentials).map(({ value }) => value));
  return secretsText(first) === secretsText(second);
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
