/**
 * The surroundings of `sophia-run rotate --token`: an ESC server with the launcher's token, and a GitHub CLI (`gh`) that keeps the
 * repository secrets in a folder.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
import type { Token } from "../../esc-server/tokens.ts";
import { folder } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { SENTINEL, sentinelOf } from "../sophia-environment.ts";

/**
 * The GitHub CLI: notes its arguments, what it reads and what it gets, keeps the secrets by name and app, and fails as
 * `FAIL` (a pattern of its arguments) says. With `HANG` it writes into the FIFO `hanging` and never ends. With `EARLIER` it
 * is a version that lists no JSON. Where there is a file `same-second`, the next secret that is set has the time of the former
 * one; with `FORGETFUL` no secret that is there already is set. With `TIMELESS` the list has no times, and with `UNLISTED` it is
 * empty.
 */
const GH = `#!/bin/sh
cd "$STUB" || exit 9
printf '%s\\n' "$*" >> arguments
env > environment
if [ -n "$FAIL" ] && expr "$*" : "$FAIL" >/dev/null; then echo 'gh auth login' >&2; exit 4; fi
if [ -n "$HANG" ] && expr "$*" : "$HANG" >/dev/null; then echo here > hanging; exec sleep 60; fi
if [ -n "$EARLIER" ]; then
  case "$*" in
    *--json*) echo 'unknown flag: --json' >&2; exit 1 ;;
    "secret list"*) [ -f "set-$4" ] && printf 'ESC_TOKEN\\t2026-11-01\\n'; exit 0 ;;
  esac
fi
if [ "$1 $2" = "secret list" ] && [ -n "$UNLISTED" ]; then printf '[]'; exit; fi
if [ "$1 $2" = "secret list" ] && [ -n "$TIMELESS" ]; then printf '[{"name":"ESC_TOKEN"}]'; exit; fi
case "$1 $2" in
  "secret list") [ -f "set-$4" ] && printf '[{"name":"ESC_TOKEN","updatedAt":"%s"}]' "$(cat "set-$4")" || printf '[]' ;;
  "secret set")
    if [ -n "$FORGETFUL" ] && [ -f "set-$5" ]; then exec cat > /dev/null; fi
    cat > "value-$5"
    if [ -f same-second ]; then rm same-second; else date +%s%N > "set-$5"; fi ;;
  *) exit 1 ;;
esac
`;

export interface TokenScene {
  readonly server: EscServer;
  readonly old: Token;
  readonly stub: string;
  readonly env: Readonly<Record<string, string>>;
  readonly isAlive: (token: string) => Promise<boolean>;
  /** What the repository secret of an app is. */
  readonly stored: (app: "actions" | "codespaces") => string | undefined;
  readonly calls: () => string;
  /** Gives the next secret that is set the time of the former one. */
  readonly setInSameSecond: () => void;
}

/** Starts the server. @param owner the owner of the launcher's token */
export async function startTokenScene(
  owner: Token["owner"] = { kind: "organization", organization: "acme" },
): Promise<TokenScene> {
  const server = await startEscServer({ token: `pul-${sentinelOf("admin")}` });
  onTestFinished(() => server.close());
  server.environment("acme/app/dev", { values: { PLAIN: "1" } });
  const old = server.addToken({ owner, access: "open", name: "ci", value: `pul-${sentinelOf("old")}` });
  const stub = folder();
  const bin = folder({});
  writeFileSync(join(bin, "gh"), GH, { mode: 0o755 });
  const env = {
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    STUB: stub,
    PULUMI_BACKEND_URL: server.url,
    ESC_ENV: "acme/app/dev",
    ESC_TOKEN: old.value,
    ESC_ADMIN_TOKEN: server.token,
  };
  const read = (name: string): string | undefined => {
    try {
      return readFileSync(join(stub, name), "utf8");
    } catch {
      return undefined;
    }
  };
  return {
    server,
    old,
    stub,
    env,
    isAlive: async (token) => {
      const answer = await fetch(`${server.url}/api/user`, {
        headers: { Authorization: `token ${token}`, Accept: "application/vnd.pulumi+8", "User-Agent": "test" },
      });
      return answer.status === 200;
    },
    stored: (app) => read(`value-${app}`),
    calls: () => read("arguments") ?? "",
    setInSameSecond: () => writeFileSync(join(stub, "same-second"), ""),
  };
}

/** No token comes out, nor stands in an argument or in what `gh` gets as its environment. */
export function expectNoToken(
  { stub, stored, old, server }: TokenScene,
  result: { readonly stdout: string; readonly stderr: string },
): void {
  const tokens = [old.value, server.token, stored("actions") ?? old.value, SENTINEL];
  const texts = [
    result.stdout,
    result.stderr,
    ...["arguments", "environment"].map((name) => readFileSync(join(stub, name), "utf8")),
  ];
  for (const token of tokens) for (const text of texts) expect(text).not.toContain(token);
}

/** Compares output without the names of new tokens and the day on which they end. */
export function expectTokenWording(text: string): void {
  const names = text.match(/sophia-run-\d{8}-\d{6}-[\da-f]{4}/g) ?? [];
  const days = text.match(/\d{4}-\d\d-\d\d/g) ?? [];
  expectWording(
    text,
    Object.fromEntries([...names.map((name) => [name, "<token>"]), ...days.map((one) => [one, "<day>"])]),
  );
}
