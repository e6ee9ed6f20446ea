/**
 * The official client of OpenAI runs in a container, with the dummy and the address that a sophia-run on the host gives
 * it.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { skipBecause } from "../../helpers/skip.ts";
import { NETWORK_KEY, noNetworks, startInNetworks } from "../../helpers/two-networks.ts";
import { fetchJavaScript } from "./packages.ts";

skipBecause(noNetworks);

test(
  "OpenAI's client in a container works unchanged, and reaches a service that only the host can reach",
  { timeout: 400_000 },
  async () => {
    const client = join(fetchJavaScript(), "node_modules/openai/index.mjs");
    const program = `
    import OpenAI from ${JSON.stringify(client)};
    for await (const { id } of new OpenAI().models.list()) console.log(id);
  `;
    const { status, stdout, stderr, seen } = await startInNetworks(
      ["--broker-listen", "10.77.0.1"],
      `exec $CONTAINER ${process.execPath} program.mjs`,
      { files: { "program.mjs": program } },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "served\n", stderr: "" });
    expect(seen).toEqual([`GET /v1/models Bearer ${NETWORK_KEY}`]);
  },
);
