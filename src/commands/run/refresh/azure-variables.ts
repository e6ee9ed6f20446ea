/** The variables by which SDKs of Azure read a token from a file; pure. */
import type { Changes } from "../../../broker/broker-variables.ts";
import type { Environment } from "../../../core/model.ts";

/** The variables in which ESC gives a federated token. */
export const AZURE_TOKENS = ["ARM_OIDC_TOKEN", "AZURE_FEDERATED_TOKEN"] as const;

const TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE";
const ARM_TOKEN_FILE = "ARM_OIDC_TOKEN_FILE_PATH";
/** The variables that the program gets: the first is for SDKs, the second for Pulumi and Terraform. */
export const AZURE_FILES = [TOKEN_FILE, ARM_TOKEN_FILE] as const;

/** The variables that azure-identity prefers to the file, or that choose the credential. */
export const AZURE_FIRST = [
  "AZURE_CLIENT_SECRET",
  "AZURE_CLIENT_CERTIFICATE_PATH",
  "AZURE_USERNAME",
  "AZURE_TOKEN_CREDENTIALS",
] as const;

/** SDKs need these beside the file; Pulumi's and Terraform's providers have names of their own for them. */
const IDENTITY = [
  ["AZURE_CLIENT_ID", "ARM_CLIENT_ID"],
  ["AZURE_TENANT_ID", "ARM_TENANT_ID"],
] as const;

/** @param environment the program's @param tokenFile the path of a file with the token alone */
export function azureVariables(environment: Environment, tokenFile: string): Changes {
  const identity = IDENTITY.flatMap(([name, arm]) => {
    const value = environment.get(arm) ?? "";
    return (environment.get(name) ?? "") === "" && value !== "" ? [[name, value] as const] : [];
  });
  return {
    ...Object.fromEntries(AZURE_TOKENS.map((name) => [name, undefined])),
    ...Object.fromEntries(identity),
    [TOKEN_FILE]: tokenFile,
    [ARM_TOKEN_FILE]: tokenFile,
  };
}
