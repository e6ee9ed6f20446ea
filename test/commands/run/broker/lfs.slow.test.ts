/** Git LFS through the broker: its API is GitHub's, and the objects lie on another host, which needs no token. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, test } from "vitest";
import type { ReceivedRequest } from "../../../broker/upstream.ts";
import { notInstalled, skipBecause } from "../../../helpers/skip.ts";
import { ASSETS, AUTHOR, runBroker, createRepository, startGithub } from "./github.ts";

skipBecause(notInstalled("git-lfs", "version"));

test("Git LFS uploads and downloads, and the token goes to GitHub alone", async () => {
  const stored = new Map<string, string>();
  const answer = (request: IncomingMessage, response: ServerResponse, received: ReceivedRequest): void => {
    request.on("end", () => {
      const { headers, method, url = "" } = request;
      if (headers.host === ASSETS) {
        if (method === "PUT") stored.set(url, received.body);
        return void response.end(method === "PUT" ? "" : stored.get(url));
      }
      if (!url.endsWith("/objects/batch")) return void response.writeHead(404).end("{}");
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API's own form
      const batch = JSON.parse(received.body) as {
        operation: "upload" | "download";
        objects: readonly { oid: string; size: number }[];
      };
      const objects = batch.objects.map(({ oid, size }) => {
        return { oid, size, authenticated: true, actions: { [batch.operation]: { href: `https://${ASSETS}/${oid}` } } };
      });
      response.writeHead(200, { "content-type": "application/vnd.git-lfs+json" });
      response.end(JSON.stringify({ transfer: "basic", objects }));
    });
  };
  const github = await startGithub(answer);
  createRepository(github, "acme/app.git");
  const result = await runBroker(github, {
    env: { GIT_SSL_CAINFO: github.env["NODE_EXTRA_CA_CERTS"] ?? "" },
    script: `
      git lfs install --skip-repo >/dev/null
      git clone --quiet https://github.com/acme/app.git app
      cd app
      git lfs install --local >/dev/null
      git lfs track '*.bin' >/dev/null
      echo large >a.bin
      git add .
      git ${AUTHOR.join(" ")} commit --quiet -m large
      git push --quiet origin main >/dev/null 2>&1
      git clone --quiet https://github.com/acme/app.git ../again
      cat ../again/a.bin`,
  });
  expect([result.status, result.stderr, result.stdout]).toEqual([0, "", "large\n"]);
  expect([...stored.values()]).toEqual(["large\n"]);
  const requestLines = github.requestLines();
  expect(requestLines).toContain("github.com POST /acme/app.git/info/lfs/objects/batch");
  for (const { headers } of github.upstream.requests) {
    expect(headers.authorization === undefined).toBe(headers.host === ASSETS);
  }
});
