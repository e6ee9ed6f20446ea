/** The variables of a program whose SDKs ask for AWS credentials; pure. */
import type { Changes } from "../../../broker/broker-variables.ts";

export const KEY_ID = "AWS_ACCESS_KEY_ID";
export const SECRET_KEY = "AWS_SECRET_ACCESS_KEY";
export const SESSION_TOKEN = "AWS_SESSION_TOKEN";
/** The variables in which ESC gives the credentials. */
export const AWS_KEYS = [KEY_ID, SECRET_KEY, SESSION_TOKEN] as const;
export const AWS_EXPIRATION = "AWS_CREDENTIAL_EXPIRATION";

/** Further variables in which SDKs and the AWS CLI look before they ask, or would look instead. */
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

export const TOKEN_VARIABLE = "AWS_CONTAINER_AUTHORIZATION_TOKEN";

const ADDRESS_VARIABLE = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const FILE_VARIABLE = "AWS_SHARED_CREDENTIALS_FILE";
/** The variables that the program gets. */
export const AWS_SET = [ADDRESS_VARIABLE, TOKEN_VARIABLE, FILE_VARIABLE] as const;

/** @param credentialsFile an empty file in place of `~/.aws/credentials` */
export function awsVariables(address: string, token: string, credentialsFile: string): Changes {
  return {
    ...Object.fromEntries([...AWS_KEYS, AWS_EXPIRATION, ...AWS_WITHHELD].map((name) => [name, undefined])),
    [ADDRESS_VARIABLE]: address,
    [TOKEN_VARIABLE]: token,
    [FILE_VARIABLE]: credentialsFile,
  };
}
