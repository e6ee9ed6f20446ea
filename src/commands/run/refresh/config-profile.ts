/** The user's own configuration of the AWS SDKs, in which some of them look before they ask sophia-run. */
import { join } from "node:path";
import type { Environment } from "../../../core/model.ts";
import { readFound } from "../../../system/bounded-read.ts";

const MAX_BYTES = 1024 * 1024;
/** Settings by which a profile gives credentials, or says where they come from. */
const CREDENTIALS =
  /^[ \t]*(?:aws_access_key_id|credential_process|credential_source|role_arn|source_profile|sso_\w+|login_session|web_identity_token_file)[ \t]*=/m;

/** Returns the path of the configuration whose default profile has credentials; undefined if there is none. */
export async function configWithCredentials(environment: Environment): Promise<string | undefined> {
  const named = environment.get("AWS_CONFIG_FILE") ?? "";
  const home = environment.get(process.platform === "win32" ? "USERPROFILE" : "HOME") ?? "";
  if (named === "" && home === "") return undefined;
  const path = named === "" ? join(home, ".aws/config") : named.replace(/^~(?=\/)/, home);
  let text: string;
  try {
    const bytes = readFound(path, { maxBytes: MAX_BYTES });
    text = bytes.toString("utf8");
  } catch {
    return undefined;
  }
  const sections = text.split(/^(?=[ \t]*\[)/m);
  const isDefault = (section: string): boolean => /^[ \t]*\[[ \t]*(?:profile[ \t]+)?default[ \t]*\]/.test(section);
  return sections.some((section) => isDefault(section) && CREDENTIALS.test(section)) ? path : undefined;
}
