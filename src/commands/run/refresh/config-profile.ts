/**
 * Searches the user's configuration of AWS for credentials, which some SDKs prefer to those of this process:
 *
 *     [default]
 *     credential_process = /usr/bin/print-credentials
 */
import { join } from "node:path";
import type { Environment } from "../../../core/model.ts";
import { readFoundFile } from "../../../system/bounded-read.ts";
import { attempt } from "../../../system/errors.ts";

const MAX_CONFIG_BYTES = 1024 * 1024;
const DEFAULT_PROFILE = /^[ \t]*\[[ \t]*(?:profile[ \t]+)?default[ \t]*\]/;
/** The settings by which a profile has credentials, or says where they come from. */
const CREDENTIALS_SETTING =
  /^[ \t]*(?:aws_access_key_id|credential_process|credential_source|role_arn|source_profile|sso_\w+|login_session|web_identity_token_file)[ \t]*=/m;

/** Returns the path of the configuration if its default profile has credentials; otherwise undefined. */
export async function findConfigWithCredentials(environment: Environment): Promise<string | undefined> {
  const path = findConfigPath(environment);
  if (path === undefined) return undefined;
  const text = attempt(() => readFoundFile(path, { maxBytes: MAX_CONFIG_BYTES }).toString("utf8"));
  const sections = text?.split(/^(?=[ \t]*\[)/m) ?? [];
  const hasCredentials = sections.some((section) => DEFAULT_PROFILE.test(section) && CREDENTIALS_SETTING.test(section));
  return hasCredentials ? path : undefined;
}

function findConfigPath(environment: Environment): string | undefined {
  const home = environment.get(process.platform === "win32" ? "USERPROFILE" : "HOME") ?? "";
  const namedPath = environment.get("AWS_CONFIG_FILE") ?? "";
  if (namedPath !== "") return namedPath.replace(/^~(?=\/)/, home);
  return home === "" ? undefined : join(home, ".aws/config");
}
