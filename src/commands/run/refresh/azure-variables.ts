/** The variables of Azure: those in which ESC gives a token, and those by which SDKs in the program find the file with the token. */
import type { VariableChanges } from "../../../broker/broker-variables.ts";
import type { Environment } from "../../../core/model.ts";

/** The variables in which ESC gives a federated token. */
export const AZURE_TOKENS = ["ARM_OIDC_TOKEN", "AZURE_FEDERATED_TOKEN"] as const;

const TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE";
const ARM_TOKEN_FILE = "ARM_OIDC_TOKEN_FILE_PATH";
/** The variables that the program gets: the first is for SDKs, the second for Pulumi and Terraform. */
export const AZURE_FILES = [TOKEN_FILE, ARM_TOKEN_FILE] as const;

/** Variables with another credential, which the SDKs for Azure (azure-identity) prefer to the file. */
export const AZURE_PREFERRED = [
  "AZURE_CLIENT_SECRET",
  "AZURE_CLIENT_CERTIFICATE_PATH",
  "AZURE_USERNAME",
  "AZURE_TOKEN_CREDENTIALS",
] as const;

/** The variables that SDKs need beside the file, and the names that the providers of Pulumi and Terraform have for them. */
const IDENTITY_VARIABLES = [
  { name: "AZURE_CLIENT_ID", armName: "ARM_CLIENT_ID" },
  { name: "AZURE_TENANT_ID", armName: "ARM_TENANT_ID" },
] as const;

/**
 * Returns the changes of the program's variables.
 *
 * @param environment the program's variables
 * @param tokenFile the path of a file that contains only the token
 */
export function createAzureVariables(environment: Environment, tokenFile: string): VariableChanges {
  const changes: Record<string, string | undefined> = {};
  for (const name of AZURE_TOKENS) changes[name] = undefined;
  for (const { name, armName } of IDENTITY_VARIABLES) {
    const isUnset = (environment.get(name) ?? "") === "";
    const armValue = environment.get(armName) ?? "";
    if (isUnset && armValue !== "") changes[name] = armValue;
  }
  return { ...changes, [TOKEN_FILE]: tokenFile, [ARM_TOKEN_FILE]: tokenFile };
}
