# docker build -t bookhook --build-arg VERSION=v1.0.0 .
# docker run -p 8080:8080 -v bookhook:/data bookhook

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
# timetzdata puts the time zones into the binary: the final image has none.
RUN CGO_ENABLED=0 go build -buildvcs=false -trimpath -tags timetzdata \
    -ldflags "-s -w -X main.version=${VERSION}" -o /out/bookhook .
# The final image has no shell to make these with.
RUN mkdir -p /out/data /out/tmp && chmod 1777 /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/bookhook /usr/local/bin/bookhook
COPY --from=build /out/tmp /tmp
# A new volume takes the owner of the folder that it covers.
COPY --from=build --chown=65532:65532 /out/data /data

ENV PATH=/usr/local/bin \
    BOOKHOOK_LISTEN=:8080 \
    BOOKHOOK_DATABASE=/data/bookhook.db
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["bookhook", "healthcheck"]
ENTRYPOINT ["bookhook"]
CMD ["serve"]
