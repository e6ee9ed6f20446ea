/** A service that takes a push of any size and keeps nothing of it (gitprotocol-http(5), gitformat-pack(5)). */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

const HASH_BYTES = 20;
const FLUSH = "0000";

export interface PackSink {
  readonly receive: (request: IncomingMessage, response: ServerResponse) => void;
  /** Whether the last pack had the hash with which it ended, and a gigabyte. */
  readonly result: () => { readonly isWhole: boolean; readonly isLarge: boolean };
}

/** @param ref what is pushed */
export function createPackSink(ref: string): PackSink {
  let result = { isWhole: false, isLarge: false };
  return {
    receive: (request, response) => {
      if (request.method === "GET") {
        const type = "application/x-git-receive-pack-advertisement";
        const refs = line(`${"0".repeat(40)} capabilities^{}\0report-status\n`);
        response.writeHead(200, { "content-type": type });
        response.end(line("# service=git-receive-pack\n") + FLUSH + refs + FLUSH);
        return;
      }
      const hash = createHash("sha1");
      let bytes = 0;
      let head: Buffer | undefined = Buffer.alloc(0);
      let tail = Buffer.alloc(0);
      request.on("data", (chunk: Buffer) => {
        let part = chunk;
        if (head !== undefined) {
          head = Buffer.concat([head, chunk]);
          const start = head.indexOf("PACK");
          if (start === -1) return;
          part = head.subarray(start);
          head = undefined;
        }
        bytes += part.length;
        const seen = Buffer.concat([tail, part]);
        hash.update(seen.subarray(0, -HASH_BYTES));
        tail = seen.subarray(-HASH_BYTES);
      });
      request.on("end", () => {
        response.writeHead(200, { "content-type": "application/x-git-receive-pack-result" });
        // git asks with nothing first, before it sends what it cannot send again.
        if (bytes === 0) return void response.end();
        result = { isWhole: hash.digest().equals(tail), isLarge: bytes > 1_000_000_000 };
        response.end(line("unpack ok\n") + line(`ok ${ref}\n`) + FLUSH);
      });
    },
    result: () => result,
  };
}

function line(text: string): string {
  return (text.length + 4).toString(16).padStart(4, "0") + text;
}
