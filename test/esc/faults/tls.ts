/** Cases of faults of ESC: certificates that must not be accepted, and a server without TLS. */
import { startEscServer } from "../../esc-server/index.ts";
import { type FaultCase, unavailable } from "./case.ts";
import { SENTINEL_TOKEN } from "./sentinels.ts";
import { startGreeter } from "./greeter.ts";

function tlsCase(fault: string, certificate: "expired" | "wrongHost" | "unknownAuthority", trust: boolean): FaultCase {
  return {
    fault,
    behaviour: "not retried; the token is not sent",
    expect: unavailable("esc-tls"),
    arrange: async ({ certificates, defer }) => {
      const server = await startEscServer({ tls: certificates[certificate], token: SENTINEL_TOKEN });
      defer(() => server.close());
      return { PULUMI_BACKEND_URL: server.url, ...(trust ? { SSL_CERT_FILE: certificates.caFile } : {}) };
    },
  };
}

export const TLS: readonly FaultCase[] = [
  tlsCase("an expired certificate", "expired", true),
  tlsCase("a certificate for another host", "wrongHost", true),
  tlsCase("a certificate of an unknown authority", "unknownAuthority", false),
  {
    fault: "https to a port without TLS",
    behaviour: "not retried",
    expect: unavailable("esc-tls"),
    arrange: async ({ defer }) => ({ PULUMI_BACKEND_URL: `https://127.0.0.1:${await startGreeter(defer)}` }),
  },
  {
    fault: "plain http to a port with TLS",
    behaviour: "retried twice, as after any broken connection",
    expect: unavailable("esc-unreachable"),
    arrange: async ({ certificates, defer }) => {
      const server = await startEscServer({ tls: certificates.valid, token: SENTINEL_TOKEN });
      defer(() => server.close());
      return { PULUMI_BACKEND_URL: server.url.replace("https:", "http:") };
    },
  },
];
