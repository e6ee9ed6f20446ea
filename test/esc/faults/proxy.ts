/** Cases of faults of ESC: proxies that refuse, fail or cannot be reached. */
import { startProxy } from "../../esc-server/proxy.ts";
import { REFUSED_PORT } from "../../esc-server/sockets.ts";
import { type FaultCase, LASTS_UNTIL_DEADLINE_IN_CONNECTING, type Variables, unavailable } from "./case.ts";
import { SENTINEL_TOKEN } from "./sentinels.ts";

function proxyCase(
  fault: string,
  behaviour: string,
  code: string,
  set: (proxy: Awaited<ReturnType<typeof startProxy>>) => Variables,
  more?: Pick<FaultCase, "timeoutMs" | "isStuck">,
): FaultCase {
  return {
    fault,
    behaviour,
    expect: unavailable(code),
    arrange: async ({ defer }) => {
      const proxy = await startProxy({ auth: { user: "u", password: SENTINEL_TOKEN } });
      defer(() => proxy.close());
      return { PULUMI_BACKEND_URL: "https://backend.test", ...set(proxy) };
    },
    ...more,
  };
}

export const PROXY: readonly FaultCase[] = [
  proxyCase("the proxy requires a password", "not retried", "esc-proxy", ({ port }) => ({
    HTTPS_PROXY: `http://127.0.0.1:${port}`,
  })),
  proxyCase("the proxy forbids it", "not retried", "esc-proxy", (proxy) => {
    proxy.fault = 403;
    return { HTTPS_PROXY: proxy.url };
  }),
  proxyCase("the proxy cannot reach the backend", "retried twice", "esc-proxy", (proxy) => {
    proxy.fault = 503;
    return { HTTPS_PROXY: proxy.url };
  }),
  proxyCase(
    "the proxy never answers",
    "given up at the deadline",
    "esc-timeout",
    (proxy) => {
      proxy.fault = "hang";
      return { HTTPS_PROXY: proxy.url };
    },
    LASTS_UNTIL_DEADLINE_IN_CONNECTING,
  ),
  {
    fault: "the proxy's port refuses connections",
    behaviour: "retried twice",
    expect: unavailable("esc-unreachable"),
    arrange: async () => ({
      PULUMI_BACKEND_URL: "https://backend.test",
      HTTPS_PROXY: `http://127.0.0.1:${REFUSED_PORT}`,
    }),
  },
  {
    fault: "a proxy of another kind",
    behaviour: "no request",
    expect: unavailable("esc-proxy"),
    arrange: () => ({ PULUMI_BACKEND_URL: "https://backend.test", HTTPS_PROXY: "socks5://proxy.example:1080" }),
  },
];
