# syntax=docker/dockerfile:1
# The image: one program, on as little as it needs. No shell, no package manager, a user without rights.
#
#   docker build --tag REGISTRY/eco-pulse:0.1.0 .
#
# glibc and not a static musl binary: musl's allocator takes one lock for all threads, and a webhook is about latency under
# load; and this is what the tests and measurements ran on. Beside libc the program needs libgcc and the system's
# authorities, which is what distroless/cc has.

# The version that Cargo.toml names as the oldest. rust-toolchain.toml is kept out by .dockerignore: it would fetch another one.
FROM docker.io/library/rust:1.95-slim-trixie AS build
WORKDIR /src
COPY . .
# Crates and what was compiled of them outlive a build, so that an edit compiles this package alone.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --bin eco-pulse \
    && install -m 0755 target/release/eco-pulse /eco-pulse

FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /eco-pulse /usr/local/bin/eco-pulse
# By number: kubelet cannot tell whether a name is root.
USER 65532:65532
EXPOSE 8080 8443
ENTRYPOINT ["/usr/local/bin/eco-pulse"]
CMD ["serve"]
