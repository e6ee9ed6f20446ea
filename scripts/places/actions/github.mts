/** github.com in the space: git's own server, and of the API what `gh secret set` asks for. The space trusts its authority. */
import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import type * as http from "node:http";
import * as https from "node:https";
import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import { memberAt } from "../../../test/helpers/json-members.ts";
import { serveGit } from "../../../test/helpers/git-server.mts";
import { makeCertificates } from "../../../test/esc-server/tls.ts";

/** Served are the folders OWNER/NAME in it, with or without a work tree. */
export const REPOSITORIES = "/srv/git";

const HOSTS = ["github.com", "api.github.com"];
/** crypto_box_seal: an ephemeral key and an authenticator. */
const SEAL_BYTES = 48;

/** A secret that was set: the client's credential, and how long the value is that was sealed. */
interface SetSecret {
  readonly path: string;
  readonly authorization: string;
  readonly length: number;
}

export interface Github {
  /** Since the last call of it. */
  readonly takeSecrets: () => readonly SetSecret[];
  readonly close: () => void;
}

/** Starts it with the repositories in these folders, by their owners. */
export async function startGithub(owners: Readonly<Record<string, string>>): Promise<Github> {
  mkdirSync(REPOSITORIES);
  for (const [owner, folder] of Object.entries(owners)) symlinkSync(folder, `${REPOSITORIES}/${owner}`);
  // As GitHub does, it serves each commit, whoever owns the files here.
  writeFileSync("/etc/gitconfig", "[safe]\n\tdirectory = *\n[uploadpack]\n\tallowAnySHA1InWant = true\n");
  const { ca, valid } = await makeCertificates(HOSTS);
  appendFileSync("/etc/ssl/certs/ca-certificates.crt", ca);
  appendFileSync("/etc/hosts", `127.0.0.1 ${HOSTS.join(" ")}\n`);
  const secrets: SetSecret[] = [];
  const server = https.createServer(valid, (request, response) => {
    if (request.headers.host === "github.com") serveGit(REPOSITORIES, request, response);
    else void serveApi(request, response, secrets);
  });
  server.listen(443, "127.0.0.1");
  await once(server, "listening");
  return {
    takeSecrets: () => secrets.splice(0),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function serveApi(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  secrets: SetSecret[],
): Promise<void> {
  const { method, url = "", headers } = request;
  const body = await text(request);
  const [, path = "", name] = /^\/repos\/([\w/]+)\/secrets\/([\w-]+)$/.exec(url) ?? [];
  if (method === "GET" && name === "public-key") {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ key_id: "1", key: randomBytes(32).toString("base64") }));
    return;
  }
  if (method === "PUT" && name !== undefined) {
    const sealed = Buffer.from(String(memberAt(JSON.parse(body), "encrypted_value")), "base64");
    const authorization = headers.authorization ?? "";
    secrets.push({ path: `${path} ${name}`, authorization, length: sealed.length - SEAL_BYTES });
    response.writeHead(201, { "content-type": "application/json" }).end("{}");
    return;
  }
  response.writeHead(404).end();
}
