FROM node:24-alpine AS build
WORKDIR /app
COPY package*.json sophia-run-*.tgz ./
RUN npm ci
# The executable is static: it runs with musl, too. A package that was packed without it is started by Node.js.
RUN cp "node_modules/sophia-run/dist/sophia-run-linux-$(node -p process.arch)" /usr/local/bin/sophia-run || \
    { printf '#!/usr/local/bin/node --\nrequire("/app/node_modules/sophia-run/bin/sophia-run.cjs");\n' > /usr/local/bin/sophia-run && \
    chmod 755 /usr/local/bin/sophia-run; }

FROM node:24-alpine
WORKDIR /app
COPY --from=build /usr/local/bin/sophia-run /usr/local/bin/sophia-run
COPY package*.json sophia-run-*.tgz ./
RUN npm ci --omit=dev

COPY . .
USER node

# sophia-run stays PID 1: it ends a program that has no handler for SIGTERM, passes signals on and reaps orphans.
ENV SOPHIA_MODE=spawn
HEALTHCHECK --start-period=10s CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/"]
ENTRYPOINT ["/usr/local/bin/sophia-run", "--"]
CMD ["node", "server.js"]
