// Calls STS and S3 by the SDK for JavaScript for LASTS ms, and prints how many calls there were, and which failed.
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const sts = new STSClient({ maxAttempts: 1 });
const s3 = new S3Client({ maxAttempts: 1 });
const end = Date.now() + Number(process.env.LASTS);
const failed = [];
let calls = 0;
while (Date.now() < end) {
  for (const call of [() => sts.send(new GetCallerIdentityCommand({})), () => s3.send(new ListBucketsCommand({}))]) {
    calls += 1;
    await call().catch((error) => failed.push(`${error.name}: ${error.message}`));
  }
  await new Promise((resolve) => setTimeout(resolve, 250));
}
process.stdout.write(`${JSON.stringify({ calls, failed })}\n`);
