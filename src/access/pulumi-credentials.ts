import type { Environment } from "../core/model.ts";
import { within } from "../system/paths.ts";

/** Returns the file in which `pulumi login` stores tokens. */
export function pulumiCredentials(environment: Environment): string | undefined {
  const given = (name: string): string | undefined => environment.get(name) || undefined;
  const home = given(process.platform === "win32" ? "USERPROFILE" : "HOME");
  const folder =
    given("PULUMI_CREDENTIALS_PATH") ??
    given("PULUMI_HOME") ??
    (home === undefined ? undefined : within(home, ".pulumi"));
  return folder === undefined ? undefined : within(folder, "credentials.json");
}
