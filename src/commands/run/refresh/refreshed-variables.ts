/**
 * Works out the program's variables with `--refresh`: in place of credentials, which expire, the program gets the addresses and
 * files from which its cloud SDKs read credentials that this process renews.
 */
import { type VariableChanges, bypassProxyForLoopback } from "../../../broker/broker-variables.ts";
import type { Environment } from "../../../core/model.ts";
import { REFRESHED_VARIABLE, readRefreshedNames } from "../../../resolve/outer-refresh.ts";
import { AWS_PATH } from "./aws-answers.ts";
import { createAwsVariables } from "./aws-variables.ts";
import { createAzureVariables } from "./azure-variables.ts";
import { type Cloud, CLOUD_FACTS } from "./cloud-credentials.ts";
import { createGoogleVariables } from "./google-variables.ts";
import type { RefreshPlan } from "./refresh-plan.ts";

/** The addresses, files and tokens of this run, which stay the same while the credentials are renewed. */
export interface RefreshAddresses {
  /** The origin of the loopback server; empty if there is none. */
  readonly origin: string;
  readonly awsToken: string;
  readonly files: {
    readonly awsCredentials: string;
    readonly googleCredentials: string;
    readonly googleToken: string;
    readonly azureToken: string;
  };
}

/** Returns true if the program's SDKs ask the loopback server for credentials. */
export function needsServer({ credentials }: Pick<RefreshPlan, "credentials">): boolean {
  return credentials.some(({ cloud }) => CLOUD_FACTS[cloud].isServed);
}

/**
 * Returns the changes of the program's variables; undefined stands for a variable that the program does not get.
 *
 * @param program the program's variables before these changes
 * @param caller the caller's variables, which may have the mark of an outer sophia-run
 */
export function createVariableChanges(
  plan: RefreshPlan,
  addresses: RefreshAddresses,
  program: Environment,
  caller: Environment,
): VariableChanges {
  const changes: Record<string, string | undefined> = needsServer(plan) ? { ...bypassProxyForLoopback(program) } : {};
  for (const { cloud } of plan.credentials) Object.assign(changes, createCloudVariables(cloud, addresses, program));
  for (const name of plan.withheldNames) changes[name] = undefined;
  for (const name of plan.namesSetByEsc) delete changes[name];
  return { ...changes, ...createMark(plan, caller) };
}

function createCloudVariables(
  cloud: Cloud,
  { origin, awsToken, files }: RefreshAddresses,
  program: Environment,
): VariableChanges {
  switch (cloud) {
    case "aws":
      return createAwsVariables(origin + AWS_PATH, awsToken, files.awsCredentials);
    case "google":
      return createGoogleVariables(files.googleCredentials, files.googleToken);
    case "azure":
      return createAzureVariables(program, files.azureToken);
  }
}

/** Returns the mark by which a sophia-run that the program starts knows what this one and those around it renew. */
function createMark({ credentials }: RefreshPlan, caller: Environment): VariableChanges {
  const names = credentials.flatMap(({ cloud }) => [
    ...CLOUD_FACTS[cloud].tokenVariables,
    ...CLOUD_FACTS[cloud].replacementVariables,
  ]);
  const allNames = new Set([...readRefreshedNames(caller), ...names]);
  return allNames.size === 0 ? {} : { [REFRESHED_VARIABLE]: [...allNames].join(",") };
}
