import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Blob {
  body: Buffer;
  metadata: Readonly<Record<string, string>>;
  etag: string;
}

export interface BlobStandIn {
  readonly connectionString: string;
  close(): Promise<void>;
}

/**
 * The few requests of blob storage that checkpoints need, with their conditions, over plain HTTP on
 * loopback; signatures are not looked at. Source: Azure Storage REST, Put Blob, Set Blob Metadata,
 * Get Blob, List Blobs.
 */
export async function startBlobStandIn(): Promise<BlobStandIn> {
  const blobs = new Map<string, Blob>();
  let serial = 0;

  function put(name: string, request: IncomingMessage, body: Buffer | undefined): number | Blob {
    const known = blobs.get(name);
    const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = request.headers;
    if (ifNoneMatch === "*" && known !== undefined) return 409;
    if (body === undefined && known === undefined) return 404;
    if (ifMatch !== undefined && ifMatch !== known?.etag) return 412;
    serial += 1;
    const metadata = Object.fromEntries(
      Object.entries(request.headers)
        .filter(([header]) => header.startsWith("x-ms-meta-"))
        .map(([header, value]) => [header.slice("x-ms-meta-".length), String(value)]),
    );
    const blob = { body: body ?? known?.body ?? Buffer.alloc(0), metadata, etag: `"0x${serial}"` };
    blobs.set(name, blob);
    return blob;
  }

  function list(prefix: string): string {
    const entries = [...blobs]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { body, metadata, etag }]) => {
        const values = Object.entries(metadata).map(([key, value]) => `<${key}>${value}</${key}>`);
        return `<Blob><Name>${name}</Name><Properties><Last-Modified>${new Date().toUTCString()}</Last-Modified><Etag>${etag}</Etag><Content-Length>${body.length}</Content-Length><BlobType>BlockBlob</BlobType></Properties><Metadata>${values.join("")}</Metadata></Blob>`;
      });
    return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="c"><Blobs>${entries.join("")}</Blobs><NextMarker /></EnumerationResults>`;
  }

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const url = new URL(request.url ?? "/", "http://x");
    const name = decodeURIComponent(url.pathname.split("/").slice(3).join("/"));
    const comp = url.searchParams.get("comp");
    const common = { "Last-Modified": new Date().toUTCString(), "x-ms-version": "2020-10-02" };
    if (comp === "list") {
      response.writeHead(200, { ...common, "Content-Type": "application/xml" });
      response.end(list(url.searchParams.get("prefix") ?? ""));
      return;
    }
    if (request.method === "PUT") {
      const result = put(name, request, comp === "metadata" ? undefined : body);
      const code = result === 404 ? "BlobNotFound" : "ConditionNotMet";
      if (typeof result === "number") {
        response.writeHead(result, { ...common, "x-ms-error-code": code }).end();
      } else
        response.writeHead(comp === "metadata" ? 200 : 201, { ...common, ETag: result.etag }).end();
      return;
    }
    const blob = blobs.get(name);
    if (blob === undefined) {
      response.writeHead(404, { ...common, "x-ms-error-code": "BlobNotFound" }).end();
      return;
    }
    response.writeHead(200, { ...common, ETag: blob.etag, "Content-Length": blob.body.length });
    response.end(request.method === "HEAD" ? undefined : blob.body);
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(request, response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    connectionString: `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=bm8gc2VjcmV0;BlobEndpoint=http://127.0.0.1:${port}/account;`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
