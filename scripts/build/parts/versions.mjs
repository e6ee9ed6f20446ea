// The pinned versions of all that is compiled into the executables. `npm run parts` compares them with the registries and with
// known vulnerabilities (docs/standalone.md).

/**
 * By name: where it comes from (a package URL's type and the package's name), its version there, and the SHA-256 of the package.
 * `holds` is the library inside of the package, with its own version.
 */
export const VERSIONS = {
  quickjs: {
    from: "cargo",
    name: "rquickjs-sys",
    version: "0.14.0",
    checksum: "cee271d0eeba64f0915b846cb7ae02e16faf3dfdffdca91731101d9d30fe3423",
    holds: { name: "quickjs-ng", version: "0.16.2", license: "MIT" },
  },
  awsLc: {
    from: "cargo",
    name: "aws-lc-sys",
    version: "0.47.0",
    checksum: "8bfbe32ac36b3c428696ce315464181bc4029d689fd58e3f2a4e58c252242f52",
    holds: { name: "AWS-LC", version: "5.12.0", license: "ISC AND (Apache-2.0 OR ISC)" },
  },
  ada: {
    from: "cargo",
    name: "ada-url",
    version: "4.0.0",
    checksum: "c153db7a5a9f8a92a313dff0fecbbb28198542fc98bf024b961baf9896408347",
    holds: { name: "ada", version: "4.0.0", license: "MIT" },
  },
  roots: {
    from: "cargo",
    name: "webpki-root-certs",
    version: "1.0.11",
    checksum: "e49d0e65abc00c142e8f9428da991da9f1a250c39be97459901eb12b9b49f62a",
    holds: { name: "Mozilla's certificate authorities", version: "1.0.11", license: "CDLA-Permissive-2.0" },
  },
  llhttp: {
    from: "pypi",
    name: "aiohttp",
    version: "3.14.5",
    checksum: "5558a7f5a05af9ecf744af91e5baefc436f93c9333e656c27ec253f9a6bbe178",
    holds: { name: "llhttp", version: "9.4.2", license: "MIT" },
  },
};

/** The compiler of the executables for Linux, with the SHA-256 of its wheels by Node's name of the machine's processor. */
export const ZIG = {
  from: "pypi",
  name: "ziglang",
  version: "0.15.2",
  checksums: {
    x64: "806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130",
    arm64: "edc0aa60ec964a4cf462d40f68d7de242ddf37fd9a80f2afaee6397059463230",
  },
  /** Its C library and its C++ library are part of the executables. */
  holds: [
    { name: "musl", version: "1.2.5", license: "MIT" },
    { name: "libc++", version: "20.1.0", license: "Apache-2.0 WITH LLVM-exception" },
  ],
};
