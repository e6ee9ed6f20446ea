/** Finds the file with the tokens of Pulumi's CLI, by the rules of the CLI. */
import type { Environment } from "../core/model.ts";
import { within } from "../system/paths.ts";

/** Returns the file in which `pulumi login` stores tokens; undefined if there is no home folder. The file need not exist. */
export function findPulumiCredentialsFile(environment: Environment): string | undefined {
  /** Returns a variable of the environment, of which an empty one is the same as none. */
  const valueOf = (name: string): string | undefined => environment.get(name) || undefined;
  const home = valueOf(process.platform === "win32" ? "USERPROFILE" : "HOME");
  const defaultFolder = home === undefined ? undefined : within(home, ".pulumi");
  const folder = valueOf("PULUMI_CREDENTIALS_PATH") ?? valueOf("PULUMI_HOME") ?? defaultFolder;
  return folder === undefined ? undefined : within(folder, "credentials.json");
}
