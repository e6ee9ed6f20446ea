# The launch suite's programs, and Node.js beside Python. The suite itself is mounted.
FROM node:24-bookworm-slim AS node
FROM python:3.13-slim-bookworm
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev make procps
COPY --from=node /usr/local/bin/node /usr/local/bin/node
