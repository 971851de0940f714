# The server in an image that holds nothing but the program and a folder for its store: no shell, no
# libraries, no package manager. Build it with `docker build -t palisade .`; compose.yaml runs it.
# `cargo xtask package` plays the steps of the last stage without Docker and runs what comes of them.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo xtask package --only binary \
 && install -D -m 0755 target/package/palisade /out/palisade \
 && mkdir -p /out/data

FROM scratch
COPY --from=build --chown=0:0 --chmod=0755 /out/palisade /palisade
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
# No address is served to other machines without TLS by accident: beside this one, the server wants
# PALISADE_TLS_CERT and PALISADE_TLS_KEY, or PALISADE_BEHIND_PROXY=true.
ENV PALISADE_STORE=sqlite:/data/palisade.db PALISADE_LISTEN=0.0.0.0:7780
# Temporary files lie in the volume, so that the root file system can be read-only.
ENV TMPDIR=/data
USER 65532:65532
VOLUME ["/data"]
EXPOSE 7780
ENTRYPOINT ["/palisade"]
CMD ["serve"]
