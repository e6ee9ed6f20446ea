// Asks a stub of Entra for tokens with @azure/identity for LASTS ms, and prints how many calls there were, and which failed.
import { DefaultAzureCredential, WorkloadIdentityCredential } from "@azure/identity";

const options = { disableInstanceDiscovery: true };
const kept = new WorkloadIdentityCredential(options);
const keptToken = (number) => {
  // It keeps the content of the file for five minutes, which is longer than these tokens live.
  if (Date.now() - kept.cacheDate > 1000) kept.cacheDate = 0;
  // For a scope that it has asked for, it would return the same access token.
  return kept.getToken(`api://kept-${number}/.default`);
};
const newToken = (number) => new DefaultAzureCredential(options).getToken(`api://new-${number}/.default`);
const end = Date.now() + Number(process.env.LASTS);
const failed = [];
let calls = 0;
while (Date.now() < end) {
  for (const call of [keptToken, newToken]) {
    calls += 1;
    await call(calls).catch((error) => failed.push(`${error.name}: ${error.message}`));
  }
  await new Promise((resolve) => setTimeout(resolve, 250));
}
process.stdout.write(`${JSON.stringify({ calls, failed })}\n`);
