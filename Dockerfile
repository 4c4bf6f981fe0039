# The production image is the last stage; `demo` is for a developer's machine.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Not `npm ci`: it refuses a lock file without the optional packages of every other platform. What the
# lock file names is installed as it says, and checked by its hash.
RUN npm install --no-audit --no-fund
COPY . .
RUN npm run build

# Portal, mailbox and fictional members: needs what the production image leaves out.
FROM build AS demo
ENV NODE_ENV=development IDP_DATA_DIR=/data
RUN install -d -o 1000 -g 1000 -m 0700 /data
USER 1000:1000
EXPOSE 3000 3001 3002
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "deploy/healthcheck.js"]
CMD ["node", "--enable-source-maps", "--disable-warning=DEP0040", "dist/server.js"]

FROM build AS dependencies
RUN npm prune --omit=dev --no-audit --no-fund

FROM node:24.21.0-bookworm-slim AS production
ENV NODE_ENV=production \
  IDP_HOST=0.0.0.0 \
  IDP_MANAGEMENT_HOST=0.0.0.0 \
  IDP_DATA_DIR=/data
WORKDIR /app
# Of the embedded store and of backups: the only place that is written to. Mount a volume there.
RUN install -d -o 1000 -g 1000 -m 0700 /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/bin ./bin
COPY --from=build /app/views ./views
COPY --from=build /app/deploy/healthcheck.js ./deploy/
COPY --from=build /app/dist ./dist
USER 1000:1000
EXPOSE 3000 9000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "deploy/healthcheck.js"]
# The server stops by itself on SIGTERM: not ready first, then what was asked is answered.
STOPSIGNAL SIGTERM
CMD ["node", "--enable-source-maps", "--disable-warning=DEP0040", "dist/server.js"]
