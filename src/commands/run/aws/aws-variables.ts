/** The variables of a program whose SDKs ask for AWS credentials; pure. */
import type { Changes } from "../../../broker/broker-variables.ts";
import { KEYS } from "./aws-credentials.ts";

/** The variables in which SDKs and the AWS CLI look before they ask, or would look instead. */
export const WITHHELD = [
  ...KEYS,
  "AWS_SECURITY_TOKEN",
  "AWS_ACCESS_KEY",
  "AWS_SECRET_KEY",
  "AWS_CREDENTIAL_EXPIRATION",
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
export const SET = [ADDRESS_VARIABLE, TOKEN_VARIABLE, FILE_VARIABLE] as const;

/** @param credentialsFile an empty file in place of `~/.aws/credentials` */
export function awsVariables(address: string, token: string, credentialsFile: string): Changes {
  return {
    ...Object.fromEntries(WITHHELD.map((name) => [name, undefined])),
    [ADDRESS_VARIABLE]: address,
    [TOKEN_VARIABLE]: token,
    [FILE_VARIABLE]: credentialsFile,
  };
}
