/**
 * Replaces the variables with AWS credentials from ESC by variables with the address of this process, from which SDKs in the
 * program get the credentials instead.
 */
import type { VariableChanges } from "../../../broker/broker-variables.ts";

export const KEY_ID = "AWS_ACCESS_KEY_ID";
export const SECRET_KEY = "AWS_SECRET_ACCESS_KEY";
export const SESSION_TOKEN = "AWS_SESSION_TOKEN";
/** The variables in which ESC gives the credentials. */
export const AWS_KEYS = [KEY_ID, SECRET_KEY, SESSION_TOKEN] as const;
/** The variable in which ESC may say when they expire. */
export const AWS_EXPIRATION = "AWS_CREDENTIAL_EXPIRATION";

/**
 * Further variables that the program does not get. SDKs or the AWS CLI would prefer them, and would not ask this process.
 */
export const AWS_WITHHELD = [
  "AWS_SECURITY_TOKEN",
  "AWS_ACCESS_KEY",
  "AWS_SECRET_KEY",
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
] as const;

/** The variable from which SDKs take the token for their requests to this process. */
export const TOKEN_VARIABLE = "AWS_CONTAINER_AUTHORIZATION_TOKEN";

const ADDRESS_VARIABLE = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const FILE_VARIABLE = "AWS_SHARED_CREDENTIALS_FILE";
/** The variables that the program gets. */
export const AWS_SET = [ADDRESS_VARIABLE, TOKEN_VARIABLE, FILE_VARIABLE] as const;

/**
 * Returns the changes of the program's variables.
 *
 * @param address the URL at which SDKs ask for credentials
 * @param credentialsFile the path of an empty file. SDKs read it in place of `~/.aws/credentials`, which they would prefer
 */
export function createAwsVariables(address: string, token: string, credentialsFile: string): VariableChanges {
  const removed = [...AWS_KEYS, AWS_EXPIRATION, ...AWS_WITHHELD];
  return {
    ...Object.fromEntries(removed.map((name) => [name, undefined])),
    [ADDRESS_VARIABLE]: address,
    [TOKEN_VARIABLE]: token,
    [FILE_VARIABLE]: credentialsFile,
  };
}
