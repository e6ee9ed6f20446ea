// Calls a stub of a Google API with google-auth-library for LASTS ms, and prints how many calls there were, and which failed.
import { GoogleAuth } from "google-auth-library";

const client = () => new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] }).getClient();
const kept = await client();
const end = Date.now() + Number(process.env.LASTS);
const failed = [];
let calls = 0;
while (Date.now() < end) {
  for (const { name, of } of [
    { name: "kept", of: () => kept },
    { name: "new", of: client },
  ]) {
    calls += 1;
    try {
      await (await of()).request({ url: `${process.env.GOOGLE_API}/${name}`, retry: false });
    } catch (error) {
      failed.push(`${error.name}: ${error.message}`);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 250));
}
process.stdout.write(`${JSON.stringify({ calls, failed })}\n`);
